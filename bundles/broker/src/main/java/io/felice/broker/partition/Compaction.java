package io.felice.broker.partition;

import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;
import static io.felice.api.ErrorCode.OFFSET_OUT_OF_RANGE;

import io.felice.api.FeliceException;
import io.felice.api.RecordBatch;
import io.felice.api.config.TopicConfig;
import io.felice.api.storage.EngineTrait;
import io.felice.api.storage.PartitionLog;
import io.felice.api.storage.Records;
import io.felice.api.storage.Replacement;
import io.felice.api.storage.Segment;
import io.felice.broker.engine.FreeSpace;
import io.felice.broker.engine.MountedEngine;
import io.felice.records.BatchFilter;
import io.felice.records.Batches;
import io.felice.records.RecordReader;
import java.nio.ByteBuffer;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps only the latest record of each key in a partition's log, as Kafka's log cleaner does. A run first remembers the
 * latest offset of every key in the segments that were never compacted. Then it rewrites the sealed segments, oldest
 * first, without the records that have a later one of the same key; segments that lose nothing are not written. Offsets
 * and timestamps stay. Records without a key, control batches, and the header of a producer's last batch, which holds
 * the sequence, stay too. Tombstones are removed by the first run that comes {@code delete.retention.ms} after the run
 * that met them first.
 *
 * <p>If there are more keys than the limit, several runs are needed. The compacted offset is in memory only: after an
 * opening the first run reads the whole log again. Neighbouring segments are not merged, because {@link
 * PartitionLog#replace} cannot do that: a log keeps one segment, perhaps an empty one, for every {@code segment.bytes}
 * that were ever appended.
 *
 * <p>Threads: one call of {@link #run} at a time, on the engine's threads, which do all of the reading. Segments are
 * replaced as the log's writer, while appends are held back; mostly the new segment is in memory by then.
 */
public final class Compaction {
    private static final Logger LOG = LoggerFactory.getLogger(Compaction.class);
    /** The keys that a run remembers at most: 24 MB in memory. */
    static final int MOST_KEYS = 3 << 18;
    /** The wait after a failed run, in milliseconds. */
    static final long RETRY_MS = 300_000;

    private static final long NANOS_PER_MS = 1_000_000;

    private final OpenedLog opened;
    private final PartitionLog log;
    private final MountedEngine engine;
    private final Environment environment;
    private final SingleWriter writer;
    private final ReplayedState replayed;

    // Used by the run only.
    private long cleanedTo;
    private boolean failedLast;
    /** In nanoseconds of the monotonic clock. */
    private long failedAt;

    private String lastFailure;

    private volatile long runs;
    private volatile long savedBytes;

    Compaction(
            OpenedLog opened,
            PartitionLog log,
            MountedEngine engine,
            Environment environment,
            SingleWriter writer,
            ReplayedState replayed) {
        this.opened = opened;
        this.log = log;
        this.engine = engine;
        this.environment = environment;
        this.writer = writer;
        this.replayed = replayed;
    }

    /** Completed runs since the log was opened. */
    public long runs() {
        return runs;
    }

    /** Bytes by which runs made the log smaller since it was opened. */
    public long savedBytes() {
        return savedBytes;
    }

    /**
     * Compacts the log if that is worth it.
     *
     * @param mostKeys the most keys to remember
     * @return completes when the run has ended, and never fails: a failure is logged, and the segments that were not
     *     replaced stay as they were
     */
    CompletionStage<Void> run(int mostKeys) {
        CompletionStage<Void> done;
        try {
            done = due().map(dirt -> compact(dirt, mostKeys)).orElseGet(() -> CompletableFuture.completedFuture(null));
        } catch (RuntimeException | Error failure) {
            done = CompletableFuture.failedFuture(failure);
        }
        return done.handle((nothing, failure) -> {
            if (failure != null) {
                failed(FeliceException.unwrap(failure));
            }
            return null;
        });
    }

    private Optional<Dirt> due() {
        TopicConfig config = opened.rules().config();
        long now = environment.clock().millis();
        boolean wanted = config.getList(TopicConfig.CLEANUP_POLICY).contains("compact")
                && engine.engine().traits().contains(EngineTrait.REPLACES_RANGES);
        boolean failedLately = failedLast && environment.nanos().getAsLong() - failedAt < RETRY_MS * NANOS_PER_MS;
        return !wanted || failedLately || !opened.isOpen()
                ? Optional.empty()
                : Dirt.of(log.segments(), config, cleanedTo, opened.highWatermark(), now, this::firstTimestamp);
    }

    private long firstTimestamp(Segment segment) {
        try (Records first =
                log.read(Math.max(segment.baseOffset(), log.startOffset()), segment.nextOffset(), 1, true)) {
            List<ByteBuffer> bytes = LogScan.buffersOf(first);
            return first.sizeInBytes() == 0
                    ? RecordBatch.NO_TIMESTAMP
                    : RecordBatch.at(bytes.get(0)).maxTimestamp();
        }
    }

    // ---- a run

    private CompletionStage<Void> compact(Dirt dirt, int mostKeys) {
        LatestOffsets latest = new LatestOffsets(mostKeys);
        long covered = remember(dirt, latest);
        long retention = opened.rules().config().getLong(TopicConfig.DELETE_RETENTION_MS);
        BatchFilter filter = new BatchFilter(
                environment.clock().millis(),
                retention,
                (offset, key, expired) -> key == null || offset >= covered || (!expired && offset >= latest.get(key)));
        // A power cut must not lose the later record of a key whose earlier record was removed.
        return log.flush(dirt.to())
                .whenCompleteAsync(this::noteFlushed, engine)
                .thenCompose(flushed -> lastOffsetsOfProducers())
                .thenComposeAsync(
                        lastOffsets -> rewrite(dirt.segments().iterator(), covered, batch -> {
                            opened.mustBeOpen();
                            return batch.baseOffset() >= covered
                                    ? Optional.of(batch)
                                    : filter.filter(batch, isLast(batch, lastOffsets));
                        }),
                        engine)
                .thenRun(() -> {
                    cleanedTo = covered;
                    runs++;
                    lastFailure = null;
                    failedLast = false;
                    LOG.debug("{} is compacted up to offset {}", opened.partition(), covered);
                });
    }

    /** A failed flush ends the log. */
    private void noteFlushed(Void flushed, Throwable failure) {
        if (failure != null && log.hasFailed()) {
            opened.fail(FeliceException.unwrap(failure));
        }
    }

    /**
     * @return the offset below which the latest offsets of all keys are known; before the end if there are too many
     *     keys
     */
    private long remember(Dirt dirt, LatestOffsets latest) {
        long[] covered = {dirt.to()};
        LogScan.walk(log, Math.max(dirt.from(), log.startOffset()), dirt.to(), batch -> {
            opened.mustBeOpen();
            Batches.checkCrc(batch);
            return batch.isControl()
                    || RecordReader.read(batch, (offset, timestamp, key, value) -> {
                        boolean known = key == null || offset < dirt.from() || latest.put(key, offset);
                        if (!known) {
                            covered[0] = batch.baseOffset() > dirt.from() ? batch.baseOffset() : offset;
                        }
                        return known;
                    });
        });
        return covered[0];
    }

    private CompletableFuture<Map<Long, Long>> lastOffsetsOfProducers() {
        CompletableFuture<Map<Long, Long>> lastOffsets = new CompletableFuture<>();
        writer.execute(() -> lastOffsets.complete(replayed.producers().lastOffsets()));
        return lastOffsets;
    }

    private static boolean isLast(RecordBatch batch, Map<Long, Long> lastOffsets) {
        Long last = batch.hasProducerId() ? lastOffsets.get(batch.producerId()) : null;
        return last != null && last == batch.lastOffset();
    }

    /** Stops at the first failure: a tombstone must not be removed before the older records that it deletes. */
    private CompletionStage<Void> rewrite(Iterator<Segment> segments, long covered, SegmentRewrite.Filter filter) {
        while (segments.hasNext()) {
            Segment segment = segments.next();
            SegmentRewrite rewrite = new SegmentRewrite(log, segment, filter);
            if (segment.baseOffset() < covered && rewrite.changesAnything()) {
                return replace(segment, rewrite)
                        .thenComposeAsync(nothing -> rewrite(segments, covered, filter), engine);
            }
        }
        return CompletableFuture.completedFuture(null);
    }

    private CompletionStage<Void> replace(Segment segment, SegmentRewrite rewrite) {
        opened.mustBeOpen();
        mustHaveRoomFor(segment);
        Replacement replacement = log.replace(List.of(segment));
        try {
            rewrite.forEachRemaining(replacement::append);
            replacement.prepare();
        } catch (RuntimeException | Error failure) {
            replacement.close();
            throw failure;
        }
        return writer.executeAlone(() -> commit(replacement, segment, rewrite))
                .whenCompleteAsync((nothing, failure) -> replacement.close(), engine);
    }

    /** As the writer. */
    private Void commit(Replacement replacement, Segment segment, SegmentRewrite rewrite) {
        opened.mustBeOpen();
        try {
            replacement.commit();
        } catch (RuntimeException failure) {
            throw log.hasFailed() ? opened.writeFailed(failure, segment.sizeInBytes()) : failure;
        }
        savedBytes += segment.sizeInBytes() - rewrite.bytes();
        return null;
    }

    /** The old and the new file exist together for a while. Running out of space for both would end the log. */
    private void mustHaveRoomFor(Segment segment) {
        if (!engine.engine().traits().contains(EngineTrait.SURVIVES_KILL)) {
            return;
        }
        long usable = engine.engine().volume().usableBytes();
        if (usable >= 0 && usable - FreeSpace.LEAST_BYTES < segment.sizeInBytes()) {
            throw KAFKA_STORAGE_ERROR.because("a segment of " + segment.sizeInBytes()
                    + " bytes cannot be rewritten while " + usable + " bytes are free");
        }
    }

    /** If the log ended, or retention removed the records meanwhile, the run has not failed. */
    private void failed(Throwable failure) {
        if (!opened.isOpen() || FeliceException.codeOf(failure) == OFFSET_OUT_OF_RANGE) {
            return;
        }
        failedLast = true;
        failedAt = environment.nanos().getAsLong();
        String sentence = String.valueOf(failure.getMessage());
        if (!sentence.equals(lastFailure)) {
            lastFailure = sentence;
            LOG.warn(
                    "The log of {} was not compacted; the next attempt is in 5 minutes: {}",
                    opened.partition(),
                    failure.toString());
        }
    }
}
