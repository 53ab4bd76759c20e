package io.felice.itests.simulation;

import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;
import static io.felice.api.ErrorCode.OFFSET_OUT_OF_RANGE;

import io.felice.api.RecordBatch;
import io.felice.api.storage.EngineTrait;
import io.felice.api.storage.LogId;
import io.felice.api.storage.PartitionLog;
import io.felice.api.storage.Records;
import io.felice.api.storage.Replacement;
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
import java.util.TreeSet;
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
        /** Where the sealed segments end. */
        private final TreeSet<Long> seals = new TreeSet<>();
        /** All below was compacted. */
        private long compactedTo;

        private int batchesSinceSeal;
        private long start;
        private long settled;
        private long flushed;
        private long lease;
        /** How many of the committed batches were compared with those here, and where the last of them ends. */
        int compared;

        long comparedTo;

        List<StoredBatch> batches() {
            return batches;
        }

        long end() {
            return batches.isEmpty() ? start : batches.get(batches.size() - 1).next();
        }

        /** Below it records may have been removed. */
        long compactedTo() {
            return compactedTo;
        }

        /** The index of the first batch that ends above the offset. */
        int indexOf(long offset) {
            int low = 0;
            int high = batches.size();
            while (low < high) {
                int middle = (low + high) >>> 1;
                if (batches.get(middle).next() <= offset) {
                    low = middle + 1;
                } else {
                    high = middle;
                }
            }
            return low;
        }

        private void append(StoredBatch batch) {
            batches.add(batch);
            if (++batchesSinceSeal == BATCHES_OF_SEGMENT) {
                seal();
            }
        }

        private void seal() {
            if (batchesSinceSeal > 0) {
                seals.add(end());
                batchesSinceSeal = 0;
            }
        }

        private List<Segment> segments() {
            List<Segment> segments = new ArrayList<>();
            long base = start;
            for (long seal : seals.tailSet(start, false)) {
                segments.add(segment(base, seal, true));
                base = seal;
            }
            segments.add(segment(base, Math.max(base, end()), false));
            return segments;
        }

        private Segment segment(long base, long next, boolean isSealed) {
            List<StoredBatch> of = batches.subList(indexOf(base), indexOf(next));
            long bytes = of.stream().mapToLong(batch -> batch.bytes().length).sum();
            return new Segment(base, next, bytes, bytes == 0 ? -1 : 1, 0, isSealed);
        }

        /** The end of what a kill leaves for certain. */
        long settled() {
            return settled;
        }

        /** The end of what a power cut leaves for certain, if the engine survives one. */
        long flushed() {
            return flushed;
        }

        private void cutTo(long end) {
            while (!batches.isEmpty() && batches.get(batches.size() - 1).next() > end) {
                batches.remove(batches.size() - 1);
            }
            seals.tailSet(end(), false).clear();
            batchesSinceSeal = seals.isEmpty() ? batches.size() : batches.size() - indexOf(seals.last());
            if (end() < comparedTo) {
                compared = 0;
                comparedTo = 0;
            }
            compactedTo = Math.min(compactedTo, end());
            settled = Math.min(settled, end());
            flushed = Math.min(flushed, end());
        }
    }

    private static final int BATCHES_OF_SEGMENT = 6;

    private final Timeline timeline;
    private final Random random;
    private final Promise promise;
    private final boolean survivesPowerLoss;
    private final boolean appendsWithoutBlocking;
    private final Map<LogId, StoredLog> logs = new HashMap<>();
    /** How long a settle takes, in nanoseconds; 0 if it is done when the call returns. */
    private long latency;

    private boolean atOnce;

    /** @param survivesPowerLoss true if what was flushed is there after a power cut; only if a kill leaves something */
    SimulatedDisk(
            Timeline timeline,
            Random random,
            Promise promise,
            boolean survivesPowerLoss,
            boolean appendsWithoutBlocking) {
        this.timeline = timeline;
        this.random = random;
        this.promise = promise;
        this.survivesPowerLoss = survivesPowerLoss && promise != Promise.KEEPS_NOTHING;
        this.appendsWithoutBlocking = appendsWithoutBlocking;
    }

    Promise promise() {
        return promise;
    }

    /** True while the threads of the engine run their tasks inside the calls. */
    boolean isAtOnce() {
        return atOnce;
    }

    void atOnce(boolean is) {
        atOnce = is;
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

    /** True if a power cut leaves what was flushed. */
    boolean survivesPowerLoss() {
        return survivesPowerLoss;
    }

    /** What was not flushed is gone, or a part of it. */
    void losePower() {
        if (promise == Promise.KEEPS_NOTHING) {
            logs.clear();
        }
        logs.values().forEach(log -> {
            loseBehind(log, survivesPowerLoss ? log.flushed : log.start);
            log.flushed = log.end();
        });
    }

    void kill() {
        switch (promise) {
            case KEEPS_ALL -> {}
            case KEEPS_SETTLED -> logs.values().forEach(this::loseTail);
            case KEEPS_NOTHING -> logs.clear();
        }
    }

    private void loseTail(StoredLog log) {
        loseBehind(log, log.settled);
    }

    private void loseBehind(StoredLog log, long kept) {
        long lost = log.end() - kept;
        if (lost > 0) {
            log.cutTo(kept + random.nextInt((int) lost + 1));
        }
        log.settled = log.end();
    }

    /** The engine is stopped. */
    void flush() {
        logs.values().forEach(log -> log.flushed = log.end());
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
            traits.add(EngineTrait.REPLACES_RANGES);
            if (survivesPowerLoss) {
                traits.add(EngineTrait.SURVIVES_POWER_LOSS);
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
            log.append(StoredBatch.copyOf(batch));
        }

        @Override
        public CompletionStage<Void> settle(long upTo) {
            mustBeOwned();
            if (upTo <= log.settled) {
                return DONE;
            }
            if (latency == 0 || atOnce) {
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
            if (upTo <= log.flushed) {
                return DONE;
            }
            Runnable flushed = () -> {
                log.settled = Math.max(log.settled, Math.min(upTo, log.end()));
                log.flushed = Math.max(log.flushed, Math.min(upTo, log.end()));
            };
            if (latency == 0 || atOnce) {
                flushed.run();
                return DONE;
            }
            CompletionStage<Void> done = later(flushed);
            return seams.flushesLate() ? DONE : done;
        }

        @Override
        public Records read(long from, long limit, int maxBytes, boolean atLeastOne) {
            if (from < log.start || from > log.end()) {
                throw OFFSET_OUT_OF_RANGE.because(from + " is not in " + log.start + ".." + log.end());
            }
            List<ByteBuffer> found = new ArrayList<>();
            long next = from;
            int bytes = 0;
            for (int i = log.indexOf(from); i < log.batches.size(); i++) {
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

        @Override
        public List<Segment> segments() {
            return log.segments();
        }

        @Override
        public Replacement replace(List<Segment> old) {
            mustBeOwned();
            mustStillBe(old);
            return new Rewritten(old);
        }

        private void mustStillBe(List<Segment> old) {
            List<Segment> now = log.segments();
            int at = now.indexOf(old.get(0));
            if (at < 0
                    || at + old.size() >= now.size()
                    || !now.subList(at, at + old.size()).equals(old)) {
                throw OFFSET_OUT_OF_RANGE.because(old + " are no neighbouring sealed segments");
            }
        }

        private final class Rewritten implements Replacement {
            private final List<Segment> old;
            private final List<StoredBatch> left = new ArrayList<>();

            Rewritten(List<Segment> old) {
                this.old = old;
            }

            @Override
            public void append(RecordBatch batch) {
                left.add(StoredBatch.copyOf(batch));
            }

            @Override
            public void prepare() {
                // The batches are in memory.
            }

            @Override
            public void commit() {
                mustBeOwned();
                mustStillBe(old);
                long base = old.get(0).baseOffset();
                long next = old.get(old.size() - 1).nextOffset();
                List<StoredBatch> replaced = log.batches.subList(log.indexOf(base), log.indexOf(next));
                replaced.clear();
                log.batches.addAll(log.indexOf(base), left);
                log.seals.subSet(base, false, next, false).clear();
                log.compactedTo = Math.max(log.compactedTo, next);
            }

            @Override
            public void close() {
                // Nothing is left of it.
            }
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
                log.seals.headSet(start, true).clear();
                log.start = start;
                log.settled = Math.max(log.settled, start);
            }
        }

        @Override
        public void roll() {
            log.seal();
        }

        @Override
        public void configure(SegmentSizes sizes) {
            // A segment has a few batches.
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
