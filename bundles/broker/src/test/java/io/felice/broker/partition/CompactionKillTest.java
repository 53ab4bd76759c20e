package io.felice.broker.partition;

import static io.felice.broker.partition.Bench.get;
import static io.felice.broker.partition.KeyedHistory.DAY_MS;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.config.BrokerConfig;
import io.felice.api.config.TopicConfig;
import io.felice.storage.log.DyingDisk;
import io.felice.storage.log.LogSettings;
import io.felice.storage.log.LogStorageEngine;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Kills the process at every change that a run of compaction makes on the disk of the default engine. */
class CompactionKillTest {
    private static final int MOST_CHANGES = 1_000;
    private static final int BATCHES = 60;
    private static final int SMALL_SEGMENT_BYTES = 500;
    private static final int SEGMENT_BYTES = 3_000;

    @TempDir
    Path temp;

    private final long seed = Long.getLong("felice.seed", System.nanoTime());
    private final Random random = new Random(seed);
    private final KeyedHistory history = new KeyedHistory(random);
    private long nowMs = Bench.START_MS;

    @Test
    void noKillDuringARunLosesTheLatestRecordOfAKeyOrBringsBackAnEarlierOne() {
        System.out.println("CompactionKillTest -Dfelice.seed=" + seed);
        Path written = temp.resolve("written");
        try (LogStorageEngine engine = new LogStorageEngine(written.resolve("logs"), LogSettings.DEFAULT);
                Bench bench = bench(written, engine)) {
            LeaderPartition partition = write(bench);
            get(partition.log().close());
        }
        boolean isDone = false;
        for (int changes = 1 + random.nextInt(2); !isDone; changes += 1 + random.nextInt(3)) {
            assertThat(changes).isLessThan(MOST_CHANGES);
            isDone = compactAndDie(written, changes);
            check(temp.resolve("killed"), isDone);
        }
    }

    private Bench bench(Path directory, LogStorageEngine engine) {
        Bench bench = new Bench(directory.resolve("state"), engine);
        bench.nowMs.set(nowMs);
        bench.with(TopicConfig.CLEANUP_POLICY, "compact")
                .with(TopicConfig.MIN_CLEANABLE_DIRTY_RATIO, 0)
                .with(TopicConfig.SEGMENT_BYTES, SEGMENT_BYTES);
        return bench;
    }

    /** Half of the log is compacted already, and its tombstones may be removed. */
    private LeaderPartition write(Bench bench) {
        LeaderPartition partition =
                bench.with(TopicConfig.SEGMENT_BYTES, SMALL_SEGMENT_BYTES).open(0);
        for (int i = 0; i < BATCHES; i++) {
            history.write(partition, bench.nowMs.get());
            bench.pass(random.nextInt(DAY_MS / 20));
            if (i == BATCHES / 2) {
                compact(partition);
                bench.pass(2L * DAY_MS);
            }
        }
        nowMs = bench.nowMs.get();
        return partition;
    }

    private static void compact(LeaderPartition partition) {
        Compaction compaction = partition.log().compaction();
        compaction.look().ifPresent(compaction::run);
    }

    /** True if the run came to its end. */
    private boolean compactAndDie(Path written, int changes) {
        Path running = temp.resolve("running");
        Path killed = temp.resolve("killed");
        copy(written, running);
        DyingDisk disk = new DyingDisk(running.resolve("logs"));
        try (LogStorageEngine engine = disk.engine();
                Bench bench = bench(running, engine)) {
            bench.brokerConfig.put(
                    BrokerConfig.LOG_CLEANER_DEDUPE_BUFFER_SIZE,
                    Long.toString(LatestOffsets.bytesFor(random.nextBoolean() ? 10 : 1_000)));
            LeaderPartition partition = bench.open(1);
            disk.dieAfter(changes);
            compact(partition);
            boolean isDone = !disk.isDead();
            copy(running, killed);
            disk.dieAfter(Integer.MAX_VALUE);
            return isDone;
        }
    }

    /** What the next start finds, before and after it compacts the log to its end. */
    private void check(Path killed, boolean isDone) {
        try (LogStorageEngine engine = new LogStorageEngine(killed.resolve("logs"), LogSettings.DEFAULT);
                Bench bench = bench(killed, engine)) {
            LeaderPartition partition = bench.open(2);
            assertThat(partition.logEndOffset()).isEqualTo(history.end());
            history.check(partition, nowMs);
            long cleanedTo = partition.log().compaction().cleanedTo();
            if (isDone) {
                assertThat(cleanedTo).isPositive();
            }
            KeyedHistory.mustHaveEachKeyOnce(partition, cleanedTo);

            for (Compaction compaction = partition.log().compaction();
                    compaction.look().isPresent(); ) {
                compact(partition);
            }

            history.check(partition, nowMs);
            KeyedHistory.mustHaveEachKeyOnce(
                    partition, partition.log().compaction().cleanedTo());
            assertThat(partition.log().compaction().cleanedTo()).isGreaterThan(history.end() - 100);
            assertThat(partition.log().engineLog().segments()).hasSizeLessThan(8);
            get(partition.log().close());
        }
    }

    private static void copy(Path from, Path to) {
        try {
            delete(to);
            try (Stream<Path> files = Files.walk(from)) {
                for (Path file : files.toList()) {
                    Files.copy(file, to.resolve(from.relativize(file)));
                }
            }
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private static void delete(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted((a, b) -> b.compareTo(a)).toList()) {
                Files.delete(file);
            }
        } catch (NoSuchFileException none) {
            // Nothing to delete.
        }
    }
}
