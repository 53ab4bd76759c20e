package io.felice.storage.log;

import static io.felice.testkit.LogContents.batchesIn;
import static io.felice.testkit.LogContents.everythingIn;
import static io.felice.testkit.LogContents.offsetsOf;
import static io.felice.testkit.TestBatches.batch;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.felice.api.FeliceException;
import io.felice.api.RecordBatch;
import io.felice.api.storage.LogId;
import io.felice.api.storage.PartitionLog;
import io.felice.api.storage.Replacement;
import io.felice.api.storage.Segment;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Stops the disk at each change that an operation makes, and checks the log that the next start finds. */
class CrashTest {
    private static final LogId ID = new LogId(new UUID(1, 2), 0, "orders");
    private static final LogSettings SETTINGS = new LogSettings(32_768, 1 << 20, 100, 1);
    private static final int MOST_CHANGES = 200;

    @TempDir
    Path temp;

    private int runs;

    /** The log that a start found. */
    private record Found(long start, long end, List<Long> offsets) {}

    @Test
    void aCrashDuringATruncationLeavesAPrefixOfTheLog() {
        crashEverywhere(log -> log.truncateTo(15), (found, done) -> {
            assertThat(found.start()).isZero();
            assertThat(found.end()).isBetween(10L, 50L);
            assertThat(found.offsets()).isEqualTo(tens(0, found.end()));
            assertThat(!done || found.end() == 10).isTrue();
        });
    }

    @Test
    void aCrashDuringATrimInsideASegmentLosesNoBatchAboveTheStart() {
        crashEverywhere(log -> log.trimTo(25), (found, done) -> {
            assertThat(found.start()).isIn(0L, 10L, 20L, 25L);
            assertThat(found.end()).isEqualTo(50);
            assertThat(found.offsets()).isEqualTo(tens(found.start() / 10 * 10, 50));
            assertThat(!done || found.start() == 25).isTrue();
        });
    }

    @Test
    void aCrashDuringATrimBeyondTheEndNeverLowersTheEnd() {
        crashEverywhere(log -> log.trimTo(100), (found, done) -> {
            assertThat(found.end()).isIn(50L, 100L);
            assertThat(found.start()).isBetween(0L, 100L);
            assertThat(!done || (found.start() == 100 && found.end() == 100)).isTrue();
        });
    }

    @Test
    void aCrashDuringATruncationBelowTheStartLeavesAPrefixOrAnEmptyLog() {
        crashEverywhere(
                log -> {
                    log.trimTo(30);
                    log.truncateTo(5);
                },
                (found, done) -> {
                    assertThat(found.end()).isBetween(0L, 50L);
                    assertThat(!done || (found.start() == 5 && found.end() == 5))
                            .isTrue();
                });
    }

    @Test
    void aCrashDuringAReplacementLeavesTheOldOrTheNewBatches() {
        crashEverywhere(CrashTest::dropThirdBatch, (found, done) -> {
            assertThat(found.end()).isEqualTo(50);
            List<Long> fresh = List.of(0L, 10L, 30L, 40L);
            if (done) {
                assertThat(found.offsets()).isEqualTo(fresh);
            } else {
                assertThat(found.offsets()).isIn(fresh, tens(0, 50));
            }
        });
    }

    private static void dropThirdBatch(PartitionLog log) {
        replace(log, log.segments().subList(1, 2), List.of(30L));
    }

    /** The first two of three segments become one. */
    private static void replace(PartitionLog log, List<Segment> old, List<Long> kept) {
        List<RecordBatch> left = batchesIn(everythingIn(log)).stream()
                .filter(batch -> kept.contains(batch.baseOffset()))
                .toList();
        try (Replacement replacement = log.replace(old)) {
            left.forEach(replacement::append);
            replacement.prepare();
            replacement.commit();
        }
    }

    /** What is left of the first four of five batches, when the first two segments become one. */
    private static List<List<Long>> mergers() {
        return List.of(List.of(), List.of(10L, 20L), List.of(30L));
    }

    @ParameterizedTest
    @MethodSource("mergers")
    void mergingLeavesTheOldSegmentsOrTheNewOne(List<Long> kept) {
        crashEverywhere(
                log -> replace(log, log.segments().subList(0, 2), kept),
                (found, done) -> mustBeOldOrMerged(found, done, kept));
    }

    private static void mustBeOldOrMerged(Found found, boolean done, List<Long> kept) {
        List<Long> merged = new ArrayList<>(kept);
        merged.add(40L);
        assertThat(found.end()).isEqualTo(50);
        if (done) {
            assertThat(found.offsets()).isEqualTo(merged);
        } else {
            assertThat(found.offsets()).isIn(merged, tens(0, 50));
        }
    }

    @ParameterizedTest
    @MethodSource("mergers")
    void mergingTheSegmentsBeforeAnEmptyOneNeverLetsOffsetsBeUsedAgain(List<Long> kept) {
        crashEverywhere(
                log -> {
                    log.roll();
                    replace(log, log.segments().subList(0, 3), kept);
                },
                (found, done) -> {
                    assertThat(found.end()).isEqualTo(50);
                    assertThat(found.offsets()).isIn(kept, tens(0, 50));
                });
    }

    @Test
    void mergingWhatWasMergedLeavesOneOfTheStatesThatTheLogHad() {
        crashEverywhere(
                log -> {
                    replace(log, log.segments().subList(0, 2), List.of(10L, 20L));
                    log.roll();
                    replace(log, log.segments().subList(0, 2), List.of(20L));
                    log.trimTo(20);
                },
                (found, done) -> {
                    assertThat(found.end()).isEqualTo(50);
                    assertThat(found.offsets()).isIn(tens(0, 50), List.of(10L, 20L, 40L), List.of(20L));
                    assertThat(!done || found.start() == 20).isTrue();
                });
    }

    @ParameterizedTest
    @MethodSource("mergers")
    void aMergerThatAPowerCutEndsLeavesTheOldSegmentsOrTheNewOne(List<Long> kept) throws IOException {
        for (FaultyFiles.PowerCut cut : FaultyFiles.PowerCut.values()) {
            boolean done = false;
            for (int changes = 1; !done; changes++) {
                assertThat(changes).isLessThan(MOST_CHANGES);
                Path directory = temp.resolve("run-" + runs++);
                FaultyFiles files = new FaultyFiles();
                try (LogStorageEngine engine = new LogStorageEngine(directory, SETTINGS, files, Clock.systemUTC())) {
                    PartitionLog log = appendFiveBatches(engine);
                    files.stopAfter(changes);
                    done = succeeds(one -> replace(one, one.segments().subList(0, 2), kept), log);
                }
                files.cutPower(cut);

                mustBeOldOrMerged(found(directory), done, kept);
            }
        }
    }

    @Test
    void aStartThatEndsAMergerDoesNotUseTheIndexOfAnOldSegment() throws IOException {
        Path committed = temp.resolve("committed");
        try (LogStorageEngine engine = new LogStorageEngine(temp.resolve("run"), SETTINGS)) {
            PartitionLog log = engine.open(ID, 1);
            for (int i = 0; i < 200; i++) {
                log.append(batch(1).valueBytes(i % 3 == 0 ? 1_000 : 300).at(i));
                if (i % 100 == 99) {
                    log.roll();
                }
            }
            log.flush(200).toCompletableFuture().join();
            engine.checkpoint();
            assertThat(temp.resolve("run/orders-0/00000000000000000000.index")).isNotEmptyFile();
            Replacement replacement = log.replace(log.segments().subList(0, 2));
            batchesIn(everythingIn(log)).stream()
                    .filter(batch -> batch.baseOffset() % 2 == 0)
                    .forEach(replacement::append);
            replacement.prepare();
            replacement.commit();
            Directories.copy(temp.resolve("run"), committed);
            replacement.close();
        }

        try (LogStorageEngine engine = new LogStorageEngine(committed, SETTINGS)) {
            PartitionLog log = engine.open(ID, 1);
            for (long offset = 0; offset < 199; offset++) {
                assertThat(offsetsOf(log.read(offset, Long.MAX_VALUE, 1, true))).containsExactly((offset + 1) / 2 * 2);
            }
        }
    }

    @Test
    void aStartThatIsCutShortWhileItEndsAMergerIsFollowedByOneThatEndsIt() throws IOException {
        Path committed = temp.resolve("committed");
        try (LogStorageEngine engine = new LogStorageEngine(temp.resolve("run"), SETTINGS)) {
            PartitionLog log = appendFiveBatches(engine);
            Replacement replacement = log.replace(log.segments().subList(0, 2));
            batchesIn(everythingIn(log)).subList(1, 2).forEach(replacement::append);
            replacement.prepare();
            replacement.commit();
            Directories.copy(temp.resolve("run"), committed);
            replacement.close();
        }
        assertThat(committed.resolve("orders-0/00000000000000000020.log")).exists();
        boolean done = false;
        for (int changes = 1; !done; changes++) {
            assertThat(changes).isLessThan(MOST_CHANGES);
            Path image = temp.resolve("image-" + changes);
            Directories.copy(committed, image);
            FaultyFiles files = new FaultyFiles();
            files.stopAfter(changes);

            try (LogStorageEngine engine = new LogStorageEngine(image, SETTINGS, files, Clock.systemUTC())) {
                done = engine.open(ID, 1).endOffset() == 50;
            } catch (FeliceException stopped) {
                done = false;
            }

            assertThat(found(image)).isEqualTo(new Found(0, 50, List.of(10L, 40L)));
        }
    }

    @Test
    void aCrashDuringAppendsAndRollsKeepsAllSettledBatches() {
        crashEverywhere(
                log -> {
                    log.roll();
                    log.append(batch(10).at(50));
                    log.settle(log.endOffset());
                    log.append(batch(10).valueBytes(50_000).at(60));
                },
                (found, done) -> {
                    assertThat(found.end()).isIn(50L, 60L, 70L);
                    assertThat(found.offsets()).isEqualTo(tens(0, found.end()));
                    assertThat(!done || found.end() == 70).isTrue();
                });
    }

    @Test
    void aCrashDuringAFlushKeepsAllBatches() {
        crashEverywhere(log -> log.flush(50).toCompletableFuture().join(), (found, done) -> assertThat(found.offsets())
                .isEqualTo(tens(0, 50)));
    }

    @Test
    void aCrashDuringRecoveryNeverLeavesAGap() throws IOException {
        Path damaged = temp.resolve("damaged");
        try (LogStorageEngine engine = new LogStorageEngine(damaged, SETTINGS)) {
            appendFiveBatches(engine);
        }
        Files.delete(damaged.resolve("recovery-point-offset-checkpoint"));
        Path second = damaged.resolve("orders-0/00000000000000000020.log");
        byte[] bytes = Files.readAllBytes(second);
        bytes[bytes.length - 1] ^= 1;
        Files.write(second, bytes);
        boolean done = false;
        for (int changes = 1; !done; changes++) {
            assertThat(changes).isLessThan(MOST_CHANGES);
            Path image = temp.resolve("image-" + changes);
            Directories.copy(damaged, image);
            FaultyFiles files = new FaultyFiles();
            files.stopAfter(changes);

            try (LogStorageEngine engine = new LogStorageEngine(image, SETTINGS, files, Clock.systemUTC())) {
                done = engine.open(ID, 1).endOffset() == 30;
            } catch (FeliceException stopped) {
                done = false;
            }

            assertThat(afterAPowerCut(files, image)).isEqualTo(new Found(0, 30, List.of(0L, 10L, 20L)));
        }
    }

    @Test
    void aPowerCutDuringATruncationLeavesAPrefixOfTheLog() throws IOException {
        boolean done = false;
        for (int changes = 1; !done; changes++) {
            assertThat(changes).isLessThan(MOST_CHANGES);
            Path directory = temp.resolve("run-" + runs++);
            FaultyFiles files = new FaultyFiles();
            try (LogStorageEngine engine = new LogStorageEngine(directory, SETTINGS, files, Clock.systemUTC())) {
                PartitionLog log = appendFiveBatches(engine);
                files.stopAfter(changes);
                done = succeeds(one -> one.truncateTo(15), log);
            }

            Found found = afterAPowerCut(files, directory);

            assertThat(found.offsets()).isEqualTo(tens(0, found.end()));
        }
    }

    private static Found afterAPowerCut(FaultyFiles files, Path directory) throws IOException {
        files.cutPower();
        return found(directory);
    }

    /** Repeats the operation; the disk stops one change later each time, until the operation succeeds. */
    private void crashEverywhere(Consumer<PartitionLog> operation, BiConsumer<Found, Boolean> check) {
        crashEverywhere(operation, check, false);
        crashEverywhere(operation, check, true);
    }

    private void crashEverywhere(
            Consumer<PartitionLog> operation, BiConsumer<Found, Boolean> check, boolean checkpointed) {
        boolean done = false;
        for (int changes = 1; !done; changes++) {
            assertThat(changes).isLessThan(MOST_CHANGES);
            Path directory = temp.resolve("run-" + runs++);
            Path image = temp.resolve("image-" + runs);
            FaultyFiles files = new FaultyFiles();
            try (LogStorageEngine engine = new LogStorageEngine(directory, SETTINGS, files, Clock.systemUTC())) {
                PartitionLog log = appendFiveBatches(engine);
                if (checkpointed) {
                    assertThatCode(engine::checkpoint).doesNotThrowAnyException();
                }
                files.stopAfter(changes);
                done = succeeds(operation, log);
                Directories.copy(directory, image);
                files.stopAfter(Integer.MAX_VALUE);
            }
            check.accept(found(image), done);
        }
    }

    private static boolean succeeds(Consumer<PartitionLog> operation, PartitionLog log) {
        try {
            operation.accept(log);
            return true;
        } catch (FeliceException | java.util.concurrent.CompletionException stopped) {
            return false;
        }
    }

    /** Batches of ten records, at offsets 0 and 10 in the first segment, 20 and 30 in the second, 40 in the third. */
    private static PartitionLog appendFiveBatches(LogStorageEngine engine) {
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

    private static Found found(Path image) {
        try (LogStorageEngine engine = new LogStorageEngine(image, SETTINGS)) {
            PartitionLog log = engine.open(ID, 1);
            List<Long> offsets = batchesIn(everythingIn(log)).stream()
                    .map(RecordBatch::baseOffset)
                    .toList();
            Found found = new Found(log.startOffset(), log.endOffset(), offsets);
            log.append(batch(1).at(log.endOffset()));
            log.settle(log.endOffset());
            return found;
        }
    }

    private static List<Long> tens(long from, long to) {
        return java.util.stream.LongStream.range(from / 10, to / 10)
                .mapToObj(ten -> 10 * ten)
                .toList();
    }
}
