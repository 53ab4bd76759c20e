package io.felice.handlers;

import io.felice.api.cluster.Admin;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.Outcome;
import io.felice.api.security.Operation;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.Serves;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.UnregisterBrokerRequestData;
import org.apache.kafka.common.message.UnregisterBrokerResponseData;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Asks the controller to remove a broker that is not alive and has no replicas. */
@Component
@Serves(key = Apis.UNREGISTER_BROKER)
public final class UnregisterBrokerHandler
        implements RequestHandler<UnregisterBrokerRequestData, UnregisterBrokerResponseData> {
    private final Admin admin;
    private final ClusterMetadata metadata;
    private final Rights rights;

    @Activate
    public UnregisterBrokerHandler(
            @Reference Admin admin, @Reference ClusterMetadata metadata, @Reference Rights rights) {
        this.admin = admin;
        this.metadata = metadata;
        this.rights = rights;
    }

    @Override
    public CompletionStage<UnregisterBrokerResponseData> handle(
            UnregisterBrokerRequestData request, RequestContext context) {
        return rights.requireOnCluster(context, Operation.ALTER, now -> unregister(request, now));
    }

    private CompletionStage<UnregisterBrokerResponseData> unregister(
            UnregisterBrokerRequestData request, RequestContext context) {
        int id = request.brokerId();
        return metadata.visible(admin.askedBy(context.requester()).removeBroker(id))
                .handle((decided, failure) -> failure == null
                        ? decided.outcomes().get(id)
                        : Outcome.<Void>failed(Failures.ofController(failure, context), Failures.messageOf(failure)))
                .thenApply(outcome -> new UnregisterBrokerResponseData()
                        .setErrorCode(outcome.error().code())
                        .setErrorMessage(outcome.message()));
    }
}
