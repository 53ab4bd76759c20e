package io.felice.broker.partition;

import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;

import io.felice.api.config.TopicConfig;
import io.felice.api.storage.LogId;
import io.felice.api.storage.PartitionLog;
import io.felice.broker.engine.MountedEngine;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Opens a log and replays it: reads leader epochs and producers from their files, and then the batches that were
 * appended after the files were written. After a clean close no batch is read. Blocks: pool threads only.
 */
public final class LogOpening {
    private static final long DURABLE_SECONDS = 60;

    private final Environment environment;
    private final ProducerLimits limits;
    private final CompactionLimits compaction;

    public LogOpening(Environment environment, ProducerLimits limits, CompactionLimits compaction) {
        this.environment = environment;
        this.limits = limits;
        this.compaction = compaction;
    }

    /**
     * @param highWatermark of the last checkpoint
     * @param onFirstWrite runs on a pool thread before the first append
     */
    public OpenedLog open(
            MountedEngine engine,
            PartitionFiles files,
            LogId id,
            long lease,
            TopicConfig config,
            long highWatermark,
            Runnable onFirstWrite,
            OpenedLog.Failures failures) {
        PartitionLog log = engine.open(id, lease);
        try {
            TopicRules rules = TopicRules.of(config);
            log.configure(rules.sizes());
            log.deleteFilesAfter(rules.deleteDelay());
            makeDurable(log, rules.durability());
            OpenedLog.Found found = replay(log, files, id, highWatermark);
            return new OpenedLog(found, environment, engine, compaction, config, onFirstWrite, failures);
        } catch (RuntimeException | Error failure) {
            log.close();
            throw failure;
        }
    }

    /** On return the log is as durable as an acknowledged record has to be. Blocks. */
    static void makeDurable(PartitionLog log, Durability durability) {
        settle(log);
        if (durability == Durability.POWER && log.flushedOffset() < log.endOffset()) {
            await(log.flush(log.endOffset()), "flushed");
        }
    }

    /** On return everything in the log survives a kill. Blocks. */
    static void settle(PartitionLog log) {
        await(log.settle(log.endOffset()), "settled");
    }

    private static void await(CompletionStage<Void> durable, String what) {
        if (durable == PartitionLog.DONE) {
            return;
        }
        try {
            durable.toCompletableFuture().get(DURABLE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw KAFKA_STORAGE_ERROR.because("Interrupted while the log was " + what, interrupted);
        } catch (ExecutionException | TimeoutException failure) {
            throw KAFKA_STORAGE_ERROR.because("The log cannot be " + what + ": " + failure, failure);
        }
    }

    private OpenedLog.Found replay(PartitionLog log, PartitionFiles files, LogId id, long highWatermark) {
        long start = log.startOffset();
        long end = log.endOffset();
        Optional<List<Epochs.Entry>> epochs = files.epochs();
        Optional<PartitionFiles.Snapshot> newest = files.newestSnapshot(end);
        Optional<PartitionFiles.Snapshot> snapshot = epochs.flatMap(known -> newest);
        ReplayedState replayed = new ReplayedState(
                epochs.orElse(List.of()),
                snapshot.map(PartitionFiles.Snapshot::producers).orElseGet(Producers::new),
                limits);
        replayed.epochs().truncateTo(end);
        long from =
                Math.max(start, snapshot.map(PartitionFiles.Snapshot::offset).orElse(start));
        apply(log, from, end, replayed, environment.clock().millis());
        replayed.trimmed(start);
        long watermark = Math.max(start, Math.min(highWatermark, end));
        return new OpenedLog.Found(id, log, files, replayed, new HighWatermark(watermark), from == end ? end : -1);
    }

    /**
     * Reads the producers of a truncated log from the newest snapshot and the batches behind the snapshot.
     *
     * @param nowMs the time, in milliseconds
     */
    static Producers producersOf(PartitionLog log, PartitionFiles files, ProducerLimits limits, long nowMs) {
        long start = log.startOffset();
        long end = log.endOffset();
        Optional<PartitionFiles.Snapshot> snapshot = files.newestSnapshot(end);
        ReplayedState replayed = new ReplayedState(
                List.of(), snapshot.map(PartitionFiles.Snapshot::producers).orElseGet(Producers::new), limits);
        long from =
                Math.max(start, snapshot.map(PartitionFiles.Snapshot::offset).orElse(start));
        apply(log, from, end, replayed, nowMs);
        return replayed.producers();
    }

    private static void apply(PartitionLog log, long from, long end, ReplayedState replayed, long nowMs) {
        LogScan.walk(log, from, end, batch -> {
            replayed.applied(batch, nowMs);
            return true;
        });
        replayed.expire(nowMs);
    }
}
