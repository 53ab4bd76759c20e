package io.felice.broker.partition;

import io.felice.api.storage.LogId;
import io.felice.api.storage.PartitionLog;
import io.felice.broker.engine.MountedEngine;
import java.io.IOException;
import java.util.List;

/**
 * Reads a whole stray log before its topic is created again, and writes the files that {@link LogOpening} finds beside
 * a closed log: the leader epochs, and a producer snapshot. The snapshot is empty, because the cluster may have given
 * the old producer ids to other producers, whose first batches would be taken for duplicates. Blocks: pool threads
 * only.
 */
public final class StrayLogReading {
    private StrayLogReading() {}

    /** @return the newest leader epoch in the log; -1 if the log has none */
    public static int read(MountedEngine engine, LogId id, long lease, PartitionFiles files) throws IOException {
        try (PartitionLog log = engine.open(id, lease)) {
            Epochs epochs = new Epochs(List.of());
            long end = log.endOffset();
            LogScan.walk(log, log.startOffset(), end, batch -> {
                epochs.begin(batch.leaderEpoch(), batch.baseOffset());
                return true;
            });
            files.writeEpochs(epochs.entries());
            files.writeSnapshot(end, new Producers().snapshot());
            return epochs.latest();
        }
    }
}
