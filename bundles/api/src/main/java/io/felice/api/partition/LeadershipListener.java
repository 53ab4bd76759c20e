package io.felice.api.partition;

import org.osgi.annotation.versioning.ConsumerType;

/** Is told which partitions this node leads. Called on broker threads; must not block. */
@ConsumerType
public interface LeadershipListener {
    /** This node leads the partition in {@code leaderEpoch}. Its log is open for reads and appends. */
    void leading(Partition partition, int leaderEpoch);

    /** This node no longer leads the partition. No write of {@code leaderEpoch} may be reported as successful from now on. */
    void resigned(Partition partition, int leaderEpoch);
}
