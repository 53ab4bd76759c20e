package io.felice.storage.mvstore;

import static io.felice.testkit.LogContents.batchesIn;
import static io.felice.testkit.LogContents.everythingIn;
import static io.felice.testkit.LogContents.offsetsOf;
import static io.felice.testkit.TestBatches.batch;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.RecordBatch;
import io.felice.api.storage.LogId;
import io.felice.api.storage.PartitionLog;
import io.felice.testkit.TestBatches;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A disk that fills up or breaks takes the logs offline that it hits, and they come back when it is well again. */
class StoreFailureTest {
    private static final LogId BAD = new LogId(new UUID(1, 1), 0, "bad");
    private static final LogId GOOD = new LogId(new UUID(2, 2), 0, "good");
    private static final int PLENTY = 1 << 20;
    private static final StoreSettings ONE_SHARD = new StoreSettings(1, 64 << 20, 0, 64 << 20, 1 << 20, 1);

    @TempDir
    Path temp;

    private Path directory;
    private FaultyDisk.State disk;
    private MvStorageEngine engine;
    private PartitionLog bad;
    private PartitionLog good;

    @BeforeEach
    void openTwoLogs() {
        directory = temp.resolve("store");
        disk = FaultyDisk.at(directory);
        engine = start(ONE_SHARD);
        bad = engine.open(BAD, 1);
        good = engine.open(GOOD, 1);
        for (PartitionLog log : new PartitionLog[] {bad, good}) {
            log.append(batch(10).at(0));
            settle(log);
        }
    }

    private MvStorageEngine start(StoreSettings settings) {
        return new MvStorageEngine(directory, settings, disk.prefix(), Clock.systemUTC(), disk::volume);
    }

    @AfterEach
    void close() {
        disk.heal();
        engine.close();
        FaultyDisk.forget(directory);
    }

    private static void settle(PartitionLog log) {
        try {
            log.settle(log.endOffset()).toCompletableFuture().get(30, TimeUnit.SECONDS);
        } catch (Exception failure) {
            throw FeliceException.unwrap(failure) instanceof FeliceException expected
                    ? expected
                    : new IllegalStateException(failure);
        }
    }

    private static void flush(PartitionLog log) {
        try {
            log.flush(log.endOffset()).toCompletableFuture().join();
        } catch (CompletionException failure) {
            throw FeliceException.unwrap(failure) instanceof FeliceException expected ? expected : failure;
        }
    }

    private static void assertStorageError(ThrowingCallable action, String message) {
        assertThatThrownBy(action).isInstanceOfSatisfying(FeliceException.class, failure -> {
            assertThat(failure.code()).isEqualTo(ErrorCode.KAFKA_STORAGE_ERROR);
            assertThat(failure).hasMessageContaining(message);
        });
    }

    private void fillUp() {
        disk.fillUpAt(1);
    }

    private List<Long> offsets(PartitionLog log) {
        return batchesIn(everythingIn(log)).stream()
                .map(RecordBatch::baseOffset)
                .toList();
    }

    // A full disk

    @Test
    void aFullDiskKillsTheHandleThatMeetsItAndNoOther() {
        fillUp();
        bad.append(batch(10).at(10));

        assertStorageError(() -> settle(bad), "No space left on device");

        assertThat(bad.hasFailed()).isTrue();
        assertStorageError(() -> bad.append(batch(10).at(20)), "bad-0 is offline");
        assertStorageError(() -> settle(bad), "bad-0 is offline");
        assertStorageError(() -> flush(bad), "offline");
        assertThat(bad.settledOffset()).isEqualTo(10);
        assertThat(offsetsOf(bad.read(0, 10, PLENTY, true))).containsExactly(0L);
        assertThat(good.hasFailed()).isFalse();
        disk.heal();
        good.append(batch(10).at(10));
        settle(good);
        assertThat(offsets(good)).containsExactly(0L, 10L);
    }

    @Test
    void aLogComesBackWithAllThatWasSettledWhenThereIsSpaceAgain() {
        fillUp();
        bad.append(batch(10).at(10));
        assertStorageError(() -> settle(bad), "No space");
        PartitionLog still = engine.open(BAD, 2);
        still.append(batch(10).at(10));
        assertStorageError(() -> settle(still), "No space");

        disk.heal();
        PartitionLog again = engine.open(BAD, 2);

        assertThat(again.endOffset()).isEqualTo(10);
        again.append(batch(10).at(10));
        settle(again);
        assertThat(offsets(again)).containsExactly(0L, 10L);
        assertStorageError(() -> still.append(batch(10).at(20)), "opened again");
        assertStorageError(() -> bad.append(batch(10).at(20)), "opened again");
    }

    @Test
    void theNewestLeaseIsKnownAfterAFailure() {
        PartitionLog newer = engine.open(BAD, 7);
        fillUp();
        newer.append(batch(10).at(10));
        assertStorageError(() -> settle(newer), "No space");
        disk.heal();

        PartitionLog late = engine.open(BAD, 6);

        assertStorageError(() -> late.append(batch(10).at(10)), "newer owner");
    }

    @Test
    void aNewLogOnAFullDiskFailsAndComesBack() {
        LogId fresh = new LogId(new UUID(3, 3), 0, "fresh");
        PartitionLog log = engine.open(fresh, 1);
        fillUp();
        log.append(batch(10).at(0));
        assertStorageError(() -> settle(log), "No space");

        disk.heal();
        PartitionLog again = engine.open(fresh, 1);

        again.append(batch(10).at(0));
        settle(again);
        assertThat(offsets(again)).containsExactly(0L);
    }

    @Test
    void recordsCanBeDeletedOnAFullDisk() throws IOException {
        Path spare = directory.resolve(SpareFile.NAME);
        for (int i = 0; i < 1_000 && !Files.exists(spare); i++) {
            sleep();
        }
        disk.fillUpAt(disk.volume().totalBytes() - disk.volume().usableBytes());

        bad.trimTo(10);

        assertThat(bad.startOffset()).isEqualTo(10);
        assertThat(spare).doesNotExist();
        engine.close();
        engine = start(ONE_SHARD);
        assertThat(engine.open(BAD, 3).startOffset()).isEqualTo(10);
    }

    private static void sleep() {
        try {
            Thread.sleep(10);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void aStartThatCannotBeWrittenIsNotTakenForDoneAndHarmsNothing() throws IOException {
        Files.deleteIfExists(directory.resolve(SpareFile.NAME));
        fillUp();
        Files.deleteIfExists(directory.resolve(SpareFile.NAME));

        assertStorageError(() -> bad.trimTo(5), "No space left on device");

        assertThat(bad.startOffset()).isZero();
        assertThat(bad.hasFailed()).isFalse();
        disk.heal();
        bad.append(batch(10).at(10));
        settle(bad);
        bad.trimTo(5);
        assertThat(bad.startOffset()).isEqualTo(5);
    }

    // A broken disk

    @Test
    void aFailedFsyncKillsTheHandle() {
        disk.breakFsync();

        assertStorageError(() -> flush(bad), "Input/output error");

        assertThat(bad.flushedOffset()).isZero();
        assertThat(bad.hasFailed()).isTrue();
        assertThat(good.hasFailed()).isFalse();
    }

    @Test
    void whatAFailedFsyncForgotIsWrittenAgainBeforeItCountsAsFlushed() throws IOException {
        bad.append(batch(10).at(10));
        disk.breakFsync();
        assertStorageError(() -> flush(bad), "Input/output error");
        disk.heal();

        PartitionLog again = engine.open(BAD, 2);
        assertThat(again.endOffset()).isEqualTo(20);
        flush(again);

        assertThat(again.flushedOffset()).isEqualTo(20);
        assertSurvivesAPowerCut(BAD, 0L, 10L);
        assertThat(offsets(good)).containsExactly(0L);
    }

    @Test
    void aFailedFsyncIsStillKnownAfterARestart() throws IOException {
        disk.breakFsync();
        assertStorageError(() -> flush(bad), "Input/output error");
        engine.close();
        disk.heal();

        engine = start(ONE_SHARD);
        PartitionLog again = engine.open(BAD, 2);
        again.append(batch(10).at(10));
        flush(again);

        assertThat(directory.resolve("00-000001.mv")).doesNotExist();
        assertSurvivesAPowerCut(BAD, 0L, 10L);
    }

    private void assertSurvivesAPowerCut(LogId id, Long... offsets) throws IOException {
        for (int seed = 0; seed < 20; seed++) {
            Path copy = temp.resolve("cut-" + seed);
            StoreCopies.copy(directory, copy);
            disk.cutPower(copy, new Random(seed));
            try (MvStorageEngine next = new MvStorageEngine(copy, ONE_SHARD)) {
                assertThat(offsets(next.open(id, 9))).as("seed " + seed).containsExactly(offsets);
            }
        }
    }

    @Test
    void aDiskThatCannotBeReadFailsTheReadAndNothingElse() {
        for (int i = 1; i < 200; i++) {
            bad.append(batch(10).valueBytes(30_000).at(10L * i));
            settle(bad);
        }
        disk.breakReads("00-000001");

        assertStorageError(() -> bad.read(100, 1_000, PLENTY, true), "Input/output error");

        disk.heal();
        assertThat(bad.hasFailed()).isFalse();
        assertThat(offsets(bad)).hasSize(200);
    }

    @Test
    void aDiskThatStopsForGoodTakesTheLogsOfItsFileOfflineAndTheyComeBack() {
        disk.stopAfter(0);
        disk.breakReads("00-000001");
        bad.append(batch(10).at(10));
        assertStorageError(() -> settle(bad), "offline");
        assertThatThrownBy(() -> engine.open(BAD, 2)).isInstanceOf(FeliceException.class);

        disk.heal();
        PartitionLog again = engine.open(BAD, 2);

        again.append(batch(10).at(10));
        settle(again);
        assertThat(offsets(again)).containsExactly(0L, 10L);
        good.append(batch(10).at(10));
        settle(good);
        assertThat(offsets(good)).containsExactly(0L, 10L);
    }

    // Damaged files

    @Test
    void aFileThatIsDamagedTakesItsOwnLogsOfflineAndSaysHowTheyComeBack() throws IOException {
        engine.close();
        StoreSettings four = new StoreSettings(4, 64 << 20, 0, 64 << 20, 1 << 20, 1);
        directory = temp.resolve("four");
        disk = FaultyDisk.at(directory);
        engine = start(four);
        LogId[] ids = new LogId[20];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = new LogId(new UUID(9, 9), i, "many");
            PartitionLog log = engine.open(ids[i], 1);
            log.append(batch(10).at(0));
            settle(log);
        }
        engine.close();
        Path file = directory.resolve("02-000001.mv");
        byte[] sound = Files.readAllBytes(file);
        Files.write(file, new byte[sound.length]);

        engine = start(four);

        int offline = 0;
        for (LogId id : ids) {
            try {
                assertThat(offsets(engine.open(id, 2))).containsExactly(0L);
            } catch (FeliceException damaged) {
                offline++;
                assertThat(damaged)
                        .hasMessageContaining("02-000001.mv")
                        .hasMessageContaining("Restore")
                        .hasMessageContaining("away");
            }
        }
        assertThat(offline).isBetween(1, 10);
        Files.write(file, sound);
        engine.close();
        engine = start(four);
        for (LogId id : ids) {
            assertThat(offsets(engine.open(id, 3))).containsExactly(0L);
        }
    }

    @Test
    void anOlderFileThatIsDamagedTakesTheLogsOfflineThatNeedItUntilItIsRestored() throws IOException {
        Path older = secondGeneration();
        byte[] sound = Files.readAllBytes(older);
        Files.write(older, new byte[sound.length]);

        engine = start(ONE_SHARD);

        assertStorageError(() -> engine.open(BAD, 2), "Restore the file from a backup");
        assertThat(engine.open(GOOD, 2).startOffset()).isEqualTo(10);
        Files.write(older, sound);
        assertThat(offsets(engine.open(BAD, 3))).containsExactly(0L, 10L);
    }

    @Test
    void theSoundFilesOfALogStayWhileAnotherOfItsFilesIsDamaged() throws IOException {
        secondGeneration();
        Path damaged = newest();
        engine = start(new StoreSettings(1, 1, 0, 64 << 20, 1 << 20, 1));
        engine.open(GOOD, 2).trimTo(20);
        engine.close();
        byte[] sound = Files.readAllBytes(damaged);
        Files.write(damaged, new byte[sound.length]);
        engine = start(ONE_SHARD);
        assertStorageError(() -> engine.open(BAD, 3), "Restore the file from a backup");
        engine.open(GOOD, 3).trimTo(20);
        engine.close();

        Files.write(damaged, sound);
        engine = start(ONE_SHARD);

        assertThat(offsets(engine.open(BAD, 4))).containsExactly(0L, 10L);
    }

    @Test
    void aLogGoesOnWithoutTheRecordsOfAFileThatWasMovedAway() throws IOException {
        Files.delete(secondGeneration());

        engine = start(ONE_SHARD);

        PartitionLog log = engine.open(BAD, 2);
        assertThat(offsets(log)).containsExactly(10L);
        assertThat(log.endOffset()).isEqualTo(20);
        log.append(batch(10).at(20));
        settle(log);
        engine.close();
        engine = start(ONE_SHARD);
        assertThat(offsets(engine.open(BAD, 3))).containsExactly(10L, 20L);
    }

    private Path newest() throws IOException {
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.filter(file -> file.toString().endsWith(".mv"))
                    .max(Comparator.naturalOrder())
                    .orElseThrow();
        }
    }

    /** Leaves the log bad with a segment in each of two files, and good with one in the second only; the first file. */
    private Path secondGeneration() {
        engine.close();
        engine = start(new StoreSettings(1, 1, 0, 64 << 20, 1 << 20, 1));
        engine.open(GOOD, 1).trimTo(10);
        engine.close();
        engine = start(ONE_SHARD);
        for (LogId id : List.of(BAD, GOOD)) {
            PartitionLog log = engine.open(id, 1);
            log.append(batch(10).at(10));
            settle(log);
        }
        engine.close();
        return directory.resolve("00-000001.mv");
    }

    @Test
    void aDamagedBatchIsNeverReadAsRecords() throws IOException {
        bad.append(batch(10).values("something that can be found").at(10));
        settle(bad);
        engine.close();
        Path file = directory.resolve("00-000001.mv");
        byte[] bytes = Files.readAllBytes(file);
        int at = indexOf(
                bytes,
                TestBatches.copyOf(
                        batch(10).values("something that can be found").at(10)));
        for (int i = at; i < at + 61; i++) {
            bytes[i] ^= 0x55;
        }
        Files.write(file, bytes, StandardOpenOption.TRUNCATE_EXISTING);

        engine = start(ONE_SHARD);

        PartitionLog log = engine.open(BAD, 2);
        assertThat(offsetsOf(log.read(0, 10, PLENTY, true))).containsExactly(0L);
        assertThatThrownBy(() -> log.read(10, 30, PLENTY, true))
                .isInstanceOfSatisfying(FeliceException.class, failure -> assertThat(failure.code())
                        .isEqualTo(ErrorCode.CORRUPT_MESSAGE));
        assertThat(log.hasFailed()).isFalse();
    }

    private static int indexOf(byte[] all, byte[] part) {
        for (int at = 0; at + part.length <= all.length; at++) {
            if (java.util.Arrays.equals(all, at, at + part.length, part, 0, part.length)) {
                return at;
            }
        }
        throw new AssertionError("not found");
    }
}
