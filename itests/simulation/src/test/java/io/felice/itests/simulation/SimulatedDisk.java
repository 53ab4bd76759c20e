package io.felice.itests.simulation;

import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;
import static io.felice.api.ErrorCode.OFFSET_OUT_OF_RANGE;

import io.felice.api.RecordBatch;
import io.felice.api.storage.EngineTrait;
import io.felice.api.storage.LogId;
import io.felice.api.storage.PartitionLog;
import io.felice.api.storage.Records;
import io.felice.api.storage.Segment;
import io.felice.api.storage.SegmentSizes;
import io.felice.api.storage.StorageEngine;
import io.felice.api.storage.Volume;
import io.felice.itests.simulation.Timeline.Life;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** The logs of one broker. They outlive its runs, as far as the promise of the engine goes. */
final class SimulatedDisk {
    /** What a kill leaves. */
    enum Promise {
        /** All that was appended. */
        KEEPS_ALL,
        /** What was settled, and a part of what was not. */
        KEEPS_SETTLED,
        /** Nothing: the engine is in memory. */
        KEEPS_NOTHING
    }

    /** A batch in a log. Two replicas have the same one if all numbers are equal. */
    record StoredBatch(long base, long next, int epoch, long crc, long producerId, int sequence, byte[] bytes) {
        static StoredBatch copyOf(RecordBatch batch) {
            byte[] bytes = new byte[batch.sizeInBytes()];
            batch.copyTo(ByteBuffer.wrap(bytes), 0);
            return new StoredBatch(
                    batch.baseOffset(),
                    batch.nextOffset(),
                    batch.leaderEpoch(),
                    batch.crc(),
                    batch.producerId(),
                    batch.baseSequence(),
                    bytes);
        }

        boolean isSameAs(StoredBatch other) {
            return base == other.base && next == other.next && epoch == other.epoch && crc == other.crc;
        }

        @Override
        public String toString() {
            return base + ".." + (next - 1) + " of epoch " + epoch + " crc " + Long.toHexString(crc);
        }
    }

    /** The log of one replica. */
    static final class StoredLog {
        private final List<StoredBatch> batches = new ArrayList<>();
        private long start;
        private long settled;
        private long flushed;
        private long lease;
        /** How many batches at the front were compared with the committed ones. */
        int compared;

        List<StoredBatch> batches() {
            return batches;
        }

        long end() {
            return batches.isEmpty() ? start : batches.get(batches.size() - 1).next();
        }

        /** The end of what a kill leaves for certain. */
        long settled() {
            return settled;
        }

        private void cutTo(long end) {
            while (!batches.isEmpty() && batches.get(batches.size() - 1).next() > end) {
                batches.remove(batches.size() - 1);
            }
            compared = Math.min(compared, batches.size());
            settled = Math.min(settled, end());
            flushed = Math.min(flushed, end());
        }
    }

    private final Timeline timeline;
    private final Random random;
    private final Promise promise;
    private final boolean appendsWithoutBlocking;
    private final Map<LogId, StoredLog> logs = new HashMap<>();
    /** How long a settle takes, in nanoseconds; 0 if it is done when the call returns. */
    private long latency;

    SimulatedDisk(Timeline timeline, Random random, Promise promise, boolean appendsWithoutBlocking) {
        this.timeline = timeline;
        this.random = random;
        this.promise = promise;
        this.appendsWithoutBlocking = appendsWithoutBlocking;
    }

    Promise promise() {
        return promise;
    }

    void latency(long nanos) {
        latency = nanos;
    }

    /** Null if there is no such log. */
    StoredLog log(LogId id) {
        return logs.get(id);
    }

    Set<LogId> logs() {
        return logs.keySet();
    }

    /** True if a kill of the process leaves what was settled. */
    boolean survivesKill() {
        return promise != Promise.KEEPS_NOTHING;
    }

    void kill() {
        switch (promise) {
            case KEEPS_ALL -> {}
            case KEEPS_SETTLED -> logs.values().forEach(this::loseTail);
            case KEEPS_NOTHING -> logs.clear();
        }
    }

    private void loseTail(StoredLog log) {
        long lost = log.end() - log.settled;
        if (lost > 0) {
            log.cutTo(log.settled + random.nextInt((int) lost + 1));
        }
        log.settled = log.end();
    }

    void empty() {
        logs.clear();
    }

    /** The engine as one run of the broker sees it. */
    StorageEngine engine(Life life, Seams seams) {
        return new Engine(life, seams);
    }

    private final class Engine implements StorageEngine {
        private final Life life;
        private final Seams seams;

        Engine(Life life, Seams seams) {
            this.life = life;
            this.seams = seams;
        }

        @Override
        public Set<EngineTrait> traits() {
            Set<EngineTrait> traits = EnumSet.noneOf(EngineTrait.class);
            if (appendsWithoutBlocking) {
                traits.add(EngineTrait.APPENDS_WITHOUT_BLOCKING);
            }
            if (survivesKill()) {
                traits.add(EngineTrait.SURVIVES_KILL);
            }
            return traits;
        }

        @Override
        public Volume volume() {
            return new Volume("simulated:", -1, -1);
        }

        @Override
        public PartitionLog open(LogId id, long lease) {
            StoredLog log = logs.computeIfAbsent(id, key -> new StoredLog());
            log.lease = Math.max(log.lease, lease);
            log.settled = log.end();
            return new Handle(log, lease, life, seams);
        }

        @Override
        public void delete(LogId id) {
            logs.remove(id);
        }

        @Override
        public Set<LogId> logs() {
            return Set.copyOf(logs.keySet());
        }
    }

    private final class Handle implements PartitionLog {
        private final StoredLog log;
        private final long lease;
        private final Life life;
        private final Seams seams;

        Handle(StoredLog log, long lease, Life life, Seams seams) {
            this.seams = seams;
            this.log = log;
            this.lease = lease;
            this.life = life;
        }

        private void mustBeOwned() {
            if (lease < log.lease || life.isDead()) {
                throw KAFKA_STORAGE_ERROR.because("The log has a newer owner");
            }
        }

        @Override
        public long startOffset() {
            return log.start;
        }

        @Override
        public long endOffset() {
            return log.end();
        }

        @Override
        public long flushedOffset() {
            return log.flushed;
        }

        @Override
        public long settledOffset() {
            return log.settled;
        }

        @Override
        public void append(RecordBatch batch) {
            mustBeOwned();
            if (batch.baseOffset() < log.end()) {
                throw new IllegalArgumentException(batch + " is below the end " + log.end());
            }
            log.batches.add(StoredBatch.copyOf(batch));
        }

        @Override
        public CompletionStage<Void> settle(long upTo) {
            mustBeOwned();
            if (upTo <= log.settled) {
                return DONE;
            }
            if (latency == 0) {
                log.settled = upTo;
                return DONE;
            }
            CompletionStage<Void> settled = later(() -> log.settled = Math.max(log.settled, Math.min(upTo, log.end())));
            return seams.settlesLate() ? DONE : settled;
        }

        private CompletionStage<Void> later(Runnable work) {
            Later later = new Later(work);
            timeline.after(life, 1 + (long) (random.nextDouble() * latency), later::happen);
            return later;
        }

        @Override
        public CompletionStage<Void> flush(long upTo) {
            mustBeOwned();
            log.settled = Math.max(log.settled, Math.min(upTo, log.end()));
            log.flushed = Math.max(log.flushed, Math.min(upTo, log.end()));
            return DONE;
        }

        @Override
        public Records read(long from, long limit, int maxBytes, boolean atLeastOne) {
            if (from < log.start || from > log.end()) {
                throw OFFSET_OUT_OF_RANGE.because(from + " is not in " + log.start + ".." + log.end());
            }
            List<ByteBuffer> found = new ArrayList<>();
            long next = from;
            int bytes = 0;
            for (int i = indexOf(from); i < log.batches.size(); i++) {
                StoredBatch batch = log.batches.get(i);
                boolean fits = bytes + batch.bytes().length <= maxBytes || (found.isEmpty() && atLeastOne);
                if (batch.next() > limit || !fits) {
                    break;
                }
                found.add(ByteBuffer.wrap(batch.bytes()).asReadOnlyBuffer());
                bytes += batch.bytes().length;
                next = batch.next();
            }
            return found.isEmpty() ? Records.EMPTY : new Records.InMemory(found, next, () -> {});
        }

        /** The index of the first batch that ends above the offset. */
        private int indexOf(long offset) {
            int low = 0;
            int high = log.batches.size();
            while (low < high) {
                int middle = (low + high) >>> 1;
                if (log.batches.get(middle).next() <= offset) {
                    low = middle + 1;
                } else {
                    high = middle;
                }
            }
            return low;
        }

        @Override
        public List<Segment> segments() {
            long bytes = log.batches.stream()
                    .mapToLong(batch -> batch.bytes().length)
                    .sum();
            return List.of(new Segment(log.start, log.end(), bytes, bytes == 0 ? -1 : 1, 0, false));
        }

        @Override
        public void truncateTo(long end) {
            mustBeOwned();
            if (end < log.end()) {
                log.cutTo(end);
                if (end < log.start) {
                    log.start = end;
                }
            }
        }

        @Override
        public void trimTo(long start) {
            mustBeOwned();
            if (start > log.start) {
                log.batches.removeIf(batch -> batch.next() <= start);
                log.start = start;
                log.settled = Math.max(log.settled, start);
            }
        }

        @Override
        public void roll() {
            // One segment has all batches.
        }

        @Override
        public void configure(SegmentSizes sizes) {
            // One segment has all batches.
        }

        @Override
        public void close() {
            if (!life.isDead() && lease == log.lease) {
                log.settled = log.end();
            }
        }
    }

    /** Work of the disk. Who blocks for it, as the close of a log does, has it done at once: there is one thread only. */
    private static final class Later extends CompletableFuture<Void> {
        private final Runnable work;

        Later(Runnable work) {
            this.work = work;
        }

        void happen() {
            if (!isDone()) {
                work.run();
                complete(null);
            }
        }

        @Override
        public Void get(long timeout, TimeUnit unit) throws InterruptedException, ExecutionException, TimeoutException {
            happen();
            return super.get(timeout, unit);
        }
    }
}
