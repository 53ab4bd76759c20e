package io.felice.handlers;

import io.felice.api.TopicPartition;
import io.felice.api.cluster.Admin;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.Outcome;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.Serves;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.AlterPartitionReassignmentsRequestData;
import org.apache.kafka.common.message.AlterPartitionReassignmentsRequestData.ReassignablePartition;
import org.apache.kafka.common.message.AlterPartitionReassignmentsRequestData.ReassignableTopic;
import org.apache.kafka.common.message.AlterPartitionReassignmentsResponseData;
import org.apache.kafka.common.message.AlterPartitionReassignmentsResponseData.ReassignablePartitionResponse;
import org.apache.kafka.common.message.AlterPartitionReassignmentsResponseData.ReassignableTopicResponse;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Starts and cancels moves of replicas. */
@Component
@Serves(key = Apis.ALTER_PARTITION_REASSIGNMENTS)
public final class AlterPartitionReassignmentsHandler
        implements RequestHandler<AlterPartitionReassignmentsRequestData, AlterPartitionReassignmentsResponseData> {
    private final Admin admin;
    private final ClusterMetadata metadata;
    private final Deadlines deadlines;

    @Activate
    public AlterPartitionReassignmentsHandler(
            @Reference Admin admin, @Reference ClusterMetadata metadata, @Reference Deadlines deadlines) {
        this.admin = admin;
        this.metadata = metadata;
        this.deadlines = deadlines;
    }

    @Override
    public CompletionStage<AlterPartitionReassignmentsResponseData> handle(
            AlterPartitionReassignmentsRequestData request, RequestContext context) {
        Map<TopicPartition, Optional<List<Integer>>> targets = new HashMap<>();
        for (ReassignableTopic topic : request.topics()) {
            for (ReassignablePartition partition : topic.partitions()) {
                targets.put(
                        new TopicPartition(topic.name(), partition.partitionIndex()),
                        Optional.ofNullable(partition.replicas()).map(List::copyOf));
            }
        }
        return deadlines
                .within(request.timeoutMs(), metadata.visible(admin.reassign(targets)))
                .handle((decided, failure) -> {
                    if (failure == null) {
                        return answer(request, decided.outcomes());
                    }
                    return new AlterPartitionReassignmentsResponseData()
                            .setErrorCode(
                                    Failures.ofController(failure, context).code())
                            .setErrorMessage(Failures.messageOf(failure));
                });
    }

    private static AlterPartitionReassignmentsResponseData answer(
            AlterPartitionReassignmentsRequestData request, Map<TopicPartition, Outcome<Void>> outcomes) {
        AlterPartitionReassignmentsResponseData response =
                new AlterPartitionReassignmentsResponseData().setErrorMessage(null);
        for (ReassignableTopic topic : request.topics()) {
            ReassignableTopicResponse topicAnswer = new ReassignableTopicResponse().setName(topic.name());
            response.responses().add(topicAnswer);
            for (ReassignablePartition partition : topic.partitions()) {
                Outcome<Void> outcome = outcomes.get(new TopicPartition(topic.name(), partition.partitionIndex()));
                topicAnswer
                        .partitions()
                        .add(new ReassignablePartitionResponse()
                                .setPartitionIndex(partition.partitionIndex())
                                .setErrorCode(outcome.error().code())
                                .setErrorMessage(outcome.message()));
            }
        }
        return response;
    }
}
