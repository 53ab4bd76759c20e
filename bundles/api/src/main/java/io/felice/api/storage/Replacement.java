package io.felice.api.storage;

import io.felice.api.RecordBatch;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Neighbouring sealed segments of a log while one new segment with fewer batches is written for their offsets, as
 * compaction does. The new segment begins at the first offset of the first old one and ends where the last old one ends.
 * {@link PartitionLog#replace} begins it:
 *
 * <pre>
 * Replacement replacement = log.replace(old);     // on a pool thread
 * replacement.append(batch);                      // each batch that stays
 * replacement.prepare();
 * replacement.commit();                           // as the log's writer
 * replacement.close();                            // on a pool thread
 * </pre>
 *
 * <p>A log has one replacement at a time, for which the caller cares. Until {@link #commit} returns, reads give the old
 * batches; from then on the new ones. What is pinned stays as it is.
 *
 * <p>Threads: everything but {@link #commit} is called by one pool thread at a time, beside the log's writer, and may
 * block. The engine lets appends, settles and reads go on meanwhile.
 *
 * <p>Crashes: a restart finds all of the old segments or the new one, never a mix and never both. It finds the old ones
 * unless {@link #commit} was called, and the new one if {@link #close} has returned after a commit, also after a power cut
 * if the engine's traits say so.
 *
 * <p>Failures: what goes wrong before {@link #commit} fails the replacement only, with KAFKA_STORAGE_ERROR, for example if
 * there is no room for the new segment; the log goes on as it was. A commit, or a close after it, that fails with
 * KAFKA_STORAGE_ERROR may end the handle of the log (see {@link PartitionLog#hasFailed}).
 */
@ConsumerType
public interface Replacement extends AutoCloseable {
    /**
     * Adds a batch to the new segment. The engine copies or writes the bytes before it returns.
     *
     * @throws IllegalArgumentException if the batch is not above the one before, or not within the old segments
     * @throws io.felice.api.FeliceException KAFKA_STORAGE_ERROR if it could not be kept, or if the log has a newer owner
     */
    void append(RecordBatch batch);

    /** No batch is added any more: makes the new segment durable, so that {@link #commit} is quick. */
    void prepare();

    /**
     * Puts the new segment in the place of the old ones. Called by the log's writer, after {@link #prepare}; appends wait
     * for it, so it takes no longer than the write of one batch.
     *
     * @throws io.felice.api.FeliceException OFFSET_OUT_OF_RANGE if the log was trimmed or truncated since {@link
     *     PartitionLog#replace} so that the old segments are not what they were; KAFKA_STORAGE_ERROR if it failed, or if the
     *     log has a newer owner. The old segments stay
     */
    void commit();

    /** After a commit removes what is left of the old segments; else discards the new one. Does nothing the second time. */
    @Override
    void close();
}
