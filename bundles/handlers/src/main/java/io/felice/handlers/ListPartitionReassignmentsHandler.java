package io.felice.handlers;

import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.TopicView;
import io.felice.api.security.Operation;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.Serves;
import java.util.Collection;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.ListPartitionReassignmentsRequestData;
import org.apache.kafka.common.message.ListPartitionReassignmentsResponseData;
import org.apache.kafka.common.message.ListPartitionReassignmentsResponseData.OngoingPartitionReassignment;
import org.apache.kafka.common.message.ListPartitionReassignmentsResponseData.OngoingTopicReassignment;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Lists the partitions whose reassignment is in progress. */
@Component
@Serves(key = Apis.LIST_PARTITION_REASSIGNMENTS)
public final class ListPartitionReassignmentsHandler
        implements RequestHandler<ListPartitionReassignmentsRequestData, ListPartitionReassignmentsResponseData> {
    private final ClusterMetadata metadata;
    private final Rights rights;

    @Activate
    public ListPartitionReassignmentsHandler(@Reference ClusterMetadata metadata, @Reference Rights rights) {
        this.metadata = metadata;
        this.rights = rights;
    }

    @Override
    public CompletionStage<ListPartitionReassignmentsResponseData> handle(
            ListPartitionReassignmentsRequestData request, RequestContext context) {
        return rights.requireOnCluster(context, Operation.DESCRIBE, now -> list(request));
    }

    private CompletionStage<ListPartitionReassignmentsResponseData> list(
            ListPartitionReassignmentsRequestData request) {
        ListPartitionReassignmentsResponseData response =
                new ListPartitionReassignmentsResponseData().setErrorMessage(null);
        ClusterView view = metadata.view();
        if (request.topics() == null) {
            view.topics()
                    .forEach(topic -> add(response, topic, topic.partitions().keySet()));
        } else {
            request.topics().forEach(asked -> view.topic(asked.name())
                    .ifPresent(topic -> add(response, topic, asked.partitionIndexes())));
        }
        return CompletableFuture.completedFuture(response);
    }

    private static void add(
            ListPartitionReassignmentsResponseData response, TopicView topic, Collection<Integer> partitions) {
        OngoingTopicReassignment ongoing = new OngoingTopicReassignment().setName(topic.name());
        for (int index : partitions) {
            topic.partition(index)
                    .filter(state ->
                            !state.adding().isEmpty() || !state.removing().isEmpty())
                    .ifPresent(state -> ongoing.partitions()
                            .add(new OngoingPartitionReassignment()
                                    .setPartitionIndex(index)
                                    .setReplicas(state.replicas())
                                    .setAddingReplicas(state.adding())
                                    .setRemovingReplicas(state.removing())));
        }
        if (!ongoing.partitions().isEmpty()) {
            response.topics().add(ongoing);
        }
    }
}
