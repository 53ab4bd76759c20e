package io.felice.broker.partition;

import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** The node of a leader, as a test sees it: it notes what is due, and proposes nothing. */
public final class AloneHost implements LeaderHost {
    public final Set<LeaderPartition> due = ConcurrentHashMap.newKeySet();
    public volatile Map<Integer, Long> live = Map.of();
    public volatile long mostLagNanos = 30_000_000_000L;
    public volatile InSyncReplicas.LastFetch fetches = (broker, brokerEpoch, otherwise) -> otherwise;
    public volatile boolean acknowledgesAlone = true;

    @Override
    public Map<Integer, Long> live() {
        return live;
    }

    @Override
    public long mostLagNanos() {
        return mostLagNanos;
    }

    @Override
    public long fetchedAt(int broker, long brokerEpoch, long otherwise) {
        return fetches.of(broker, brokerEpoch, otherwise);
    }

    @Override
    public void due(LeaderPartition partition) {
        due.add(partition);
    }

    @Override
    public boolean mayAcknowledgeAlone() {
        return acknowledgesAlone;
    }
}
