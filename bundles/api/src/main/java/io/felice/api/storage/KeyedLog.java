package io.felice.api.storage;

import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;
import static io.felice.api.ErrorCode.OFFSET_OUT_OF_RANGE;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.felice.api.RecordBatch;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * One log of a {@link KeyedEngine}. All handles lock this object, also while they call the store. What the store has under
 * {@value #STATE} is a text: the topic, the start offset, and for each segment its base offset and the time of its creation,
 * each in a line of its own. Records that are read are copies, so they may stay pinned without cost.
 */
final class KeyedLog {
    private static final long STATE = -1;

    private final LogId id;
    private final BatchStore store;
    private final Set<EngineTrait> traits;
    /** By last offset, so that {@code ceilingEntry(offset)} is the batch that holds an offset. */
    private final TreeMap<Long, Stored> batches = new TreeMap<>();
    /** The time at which each segment was created, by base offset, in milliseconds since the epoch. */
    private final TreeMap<Long, Long> segments = new TreeMap<>();

    private SegmentSizes sizes = SegmentSizes.DEFAULT;
    private long activeBytes;
    private long start;
    private long end;
    private long flushed;
    private long newestLease;
    /** A segment may have other batches after a truncation. */
    private long truncations;

    private boolean isKnown;
    private volatile boolean failed;
    private String ended;

    private record Stored(long base, long last, int bytes, long maxTimestamp) {
        static Stored of(RecordBatch batch) {
            return new Stored(batch.baseOffset(), batch.lastOffset(), batch.sizeInBytes(), batch.maxTimestamp());
        }
    }

    /** A change of the store. */
    private interface Change {
        void make() throws IOException;
    }

    /** Reads what the store has. */
    KeyedLog(LogId id, BatchStore store, Set<EngineTrait> traits, long newestLease) throws IOException {
        this.id = id;
        this.store = store;
        this.traits = traits;
        this.newestLease = newestLease;
        recover();
    }

    /** The topic of a log; empty if the store has no log. */
    static Optional<String> topicOf(BatchStore store) throws IOException {
        return Optional.ofNullable(store.get(STATE)).map(state -> lines(state).get(0));
    }

    private static List<String> lines(ByteBuffer state) {
        return UTF_8.decode(state.duplicate()).toString().lines().toList();
    }

    private void recover() throws IOException {
        ByteBuffer state = store.get(STATE);
        isKnown = state != null;
        if (isKnown) {
            List<String> lines = lines(state);
            start = Long.parseLong(lines.get(1));
            for (String segment : lines.subList(2, lines.size())) {
                int blank = segment.indexOf(' ');
                segments.put(Long.parseLong(segment.substring(0, blank)), Long.parseLong(segment.substring(blank + 1)));
            }
        }
        for (long number : store.numbers()) {
            if (number >= 0) {
                recover(number);
            }
        }
        if (segments.isEmpty()) {
            begin(start);
        }
        end = Math.max(Math.max(start, segments.lastKey()), batches.isEmpty() ? 0 : batches.lastKey() + 1);
        activeBytes = segment(segments.lastKey(), 0).sizeInBytes();
        flushed = end;
    }

    private void recover(long number) throws IOException {
        ByteBuffer value = store.get(number);
        RecordBatch batch = RecordBatch.at(value);
        if (value.remaining() < RecordBatch.HEADER_BYTES
                || batch.baseOffset() != number
                || batch.sizeInBytes() != value.remaining()) {
            throw KAFKA_STORAGE_ERROR.because("what is stored of " + id + " under " + number + " is not a whole batch");
        }
        if (batch.lastOffset() < start) {
            store.delete(number);
        } else {
            batches.put(batch.lastOffset(), Stored.of(batch));
        }
    }

    LogId id() {
        return id;
    }

    synchronized long lease() {
        return newestLease;
    }

    boolean hasFailed() {
        return failed;
    }

    synchronized PartitionLog lend(long lease) {
        newestLease = Math.max(newestLease, lease);
        return new Handle(lease);
    }

    /** From now on nobody changes the log. */
    synchronized void end(String why) {
        ended = why;
    }

    private void begin(long base) {
        segments.put(base, System.currentTimeMillis());
        activeBytes = 0;
    }

    private void change(Change change) {
        try {
            change.make();
        } catch (IOException | RuntimeException failure) {
            failed = true;
            throw KAFKA_STORAGE_ERROR.because("the store of " + id + " cannot be changed", failure);
        }
    }

    private void saveState() throws IOException {
        StringBuilder state = new StringBuilder(id.topic()).append('\n').append(start);
        segments.forEach(
                (base, createdAt) -> state.append('\n').append(base).append(' ').append(createdAt));
        store.put(STATE, UTF_8.encode(state.toString()));
        isKnown = true;
    }

    /** Removes batches, from the last one on, through a view of {@link #batches}: a kill leaves no gap. */
    private void remove(Collection<Stored> view) throws IOException {
        List<Stored> removed = new ArrayList<>(view);
        for (int i = removed.size() - 1; i >= 0; i--) {
            store.delete(removed.get(i).base());
        }
        view.clear();
    }

    /** Removes all records. The log then starts and ends at {@code offset}. */
    private void restartAt(long offset) {
        segments.clear();
        start = offset;
        end = offset;
        begin(offset);
    }

    private void mustHaveSealed(List<Segment> old) {
        if (old.isEmpty()) {
            throw new IllegalArgumentException("no segments to replace");
        }
        for (int i = 0; i < old.size(); i++) {
            Segment one = old.get(i);
            Long next = segments.higherKey(one.baseOffset());
            boolean follows = i == 0 || one.baseOffset() == old.get(i - 1).nextOffset();
            if (!follows || !segments.containsKey(one.baseOffset()) || next == null || next != one.nextOffset()) {
                throw OFFSET_OUT_OF_RANGE.because(old + " are no neighbouring sealed segments of " + id);
            }
        }
    }

    private Segment segment(long base, long createdAt) {
        Long next = segments.higherKey(base);
        long bytes = 0;
        long maxTimestamp = -1;
        for (Stored batch :
                batches.subMap(base, next == null ? Long.MAX_VALUE : next).values()) {
            bytes += batch.bytes();
            maxTimestamp = Math.max(maxTimestamp, batch.maxTimestamp());
        }
        return new Segment(base, next == null ? end : next, bytes, maxTimestamp, createdAt, next != null);
    }

    /** An opened log. Its owner may write until the log is opened again with a newer lease. */
    private final class Handle implements PartitionLog {
        private final long lease;

        Handle(long lease) {
            this.lease = lease;
        }

        void mustOwn() {
            if (ended != null || failed || lease < newestLease) {
                throw KAFKA_STORAGE_ERROR.because(
                        id + " " + (ended != null ? ended : failed ? "has failed" : "has a newer owner"));
            }
        }

        @Override
        public long startOffset() {
            synchronized (KeyedLog.this) {
                return start;
            }
        }

        @Override
        public long endOffset() {
            synchronized (KeyedLog.this) {
                return end;
            }
        }

        @Override
        public long settledOffset() {
            return endOffset();
        }

        @Override
        public long flushedOffset() {
            synchronized (KeyedLog.this) {
                return Math.min(flushed, end);
            }
        }

        @Override
        public boolean hasFailed() {
            return failed;
        }

        @Override
        public void append(RecordBatch batch) {
            synchronized (KeyedLog.this) {
                mustOwn();
                if (batch.baseOffset() < end) {
                    throw new IllegalArgumentException(batch + " is below the end of " + id + ", " + end);
                }
                if (activeBytes + batch.sizeInBytes() > sizes.segmentBytes()) {
                    roll();
                }
                change(() -> {
                    if (!isKnown) {
                        saveState();
                    }
                    store.put(batch.baseOffset(), batch.bytes());
                });
                batches.put(batch.lastOffset(), Stored.of(batch));
                activeBytes += batch.sizeInBytes();
                end = batch.nextOffset();
            }
        }

        /** Nothing to do: the store writes before its methods return. */
        @Override
        public CompletionStage<Void> settle(long upTo) {
            return failed ? CompletableFuture.failedFuture(KAFKA_STORAGE_ERROR.because(id + " has failed")) : DONE;
        }

        @Override
        public CompletionStage<Void> flush(long upTo) {
            synchronized (KeyedLog.this) {
                try {
                    mustOwn();
                    change(store::sync);
                    flushed = end;
                    return DONE;
                } catch (RuntimeException failure) {
                    return CompletableFuture.failedFuture(failure);
                }
            }
        }

        @Override
        public Records read(long from, long limit, int maxBytes, boolean atLeastOne) {
            synchronized (KeyedLog.this) {
                if (from < start || from > end) {
                    throw OFFSET_OUT_OF_RANGE.because(from + " is not in " + start + ".." + end + " of " + id);
                }
                List<ByteBuffer> found = new ArrayList<>();
                long room = maxBytes;
                long next = end;
                for (Stored batch : batches.tailMap(from).values()) {
                    room -= batch.bytes();
                    boolean full = room < 0 && !(atLeastOne && found.isEmpty());
                    if (full || batch.last() >= limit) {
                        next = batch.base();
                        break;
                    }
                    found.add(valueOf(batch));
                }
                return found.isEmpty() ? Records.EMPTY : new Records.InMemory(found, next, () -> {});
            }
        }

        private ByteBuffer valueOf(Stored batch) {
            ByteBuffer value;
            try {
                value = store.get(batch.base());
            } catch (IOException | RuntimeException failure) {
                throw KAFKA_STORAGE_ERROR.because(
                        "the batch " + batch.base() + " of " + id + " cannot be read", failure);
            }
            if (value == null || value.remaining() != batch.bytes()) {
                throw KAFKA_STORAGE_ERROR.because("the batch " + batch.base() + " of " + id + " is not in the store");
            }
            return value;
        }

        @Override
        public boolean isHot(long from) {
            return traits.contains(EngineTrait.APPENDS_WITHOUT_BLOCKING);
        }

        @Override
        public List<Segment> segments() {
            synchronized (KeyedLog.this) {
                return segments.entrySet().stream()
                        .map(entry -> segment(entry.getKey(), entry.getValue()))
                        .toList();
            }
        }

        @Override
        public Replacement replace(List<Segment> old) {
            if (!traits.contains(EngineTrait.REPLACES_RANGES)) {
                // The broker compacts no log of such an engine.
                throw new UnsupportedOperationException("no segment of " + id + " can be replaced");
            }
            synchronized (KeyedLog.this) {
                mustOwn();
                mustHaveSealed(old);
                return new Kept(this, old);
            }
        }

        @Override
        public void truncateTo(long to) {
            synchronized (KeyedLog.this) {
                mustOwn();
                if (to >= end) {
                    return;
                }
                truncations++;
                Long last = batches.lowerKey(Math.max(to, start));
                end = last == null ? start : Math.max(start, last + 1);
                segments.tailMap(end, false).clear();
                change(() -> {
                    saveState();
                    remove(batches.tailMap(end).values());
                    if (to < start) {
                        restartAt(to);
                        saveState();
                    }
                    store.sync();
                });
                activeBytes = segment(segments.lastKey(), 0).sizeInBytes();
            }
        }

        @Override
        public void trimTo(long to) {
            synchronized (KeyedLog.this) {
                mustOwn();
                if (to <= start) {
                    return;
                }
                change(() -> {
                    if (to >= end) {
                        restartAt(to);
                    } else {
                        start = to;
                        segments.headMap(segments.floorKey(to)).clear();
                    }
                    saveState();
                    store.sync();
                    remove(batches.headMap(to).values());
                });
            }
        }

        @Override
        public void roll() {
            synchronized (KeyedLog.this) {
                mustOwn();
                if (activeBytes > 0) {
                    begin(end);
                    change(KeyedLog.this::saveState);
                }
            }
        }

        @Override
        public void configure(SegmentSizes newSizes) {
            synchronized (KeyedLog.this) {
                sizes = newSizes;
            }
        }

        @Override
        public void close() {
            // Nothing to release: the engine keeps the log.
        }
    }

    /** A new segment. Its batches are in memory until the commit. */
    private final class Kept implements Replacement {
        private final Handle handle;
        private final List<Segment> old;
        private final long from;
        private final long to;
        private final long truncationsBefore = truncations;
        private final Map<Long, ByteBuffer> values = new HashMap<>();
        private final TreeMap<Long, Stored> kept = new TreeMap<>();
        private long next;

        Kept(Handle handle, List<Segment> old) {
            this.handle = handle;
            this.old = List.copyOf(old);
            this.from = old.get(0).baseOffset();
            this.to = old.get(old.size() - 1).nextOffset();
            this.next = from;
        }

        @Override
        public void append(RecordBatch batch) {
            if (batch.baseOffset() < next || batch.nextOffset() > to) {
                throw new IllegalArgumentException(batch + " is not in " + next + ".." + to);
            }
            synchronized (KeyedLog.this) {
                handle.mustOwn();
            }
            ByteBuffer copy = ByteBuffer.allocate(batch.sizeInBytes());
            batch.copyTo(copy, 0);
            values.put(batch.baseOffset(), copy);
            kept.put(batch.lastOffset(), Stored.of(batch));
            next = batch.nextOffset();
        }

        @Override
        public void prepare() {
            // Nothing to do: the store takes all of it in one step.
        }

        @Override
        public void commit() {
            synchronized (KeyedLog.this) {
                handle.mustOwn();
                mustHaveSealed(old);
                if (truncations != truncationsBefore) {
                    throw OFFSET_OUT_OF_RANGE.because(id + " was truncated while its segments were replaced");
                }
                Collection<Stored> below = kept.headMap(start).values();
                below.forEach(batch -> values.remove(batch.base()));
                below.clear();
                change(() -> {
                    store.replace(from, to, values);
                    batches.subMap(from, to).clear();
                    batches.putAll(kept);
                    segments.put(from, old.get(old.size() - 1).createdAt());
                    segments.subMap(from, false, to, false).clear();
                    saveState();
                    store.sync();
                });
            }
        }

        @Override
        public void close() {
            // Nothing to remove: the store has the new segment or never got it.
        }
    }
}
