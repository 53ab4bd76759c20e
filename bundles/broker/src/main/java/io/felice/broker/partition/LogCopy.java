package io.felice.broker.partition;

import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;
import static io.felice.api.ErrorCode.REQUEST_TIMED_OUT;

import io.felice.api.FeliceException;
import io.felice.api.RecordBatch;
import io.felice.api.cluster.PartitionState;
import io.felice.api.partition.Partition.EpochEnd;
import io.felice.api.partition.Partition.ReadLimit;
import io.felice.api.storage.EngineTrait;
import io.felice.records.Batches;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;

/**
 * A copy of an open log in another engine. The copy follows its source as a follower follows its leader, until
 * {@link #takeOver} puts it in the source's place. Its records have the same offsets, and it ends where the source ends. It
 * may have records that compaction has removed from the source meanwhile, but no key has another latest record.
 *
 * <p>{@link #step}, {@link #flush} and {@link #close} block and are called by one thread. Any thread may ask for the
 * numbers.
 */
public final class LogCopy {
    /** So much is read at a time while appends wait. */
    private static final int CHUNK_BYTES = 1 << 20;

    private static final int PATIENCE_SECONDS = 20;

    private final LongSupplier nanos;
    private final OpenedLog source;
    private final OpenedLog copy;
    private final FollowerPartition follower;
    private final OpenedSource committed;
    private volatile boolean caughtUp;
    private volatile long pauseNanos;

    /**
     * Begins to follow {@code source}. Blocks.
     *
     * @param nanos a clock that never goes back, in nanoseconds
     */
    public LogCopy(OpenedLog source, OpenedLog copy, PartitionState state, LongSupplier nanos) {
        this.nanos = nanos;
        this.source = source;
        this.copy = copy;
        this.follower = copy.follow(state);
        this.committed = new OpenedSource(source, ReadLimit.HIGH_WATERMARK);
        if (source.rules().durability() == Durability.NONE && copy.endOffset() > source.startOffset()) {
            // The source may have lost records of the same epoch and has others at their offsets.
            join(copy.writer().executeAlone(() -> {
                copy.restartAt(source.startOffset());
                return null;
            }));
        }
        source.followedTo(this::safeEnd);
    }

    public OpenedLog source() {
        return source;
    }

    public OpenedLog log() {
        return copy;
    }

    /** Up to here the copy keeps its records whatever happens. */
    private long safeEnd() {
        return copy.engine().traits().contains(EngineTrait.SURVIVES_POWER_LOSS)
                ? Math.min(copy.durableEnd(), copy.engineLog().flushedOffset())
                : copy.durableEnd();
    }

    /** How many offsets the copy is behind. */
    public long lag() {
        return Math.max(0, source.endOffset() - Math.max(copy.endOffset(), source.startOffset()));
    }

    /**
     * Fetches once from the source and appends what it got.
     *
     * @return the bytes that were appended; 0 if the copy has all committed records
     * @throws FeliceException if the source cannot be read or the copy cannot be written; the next call may succeed
     */
    public int step(int maxBytes) {
        long before = copy.endOffset();
        caughtUp = false;
        FollowedLog.Fetched fetched = committed.fetch(before, follower.lastEpoch(), maxBytes);
        if (fetched.divergence().isPresent()) {
            EpochEnd leaders = fetched.divergence().get();
            long end = join(leaders.endOffset() < 0 ? restart() : truncate(leaders));
            if (end >= before) {
                join(restart());
            }
            return 1;
        }
        long end = join(append(fetched));
        caughtUp = fetched.batches().isEmpty() || end >= fetched.highWatermark();
        return fetched.sizeInBytes();
    }

    /** True if the last step got all records that were committed when it began. */
    public boolean isCaughtUp() {
        return caughtUp;
    }

    private CompletionStage<Long> append(FollowedLog.Fetched fetched) {
        return copy.writer().executeAlone(() -> {
            appendAsWriter(fetched);
            return copy.endOffset();
        });
    }

    /** As the writer of the copy. */
    private void appendAsWriter(FollowedLog.Fetched fetched) {
        List<RecordBatch> batches = fetched.batches().stream()
                .flatMap(bytes -> Batches.split(bytes).stream())
                .toList();
        batches.forEach(Batches::checkCrc);
        follower.appendAsWriter(fetched.startOffset(), fetched.highWatermark(), batches);
    }

    private CompletionStage<Long> truncate(EpochEnd leaders) {
        return copy.writer().executeAlone(() -> {
            follower.truncateAsWriter(leaders);
            return copy.endOffset();
        });
    }

    private CompletionStage<Long> restart() {
        return copy.writer().executeAlone(() -> {
            copy.restartAt(source.startOffset());
            return copy.endOffset();
        });
    }

    /** The copied records survive a power cut, if the engine can do that. */
    public void flush() {
        join(copy.engineLog().flush(copy.durableEnd()));
    }

    /**
     * Puts the copy in the place of the source. Appends wait meanwhile: until the last records are copied and durable, and
     * the switch is on disk. Reads go on. If the stage fails, the source is in its place.
     *
     * @param decide writes that the copy is the log from now on; if it throws, nothing has changed. Runs on a thread of the
     *     copy's engine
     * @param patience how long the copy's engine may take
     */
    public CompletionStage<Void> takeOver(Runnable decide, Duration patience) {
        return source.writer().executeAlone(() -> {
            long begun = nanos.getAsLong();
            AtomicBoolean decided = new AtomicBoolean();
            CompletionStage<Void> done = copy.writer().executeAlone(() -> {
                takeOver(decided, decide);
                return null;
            });
            try {
                done.toCompletableFuture().get(patience.toMillis(), TimeUnit.MILLISECONDS);
            } catch (TimeoutException late) {
                if (decided.compareAndSet(false, true)) {
                    throw REQUEST_TIMED_OUT.because("The storage engine "
                            + copy.engine().name() + " did not take the last records within " + patience.toMillis()
                            + " ms");
                }
                join(done);
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
                join(done);
            } catch (ExecutionException failure) {
                throw bare(failure);
            } finally {
                pauseNanos = nanos.getAsLong() - begun;
            }
            return null;
        });
    }

    /** For how long appends waited for the last {@link #takeOver}, in nanoseconds. */
    public long pauseNanos() {
        return pauseNanos;
    }

    /** As the writer of both logs. */
    private void takeOver(AtomicBoolean decided, Runnable decide) {
        source.mustBeOpen();
        copy.mustBeOpen();
        copyTheRest();
        copy.prepareToReplace(source);
        if (!decided.compareAndSet(false, true)) {
            throw REQUEST_TIMED_OUT.because("The copy came too late");
        }
        decide.run();
        try {
            copy.replace(source);
        } catch (RuntimeException | Error accident) {
            source.fail(accident);
            copy.fail(accident);
            throw accident;
        }
    }

    private void copyTheRest() {
        OpenedSource all = new OpenedSource(source, ReadLimit.LOG_END);
        long end = source.endOffset();
        while (copy.endOffset() < end) {
            long before = copy.endOffset();
            FollowedLog.Fetched fetched = all.fetch(before, follower.lastEpoch(), CHUNK_BYTES);
            if (fetched.divergence().isPresent()) {
                throw KAFKA_STORAGE_ERROR.because("The copy of " + copy.partition() + " is not like its source");
            }
            if (fetched.batches().isEmpty() && fetched.startOffset() <= before) {
                appendAsWriter(emptyUpTo(end, fetched));
            } else {
                appendAsWriter(fetched);
            }
        }
        if (copy.startOffset() < source.startOffset()) {
            copy.logStart().moveTo(source.startOffset());
        }
        if (copy.endOffset() != end || copy.startOffset() != source.startOffset()) {
            throw KAFKA_STORAGE_ERROR.because(
                    "The copy of " + copy.partition() + " has the offsets " + copy.startOffset() + ".."
                            + copy.endOffset() + ", its source " + source.startOffset() + ".." + end);
        }
    }

    /**
     * Compaction may have removed the last batches of the source. A batch without records stands for them, so that the
     * copy ends where the source ends.
     */
    private FollowedLog.Fetched emptyUpTo(long end, FollowedLog.Fetched fetched) {
        int epoch = Math.max(0, source.epochs().of(end - 1));
        ByteBuffer empty = Batches.empty(copy.endOffset(), end - 1, epoch);
        return new FollowedLog.Fetched(
                fetched.startOffset(), fetched.highWatermark(), Optional.empty(), List.of(empty));
    }

    public boolean isOpen() {
        return copy.isOpen();
    }

    /** True if an acknowledged record of the topic survives a power cut. */
    public boolean mustSurvivePowerCuts() {
        return source.rules().durability() == Durability.POWER;
    }

    public PartitionFiles files() {
        return copy.files();
    }

    /** True if appends and reads go to the copy. */
    public boolean hasTakenOver() {
        return source.isReplaced();
    }

    /** Closes a copy that has not taken its source's place. */
    public void close() {
        source.followedTo(() -> 0);
        join(copy.close());
    }

    private static <T> T join(CompletionStage<T> stage) {
        try {
            return stage.toCompletableFuture().get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw KAFKA_STORAGE_ERROR.because("Interrupted while a log was copied", interrupted);
        } catch (TimeoutException late) {
            throw KAFKA_STORAGE_ERROR.because("The storage engine does not answer", late);
        } catch (ExecutionException | CompletionException failure) {
            throw bare(failure);
        }
    }

    private static RuntimeException bare(Throwable failure) {
        return FeliceException.unwrap(failure) instanceof RuntimeException cause
                ? cause
                : new IllegalStateException(failure);
    }
}
