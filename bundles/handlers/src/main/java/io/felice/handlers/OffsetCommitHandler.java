package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.ClusterView;
import io.felice.api.group.Groups;
import io.felice.api.security.Action;
import io.felice.api.security.Authorization.Allowed;
import io.felice.api.security.Operation;
import io.felice.api.security.ResourceType;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.Serves;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.OffsetCommitRequestData;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestPartition;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestTopic;
import org.apache.kafka.common.message.OffsetCommitResponseData;
import org.apache.kafka.common.message.OffsetCommitResponseData.OffsetCommitResponsePartition;
import org.apache.kafka.common.message.OffsetCommitResponseData.OffsetCommitResponseTopic;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Stores the offsets that consumers commit, for partitions that exist. */
@Component
@Serves(key = Apis.OFFSET_COMMIT)
public final class OffsetCommitHandler implements RequestHandler<OffsetCommitRequestData, OffsetCommitResponseData> {
    private static final short FIRST_WITH_GROUP_ID_NOT_FOUND = 9;
    private static final short FIRST_WITH_TOPIC_IDS = 10;
    private static final long NO_RETENTION = -1;
    private static final long NO_EXPIRY = -1;

    private final Groups groups;
    private final ClusterMetadata metadata;
    private final Rights rights;
    private final Clock clock;

    @Activate
    public OffsetCommitHandler(
            @Reference Groups groups, @Reference ClusterMetadata metadata, @Reference Rights rights) {
        this(groups, metadata, rights, Clock.systemUTC());
    }

    OffsetCommitHandler(Groups groups, ClusterMetadata metadata, Rights rights, Clock clock) {
        this.groups = groups;
        this.metadata = metadata;
        this.rights = rights;
        this.clock = clock;
    }

    @Override
    public CompletionStage<OffsetCommitResponseData> handle(OffsetCommitRequestData request, RequestContext context) {
        return rights.ask(request, context, this::needs, this::commit);
    }

    private List<Action> needs(OffsetCommitRequestData request, RequestContext context) {
        if (context.apiVersion() >= FIRST_WITH_TOPIC_IDS) {
            nameTopics(request, metadata.view());
        }
        List<Action> actions = new ArrayList<>(request.topics().size() + 1);
        actions.add(new Action(Operation.READ, ResourceType.GROUP, request.groupId()));
        for (OffsetCommitRequestTopic topic : request.topics()) {
            actions.add(new Action(Operation.READ, ResourceType.TOPIC, topic.name()));
        }
        return actions;
    }

    private CompletionStage<OffsetCommitResponseData> commit(
            OffsetCommitRequestData request, RequestContext context, Allowed allowed) {
        Rights.require(allowed, Operation.READ, ResourceType.GROUP, request.groupId());
        ClusterView view = metadata.view();
        long expireAt =
                request.retentionTimeMs() == NO_RETENTION ? NO_EXPIRY : clock.millis() + request.retentionTimeMs();
        Map<TopicPartition, Groups.OffsetToCommit> offsets = new HashMap<>();
        Map<TopicPartition, ErrorCode> refused = new HashMap<>();
        if (context.apiVersion() >= FIRST_WITH_TOPIC_IDS) {
            nameTopics(request, view);
        }
        for (OffsetCommitRequestTopic topic : request.topics()) {
            boolean isRefused =
                    !topic.name().isEmpty() && !allowed.permits(Operation.READ, ResourceType.TOPIC, topic.name());
            for (OffsetCommitRequestPartition partition : topic.partitions()) {
                TopicPartition id = new TopicPartition(topic.name(), partition.partitionIndex());
                if (isRefused) {
                    refused.put(id, ErrorCode.TOPIC_AUTHORIZATION_FAILED);
                } else if (exists(view, id)) {
                    offsets.put(id, offset(partition, expireAt));
                }
            }
        }
        if (offsets.isEmpty()) {
            return CompletableFuture.completedFuture(answer(request, refused, context.apiVersion()));
        }
        return groups.commit(
                        request.groupId(),
                        request.generationIdOrMemberEpoch(),
                        request.memberId(),
                        request.groupInstanceId(),
                        offsets)
                .thenApply(outcomes -> {
                    refused.putAll(outcomes);
                    return answer(request, refused, context.apiVersion());
                });
    }

    /** Looks up the names of topics that are given by id. A topic with an unknown id keeps its empty name. */
    private static void nameTopics(OffsetCommitRequestData request, ClusterView view) {
        for (OffsetCommitRequestTopic topic : request.topics()) {
            view.topic(TopicIds.of(topic.topicId())).ifPresent(known -> topic.setName(known.name()));
        }
    }

    private static boolean exists(ClusterView view, TopicPartition id) {
        return view.topic(id.topic())
                .flatMap(topic -> topic.partition(id.partition()))
                .isPresent();
    }

    private static Groups.OffsetToCommit offset(OffsetCommitRequestPartition partition, long expireAt) {
        String note = partition.committedMetadata() == null ? "" : partition.committedMetadata();
        return new Groups.OffsetToCommit(partition.committedOffset(), partition.committedLeaderEpoch(), note, expireAt);
    }

    private static OffsetCommitResponseData answer(
            OffsetCommitRequestData request, Map<TopicPartition, ErrorCode> outcomes, short version) {
        OffsetCommitResponseData response = new OffsetCommitResponseData();
        for (OffsetCommitRequestTopic topic : request.topics()) {
            OffsetCommitResponseTopic topicAnswer =
                    new OffsetCommitResponseTopic().setName(topic.name()).setTopicId(topic.topicId());
            ErrorCode unknown =
                    topic.name().isEmpty() ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
            response.topics().add(topicAnswer);
            for (OffsetCommitRequestPartition partition : topic.partitions()) {
                TopicPartition id = new TopicPartition(topic.name(), partition.partitionIndex());
                ErrorCode error = outcomes.getOrDefault(id, unknown);
                topicAnswer
                        .partitions()
                        .add(new OffsetCommitResponsePartition()
                                .setPartitionIndex(partition.partitionIndex())
                                .setErrorCode(toClient(error, version).code()));
            }
        }
        return response;
    }

    /** Clients before version 9 do not know GROUP_ID_NOT_FOUND and get ILLEGAL_GENERATION, as from Kafka. */
    private static ErrorCode toClient(ErrorCode error, short version) {
        return error == ErrorCode.GROUP_ID_NOT_FOUND && version < FIRST_WITH_GROUP_ID_NOT_FOUND
                ? ErrorCode.ILLEGAL_GENERATION
                : error;
    }
}
