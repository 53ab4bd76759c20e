package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.TopicView;
import io.felice.api.security.Operation;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.Serves;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Stream;
import org.apache.kafka.common.message.ListConfigResourcesRequestData;
import org.apache.kafka.common.message.ListConfigResourcesResponseData;
import org.apache.kafka.common.message.ListConfigResourcesResponseData.ConfigResource;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/**
 * Lists the resources that have configs: topics, brokers and broker loggers. Groups and client metrics have none here.
 */
@Component
@Serves(key = Apis.LIST_CONFIG_RESOURCES)
public final class ListConfigResourcesHandler
        implements RequestHandler<ListConfigResourcesRequestData, ListConfigResourcesResponseData> {
    private static final byte TOPIC = 2;
    private static final byte BROKER = 4;
    private static final byte CLIENT_METRICS = 16;
    private static final byte GROUP = 32;
    private static final Set<Byte> OF_VERSION_0 = Set.of(CLIENT_METRICS);
    private static final Set<Byte> SINCE_VERSION_1 =
            Set.of(TOPIC, BROKER, BrokerLoggers.RESOURCE_TYPE, CLIENT_METRICS, GROUP);

    private final ClusterMetadata metadata;
    private final Rights rights;

    @Activate
    public ListConfigResourcesHandler(@Reference ClusterMetadata metadata, @Reference Rights rights) {
        this.metadata = metadata;
        this.rights = rights;
    }

    @Override
    public CompletionStage<ListConfigResourcesResponseData> handle(
            ListConfigResourcesRequestData request, RequestContext context) {
        return rights.requireOnCluster(context, Operation.DESCRIBE_CONFIGS, now -> list(request, now));
    }

    private CompletionStage<ListConfigResourcesResponseData> list(
            ListConfigResourcesRequestData request, RequestContext context) {
        Set<Byte> known = context.apiVersion() == 0 ? OF_VERSION_0 : SINCE_VERSION_1;
        Set<Byte> asked = request.resourceTypes().isEmpty() ? known : Set.copyOf(request.resourceTypes());
        ListConfigResourcesResponseData response = new ListConfigResourcesResponseData();
        if (!known.containsAll(asked)) {
            return CompletableFuture.completedFuture(response.setErrorCode(ErrorCode.UNSUPPORTED_VERSION.code()));
        }
        ClusterView view = metadata.view();
        List<String> brokers =
                view.brokers().keySet().stream().map(String::valueOf).toList();
        add(response, asked, BrokerLoggers.RESOURCE_TYPE, brokers.stream());
        add(response, asked, BROKER, brokers.stream());
        add(response, asked, TOPIC, view.topics().stream().map(TopicView::name).sorted());
        return CompletableFuture.completedFuture(response);
    }

    private static void add(
            ListConfigResourcesResponseData response, Set<Byte> asked, byte type, Stream<String> names) {
        if (asked.contains(type)) {
            names.forEach(name -> response.configResources()
                    .add(new ConfigResource().setResourceName(name).setResourceType(type)));
        }
    }
}
