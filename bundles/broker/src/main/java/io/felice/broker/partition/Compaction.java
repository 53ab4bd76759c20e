package io.felice.broker.partition;

import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;
import static io.felice.api.ErrorCode.OFFSET_OUT_OF_RANGE;

import io.felice.api.FeliceException;
import io.felice.api.RecordBatch;
import io.felice.api.config.TopicConfig;
import io.felice.api.storage.EngineTrait;
import io.felice.api.storage.PartitionLog;
import io.felice.api.storage.Records;
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
 * Keeps of a partition's log the latest record of each key, as Kafka's log cleaner does. A run first remembers the latest
 * offset of every key that was never compacted, then rewrites one sealed segment after the other, oldest first, without
 * the records that have a later one; segments of which nothing goes are left alone. Offsets and timestamps stay; so do
 * records without a key, control batches, and the header of a producer's last batch, which holds its sequence. Tombstones
 * stay until {@code delete.retention.ms} after the run that met them first, and go with the next run that comes then.
 *
 * <p>More keys than the limit are compacted in several runs. How far it got is known in memory only: after an opening the
 * first run looks at all of the log again, and rewrites what was missed. Neighbouring segments are not merged, as
 * {@link PartitionLog#replace} cannot: a log keeps one segment, perhaps an empty one, for every {@code segment.bytes} that
 * were ever appended.
 *
 * <p>Threads: {@link #run} is for one at a time, on the engine's threads, where all of the reading happens. What stays of
 * a segment is put in its place as the partition's writer, while appends are held back; mostly it is in memory by then.
 */
public final class Compaction {
    private static final Logger LOG = LoggerFactory.getLogger(Compaction.class);
    /** 24 MB in memory, while a run lasts. */
    static final int MOST_KEYS = 3 << 18;
    /** So long a partition that could not be compacted is left alone. */
    static final long RETRY_MS = 300_000;

    private static final long NANOS_PER_MS = 1_000_000;

    private final OpenedLog opened;
    private final PartitionLog log;
    private final MountedEngine engine;
    private final Environment environment;
    private final SingleWriter writer;
    private final ReplayedState replayed;

    // Of the run.
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

    /** How often it was done since the partition was opened. */
    public long runs() {
        return runs;
    }

    /** What the log became shorter by since the partition was opened. */
    public long savedBytes() {
        return savedBytes;
    }

    /**
     * Compacts what is worth it.
     *
     * @param mostKeys keys whose latest offsets are remembered at once
     * @return done when nothing more is done, and never with a failure: that was logged, and the log stays as it was
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
        // What stays must survive what goes, a power cut included.
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

    /** What the disk did not take ends the partition, as after any other write. */
    private void noteFlushed(Void flushed, Throwable failure) {
        if (failure != null && log.hasFailed()) {
            opened.fail(FeliceException.unwrap(failure));
        }
    }

    /** @return the offset below which every key is known: less than all if there are too many */
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

    /** In order, and none after one that failed: a tombstone must not go before what it deletes. */
    private CompletionStage<Void> rewrite(Iterator<Segment> segments, long covered, SegmentRewrite.Filter filter) {
        while (segments.hasNext()) {
            Segment segment = segments.next();
            SegmentRewrite rewrite = new SegmentRewrite(log, segment, filter);
            if (segment.baseOffset() < covered && rewrite.changesAnything()) {
                return writer.executeAlone(() -> replace(segment, rewrite))
                        .thenComposeAsync(nothing -> rewrite(segments, covered, filter), engine);
            }
        }
        return CompletableFuture.completedFuture(null);
    }

    /** As the writer. */
    private Void replace(Segment segment, SegmentRewrite rewrite) {
        opened.mustBeOpen();
        if (log.startOffset() >= segment.nextOffset()) {
            return null;
        }
        mustHaveRoomFor(segment);
        try {
            log.replace(segment, rewrite);
        } catch (RuntimeException failure) {
            throw log.hasFailed() ? opened.writeFailed(failure, segment.sizeInBytes()) : failure;
        }
        savedBytes += segment.sizeInBytes() - rewrite.bytes();
        return null;
    }

    /**
     * In files there are both for a while, the old and the new; a log must not fail for want of room that records do not
     * need.
     */
    private void mustHaveRoomFor(Segment segment) {
        if (!engine.engine().traits().contains(EngineTrait.SURVIVES_KILL)) {
            return;
        }
        long usable = engine.engine().volume().usableBytes();
        if (usable >= 0 && usable - FreeSpace.LEAST_BYTES < segment.sizeInBytes()) {
            throw KAFKA_STORAGE_ERROR.because("a segment of " + segment.sizeInBytes()
                    + " bytes cannot be rewritten with " + usable + " bytes free");
        }
    }

    /** What ended with its leadership, or with the records that retention took meanwhile, did not fail. */
    private void failed(Throwable failure) {
        if (!opened.isOpen() || FeliceException.codeOf(failure) == OFFSET_OUT_OF_RANGE) {
            return;
        }
        failedLast = true;
        failedAt = environment.nanos().getAsLong();
        String sentence = String.valueOf(failure.getMessage());
        if (!sentence.equals(lastFailure)) {
            lastFailure = sentence;
            LOG.warn("{} could not be compacted and stays as it is: {}", opened.partition(), failure.toString());
        }
    }
}
