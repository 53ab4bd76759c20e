package io.felice.broker.partition;

import java.util.Map;

/** What a leading partition needs of its node to keep its in-sync set. Any thread calls the methods; they do not block. */
public interface LeaderHost {
    /** The broker epochs of the brokers that may join in-sync sets, by broker id: the live ones that are not about to stop. */
    Map<Integer, Long> live();

    /** {@code replica.lag.time.max.ms}, in nanoseconds. */
    long mostLagNanos();

    /**
     * When the broker has fetched from this node the last time in its broker epoch, in nanoseconds; {@code otherwise} if it
     * never has. A fetch in a session does not name a partition of which the broker has all records still.
     */
    long fetchedAt(int broker, long brokerEpoch, long otherwise);

    /** The in-sync set of the partition is to be changed: calls {@link LeaderPartition#propose} soon. */
    void due(LeaderPartition partition);

    /**
     * True if this node may answer now that a record is kept which no other replica needs to have. False once the node does
     * not know any more whether the cluster counts it as alive.
     */
    boolean mayAcknowledgeAlone();
}
