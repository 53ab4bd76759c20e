package io.felice.controller;

import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.cluster.MetadataText;
import java.util.List;

/** Counts how much the log has grown since the last snapshot, and takes a snapshot at the limit. One thread. */
final class Snapshots {
    private long everyChanges;
    private long everyBytes;
    private long changes;
    private long bytes;
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

    void reset() {
        changes = 0;
        bytes = 0;
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

    void changed(List<MetadataRecord> records) {
        changes++;
        records.forEach(record -> bytes += MetadataText.encode(record).length());
    }

    void takeIfDue(Reign reign, ClusterView view, ControllerThread thread, java.time.Duration retryAfter) {
        boolean due = wanted || changes >= everyChanges || bytes >= everyBytes;
        if (busy || !due) {
            return;
        }
        busy = true;
        wanted = false;
        long changesBefore = changes;
        long bytesBefore = bytes;
        reign.term().snapshot(view.version(), view.toRecords()).whenComplete((done, failure) -> {
            if (failure == null) {
                thread.execute(() -> {
                    busy = false;
                    taken++;
                    changes = Math.max(0, changes - changesBefore);
                    bytes = Math.max(0, bytes - bytesBefore);
                });
            } else {
                thread.after(retryAfter, () -> busy = false);
            }
        });
    }

    /** Gives up the snapshot that an earlier term began. */
    void newTerm() {
        busy = false;
    }

    long taken() {
        return taken;
    }
}
