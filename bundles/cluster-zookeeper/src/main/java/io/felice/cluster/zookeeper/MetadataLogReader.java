package io.felice.cluster.zookeeper;

import io.felice.api.FeliceException;
import io.felice.api.Launch;
import io.felice.api.Subscription;
import io.felice.api.cluster.ClusterStore;
import io.felice.api.cluster.MetadataRecord;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.zookeeper.KeeperException.Code;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the metadata log for one follower: the newest snapshot, then every batch after it, up to the length of {@code
 * /log}.
 *
 * <p>If a batch is missing and a newer snapshot covers it, this reader starts again from that snapshot. If no snapshot
 * covers it, somebody has deleted the batch. Then this reader stops before it and says so once. It reads again when the
 * log changes and every few seconds, because the controller may write a snapshot that covers the batch.
 *
 * <p>If the ensemble has lost batches that the follower has, for example because its disks were put back to an older
 * state, this reader stops for good: what comes after them in the ensemble does not continue what the follower has.
 *
 * <p>Runs on the event thread; any thread may read the numbers.
 */
final class MetadataLogReader implements Actor, Subscription {
    private static final Logger log = LoggerFactory.getLogger(MetadataLogReader.class);
    private static final int AHEAD = 16;

    private final Paths paths;
    private final ClusterStore.Follower follower;
    private final EventThread events;
    private final Runnable onClose;
    private final Consumer<String> onLost;
    private final RepeatedRead look = new RepeatedRead(this::look);
    private ZooKeeperClient client;
    private long applied = -1;
    /** The header of the batch that was applied last; null after a snapshot. */
    private MetadataBatch last;
    /** True until it is known whether the log at a new connection is the log that the follower has. */
    private boolean mayBeAnother;

    private final ChangeParts parts = new ChangeParts();
    private final Set<Long> incompleteSnapshots = new HashSet<>();
    private String holeSaid = "";
    private volatile boolean closed;
    private boolean stopped;
    private volatile long bytes;
    private volatile long shownApplied;
    private volatile long shownSnapshot;
    private volatile long shownZnodes;

    /** @param onLost gets a sentence if the ensemble has lost batches that the follower has */
    MetadataLogReader(
            Paths paths,
            ClusterStore.Follower follower,
            EventThread events,
            Consumer<MetadataLogReader> onClose,
            Consumer<String> onLost) {
        this.paths = paths;
        this.follower = follower;
        this.events = events;
        this.onClose = () -> onClose.accept(this);
        this.onLost = onLost;
    }

    @Override
    public void connected(ZooKeeperClient now) {
        ZooKeeperClient before = client;
        client = now;
        mayBeAnother = true;
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

    long bytes() {
        return bytes;
    }

    long znodes() {
        return shownZnodes;
    }

    /** The version of the snapshot that this follower started from. */
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
                lost(length + " entries, but this node has applied " + applied);
                done.run();
            } else if (mayBeAnother && last != null) {
                compareLast(length, done);
            } else {
                readBatches(length, done);
            }
        });
    }

    /** After the ensemble was put back, others may have written as many batches again, or more. */
    private void compareLast(long length, Runnable done) {
        client.get(paths.log(applied), null, (code, node) -> {
            if (code != Code.OK && code != Code.NONODE) {
                done.run();
                return;
            }
            mayBeAnother = false;
            if (code == Code.OK && !isLast(node.data())) {
                lost("another entry " + applied + " than the one that this node has applied");
                done.run();
            } else {
                readBatches(length, done);
            }
        });
    }

    private boolean isLast(byte[] data) {
        try {
            return MetadataBatch.of(data).isSameAs(last);
        } catch (FeliceException unreadable) {
            return false;
        }
    }

    private void lost(String what) {
        stopped = true;
        onLost.accept(
                "The metadata log in ZooKeeper has " + what + ". The ensemble has lost data, or it is another ensemble"
                        + " than before. This node goes on with the topics and leaders that it knows, and decides nothing."
                        + " Bring the data of the ensemble back, or restart all brokers to go on with what it has");
    }

    /**
     * Starts from the newest complete snapshot. Without snapshots, starts from an empty state if the log still has its
     * first batches.
     */
    private void readSnapshot(long length, Runnable done) {
        client.get(paths.snapshots(), null, (code, node) -> {
            if (code != Code.OK) {
                done.run();
                return;
            }
            SnapshotList pointer = SnapshotList.of(node.text());
            Optional<SnapshotList.Snapshot> newest = newestComplete(pointer);
            if (newest.isPresent()) {
                readChunks(newest.get(), length, done);
            } else if (pointer.isLogWhole()) {
                reset(0, List.of());
                readBatches(length, done);
            } else {
                sayHole("All snapshots of the metadata log in ZooKeeper, " + incompleteSnapshots + " below "
                        + paths.snapshots() + ", lack chunks");
                done.run();
            }
        });
    }

    private Optional<SnapshotList.Snapshot> newestComplete(SnapshotList pointer) {
        return pointer.snapshots().stream()
                .filter(snapshot -> !incompleteSnapshots.contains(snapshot.version()))
                .findFirst();
    }

    private void readChunks(SnapshotList.Snapshot snapshot, long length, Runnable done) {
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
            SnapshotList.Snapshot snapshot, List<String> chunks, Failure failure, long length, Runnable done) {
        if (failure.isGone()) {
            chunkIsGone(snapshot, length, done);
            return;
        }
        if (failure.isAny()) {
            done.run();
            return;
        }
        List<MetadataRecord> records = new ArrayList<>();
        try {
            chunks.forEach(chunk -> records.addAll(MetadataBatch.records(List.of(chunk.split("\n")))));
        } catch (FeliceException unreadable) {
            stop(unreadable.getMessage());
            done.run();
            return;
        }
        reset(snapshot.version(), records);
        readBatches(length, done);
    }

    /**
     * Reads the pointer again. If it still names this snapshot, the snapshot is incomplete, and the next older one is
     * used. If not, a newer snapshot has replaced it.
     */
    private void chunkIsGone(SnapshotList.Snapshot snapshot, long length, Runnable done) {
        client.get(paths.snapshots(), null, (code, node) -> {
            if (code == Code.OK && SnapshotList.of(node.text()).has(snapshot.version())) {
                log.warn(
                        "Snapshot {} of the metadata log lacks a chunk; an older snapshot is used instead, if there is"
                                + " one",
                        snapshot.version());
                incompleteSnapshots.add(snapshot.version());
            }
            if (code == Code.OK) {
                readSnapshot(length, done);
            } else {
                done.run();
            }
        });
    }

    private void reset(long version, List<MetadataRecord> records) {
        applied = version;
        shownApplied = version;
        shownSnapshot = version;
        last = null;
        parts.clear();
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
        if (stopped || !failure.isAny()) {
            readBatches(length, done);
        } else if (failure.isGone()) {
            batchIsGone(applied + 1, length, done);
        } else {
            done.run();
        }
    }

    /**
     * Starts again from a snapshot that covers the missing batch. That snapshot is a newer one each time, so this ends.
     */
    private void batchIsGone(long batch, long length, Runnable done) {
        client.get(paths.snapshots(), null, (code, node) -> {
            if (code != Code.OK) {
                done.run();
                return;
            }
            boolean covered = newestComplete(SnapshotList.of(node.text()))
                    .filter(snapshot -> snapshot.version() >= batch)
                    .isPresent();
            if (covered) {
                log.info(
                        "Batch {} of the metadata log is deleted because a newer snapshot covers it; reading starts"
                                + " again from the snapshot",
                        batch);
                applied = -1;
                readSnapshot(length, done);
            } else {
                sayHole("Batch " + batch + " of the metadata log in ZooKeeper, " + paths.log(batch)
                        + ", is gone, and no snapshot covers it");
                done.run();
            }
        });
    }

    /**
     * Fails the launch of a node that has not served yet. A node that has served goes on with the metadata that it has.
     */
    private void sayHole(String what) {
        if (what.equals(holeSaid)) {
            return;
        }
        holeSaid = what;
        String sentence =
                what + ". So this node cannot read the topics and configs of the cluster. Stop the node and run 'felice"
                        + " metadata-repair', which says what is lost.";
        if (Launch.hasServed()) {
            log.error("{}", sentence);
        } else {
            Launch.failed(sentence);
        }
    }

    /** The first failure of several reads. Later failures are ignored. */
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
            MetadataBatch batch = MetadataBatch.of(data);
            List<MetadataRecord> records = parts.add(batch);
            applied++;
            last = new MetadataBatch(batch.epoch(), batch.id(), batch.part(), batch.parts(), List.of());
            shownApplied = applied;
            if (!closed) {
                follower.changed(applied, records);
            }
        } catch (FeliceException unreadable) {
            stop(unreadable.getMessage());
        }
    }

    private void stop(String sentence) {
        stopped = true;
        Launch.failed(sentence);
    }
}
