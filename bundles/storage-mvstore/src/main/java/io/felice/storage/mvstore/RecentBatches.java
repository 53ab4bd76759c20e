package io.felice.storage.mvstore;

import io.felice.api.RecordBatch;
import io.felice.api.storage.Records;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;

/**
 * The newest batches of a log, in memory and in order: settled ones that are kept for readers, those in the commit that
 * runs, and those that wait for one. Guarded by the log. The bytes never change, so that readers may keep them.
 */
final class RecentBatches {
    /** A batch in memory, and the segment that it belongs to. */
    record Recent(StoredSegment segment, RecordBatch batch, int size) {}

    private final Deque<Recent> settled = new ArrayDeque<>();
    private final Deque<Recent> committing = new ArrayDeque<>();
    private final Deque<Recent> waiting = new ArrayDeque<>();
    private long settledBytes;

    void add(Recent recent) {
        waiting.add(recent);
    }

    boolean isWaiting() {
        return !waiting.isEmpty();
    }

    /** The first batches that wait, at least one and about {@code mostBytes}: they are in a commit from now on. */
    List<Recent> take(long mostBytes) {
        List<Recent> taken = new ArrayList<>();
        long bytes = 0;
        while (!waiting.isEmpty() && (bytes == 0 || bytes + waiting.peek().size <= mostBytes)) {
            Recent first = waiting.poll();
            bytes += first.size;
            taken.add(first);
        }
        committing.addAll(taken);
        return taken;
    }

    /** The batches of the commit are in the file; the newest are kept for readers, as many as fit. */
    long committed(long mostBytes) {
        for (Recent one : committing) {
            settled.add(one);
            settledBytes += one.size;
        }
        committing.clear();
        return dropSettled(mostBytes);
    }

    /** Drops the oldest settled batches until the rest fits; the bytes that were dropped. */
    long dropSettled(long mostBytes) {
        long dropped = 0;
        while (settledBytes > mostBytes) {
            int size = settled.poll().size;
            settledBytes -= size;
            dropped += size;
        }
        return dropped;
    }

    /** The first batches that wait, of segments that a store file has: they are in a commit from now on. */
    List<Recent> takeStored() {
        List<Recent> taken = new ArrayList<>();
        while (!waiting.isEmpty() && waiting.peek().segment.isStored()) {
            taken.add(waiting.poll());
        }
        committing.addAll(taken);
        return taken;
    }

    /** The first offset in memory; {@code end}, the log's end, if there is nothing. */
    long first(long end) {
        Recent first = !settled.isEmpty() ? settled.peek() : !committing.isEmpty() ? committing.peek() : waiting.peek();
        return first == null ? end : first.batch.baseOffset();
    }

    /**
     * Batches from the one that holds {@code from} on, whose offsets are below {@code limit}; {@code from} is not below
     * {@link #first}.
     *
     * @return null if there are none
     */
    Records read(long from, long limit, int maxBytes, boolean atLeastOne) {
        List<ByteBuffer> found = new ArrayList<>();
        long room = maxBytes;
        long next = -1;
        Iterator<Recent> all = from(from);
        while (all.hasNext()) {
            Recent recent = all.next();
            if (recent.batch.lastOffset() < from) {
                continue;
            }
            room -= recent.size;
            boolean full = room < 0 && !(atLeastOne && found.isEmpty());
            if (full || recent.batch.lastOffset() >= limit) {
                break;
            }
            found.add(recent.batch.bytes());
            next = recent.batch.nextOffset();
        }
        return found.isEmpty() ? null : new Records.InMemory(found, next, () -> {});
    }

    /** Begins at or before the batch that holds the offset. */
    private Iterator<Recent> from(long offset) {
        List<Deque<Recent>> parts = new ArrayList<>(3);
        boolean here = false;
        for (Deque<Recent> part : List.of(waiting, committing, settled)) {
            if (!here && !part.isEmpty()) {
                parts.add(0, part);
                here = part.peek().batch.baseOffset() <= offset;
            }
        }
        return new Iterator<>() {
            private int at;
            private Iterator<Recent> part = parts.isEmpty()
                    ? List.<Recent>of().iterator()
                    : parts.get(0).iterator();

            @Override
            public boolean hasNext() {
                while (!part.hasNext() && at + 1 < parts.size()) {
                    at++;
                    part = parts.get(at).iterator();
                }
                return part.hasNext();
            }

            @Override
            public Recent next() {
                return part.next();
            }
        };
    }

    /** Drops what is not committed; the bytes that were dropped. */
    long dropUncommitted() {
        long dropped = 0;
        for (Deque<Recent> part : List.of(committing, waiting)) {
            dropped += part.stream().mapToLong(Recent::size).sum();
            part.clear();
        }
        return dropped;
    }
}
