package io.felice.storage.log;

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
import io.felice.api.storage.Replacement;
import io.felice.api.storage.Segment;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tests that a full or failing disk affects only the logs that it fails, and that they can be opened again afterwards.
 */
class FailureTest {
    private static final LogId BAD = new LogId(new UUID(1, 1), 0, "bad");
    private static final LogId GOOD = new LogId(new UUID(2, 2), 0, "good");
    private static final int PLENTY = 1 << 20;

    @TempDir
    Path temp;

    @TempDir
    Path images;

    private final FaultyFiles files = new FaultyFiles();
    private LogStorageEngine engine;
    private PartitionLog bad;
    private PartitionLog good;

    @BeforeEach
    void openTwoLogs() {
        engine = new LogStorageEngine(temp, LogSettings.DEFAULT, files, Clock.systemUTC(), false);
        bad = engine.open(BAD, 1);
        good = engine.open(GOOD, 1);
        for (PartitionLog log : new PartitionLog[] {bad, good}) {
            log.append(batch(10).at(0));
            log.settle(log.endOffset());
        }
    }

    @AfterEach
    void close() {
        files.heal();
        engine.close();
    }

    @Test
    void aNewSegmentThatFindsNoRoomLeavesTheLogAsItWas() throws IOException {
        RecordBatch large = batch(1).valueBytes(200_000).at(10);
        bad.append(large);
        bad.roll();
        byte[] before = everythingIn(bad);
        List<Segment> sealed = bad.segments().subList(0, 1);
        files.fillUp(".cleaned");
        assertStorageError(() -> bad.replace(sealed), "No space left on device");
        files.heal();

        try (Replacement replacement = bad.replace(sealed)) {
            files.fillUp(".cleaned");
            assertStorageError(() -> replacement.append(large), "No space left on device");
        }
        files.heal();
        files.breakFsync(".cleaned");
        try (Replacement replacement = bad.replace(sealed)) {
            assertStorageError(replacement::prepare, "Input/output error");
        }

        assertThat(bad.hasFailed()).isFalse();
        bad.append(batch(10).at(11));
        bad.settle(bad.endOffset());
        bad.truncateTo(11);
        assertThat(everythingIn(bad)).isEqualTo(before);
        try (Stream<Path> left = Files.list(temp.resolve("bad-0"))) {
            assertThat(left).noneMatch(file -> file.toString().endsWith(".cleaned"));
        }
    }

    @Test
    void aWriteToAFullDiskMakesItsLogUnusableAndNoOther() {
        files.fillUp("bad-0");
        bad.append(batch(10).at(10));

        assertStorageError(() -> bad.settle(bad.endOffset()), "No space left on device");

        assertStorageError(() -> bad.append(batch(10).at(20)), "bad-0 is offline");
        assertStorageError(() -> bad.settle(bad.endOffset()), "bad-0 is offline");
        assertThatThrownBy(() -> bad.flush(10).toCompletableFuture().join()).hasMessageContaining("offline");
        assertThat(bad.settledOffset()).isEqualTo(10);
        assertThat(offsetsOf(bad.read(0, 10, PLENTY, true))).containsExactly(0L);
        good.append(batch(10).at(10));
        good.settle(good.endOffset());
        assertThat(good.settledOffset()).isEqualTo(20);
        assertThat(cell("logs.failed")).isEqualTo(1L);
    }

    @Test
    void aBatchWrittenDirectlyToAFullDiskMakesItsLogUnusableAndEarlierBatchesStay() {
        int end = 10;
        for (; end < 1_000; end += 10) {
            bad.append(batch(10).valueBytes(1_000).at(end));
            bad.settle(bad.endOffset());
        }
        int failed = end;
        files.fillUp("bad-0");

        assertStorageError(() -> bad.append(batch(10).at(failed)), "No space left on device");

        assertThat(bad.endOffset()).isEqualTo(failed);
        assertStorageError(() -> bad.settle(bad.endOffset()), "bad-0 is offline");
        files.heal();
        PartitionLog again = engine.open(BAD, 2);
        assertThat(again.endOffset()).isEqualTo(failed);
        again.append(batch(10).at(failed));
        again.settle(again.endOffset());
        assertThat(offsetsOf(again.read(failed - 10, failed + 10, PLENTY, true)))
                .containsExactly(failed - 10L, (long) failed);
        good.append(batch(10).at(10));
        good.settle(good.endOffset());
    }

    @Test
    void aLogOpenedAgainAfterAFullDiskHasAllSettledBatches() {
        files.fillUp("bad-0");
        bad.append(batch(10).at(10));
        assertStorageError(() -> bad.settle(bad.endOffset()), "No space");
        PartitionLog still = engine.open(BAD, 2);
        still.append(batch(10).at(10));
        assertStorageError(() -> still.settle(still.endOffset()), "No space");

        files.heal();
        PartitionLog again = engine.open(BAD, 2);

        assertThat(again.endOffset()).isEqualTo(10);
        again.append(batch(10).at(10));
        again.settle(again.endOffset());
        assertThat(batchesIn(everythingIn(again)))
                .extracting(RecordBatch::baseOffset)
                .containsExactly(0L, 10L);
        assertStorageError(() -> still.append(batch(10).at(20)), "offline");
        assertStorageError(() -> bad.append(batch(10).at(20)), "offline");
    }

    @Test
    void anOlderLeaseIsStillRefusedAfterAFailure() {
        PartitionLog newer = engine.open(BAD, 7);
        files.fillUp("bad-0");
        newer.append(batch(10).at(10));
        assertStorageError(() -> newer.settle(newer.endOffset()), "No space");
        files.heal();

        PartitionLog late = engine.open(BAD, 6);

        assertStorageError(() -> late.append(batch(10).at(10)), "newer owner");
    }

    @Test
    void aLargeBatchOnAFullDiskFailsItsAppendAndIsNotInTheLog() {
        files.fillUp("bad-0");

        assertStorageError(() -> bad.append(batch(1).valueBytes(1_000_000).at(10)), "No space");

        files.heal();
        PartitionLog again = engine.open(BAD, 1);
        assertThat(again.endOffset()).isEqualTo(10);
        assertThat(batchesIn(everythingIn(again))).hasSize(1);
    }

    @Test
    void aNewLogThatFailedOnAFullDiskCanBeOpenedWhenSpaceIsFree() {
        LogId fresh = new LogId(new UUID(3, 3), 0, "fresh");
        PartitionLog log = engine.open(fresh, 1);
        files.fillUp("fresh-0");
        log.append(batch(10).at(0));
        assertStorageError(() -> log.settle(log.endOffset()), "No space");

        files.heal();
        PartitionLog again = engine.open(fresh, 1);

        again.append(batch(10).at(0));
        again.settle(again.endOffset());
        assertThat(batchesIn(everythingIn(again))).hasSize(1);
    }

    @Test
    void aTrimDeletesWholeSegmentsOnAFullDisk() {
        bad.roll();
        bad.append(batch(10).at(10));
        bad.settle(bad.endOffset());
        files.fillUp("");

        bad.trimTo(10);

        assertThat(bad.startOffset()).isEqualTo(10);
        assertThat(Directories.filesOf(temp.resolve("bad-0"), ".log")).hasSize(1);
    }

    @Test
    void aTrimOfTheWholeLogDeletesSealedSegmentsBeforeItNeedsSpace() {
        bad.roll();
        bad.append(batch(10).at(10));
        bad.settle(bad.endOffset());
        files.fillUp("bad-0");

        assertStorageError(() -> bad.trimTo(20), "No space left on device");

        assertThat(temp.resolve("bad-0/" + SegmentFile.nameOf(0, ".log"))).doesNotExist();
        files.heal();
        PartitionLog again = engine.open(BAD, 2);
        assertThat(again.startOffset()).isEqualTo(10);
        again.append(batch(1).at(20));
        again.settle(again.endOffset());
    }

    @Test
    void aTrimWhoseCheckpointCannotBeWrittenFailsAndTheLogStaysUsable() {
        bad.roll();
        bad.append(batch(10).at(10));
        bad.settle(bad.endOffset());
        files.fillUp("log-start-offset-checkpoint");

        assertStorageError(() -> bad.trimTo(15), "the start 15 of bad-0 cannot be written: No space left on device");
        assertStorageError(() -> bad.trimTo(15), "No space left on device");

        assertThat(bad.startOffset()).isEqualTo(10);
        assertThat(startAfterAKill("full")).isEqualTo(10);
        assertThat(cell("logs.failed")).isEqualTo(0L);
        bad.append(batch(10).at(20));
        bad.settle(bad.endOffset());
        files.heal();
        bad.trimTo(15);
        assertThat(bad.startOffset()).isEqualTo(15);
        assertThat(startAfterAKill("healed")).isEqualTo(15);
    }

    @Test
    void aLogOpenedAgainHasTheStartThatIsInTheCheckpoint() {
        files.fillUp("log-start-offset-checkpoint");
        assertStorageError(() -> bad.trimTo(5), "cannot be written");
        files.fillUp("bad-0");
        bad.append(batch(10).at(10));
        assertStorageError(() -> bad.settle(bad.endOffset()), "No space");

        PartitionLog again = engine.open(BAD, 2);

        assertThat(again.startOffset()).isZero();
        files.heal();
        again.trimTo(5);
        assertThat(startAfterAKill("healed")).isEqualTo(5);
    }

    private long startAfterAKill(String name) {
        Path image = images.resolve(name);
        Directories.copy(temp, image);
        try (LogStorageEngine next = new LogStorageEngine(image, LogSettings.DEFAULT)) {
            return next.open(BAD, 9).startOffset();
        }
    }

    @Test
    void anIoErrorOfOneLogDoesNotStopTheCuttingOffOfZerosInOtherLogs() throws IOException {
        files.breakTruncation("bad-0", new UncheckedIOException(new IOException("Input/output error")));
        appendQuickly(bad);
        appendQuickly(good);
        assertThat(bytesOf("good-0")).isGreaterThan(sizeOf(good));

        engine.cutOffZeros();
        engine.cutOffZeros();

        assertThat(bytesOf("good-0")).isEqualTo(sizeOf(good));
        assertThat(bytesOf("bad-0")).isGreaterThan(sizeOf(bad));
        assertStorageError(() -> bad.append(batch(1).at(bad.endOffset())), "bad-0 is offline");
        assertThat(cell("logs.failed")).isEqualTo(1L);
    }

    @Test
    void anUnexpectedExceptionOfOneLogDoesNotStopTheCuttingOffOfZerosInOtherLogs() throws IOException {
        files.breakTruncation("bad-0", new IllegalStateException("unexpected"));
        appendQuickly(bad);
        appendQuickly(good);

        engine.cutOffZeros();
        engine.cutOffZeros();

        assertThat(bytesOf("good-0")).isEqualTo(sizeOf(good));
        assertThat(bytesOf("bad-0")).isGreaterThan(sizeOf(bad));
    }

    private static void appendQuickly(PartitionLog log) {
        for (int i = 0; i < 20; i++) {
            log.append(batch(1).valueBytes(10_000).at(log.endOffset()));
            log.settle(log.endOffset());
        }
    }

    private long bytesOf(String partition) throws IOException {
        return Files.size(Directories.lastSegmentOf(temp.resolve(partition)));
    }

    private static long sizeOf(PartitionLog log) {
        return log.segments().get(0).sizeInBytes();
    }

    @Test
    void aFailedFsyncMakesItsLogUnusable() {
        files.breakFsync("bad-0");

        assertThatThrownBy(() -> bad.flush(10).toCompletableFuture().join())
                .hasCauseInstanceOf(FeliceException.class)
                .hasMessageContaining("Input/output error");

        assertThat(bad.flushedOffset()).isZero();
        assertStorageError(() -> bad.append(batch(1).at(10)), "offline");
        good.flush(10).toCompletableFuture().join();
        assertThat(good.flushedOffset()).isEqualTo(10);
    }

    @Test
    void batchesOfAFailedFsyncAreWrittenAgainBeforeTheyCountAsFlushed() throws IOException {
        bad.flush(10).toCompletableFuture().join();
        bad.append(batch(10).at(10));
        bad.roll();
        files.breakFsync("bad-0");
        assertThatThrownBy(() -> {
                    bad.append(batch(10).at(20));
                    bad.flush(30).toCompletableFuture().join();
                })
                .hasMessageContaining("Input/output error");
        files.heal();

        PartitionLog again = engine.open(BAD, 2);
        // The flush after the roll may have failed before the append of the last batch.
        long end = again.endOffset();
        assertThat(end).isIn(20L, 30L);
        again.flush(end).toCompletableFuture().join();

        assertSurvivesAPowerCut(end, (int) end / 10);
    }

    @Test
    void batchesOfAFailedFsyncAreWrittenAgainAfterARestart() throws IOException {
        files.breakFsync("bad-0");
        assertThatThrownBy(() -> bad.flush(10).toCompletableFuture().join()).hasMessageContaining("Input/output error");
        engine.close();
        files.heal();
        engine = new LogStorageEngine(temp, LogSettings.DEFAULT, files, Clock.systemUTC());

        engine.open(BAD, 2).flush(10).toCompletableFuture().join();

        assertSurvivesAPowerCut(10, 1);
    }

    @Test
    void aLogCannotBeOpenedWhileItsFsyncsFail() throws IOException {
        files.breakFsync("bad-0");
        assertThatThrownBy(() -> bad.flush(10).toCompletableFuture().join()).hasMessageContaining("Input/output error");

        assertStorageError(() -> engine.open(BAD, 2), "bad-0 cannot be opened: Input/output error");

        files.heal();
        engine.open(BAD, 2).flush(10).toCompletableFuture().join();
        assertThat(temp.resolve("bad-0/fsync-failed")).doesNotExist();
        assertSurvivesAPowerCut(10, 1);
    }

    private void assertSurvivesAPowerCut(long end, int batches) throws IOException {
        engine.close();
        files.cutPower();
        engine = new LogStorageEngine(temp, LogSettings.DEFAULT, files, Clock.systemUTC());
        PartitionLog after = engine.open(BAD, 3);
        assertThat(after.endOffset()).isEqualTo(end);
        assertThat(batchesIn(everythingIn(after))).hasSize(batches);
    }

    @Test
    void aLogCannotBeOpenedWhileItsFileCannotBeReadAndOtherLogsCan() {
        files.fillUp("bad-0");
        bad.append(batch(10).at(10));
        assertStorageError(() -> bad.settle(bad.endOffset()), "No space");
        files.heal();
        files.breakReads("bad-0");

        assertStorageError(() -> engine.open(BAD, 2), "bad-0 cannot be opened: Input/output error");

        good.append(batch(1).at(10));
        files.heal();
        assertThat(engine.open(BAD, 2).endOffset()).isEqualTo(10);
    }

    @Test
    void aReadErrorFailsTheReadAndTheLogStaysUsable() {
        engine.close();
        engine = new LogStorageEngine(temp, new LogSettings(512 << 10, 0, 8_000, 2), files, Clock.systemUTC(), false);
        bad = engine.open(BAD, 2);
        bad.roll();
        bad.append(batch(10).at(10));
        bad.settle(bad.endOffset());
        String first = "bad-0/" + SegmentFile.nameOf(0, ".log");
        files.breakReads(first);

        assertStorageError(() -> bad.read(0, 10, PLENTY, true), "bad-0 cannot be read at offset 0: Input/output error");

        assertThat(offsetsOf(bad.read(10, 20, PLENTY, true))).containsExactly(10L);
        bad.append(batch(10).at(20));
        bad.settle(bad.endOffset());
        assertThat(bad.settledOffset()).isEqualTo(30);
        assertThat(cell("logs.failed")).isEqualTo(0L);
        files.heal();
        assertThat(offsetsOf(bad.read(0, 10, PLENTY, true))).containsExactly(0L);
    }

    @Test
    void anIndexThatCannotBeReadIsRebuilt() throws IOException {
        bad.roll();
        bad.append(batch(10).at(10));
        bad.settle(bad.endOffset());
        engine.close();
        Path index = temp.resolve("bad-0/" + SegmentFile.nameOf(0, ".timeindex"));
        Files.deleteIfExists(index);
        Files.createDirectory(index);
        engine = new LogStorageEngine(temp, LogSettings.DEFAULT, files, Clock.systemUTC(), false);
        bad = engine.open(BAD, 2);

        assertThat(bad.segments().get(0).maxTimestamp()).isNotNegative();

        bad.append(batch(10).at(20));
        bad.settle(bad.endOffset());
        assertThat(cell("logs.failed")).isEqualTo(0L);
    }

    @Test
    void failedOpensLeaveNoFileOpen() {
        files.fillUp("bad-0");
        bad.append(batch(10).at(10));
        assertStorageError(() -> bad.settle(bad.endOffset()), "No space");
        files.heal();
        files.breakReads("bad-0");
        assertStorageError(() -> engine.open(BAD, 2), "Input/output error");
        Object before = cell("files.open");

        for (int i = 0; i < 20; i++) {
            assertStorageError(() -> engine.open(BAD, 2), "Input/output error");
        }

        assertThat(cell("files.open")).isEqualTo(before);
    }

    @Test
    void aLogThatEndsBelowItsRecoveryPointGetsALowerRecoveryPoint() throws IOException {
        bad.append(batch(10).at(10));
        bad.append(batch(10).at(20));
        bad.flush(30).toCompletableFuture().join();
        Path file = temp.resolve("bad-0/" + SegmentFile.nameOf(0, ".log"));
        engine.checkpoint();
        Path cut = images.resolve("cut");
        Directories.copy(temp, cut);
        long batchBytes = Files.size(file) / 3;
        try (FileChannel channel = FileChannel.open(cut.resolve(temp.relativize(file)), StandardOpenOption.WRITE)) {
            channel.truncate(batchBytes);
        }
        try (LogStorageEngine restored = new LogStorageEngine(cut, LogSettings.DEFAULT)) {
            PartitionLog log = restored.open(BAD, 2);
            assertThat(log.endOffset()).isEqualTo(10);
            log.append(batch(10).at(10));
            log.settle(log.endOffset());
            Path torn = images.resolve("torn");
            Directories.copy(cut, torn);
            try (FileChannel channel =
                    FileChannel.open(torn.resolve(temp.relativize(file)), StandardOpenOption.WRITE)) {
                channel.write(ByteBuffer.wrap(new byte[10]), 2 * batchBytes - 10);
            }
            try (LogStorageEngine after = new LogStorageEngine(torn, LogSettings.DEFAULT)) {
                assertThat(after.open(BAD, 3).endOffset()).isEqualTo(10);
            }
        }
    }

    @Test
    void aStoppedEngineRefusesAllCalls() {
        engine.close();

        assertStorageError(() -> good.append(batch(1).at(10)), "stopped");
        assertStorageError(() -> engine.open(GOOD, 2), "stopped");
        assertStorageError(() -> good.read(0, 10, PLENTY, true), "stopped");
    }

    @Test
    void theDirectoryStaysLockedWhileAThreadWritesToIt() throws InterruptedException {
        CountDownLatch thaw = new CountDownLatch(1);
        DiskFiles slow = new DiskFiles() {
            @Override
            boolean write(FileChannel channel, ByteBuffer source, ByteBuffer behind, long position) throws IOException {
                if (Thread.currentThread().getName().contains("flush")) {
                    try {
                        thaw.await();
                    } catch (InterruptedException interrupted) {
                        throw new IOException(interrupted);
                    }
                }
                return super.write(channel, source, behind, position);
            }
        };
        Path place = temp.resolve("slow");
        LogStorageEngine stuck = new LogStorageEngine(place, LogSettings.DEFAULT, slow, Clock.systemUTC());
        stuck.open(GOOD, 1).append(batch(10).at(0));
        Thread closing = new Thread(stuck::close);
        closing.start();
        closing.interrupt();
        closing.join();
        try (LogStorageEngine next = new LogStorageEngine(place, LogSettings.DEFAULT)) {
            assertStorageError(() -> next.open(GOOD, 2), "in use");

            thaw.countDown();

            long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
            assertThat(opensBefore(next, deadline)).isTrue();
            assertThat(next.open(GOOD, 2).endOffset()).isEqualTo(10);
        } finally {
            thaw.countDown();
        }
    }

    private static boolean opensBefore(LogStorageEngine next, long deadline) throws InterruptedException {
        while (System.nanoTime() < deadline) {
            try {
                next.open(GOOD, 2).close();
                return true;
            } catch (FeliceException stillTaken) {
                Thread.sleep(10);
            }
        }
        return false;
    }

    @Test
    void anEngineWithAFailedLogStopsWithoutTheMarkerOfACleanShutdown() {
        files.fillUp("bad-0");
        bad.append(batch(10).at(10));
        assertStorageError(() -> bad.settle(bad.endOffset()), "No space");
        files.heal();

        engine.close();

        assertThat(temp.resolve(".kafka_cleanshutdown")).doesNotExist();
    }

    private Object cell(String column) {
        return engine.tables().get(0).cell(temp.toString(), column).orElseThrow();
    }

    private static void assertStorageError(ThrowingCallable action, String fact) {
        assertThatThrownBy(action).isInstanceOfSatisfying(FeliceException.class, failure -> {
            assertThat(failure.code()).isEqualTo(ErrorCode.KAFKA_STORAGE_ERROR);
            assertThat(failure.getMessage()).contains(fact);
        });
    }
}
