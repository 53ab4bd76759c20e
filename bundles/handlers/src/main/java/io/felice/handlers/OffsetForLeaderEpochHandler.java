package io.felice.handlers;

import io.felice.api.TopicPartition;
import io.felice.api.partition.Partition;
import io.felice.api.partition.Partition.EpochEnd;
import io.felice.api.partition.Partitions;
import io.felice.api.security.Action;
import io.felice.api.security.Authorization.Allowed;
import io.felice.api.security.Operation;
import io.felice.api.security.ResourceType;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.Serves;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData.OffsetForLeaderPartition;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData.OffsetForLeaderTopic;
import org.apache.kafka.common.message.OffsetForLeaderEpochResponseData;
import org.apache.kafka.common.message.OffsetForLeaderEpochResponseData.EpochEndOffset;
import org.apache.kafka.common.message.OffsetForLeaderEpochResponseData.OffsetForLeaderTopicResult;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/**
 * Returns the end offsets of leader epochs, with which a client finds the offset where its log and the leader's log
 * diverge.
 */
@Component
@Serves(key = Apis.OFFSET_FOR_LEADER_EPOCH)
public final class OffsetForLeaderEpochHandler
        implements RequestHandler<OffsetForLeaderEpochRequestData, OffsetForLeaderEpochResponseData> {
    private final Partitions partitions;
    private final Rights rights;

    @Activate
    public OffsetForLeaderEpochHandler(@Reference Partitions partitions, @Reference Rights rights) {
        this.partitions = partitions;
        this.rights = rights;
    }

    @Override
    public CompletionStage<OffsetForLeaderEpochResponseData> handle(
            OffsetForLeaderEpochRequestData request, RequestContext context) {
        return rights.ask(request, context, OffsetForLeaderEpochHandler::needs, this::find);
    }

    /** Brokers that follow have a right to all topics. */
    private static List<Action> needs(OffsetForLeaderEpochRequestData request, RequestContext context) {
        List<Action> actions = new ArrayList<>();
        actions.add(Action.onCluster(Operation.CLUSTER_ACTION));
        for (OffsetForLeaderTopic topic : request.topics()) {
            actions.add(new Action(Operation.DESCRIBE, ResourceType.TOPIC, topic.topic()));
        }
        return actions;
    }

    private CompletionStage<OffsetForLeaderEpochResponseData> find(
            OffsetForLeaderEpochRequestData request, RequestContext context, Allowed allowed) {
        OffsetForLeaderEpochResponseData response = new OffsetForLeaderEpochResponseData();
        for (OffsetForLeaderTopic topic : request.topics()) {
            OffsetForLeaderTopicResult topicAnswer = new OffsetForLeaderTopicResult().setTopic(topic.topic());
            response.topics().add(topicAnswer);
            boolean isVisible = allowed.permits(
                    Action.onCluster(Operation.CLUSTER_ACTION),
                    new Action(Operation.DESCRIBE, ResourceType.TOPIC, topic.topic()));
            for (OffsetForLeaderPartition asked : topic.partitions()) {
                EpochEndOffset end = new EpochEndOffset().setPartition(asked.partition());
                topicAnswer.partitions().add(end);
                try {
                    if (!isVisible) {
                        throw Rights.refusal(ResourceType.TOPIC);
                    }
                    fill(end, find(topic.topic(), asked));
                } catch (RuntimeException failure) {
                    end.setErrorCode(Failures.ofPartition(failure, context).code());
                }
            }
        }
        return CompletableFuture.completedFuture(response);
    }

    private EpochEnd find(String topic, OffsetForLeaderPartition asked) {
        Partition partition = partitions.leader(new TopicPartition(topic, asked.partition()));
        partition.checkEpoch(asked.currentLeaderEpoch());
        return partition.endOfEpoch(asked.leaderEpoch());
    }

    private static void fill(EpochEndOffset answer, EpochEnd end) {
        answer.setLeaderEpoch(end.epoch()).setEndOffset(end.endOffset());
    }
}
