package io.felice.network;

import io.felice.protocol.RequestHandler;
import io.felice.protocol.Serves;
import java.util.Map;
import org.apache.kafka.common.protocol.ApiMessage;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;

/** Sees handlers come and go, and keeps the {@link ApiTable} true. */
@Component(service = Handlers.class, immediate = true)
public final class Handlers {
    private final ApiTable apis;

    @Activate
    public Handlers(@Reference ApiTable apis) {
        this.apis = apis;
    }

    @Reference(
            name = "handlers",
            service = RequestHandler.class,
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            unbind = "unbind")
    public void bind(RequestHandler<?, ?> handler, Map<String, Object> properties) {
        short from = number(properties, "from", 0);
        short advertisedFrom = number(properties, "advertised.from", -1);
        apis.add(
                key(properties),
                from,
                number(properties, "to", 0),
                advertisedFrom < 0 ? from : advertisedFrom,
                properties.get("service.ranking") instanceof Integer ranking ? ranking : 0,
                untyped(handler));
    }

    /**
     * On return no new request begins with this handler. Those it has begun are answered without it; some a little later,
     * if their stage brings nothing until then.
     */
    public void unbind(RequestHandler<?, ?> handler, Map<String, Object> properties) {
        apis.remove(key(properties), handler);
    }

    @SuppressWarnings("unchecked")
    private static RequestHandler<ApiMessage, ApiMessage> untyped(RequestHandler<?, ?> handler) {
        return (RequestHandler<ApiMessage, ApiMessage>) handler;
    }

    private static short key(Map<String, Object> properties) {
        return number(properties, "key", -1);
    }

    private static short number(Map<String, Object> properties, String name, int otherwise) {
        Object value = properties.get(Serves.PREFIX_ + name);
        return value instanceof Number number ? number.shortValue() : (short) otherwise;
    }
}
