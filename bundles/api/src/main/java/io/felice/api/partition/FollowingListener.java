package io.felice.api.partition;

import org.osgi.annotation.versioning.ProviderType;

/** Receives the partitions that this node begins and ends to follow. Called on the broker's thread; must not block. */
@ProviderType
public interface FollowingListener {
    /** This node follows the leader of the partition from now on. A newer leader epoch comes as another partition. */
    void following(FollowedPartition partition);

    /** This node does not follow this leader any more. What is fetched from it is not appended. */
    void ended(FollowedPartition partition);
}
