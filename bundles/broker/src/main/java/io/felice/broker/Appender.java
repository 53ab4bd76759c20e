package io.felice.broker;

import static io.felice.api.ErrorCode.INVALID_RECORD;
import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;
import static io.felice.api.ErrorCode.NOT_ENOUGH_REPLICAS;

import io.felice.api.RecordBatch;
import io.felice.api.partition.Partition.Acks;
import io.felice.api.partition.Partition.Appended;
import io.felice.api.partition.Partition.Origin;
import io.felice.api.storage.PartitionLog;
import io.felice.api.storage.Segment;
import io.felice.records.Batches;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * Puts batches at the end of a partition's log. Checks on the caller's thread what can be checked without knowing the
 * log; then, as the partition's writer, the producer's sequence, and gives offsets and the leader epoch. Rolls segments
 * that are old enough.
 */
final class Appender {
    /** Nobody is refused for having waited less, whatever time he gives. */
    private static final long LEAST_PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final Leadership leadership;
    private final PartitionLog log;
    private final MountedEngine engine;
    private final Node node;
    private final SingleWriter writer;
    private final Committer committer;
    private final Producers producers;
    private final ProducerSnapshots snapshots;
    private final BrokerLimits limits;
    private final FirstWrite firstWrite;

    private volatile long appendedBytes;

    // Of the partition's writer.
    private boolean prepared;
    private long rollAt;
    /** Bytes in the active segment, as far as the next roll is concerned. */
    private long segmentBytes;

    /** What must be on disk before the first append of an epoch. */
    interface FirstWrite {
        void prepare() throws IOException;
    }

    Appender(
            Leadership leadership,
            PartitionLog log,
            MountedEngine engine,
            Node node,
            SingleWriter writer,
            Committer committer,
            Producers producers,
            ProducerSnapshots snapshots,
            BrokerLimits limits,
            FirstWrite firstWrite) {
        this.leadership = leadership;
        this.log = log;
        this.engine = engine;
        this.node = node;
        this.writer = writer;
        this.committer = committer;
        this.producers = producers;
        this.snapshots = snapshots;
        this.limits = limits;
        this.firstWrite = firstWrite;
    }

    /** Bytes appended since the partition was opened. */
    long appendedBytes() {
        return appendedBytes;
    }

    // ---- on the caller's thread

    /** @throws io.felice.api.FeliceException what a produce request is answered with */
    PendingAppend admit(ByteBuffer bytes, Acks acks, Origin origin, Duration timeout) {
        leadership.mustTakeRecords();
        Rules rules = leadership.rules();
        if (acks == Acks.ALL && leadership.hasTooFewReplicas()) {
            throw NOT_ENOUGH_REPLICAS.because(leadership.partition() + " has " + leadership.replicasInSync()
                    + " replicas in sync, min.insync.replicas is " + rules.minInsyncReplicas());
        }
        List<RecordBatch> batches = Batches.split(bytes);
        if (batches.isEmpty()) {
            throw INVALID_RECORD.because("There is no batch to append to " + leadership.partition());
        }
        long millis = node.clock().millis();
        rules.check(batches, origin, millis);
        if (rules.stampsAppendTime()) {
            batches.forEach(batch -> Batches.stampAppendTime(batch, millis));
        }
        long appendTime = rules.stampsAppendTime() ? millis : -1;
        long deadline = node.nanos().getAsLong() + Math.max(timeout.toNanos(), LEAST_PATIENCE_NANOS);
        return new PendingAppend(this, leadership, batches, acks, origin, appendTime, deadline);
    }

    // ---- as the writer

    void take(PendingAppend append) {
        if (!writer.holdsBack(append)) {
            take(append, false);
        }
    }

    /** @param isItsTurn true after what was prepared for it, whatever time that took */
    private void take(PendingAppend append, boolean isItsTurn) {
        try {
            leadership.mustTakeRecords();
            if (isTooLate(append)) {
                return;
            }
            long now = node.clock().millis();
            if (isItsTurn || prepared && now < rollAt) {
                place(append, now);
            } else {
                writer.handOver(this::prepare, () -> take(append, true));
            }
        } catch (RuntimeException refused) {
            append.completeExceptionally(refused);
        } catch (Error accident) {
            append.completeExceptionally(leadership.die(accident));
            throw accident;
        }
    }

    /**
     * Who gave it up may have sent it again, and it would be there twice. With a sequence the second one is known for what it
     * is; left out, the one behind it would be taken for its producer's first.
     */
    private boolean isTooLate(PendingAppend append) {
        return !append.hasSequence() && append.expire(node.nanos().getAsLong());
    }

    private void place(PendingAppend append, long now) {
        List<RecordBatch> batches = append.batches();
        if (append.hasSequence()) {
            Optional<Producers.Remembered> first = producers.check(batches.get(0));
            if (first.isPresent()) {
                answerAsThen(append, first.get());
                return;
            }
        }
        long end = committer.logEnd();
        long bytes = 0;
        for (RecordBatch batch : batches) {
            batch.stamp(end, leadership.leaderEpoch());
            write(batch);
            if (batch.hasProducerId()) {
                producers.appended(batch, now, limits.maxProducers());
            }
            end = batch.nextOffset();
            bytes += batch.sizeInBytes();
        }
        append.placed(new Appended(batches.get(0).baseOffset(), end - 1, append.appendTime(), log.startOffset()));
        appendedBytes += bytes;
        committer.appendedTo(end);
        snapshots.appended(bytes, end);
    }

    /** A duplicate gets the first answer, and not before the first one could be given. */
    private void answerAsThen(PendingAppend append, Producers.Remembered first) {
        long time = leadership.rules().stampsAppendTime() ? first.timestamp() : -1;
        append.placed(new Appended(first.baseOffset(), first.lastOffset(), time, log.startOffset()));
    }

    private void write(RecordBatch batch) {
        int size = batch.sizeInBytes();
        boolean rolls = segmentBytes + size > leadership.rules().sizes().segmentBytes();
        segmentBytes = rolls ? size : segmentBytes + size;
        try {
            engine.device().timedAppend(() -> log.append(batch));
        } catch (RuntimeException failure) {
            throw leadership.writeFailed(failure, size);
        }
    }

    // ---- rolling

    /** As the writer: the segments' sizes or ages are limited otherwise from now on. */
    void rulesChanged(boolean sizesToo) {
        if (sizesToo) {
            log.configure(leadership.rules().sizes());
        }
        rollAt = 0;
    }

    /** Before the first append of this epoch, and when the active segment is old enough. Blocks. */
    private void prepare() {
        try {
            if (!prepared) {
                prepareFirstWrite();
                prepared = true;
            }
            rollIfOld(node.clock().millis());
        } catch (RuntimeException failure) {
            throw leadership.writeFailed(failure, 0);
        }
    }

    private void prepareFirstWrite() {
        try {
            firstWrite.prepare();
        } catch (IOException failure) {
            throw KAFKA_STORAGE_ERROR.because(
                    "The epochs of " + leadership.partition() + " cannot be written", failure);
        }
    }

    private void rollIfOld(long now) {
        if (now < rollAt) {
            return;
        }
        List<Segment> segments = log.segments();
        Segment active = segments.get(segments.size() - 1);
        segmentBytes = active.sizeInBytes();
        long lifetime = lifetime();
        if (active.sizeInBytes() == 0) {
            rollAt = later(now, lifetime);
        } else if (later(active.createdAt(), lifetime) <= now) {
            log.roll();
            segmentBytes = 0;
            rollAt = later(now, lifetime);
            snapshots.takeAt(committer.logEnd());
        } else {
            rollAt = later(active.createdAt(), lifetime);
        }
    }

    private long lifetime() {
        Rules rules = leadership.rules();
        long jitter = Math.min(rules.segmentJitterMs(), rules.segmentMs());
        return rules.segmentMs() - (jitter == 0 ? 0 : node.random().nextLong(jitter));
    }

    private static long later(long time, long by) {
        return time > Long.MAX_VALUE - by ? Long.MAX_VALUE : time + by;
    }
}
