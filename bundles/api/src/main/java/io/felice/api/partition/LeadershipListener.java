package io.felice.api.partition;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * Receives the beginning and the end of this node's leadership of partitions. Called on broker threads; must not block.
 */
@ConsumerType
public interface LeadershipListener {
    /** This node leads the partition in {@code leaderEpoch}. The partition accepts reads and appends. */
    void leading(Partition partition, int leaderEpoch);

    /**
     * This node no longer leads the partition. From now on the listener must not report an append of {@code
     * leaderEpoch} as successful.
     */
    void resigned(Partition partition, int leaderEpoch);
}
