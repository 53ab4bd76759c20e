package io.felice.testkit;

import io.felice.api.cluster.ClusterStore;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.MetadataRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Replays the metadata log and keeps every change. Records a complaint if a version is missing or comes twice.
 * Thread-safe.
 */
public final class RecordingFollower implements ClusterStore.Follower {
    private final SortedMap<Long, List<MetadataRecord>> changes = new TreeMap<>();
    private final List<String> complaints = new ArrayList<>();
    private ClusterView view = ClusterView.EMPTY;
    private int resets;

    @Override
    public synchronized void reset(long version, List<MetadataRecord> snapshot) {
        if (resets > 0 && version < view.version()) {
            complaints.add("reset from version " + view.version() + " back to version " + version);
        }
        resets++;
        view = ClusterView.EMPTY.after(version, snapshot);
    }

    @Override
    public synchronized void changed(long version, List<MetadataRecord> records) {
        if (resets == 0 || version != view.version() + 1) {
            complaints.add(
                    "version " + version + " came after version " + view.version() + " and " + resets + " resets");
        }
        changes.put(version, List.copyOf(records));
        view = view.after(version, records);
    }

    /** The newest view. */
    public synchronized ClusterView view() {
        return view;
    }

    /** The records of each version since the first reset. */
    public synchronized SortedMap<Long, List<MetadataRecord>> changes() {
        return new TreeMap<>(changes);
    }

    /** How many resets it received. */
    public synchronized int resets() {
        return resets;
    }

    /** Each breach of the contract of followers; empty if there was none. */
    public synchronized List<String> complaints() {
        return List.copyOf(complaints);
    }
}
