package io.felice.cluster.zookeeper;

import io.felice.api.FeliceException;
import io.felice.api.Launch;
import io.felice.api.Subscription;
import io.felice.api.cluster.ClusterStore;
import io.felice.api.cluster.MetadataRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.apache.zookeeper.KeeperException.Code;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings the log to one follower: from the newest snapshot on, batch by batch, up to the length that {@code /log} has.
 *
 * <p>What has been applied is all it trusts. A batch that is missing has been let go of after a snapshot, so it begins
 * again at the snapshot. Parts of a large change are kept until the last is there.
 */
final class MetadataLogReader implements Actor, Subscription {
    private static final Logger log = LoggerFactory.getLogger(MetadataLogReader.class);
    private static final int AHEAD = 16;

    private final Paths paths;
    private final ClusterStore.Follower follower;
    private final EventThread events;
    private final Runnable onClose;
    private final Look look = new Look(this::look);
    private ZooKeeperClient client;
    private long applied = -1;
    private Batch lastPart;
    private final List<String> partLines = new ArrayList<>();
    private volatile boolean closed;
    private boolean stopped;
    private volatile long bytes;
    private volatile long shownApplied;
    private volatile long shownSnapshot;
    private volatile long shownZnodes;

    MetadataLogReader(
            Paths paths, ClusterStore.Follower follower, EventThread events, Consumer<MetadataLogReader> onClose) {
        this.paths = paths;
        this.follower = follower;
        this.events = events;
        this.onClose = () -> onClose.accept(this);
    }

    @Override
    public void connected(ZooKeeperClient now) {
        ZooKeeperClient before = client;
        client = now;
        look.through(before, now);
    }

    @Override
    public void sessionLost() {
        client = null;
    }

    @Override
    public void tick() {
        look.now();
    }

    @Override
    public void close() {
        closed = true;
        events.execute(onClose);
    }

    long applied() {
        return shownApplied;
    }

    /** Bytes of log and snapshots read so far. */
    long bytes() {
        return bytes;
    }

    /** Batches in the log as last seen. */
    long znodes() {
        return shownZnodes;
    }

    /** The version of the snapshot this follower began with. */
    long snapshot() {
        return shownSnapshot;
    }

    private void look(Runnable done) {
        if (closed || stopped || client == null) {
            done.run();
            return;
        }
        client.get(paths.log(), look, (code, node) -> {
            if (code != Code.OK) {
                done.run();
                return;
            }
            long length = node.stat().getVersion();
            shownZnodes = node.stat().getNumChildren();
            if (applied < 0) {
                readSnapshot(length, done);
            } else if (length < applied) {
                stop("The metadata log in ZooKeeper has " + length + " entries, but this node has applied " + applied
                        + ": the ensemble has lost data or is another one.");
                done.run();
            } else {
                readBatches(length, done);
            }
        });
    }

    private void readSnapshot(long length, Runnable done) {
        client.get(paths.snapshots(), null, (code, node) -> {
            if (code != Code.OK) {
                done.run();
                return;
            }
            Pointer pointer = Pointer.of(node.text());
            if (pointer.isEmpty()) {
                reset(0, List.of());
                readBatches(length, done);
            } else {
                readChunks(pointer.newest(), length, done);
            }
        });
    }

    private void readChunks(Pointer.Snapshot snapshot, long length, Runnable done) {
        List<String> chunks = new ArrayList<>();
        Failure failure = new Failure();
        for (int chunk = 0; chunk < snapshot.chunks(); chunk++) {
            boolean last = chunk == snapshot.chunks() - 1;
            client.get(paths.chunk(snapshot.version(), chunk), null, (code, node) -> {
                failure.note(code);
                if (code == Code.OK) {
                    bytes += node.data().length;
                    chunks.add(node.text());
                }
                if (last) {
                    chunksRead(snapshot, chunks, failure, length, done);
                }
            });
        }
    }

    private void chunksRead(
            Pointer.Snapshot snapshot, List<String> chunks, Failure failure, long length, Runnable done) {
        if (failure.isAny()) {
            if (failure.isGone()) {
                // A newer snapshot has taken its place.
                look.now();
            }
            done.run();
            return;
        }
        List<MetadataRecord> records = new ArrayList<>();
        try {
            chunks.forEach(chunk -> records.addAll(Batch.records(List.of(chunk.split("\n")))));
        } catch (FeliceException unreadable) {
            stop(unreadable.getMessage());
            done.run();
            return;
        }
        reset(snapshot.version(), records);
        readBatches(length, done);
    }

    private void reset(long version, List<MetadataRecord> records) {
        applied = version;
        shownApplied = version;
        shownSnapshot = version;
        lastPart = null;
        partLines.clear();
        if (!closed) {
            follower.reset(version, records);
        }
    }

    private void readBatches(long length, Runnable done) {
        long first = applied + 1;
        long last = Math.min(length, applied + AHEAD);
        if (first > last || closed || stopped || client == null) {
            done.run();
            return;
        }
        Failure failure = new Failure();
        for (long n = first; n <= last; n++) {
            boolean isLast = n == last;
            client.get(paths.log(n), null, (code, node) -> {
                failure.note(code);
                if (!failure.isAny() && !stopped) {
                    bytes += node.data().length;
                    apply(node.data());
                }
                if (isLast) {
                    batchesRead(failure, length, done);
                }
            });
        }
    }

    private void batchesRead(Failure failure, long length, Runnable done) {
        if (!failure.isAny()) {
            readBatches(length, done);
            return;
        }
        if (failure.isGone()) {
            log.info("Batch {} of the metadata log is gone; beginning again at the snapshot", applied + 1);
            applied = -1;
            look.now();
        }
        done.run();
    }

    /** The first thing that went wrong among several reads; what comes after it does not count. */
    private static final class Failure {
        private Code first = Code.OK;

        void note(Code code) {
            if (first == Code.OK) {
                first = code;
            }
        }

        boolean isAny() {
            return first != Code.OK;
        }

        boolean isGone() {
            return first == Code.NONODE;
        }
    }

    private void apply(byte[] data) {
        try {
            Batch batch = Batch.of(data);
            List<MetadataRecord> records = complete(batch);
            applied++;
            shownApplied = applied;
            if (!closed) {
                follower.changed(applied, records);
            }
        } catch (FeliceException unreadable) {
            stop(unreadable.getMessage());
        }
    }

    /** The records that count from this batch on: none before the last part of a large change. */
    private List<MetadataRecord> complete(Batch batch) {
        if (lastPart != null && !batch.continues(lastPart)) {
            lastPart = null;
            partLines.clear();
        }
        if (batch.parts() == 1) {
            return batch.records();
        }
        partLines.addAll(batch.lines());
        if (!batch.isLastPart()) {
            lastPart = batch;
            return List.of();
        }
        List<MetadataRecord> records = Batch.records(partLines);
        lastPart = null;
        partLines.clear();
        return records;
    }

    private void stop(String sentence) {
        stopped = true;
        Launch.failed(sentence);
    }
}
