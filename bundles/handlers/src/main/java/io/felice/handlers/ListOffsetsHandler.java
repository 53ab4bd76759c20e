package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.partition.Partition;
import io.felice.api.partition.Partition.ReadLimit;
import io.felice.api.partition.Partition.TimestampedOffset;
import io.felice.api.partition.Partitions;
import io.felice.api.security.Action;
import io.felice.api.security.Authorization.Allowed;
import io.felice.api.security.Operation;
import io.felice.api.security.ResourceType;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.Serves;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.ListOffsetsRequestData;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsPartition;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsTopic;
import org.apache.kafka.common.message.ListOffsetsResponseData;
import org.apache.kafka.common.message.ListOffsetsResponseData.ListOffsetsPartitionResponse;
import org.apache.kafka.common.message.ListOffsetsResponseData.ListOffsetsTopicResponse;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Finds offsets by timestamp. Negative timestamps stand for special offsets, such as the earliest or the latest. */
@Component
@Serves(key = Apis.LIST_OFFSETS)
public final class ListOffsetsHandler implements RequestHandler<ListOffsetsRequestData, ListOffsetsResponseData> {
    private static final long LATEST = -1;
    private static final long EARLIEST = -2;
    private static final long MAX_TIMESTAMP = -3;
    private static final long EARLIEST_LOCAL = -4;
    private static final long LATEST_TIERED = -5;
    private static final long EARLIEST_PENDING_UPLOAD = -6;
    private static final short FIRST_WITH_LEADER_EPOCHS = 4;
    private static final short FIRST_WITH_MAX_TIMESTAMP = 7;
    private static final short FIRST_WITH_EARLIEST_LOCAL = 8;
    private static final short FIRST_WITH_LATEST_TIERED = 9;
    private static final short FIRST_WITH_EARLIEST_PENDING_UPLOAD = 11;
    private static final long NO_TIMESTAMP = -1;
    private static final int READ_COMMITTED = 1;
    private static final int DEBUGGING_REPLICA = -2;

    private final Partitions partitions;
    private final Rights rights;

    @Activate
    public ListOffsetsHandler(@Reference Partitions partitions, @Reference Rights rights) {
        this.partitions = partitions;
        this.rights = rights;
    }

    @Override
    public CompletionStage<ListOffsetsResponseData> handle(ListOffsetsRequestData request, RequestContext context) {
        return rights.ask(request, context, ListOffsetsHandler::needs, this::list);
    }

    private static List<Action> needs(ListOffsetsRequestData request, RequestContext context) {
        if (isOfFollower(request)) {
            return List.of(Action.onCluster(Operation.CLUSTER_ACTION));
        }
        List<String> names =
                request.topics().stream().map(ListOffsetsTopic::name).toList();
        return Rights.each(Operation.DESCRIBE, ResourceType.TOPIC, names);
    }

    private CompletionStage<ListOffsetsResponseData> list(
            ListOffsetsRequestData request, RequestContext context, Allowed allowed) {
        Set<TopicPartition> twice = askedTwice(request);
        ListOffsetsResponseData response = new ListOffsetsResponseData();
        Gathering<ListOffsetsResponseData> answer = new Gathering<>(response);
        for (ListOffsetsTopic topic : request.topics()) {
            ListOffsetsTopicResponse topicAnswer = new ListOffsetsTopicResponse().setName(topic.name());
            response.topics().add(topicAnswer);
            boolean isVisible = isOfFollower(request)
                    ? allowed.permits(Action.onCluster(Operation.CLUSTER_ACTION))
                    : allowed.permits(Operation.DESCRIBE, ResourceType.TOPIC, topic.name());
            for (ListOffsetsPartition asked : topic.partitions()) {
                ListOffsetsPartitionResponse partitionAnswer =
                        new ListOffsetsPartitionResponse().setPartitionIndex(asked.partitionIndex());
                topicAnswer.partitions().add(partitionAnswer);
                TopicPartition id = new TopicPartition(topic.name(), asked.partitionIndex());
                if (!isVisible) {
                    partitionAnswer.setErrorCode(ErrorCode.TOPIC_AUTHORIZATION_FAILED.code());
                } else if (twice.contains(id)) {
                    partitionAnswer.setErrorCode(ErrorCode.INVALID_REQUEST.code());
                } else {
                    answer.item(
                            () -> find(id, asked, limit(request), context.apiVersion()),
                            (found, failure) -> fill(partitionAnswer, found, failure, context));
                }
            }
        }
        return answer.begun();
    }

    private static Set<TopicPartition> askedTwice(ListOffsetsRequestData request) {
        Set<TopicPartition> once = new HashSet<>();
        Set<TopicPartition> twice = new HashSet<>();
        for (ListOffsetsTopic topic : request.topics()) {
            for (ListOffsetsPartition partition : topic.partitions()) {
                TopicPartition id = new TopicPartition(topic.name(), partition.partitionIndex());
                if (!once.add(id)) {
                    twice.add(id);
                }
            }
        }
        return twice;
    }

    /** A broker that follows asks where the leader's log ends, and needs one right for all topics. */
    private static boolean isOfFollower(ListOffsetsRequestData request) {
        return request.replicaId() >= 0;
    }

    private static ReadLimit limit(ListOffsetsRequestData request) {
        if (request.replicaId() == DEBUGGING_REPLICA || isOfFollower(request)) {
            return ReadLimit.LOG_END;
        }
        return request.isolationLevel() == READ_COMMITTED ? ReadLimit.LAST_STABLE_OFFSET : ReadLimit.HIGH_WATERMARK;
    }

    private CompletionStage<Optional<TimestampedOffset>> find(
            TopicPartition id, ListOffsetsPartition asked, ReadLimit limit, short version) {
        checkServed(asked.timestamp(), version);
        Partition partition = partitions.leader(id);
        partition.checkEpoch(asked.currentLeaderEpoch());
        if (asked.timestamp() >= 0) {
            return partition.offsetFor(asked.timestamp(), limit);
        }
        if (asked.timestamp() == MAX_TIMESTAMP) {
            return partition.offsetOfMaxTimestamp();
        }
        return CompletableFuture.completedFuture(named(partition, asked.timestamp(), limit));
    }

    private static Optional<TimestampedOffset> named(Partition partition, long name, ReadLimit limit) {
        boolean ofTieredStorage = name == LATEST_TIERED || name == EARLIEST_PENDING_UPLOAD;
        if (ofTieredStorage) {
            return Optional.empty();
        }
        if (name == LATEST) {
            return Optional.of(
                    new TimestampedOffset(partition.latestOffset(limit), NO_TIMESTAMP, partition.leaderEpoch()));
        }
        long start = partition.logStartOffset();
        return Optional.of(new TimestampedOffset(start, NO_TIMESTAMP, partition.epochOf(start)));
    }

    private static void checkServed(long timestamp, short version) {
        boolean served = timestamp >= EARLIEST
                || timestamp == MAX_TIMESTAMP && version >= FIRST_WITH_MAX_TIMESTAMP
                || timestamp == EARLIEST_LOCAL && version >= FIRST_WITH_EARLIEST_LOCAL
                || timestamp == LATEST_TIERED && version >= FIRST_WITH_LATEST_TIERED
                || timestamp == EARLIEST_PENDING_UPLOAD && version >= FIRST_WITH_EARLIEST_PENDING_UPLOAD;
        if (!served) {
            throw ErrorCode.UNSUPPORTED_VERSION.because(
                    "Timestamp " + timestamp + " has no meaning in version " + version);
        }
    }

    private static void fill(
            ListOffsetsPartitionResponse answer,
            Optional<TimestampedOffset> found,
            Throwable failure,
            RequestContext context) {
        if (failure != null) {
            answer.setErrorCode(Failures.ofPartition(failure, context).code());
        } else if (found.isPresent()) {
            answer.setTimestamp(found.get().timestamp()).setOffset(found.get().offset());
            if (context.apiVersion() >= FIRST_WITH_LEADER_EPOCHS) {
                answer.setLeaderEpoch(found.get().leaderEpoch());
            }
        }
    }
}
