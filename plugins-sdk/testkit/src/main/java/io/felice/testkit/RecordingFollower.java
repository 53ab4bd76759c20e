package io.felice.testkit;

import io.felice.api.cluster.ClusterStore;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.MetadataRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/** Replays the log and keeps every version it has seen; complains about a gap or a double. From any thread. */
public final class RecordingFollower implements ClusterStore.Follower {
    private final SortedMap<Long, List<MetadataRecord>> changes = new TreeMap<>();
    private final List<String> complaints = new ArrayList<>();
    private ClusterView view = ClusterView.EMPTY;
    private int resets;

    @Override
    public synchronized void reset(long version, List<MetadataRecord> snapshot) {
        if (resets > 0 && version < view.version()) {
            complaints.add("reset from " + view.version() + " back to " + version);
        }
        resets++;
        view = ClusterView.EMPTY.after(version, snapshot);
    }

    @Override
    public synchronized void changed(long version, List<MetadataRecord> records) {
        if (resets == 0 || version != view.version() + 1) {
            complaints.add(version + " after " + view.version() + " and " + resets + " resets");
        }
        changes.put(version, List.copyOf(records));
        view = view.after(version, records);
    }

    /** The newest view. */
    public synchronized ClusterView view() {
        return view;
    }

    /** What came with each version, from the first reset on. */
    public synchronized SortedMap<Long, List<MetadataRecord>> changes() {
        return new TreeMap<>(changes);
    }

    /** How often it was reset. */
    public synchronized int resets() {
        return resets;
    }

    /** What was against the contract; empty if all went well. */
    public synchronized List<String> complaints() {
        return List.copyOf(complaints);
    }
}
