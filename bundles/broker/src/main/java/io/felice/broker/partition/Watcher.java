package io.felice.broker.partition;

/** A fetch that waits for records of a partition. */
public interface Watcher {
    /** There may be more records than before, or the partition is no longer led here. Called on any thread; must not block. */
    void changed();
}
