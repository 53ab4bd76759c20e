package io.felice.coordinator.listener;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.RecordHeader;
import io.felice.api.TopicPartition;
import io.felice.api.Turn;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.InternalTopics;
import io.felice.api.cluster.TopicView;
import io.felice.api.listener.RecordAppender;
import io.felice.api.partition.Partition.Acks;
import io.felice.api.partition.Partition.Origin;
import io.felice.api.partition.Partitions;
import io.felice.records.BatchBuilder;
import io.felice.records.KeyHash;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ThreadLocalRandom;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Appends the records of plugins to partitions that this node leads, one batch for each record. */
@Component
public final class TopicAppender implements RecordAppender {
    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    private final Partitions partitions;
    private final ClusterMetadata metadata;

    @Activate
    public TopicAppender(@Reference Partitions partitions, @Reference ClusterMetadata metadata) {
        this.partitions = partitions;
        this.metadata = metadata;
    }

    @Override
    public CompletionStage<Place> append(
            String topic, int partition, byte[] key, byte[] value, List<RecordHeader> headers) {
        try {
            TopicPartition to = new TopicPartition(topic, partition(topic, partition, key));
            return partitions
                    .leader(to)
                    .append(
                            new BatchBuilder()
                                    .add(System.currentTimeMillis(), buffer(key), buffer(value), headers)
                                    .build()
                                    .bytes(),
                            Acks.ALL,
                            Origin.CLIENT,
                            TIMEOUT,
                            Turn.IMMEDIATE)
                    .thenApply(appended -> new Place(to, appended.baseOffset()));
        } catch (FeliceException refused) {
            return CompletableFuture.failedFuture(refused);
        }
    }

    private int partition(String topic, int partition, byte[] key) {
        if (InternalTopics.isInternal(topic)) {
            throw ErrorCode.INVALID_TOPIC_EXCEPTION.because("Plugins may not append to the topic " + topic);
        }
        int count = metadata.view()
                .topic(topic)
                .map(TopicView::partitions)
                .orElseThrow(() -> ErrorCode.UNKNOWN_TOPIC_OR_PARTITION.because("There is no topic " + topic))
                .size();
        if (partition != ANY_PARTITION) {
            return partition;
        }
        return key == null ? ThreadLocalRandom.current().nextInt(count) : KeyHash.partition(key, count);
    }

    private static ByteBuffer buffer(byte[] bytes) {
        return bytes == null ? null : ByteBuffer.wrap(bytes);
    }
}
