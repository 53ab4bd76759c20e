package io.felice.handlers;

import io.felice.api.TopicPartition;
import io.felice.api.partition.Partition;
import io.felice.api.partition.Partition.EpochEnd;
import io.felice.api.partition.Partitions;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.Serves;
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

    @Activate
    public OffsetForLeaderEpochHandler(@Reference Partitions partitions) {
        this.partitions = partitions;
    }

    @Override
    public CompletionStage<OffsetForLeaderEpochResponseData> handle(
            OffsetForLeaderEpochRequestData request, RequestContext context) {
        OffsetForLeaderEpochResponseData response = new OffsetForLeaderEpochResponseData();
        for (OffsetForLeaderTopic topic : request.topics()) {
            OffsetForLeaderTopicResult topicAnswer = new OffsetForLeaderTopicResult().setTopic(topic.topic());
            response.topics().add(topicAnswer);
            for (OffsetForLeaderPartition asked : topic.partitions()) {
                EpochEndOffset end = new EpochEndOffset().setPartition(asked.partition());
                topicAnswer.partitions().add(end);
                try {
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
