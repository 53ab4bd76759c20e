package io.felice.api.partition;

import org.osgi.annotation.versioning.ConsumerType;

/** Learns which partitions this node leads. Called on broker threads; must not block. */
@ConsumerType
public interface LeadershipListener {
    /** This node leads the partition in {@code leaderEpoch}, its log is open and may be read and appended to. */
    void leading(Partition partition, int leaderEpoch);

    /** This node no longer leads the partition; nothing of {@code leaderEpoch} may be answered as done any more. */
    void resigned(Partition partition, int leaderEpoch);
}
