package io.felice.cluster.zookeeper;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.LongStream;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException.Code;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Checks every few seconds that all batches and chunks exist that a starting node needs. A running node has read them
 * already and would not notice that one is gone.
 *
 * <p>A check compares numbers of children. Only if they are too small, it reads the names. Runs on the event thread.
 */
final class MetadataLogCheck implements Actor {
    private static final Logger log = LoggerFactory.getLogger(MetadataLogCheck.class);
    private static final int NAMED_AT_MOST = 10;

    private final Paths paths;
    private final Consumer<String> onDamage;
    private final RepeatedRead look = new RepeatedRead(this::look);
    private ZooKeeperClient client;
    private String said = "";

    /** @param onDamage gets a sentence at every check that finds a batch or a chunk missing */
    MetadataLogCheck(Paths paths, Consumer<String> onDamage) {
        this.paths = paths;
        this.onDamage = onDamage;
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

    private void look(Runnable done) {
        if (client == null) {
            done.run();
            return;
        }
        client.get(paths.snapshots(), null, (code, node) -> {
            if (code == Code.OK) {
                countBatches(SnapshotList.of(node.text()), done);
            } else if (code == Code.NONODE) {
                makePointer(done);
            } else {
                done.run();
            }
        });
    }

    /**
     * Creates an empty pointer, because somebody deleted it together with all snapshots. An empty pointer says that
     * readers need the whole log.
     */
    private void makePointer(Runnable done) {
        client.create(paths.snapshots(), new byte[0], CreateMode.PERSISTENT, (code, stat) -> done.run());
    }

    /**
     * The controller changes the pointer before it deletes batches, so batches may only seem to be missing. {@link
     * #nameBatches} therefore reads the pointer again.
     */
    private void countBatches(SnapshotList pointer, Runnable done) {
        client.exists(paths.log(), null, (code, stat) -> {
            if (code != Code.OK) {
                done.run();
            } else if (stat.getNumChildren() < stat.getVersion() - pointer.neededAfter()) {
                nameBatches(stat.getVersion(), done);
            } else {
                countChunks(pointer, 0, done);
            }
        });
    }

    private void nameBatches(long length, Runnable done) {
        client.children(paths.log(), null, (code, names) -> {
            if (code != Code.OK) {
                done.run();
                return;
            }
            client.get(paths.snapshots(), null, (ofPointer, node) -> {
                if (ofPointer == Code.OK) {
                    compare(new HashSet<>(names), SnapshotList.of(node.text()), length);
                }
                done.run();
            });
        });
    }

    private void compare(Set<String> names, SnapshotList pointer, long length) {
        List<Long> missing = LongStream.rangeClosed(pointer.neededAfter() + 1, length)
                .filter(n -> !names.contains(Paths.number(n)))
                .boxed()
                .toList();
        if (missing.isEmpty()) {
            return;
        }
        String more = missing.size() > NAMED_AT_MOST ? " and more" : "";
        damaged("Batches " + missing.subList(0, Math.min(NAMED_AT_MOST, missing.size())) + more
                + " of the metadata log in ZooKeeper are gone, below " + paths.log());
    }

    private void countChunks(SnapshotList pointer, int index, Runnable done) {
        if (index == pointer.snapshots().size()) {
            said = "";
            done.run();
            return;
        }
        SnapshotList.Snapshot snapshot = pointer.snapshots().get(index);
        client.exists(paths.snapshot(snapshot.version()), null, (code, stat) -> {
            boolean isThere = code == Code.OK && stat.getNumChildren() >= snapshot.chunks();
            if (isThere) {
                countChunks(pointer, index + 1, done);
            } else if (code == Code.OK || code == Code.NONODE) {
                confirm(snapshot, done);
            } else {
                done.run();
            }
        });
    }

    private void confirm(SnapshotList.Snapshot snapshot, Runnable done) {
        client.get(paths.snapshots(), null, (code, node) -> {
            if (code == Code.OK && SnapshotList.of(node.text()).has(snapshot.version())) {
                damaged("Chunks of the snapshot " + paths.snapshot(snapshot.version())
                        + " of the metadata log in ZooKeeper are gone");
            }
            done.run();
        });
    }

    private void damaged(String what) {
        if (!what.equals(said)) {
            said = what;
            log.error(
                    "{}. A node that starts now cannot read the metadata. A controller that has all metadata in memory"
                            + " replaces the lost part by a snapshot. If no snapshot follows this line, stop the node"
                            + " and run 'felice metadata-repair'",
                    what);
        }
        onDamage.accept(what);
    }
}
