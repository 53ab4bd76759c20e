package io.felice.coordinator;

import io.felice.api.FeliceException;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.config.Configs;
import io.felice.api.group.Groups;
import io.felice.api.partition.Partitions;
import io.felice.coordinator.OffsetsRecord.OffsetStored;
import io.felice.records.Batches;
import io.felice.records.RecordReader;
import java.nio.ByteBuffer;
import java.time.Clock;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.LongSupplier;

/** Makes the real coordinator of groups for a simulation, and reads what it has written. */
public final class CoordinatorSeat {
    private CoordinatorSeat() {}

    /**
     * @param nanos of the monotonic clock
     * @param loaders replay the partitions of {@code __consumer_offsets}
     */
    public static Groups groups(
            Partitions partitions,
            ClusterMetadata metadata,
            Configs configs,
            Clock clock,
            LongSupplier nanos,
            ScheduledExecutorService timer,
            ExecutorService loaders,
            Random random) {
        return new GroupCoordinator(
                partitions,
                metadata,
                configs,
                new Time(clock, () -> nanos.getAsLong() / 1_000_000),
                timer,
                loaders,
                () -> new UUID(random.nextLong(), random.nextLong()));
    }

    /** Sees the offsets that a batch sets. */
    public interface OffsetSeen {
        /** @param offset -1 if the record removes the offset */
        void seen(String group, TopicPartition partition, long offset);
    }

    /** Reads a batch of {@code __consumer_offsets}. */
    public static void read(byte[] bytes, OffsetSeen visitor) {
        Batches.split(ByteBuffer.wrap(bytes))
                .forEach(batch -> RecordReader.read(batch, (offset, timestamp, key, value) -> {
                    try {
                        if (OffsetsCodec.read(key, value) instanceof OffsetStored stored) {
                            visitor.seen(
                                    stored.group(),
                                    stored.partition(),
                                    stored.value() == null ? -1 : stored.value().offset());
                        }
                    } catch (FeliceException unknown) {
                        throw new IllegalStateException("a record of the offsets topic cannot be read", unknown);
                    }
                    return true;
                }));
    }
}
