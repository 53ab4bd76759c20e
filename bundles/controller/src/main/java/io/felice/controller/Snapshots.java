package io.felice.controller;

import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.cluster.MetadataText;
import java.util.List;

/**
 * Counts how much the log has grown since the last snapshot, and takes a snapshot at the limits, or earlier if the log has
 * more records than the snapshot: who starts reads both, so that the state decides how long a start takes, and not the
 * changes that led to it. One thread.
 */
final class Snapshots {
    /** Fewer changes are read so fast that a snapshot is not worth its writing. */
    private static final long LEAST_CHANGES = 500;

    private long everyChanges;
    private long everyBytes;
    private long changes;
    private long bytes;
    private long records;
    /** The records of the last snapshot. */
    private long covered;

    private long taken;
    private boolean busy;
    private boolean wanted;

    Snapshots(long everyChanges, long everyBytes) {
        this.everyChanges = everyChanges;
        this.everyBytes = everyBytes;
    }

    void every(long newChanges, long newBytes) {
        everyChanges = newChanges;
        everyBytes = newBytes;
    }

    /** The state was read from a snapshot with so many records. */
    void reset(int ofSnapshot) {
        changes = 0;
        bytes = 0;
        records = 0;
        covered = ofSnapshot;
    }

    /**
     * Takes a snapshot after the next change, even if the log has not grown enough.
     *
     * @return false if a snapshot is being written, so that this call changes nothing
     */
    boolean wantSoon() {
        wanted = wanted || !busy;
        return !busy;
    }

    void changed(List<MetadataRecord> change) {
        changes++;
        records += change.size();
        change.forEach(record -> bytes += MetadataText.encode(record).length());
    }

    void takeIfDue(Reign reign, ClusterView view, ControllerThread thread, java.time.Duration retryAfter) {
        if (busy || !isDue()) {
            return;
        }
        busy = true;
        wanted = false;
        long changesBefore = changes;
        long bytesBefore = bytes;
        long recordsBefore = records;
        List<MetadataRecord> state = view.toRecords();
        reign.term().snapshot(view.version(), state).whenComplete((done, failure) -> {
            if (failure == null) {
                thread.execute(() -> {
                    busy = false;
                    taken++;
                    changes = Math.max(0, changes - changesBefore);
                    bytes = Math.max(0, bytes - bytesBefore);
                    records = Math.max(0, records - recordsBefore);
                    covered = state.size();
                });
            } else {
                thread.after(retryAfter, () -> busy = false);
            }
        });
    }

    private boolean isDue() {
        boolean isLongerThanState = changes >= LEAST_CHANGES && records >= covered;
        return wanted || isLongerThanState || changes >= everyChanges || bytes >= everyBytes;
    }

    /** Gives up the snapshot that an earlier term began. */
    void newTerm() {
        busy = false;
    }

    long taken() {
        return taken;
    }
}
