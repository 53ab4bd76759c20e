package io.felice.broker.partition;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** The fetches that wait for a partition to change. Any thread. */
final class Watchers {
    private final Set<Watcher> consumers = ConcurrentHashMap.newKeySet();
    private final Set<Watcher> replicas = ConcurrentHashMap.newKeySet();

    void add(Watcher watcher, boolean isReplica) {
        (isReplica ? replicas : consumers).add(watcher);
    }

    void remove(Watcher watcher, boolean isReplica) {
        (isReplica ? replicas : consumers).remove(watcher);
    }

    /** Wakes replicas only, because consumers cannot read the new records yet. */
    void appended() {
        wake(replicas);
    }

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
