package io.felice.testkit;

import static io.felice.testkit.LogContents.batchesIn;
import static io.felice.testkit.LogContents.bytesOf;
import static io.felice.testkit.LogContents.everythingIn;
import static io.felice.testkit.LogContents.offsetsOf;
import static io.felice.testkit.TestBatches.batch;
import static io.felice.testkit.TestBatches.copyOf;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.RecordBatch;
import io.felice.api.storage.EngineTrait;
import io.felice.api.storage.LogId;
import io.felice.api.storage.PartitionLog;
import io.felice.api.storage.Records;
import io.felice.api.storage.Replacement;
import io.felice.api.storage.Segment;
import io.felice.api.storage.SegmentSizes;
import io.felice.api.storage.StorageEngine;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.UnaryOperator;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * The tests that every storage engine must pass. Each test checks a promise of {@link StorageEngine} or {@link
 * PartitionLog}. A subclass creates a fresh engine and reopens an engine on the same data. After every test the engine
 * is reopened and its log is compared; the engine's traits say what must survive.
 */
public abstract class StorageEngineContract {
    private static final int PLENTY = 1 << 20;
    private static final long ALL = Long.MAX_VALUE;
    private static final int TIMEOUT_SECONDS = 60;
    private static final int RANDOM_OPERATIONS = 10_000;

    protected static final LogId ID = new LogId(new UUID(0x1234_5678_9ABC_4DEFL, 0x8123_4567_89AB_CDEFL), 3, "orders");

    private StorageEngine engine;
    private PartitionLog log;
    private long lease = 1;

    /** A fresh, empty engine. Called once before each test. */
    protected abstract StorageEngine engine();

    /**
     * A new engine on the data of the last engine, as after a restart of the process. The test does not use the last
     * engine again.
     */
    protected abstract StorageEngine reopen();

    /**
     * A new engine on a copy of the last engine's data, as after a crash. In the copy, {@code damage} has changed the
     * last file of the log {@code id}. May be called several times in a test. Empty if the engine has no such file.
     */
    protected Optional<StorageEngine> reopenDamaged(LogId id, UnaryOperator<byte[]> damage) {
        return Optional.empty();
    }

    /** Closes every engine that the test created. Called after each test. */
    protected void closeEngines() {}

    /** The segment sizes of each log. With small sizes every test crosses segment boundaries. */
    protected SegmentSizes sizes() {
        return SegmentSizes.DEFAULT;
    }

    @BeforeEach
    final void openALog() {
        engine = engine();
        log = open(ID);
    }

    @AfterEach
    final void theLogIsTheSameAfterARestart() {
        try {
            if (log != null) {
                compareAfterARestart();
            }
        } finally {
            closeEngines();
        }
    }

    private void compareAfterARestart() {
        settle(log);
        byte[] before = everythingIn(log);
        long start = log.startOffset();
        long end = log.endOffset();
        log.close();

        restart();

        if (engine.traits().contains(EngineTrait.SURVIVES_KILL)) {
            assertThat(log.startOffset()).as("start after a restart").isEqualTo(start);
            assertThat(log.endOffset()).as("end after a restart").isEqualTo(end);
            assertThat(everythingIn(log)).as("batches after a restart").isEqualTo(before);
        } else {
            assertThat(log.endOffset()).as("end after a restart").isZero();
        }
        assertThatCode(() -> log.append(batch(1).at(log.endOffset()))).doesNotThrowAnyException();
    }

    private void restart() {
        engine = reopen();
        log = open(ID);
    }

    private PartitionLog open(LogId id) {
        PartitionLog opened = engine.open(id, ++lease);
        opened.configure(sizes());
        return opened;
    }

    // Empty logs

    @Test
    void aNewLogIsEmptyAndStartsAtZero() {
        assertThat(log.startOffset()).isZero();
        assertThat(log.endOffset()).isZero();
        assertThat(offsetsOf(log.read(0, ALL, PLENTY, true))).isEmpty();
        assertThat(log.segments()).hasSize(1);
        assertThat(log.segments().get(0).sealed()).isFalse();
        assertThat(log.segments().get(0).sizeInBytes()).isZero();
        assertThat(log.segments().get(0).maxTimestamp()).isEqualTo(-1);
    }

    @Test
    void anEmptyLogCanBeSettledFlushedRolledTrimmedAndTruncated() {
        settle(log);
        await(log.flush(0).toCompletableFuture());
        log.roll();
        log.trimTo(0);
        log.truncateTo(0);

        assertThat(log.endOffset()).isZero();
        assertThat(log.segments()).hasSize(1);
    }

    // Reads

    @Test
    void appendedBatchesAreReadableAtOnceByteForByte() {
        RecordBatch first = batch(10).values("first").leaderEpoch(7).at(0);
        RecordBatch second = batch(3).values("second").producer(9, 1, 0).at(10);

        log.append(first);
        log.append(second);

        assertThat(everythingIn(log)).isEqualTo(TestBatches.concat(copyOf(first), copyOf(second)));
        assertThat(log.endOffset()).isEqualTo(13);
    }

    @Test
    void theCallerMayReuseTheBytesAfterAnAppend() {
        byte[] bytes = copyOf(batch(5).at(0));
        byte[] same = bytes.clone();
        log.append(new RecordBatch(ByteBuffer.wrap(bytes), 0));

        Arrays.fill(bytes, (byte) 99);

        assertThat(everythingIn(log)).isEqualTo(same);
    }

    @Test
    void aBatchMayBeInTheMiddleOfADirectBuffer() {
        byte[] batch = copyOf(batch(5).at(0));
        ByteBuffer frame =
                ByteBuffer.allocateDirect(batch.length + 50).put(20, batch).position(7);

        log.append(new RecordBatch(frame, 20));

        assertThat(everythingIn(log)).isEqualTo(batch);
        assertThat(frame.position()).isEqualTo(7);
    }

    @Test
    void aReadInTheMiddleOfABatchBeginsWithThatBatch() {
        appendTens(3);

        assertThat(offsetsOf(log.read(15, ALL, PLENTY, true)).get(0)).isEqualTo(10);
        assertThat(offsetsOf(log.read(19, ALL, PLENTY, true)).get(0)).isEqualTo(10);
        assertThat(offsetsOf(log.read(20, ALL, PLENTY, true)).get(0)).isEqualTo(20);
    }

    @Test
    void aReadInAGapBeginsWithTheNextBatch() {
        log.append(batch(10).at(0));
        log.append(batch(10).at(50));

        assertThat(offsetsOf(log.read(10, ALL, PLENTY, true))).containsExactly(50L);
        assertThat(offsetsOf(log.read(49, ALL, PLENTY, true))).containsExactly(50L);
        assertThat(log.endOffset()).isEqualTo(60);
    }

    @Test
    void aReadReturnsNoBatchThatReachesTheLimit() {
        appendTens(2);

        assertThat(allOffsets(0, 20)).containsExactly(0L, 10L);
        assertThat(allOffsets(0, 19)).containsExactly(0L);
        assertThat(allOffsets(0, 10)).containsExactly(0L);
        assertThat(allOffsets(0, 9)).isEmpty();
        assertThat(allOffsets(10, 10)).isEmpty();
        assertThat(allOffsets(15, 5)).isEmpty();
    }

    @Test
    void aReadReturnsNoMoreThanMaxBytes() {
        appendTens(3);
        int size = batch(10).at(0).sizeInBytes();

        assertThat(offsetsOf(log.read(0, ALL, size, false))).containsExactly(0L);
        assertThat(offsetsOf(log.read(0, ALL, 2 * size - 1, false))).containsExactly(0L);
        assertThat(log.read(0, ALL, 2 * size, true).sizeInBytes()).isLessThanOrEqualTo(2 * size);
    }

    @Test
    void anOversizeFirstBatchIsReturnedOnlyWithAtLeastOne() {
        appendTens(2);
        int size = batch(10).at(0).sizeInBytes();

        assertThat(offsetsOf(log.read(0, ALL, size - 1, false))).isEmpty();
        assertThat(offsetsOf(log.read(0, ALL, size - 1, true))).containsExactly(0L);
        assertThat(offsetsOf(log.read(0, 9, size - 1, true))).isEmpty();
    }

    @Test
    void aReadReturnsTheNextOffset() {
        appendTens(3);
        int size = batch(10).at(0).sizeInBytes();

        try (Records cut = log.read(0, ALL, 2 * size, true);
                Records limited = log.read(0, 20, PLENTY, true);
                Records whole = log.read(10, ALL, PLENTY, true)) {
            assertThat(cut.nextOffset()).isEqualTo(20);
            assertThat(limited.nextOffset()).isEqualTo(20);
            assertThat(whole.nextOffset()).isEqualTo(30);
        }
    }

    @Test
    void maxBytesOfZeroIsLegal() {
        appendTens(2);

        assertThat(offsetsOf(log.read(0, ALL, 0, false))).isEmpty();
        assertThat(offsetsOf(log.read(0, ALL, 0, true))).containsExactly(0L);
    }

    @Test
    void aReadAtTheEndIsEmptyAndAReadOutsideIsRefused() {
        appendTens(3);
        log.trimTo(5);

        assertThat(offsetsOf(log.read(30, ALL, PLENTY, true))).isEmpty();
        assertFails(ErrorCode.OFFSET_OUT_OF_RANGE, () -> log.read(31, ALL, PLENTY, true));
        assertFails(ErrorCode.OFFSET_OUT_OF_RANGE, () -> log.read(4, ALL, PLENTY, true));
        assertFails(ErrorCode.OFFSET_OUT_OF_RANGE, () -> log.read(-1, ALL, PLENTY, true));
    }

    @Test
    void batchesOfEverySizeAreReadCompletely() {
        byte[] expected = {};
        for (int bytes : new int[] {0, 1, 100, 4_000, 70_000, 1_000_000, 300_000, 5, 2_000_000, 10}) {
            RecordBatch batch = batch(2).valueBytes(bytes).at(log.endOffset());
            log.append(batch);
            expected = TestBatches.concat(expected, copyOf(batch));
        }

        assertThat(everythingIn(log)).isEqualTo(expected);
    }

    @Test
    void manySmallBatchesAreFoundFromEveryOffset() {
        ByteArrayOutputStream expected = new ByteArrayOutputStream();
        for (int i = 0; i < 3_000; i++) {
            RecordBatch batch = batch(2).at(2L * i);
            log.append(batch);
            expected.writeBytes(copyOf(batch));
            if (i == 1_500) {
                settle(log);
            }
        }

        assertThat(everythingIn(log)).isEqualTo(expected.toByteArray());
        for (long offset = 0; offset < 6_000; offset += 7) {
            assertThat(offsetsOf(log.read(offset, ALL, 10_000, true)).get(0)).isEqualTo(offset / 2 * 2);
        }
    }

    // Appends

    @Test
    void anAppendBelowTheEndIsRefusedAndChangesNothing() {
        appendTens(2);

        assertThatThrownBy(() -> log.append(batch(1).at(19))).isInstanceOf(IllegalArgumentException.class);

        assertThat(log.endOffset()).isEqualTo(20);
        assertThat(allOffsets(0, ALL)).containsExactly(0L, 10L);
        assertThatCode(() -> log.append(batch(1).at(20))).doesNotThrowAnyException();
    }

    @Test
    void aLogMayBeginWithAGap() {
        log.append(batch(10).at(1_000));

        assertThat(log.startOffset()).isZero();
        assertThat(log.endOffset()).isEqualTo(1_010);
        assertThat(offsetsOf(log.read(0, ALL, PLENTY, true))).containsExactly(1_000L);
    }

    @Test
    void offsetsMayBeVeryLarge() {
        log.append(batch(10).at(5_000_000_000L));
        log.append(batch(10).at(Long.MAX_VALUE - 1_000));

        assertThat(allOffsets(1, ALL)).containsExactly(5_000_000_000L, Long.MAX_VALUE - 1_000);
    }

    @Test
    void settlingAndFlushingMoveTheirOffsets() {
        appendTens(3);

        settle(log);
        assertThat(log.settledOffset()).isEqualTo(30);
        await(log.flush(30).toCompletableFuture());

        assertThat(log.flushedOffset()).isEqualTo(30);
        log.append(batch(5).at(30));
        await(log.flush(35).toCompletableFuture());
        assertThat(log.flushedOffset()).isEqualTo(35);
        assertThat(log.settledOffset()).isEqualTo(35);
    }

    @Test
    void settledAndFlushedOffsetsNeverPassTheEnd() {
        appendTens(3);
        await(log.flush(30).toCompletableFuture());

        log.truncateTo(10);

        assertThat(log.settledOffset()).isLessThanOrEqualTo(10);
        assertThat(log.flushedOffset()).isLessThanOrEqualTo(10);
    }

    // Truncation

    @Test
    void truncationAtABatchBoundaryKeepsTheBatchesBelow() {
        appendTens(4);

        log.truncateTo(20);

        assertThat(log.endOffset()).isEqualTo(20);
        assertThat(allOffsets(0, ALL)).containsExactly(0L, 10L);
        log.append(batch(5).values("again").at(20));
        assertThat(allOffsets(0, ALL)).containsExactly(0L, 10L, 20L);
        assertThat(log.endOffset()).isEqualTo(25);
    }

    @Test
    void truncationInTheMiddleOfABatchDropsTheBatch() {
        appendTens(4);

        log.truncateTo(25);

        assertThat(log.endOffset()).isEqualTo(20);
        assertThat(allOffsets(0, ALL)).containsExactly(0L, 10L);
    }

    @Test
    void truncationToTheStartLeavesAnEmptyLog() {
        appendTens(4);

        log.truncateTo(0);

        assertThat(log.startOffset()).isZero();
        assertThat(log.endOffset()).isZero();
        assertThat(log.segments()).hasSize(1);
        appendTens(1);
        assertThat(allOffsets(0, ALL)).containsExactly(0L);
    }

    @Test
    void truncationBelowTheStartLeavesAnEmptyLogThere() {
        appendTens(4);
        log.trimTo(25);

        log.truncateTo(12);

        assertThat(log.startOffset()).isEqualTo(12);
        assertThat(log.endOffset()).isEqualTo(12);
        log.append(batch(3).at(12));
        assertThat(allOffsets(12, ALL)).containsExactly(12L);
    }

    @Test
    void truncationAboveTheEndDoesNothing() {
        appendTens(2);

        log.truncateTo(20);
        log.truncateTo(500);

        assertThat(allOffsets(0, ALL)).containsExactly(0L, 10L);
        assertThat(log.endOffset()).isEqualTo(20);
    }

    @Test
    void truncationRemovesSegments() {
        appendTens(2);
        log.roll();
        log.append(batch(10).at(20));
        log.roll();
        log.append(batch(10).at(30));

        log.truncateTo(10);

        assertThat(allOffsets(0, ALL)).containsExactly(0L);
        log.append(batch(10).values("again").at(10));
        assertThat(allOffsets(0, ALL)).containsExactly(0L, 10L);
    }

    @Test
    void truncationNeverChangesPinnedRecords() throws Exception {
        appendTens(4);
        settle(log);
        Records pinned = log.read(20, ALL, PLENTY, true);
        byte[] before = bytesOf(pinned);
        PartitionLog owned = log;

        CompletableFuture<Void> truncated = CompletableFuture.runAsync(() -> owned.truncateTo(10));
        for (int i = 0; i < 20 && !truncated.isDone(); i++) {
            Thread.sleep(5);
        }
        assertThat(bytesOf(pinned)).isEqualTo(before);
        pinned.close();
        await(truncated);

        log.append(batch(10).values("again").at(10));
        assertThat(allOffsets(0, ALL)).containsExactly(0L, 10L);
    }

    // Trimming

    @Test
    void trimmingInTheMiddleOfABatchKeepsTheBatch() {
        appendTens(3);

        log.trimTo(15);

        assertThat(log.startOffset()).isEqualTo(15);
        assertThat(allOffsets(15, ALL)).containsExactly(10L, 20L);
        assertFails(ErrorCode.OFFSET_OUT_OF_RANGE, () -> log.read(14, ALL, PLENTY, true));
    }

    @Test
    void trimmingDropsTheSegmentsBelow() {
        appendTens(2);
        log.roll();
        log.append(batch(10).at(20));
        log.roll();
        log.append(batch(10).at(30));

        log.trimTo(20);

        assertThat(log.segments().get(0).baseOffset()).isEqualTo(20);
        assertThat(log.startOffset()).isEqualTo(20);
        assertThat(allOffsets(20, ALL)).containsExactly(20L, 30L);
    }

    @Test
    void trimmingToTheEndEmptiesTheLogThere() {
        appendTens(3);

        log.trimTo(30);

        assertThat(log.startOffset()).isEqualTo(30);
        assertThat(log.endOffset()).isEqualTo(30);
        assertThat(offsetsOf(log.read(30, ALL, PLENTY, true))).isEmpty();
    }

    @Test
    void trimmingAboveTheEndMovesStartAndEnd() {
        appendTens(3);

        log.trimTo(1_000);

        assertThat(log.startOffset()).isEqualTo(1_000);
        assertThat(log.endOffset()).isEqualTo(1_000);
        log.append(batch(10).at(1_000));
        assertThat(allOffsets(1_000, ALL)).containsExactly(1_000L);
    }

    @Test
    void aLogThatNeverHadABatchCanStartAnywhere() {
        log.trimTo(77);

        assertThat(log.startOffset()).isEqualTo(77);
        assertThat(log.endOffset()).isEqualTo(77);
    }

    @Test
    void trimmingNeverLowersTheStart() {
        appendTens(3);
        log.trimTo(20);

        log.trimTo(5);

        assertThat(log.startOffset()).isEqualTo(20);
    }

    @Test
    void trimmingSurvivesACrash() {
        appendTens(5);
        settle(log);
        log.trimTo(15);

        restart();

        assertThat(log.startOffset()).isEqualTo(engine.traits().contains(EngineTrait.SURVIVES_KILL) ? 15 : 0);
    }

    // Segments

    @Test
    void rollingSealsTheActiveSegment() {
        log.append(batch(10).timestamp(500).at(0));
        log.roll();
        log.append(batch(10).timestamp(400).at(10));
        log.roll();
        log.roll();

        List<Segment> segments = log.segments();

        assertThat(segments).extracting(Segment::baseOffset).containsExactly(0L, 10L, 20L);
        assertThat(segments).extracting(Segment::nextOffset).containsExactly(10L, 20L, 20L);
        assertThat(segments).extracting(Segment::sealed).containsExactly(true, true, false);
        assertThat(segments).extracting(Segment::maxTimestamp).containsExactly(500L, 400L, -1L);
        int size = batch(10).at(0).sizeInBytes();
        assertThat(segments).extracting(Segment::sizeInBytes).containsExactly((long) size, (long) size, 0L);
        assertThat(segments)
                .allSatisfy(segment -> assertThat(segment.createdAt()).isPositive());
    }

    @Test
    void aBatchThatWouldMakeTheSegmentTooLargeStartsANewOne() {
        int size = batch(10).at(0).sizeInBytes();
        log.configure(new SegmentSizes(2 * size, 0));

        appendTens(5);

        assertThat(log.segments()).extracting(Segment::baseOffset).containsExactly(0L, 20L, 40L);
        assertThat(allOffsets(0, ALL)).containsExactly(0L, 10L, 20L, 30L, 40L);
    }

    @Test
    void aBatchLargerThanASegmentHasItsOwnSegment() {
        log.configure(new SegmentSizes(100, 0));

        log.append(batch(1).valueBytes(1_000).at(0));
        log.append(batch(1).valueBytes(1_000).at(1));

        assertThat(log.segments()).extracting(Segment::baseOffset).containsExactly(0L, 1L);
        assertThat(allOffsets(0, ALL)).containsExactly(0L, 1L);
    }

    @Test
    void aScanForATimestampNeverStartsTooLate() {
        long[] timestamps = {100, 300, 200, 500, 400, 600, 600, 50};
        for (int i = 0; i < timestamps.length; i++) {
            log.append(batch(1).timestamp(timestamps[i]).at(i));
            if (i % 3 == 2) {
                log.roll();
            }
        }

        assertThat(log.scanStartFor(0)).isZero();
        assertThat(log.scanStartFor(100)).isZero();
        assertThat(log.scanStartFor(250)).isBetween(0L, 1L);
        assertThat(log.scanStartFor(500)).isBetween(0L, 3L);
        assertThat(log.scanStartFor(600)).isBetween(0L, 5L);
        assertThat(log.scanStartFor(601)).isBetween(0L, 8L);
    }

    // Replacing segments

    private boolean replaces() {
        return engine.traits().contains(EngineTrait.REPLACES_RANGES);
    }

    /** Five segments of two batches each, from 0, 20, 40, 60 and 80 on; the last one is active. */
    private void appendTensInFiveSegments() {
        log.configure(new SegmentSizes(PLENTY, 0));
        for (int i = 0; i < 5; i++) {
            log.roll();
            appendTens(2);
        }
        assertThat(log.segments()).extracting(Segment::baseOffset).containsExactly(0L, 20L, 40L, 60L, 80L);
    }

    /** Begins to replace segments by those of their batches that have these offsets. */
    private Replacement beginReplacing(List<Segment> old, Long... kept) {
        List<RecordBatch> batches = batchesIn(everythingIn(log));
        Replacement replacement = log.replace(old);
        batches.stream()
                .filter(batch -> List.of(kept).contains(batch.baseOffset()))
                .forEach(replacement::append);
        return replacement;
    }

    private void replace(List<Segment> old, Long... kept) {
        try (Replacement replacement = beginReplacing(old, kept)) {
            replacement.prepare();
            replacement.commit();
        }
    }

    @Test
    void aSealedSegmentIsReplacedByFewerBatches() {
        if (!replaces()) {
            return;
        }
        appendTensInFiveSegments();
        int size = batch(10).at(0).sizeInBytes();

        replace(log.segments().subList(1, 2), 30L);

        assertThat(allOffsets(0, ALL)).containsExactly(0L, 10L, 30L, 40L, 50L, 60L, 70L, 80L, 90L);
        assertThat(offsetsOf(log.read(20, ALL, PLENTY, true)).get(0)).isEqualTo(30);
        assertThat(log.segments()).extracting(Segment::baseOffset).containsExactly(0L, 20L, 40L, 60L, 80L);
        assertThat(log.segments().get(1).sizeInBytes()).isEqualTo(size);
        assertThat(log.endOffset()).isEqualTo(100);
    }

    @Test
    void neighbouringSegmentsBecomeOne() {
        if (!replaces()) {
            return;
        }
        appendTensInFiveSegments();

        replace(log.segments().subList(1, 4), 20L, 50L, 60L);

        assertThat(allOffsets(0, ALL)).containsExactly(0L, 10L, 20L, 50L, 60L, 80L, 90L);
        assertThat(log.segments()).extracting(Segment::baseOffset).containsExactly(0L, 20L, 80L);
        assertThat(log.segments()).extracting(Segment::nextOffset).containsExactly(20L, 80L, 100L);
        for (long offset = 21; offset <= 50; offset += 10) {
            assertThat(offsetsOf(log.read(offset + 9, ALL, PLENTY, true)).get(0))
                    .isEqualTo(50);
        }
    }

    @Test
    void allSealedSegmentsMayBecomeOneThatIsEmpty() {
        if (!replaces()) {
            return;
        }
        appendTensInFiveSegments();
        log.roll();

        replace(log.segments().subList(0, 5));

        assertThat(allOffsets(0, ALL)).isEmpty();
        assertThat(log.startOffset()).isZero();
        assertThat(log.endOffset()).isEqualTo(100);
        assertThat(log.segments()).extracting(Segment::nextOffset).containsExactly(100L, 100L);
        assertThat(log.segments().get(0).maxTimestamp()).isEqualTo(-1);
        log.append(batch(10).at(100));
        assertThat(allOffsets(0, ALL)).containsExactly(100L);
    }

    @Test
    void aSegmentIsReplacedAgainAndAgain() {
        if (!replaces()) {
            return;
        }
        appendTensInFiveSegments();

        replace(log.segments().subList(0, 2), 0L, 10L, 20L);
        replace(log.segments().subList(0, 2), 10L, 20L, 50L);
        replace(log.segments().subList(0, 2), 10L, 70L);

        assertThat(allOffsets(0, ALL)).containsExactly(10L, 70L, 80L, 90L);
        assertThat(log.segments()).extracting(Segment::baseOffset).containsExactly(0L, 80L);
    }

    @Test
    void aReplacedSegmentHasTheNewestTimestampOfWhatIsLeft() {
        if (!replaces()) {
            return;
        }
        log.configure(new SegmentSizes(PLENTY, 0));
        log.append(batch(10).timestamp(500).at(0));
        log.append(batch(10).timestamp(300).at(10));
        log.roll();

        replace(log.segments().subList(0, 1), 10L);

        assertThat(log.segments().get(0).maxTimestamp()).isEqualTo(300);
        assertThat(log.scanStartFor(301)).isEqualTo(20);
        assertThat(log.scanStartFor(300)).isBetween(0L, 19L);
    }

    @Test
    void theLogGoesOnWhileSegmentsAreReplaced() {
        if (!replaces()) {
            return;
        }
        appendTensInFiveSegments();

        try (Replacement replacement = beginReplacing(log.segments().subList(0, 3), 10L)) {
            appendTens(1);
            log.roll();
            appendTens(1);
            replacement.prepare();
            settle(log);
            assertThat(allOffsets(0, ALL)).hasSize(12).startsWith(0L, 10L, 20L);
            log.append(batch(10).at(120));

            replacement.commit();

            log.append(batch(10).at(130));
            assertThat(allOffsets(0, ALL)).containsExactly(10L, 60L, 70L, 80L, 90L, 100L, 110L, 120L, 130L);
        }
        assertThat(allOffsets(0, ALL)).containsExactly(10L, 60L, 70L, 80L, 90L, 100L, 110L, 120L, 130L);
    }

    @Test
    void aReplacementThatIsNotCommittedChangesNothing() {
        if (!replaces()) {
            return;
        }
        appendTensInFiveSegments();
        byte[] before = everythingIn(log);
        List<Segment> segments = log.segments();

        beginReplacing(segments.subList(0, 2), 10L).close();
        Replacement prepared = beginReplacing(segments.subList(0, 4), 10L, 50L);
        prepared.prepare();
        prepared.close();
        prepared.close();

        assertThat(everythingIn(log)).isEqualTo(before);
        assertThat(log.segments()).isEqualTo(segments);
    }

    @Test
    void aNewSegmentTakesBatchesOfTheOldOffsetsInOrderOnly() {
        if (!replaces()) {
            return;
        }
        appendTensInFiveSegments();

        try (Replacement replacement = log.replace(log.segments().subList(1, 3))) {
            assertThatThrownBy(() -> replacement.append(batch(10).at(10))).isInstanceOf(IllegalArgumentException.class);
            replacement.append(batch(10).at(30));
            assertThatThrownBy(() -> replacement.append(batch(10).at(20))).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> replacement.append(batch(11).at(50))).isInstanceOf(IllegalArgumentException.class);
            replacement.append(batch(10).at(50));
            replacement.prepare();
            replacement.commit();
        }

        assertThat(allOffsets(0, ALL)).containsExactly(0L, 10L, 30L, 50L, 60L, 70L, 80L, 90L);
    }

    @Test
    void replacingNeedsSealedNeighboursOfThisLog() {
        if (!replaces()) {
            return;
        }
        appendTensInFiveSegments();
        List<Segment> all = log.segments();
        Segment unknown = new Segment(400, 500, 10, 1, 1, true);

        assertFails(ErrorCode.OFFSET_OUT_OF_RANGE, () -> log.replace(all.subList(4, 5)));
        assertFails(ErrorCode.OFFSET_OUT_OF_RANGE, () -> log.replace(all.subList(3, 5)));
        assertFails(ErrorCode.OFFSET_OUT_OF_RANGE, () -> log.replace(List.of(unknown)));
        assertFails(ErrorCode.OFFSET_OUT_OF_RANGE, () -> log.replace(List.of(all.get(0), all.get(2))));
        assertFails(ErrorCode.OFFSET_OUT_OF_RANGE, () -> log.replace(List.of(all.get(1), all.get(0))));
        assertThatThrownBy(() -> log.replace(List.of())).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void segmentsThatWereTrimmedMeanwhileAreNotReplaced() {
        if (!replaces()) {
            return;
        }
        appendTensInFiveSegments();

        try (Replacement replacement = beginReplacing(log.segments().subList(0, 3), 0L, 10L, 30L, 50L)) {
            replacement.prepare();
            log.trimTo(20);
            assertFails(ErrorCode.OFFSET_OUT_OF_RANGE, replacement::commit);
        }

        assertThat(allOffsets(20, ALL)).containsExactly(20L, 30L, 40L, 50L, 60L, 70L, 80L, 90L);
        assertThat(log.startOffset()).isEqualTo(20);
    }

    @Test
    void aLogThatWasTrimmedInsideTheFirstSegmentKeepsItsStart() {
        if (!replaces()) {
            return;
        }
        appendTensInFiveSegments();

        try (Replacement replacement = beginReplacing(log.segments().subList(0, 3), 0L, 10L, 30L)) {
            replacement.prepare();
            log.trimTo(15);
            replacement.commit();
        }

        assertThat(log.startOffset()).isEqualTo(15);
        assertThat(allOffsets(15, ALL)).containsExactly(10L, 30L, 60L, 70L, 80L, 90L);
        assertFails(ErrorCode.OFFSET_OUT_OF_RANGE, () -> log.read(14, ALL, PLENTY, true));
    }

    @Test
    void segmentsThatWereTruncatedMeanwhileAreNotReplacedAlsoIfTheyLookTheSameAgain() {
        if (!replaces()) {
            return;
        }
        appendTensInFiveSegments();

        try (Replacement replacement = beginReplacing(log.segments().subList(0, 2), 10L, 30L)) {
            replacement.prepare();
            log.truncateTo(30);
            log.append(batch(10).values("other").at(30));
            log.roll();
            log.append(batch(10).at(40));
            byte[] before = everythingIn(log);
            assertFails(ErrorCode.OFFSET_OUT_OF_RANGE, replacement::commit);
            assertThat(everythingIn(log)).isEqualTo(before);
        }

        assertThat(allOffsets(0, ALL)).containsExactly(0L, 10L, 20L, 30L, 40L);
    }

    @Test
    void whatIsPinnedOfReplacedSegmentsStaysAsItWas() {
        if (!replaces()) {
            return;
        }
        appendTensInFiveSegments();
        settle(log);
        List<Records> pins = new ArrayList<>();
        for (long offset = 0; offset < 60; offset += 10) {
            pins.add(log.read(offset, offset + 10, PLENTY, true));
        }
        byte[] before = joined(pins);

        replace(log.segments().subList(0, 3), 30L);

        assertThat(joined(pins)).isEqualTo(before);
        pins.forEach(Records::close);
        assertThat(allOffsets(0, ALL)).containsExactly(30L, 60L, 70L, 80L, 90L);
    }

    @Test
    void aLogWithReplacedSegmentsIsTrimmedAndTruncatedAsAnyOther() {
        if (!replaces()) {
            return;
        }
        appendTensInFiveSegments();
        try (Replacement replacement = beginReplacing(log.segments().subList(0, 2), 10L, 30L)) {
            replacement.prepare();
            replacement.commit();
            log.truncateTo(30);
            log.append(batch(10).values("again").at(30));
            log.roll();
            log.trimTo(15);
        }

        assertThat(allOffsets(15, ALL)).containsExactly(10L, 30L);
        log.trimTo(40);
        assertThat(log.segments()).hasSize(1);
        assertThat(allOffsets(40, ALL)).isEmpty();
    }

    @Test
    void aRestartAfterACommitFindsTheOldSegmentsOrTheNewOne() {
        if (!replaces() || !engine.traits().contains(EngineTrait.SURVIVES_KILL)) {
            return;
        }
        appendTensInFiveSegments();
        settle(log);
        Replacement replacement = beginReplacing(log.segments().subList(0, 4), 30L);
        replacement.prepare();
        replacement.commit();

        restart();

        assertThat(allOffsets(0, ALL))
                .isIn(List.of(30L, 80L, 90L), List.of(0L, 10L, 20L, 30L, 40L, 50L, 60L, 70L, 80L, 90L));
        assertThat(log.endOffset()).isEqualTo(100);
    }

    @Test
    void anOlderHandleReplacesNothing() {
        if (!replaces()) {
            return;
        }
        appendTensInFiveSegments();
        List<Segment> first = log.segments().subList(0, 2);
        PartitionLog older = log;
        Replacement begun = beginReplacing(first, 10L);
        RecordBatch batch = batch(10).at(30);

        log = open(ID);
        assertFails(ErrorCode.KAFKA_STORAGE_ERROR, () -> begun.append(batch));
        assertFails(ErrorCode.KAFKA_STORAGE_ERROR, () -> older.replace(first));

        Replacement prepared = beginReplacing(first, 10L);
        prepared.prepare();
        log = open(ID);
        assertFails(ErrorCode.KAFKA_STORAGE_ERROR, prepared::commit);

        replace(first, 20L);
        begun.close();
        prepared.close();
        assertThat(allOffsets(0, ALL)).containsExactly(20L, 40L, 50L, 60L, 70L, 80L, 90L);
    }

    @Test
    void readersBesideReplacementsSeeWholeBatchesInOrder() {
        if (!replaces()) {
            return;
        }
        log.configure(new SegmentSizes(PLENTY, 0));
        for (int i = 0; i < 200; i++) {
            log.append(batch(1).values("record " + i).at(i));
            if (i % 10 == 9) {
                log.roll();
            }
        }
        settle(log);
        AtomicBoolean done = new AtomicBoolean();
        PartitionLog shared = log;
        List<CompletableFuture<Void>> readers = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            readers.add(CompletableFuture.runAsync(() -> readAgainAndAgain(shared, done)));
        }

        for (int round = 1; round < 20; round++) {
            List<Segment> old = sealed().subList(0, Math.min(2, sealed().size()));
            Long[] sevens = allOffsets(0, old.get(old.size() - 1).nextOffset()).stream()
                    .filter(offset -> offset % 7 == 0)
                    .toArray(Long[]::new);
            replace(old, sevens);
        }
        done.set(true);

        readers.forEach(StorageEngineContract::await);
        assertThat(allOffsets(0, ALL)).hasSizeLessThan(50);
    }

    private static void readAgainAndAgain(PartitionLog log, AtomicBoolean done) {
        while (!done.get()) {
            long next = 0;
            while (next < log.endOffset()) {
                try (Records records = log.read(next, ALL, 300, true)) {
                    for (RecordBatch batch : batchesIn(bytesOf(records))) {
                        assertThat(batch.baseOffset()).isGreaterThanOrEqualTo(next);
                        assertThat(batch.crc()).isEqualTo(TestBatches.crcOf(batch.bytes()));
                        next = batch.nextOffset();
                    }
                    next = records.sizeInBytes() == 0 ? ALL : next;
                }
            }
        }
    }

    // Leases

    @Test
    void aNewerLeaseFencesTheOlderHandle() {
        PartitionLog older = log;
        older.append(batch(1).at(0));

        log = open(ID);

        assertFails(ErrorCode.KAFKA_STORAGE_ERROR, () -> older.append(batch(1).at(1)));
        assertFails(ErrorCode.KAFKA_STORAGE_ERROR, () -> older.truncateTo(0));
        assertFails(ErrorCode.KAFKA_STORAGE_ERROR, () -> older.trimTo(1));
        assertFails(ErrorCode.KAFKA_STORAGE_ERROR, older::roll);
        log.append(batch(1).at(1));
        assertThat(allOffsets(0, ALL)).containsExactly(0L, 1L);
        assertThat(offsetsOf(older.read(0, ALL, PLENTY, true))).startsWith(0L);
        older.close();
        log.append(batch(1).at(2));
    }

    @Test
    void aLateOpenWithAnOlderLeaseCannotAppend() {
        PartitionLog late = engine.open(ID, lease - 1);

        assertFails(ErrorCode.KAFKA_STORAGE_ERROR, () -> late.append(batch(1).at(0)));

        log.append(batch(1).at(0));
        assertThat(late.endOffset()).isEqualTo(1);
    }

    @Test
    void twoHandlesOfOneLeaseShareTheLog() {
        PartitionLog twin = engine.open(ID, lease);
        log.append(batch(1).at(0));
        twin.append(batch(1).at(1));

        twin.close();

        log.append(batch(1).at(2));
        assertThat(allOffsets(0, ALL)).containsExactly(0L, 1L, 2L);
    }

    @Test
    void closingAHandleKeepsTheLog() {
        appendTens(2);

        log.close();
        log.close();
        log = open(ID);

        assertThat(allOffsets(0, ALL)).containsExactly(0L, 10L);
    }

    // Pins

    @Test
    void pinnedRecordsStayReadableUntilTheyAreClosed() {
        byte[] expected = {};
        for (int i = 0; i < 20; i++) {
            RecordBatch batch = batch(1).valueBytes(3_000).values("pinned " + i).at(i);
            expected = TestBatches.concat(expected, copyOf(batch));
            log.append(batch);
            if (i == 9) {
                settle(log);
                log.roll();
            }
        }
        List<Records> pins = new ArrayList<>();
        byte[] seen = {};
        for (long next = 0; next < 20; ) {
            Records records = log.read(next, ALL, 300, true);
            pins.add(records);
            seen = TestBatches.concat(seen, bytesOf(records));
            List<RecordBatch> batches = batchesIn(bytesOf(records));
            next = batches.get(batches.size() - 1).nextOffset();
        }
        assertThat(seen).isEqualTo(expected);

        log.roll();
        log.configure(new SegmentSizes(1_000, 0));
        settle(log);
        for (int i = 20; i < 300; i++) {
            log.append(batch(1).valueBytes(3_000).at(i));
        }
        log.trimTo(290);
        assertThat(joined(pins)).isEqualTo(expected);
        log.close();
        engine.delete(ID);
        assertThat(joined(pins)).isEqualTo(expected);

        pins.forEach(Records::close);
        log = open(ID);
        assertThat(log.endOffset()).isZero();
    }

    @Test
    void closingAPinTwiceDoesNoHarm() {
        appendTens(2);
        Records first = log.read(0, ALL, PLENTY, true);
        Records second = log.read(0, ALL, PLENTY, true);

        first.close();
        first.close();
        log.roll();
        log.trimTo(20);

        assertThat(bytesOf(second)).isNotEmpty();
        second.close();
    }

    // Deletion

    @Test
    void aDeletedLogIsNotListedAndItsHandlesFail() {
        appendTens(2);
        settle(log);
        assertThat(engine.logs()).contains(ID);
        PartitionLog deleted = log;

        engine.delete(ID);
        engine.delete(ID);

        assertThat(engine.logs()).doesNotContain(ID);
        assertFails(ErrorCode.KAFKA_STORAGE_ERROR, () -> deleted.append(batch(1).at(20)));
        assertThatCode(deleted::close).doesNotThrowAnyException();
        restart();
        assertThat(log.endOffset()).isZero();
    }

    @Test
    void aTopicThatIsCreatedAgainHasANewLog() {
        LogId again = new LogId(UUID.randomUUID(), ID.partition(), ID.topic());
        appendTens(2);
        log.trimTo(5);
        log.close();
        engine.delete(ID);

        PartitionLog fresh = open(again);

        assertThat(fresh.startOffset()).isZero();
        assertThat(fresh.endOffset()).isZero();
        fresh.append(batch(1).values("fresh").at(0));
        settle(fresh);
        assertThat(offsetsOf(fresh.read(0, ALL, PLENTY, true))).containsExactly(0L);
        log = null;
        engine = reopen();
        assertThat(engine.open(again, 99).startOffset()).isZero();
        assertThat(engine.logs()).doesNotContain(ID);
    }

    @Test
    void twoTopicsOfOneNameHaveSeparateLogs() {
        LogId again = new LogId(UUID.randomUUID(), ID.partition(), ID.topic());
        appendTens(2);
        settle(log);

        PartitionLog fresh = open(again);
        fresh.append(batch(1).values("fresh").at(0));
        settle(fresh);

        assertThat(allOffsets(0, ALL)).containsExactly(0L, 10L);
        assertThat(offsetsOf(fresh.read(0, ALL, PLENTY, true))).containsExactly(0L);
        assertThat(engine.logs()).contains(ID, again);
        engine.delete(again);
        assertThat(engine.logs()).contains(ID);
    }

    @Test
    void everyLogIsListedWithItsName() {
        Set<LogId> ids = new HashSet<>();
        for (int partition = 0; partition < 3; partition++) {
            LogId id = new LogId(new UUID(7, 7), partition, "a.b_c-1");
            PartitionLog one = open(id);
            one.append(batch(1).at(0));
            settle(one);
            ids.add(id);
        }
        log = null;
        engine = engine.traits().contains(EngineTrait.SURVIVES_KILL) ? reopen() : engine;

        engine.delete(ID);
        assertThat(engine.logs()).isEqualTo(ids);
        assertThat(engine.logs()).extracting(LogId::topic).containsOnly("a.b_c-1");
    }

    // Logs of topics that the cluster does not know

    @Test
    void aLogThatIsSetAsideIsListedAndKeepsItsContents() {
        appendTens(3);
        log.trimTo(5);
        byte[] before = everythingIn(log);
        log.close();

        engine.setAside(ID);
        engine.setAside(ID);

        assertThat(engine.logs()).contains(ID);
        engine = engine.traits().contains(EngineTrait.SURVIVES_KILL) ? reopen() : engine;
        assertThat(engine.logs()).contains(ID);
        log = open(ID);
        assertThat(log.startOffset()).isEqualTo(5);
        assertThat(everythingIn(log)).isEqualTo(before);
        log.append(batch(10).at(30));
        assertThat(log.endOffset()).isEqualTo(40);
    }

    @Test
    void aLogThatIsSetAsideWhileItIsOpenStaysUsable() {
        appendTens(1);
        settle(log);

        engine.setAside(ID);
        appendTens(1);
        settle(log);

        assertThat(allOffsets(0, ALL)).containsExactly(0L, 10L);
    }

    @Test
    void aLogThatIsSetAsideAndANewLogOfTheSameNameAreSeparate() {
        LogId again = new LogId(UUID.randomUUID(), ID.partition(), ID.topic());
        appendTens(2);
        settle(log);
        log.close();
        engine.setAside(ID);

        PartitionLog fresh = open(again);
        fresh.append(batch(1).values("fresh").at(0));
        settle(fresh);

        log = open(ID);
        assertThat(allOffsets(0, ALL)).containsExactly(0L, 10L);
        assertThat(offsetsOf(fresh.read(0, ALL, PLENTY, true))).containsExactly(0L);
        assertThat(engine.logs()).contains(ID, again);
    }

    @Test
    void aLogThatIsSetAsideCanBeDeleted() {
        appendTens(2);
        log.close();
        engine.setAside(ID);

        engine.delete(ID);

        assertThat(engine.logs()).doesNotContain(ID);
        engine.setAside(ID);
        assertThat(engine.logs()).doesNotContain(ID);
        log = open(ID);
        assertThat(log.endOffset()).isZero();
    }

    @Test
    void anEngineWithTheDataOfAnotherClusterRefusesAndChangesNothing() {
        engine.belongTo("cluster-one");
        engine.belongTo("cluster-one");
        appendTens(2);
        settle(log);
        if (!engine.traits().contains(EngineTrait.SURVIVES_KILL)) {
            return;
        }

        StorageEngine elsewhere = reopen();

        assertFails(ErrorCode.INCONSISTENT_CLUSTER_ID, () -> elsewhere.belongTo("cluster-two"));
        assertThatThrownBy(() -> elsewhere.open(ID, 99)).isInstanceOf(FeliceException.class);
        engine = reopen();
        engine.belongTo("cluster-one");
        log = open(ID);
        assertThat(allOffsets(0, ALL)).containsExactly(0L, 10L);
    }

    @Test
    void theVolumeHasALogDirAndASize() {
        assertThat(engine.volume().logDir()).contains(":");
        assertThat(engine.volume().totalBytes()).isGreaterThanOrEqualTo(-1);
    }

    // Crashes

    private boolean survivesKill() {
        return engine.traits().contains(EngineTrait.SURVIVES_KILL);
    }

    @Test
    void whatIsSettledSurvivesAKill() {
        appendTens(3);
        settle(log);
        byte[] before = everythingIn(log);

        restart();

        assertThat(everythingIn(log)).isEqualTo(survivesKill() ? before : new byte[0]);
    }

    @Test
    void whatIsFlushedSurvivesAKill() {
        appendTens(3);
        await(log.flush(30).toCompletableFuture());
        byte[] before = everythingIn(log);

        restart();

        assertThat(everythingIn(log)).isEqualTo(survivesKill() ? before : new byte[0]);
    }

    @Test
    void theSettledOffsetPromisesNoMoreThanAKillLeaves() {
        appendTens(2);
        settle(log);
        appendTens(3);
        long settled = log.settledOffset();

        restart();

        assertThat(log.endOffset()).isGreaterThanOrEqualTo(survivesKill() ? settled : 0);
    }

    @Test
    void truncationSurvivesAKill() {
        appendTens(5);
        settle(log);
        log.truncateTo(20);

        restart();

        assertThat(log.endOffset()).isEqualTo(survivesKill() ? 20 : 0);
    }

    @Test
    void everyTruncationOfTheLastBatchLosesOnlyThatBatch() {
        appendTens(2);
        settle(log);
        int size = batch(10).at(0).sizeInBytes();

        for (int cut = 1; cut <= size; cut++) {
            int bytes = cut;
            reopenDamaged(ID, file -> Arrays.copyOf(file, file.length - bytes))
                    .ifPresent(this::onlyTheFirstBatchIsLeft);
        }
    }

    @Test
    void everyFlippedByteOfTheLastBatchLosesOnlyThatBatch() {
        appendTens(2);
        settle(log);
        int size = batch(10).at(0).sizeInBytes();

        for (int at = RecordBatch.LENGTH_AT; at < size; at++) {
            if (at < RecordBatch.LEADER_EPOCH_AT || at >= RecordBatch.MAGIC_AT) {
                int index = size - at;
                reopenDamaged(ID, file -> flipped(file, file.length - index)).ifPresent(this::onlyTheFirstBatchIsLeft);
            }
        }
    }

    @Test
    void zerosAndRandomBytesAfterTheLastBatchAreCutOff() {
        appendTens(2);
        settle(log);

        for (int length : new int[] {1, 11, 12, 60, 61, 100, 5_000}) {
            reopenDamaged(ID, file -> Arrays.copyOf(file, file.length + length)).ifPresent(this::bothBatchesAreLeft);
            byte[] rubbish = new byte[length];
            Arrays.fill(rubbish, (byte) 0x7F);
            reopenDamaged(ID, file -> TestBatches.concat(file, rubbish)).ifPresent(this::bothBatchesAreLeft);
        }
    }

    private void onlyTheFirstBatchIsLeft(StorageEngine damaged) {
        leftAfterDamage(damaged, 0L);
    }

    private void bothBatchesAreLeft(StorageEngine damaged) {
        leftAfterDamage(damaged, 0L, 10L);
    }

    private void leftAfterDamage(StorageEngine damaged, Long... offsets) {
        PartitionLog recovered = damaged.open(ID, 1);
        assertThat(batchesIn(everythingIn(recovered)))
                .extracting(RecordBatch::baseOffset)
                .containsExactly(offsets);
        long end = offsets.length * 10L;
        assertThat(recovered.endOffset()).isEqualTo(end);
        recovered.append(batch(1).at(end));
        assertThat(offsetsOf(recovered.read(end, ALL, PLENTY, true))).containsExactly(end);
        recovered.close();
    }

    private static byte[] flipped(byte[] file, int at) {
        byte[] copy = file.clone();
        copy[at] ^= 0x55;
        return copy;
    }

    // Threads

    @Test
    void concurrentReadersSeeOnlyWholeBatchesInOrder() {
        AtomicBoolean done = new AtomicBoolean();
        PartitionLog shared = log;
        List<CompletableFuture<Void>> readers = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            readers.add(CompletableFuture.runAsync(() -> follow(shared, done)));
        }

        for (int i = 0; i < 5_000; i++) {
            log.append(batch(1).values("record " + i).at(i));
            if (i % 16 == 15) {
                settle(log);
            }
            if (i % 1_000 == 999) {
                log.roll();
            }
        }
        done.set(true);

        readers.forEach(StorageEngineContract::await);
    }

    private static void follow(PartitionLog log, AtomicBoolean done) {
        long next = 0;
        while (!done.get() || next < log.endOffset()) {
            try (Records records = log.read(next, log.endOffset(), 4_096, true)) {
                for (RecordBatch batch : batchesIn(bytesOf(records))) {
                    assertThat(batch.baseOffset()).isEqualTo(next);
                    assertThat(batch.crc()).isEqualTo(TestBatches.crcOf(batch.bytes()));
                    next = batch.nextOffset();
                }
            }
        }
    }

    @Test
    void settlingOnOtherThreadsDuringAppendsLosesNothing() {
        AtomicBoolean done = new AtomicBoolean();
        PartitionLog shared = log;
        CompletableFuture<Void> settler = CompletableFuture.runAsync(() -> {
            while (!done.get()) {
                settle(shared);
            }
        });
        byte[] expected = {};
        for (int i = 0; i < 400; i++) {
            RecordBatch batch = batch(1).values("record " + i).at(i);
            log.append(batch);
            expected = TestBatches.concat(expected, copyOf(batch));
        }
        done.set(true);
        await(settler);

        assertThat(everythingIn(log)).isEqualTo(expected);
    }

    // Random operations

    @Test
    void tenThousandRandomOperationsAgreeWithAModel() {
        long seed = Long.getLong("felice.seed", System.nanoTime());
        System.out.println(getClass().getSimpleName() + " random operations: -Dfelice.seed=" + seed);
        RandomLog random = new RandomLog(seed, log, replaces());
        for (int i = 0; i < RANDOM_OPERATIONS; i++) {
            try {
                if (random.wantsRestart()) {
                    random.releaseAll();
                    settle(log);
                    restart();
                    random.reopened(log, engine.traits().contains(EngineTrait.SURVIVES_KILL));
                } else {
                    random.step();
                }
            } catch (AssertionError | RuntimeException failure) {
                throw new AssertionError(
                        "operation " + i + " with -Dfelice.seed=" + seed + " failed: " + failure.getMessage()
                                + "\nThe changes of the log before it, and the operation that failed:\n" + random,
                        failure);
            }
        }
        random.releaseAll();
    }

    // Steps of the tests

    private void appendTens(int batches) {
        for (int i = 0; i < batches; i++) {
            log.append(batch(10).at(log.endOffset()));
        }
    }

    /** The base offsets of all batches from {@code from} on, read in as many reads as necessary. */
    private List<Long> allOffsets(long from, long limit) {
        List<Long> offsets = new ArrayList<>();
        long next = from;
        while (next < log.endOffset()) {
            try (Records records = log.read(next, limit, PLENTY, true)) {
                List<RecordBatch> batches = batchesIn(bytesOf(records));
                if (batches.isEmpty()) {
                    break;
                }
                batches.forEach(batch -> offsets.add(batch.baseOffset()));
                next = batches.get(batches.size() - 1).nextOffset();
            }
        }
        return offsets;
    }

    private List<Segment> sealed() {
        return log.segments().stream().filter(Segment::sealed).toList();
    }

    private static byte[] joined(List<Records> pins) {
        byte[] all = {};
        for (Records pin : pins) {
            all = TestBatches.concat(all, bytesOf(pin));
        }
        return all;
    }

    private static void assertFails(ErrorCode code, ThrowingCallable action) {
        assertThatThrownBy(action).isInstanceOfSatisfying(FeliceException.class, failure -> {
            assertThat(failure.code()).isEqualTo(code);
            assertThat(failure.getMessage()).isNotBlank();
        });
    }

    /** On return everything in the log survives a kill. */
    static void settle(PartitionLog log) {
        await(log.settle(log.endOffset()).toCompletableFuture());
    }

    private static void await(CompletableFuture<Void> future) {
        assertThatCode(() -> future.get(TIMEOUT_SECONDS, TimeUnit.SECONDS)).doesNotThrowAnyException();
    }
}
