package io.felice.broker;

import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;

import io.felice.api.RecordBatch;
import io.felice.api.config.TopicConfig;
import io.felice.api.storage.LogId;
import io.felice.api.storage.PartitionLog;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Opens a log and learns what rides on it: leader epochs and producers, from their files and from the batches written
 * since. After a clean close there is nothing to scan. Blocks: pool threads only.
 */
final class PartitionOpening {
    private static final long FLUSH_SECONDS = 60;

    private final Node node;
    private final BrokerLimits limits;

    PartitionOpening(Node node, BrokerLimits limits) {
        this.node = node;
        this.limits = limits;
    }

    /** @param alone true if no other replica is in sync, so that all there is counts as replicated */
    LeaderPartition.Opened open(
            MountedEngine engine,
            PartitionFiles files,
            LogId id,
            int leaderEpoch,
            long lease,
            TopicConfig config,
            boolean alone,
            long checkpointed) {
        PartitionLog log = engine.engine().open(id, lease);
        try {
            Rules rules = Rules.of(config);
            log.configure(rules.sizes());
            makeDurable(log, rules.durability());
            return learn(log, files, id, leaderEpoch, alone, checkpointed);
        } catch (RuntimeException | Error failure) {
            log.close();
            throw failure;
        }
    }

    private static void makeDurable(PartitionLog log, Durability durability) {
        log.settle();
        if (durability != Durability.POWER || log.flushedOffset() >= log.endOffset()) {
            return;
        }
        try {
            log.flush(log.endOffset()).toCompletableFuture().get(FLUSH_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw KAFKA_STORAGE_ERROR.because("interrupted", interrupted);
        } catch (ExecutionException | TimeoutException failure) {
            throw KAFKA_STORAGE_ERROR.because("The log cannot be flushed: " + failure, failure);
        }
    }

    private LeaderPartition.Opened learn(
            PartitionLog log, PartitionFiles files, LogId id, int leaderEpoch, boolean alone, long checkpointed) {
        long start = log.startOffset();
        long end = log.endOffset();
        Optional<List<Epochs.Entry>> known = files.epochs();
        Optional<PartitionFiles.Snapshot> newest = files.newestSnapshot(end);
        Optional<PartitionFiles.Snapshot> snapshot = known.flatMap(unused -> newest);
        Epochs epochs = new Epochs(known.orElse(List.of()));
        epochs.truncateTo(end);
        Producers producers = snapshot.map(PartitionFiles.Snapshot::producers).orElseGet(Producers::new);
        long from =
                Math.max(start, snapshot.map(PartitionFiles.Snapshot::offset).orElse(start));
        long now = node.clock().millis();
        LogScan.walk(log, from, end, batch -> replay(batch, epochs, producers, now));
        producers.expire(now - limits.producerExpirationMs());
        epochs.trimTo(start);
        epochs.begin(leaderEpoch, end);
        long watermark = alone ? end : Math.max(start, Math.min(checkpointed, end));
        return new LeaderPartition.Opened(
                id, leaderEpoch, log, files, epochs, producers, watermark, from == end ? end : -1);
    }

    private boolean replay(RecordBatch batch, Epochs epochs, Producers producers, long now) {
        epochs.begin(batch.leaderEpoch(), batch.baseOffset());
        if (batch.hasProducerId()) {
            producers.appended(batch, now, limits.maxProducers());
        }
        return true;
    }
}
