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
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps only the latest record of each key in a partition's log, as Kafka's log cleaner does. A run first remembers the
 * latest offset of every key in the segments that were never compacted. Then it rewrites the sealed segments, oldest
 * first, without the records that have a later one of the same key, and merges neighbours that became small. Offsets and
 * timestamps stay. Control batches stay too, and so does the header of a producer's last batch, which holds the sequence.
 * Records without a key go. A tombstone gets the time from which it may go, its delete horizon, from the first run that
 * meets it (KIP-534); a run after that time removes it.
 *
 * <p>If memory has no room for all keys, several runs are needed. A run ends with {@link CleanedOffset#advance}, so that the
 * next one, also after a restart, begins where it ended.
 *
 * <p>Threads: {@link #look} and {@link #run} are called by one compaction thread at a time, which does all of the work and
 * waits for the disk. Only the commit of a new segment runs as the log's writer. Any thread may ask for the numbers.
 */
public final class Compaction {
    private static final Logger LOG = LoggerFactory.getLogger(Compaction.class);
    /** The wait after a failed run, in milliseconds. */
    static final long RETRY_MS = 300_000;

    private static final long NANOS_PER_MS = 1_000_000;

    private final OpenedLog opened;
    private final PartitionLog log;
    private final MountedEngine engine;
    private final Environment environment;
    private final CompactionLimits limits;
    private final SingleWriter writer;
    private final ReplayedState replayed;
    private final CleanedOffset cleaned;
    private final CompactionProgress progress = new CompactionProgress();

    // Used by the compaction thread only.
    private boolean failedLast;
    /** In nanoseconds of the monotonic clock. */
    private long failedAt;

    Compaction(
            OpenedLog opened,
            PartitionLog log,
            MountedEngine engine,
            Environment environment,
            CompactionLimits limits,
            SingleWriter writer,
            ReplayedState replayed,
            CleanedOffset cleaned) {
        this.opened = opened;
        this.log = log;
        this.engine = engine;
        this.environment = environment;
        this.limits = limits;
        this.writer = writer;
        this.replayed = replayed;
        this.cleaned = cleaned;
    }

    public CompactionProgress progress() {
        return progress;
    }

    /** All records below it were compacted. */
    public long cleanedTo() {
        return cleaned.offset();
    }

    /** True if the topic is to be compacted and the engine can do that. */
    public boolean isWanted() {
        return opened.rules().isCompacted()
                && engine.traits().contains(EngineTrait.REPLACES_RANGES)
                && opened.isOpen()
                && !opened.isReplaced();
    }

    /** What can be compacted; empty if that is not worth a run now, or a run failed lately. May read from disk. */
    public Optional<Dirt> look() {
        boolean failedLately = failedLast && environment.nanos().getAsLong() - failedAt < RETRY_MS * NANOS_PER_MS;
        if (!isWanted() || failedLately) {
            return Optional.empty();
        }
        try {
            Dirt dirt = Dirt.of(
                    log.segments(),
                    opened.rules().config(),
                    cleaned.offset(),
                    opened.compactibleTo(),
                    environment.clock().millis(),
                    this::firstTimestamp);
            progress.looked(dirt);
            return Optional.of(dirt).filter(Dirt::isWorthARun);
        } catch (RuntimeException failure) {
            failed(failure);
            return Optional.empty();
        }
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

    /**
     * Compacts what {@link #look} found. Blocks until the run has ended. Never throws: a failure is logged, and the segments
     * that were not replaced stay as they were.
     */
    public void run(Dirt dirt) {
        long keyBytes = limits.began(LatestOffsets.bytesFor(dirt.to() - dirt.from()));
        try {
            new Run(dirt, keyBytes).compact();
            failedLast = false;
        } catch (RuntimeException | Error failure) {
            failed(FeliceException.unwrap(failure));
        } finally {
            limits.ended(keyBytes);
        }
    }

    /** A run that is not wanted any more, or whose records are gone, has not failed. */
    private void failed(Throwable failure) {
        boolean isNone = !opened.isOpen()
                || failure instanceof GivenUp
                || FeliceException.codeOf(failure) == OFFSET_OUT_OF_RANGE;
        boolean isNew = progress.ended(isNone ? null : String.valueOf(failure.getMessage()));
        if (isNone) {
            LOG.debug("The compaction of {} was given up: {}", opened.partition(), failure.toString());
            return;
        }
        failedLast = true;
        failedAt = environment.nanos().getAsLong();
        if (isNew) {
            LOG.warn(
                    "The log of {} was not compacted; the next attempt is in 5 minutes: {}",
                    opened.partition(),
                    failure.toString());
        }
    }

    /** Ends a run without a failure. */
    private static final class GivenUp extends RuntimeException {
        private static final long serialVersionUID = 1L;

        GivenUp(String why) {
            super(why);
        }
    }

    /** One run. */
    private final class Run {
        private final Dirt dirt;
        private final LatestOffsets latest;
        private final long truncations = cleaned.truncations();
        private final Pace pace =
                new Pace(limits::bytesPerSecond, environment.nanos(), LockSupport::parkNanos, this::mustGoOn);
        /** Below it the latest offsets of all keys are known. */
        private long covered;

        Run(Dirt dirt, long keyBytes) {
            this.dirt = dirt;
            this.covered = dirt.to();
            progress.began(environment.nanos().getAsLong());
            this.latest = new LatestOffsets(keyBytes);
        }

        void compact() {
            remember();
            // A power cut must not lose the later record of a key whose earlier record was removed.
            join(flushed());
            SegmentRewrite.Filter filter = filter();
            rewrite(dirt.segments(), 1, filter);
            merge();
            cleaned.advance(covered, truncations);
            progress.completed(environment.nanos().getAsLong());
            LOG.debug("{} is compacted up to offset {}", opened.partition(), covered);
        }

        /** A truncation may take records because of which the run removes others. */
        private void mustGoOn() {
            opened.mustBeOpen();
            if (cleaned.truncations() != truncations) {
                throw new GivenUp("the log was truncated");
            }
            if (opened.isReplaced()) {
                throw new GivenUp("the log was moved to another engine");
            }
            if (!opened.rules().isCompacted()) {
                throw new GivenUp("the topic is not to be compacted any more");
            }
        }

        private void remember() {
            long start = Math.max(dirt.from(), log.startOffset());
            LogScan.walk(log, start, dirt.to(), SegmentRewrite.CHUNK_BYTES, batch -> {
                mustGoOn();
                Batches.checkCrc(batch);
                progress.readKeys(batch.nextOffset() - start, dirt.to() - start, batch.sizeInBytes());
                pace.moved(batch.sizeInBytes());
                return batch.isControl()
                        || RecordReader.read(batch, (offset, timestamp, key, value) -> remember(batch, offset, key));
            });
        }

        /** False if there is no room for the key: then all is covered below this batch, or at least this record. */
        private boolean remember(RecordBatch batch, long offset, ByteBuffer key) {
            boolean known = key == null || offset < dirt.from() || latest.put(key, offset);
            if (!known) {
                covered = batch.baseOffset() > dirt.from() ? batch.baseOffset() : offset;
            }
            return known;
        }

        /** A failed flush ends the log. */
        private CompletionStage<Void> flushed() {
            return log.flush(covered).whenComplete((nothing, failure) -> {
                if (failure != null && log.hasFailed()) {
                    opened.fail(FeliceException.unwrap(failure));
                }
            });
        }

        private SegmentRewrite.Filter filter() {
            Map<Long, Long> lastOffsets =
                    join(writer.executeAlone(() -> replayed.producers().lastOffsets()));
            BatchFilter filter = new BatchFilter(
                    environment.clock().millis(),
                    opened.rules().config().getLong(TopicConfig.DELETE_RETENTION_MS),
                    (offset, key, expired) -> offset >= covered
                            || (key != null
                                    && !(expired && offset < opened.followedTo())
                                    && offset >= latest.get(key)));
            return batch -> {
                mustGoOn();
                progress.rewriting(batch.nextOffset() - log.startOffset(), covered - log.startOffset());
                return batch.baseOffset() >= covered
                        ? Optional.of(batch)
                        : filter.filter(batch, isLast(batch, lastOffsets));
            };
        }

        private boolean isLast(RecordBatch batch, Map<Long, Long> lastOffsets) {
            Long last = batch.hasProducerId() ? lastOffsets.get(batch.producerId()) : null;
            return last != null && last == batch.lastOffset();
        }

        /**
         * Oldest first: a tombstone must not be removed before the older records that it deletes.
         *
         * @param least fewer neighbours than that are left alone
         */
        private void rewrite(List<Segment> segments, int least, SegmentRewrite.Filter filter) {
            long at = 0;
            List<Segment> group = nextGroup(segments, at);
            while (!group.isEmpty()) {
                long start = log.startOffset();
                try {
                    if (group.size() >= least) {
                        rewriteAsOne(group, filter);
                    }
                    at = group.get(group.size() - 1).nextOffset();
                } catch (RuntimeException failure) {
                    if (FeliceException.codeOf(failure) != OFFSET_OUT_OF_RANGE || log.startOffset() == start) {
                        throw failure;
                    }
                    // Retention has removed some of these segments; the others are still to be compacted.
                }
                group = nextGroup(segments, at);
            }
        }

        private List<Segment> nextGroup(List<Segment> segments, long at) {
            mustGoOn();
            long from = Math.max(at, log.startOffset());
            return Dirt.neighbours(
                    segments.stream()
                            .filter(segment -> segment.nextOffset() > from)
                            .toList(),
                    covered,
                    opened.rules().sizes().segmentBytes());
        }

        /** Segments may have become small just now. */
        private void merge() {
            rewrite(
                    log.segments().stream()
                            .filter(segment -> segment.nextOffset() <= covered)
                            .toList(),
                    2,
                    batch -> {
                        mustGoOn();
                        return Optional.of(batch);
                    });
        }

        private void rewriteAsOne(List<Segment> group, SegmentRewrite.Filter filter) {
            SegmentRewrite rewrite = new SegmentRewrite(log, group, pace);
            mustHaveRoomFor(rewrite.oldBytes());
            try (rewrite) {
                Optional<Replacement> replacement = rewrite.write(filter);
                replacement.ifPresent(written -> join(writer.executeAlone(() -> commit(written))));
                progress.rewrote(rewrite, replacement.isPresent());
            } catch (RuntimeException failure) {
                throw log.hasFailed() ? opened.writeFailed(failure, rewrite.oldBytes()) : failure;
            }
        }

        private Void commit(Replacement replacement) {
            mustGoOn();
            replacement.commit();
            return null;
        }
    }

    private static <T> T join(CompletionStage<T> stage) {
        try {
            return stage.toCompletableFuture().join();
        } catch (RuntimeException failure) {
            throw FeliceException.unwrap(failure) instanceof RuntimeException cause ? cause : failure;
        }
    }

    /** The old and the new segment exist together for a while. A volume without any room would end other logs. */
    private void mustHaveRoomFor(long bytes) {
        if (!engine.traits().contains(EngineTrait.SURVIVES_KILL)) {
            return;
        }
        long usable = engine.volume().usableBytes();
        if (usable >= 0 && usable - FreeSpace.LEAST_BYTES < bytes) {
            throw KAFKA_STORAGE_ERROR.because(
                    "segments of " + bytes + " bytes cannot be rewritten while " + usable + " bytes are free");
        }
    }
}
