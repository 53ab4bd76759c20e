package io.felice.broker.partition;

import io.felice.api.partition.Partition.EpochEnd;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/** The log that a copy follows: the log of another engine of this node. */
interface FollowedLog {
    /**
     * What a fetch brought.
     *
     * @param startOffset the start of the followed log; if it is above the offset that was asked for, the batches begin
     *     there
     * @param highWatermark of the followed log
     * @param divergence where the two logs diverge; then there are no batches
     * @param batches whole batches in order
     */
    record Fetched(long startOffset, long highWatermark, Optional<EpochEnd> divergence, List<ByteBuffer> batches) {
        public Fetched {
            batches = List.copyOf(batches);
        }

        int sizeInBytes() {
            return batches.stream().mapToInt(ByteBuffer::remaining).sum();
        }
    }

    /**
     * Reads on from an offset. Blocks.
     *
     * @param lastFetchedEpoch the epoch of the follower's last record; -1 if it has none
     * @param maxBytes how much to read; at least one batch is read if there is one
     */
    Fetched fetch(long offset, int lastFetchedEpoch, int maxBytes);
}
