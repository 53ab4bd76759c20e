package io.felice.cluster.zookeeper;

import java.util.ArrayList;
import java.util.List;

/** The data of {@code /snapshots}: the snapshots that are complete, the newest first.
 *
 * <pre>
 * snapshot/1 version=20000 chunks=3
 * snapshot/1 version=10000 chunks=2
 * </pre>
 */
record SnapshotList(List<Snapshot> snapshots) {
    static final int KEPT = 2;

    SnapshotList {
        snapshots = List.copyOf(snapshots);
    }

    /** A snapshot of the state after batch {@code version}, written in {@code chunks} znodes. */
    record Snapshot(long version, int chunks) {}

    static SnapshotList of(String text) {
        List<Snapshot> snapshots = new ArrayList<>();
        text.lines().filter(line -> line.startsWith("snapshot/1 ")).forEach(line -> {
            String[] words = line.split("[ =]");
            snapshots.add(new Snapshot(Long.parseLong(words[2]), Integer.parseInt(words[4])));
        });
        return new SnapshotList(snapshots);
    }

    String text() {
        StringBuilder text = new StringBuilder();
        snapshots.forEach(s -> text.append("snapshot/1 version=")
                .append(s.version())
                .append(" chunks=")
                .append(s.chunks())
                .append('\n'));
        return text.toString();
    }

    /** True if the log still has its first batch: batches are deleted only when there are two snapshots. */
    boolean isLogWhole() {
        return snapshots.size() < KEPT;
    }

    boolean isEmpty() {
        return snapshots.isEmpty();
    }

    Snapshot newest() {
        return snapshots.get(0);
    }

    boolean has(long version) {
        return snapshots.stream().anyMatch(s -> s.version() == version);
    }

    /** The pointer with {@code newer} in front. Drops the oldest snapshot if there are too many. */
    SnapshotList with(Snapshot newer) {
        List<Snapshot> kept = new ArrayList<>();
        kept.add(newer);
        kept.addAll(snapshots.subList(0, Math.min(KEPT - 1, snapshots.size())));
        return new SnapshotList(kept);
    }

    /** Readers need the batches after this one only. 0 if readers need the whole log. */
    long neededAfter() {
        return isLogWhole() ? 0 : snapshots.get(snapshots.size() - 1).version();
    }
}
