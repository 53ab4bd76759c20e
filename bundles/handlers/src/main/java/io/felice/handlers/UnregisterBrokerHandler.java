package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.ClusterView;
import io.felice.api.security.Operation;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.Serves;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.UnregisterBrokerRequestData;
import org.apache.kafka.common.message.UnregisterBrokerResponseData;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Refuses to unregister a broker and says why: a cluster keeps every broker that was ever registered. */
@Component
@Serves(key = Apis.UNREGISTER_BROKER)
public final class UnregisterBrokerHandler
        implements RequestHandler<UnregisterBrokerRequestData, UnregisterBrokerResponseData> {
    private final ClusterMetadata metadata;
    private final Rights rights;

    @Activate
    public UnregisterBrokerHandler(@Reference ClusterMetadata metadata, @Reference Rights rights) {
        this.metadata = metadata;
        this.rights = rights;
    }

    @Override
    public CompletionStage<UnregisterBrokerResponseData> handle(
            UnregisterBrokerRequestData request, RequestContext context) {
        return rights.requireOnCluster(context, Operation.ALTER, now -> unregister(request));
    }

    private CompletionStage<UnregisterBrokerResponseData> unregister(UnregisterBrokerRequestData request) {
        int id = request.brokerId();
        ClusterView view = metadata.view();
        UnregisterBrokerResponseData response = new UnregisterBrokerResponseData();
        if (view.storeId(id).isEmpty()) {
            response.setErrorCode(ErrorCode.BROKER_ID_NOT_REGISTERED.code())
                    .setErrorMessage("Broker ID " + id + " is not currently registered");
        } else if (view.broker(id).isPresent()) {
            response.setErrorCode(ErrorCode.INVALID_REQUEST.code())
                    .setErrorMessage("Broker " + id + " runs, and would register again at once: stop it instead");
        } else {
            response.setErrorCode(ErrorCode.INVALID_REQUEST.code())
                    .setErrorMessage("Broker " + id + " is away and cannot be unregistered: the cluster remembers its"
                            + " data directory, to notice if it comes back with an empty one");
        }
        return CompletableFuture.completedFuture(response);
    }
}
