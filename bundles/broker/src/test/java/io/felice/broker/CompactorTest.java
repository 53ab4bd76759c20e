package io.felice.broker;

import static io.felice.broker.partition.Bench.eventually;
import static io.felice.broker.partition.Bench.get;
import static io.felice.broker.partition.Bench.produce;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.config.BrokerConfig;
import io.felice.api.config.TopicConfig;
import io.felice.api.storage.LogId;
import io.felice.broker.engine.MountedEngine;
import io.felice.broker.partition.Bench;
import io.felice.broker.partition.CompactionProgress;
import io.felice.broker.partition.LeaderPartition;
import io.felice.records.BatchBuilder;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CompactorTest {
    private static final LogId OTHERS = new LogId(new UUID(8, 8), 0, "others");
    private static final long BACKOFF_MS = 15_000;

    @TempDir
    Path directory;

    private Bench bench;
    private Bench other;
    private List<LeaderPartition> partitions = List.of();
    private Compactor compactor;
    private final CountDownLatch goOn = new CountDownLatch(1);

    @BeforeEach
    void setUp() {
        bench = bench("one");
        other = bench("other");
        List<MountedEngine> engines = List.of(bench.mounted, other.mounted);
        compactor = new Compactor(
                () -> engines, () -> partitions.stream().map(LeaderPartition::log), bench.compaction, bench.nanos::get);
    }

    private Bench bench(String name) {
        return new Bench(directory.resolve(name))
                .with(TopicConfig.CLEANUP_POLICY, "compact")
                .with(TopicConfig.MIN_CLEANABLE_DIRTY_RATIO, 0)
                .with(TopicConfig.SEGMENT_BYTES, 120);
    }

    @AfterEach
    void tearDown() {
        goOn.countDown();
        Stream.of(bench, other)
                .flatMap(one -> one.leaders.values().stream())
                .forEach(leader -> get(leader.log().close()));
        compactor.close();
        bench.close();
        other.close();
    }

    /** Each record has a segment of its own; the last one is not compacted. */
    private static void update(LeaderPartition partition, String... keys) {
        for (String key : keys) {
            get(produce(
                    partition,
                    new BatchBuilder()
                            .add(Bench.START_MS, key.getBytes(UTF_8), "v".getBytes(UTF_8))
                            .build()));
        }
    }

    private static CompactionProgress progress(LeaderPartition partition) {
        return partition.log().compaction().progress();
    }

    private void await(Bench held) {
        held.engine.onReplace = () -> {
            try {
                goOn.await();
            } catch (InterruptedException interrupted) {
                throw new IllegalStateException(interrupted);
            }
        };
    }

    @Test
    void allLogsAreCompactedTheDirtiestFirst() {
        LeaderPartition clean = bench.open(0);
        update(clean, "a", "b", "c", "d", "e", "f", "end");
        clean.log().compaction().look().ifPresent(clean.log().compaction()::run);
        update(clean, "a", "end");
        LeaderPartition dirty = bench.open(OTHERS, 0);
        update(dirty, "a", "a", "end");
        partitions = List.of(clean, dirty);
        await(bench);

        compactor.tick();

        eventually(() -> assertThat(progress(dirty).doing()).isEqualTo("rewrite"));
        compactor.tick();
        assertThat(progress(clean).doing()).isEmpty();
        goOn.countDown();
        eventually(() -> assertThat(progress(clean).runs()).isEqualTo(2));
        assertThat(progress(dirty).runs()).isEqualTo(1);
    }

    @Test
    void asManyLogsAreCompactedAtATimeAsThereAreThreads() {
        bench.brokerConfig.put(BrokerConfig.LOG_CLEANER_THREADS, "2");
        LeaderPartition one = bench.open(0);
        LeaderPartition two = bench.open(OTHERS, 0);
        update(one, "a", "a", "end");
        update(two, "a", "a", "end");
        partitions = List.of(one, two);
        await(bench);

        compactor.tick();
        compactor.tick();

        eventually(() -> assertThat(progress(one).doing()).isEqualTo("rewrite"));
        eventually(() -> assertThat(progress(two).doing()).isEqualTo("rewrite"));
    }

    @Test
    void withoutThreadsNothingIsCompacted() {
        bench.brokerConfig.put(BrokerConfig.LOG_CLEANER_THREADS, "0");
        LeaderPartition one = bench.open(0);
        update(one, "a", "a", "end");
        partitions = List.of(one);

        compactor.tick();
        assertThat(bench.compaction.runs()).isZero();

        bench.brokerConfig.put(BrokerConfig.LOG_CLEANER_THREADS, "1");
        compactor.tick();
        eventually(() -> assertThat(progress(one).runs()).isEqualTo(1));
    }

    @Test
    void afterALookThatFoundNothingTheNextComesWhenTheBackoffIsOver() {
        LeaderPartition one = bench.open(0);
        update(one, "a", "a", "end");
        partitions = List.of(one);
        compactor.tick();
        eventually(() -> assertThat(progress(one).runs()).isEqualTo(1));
        eventually(() -> assertThat(compactor.working()).isZero());
        update(one, "a", "end");

        bench.pass(BACKOFF_MS - 1);
        compactor.tick();
        assertThat(compactor.working()).isZero();

        bench.pass(1);
        compactor.tick();
        eventually(() -> assertThat(progress(one).runs()).isEqualTo(2));
    }

    @Test
    void anEngineThatHangsKeepsNoOtherOneFromBeingCompacted() {
        LeaderPartition hanging = bench.open(0);
        update(hanging, "a", "a", "end");
        LeaderPartition sound = other.open(0);
        update(sound, "a", "a", "end");
        partitions = List.of(hanging, sound);
        await(bench);

        compactor.tick();

        eventually(() -> assertThat(progress(sound).runs()).isEqualTo(1));
        assertThat(progress(hanging).doing()).isEqualTo("rewrite");
    }

    @Test
    void aLogThatIsClosedDuringItsCompactionEndsIt() {
        bench.brokerConfig.put(BrokerConfig.LOG_CLEANER_IO_MAX_BYTES_PER_SECOND, "1");
        LeaderPartition one = bench.open(0);
        update(one, "a", "a", "end");
        partitions = List.of(one);
        compactor.tick();
        eventually(() -> assertThat(progress(one).doing()).isEqualTo("keys"));

        get(one.log().close());

        eventually(() -> assertThat(compactor.working()).isZero());
        assertThat(progress(one).lastFailure()).isEmpty();
        assertThat(bench.compaction.keyBytes()).isZero();
    }
}
