package io.felice.storage.mvstore;

import static io.felice.testkit.LogContents.batchesIn;
import static io.felice.testkit.LogContents.everythingIn;
import static io.felice.testkit.TestBatches.batch;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.FeliceException;
import io.felice.api.RecordBatch;
import io.felice.api.storage.LogId;
import io.felice.api.storage.PartitionLog;
import io.felice.api.storage.Replacement;
import io.felice.api.storage.Segment;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletionException;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Stops the disk at every write that an operation makes, half way through it, and looks at what the next start finds. */
class StoreCrashTest {
    private static final LogId ID = new LogId(new UUID(1, 2), 0, "orders");
    private static final int MOST_WRITES = 300;

    @TempDir
    Path temp;

    private int runs;

    /** What a start found. */
    private record Found(long start, long end, List<Long> offsets) {}

    @Test
    void appendsKeepEverythingSettledBefore() {
        crashEverywhere(
                log -> {
                    for (int i = 5; i < 15; i++) {
                        log.append(batch(10).valueBytes(i * 700).at(10L * i));
                        if (i % 3 == 0) {
                            log.roll();
                        }
                        settle(log);
                    }
                },
                (found, done) -> {
                    assertThat(found.offsets()).isEqualTo(tens(0, found.end()));
                    assertThat(found.end()).isBetween(50L, 150L);
                    assertThat(!done || found.end() == 150).isTrue();
                });
    }

    @Test
    void anAcknowledgedBatchIsThereWhereverTheDiskStops() {
        long[] acknowledged = {0};
        crashEverywhere(
                log -> {
                    acknowledged[0] = 50;
                    for (int i = 5; i < 12; i++) {
                        log.append(batch(10).valueBytes(i * 3_000).at(10L * i));
                        settle(log);
                        acknowledged[0] = log.endOffset();
                    }
                },
                (found, done) -> assertThat(found.end()).isGreaterThanOrEqualTo(acknowledged[0]));
    }

    @Test
    void truncationHappensOrDoesNot() {
        crashEverywhere(log -> log.truncateTo(15), (found, done) -> {
            assertThat(found.start()).isZero();
            assertThat(found.end()).isIn(10L, 50L);
            assertThat(found.offsets()).isEqualTo(tens(0, found.end()));
            assertThat(!done || found.end() == 10).isTrue();
        });
    }

    @Test
    void whatComesAfterATruncationDoesNotBringBackWhatWasTruncated() {
        crashEverywhere(
                log -> {
                    log.truncateTo(25);
                    log.append(batch(10).values("again").at(20));
                    settle(log);
                },
                (found, done) -> {
                    assertThat(found.end()).isIn(20L, 30L, 50L);
                    assertThat(found.offsets()).isEqualTo(tens(0, found.end()));
                });
    }

    @Test
    void trimmingMovesTheStartOrDoesNot() {
        crashEverywhere(log -> log.trimTo(25), (found, done) -> {
            assertThat(found.start()).isIn(0L, 25L);
            assertThat(found.end()).isEqualTo(50);
            assertThat(found.offsets()).isEqualTo(tens(found.start() / 10 * 10, 50));
            assertThat(!done || found.start() == 25).isTrue();
        });
    }

    @Test
    void trimmingPastEverythingNeverLetsOffsetsBeUsedAgain() {
        crashEverywhere(log -> log.trimTo(100), (found, done) -> {
            assertThat(found.end()).isIn(50L, 100L);
            assertThat(!done || (found.start() == 100 && found.end() == 100)).isTrue();
        });
    }

    @Test
    void truncationBelowTheStartLeavesABeginningOrNothing() {
        crashEverywhere(
                log -> {
                    log.trimTo(30);
                    log.truncateTo(5);
                },
                (found, done) -> {
                    assertThat(found.end()).isIn(5L, 50L);
                    assertThat(!done || (found.start() == 5 && found.end() == 5))
                            .isTrue();
                });
    }

    @Test
    void replacingLeavesTheOldOrTheNewBatches() {
        crashEverywhere(StoreCrashTest::replaceTwoSegments, (found, done) -> {
            assertThat(found.end()).isEqualTo(50);
            List<Long> fresh = List.of(10L, 30L, 40L);
            if (done) {
                assertThat(found.offsets()).isEqualTo(fresh);
            } else {
                assertThat(found.offsets()).isIn(fresh, tens(0, 50));
            }
        });
    }

    private static void replaceTwoSegments(PartitionLog log) {
        List<Segment> two = log.segments().subList(0, 2);
        List<RecordBatch> kept = batchesIn(everythingIn(log)).stream()
                .filter(batch -> batch.baseOffset() == 10 || batch.baseOffset() == 30)
                .toList();
        try (Replacement replacement = log.replace(two)) {
            kept.forEach(replacement::append);
            replacement.prepare();
            replacement.commit();
        }
    }

    @Test
    void aNewStoreFileIsThereWithAllThatTheOldOneSaysOrIsNotThere() {
        StoreSettings rotating = new StoreSettings(1, 60_000, 0, 1 << 20, 1 << 20, 1);
        crashEverywhere(
                rotating,
                log -> {
                    for (int i = 5; i < 20; i++) {
                        log.append(batch(10).valueBytes(1_000).at(10L * i));
                        settle(log);
                    }
                    log.trimTo(150);
                },
                (found, done) -> {
                    assertThat(found.start()).isIn(0L, 150L);
                    assertThat(found.offsets()).isEqualTo(tens(found.start(), found.end()));
                    assertThat(!done || found.end() == 200).isTrue();
                });
    }

    // Power cuts

    @Test
    void whatIsFlushedSurvivesAPowerCut() throws IOException {
        for (int seed = 0; seed < 60; seed++) {
            Random random = new Random(seed);
            Path directory = temp.resolve("power-" + seed);
            Path image = temp.resolve("image-" + seed);
            FaultyDisk.State disk = FaultyDisk.at(directory);
            StoreSettings settings = new StoreSettings(1, 400_000, 0, 1 << 20, 1 << 20, 1);
            long flushed = 0;
            try (MvStorageEngine engine = start(directory, settings, disk)) {
                PartitionLog log = engine.open(ID, 1);
                int appends = 1 + random.nextInt(60);
                for (int i = 0; i < appends; i++) {
                    log.append(batch(10).valueBytes(random.nextInt(2_000)).at(10L * i));
                    if (random.nextInt(3) == 0) {
                        settle(log);
                    }
                    if (random.nextInt(8) == 0) {
                        log.flush(log.endOffset()).toCompletableFuture().join();
                        flushed = log.endOffset();
                    }
                    if (random.nextInt(20) == 0) {
                        log.roll();
                    }
                }
                StoreCopies.copy(directory, image);
                disk.cutPower(image, random);
            }

            Found found = found(image, settings);

            assertThat(found.end()).as("seed " + seed).isGreaterThanOrEqualTo(flushed);
            assertThat(found.offsets()).as("seed " + seed).isEqualTo(tens(0, found.end()));
            FaultyDisk.forget(directory);
        }
    }

    // Steps

    private static void settle(PartitionLog log) {
        log.settle(log.endOffset()).toCompletableFuture().join();
    }

    private void crashEverywhere(Consumer<PartitionLog> operation, BiConsumer<Found, Boolean> check) {
        crashEverywhere(new StoreSettings(1, 64 << 20, 0, 1 << 20, 1 << 20, 1), operation, check);
    }

    /** Lets the operation run again and again, each time one write further, until it comes to its end. */
    private void crashEverywhere(
            StoreSettings settings, Consumer<PartitionLog> operation, BiConsumer<Found, Boolean> check) {
        boolean done = false;
        for (int writes = 0; !done; writes++) {
            assertThat(writes).isLessThan(MOST_WRITES);
            Path directory = temp.resolve("run-" + runs++);
            Path image = temp.resolve("image-" + runs);
            FaultyDisk.State disk = FaultyDisk.at(directory);
            try (MvStorageEngine engine = start(directory, settings, disk)) {
                PartitionLog log = fifty(engine);
                disk.stopAfter(writes);
                done = succeeds(operation, log);
                StoreCopies.copy(directory, image);
                disk.heal();
            }
            FaultyDisk.forget(directory);
            check.accept(found(image, settings), done);
        }
    }

    private static MvStorageEngine start(Path directory, StoreSettings settings, FaultyDisk.State disk) {
        return new MvStorageEngine(directory, settings, disk.prefix(), Clock.systemUTC(), disk::volume);
    }

    private static boolean succeeds(Consumer<PartitionLog> operation, PartitionLog log) {
        try {
            operation.accept(log);
            return true;
        } catch (FeliceException | CompletionException stopped) {
            return false;
        }
    }

    /** Batches of ten: those at 0 and 10 in the first segment, 20 and 30 in the second, 40 in the third. */
    private static PartitionLog fifty(MvStorageEngine engine) {
        PartitionLog log = engine.open(ID, 1);
        for (int i = 0; i < 5; i++) {
            log.append(batch(10).at(10L * i));
            if (i % 2 == 1) {
                log.roll();
            }
        }
        log.flush(50).toCompletableFuture().join();
        return log;
    }

    private static Found found(Path image, StoreSettings settings) {
        try (MvStorageEngine engine = new MvStorageEngine(image, settings)) {
            PartitionLog log = engine.open(ID, 1);
            List<Long> offsets = new ArrayList<>();
            batchesIn(everythingIn(log)).forEach(batch -> offsets.add(batch.baseOffset()));
            Found found = new Found(log.startOffset(), log.endOffset(), offsets);
            log.append(batch(1).at(log.endOffset()));
            settle(log);
            return found;
        }
    }

    private static List<Long> tens(long from, long to) {
        return LongStream.range(from / 10, to / 10).mapToObj(ten -> 10 * ten).toList();
    }
}
