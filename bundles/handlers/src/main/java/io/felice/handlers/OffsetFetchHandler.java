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
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.apache.kafka.common.message.OffsetFetchRequestData;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestGroup;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestTopic;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestTopics;
import org.apache.kafka.common.message.OffsetFetchResponseData;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponseGroup;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponsePartition;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponsePartitions;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponseTopic;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponseTopics;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Returns the committed offsets of groups; of several groups at a time from version 8 on. */
@Component
@Serves(key = Apis.OFFSET_FETCH)
public final class OffsetFetchHandler implements RequestHandler<OffsetFetchRequestData, OffsetFetchResponseData> {
    private static final short FIRST_WITH_GROUP_ERROR = 2;
    private static final short FIRST_WITH_MANY_GROUPS = 8;
    private static final short FIRST_WITH_TOPIC_IDS = 10;
    private static final long NO_OFFSET = -1;

    private final Groups groups;
    private final ClusterMetadata metadata;
    private final Rights rights;

    @Activate
    public OffsetFetchHandler(@Reference Groups groups, @Reference ClusterMetadata metadata, @Reference Rights rights) {
        this.groups = groups;
        this.metadata = metadata;
        this.rights = rights;
    }

    @Override
    public CompletionStage<OffsetFetchResponseData> handle(OffsetFetchRequestData request, RequestContext context) {
        return rights.ask(request, context, this::needs, this::fetch);
    }

    private List<Action> needs(OffsetFetchRequestData request, RequestContext context) {
        List<Action> actions = new ArrayList<>();
        if (context.apiVersion() < FIRST_WITH_MANY_GROUPS) {
            actions.add(new Action(Operation.DESCRIBE, ResourceType.GROUP, request.groupId()));
            named(request.topics(), OffsetFetchRequestTopic::name, actions);
        }
        for (OffsetFetchRequestGroup group : request.groups()) {
            if (context.apiVersion() >= FIRST_WITH_TOPIC_IDS) {
                nameTopics(group, metadata.view());
            }
            actions.add(new Action(Operation.DESCRIBE, ResourceType.GROUP, group.groupId()));
            named(group.topics(), OffsetFetchRequestTopics::name, actions);
        }
        return actions;
    }

    /** @param topics null for all topics with offsets, which are asked about when they are known */
    private static <T> void named(List<T> topics, Function<T, String> name, List<Action> actions) {
        if (topics != null) {
            topics.forEach(topic -> actions.add(new Action(Operation.DESCRIBE, ResourceType.TOPIC, name.apply(topic))));
        }
    }

    private CompletionStage<OffsetFetchResponseData> fetch(
            OffsetFetchRequestData request, RequestContext context, Allowed allowed) {
        if (context.apiVersion() >= FIRST_WITH_MANY_GROUPS) {
            return many(request, context, allowed);
        }
        Optional<List<TopicPartition>> partitions = Optional.ofNullable(request.topics())
                .map(topics ->
                        partitions(topics, OffsetFetchRequestTopic::name, OffsetFetchRequestTopic::partitionIndexes));
        return fetch(request.groupId(), partitions, request.requireStable(), allowed, context)
                .thenApply(fetched -> single(fetched, partitions, context.apiVersion()));
    }

    /** The offsets for topics that the client may describe, and errors for other topics that it asks for. */
    private CompletionStage<Groups.FetchedOffsets> fetch(
            String groupId,
            Optional<List<TopicPartition>> asked,
            boolean requireStable,
            Allowed allowed,
            RequestContext context) {
        Rights.require(allowed, Operation.DESCRIBE, ResourceType.GROUP, groupId);
        if (asked.isEmpty()) {
            return groups.fetchOffsets(groupId, asked, requireStable).thenCompose(all -> visible(all, context));
        }
        Map<TopicPartition, Groups.CommittedOffset> refused = new HashMap<>();
        List<TopicPartition> visible = new ArrayList<>();
        Map<String, Boolean> permitted = new HashMap<>();
        for (TopicPartition partition : asked.get()) {
            boolean isVisible = permitted.computeIfAbsent(
                    partition.topic(), topic -> allowed.permits(Operation.DESCRIBE, ResourceType.TOPIC, topic));
            if (isVisible) {
                visible.add(partition);
            } else {
                refused.put(partition, Groups.CommittedOffset.none(ErrorCode.TOPIC_AUTHORIZATION_FAILED));
            }
        }
        return groups.fetchOffsets(groupId, Optional.of(visible), requireStable).thenApply(fetched -> {
            Map<TopicPartition, Groups.CommittedOffset> offsets = new HashMap<>(fetched.offsets());
            offsets.putAll(refused);
            return new Groups.FetchedOffsets(fetched.error(), offsets);
        });
    }

    private CompletionStage<Groups.FetchedOffsets> visible(Groups.FetchedOffsets all, RequestContext context) {
        List<String> topics = all.offsets().keySet().stream()
                .map(TopicPartition::topic)
                .distinct()
                .toList();
        return rights.askMore(context, Rights.each(Operation.DESCRIBE, ResourceType.TOPIC, topics))
                .thenApply(allowed -> {
                    Map<TopicPartition, Groups.CommittedOffset> visible = new HashMap<>(all.offsets());
                    visible.keySet()
                            .removeIf(partition ->
                                    !allowed.has(Operation.DESCRIBE, ResourceType.TOPIC, partition.topic()));
                    return new Groups.FetchedOffsets(all.error(), visible);
                });
    }

    private CompletionStage<OffsetFetchResponseData> many(
            OffsetFetchRequestData request, RequestContext context, Allowed allowed) {
        OffsetFetchResponseData response = new OffsetFetchResponseData();
        Gathering<OffsetFetchResponseData> answer = new Gathering<>(response);
        ClusterView view = metadata.view();
        boolean byId = context.apiVersion() >= FIRST_WITH_TOPIC_IDS;
        for (OffsetFetchRequestGroup asked : request.groups()) {
            OffsetFetchResponseGroup group = new OffsetFetchResponseGroup().setGroupId(asked.groupId());
            response.groups().add(group);
            if (byId) {
                nameTopics(asked, view);
            }
            Optional<List<TopicPartition>> partitions = Optional.ofNullable(asked.topics())
                    .map(topics -> partitions(
                            byId ? withNames(topics) : topics,
                            OffsetFetchRequestTopics::name,
                            OffsetFetchRequestTopics::partitionIndexes));
            answer.item(
                    () -> fetch(asked.groupId(), partitions, request.requireStable(), allowed, context),
                    (fetched, failure) -> {
                        if (failure != null) {
                            group.setErrorCode(Failures.codeOf(failure, context).code());
                        } else if (fetched.error() != ErrorCode.NONE) {
                            group.setErrorCode(fetched.error().code());
                        } else {
                            fill(group, fetched, partitions);
                            if (byId) {
                                identifyTopics(group, asked, view);
                            }
                        }
                    });
        }
        return answer.begun();
    }

    /** Looks up the names of topics that are given by id. A topic with an unknown id keeps its empty name. */
    private static void nameTopics(OffsetFetchRequestGroup asked, ClusterView view) {
        if (asked.topics() != null) {
            for (OffsetFetchRequestTopics topic : asked.topics()) {
                view.topic(TopicIds.of(topic.topicId())).ifPresent(known -> topic.setName(known.name()));
            }
        }
    }

    private static List<OffsetFetchRequestTopics> withNames(List<OffsetFetchRequestTopics> topics) {
        return topics.stream().filter(topic -> !topic.name().isEmpty()).toList();
    }

    /**
     * Adds the topics' ids. Topics that were deleted have no id and are left out. Requested ids that are unknown get an
     * error.
     */
    private static void identifyTopics(
            OffsetFetchResponseGroup group, OffsetFetchRequestGroup asked, ClusterView view) {
        List<OffsetFetchResponseTopics> identified = new ArrayList<>();
        for (OffsetFetchResponseTopics topic : group.topics()) {
            view.topic(topic.name()).ifPresent(known -> identified.add(topic.setTopicId(TopicIds.of(known.topicId()))));
        }
        if (asked.topics() != null) {
            asked.topics().stream()
                    .filter(topic -> topic.name().isEmpty())
                    .forEach(topic -> identified.add(unknown(topic)));
        }
        group.setTopics(identified);
    }

    private static OffsetFetchResponseTopics unknown(OffsetFetchRequestTopics asked) {
        OffsetFetchResponseTopics topic = new OffsetFetchResponseTopics().setTopicId(asked.topicId());
        for (int index : asked.partitionIndexes()) {
            topic.partitions()
                    .add(new OffsetFetchResponsePartitions()
                            .setPartitionIndex(index)
                            .setCommittedOffset(NO_OFFSET)
                            .setErrorCode(ErrorCode.UNKNOWN_TOPIC_ID.code()));
        }
        return topic;
    }

    private static <T> List<TopicPartition> partitions(
            List<T> topics, Function<T, String> name, Function<T, List<Integer>> indexes) {
        List<TopicPartition> partitions = new ArrayList<>();
        for (T topic : topics) {
            for (int index : indexes.apply(topic)) {
                partitions.add(new TopicPartition(name.apply(topic), index));
            }
        }
        return partitions;
    }

    private static OffsetFetchResponseData single(
            Groups.FetchedOffsets fetched, Optional<List<TopicPartition>> asked, short version) {
        OffsetFetchResponseData response = new OffsetFetchResponseData();
        boolean failed = fetched.error() != ErrorCode.NONE;
        if (failed && version >= FIRST_WITH_GROUP_ERROR) {
            return response.setErrorCode(fetched.error().code());
        }
        byTopic(fetched, asked).forEach((topic, indexes) -> {
            OffsetFetchResponseTopic topicAnswer = new OffsetFetchResponseTopic().setName(topic);
            response.topics().add(topicAnswer);
            for (int index : indexes) {
                Groups.CommittedOffset offset = offset(fetched, new TopicPartition(topic, index));
                topicAnswer
                        .partitions()
                        .add(new OffsetFetchResponsePartition()
                                .setPartitionIndex(index)
                                .setCommittedOffset(offset.offset())
                                .setCommittedLeaderEpoch(offset.leaderEpoch())
                                .setMetadata(offset.metadata())
                                .setErrorCode(offset.error().code()));
            }
        });
        return response;
    }

    private static void fill(
            OffsetFetchResponseGroup group, Groups.FetchedOffsets fetched, Optional<List<TopicPartition>> asked) {
        byTopic(fetched, asked).forEach((topic, indexes) -> {
            OffsetFetchResponseTopics topicAnswer = new OffsetFetchResponseTopics().setName(topic);
            group.topics().add(topicAnswer);
            for (int index : indexes) {
                Groups.CommittedOffset offset = offset(fetched, new TopicPartition(topic, index));
                topicAnswer
                        .partitions()
                        .add(new OffsetFetchResponsePartitions()
                                .setPartitionIndex(index)
                                .setCommittedOffset(offset.offset())
                                .setCommittedLeaderEpoch(offset.leaderEpoch())
                                .setMetadata(offset.metadata())
                                .setErrorCode(offset.error().code()));
            }
        });
    }

    /**
     * The requested partitions in the order of the request. If the request names none, all partitions with committed
     * offsets, ordered by topic and partition.
     */
    private static Map<String, List<Integer>> byTopic(
            Groups.FetchedOffsets fetched, Optional<List<TopicPartition>> asked) {
        List<TopicPartition> partitions = asked.orElseGet(() -> fetched.offsets().keySet().stream()
                .sorted(Comparator.comparing(TopicPartition::topic).thenComparing(TopicPartition::partition))
                .toList());
        Map<String, List<Integer>> byTopic = new LinkedHashMap<>();
        partitions.forEach(id ->
                byTopic.computeIfAbsent(id.topic(), topic -> new ArrayList<>()).add(id.partition()));
        return byTopic;
    }

    /**
     * The committed offset of a partition, or the error of the whole group. Version 1 has an error field only per
     * partition.
     */
    private static Groups.CommittedOffset offset(Groups.FetchedOffsets fetched, TopicPartition id) {
        return fetched.error() == ErrorCode.NONE
                ? fetched.offsets().getOrDefault(id, Groups.CommittedOffset.none(ErrorCode.NONE))
                : Groups.CommittedOffset.none(fetched.error());
    }
}
