package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.TopicNames;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.InternalTopics;
import io.felice.api.cluster.PartitionState;
import io.felice.api.cluster.TopicView;
import io.felice.api.security.Action;
import io.felice.api.security.Authorization.Allowed;
import io.felice.api.security.Operation;
import io.felice.api.security.ResourceType;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.Serves;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.DescribeTopicPartitionsRequestData;
import org.apache.kafka.common.message.DescribeTopicPartitionsResponseData;
import org.apache.kafka.common.message.DescribeTopicPartitionsResponseData.Cursor;
import org.apache.kafka.common.message.DescribeTopicPartitionsResponseData.DescribeTopicPartitionsResponsePartition;
import org.apache.kafka.common.message.DescribeTopicPartitionsResponseData.DescribeTopicPartitionsResponseTopic;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Describes topics ordered by name, one page of partitions per response (KIP-966). */
@Component
@Serves(key = Apis.DESCRIBE_TOPIC_PARTITIONS)
public final class DescribeTopicPartitionsHandler
        implements RequestHandler<DescribeTopicPartitionsRequestData, DescribeTopicPartitionsResponseData> {
    /**
     * The most partitions of one page, even if the client asks for more. It is the default of Kafka's
     * max.request.partition.size.limit.
     */
    static final int MAX_PARTITIONS = 2_000;

    private final ClusterMetadata metadata;
    private final Rights rights;

    @Activate
    public DescribeTopicPartitionsHandler(@Reference ClusterMetadata metadata, @Reference Rights rights) {
        this.metadata = metadata;
        this.rights = rights;
    }

    @Override
    public CompletionStage<DescribeTopicPartitionsResponseData> handle(
            DescribeTopicPartitionsRequestData request, RequestContext context) {
        return rights.ask(request, context, this::needs, this::describe);
    }

    private List<Action> needs(DescribeTopicPartitionsRequestData request, RequestContext context) {
        return Rights.each(Operation.DESCRIBE, ResourceType.TOPIC, names(request, metadata.view()));
    }

    private static boolean isAll(DescribeTopicPartitionsRequestData request) {
        return request.topics().isEmpty();
    }

    private static SortedSet<String> names(DescribeTopicPartitionsRequestData request, ClusterView view) {
        SortedSet<String> names = new TreeSet<>();
        if (isAll(request)) {
            view.topics().forEach(topic -> names.add(topic.name()));
        } else {
            request.topics().forEach(topic -> names.add(topic.name()));
        }
        return names;
    }

    private CompletionStage<DescribeTopicPartitionsResponseData> describe(
            DescribeTopicPartitionsRequestData request, RequestContext context, Allowed allowed) {
        ClusterView view = metadata.view();
        SortedSet<String> names = names(request, view);
        Optional<String> wrong = wrong(request, names, isAll(request));
        if (wrong.isPresent()) {
            return CompletableFuture.failedFuture(ErrorCode.INVALID_REQUEST.because(wrong.get()));
        }
        int limit = Math.max(1, Math.min(MAX_PARTITIONS, request.responsePartitionLimit()));
        Nodes nodes = new Nodes(view, context.connection().listener());
        SortedSet<String> hidden = new TreeSet<>(names);
        hidden.removeIf(name -> isAll(request)
                ? allowed.has(Operation.DESCRIBE, ResourceType.TOPIC, name)
                : allowed.permits(Operation.DESCRIBE, ResourceType.TOPIC, name));
        names.removeAll(hidden);
        DescribeTopicPartitionsResponseData page = new Page(view, nodes, limit).filled(names, request.cursor());
        return withOperations(page, context)
                .thenApply(filled -> isAll(request) ? filled : withRefused(filled, hidden, request.cursor()));
    }

    private CompletionStage<DescribeTopicPartitionsResponseData> withOperations(
            DescribeTopicPartitionsResponseData page, RequestContext context) {
        List<Action> actions = new ArrayList<>();
        page.topics().forEach(topic -> Rights.addAll(actions, ResourceType.TOPIC, topic.name()));
        return rights.askMore(context, actions).thenApply(allowed -> {
            page.topics()
                    .forEach(topic ->
                            topic.setTopicAuthorizedOperations(Rights.bits(allowed, ResourceType.TOPIC, topic.name())));
            return page;
        });
    }

    /** Adds the topics that the client asked for and may not describe, whether they exist or not. */
    private static DescribeTopicPartitionsResponseData withRefused(
            DescribeTopicPartitionsResponseData page,
            SortedSet<String> refused,
            DescribeTopicPartitionsRequestData.Cursor cursor) {
        for (String name : cursor == null ? refused : refused.tailSet(cursor.topicName())) {
            page.topics()
                    .add(new DescribeTopicPartitionsResponseTopic()
                            .setErrorCode(ErrorCode.TOPIC_AUTHORIZATION_FAILED.code())
                            .setName(name));
        }
        return page;
    }

    private static Optional<String> wrong(
            DescribeTopicPartitionsRequestData request, SortedSet<String> names, boolean all) {
        if (request.cursor() == null) {
            return Optional.empty();
        }
        String topic = request.cursor().topicName();
        if (!all && !names.contains(topic)) {
            return Optional.of("DescribeTopicPartitionsRequest topic list should contain the cursor topic: " + topic);
        }
        int partition = request.cursor().partitionIndex();
        return partition < 0
                ? Optional.of("DescribeTopicPartitionsRequest cursor partition must be valid: " + partition)
                : Optional.empty();
    }

    /** Adds topics until the page has its most partitions. */
    private static final class Page {
        private final DescribeTopicPartitionsResponseData data = new DescribeTopicPartitionsResponseData();
        private final ClusterView view;
        private final Nodes nodes;
        private int left;

        Page(ClusterView view, Nodes nodes, int limit) {
            this.view = view;
            this.nodes = nodes;
            this.left = limit;
        }

        DescribeTopicPartitionsResponseData filled(
                SortedSet<String> names, DescribeTopicPartitionsRequestData.Cursor cursor) {
            SortedSet<String> wanted = cursor == null ? names : names.tailSet(cursor.topicName());
            Iterator<String> next = wanted.iterator();
            while (data.nextCursor() == null && next.hasNext()) {
                String name = next.next();
                boolean resumed = cursor != null && name.equals(cursor.topicName());
                add(name, resumed ? cursor.partitionIndex() : 0);
            }
            return data;
        }

        private void add(String name, int from) {
            if (left == 0) {
                data.setNextCursor(new Cursor().setTopicName(name).setPartitionIndex(0));
            } else {
                view.topic(name).ifPresentOrElse(topic -> add(topic, from), () -> addUnknown(name));
            }
        }

        private void add(TopicView topic, int from) {
            DescribeTopicPartitionsResponseTopic answer = new DescribeTopicPartitionsResponseTopic()
                    .setName(topic.name())
                    .setTopicId(TopicIds.of(topic.topicId()))
                    .setIsInternal(topic.isInternal());
            data.topics().add(answer);
            int end = topic.partitions().size();
            int until = (int) Math.min(end, (long) from + left);
            for (int index = from; index < until; index++) {
                answer.partitions().add(partition(index, topic.partitions().get(index)));
                left--;
            }
            if (until < end) {
                data.setNextCursor(new Cursor().setTopicName(topic.name()).setPartitionIndex(until));
            }
        }

        private void addUnknown(String name) {
            ErrorCode error =
                    TopicNames.isValid(name) ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.INVALID_TOPIC_EXCEPTION;
            data.topics()
                    .add(new DescribeTopicPartitionsResponseTopic()
                            .setErrorCode(error.code())
                            .setName(name)
                            .setIsInternal(InternalTopics.isInternal(name)));
        }

        private DescribeTopicPartitionsResponsePartition partition(int index, PartitionState state) {
            SeenPartition seen = SeenPartition.of(state, nodes);
            return new DescribeTopicPartitionsResponsePartition()
                    .setErrorCode(seen.error().code())
                    .setPartitionIndex(index)
                    .setLeaderId(seen.leader())
                    .setLeaderEpoch(state.leaderEpoch())
                    .setReplicaNodes(state.replicas())
                    .setIsrNodes(state.isr())
                    .setEligibleLeaderReplicas(List.of())
                    .setLastKnownElr(List.of())
                    .setOfflineReplicas(seen.offline());
        }
    }
}
