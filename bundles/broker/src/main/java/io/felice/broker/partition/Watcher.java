package io.felice.broker.partition;

/** A fetch that waits for records of a partition. */
public interface Watcher {
    /** The partition may have more records, or this node no longer leads it. Called on any thread; must not block. */
    void changed();
}
