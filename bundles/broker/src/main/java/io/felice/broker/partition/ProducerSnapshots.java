package io.felice.broker.partition;

import io.felice.api.TopicPartition;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes a partition's producers to disk now and then, so that the next opening reads little of the log, and before records
 * go from which the producers could be learnt. The log's writer takes the snapshots. Those taken in passing are written in
 * the background, under this object's monitor; the others on the pool thread that asks for them.
 */
final class ProducerSnapshots {
    private static final Logger LOG = LoggerFactory.getLogger(ProducerSnapshots.class);
    private static final long SNAPSHOT_BYTES = 64L << 20;

    /** The producers as they were when the log ended at {@code offset}. */
    private record Snapshot(long offset, ByteBuffer bytes) {}

    private final TopicPartition partition;
    private final PartitionFiles files;
    private final Environment environment;
    private final BooleanSupplier isOpen;
    private final AtomicReference<Snapshot> unwritten = new AtomicReference<>();
    /** The offset of the newest snapshot on disk; -1 if none is known. */
    private final AtomicLong newest;

    private boolean closed;

    // Of the log's writer.
    private long bytesSince;

    /** @param isOpen false once the log has failed: what was taken before may be of records that are lost */
    ProducerSnapshots(
            TopicPartition partition,
            PartitionFiles files,
            Environment environment,
            BooleanSupplier isOpen,
            long newest) {
        this.partition = partition;
        this.files = files;
        this.environment = environment;
        this.isOpen = isOpen;
        this.newest = new AtomicLong(newest);
    }

    /** True if the newest snapshot on disk has all producers of records below this offset. */
    boolean cover(long offset) {
        return newest.get() >= offset;
    }

    /** So many bytes more were appended. True if a snapshot should be taken: about one for each segment. */
    boolean areDue(long bytes, int segmentBytes) {
        bytesSince += bytes;
        return bytesSince >= Math.min(SNAPSHOT_BYTES, segmentBytes);
    }

    /** Notes a snapshot of the log as it ends at {@code end}, to be written in the background. */
    void takeInBackground(long end, ByteBuffer producers) {
        bytesSince = 0;
        if (unwritten.getAndSet(new Snapshot(end, producers)) == null) {
            environment.background().execute(this::writeTaken);
        }
    }

    private void writeTaken() {
        Snapshot taken = unwritten.getAndSet(null);
        synchronized (this) {
            if (taken != null && !closed && isOpen.getAsBoolean()) {
                write(taken);
            }
        }
    }

    /** Writes a snapshot of the log as it ends at {@code end}. Blocks. */
    void take(long end, ByteBuffer producers) {
        bytesSince = 0;
        write(new Snapshot(end, producers));
    }

    /** A snapshot that cannot be written costs a longer scan at the next opening, no more. */
    private void write(Snapshot snapshot) {
        try {
            files.writeSnapshot(snapshot.offset(), snapshot.bytes());
            newest.accumulateAndGet(snapshot.offset(), Math::max);
        } catch (IOException failure) {
            LOG.warn(
                    "The producers of {} at offset {} could not be written; the next start reads more of the log: {}",
                    partition,
                    snapshot.offset(),
                    failure.toString());
        }
    }

    /** The log is about to be cut off at {@code end}: snapshots above it are removed. Blocks. */
    synchronized void forgetAbove(long end) {
        unwritten.set(null);
        newest.set(
                files.newestSnapshot(end).map(PartitionFiles.Snapshot::offset).orElse(-1L));
    }

    /**
     * The log is closing: nothing is written after this returns. The log may be opened again then, without the records of
     * which a snapshot knows. Blocks while a snapshot is written.
     */
    synchronized void close() {
        closed = true;
        unwritten.set(null);
    }
}
