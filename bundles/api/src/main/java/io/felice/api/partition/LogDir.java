package io.felice.api.partition;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.storage.Volume;
import java.util.List;

/** A log directory of an engine with the replicas in it; its error is KAFKA_STORAGE_ERROR if the engine is away. */
public record LogDir(Volume volume, ErrorCode error, List<ReplicaSize> replicas) {
    public LogDir {
        replicas = List.copyOf(replicas);
    }

    /**
     * A replica in a log directory.
     *
     * @param sizeInBytes bytes of all batches
     * @param offsetLag offsets between the replica's end and the high watermark; 0 for a leader
     */
    public record ReplicaSize(TopicPartition partition, long sizeInBytes, long offsetLag) {}
}
