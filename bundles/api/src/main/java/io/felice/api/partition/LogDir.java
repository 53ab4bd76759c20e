package io.felice.api.partition;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.storage.Volume;
import java.util.List;

/** An engine's log dir and the replicas in it; KAFKA_STORAGE_ERROR if the engine is not there. */
public record LogDir(Volume volume, ErrorCode error, List<ReplicaSize> replicas) {
    public LogDir {
        replicas = List.copyOf(replicas);
    }

    /** @param sizeInBytes bytes of all batches; {@code offsetLag} how far behind the high watermark, 0 for a leader */
    public record ReplicaSize(TopicPartition partition, long sizeInBytes, long offsetLag) {}
}
