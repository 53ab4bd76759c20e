package io.felice.controller;

import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.cluster.MetadataText;
import java.util.List;

/** Counts what the log has grown by since its last snapshot, and says when it is time for the next. One thread. */
final class Snapshots {
    private long everyChanges;
    private long everyBytes;
    private long changes;
    private long bytes;
    private long taken;
    private boolean busy;

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

    void changed(List<MetadataRecord> records) {
        changes++;
        records.forEach(record -> bytes += MetadataText.encode(record).length());
    }

    /** Takes a snapshot of {@code view} if the log has grown enough and none is under way. */
    void takeIfDue(Reign reign, ClusterView view, ControllerThread thread, java.time.Duration retryAfter) {
        if (busy || (changes < everyChanges && bytes < everyBytes)) {
            return;
        }
        busy = true;
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

    /** A new term owes nothing to a snapshot that the last one began. */
    void newTerm() {
        busy = false;
    }

    long taken() {
        return taken;
    }
}
