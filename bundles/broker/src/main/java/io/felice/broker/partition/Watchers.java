package io.felice.broker.partition;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Fetches that wait for a partition to change. Any thread. */
final class Watchers {
    private final Set<Watcher> consumers = ConcurrentHashMap.newKeySet();
    private final Set<Watcher> replicas = ConcurrentHashMap.newKeySet();

    void add(Watcher watcher, boolean isReplica) {
        (isReplica ? replicas : consumers).add(watcher);
    }

    void remove(Watcher watcher, boolean isReplica) {
        (isReplica ? replicas : consumers).remove(watcher);
    }

    /** Records were appended: replicas may read them, consumers not yet. */
    void appended() {
        wake(replicas);
    }

    /** The high watermark or the log's start moved, or the role ended. */
    void changed() {
        wake(consumers);
        wake(replicas);
    }

    private static void wake(Set<Watcher> watchers) {
        if (!watchers.isEmpty()) {
            watchers.forEach(Watcher::changed);
        }
    }
}
