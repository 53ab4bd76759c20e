package io.felice.api.storage;

import io.felice.api.RecordBatch;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * The log of one partition: batches in order of their offsets, from {@link #startOffset} to {@link #endOffset}.
 *
 * <p>Threads: the broker calls {@link #append}, {@link #roll}, {@link #truncateTo}, {@link #trimTo}, {@link
 * Replacement#commit} and {@link #configure} on one thread at a time per partition; the log may rely on that. The other
 * methods are called on any thread at any time. {@code append}, {@code settle} and hot reads may block unless the engine
 * has the trait {@link EngineTrait#APPENDS_WITHOUT_BLOCKING}. Other methods that read or write files may always block.
 *
 * <p>Failures: the first failed write makes a handle dead. Every later append, settle and flush of a dead handle fails
 * with KAFKA_STORAGE_ERROR until the log is opened again; reads may still succeed. A failed read fails alone, with
 * KAFKA_STORAGE_ERROR or CORRUPT_MESSAGE, and leaves the handle as it was.
 */
@ConsumerType
public interface PartitionLog extends AutoCloseable {
    /** What {@link #settle} and {@link #flush} return when there is nothing to wait for: always this one stage. */
    CompletionStage<Void> DONE = CompletableFuture.completedStage(null);

    /** The log start offset: the lowest offset that can be read. */
    long startOffset();

    /** The log end offset: the lowest offset that the next record may have. */
    long endOffset();

    /** Records below this offset survive a power cut, if the engine has {@link EngineTrait#SURVIVES_POWER_LOSS}. */
    long flushedOffset();

    /** Records below this offset survive kill -9, if the engine has {@link EngineTrait#SURVIVES_KILL}. */
    long settledOffset();

    /**
     * True if a failed write has made this handle dead. Never blocks. The default is false, for engines whose writes
     * cannot fail.
     */
    default boolean hasFailed() {
        return false;
    }

    /**
     * Appends one batch. The caller has assigned its offsets; there may be a gap between {@link #endOffset} and the
     * first of them. When the method returns, {@link #read} returns the batch, and the caller may reuse its bytes. An
     * append may write to a file and then takes as long as {@link #settle}.
     *
     * @throws io.felice.api.FeliceException KAFKA_STORAGE_ERROR if the batch could not be stored; the handle is dead
     *     then
     * @throws IllegalArgumentException if the batch starts below {@link #endOffset}; the log is unchanged
     */
    void append(RecordBatch batch);

    /**
     * Makes all appends below an offset survive kill -9; they do when the stage completes. An engine that writes before
     * the method returns gives {@link #DONE}. An engine that commits for many logs at once completes the stage later, on
     * a thread of its own: what depends on the stage must not block there.
     *
     * @param upTo not above {@link #endOffset}
     * @return fails with KAFKA_STORAGE_ERROR if the write failed; the handle is dead then. An engine that writes before
     *     the method returns may throw that instead
     */
    CompletionStage<Void> settle(long upTo);

    /**
     * Makes all appends below {@code upTo} survive a power cut. The stage completes when they do, on any thread. It
     * fails with KAFKA_STORAGE_ERROR if the flush failed; the handle is dead then.
     */
    CompletionStage<Void> flush(long upTo);

    /**
     * Reads whole batches. The first is the batch with the offset {@code from}, or the next batch if {@code from} is in
     * a gap. All offsets of all batches are below {@code limit}.
     *
     * @param maxBytes the most bytes to return; 0 is legal
     * @param atLeastOne true to return the first batch even if that batch is larger than {@code maxBytes} (KIP-74)
     * @return pinned records, empty at the end of the log; the caller closes them
     * @throws io.felice.api.FeliceException OFFSET_OUT_OF_RANGE if {@code from} is below {@link #startOffset} or above
     *     {@link #endOffset}, CORRUPT_MESSAGE if the bytes of a batch are damaged, KAFKA_STORAGE_ERROR if they cannot
     *     be read
     */
    Records read(long from, long limit, int maxBytes, boolean atLeastOne);

    /** True if a read from this offset needs no disk access, so that an I/O thread may read. */
    default boolean isHot(long from) {
        return true;
    }

    /** The segments in order of their offsets. There is at least one; the last one is the active segment. */
    List<Segment> segments();

    /**
     * An offset from which a search for {@code timestamp} may start: no batch below this offset has a max timestamp of
     * {@code timestamp} or later. The default is the start of the first segment with a max timestamp that is late
     * enough.
     *
     * @param timestamp milliseconds since the epoch
     */
    default long scanStartFor(long timestamp) {
        for (Segment segment : segments()) {
            if (segment.maxTimestamp() >= timestamp) {
                return Math.max(segment.baseOffset(), startOffset());
            }
        }
        return endOffset();
    }

    /**
     * Begins to replace neighbouring sealed segments by one segment with fewer batches, for compaction. Called on pool
     * threads, while the log's writer goes on; may block. Called only if the engine has
     * {@link EngineTrait#REPLACES_RANGES}.
     *
     * @param old one or more of {@link #segments}, in order and without a gap; the offsets of several span at most 2^31
     * @throws io.felice.api.FeliceException OFFSET_OUT_OF_RANGE if they are not, or are no longer, neighbouring sealed
     *     segments of this log. KAFKA_STORAGE_ERROR if the replacement cannot begin, or if the log has a newer owner.
     *     The log has not changed then
     */
    default Replacement replace(List<Segment> old) {
        throw new UnsupportedOperationException("no segment of this log can be replaced");
    }

    /**
     * Deletes all batches with an offset of {@code end} or above. A batch with offsets on both sides of {@code end} is
     * deleted as a whole, so the log may end below {@code end}. Does nothing if the log ends at {@code end} or below
     * it. If {@code end} is below {@link #startOffset}, the log becomes empty and starts at {@code end}.
     *
     * <p>The method waits until pinned records above {@code end} are closed. When it returns, the truncation survives a
     * power cut.
     *
     * @throws io.felice.api.FeliceException KAFKA_STORAGE_ERROR if the log could not be truncated; the handle is dead
     *     then
     */
    void truncateTo(long end);

    /**
     * Moves the log start offset up to {@code start}. Segments that end at {@code start} or below are deleted as soon
     * as no records in them are pinned. If {@code start} is above {@link #endOffset}, the log becomes empty and starts
     * and ends at {@code start}. Does nothing if the log starts at {@code start} or above. When the method returns, the
     * new start survives a power cut.
     *
     * @throws io.felice.api.FeliceException KAFKA_STORAGE_ERROR if the start could not be moved, or moved but not be
     *     made durable. Then {@link #startOffset} returns the start in force, and {@link #hasFailed} says whether the
     *     handle is dead
     */
    void trimTo(long start);

    /** Seals the active segment and starts a new one. Does nothing if the active segment is empty. */
    void roll();

    /** Sets the sizes for the batches and segments that follow. Existing segments do not change. */
    void configure(SegmentSizes sizes);

    /**
     * The files of segments that {@link #trimTo} drops are deleted after this delay, and at once if there is little free
     * space. The records cannot be read meanwhile. The default does nothing, for engines that delete at once.
     */
    default void deleteFilesAfter(Duration delay) {}

    /**
     * Settles the log and gives the handle back. The log stays with the engine. When its last handle is closed, the
     * engine may free memory and close files. Never throws: a failure to settle is logged.
     */
    @Override
    void close();
}
