package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.Admin;
import io.felice.api.cluster.Admin.Decided;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.Outcome;
import io.felice.api.security.Operation;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.Serves;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.ElectLeadersRequestData;
import org.apache.kafka.common.message.ElectLeadersResponseData;
import org.apache.kafka.common.message.ElectLeadersResponseData.PartitionResult;
import org.apache.kafka.common.message.ElectLeadersResponseData.ReplicaElectionResult;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Asks the controller to elect the preferred replica, or any live replica, as leader. */
@Component
@Serves(key = Apis.ELECT_LEADERS)
public final class ElectLeadersHandler implements RequestHandler<ElectLeadersRequestData, ElectLeadersResponseData> {
    private static final byte PREFERRED = 0;
    private static final byte UNCLEAN = 1;
    private static final short FIRST_WITH_ELECTION_TYPE = 1;

    private final Admin admin;
    private final ClusterMetadata metadata;
    private final Deadlines deadlines;
    private final Rights rights;

    @Activate
    public ElectLeadersHandler(
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
    public CompletionStage<ElectLeadersResponseData> handle(ElectLeadersRequestData request, RequestContext context) {
        return rights.requireOnCluster(context, Operation.ALTER, now -> elect(request, now));
    }

    private CompletionStage<ElectLeadersResponseData> elect(ElectLeadersRequestData request, RequestContext context) {
        byte type = context.apiVersion() < FIRST_WITH_ELECTION_TYPE ? PREFERRED : request.electionType();
        if (type != PREFERRED && type != UNCLEAN) {
            return CompletableFuture.failedFuture(
                    ErrorCode.INVALID_REQUEST.because("There is no election of type " + type));
        }
        Optional<Set<TopicPartition>> asked = asked(request);
        CompletionStage<Map<TopicPartition, Outcome<Void>>> outcomes = deadlines
                .within(
                        request.timeoutMs(),
                        metadata.visible(admin.askedBy(context.requester()).electLeaders(asked, type == UNCLEAN)))
                .thenApply(Decided::outcomes);
        if (asked.isEmpty()) {
            return outcomes.thenApply(all -> answer(withoutNeedless(all)));
        }
        return outcomes.handle(
                (some, failure) -> answer(failure == null ? some : failed(asked.get(), failure, context)));
    }

    private static Optional<Set<TopicPartition>> asked(ElectLeadersRequestData request) {
        if (request.topicPartitions() == null) {
            return Optional.empty();
        }
        Set<TopicPartition> asked = new HashSet<>();
        request.topicPartitions().forEach(topic -> topic.partitions()
                .forEach(partition -> asked.add(new TopicPartition(topic.topic(), partition))));
        return Optional.of(asked);
    }

    /** If the client asks for all partitions, the response leaves out those that needed no election. */
    private static Map<TopicPartition, Outcome<Void>> withoutNeedless(Map<TopicPartition, Outcome<Void>> outcomes) {
        Map<TopicPartition, Outcome<Void>> told = new HashMap<>(outcomes);
        told.values().removeIf(outcome -> outcome.error() == ErrorCode.ELECTION_NOT_NEEDED);
        return told;
    }

    private static Map<TopicPartition, Outcome<Void>> failed(
            Set<TopicPartition> asked, Throwable failure, RequestContext context) {
        Outcome<Void> outcome = Outcome.failed(Failures.ofController(failure, context), Failures.messageOf(failure));
        Map<TopicPartition, Outcome<Void>> outcomes = new HashMap<>();
        asked.forEach(partition -> outcomes.put(partition, outcome));
        return outcomes;
    }

    private static ElectLeadersResponseData answer(Map<TopicPartition, Outcome<Void>> outcomes) {
        Map<String, ReplicaElectionResult> topics = new TreeMap<>();
        outcomes.forEach((partition, outcome) -> topics.computeIfAbsent(
                        partition.topic(), topic -> new ReplicaElectionResult().setTopic(topic))
                .partitionResult()
                .add(new PartitionResult()
                        .setPartitionId(partition.partition())
                        .setErrorCode(outcome.error().code())
                        .setErrorMessage(outcome.message())));
        ElectLeadersResponseData response = new ElectLeadersResponseData();
        response.replicaElectionResults().addAll(topics.values());
        return response;
    }
}
