package io.felice.broker;

import io.felice.api.partition.FetchedPartition;
import io.felice.broker.partition.ReadableRole;
import java.util.List;

/** Says which partitions a {@link Fetch} reads. */
interface ReaderSource {
    /**
     * The readers that the next attempt of the fetch has to look at: {@code readers}, if there are no further ones, or a new
     * list. A list that was returned never changes, since other threads may go through it.
     */
    List<PartitionReader> next(List<PartitionReader> readers, Fetch fetch);

    /** The fetch is about to read the partition of a reader, which has this role. */
    void watch(PartitionReader reader, ReadableRole role);

    /** The fetch waits: from now on {@link Fetch#changed} is called for each reader that may have something new. */
    void waits(Fetch fetch, List<PartitionReader> readers);

    void waitsNoLonger(List<PartitionReader> readers);

    /** Readers that may have something new, besides those that the fetch has looked at. */
    Iterable<PartitionReader> changed();

    /** The partition of a reader has changed. Called on any thread. */
    void changed(PartitionReader reader);

    /** The fetch is over. The answers have the order of the readers. */
    void answered(Fetch fetch, List<PartitionReader> readers, List<FetchedPartition> answers);
}
