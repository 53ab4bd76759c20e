package io.felice.broker;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a partition's producers on disk now and then, so that the next opening reads little of the log, and whenever
 * records go that they could be learnt from. Snapshots are taken by the partition's writer; in passing they are written
 * in the background, otherwise on the pool thread that asks for them. The monitor is held while one is written in the
 * background.
 */
final class ProducerSnapshots {
    private static final Logger logger = LoggerFactory.getLogger(ProducerSnapshots.class);
    private static final long SNAPSHOT_BYTES = 64L << 20;

    /** What the producers were when the log ended at {@code offset}. */
    private record Snapshot(long offset, ByteBuffer bytes) {}

    private final Leadership leadership;
    private final Producers producers;
    private final PartitionFiles files;
    private final Node node;
    private final AtomicReference<Snapshot> unwritten = new AtomicReference<>();
    /** Of the newest that is on disk; -1 if none is known to be. */
    private final AtomicLong newest;

    // Of the partition's writer.
    private long bytesSince;

    ProducerSnapshots(Leadership leadership, Producers producers, PartitionFiles files, Node node, long newest) {
        this.leadership = leadership;
        this.producers = producers;
        this.files = files;
        this.node = node;
        this.newest = new AtomicLong(newest);
    }

    /** True if the newest one on disk knows all producers below this offset. */
    boolean cover(long offset) {
        return newest.get() >= offset;
    }

    /** So many bytes more are in the log, which ends at {@code end}: takes a snapshot if they have become many. */
    void appended(long bytes, long end) {
        bytesSince += bytes;
        if (bytesSince >= Math.min(SNAPSHOT_BYTES, leadership.rules().sizes().segmentBytes())) {
            bytesSince = 0;
            Snapshot taken = new Snapshot(end, producers.snapshot());
            if (unwritten.getAndSet(taken) == null) {
                node.background().execute(this::writeTaken);
            }
        }
    }

    private void writeTaken() {
        Snapshot taken = unwritten.getAndSet(null);
        synchronized (this) {
            if (taken != null && leadership.isLeading()) {
                write(taken);
            }
        }
    }

    /**
     * Once leadership has ended: nothing is written after this returns. The log may be opened again then, without the
     * records that a snapshot knows. Blocks while one is written.
     */
    synchronized void close() {
        unwritten.set(null);
    }

    /** Takes one of the log as it ends at {@code end} and writes it. Blocks. */
    void takeAt(long end) {
        bytesSince = 0;
        write(new Snapshot(end, producers.snapshot()));
    }

    /** A snapshot that cannot be written costs a longer scan at the next start, no more. */
    private void write(Snapshot snapshot) {
        try {
            files.writeSnapshot(snapshot.offset(), snapshot.bytes());
            newest.accumulateAndGet(snapshot.offset(), Math::max);
        } catch (IOException failure) {
            logger.warn(
                    "No producer snapshot of {} at offset {}: {}",
                    leadership.partition(),
                    snapshot.offset(),
                    failure.toString());
        }
    }
}
