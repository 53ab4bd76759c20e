package io.felice.network;

import io.felice.protocol.Api;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.Serves;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.apache.kafka.common.protocol.ApiMessage;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Adds and removes handlers of the {@link ApiTable}. */
@Component(service = Handlers.class, immediate = true)
public final class Handlers {
    private static final Logger log = LoggerFactory.getLogger(Handlers.class);
    private static final String KEY = Serves.PREFIX_ + "key";
    private static final short NO_KEY = -1;

    private final ApiTable apis;
    private final Function<Short, Optional<Api>> rows;

    @Activate
    public Handlers(@Reference ApiTable apis) {
        this(apis, Apis::find);
    }

    Handlers(ApiTable apis, Function<Short, Optional<Api>> rows) {
        this.apis = apis;
        this.rows = rows;
    }

    @Reference(
            name = "handlers",
            service = RequestHandler.class,
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            unbind = "unbind")
    public void bind(RequestHandler<?, ?> handler, Map<String, Object> properties) {
        rows.apply(keyOf(properties))
                .ifPresentOrElse(
                        api -> apis.add(api, rankingOf(properties), untyped(handler)),
                        () -> reject(handler, properties));
    }

    /**
     * After this call no request begins with this handler. Its begun requests are answered without it, in some APIs
     * only after a short wait for their stages.
     */
    public void unbind(RequestHandler<?, ?> handler, Map<String, Object> properties) {
        apis.remove(keyOf(properties), handler);
    }

    @SuppressWarnings("unchecked")
    private static RequestHandler<ApiMessage, ApiMessage> untyped(RequestHandler<?, ?> handler) {
        return (RequestHandler<ApiMessage, ApiMessage>) handler;
    }

    private static void reject(RequestHandler<?, ?> handler, Map<String, Object> properties) {
        log.error(
                "{} gets no requests: it is registered for the API key {}, which this version of Felice does not serve",
                handler.getClass().getName(),
                properties.get(KEY));
    }

    private static short keyOf(Map<String, Object> properties) {
        return properties.get(KEY) instanceof Number number ? number.shortValue() : NO_KEY;
    }

    private static int rankingOf(Map<String, Object> properties) {
        return properties.get("service.ranking") instanceof Integer ranking ? ranking : 0;
    }
}
