package io.felice.api.storage;

import io.felice.api.RecordBatch;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * One log: batches in order of their offsets, from {@link #startOffset} to {@link #endOffset}.
 *
 * <p>Threads: {@link #append}, {@link #roll}, {@link #truncateTo}, {@link #trimTo}, {@link #replace} and
 * {@link #configure} are called by one thread at a time (the partition's owner), which the log may rely on. Reads,
 * {@link #settle}, {@link #flush} and the offsets are called from any thread at any time.
 *
 * <p>Failures: a handle dies on its first I/O error that is not one of reading. From then on every append, settle and
 * flush fails with KAFKA_STORAGE_ERROR until the log is opened again; reads of what is still readable may go on. What
 * cannot be read fails that read with KAFKA_STORAGE_ERROR, or CORRUPT_MESSAGE, and nothing else.
 */
@ConsumerType
public interface PartitionLog extends AutoCloseable {
    /** The first offset that can be read. */
    long startOffset();

    /** The offset the next record will get at least. */
    long endOffset();

    /** Everything below survives a power cut, if the engine's traits say so at all. */
    long flushedOffset();

    /** Everything below survives kill -9, if the engine's traits say so at all. */
    long settledOffset();

    /**
     * True once a failed write ended this handle; never blocks. An engine whose writes cannot fail leaves it as it is.
     */
    default boolean hasFailed() {
        return false;
    }

    /**
     * Appends one batch whose offsets are assigned already; gaps are allowed, going back is not. It is visible to
     * {@link #read} on return. The engine copies or writes the bytes before it returns; the caller may reuse them. A
     * write to a file may take as long as one of {@link #settle}.
     *
     * @throws io.felice.api.FeliceException KAFKA_STORAGE_ERROR if it could not be kept; the handle is dead then
     * @throws IllegalArgumentException if the batch starts below {@link #endOffset}
     */
    void append(RecordBatch batch);

    /** All appends so far survive kill -9 after this returns. Does nothing if they do already. May write to a file. */
    void settle();

    /** All appends below {@code upTo} survive a power cut when the stage completes; it may complete on another thread. */
    CompletionStage<Void> flush(long upTo);

    /**
     * Reads whole batches, beginning with the one that holds {@code from} (or, in a gap, the first after it), all of
     * whose offsets are below {@code limit}.
     *
     * @param maxBytes no more than this many bytes; 0 is legal
     * @param atLeastOne gives the first batch even if it alone is larger than {@code maxBytes} (KIP-74)
     * @return pinned records, empty at the end of the log; the caller closes them
     * @throws io.felice.api.FeliceException OFFSET_OUT_OF_RANGE if {@code from} is below the start or above the end,
     *     CORRUPT_MESSAGE if what is there is damaged; the handle lives on
     */
    Records read(long from, long limit, int maxBytes, boolean atLeastOne);

    /** True if a read from this offset will not touch a disk, so that it may run on an I/O thread. */
    default boolean isHot(long from) {
        return true;
    }

    /** The segments in order; at least one, the last one active. */
    List<Segment> segments();

    /**
     * An offset from which a scan finds the first batch whose max timestamp is at least {@code timestamp}: a hint, never
     * too late. The default starts at the first segment that is recent enough.
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
     * Replaces a sealed segment by fewer batches of the same offsets, crash-safe: after a restart the old or the new is
     * there, never a mix. Only for engines with {@link EngineTrait#REPLACES_RANGES}.
     */
    void replace(Segment old, Iterator<RecordBatch> compacted);

    /**
     * Drops everything from {@code end} on; durable on return. Waits for pins above {@code end}. A batch that spans
     * {@code end} goes as a whole, so the log may end below it.
     */
    void truncateTo(long end);

    /**
     * Moves the start of the log to {@code start}; durable on return. Whole segments below it are deleted as soon as
     * their pins are gone. Past the end: the log is empty, and starts and ends at {@code start}.
     *
     * @throws io.felice.api.FeliceException KAFKA_STORAGE_ERROR if that could not be done or not be made durable:
     *     {@link #startOffset} says what was. A handle that still settles is not dead then
     */
    void trimTo(long start);

    /** Seals the active segment and starts a new one; does nothing if the active one is empty. */
    void roll();

    void configure(SegmentSizes sizes);

    /**
     * Settles and lets go of the handle; the log itself stays with the engine. The last handle's close may close files.
     * Does not throw: what could not be settled is logged.
     */
    @Override
    void close();

    /** For engines that have nothing to flush. */
    static CompletionStage<Void> flushed() {
        return CompletableFuture.completedFuture(null);
    }
}
