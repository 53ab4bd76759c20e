package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.cluster.Admin;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.ClusterView;
import io.felice.api.security.Action;
import io.felice.api.security.Authorization.Allowed;
import io.felice.api.security.ResourceType;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.Serves;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.DescribeClusterRequestData;
import org.apache.kafka.common.message.DescribeClusterResponseData;
import org.apache.kafka.common.message.DescribeClusterResponseData.DescribeClusterBroker;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Lists the brokers of the cluster. */
@Component
@Serves(key = Apis.DESCRIBE_CLUSTER)
public final class DescribeClusterHandler
        implements RequestHandler<DescribeClusterRequestData, DescribeClusterResponseData> {
    private static final byte BROKERS = 1;
    private static final byte CONTROLLERS = 2;
    private static final int NO_NODE = -1;

    private final ClusterMetadata metadata;
    private final Admin admin;
    private final Rights rights;

    @Activate
    public DescribeClusterHandler(
            @Reference ClusterMetadata metadata, @Reference Admin admin, @Reference Rights rights) {
        this.metadata = metadata;
        this.admin = admin;
        this.rights = rights;
    }

    @Override
    public CompletionStage<DescribeClusterResponseData> handle(
            DescribeClusterRequestData request, RequestContext context) {
        return rights.ask(request, context, DescribeClusterHandler::needs, this::describe);
    }

    private static List<Action> needs(DescribeClusterRequestData request, RequestContext context) {
        List<Action> actions = new ArrayList<>();
        if (request.includeClusterAuthorizedOperations()) {
            Rights.addAll(actions, ResourceType.CLUSTER, ResourceType.CLUSTER_NAME);
        }
        return actions;
    }

    private CompletionStage<DescribeClusterResponseData> describe(
            DescribeClusterRequestData request, RequestContext context, Allowed allowed) {
        if (request.endpointType() != BROKERS) {
            return CompletableFuture.completedFuture(refused(request.endpointType()));
        }
        ClusterView view = metadata.view();
        DescribeClusterResponseData response = new DescribeClusterResponseData()
                .setClusterId(view.clusterId().orElse(""))
                .setControllerId(admin.controllerId()
                        .filter(id -> view.broker(id).isPresent())
                        .orElse(NO_NODE));
        for (Nodes.Node node : new Nodes(view, context.connection().listener()).nodes()) {
            response.brokers()
                    .add(new DescribeClusterBroker()
                            .setBrokerId(node.id())
                            .setHost(node.host())
                            .setPort(node.port())
                            .setRack(node.rack()));
        }
        if (request.includeFencedBrokers()) {
            addFenced(response, view, context.connection().listener());
        }
        if (request.includeClusterAuthorizedOperations()) {
            response.setClusterAuthorizedOperations(Rights.bitsOfCluster(allowed));
        }
        return CompletableFuture.completedFuture(response);
    }

    /** Brokers that are registered but not alive are fenced in Kafka's terms. */
    private static void addFenced(DescribeClusterResponseData response, ClusterView view, String listener) {
        view.absentBrokers().forEach(broker -> broker.endpoint(listener).ifPresent(endpoint -> response.brokers()
                .add(new DescribeClusterBroker()
                        .setBrokerId(broker.brokerId())
                        .setHost(endpoint.host())
                        .setPort(endpoint.port())
                        .setRack(broker.rack())
                        .setIsFenced(true))));
    }

    private static DescribeClusterResponseData refused(byte endpointType) {
        DescribeClusterResponseData response = new DescribeClusterResponseData().setEndpointType(BROKERS);
        return endpointType == CONTROLLERS
                ? response.setErrorCode(ErrorCode.MISMATCHED_ENDPOINT_TYPE.code())
                        .setErrorMessage("The request was sent to an endpoint of type BROKER, but we wanted an endpoint"
                                + " of type CONTROLLER")
                : response.setErrorCode(ErrorCode.UNSUPPORTED_ENDPOINT_TYPE.code())
                        .setErrorMessage("Unsupported endpoint type " + endpointType);
    }
}
