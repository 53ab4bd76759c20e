package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.config.Configs;
import io.felice.api.config.TopicConfig;
import io.felice.api.partition.FetchedPartition;
import io.felice.api.partition.Partition;
import io.felice.protocol.CompactedTo;
import io.felice.protocol.PinnedRecords;
import java.util.List;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.FetchResponseData.FetchableTopicResponse;
import org.apache.kafka.common.message.FetchResponseData.NodeEndpoint;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;
import org.apache.kafka.common.record.internal.MemoryRecords;

/** Builds the response of one fetch. Consecutive partitions of one topic share one topic entry. For one thread. */
final class FetchAnswer {
    private final AskedFetch asked;
    private final ClusterMetadata metadata;
    private final Configs configs;
    private final FetchResponseData data = new FetchResponseData();
    private Object lastTopic;
    private FetchableTopicResponse last;
    private LeaderHints hints;

    FetchAnswer(AskedFetch asked, ClusterMetadata metadata, Configs configs) {
        this.asked = asked;
        this.metadata = metadata;
        this.configs = configs;
    }

    FetchResponseData ofSession(int id) {
        return data.setSessionId(id);
    }

    /** A partition of which nothing was read. */
    PartitionData failed(Wanted of, ErrorCode error) {
        return new PartitionData()
                .setPartitionIndex(of.key().partition())
                .setErrorCode(error.code())
                .setHighWatermark(-1L)
                .setRecords(MemoryRecords.EMPTY);
    }

    PartitionData read(Wanted of, FetchedPartition fetched) {
        if (!asked.understandsZstd() && isStoredAsZstd(fetched.partition().topic())) {
            fetched.records().close();
            return failed(of, ErrorCode.UNSUPPORTED_COMPRESSION_TYPE);
        }
        PartitionData answer = new PartitionData()
                .setPartitionIndex(of.key().partition())
                .setErrorCode(Failures.ofPartition(fetched.error()).code())
                .setHighWatermark(fetched.highWatermark())
                .setLastStableOffset(fetched.lastStableOffset())
                .setLogStartOffset(fetched.logStartOffset());
        boolean isCommitted = asked.isReadCommitted() && fetched.error() == ErrorCode.NONE;
        answer.setAbortedTransactions(isCommitted ? List.of() : null);
        Partition.EpochEnd divergence = fetched.divergence();
        if (divergence != null) {
            answer.divergingEpoch().setEpoch(divergence.epoch()).setEndOffset(divergence.endOffset());
        }
        if (fetched.preferredReplica() != FetchedPartition.NO_PREFERENCE && asked.understandsPreferredReplica()) {
            answer.setPreferredReadReplica(fetched.preferredReplica());
        }
        if (fetched.compactedTo() >= 0) {
            CompactedTo.write(answer, fetched.compactedTo());
        }
        if (fetched.records().sizeInBytes() > 0) {
            return answer.setRecords(new PinnedRecords(fetched.records()));
        }
        fetched.records().close();
        return answer.setRecords(MemoryRecords.EMPTY);
    }

    private boolean isStoredAsZstd(String topic) {
        return configs.topic(topic).get(TopicConfig.COMPRESSION_TYPE).equals("zstd");
    }

    /** @param name of the topic; null if its id is unknown */
    void add(Wanted of, String name, PartitionData answer) {
        Object topic = of.key().topic();
        if (!topic.equals(lastTopic)) {
            lastTopic = topic;
            last = new FetchableTopicResponse();
            if (topic instanceof Uuid id) {
                last.setTopicId(id);
            } else {
                last.setTopic(name);
            }
            data.responses().add(last);
        }
        last.partitions().add(answer);
        if (asked.understandsLeaderHints() && LeaderHints.areFor(answer.errorCode())) {
            hint(name, answer);
        }
    }

    private void hint(String name, PartitionData answer) {
        hints = hints == null ? new LeaderHints(metadata, asked.context()) : hints;
        hints.add(
                new TopicPartition(name, answer.partitionIndex()),
                (leader, epoch) -> answer.currentLeader().setLeaderId(leader).setLeaderEpoch(epoch),
                node -> data.nodeEndpoints()
                        .add(new NodeEndpoint()
                                .setNodeId(node.id())
                                .setHost(node.host())
                                .setPort(node.port())
                                .setRack(node.rack())));
    }

    static void release(List<FetchedPartition> fetched) {
        fetched.forEach(one -> one.records().close());
    }
}
