package io.felice.coordinator;

import static io.felice.coordinator.Stage.now;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.RecordBatch;
import io.felice.api.TopicPartition;
import io.felice.api.Turn;
import io.felice.api.partition.Partition.Acks;
import io.felice.api.partition.Partition.Origin;
import io.felice.coordinator.OffsetsRecord.OffsetStored;
import io.felice.coordinator.OffsetsRecord.StoredOffset;
import io.felice.records.BatchBuilder;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Loads a long log of offsets that was never compacted, and prints the time it took. */
class ManyRecordsTest {
    private static final int BATCHES = 30_000;
    private static final int PER_BATCH = 10;
    private static final int GROUPS = 500;

    private final Stage stage = new Stage();

    private void append(int batch) {
        BatchBuilder builder = new BatchBuilder();
        for (int i = 0; i < PER_BATCH; i++) {
            OffsetStored record = new OffsetStored(
                    "group-" + batch % GROUPS,
                    new TopicPartition("a-topic-of-usual-length", i),
                    new StoredOffset(batch, -1, "", 1, -1));
            builder.add(0, OffsetsCodec.key(record), OffsetsCodec.value(record));
        }
        RecordBatch built = builder.build();
        stage.offsetsLog().append(built.bytes(), Acks.ALL, Origin.COORDINATOR, Duration.ofSeconds(1), Turn.IMMEDIATE);
    }

    @Test
    void aLongLogLoadsFast() {
        for (int batch = 0; batch < BATCHES; batch++) {
            append(batch);
        }
        long before = System.nanoTime();

        stage.restart();

        double seconds = (System.nanoTime() - before) / 1e9;
        System.out.printf("%d records replayed, %.0f per second%n", BATCHES * PER_BATCH, BATCHES * PER_BATCH / seconds);
        assertThat(stage.status("load.records")).isEqualTo(BATCHES * PER_BATCH);
        assertThat(stage.status("offsets")).isEqualTo(GROUPS * PER_BATCH);
        TopicPartition partition = new TopicPartition("a-topic-of-usual-length", 3);
        assertThat(now(stage.groups.fetchOffsets("group-7", Optional.of(List.of(partition)), false))
                        .offsets()
                        .get(partition)
                        .offset())
                .isEqualTo(BATCHES - GROUPS + 7);
    }
}
