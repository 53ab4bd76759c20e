package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.Admin;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.Outcome;
import io.felice.api.security.Operation;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.Serves;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
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

/** Starts and cancels the reassignment of partitions to other replicas. */
@Component
@Serves(key = Apis.ALTER_PARTITION_REASSIGNMENTS)
public final class AlterPartitionReassignmentsHandler
        implements RequestHandler<AlterPartitionReassignmentsRequestData, AlterPartitionReassignmentsResponseData> {
    private final Admin admin;
    private final ClusterMetadata metadata;
    private final Deadlines deadlines;
    private final Rights rights;

    @Activate
    public AlterPartitionReassignmentsHandler(
            @Reference Admin admin,
            @Reference ClusterMetadata metadata,
            @Reference Deadlines deadlines,
            @Reference Rights rights) {
        this.admin = admin;
        this.metadata = metadata;
        this.deadlines = deadlines;
        this.rights = rights;
    }

    @Override
    public CompletionStage<AlterPartitionReassignmentsResponseData> handle(
            AlterPartitionReassignmentsRequestData request, RequestContext context) {
        return rights.requireOnCluster(context, Operation.ALTER, now -> alter(request, now));
    }

    private CompletionStage<AlterPartitionReassignmentsResponseData> alter(
            AlterPartitionReassignmentsRequestData request, RequestContext context) {
        Map<TopicPartition, Optional<List<Integer>>> targets = new HashMap<>();
        Map<TopicPartition, Outcome<Void>> refused = new HashMap<>();
        ClusterView view = metadata.view();
        for (ReassignableTopic topic : request.topics()) {
            for (ReassignablePartition partition : topic.partitions()) {
                TopicPartition id = new TopicPartition(topic.name(), partition.partitionIndex());
                Optional<String> changed = request.allowReplicationFactorChange()
                        ? Optional.empty()
                        : changedFactor(view, id, partition.replicas());
                if (changed.isPresent()) {
                    refused.put(id, Outcome.failed(ErrorCode.INVALID_REPLICATION_FACTOR, changed.get()));
                } else {
                    targets.put(id, Optional.ofNullable(partition.replicas()).map(List::copyOf));
                }
            }
        }
        AlterPartitionReassignmentsResponseData response = new AlterPartitionReassignmentsResponseData()
                .setAllowReplicationFactorChange(request.allowReplicationFactorChange());
        if (targets.isEmpty()) {
            return CompletableFuture.completedFuture(fill(response, request, refused));
        }
        return deadlines
                .within(
                        request.timeoutMs(),
                        metadata.visible(admin.askedBy(context.requester()).reassign(targets)))
                .handle((decided, failure) -> {
                    if (failure == null) {
                        refused.putAll(decided.outcomes());
                        return fill(response, request, refused);
                    }
                    return response.setErrorCode(
                                    Failures.ofController(failure, context).code())
                            .setErrorMessage(Failures.messageOf(failure));
                });
    }

    /** The error message if the request changes the partition's replication factor; empty otherwise (KIP-860). */
    private static Optional<String> changedFactor(ClusterView view, TopicPartition id, List<Integer> replicas) {
        if (replicas == null) {
            return Optional.empty();
        }
        return view.topic(id.topic())
                .flatMap(topic -> topic.partition(id.partition()))
                .map(state -> state.replicas().stream()
                        .filter(replica -> !state.removing().contains(replica))
                        .count())
                .filter(now -> now != replicas.size())
                .map(now -> "The replication factor is changed from " + now + " to " + replicas.size());
    }

    private static AlterPartitionReassignmentsResponseData fill(
            AlterPartitionReassignmentsResponseData response,
            AlterPartitionReassignmentsRequestData request,
            Map<TopicPartition, Outcome<Void>> outcomes) {
        response.setErrorMessage(null);
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
