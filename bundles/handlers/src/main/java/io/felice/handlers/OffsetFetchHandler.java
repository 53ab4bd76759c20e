package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.group.Groups;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.Serves;
import java.util.ArrayList;
import java.util.Comparator;
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

/** Says which offsets groups have committed; several groups at a time from v8 on. */
@Component
@Serves(key = Apis.OFFSET_FETCH)
public final class OffsetFetchHandler implements RequestHandler<OffsetFetchRequestData, OffsetFetchResponseData> {
    private static final short FIRST_WITH_GROUP_ERROR = 2;
    private static final short FIRST_WITH_MANY_GROUPS = 8;

    private final Groups groups;

    @Activate
    public OffsetFetchHandler(@Reference Groups groups) {
        this.groups = groups;
    }

    @Override
    public CompletionStage<OffsetFetchResponseData> handle(OffsetFetchRequestData request, RequestContext context) {
        if (context.apiVersion() >= FIRST_WITH_MANY_GROUPS) {
            return many(request, context);
        }
        Optional<List<TopicPartition>> partitions = Optional.ofNullable(request.topics())
                .map(topics ->
                        partitions(topics, OffsetFetchRequestTopic::name, OffsetFetchRequestTopic::partitionIndexes));
        return groups.fetchOffsets(request.groupId(), partitions, request.requireStable())
                .thenApply(fetched -> single(fetched, partitions, context.apiVersion()));
    }

    private CompletionStage<OffsetFetchResponseData> many(OffsetFetchRequestData request, RequestContext context) {
        OffsetFetchResponseData response = new OffsetFetchResponseData();
        Gathering<OffsetFetchResponseData> answer = new Gathering<>(response);
        for (OffsetFetchRequestGroup asked : request.groups()) {
            OffsetFetchResponseGroup group = new OffsetFetchResponseGroup().setGroupId(asked.groupId());
            response.groups().add(group);
            Optional<List<TopicPartition>> partitions = Optional.ofNullable(asked.topics())
                    .map(topics -> partitions(
                            topics, OffsetFetchRequestTopics::name, OffsetFetchRequestTopics::partitionIndexes));
            answer.item(
                    () -> groups.fetchOffsets(asked.groupId(), partitions, request.requireStable()),
                    (fetched, failure) -> {
                        if (failure == null) {
                            fill(group, fetched, partitions);
                        } else {
                            group.setErrorCode(Failures.codeOf(failure, context).code());
                        }
                    });
        }
        return answer.begun();
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
        if (fetched.error() != ErrorCode.NONE) {
            group.setErrorCode(fetched.error().code());
            return;
        }
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

    /** What was asked for, in that order, or all there is, in order of names. */
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

    /** In v1 there is no other place for the group's error than every partition. */
    private static Groups.CommittedOffset offset(Groups.FetchedOffsets fetched, TopicPartition id) {
        return fetched.error() == ErrorCode.NONE
                ? fetched.offsets().getOrDefault(id, Groups.CommittedOffset.none(ErrorCode.NONE))
                : Groups.CommittedOffset.none(fetched.error());
    }
}
