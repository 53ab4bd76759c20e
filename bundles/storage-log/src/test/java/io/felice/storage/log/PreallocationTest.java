package io.felice.storage.log;

import static io.felice.testkit.LogContents.batchesIn;
import static io.felice.testkit.LogContents.everythingIn;
import static io.felice.testkit.TestBatches.batch;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.RecordBatch;
import io.felice.api.storage.LogId;
import io.felice.api.storage.PartitionLog;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.stream.LongStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests when a file has zeros behind its last batch, and that readers and recovery never take zeros for batches. */
class PreallocationTest {
    private static final LogId ID = new LogId(new UUID(1, 2), 0, "orders");
    private static final LogId OTHER = new LogId(new UUID(3, 4), 0, "clicks");
    private static final LogSettings SETTINGS = new LogSettings(1 << 20, 8 << 20, 100, 1);
    private static final int BATCH_BYTES = 2_500;

    @TempDir
    Path temp;

    private Path directory;
    private final ManualClock clock = new ManualClock();

    @BeforeEach
    void setDirectory() {
        directory = temp.resolve("data");
    }

    @Test
    void aFileThatGrowsQuicklyGrowsInPieces() throws IOException {
        try (LogStorageEngine engine = start()) {
            PartitionLog log = engine.open(ID, 1);
            long longest = 0;
            for (int i = 0; i < 20; i++) {
                append(log, i, i + 1);
                longest = Math.max(longest, segmentBytes(0));
            }

            assertThat(longest).isEqualTo(2 * Preallocation.PIECE_BYTES);
        }
    }

    @Test
    void aFileThatGrowsSlowlyIsAsLongAsItsBatches() throws IOException {
        try (LogStorageEngine engine = start()) {
            PartitionLog log = engine.open(ID, 1);
            for (int i = 0; i < 40; i++) {
                append(log, i, i + 1);
                clock.advance(200);
            }

            assertThat(segmentBytes(0)).isEqualTo(bytesOf(log));
        }
    }

    @Test
    void everyLargeWriteExtendsTheFileToTheEndOfAPiece() throws IOException {
        List<Long> ends = new ArrayList<>();
        DiskFiles files = new SmallDisk() {
            @Override
            boolean write(FileChannel channel, ByteBuffer source, ByteBuffer behind, long position) throws IOException {
                ends.add(position + source.remaining() + behind.remaining());
                return super.write(channel, source, behind, position);
            }
        };
        try (LogStorageEngine engine = start(files)) {
            PartitionLog log = engine.open(ID, 1);
            append(log, 0, 1);
            ends.clear();
            for (int i = 1; i < 9; i++) {
                log.append(batch(1).valueBytes(3 * Preallocation.PIECE_BYTES).at(i));
                log.settle(log.endOffset());
            }

            assertThat(ends).hasSize(8).allMatch(end -> end % Preallocation.PIECE_BYTES == 0);
            assertThat(segmentBytes(0)).isEqualTo(ends.get(7));
            assertThat(offsets(log)).isEqualTo(upTo(9));
        }
    }

    @Test
    void aSealedSegmentEndsWithItsLastBatch() throws IOException {
        try (LogStorageEngine engine = start()) {
            PartitionLog log = engine.open(ID, 1);
            appendLeavingZeros(log, 0, 20);
            log.roll();

            assertThat(segmentBytes(0)).isEqualTo(log.segments().get(0).sizeInBytes());
            append(log, 20, 21);
            assertThat(offsets(log)).isEqualTo(upTo(21));
        }
    }

    @Test
    void aCleanStopCutsOffTheZerosAndTheNextStartScansNothing() throws IOException {
        long bytes;
        try (LogStorageEngine engine = start()) {
            PartitionLog log = engine.open(ID, 1);
            appendLeavingZeros(log, 0, 20);
            bytes = bytesOf(log);
        }

        assertThat(segmentBytes(0)).isEqualTo(bytes);
        try (LogStorageEngine engine = start()) {
            assertThat(offsets(engine.open(ID, 1))).isEqualTo(upTo(20));
            assertThat(scannedBytes(engine)).isEqualTo(0L);
        }
    }

    @Test
    void theZerosOfAnIdleLogAreCutOff() throws IOException {
        try (LogStorageEngine engine = start()) {
            PartitionLog log = engine.open(ID, 1);
            appendLeavingZeros(log, 0, 20);
            engine.cutOffZeros();
            assertThat(segmentBytes(0)).isGreaterThan(bytesOf(log));
            engine.cutOffZeros();

            assertThat(segmentBytes(0)).isEqualTo(bytesOf(log));
            append(log, 20, 60);
            assertThat(offsets(log)).isEqualTo(upTo(60));
        }
    }

    @Test
    void afterAKillTheZerosAreCutOffAndAppendsContinue() throws IOException {
        Path killed = temp.resolve("killed");
        try (LogStorageEngine engine = start()) {
            appendLeavingZeros(engine.open(ID, 1), 0, 20);
            Directories.copy(directory, killed);
        }

        directory = killed;
        try (LogStorageEngine engine = start()) {
            PartitionLog log = engine.open(ID, 1);
            assertThat(offsets(log)).isEqualTo(upTo(20));
            assertThat(segmentBytes(0)).isEqualTo(bytesOf(log));
            append(log, 20, 40);
            assertThat(offsets(log)).isEqualTo(upTo(40));
        }
    }

    @Test
    void afterAKillTheLastSegmentIsReadOnce() throws IOException {
        Path killed = temp.resolve("killed");
        long bytes;
        try (LogStorageEngine engine = start()) {
            PartitionLog log = engine.open(ID, 1);
            appendSmall(log, 0, 1_000);
            log.flush(1_000).toCompletableFuture().join();
            engine.checkpoint();
            appendSmall(log, 1_000, 2_000);
            log.settle(log.endOffset());
            bytes = bytesOf(log);
            Directories.copy(directory, killed);
        }
        directory = killed;
        CountingFiles files = new CountingFiles();

        try (LogStorageEngine engine = start(files)) {
            assertThat(engine.open(ID, 1).endOffset()).isEqualTo(2_000);
        }

        assertThat(files.read).isBetween(bytes / 2, bytes + bytes / 4);
    }

    private static void appendSmall(PartitionLog log, int from, int to) {
        for (int i = from; i < to; i++) {
            log.append(batch(1).valueBytes(300).at(i));
        }
    }

    /** File operations that count the bytes read. */
    private static final class CountingFiles extends DiskFiles {
        long read;

        @Override
        void read(FileChannel channel, ByteBuffer target, long position) throws IOException {
            int before = target.position();
            super.read(channel, target, position);
            read += target.position() - before;
        }
    }

    @Test
    void zerosAtTheEndOfASealedSegmentDoNotEndTheLog() throws IOException {
        Path killed = temp.resolve("killed");
        try (LogStorageEngine engine = start()) {
            PartitionLog log = engine.open(ID, 1);
            append(log, 0, 5);
            log.roll();
            append(log, 5, 9);
            Directories.copy(directory, killed);
        }
        directory = killed;
        lengthen(segment(0), Preallocation.PIECE_BYTES);

        try (LogStorageEngine engine = start()) {
            assertThat(offsets(engine.open(ID, 1))).isEqualTo(upTo(9));
        }
        assertThat(segmentBytes(0)).isLessThan(Preallocation.PIECE_BYTES);
    }

    @Test
    void zerosInPlaceOfABatchEndTheLog() throws IOException {
        Path killed = temp.resolve("killed");
        try (LogStorageEngine engine = start()) {
            PartitionLog log = engine.open(ID, 1);
            append(log, 0, 5);
            log.roll();
            append(log, 5, 9);
            Directories.copy(directory, killed);
        }
        directory = killed;
        long whole = segmentBytes(0);
        try (RandomAccessFile file = new RandomAccessFile(segment(0).toFile(), "rw")) {
            file.setLength(whole - 100);
            file.setLength(whole);
        }

        try (LogStorageEngine engine = start()) {
            assertThat(offsets(engine.open(ID, 1))).isEqualTo(upTo(4));
        }
    }

    @Test
    void truncationCutsOffTheZeros() throws IOException {
        try (LogStorageEngine engine = start()) {
            PartitionLog log = engine.open(ID, 1);
            appendLeavingZeros(log, 0, 20);
            log.truncateTo(7);

            assertThat(segmentBytes(0)).isEqualTo(bytesOf(log));
            append(log, 7, 60);
            assertThat(offsets(log)).isEqualTo(upTo(60));
        }
    }

    @Test
    void batchesAreWrittenIfThereIsNoSpaceForZeros() throws IOException {
        DiskFiles files = new DiskFiles() {
            @Override
            boolean write(FileChannel channel, ByteBuffer source, ByteBuffer behind, long position) throws IOException {
                return super.write(channel, source, ByteBuffer.allocate(0), position) && !behind.hasRemaining();
            }
        };
        try (LogStorageEngine engine = start(files)) {
            PartitionLog log = engine.open(ID, 1);
            append(log, 0, 60);

            assertThat(offsets(log)).isEqualTo(upTo(60));
            assertThat(segmentBytes(0)).isEqualTo(bytesOf(log));
        }
    }

    @Test
    void afterOneFileFoundNoSpaceForZerosNoFileGetsZerosForAMinute() throws IOException {
        SmallDisk disk = new SmallDisk();
        try (LogStorageEngine engine = start(disk)) {
            PartitionLog log = engine.open(ID, 1);
            PartitionLog other = engine.open(OTHER, 1);
            append(other, 0, 2);
            disk.refusesZeros = true;
            append(log, 0, 30);
            disk.refusesZeros = false;

            append(other, 2, 40);

            assertThat(Files.size(Directories.lastSegmentOf(directory.resolve("clicks-0"))))
                    .isEqualTo(bytesOf(other));
            clock.advance(61_000);
            append(other, 40, 80);
            assertThat(Files.size(Directories.lastSegmentOf(directory.resolve("clicks-0"))))
                    .isGreaterThan(bytesOf(other));
        }
    }

    @Test
    void noFileGetsZerosWhileLittleSpaceIsFree() throws IOException {
        SmallDisk disk = new SmallDisk();
        disk.usable = 200L << 20;
        try (LogStorageEngine engine = start(disk)) {
            PartitionLog log = engine.open(ID, 1);
            append(log, 0, 40);
            assertThat(segmentBytes(0)).isEqualTo(bytesOf(log));

            disk.usable = 2L << 30;
            clock.advance(1_000);
            append(log, 40, 80);

            assertThat(segmentBytes(0)).isGreaterThan(bytesOf(log));
        }
    }

    @Test
    void filesOnASmallDiskGetZerosWhileAQuarterOfTheDiskIsFree() throws IOException {
        SmallDisk disk = new SmallDisk();
        disk.total = 24L << 20;
        disk.usable = 6L << 20;
        try (LogStorageEngine engine = start(disk)) {
            appendLeavingZeros(engine.open(ID, 1), 0, 20);
        }
    }

    /** File operations of a disk with a given size and free space, which may have no space for zeros. */
    private static class SmallDisk extends DiskFiles {
        long total = 10L << 30;
        long usable = 2L << 30;
        boolean refusesZeros;

        @Override
        long totalSpace(Path there) {
            return total;
        }

        @Override
        long usableSpace(Path there) {
            return usable;
        }

        @Override
        boolean write(FileChannel channel, ByteBuffer source, ByteBuffer behind, long position) throws IOException {
            if (refusesZeros) {
                return super.write(channel, source, ByteBuffer.allocate(0), position) && !behind.hasRemaining();
            }
            return super.write(channel, source, behind, position);
        }
    }

    private LogStorageEngine start() {
        return start(new SmallDisk());
    }

    private LogStorageEngine start(DiskFiles files) {
        return new LogStorageEngine(directory, SETTINGS, files, clock, false);
    }

    /** Appends while the clock stands still, so that zeros follow the last batch in the first segment's file. */
    private void appendLeavingZeros(PartitionLog log, int from, int to) throws IOException {
        append(log, from, to);
        assertThat(segmentBytes(0)).isGreaterThan(bytesOf(log));
    }

    private Object scannedBytes(LogStorageEngine engine) {
        return engine.tables()
                .get(0)
                .cell(directory.toString(), "recovery.scanned.bytes")
                .orElseThrow();
    }

    private static void append(PartitionLog log, int from, int to) {
        for (int i = from; i < to; i++) {
            log.append(batch(1).valueBytes(BATCH_BYTES).at(i));
            log.settle(log.endOffset());
        }
    }

    private static List<Long> offsets(PartitionLog log) {
        return batchesIn(everythingIn(log)).stream()
                .map(RecordBatch::baseOffset)
                .toList();
    }

    private static List<Long> upTo(int end) {
        return LongStream.range(0, end).boxed().toList();
    }

    private static long bytesOf(PartitionLog log) {
        return log.segments().get(log.segments().size() - 1).sizeInBytes();
    }

    private Path segment(long base) {
        return directory.resolve("orders-0").resolve(SegmentFile.nameOf(base, ".log"));
    }

    private long segmentBytes(long base) throws IOException {
        return Files.size(segment(base));
    }

    private static void lengthen(Path file, long to) throws IOException {
        try (RandomAccessFile longer = new RandomAccessFile(file.toFile(), "rw")) {
            longer.setLength(to);
        }
    }

    /** A clock that moves only when {@link #advance} is called. */
    private static final class ManualClock extends Clock {
        private long millis = 1_000;

        void advance(long by) {
            millis += by;
        }

        @Override
        public Instant instant() {
            return Instant.ofEpochMilli(millis);
        }

        @Override
        public ZoneId getZone() {
            return ZoneId.of("UTC");
        }

        @Override
        public Clock withZone(ZoneId zone) {
            return this;
        }
    }
}
