package io.felice.broker.partition;

import static io.felice.broker.partition.Bench.get;
import static io.felice.broker.partition.Bench.produce;
import static io.felice.testkit.TestBatches.batch;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.config.TopicConfig;
import java.nio.file.Path;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Topics with {@code flush.messages} or {@code flush.ms}. */
class FlushTest {
    @TempDir
    private Path directory;

    private Bench bench;

    @BeforeEach
    void setUp() {
        bench = new Bench(directory);
    }

    @AfterEach
    void tearDown() {
        bench.close();
    }

    @Test
    void aLogIsFlushedOnlyIfItsTopicAsksForIt() throws Exception {
        LeaderPartition partition = bench.open(0);

        get(produce(partition, batch(1000)));
        passes(partition, 1_000_000);

        assertThat(bench.engine.flushesAsked).hasValue(0);
    }

    @Test
    void flushMessagesCountsRecordsSinceTheLastFlushAndDelaysNoAnswer() {
        LeaderPartition partition = bench.with(TopicConfig.FLUSH_MESSAGES, 3).open(0);
        bench.engine.flushesAtOnce = false;

        get(produce(partition, batch(2)));
        assertThat(bench.engine.flushesAsked).hasValue(0);
        get(produce(partition, batch(1)));
        assertThat(bench.engine.flushesAsked).hasValue(1);
        bench.engine.flushes.remove().complete(null);
        get(produce(partition, batch(2)));
        assertThat(bench.engine.flushesAsked).hasValue(1);
        get(produce(partition, batch(5)));
        assertThat(bench.engine.flushesAsked).hasValue(2);
    }

    @Test
    void flushMsFlushesNewRecordsAfterItsTime() throws Exception {
        LeaderPartition partition = bench.with(TopicConfig.FLUSH_MS, 5_000).open(0);
        get(produce(partition, batch(1)));

        passes(partition, 4_999);
        assertThat(bench.engine.flushesAsked).hasValue(0);
        passes(partition, 1);
        assertThat(bench.engine.flushesAsked).hasValue(1);
        passes(partition, 50_000);
        assertThat(bench.engine.flushesAsked).as("nothing new").hasValue(1);
        get(produce(partition, batch(1)));
        passes(partition, 0);
        assertThat(bench.engine.flushesAsked).hasValue(2);
    }

    @Test
    void aWallClockThatIsSetBackDelaysNoFlush() throws Exception {
        LeaderPartition partition = bench.with(TopicConfig.FLUSH_MS, 5_000).open(0);
        get(produce(partition, batch(1)));
        bench.nowMs.addAndGet(-30L * 86_400_000);

        passes(partition, 5_000);

        assertThat(bench.engine.flushesAsked).hasValue(1);
    }

    /** Moves the clock, and waits until the partition has done its periodic work. */
    private void passes(LeaderPartition partition, long ms) throws Exception {
        bench.pass(ms);
        partition.tick();
        int threads = 2;
        CyclicBarrier allIdle = new CyclicBarrier(threads + 1);
        for (int i = 0; i < threads; i++) {
            bench.mounted.execute(() -> meet(allIdle));
        }
        meet(allIdle);
    }

    private static void meet(CyclicBarrier others) {
        try {
            others.await(60, TimeUnit.SECONDS);
        } catch (Exception alone) {
            throw new IllegalStateException(alone);
        }
    }
}
