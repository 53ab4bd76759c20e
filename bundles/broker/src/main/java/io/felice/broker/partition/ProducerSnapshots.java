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
 * Writes snapshots of a partition's producers: from time to time, so that the next opening reads little of the log, and
 * before records are removed from which the producers come. The log's writer takes them. Periodic ones are written in
 * the background, under this object's monitor; others on the pool thread that takes them.
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

    // Used by the log's writer only.
    private long bytesSince;

    /** @param isOpen false once the log has failed: then no snapshot is written, as it may have lost records */
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

    boolean cover(long offset) {
        return newest.get() >= offset;
    }

    /** True if a snapshot is due: about one per segment. */
    boolean areDue(long bytes, int segmentBytes) {
        bytesSince += bytes;
        return bytesSince >= Math.min(SNAPSHOT_BYTES, segmentBytes);
    }

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

    /** Blocks. */
    void take(long end, ByteBuffer producers) {
        bytesSince = 0;
        write(new Snapshot(end, producers));
    }

    /** A snapshot that cannot be written only makes the next opening read more of the log. */
    private void write(Snapshot snapshot) {
        try {
            files.writeSnapshot(snapshot.offset(), snapshot.bytes());
            newest.accumulateAndGet(snapshot.offset(), Math::max);
        } catch (IOException failure) {
            LOG.warn(
                    "The producer snapshot of {} at offset {} was not written; the next start reads more of the log: {}",
                    partition,
                    snapshot.offset(),
                    failure.toString());
        }
    }

    /** Removes the snapshots above {@code end}, before the log is truncated. Blocks. */
    synchronized void forgetAbove(long end) {
        unwritten.set(null);
        newest.set(
                files.newestSnapshot(end).map(PartitionFiles.Snapshot::offset).orElse(-1L));
    }

    /**
     * Waits for a snapshot that is being written; none is written later, because the log may be opened again and have
     * fewer records. Blocks.
     */
    synchronized void close() {
        closed = true;
        unwritten.set(null);
    }
}
