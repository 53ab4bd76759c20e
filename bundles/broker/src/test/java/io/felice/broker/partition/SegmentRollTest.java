package io.felice.broker.partition;

import static io.felice.broker.partition.Bench.get;
import static io.felice.broker.partition.Bench.produce;
import static io.felice.testkit.TestBatches.batch;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.config.TopicConfig;
import io.felice.api.storage.LogId;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The active segment is rolled when it is older than {@code segment.ms}. */
class SegmentRollTest {
    private static final long SEGMENT_MS = 10_000;
    private static final long STEP_MS = 100;
    private static final int PARTITIONS = 20;

    @TempDir
    private Path directory;

    private Bench bench;

    @BeforeEach
    void setUp() {
        bench = new Bench(directory).with(TopicConfig.SEGMENT_MS, SEGMENT_MS);
    }

    @AfterEach
    void tearDown() {
        bench.close();
    }

    @Test
    void withoutJitterEverySegmentRollsAfterSegmentMs() {
        assertThat(agesAtRoll()).hasSize(PARTITIONS).containsOnly(SEGMENT_MS);
    }

    @Test
    void aWallClockThatIsSetBackDelaysNoRoll() {
        LeaderPartition partition = bench.open(0);
        get(produce(partition, batch(1)));
        bench.nowMs.addAndGet(-30L * 86_400_000);

        bench.pass(SEGMENT_MS);
        get(produce(partition, batch(1)));

        assertThat(bench.engine.rolls).hasValue(1);
    }

    @Test
    void jitterSpreadsTheRollsBeforeTheirTime() {
        bench.with(TopicConfig.SEGMENT_JITTER_MS, 4_000);

        List<Long> ages = agesAtRoll();

        assertThat(ages).hasSize(PARTITIONS).allSatisfy(age -> assertThat(age)
                .isBetween(SEGMENT_MS - 4_000, SEGMENT_MS));
        assertThat(new HashSet<>(ages)).as("ages of %s", ages).hasSizeGreaterThan(PARTITIONS / 2);
    }

    @Test
    void jitterAboveSegmentMsRollsWithinSegmentMs() {
        bench.with(TopicConfig.SEGMENT_JITTER_MS, Long.MAX_VALUE);

        assertThat(agesAtRoll()).hasSize(PARTITIONS).allSatisfy(age -> assertThat(age)
                .isBetween(1L, SEGMENT_MS));
    }

    /** The age at which the first segment was rolled, of several partitions. */
    private List<Long> agesAtRoll() {
        List<Long> ages = new ArrayList<>();
        for (int number = 0; number < PARTITIONS; number++) {
            LeaderPartition partition = bench.open(new LogId(new UUID(8, number), number, "orders"), 0);
            int rolls = bench.engine.rolls.get();
            long createdAt = bench.nowMs.get();
            get(produce(partition, batch(1)));
            while (bench.engine.rolls.get() == rolls && bench.nowMs.get() <= createdAt + SEGMENT_MS) {
                bench.pass(STEP_MS);
                get(produce(partition, batch(1)));
            }
            ages.add(bench.nowMs.get() - createdAt);
        }
        return ages;
    }
}
