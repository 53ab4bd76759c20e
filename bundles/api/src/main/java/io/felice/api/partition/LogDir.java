package io.felice.api.partition;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.storage.Volume;
import java.util.List;

/**
 * The log directory of an engine, with its replicas, for DescribeLogDirs (KIP-113).
 *
 * @param error NONE, or KAFKA_STORAGE_ERROR if the engine is not running
 */
public record LogDir(Volume volume, ErrorCode error, List<ReplicaSize> replicas) {
    public LogDir {
        replicas = List.copyOf(replicas);
    }

    /**
     * A replica in a log directory.
     *
     * @param sizeInBytes the bytes of all batches
     * @param offsetLag the number of offsets from the replica's log end offset to the high watermark; 0 for a leader; of a
     *     copy, to the end of the log that it follows
     * @param isFuture true of a copy that follows the replica's log in another directory and will take its place
     */
    public record ReplicaSize(TopicPartition partition, long sizeInBytes, long offsetLag, boolean isFuture) {}
}
