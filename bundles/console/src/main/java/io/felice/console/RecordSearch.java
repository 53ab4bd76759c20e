package io.felice.console;

import io.felice.api.FeliceException;
import io.felice.api.RecordBatch;
import io.felice.records.RecordReader;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/**
 * Looks for records in several partitions, from the newest back or from somewhere on, until there are enough, or the budget
 * of records or the time is used up. In rounds: each reads a window of each partition, and then takes the found records in
 * the order of their times, without changing the order within a partition. One thread.
 */
final class RecordSearch {
    private static final long LONGEST_NANOS = TimeUnit.SECONDS.toNanos(4);
    private static final int SMALLEST_WINDOW = 16;
    private static final int LARGEST_WINDOW = 20_000;

    private final Map<Integer, Lane> lanes = new TreeMap<>();
    private final RecordFilter filter;
    private final boolean isBackward;
    private final int limit;
    private final int budget;
    private final int mostBytes;
    private final boolean isHidden;
    private final long deadline = System.nanoTime() + LONGEST_NANOS;
    private final List<ShownRecord> found = new ArrayList<>();
    private final List<Unread> problems = new ArrayList<>();
    private int scanned;

    /**
     * A partition that is not among those that were searched, or not to its end.
     *
     * @param broker the one that leads it; null if that does not matter
     */
    record Unread(int partition, String sentence, Integer broker) {}

    RecordSearch(RecordFilter filter, boolean isBackward, int limit, int budget, int mostBytes, boolean isHidden) {
        this.filter = filter;
        this.isBackward = isBackward;
        this.limit = limit;
        this.budget = budget;
        this.mostBytes = mostBytes;
        this.isHidden = isHidden;
    }

    /** One partition: what is left to read of it, and what was found there and is not taken yet. */
    private final class Lane {
        private final PartitionReading partition;
        private long from;
        private long to;
        private final Deque<ShownRecord> waiting = new ArrayDeque<>();

        Lane(PartitionReading partition, long from, long to) {
            this.partition = partition;
            this.from = from;
            this.to = to;
        }

        boolean isRead() {
            return from >= to;
        }

        /** Reads the next window; of a backward search, the one before. */
        void readOn(int window) {
            long begin = isBackward ? Math.max(from, to - window) : from;
            long end = isBackward ? to : Math.min(to, from + window);
            List<ShownRecord> matches = new ArrayList<>();
            long reached = partition.read(begin, end, batch -> {
                collect(batch, begin, end, matches);
                return isBackward || !isUsedUp();
            });
            if (isBackward) {
                Collections.reverse(matches);
                to = begin;
            } else {
                from = Math.min(reached, end);
            }
            waiting.addAll(matches);
        }

        private void collect(RecordBatch batch, long begin, long end, List<ShownRecord> matches) {
            RecordReader.readWithHeaders(batch, (offset, timestamp, key, value, headers) -> {
                if (offset >= begin && offset < end) {
                    scanned++;
                    if (filter.isEmpty() || (!batch.isControl() && filter.finds(key, value, headers))) {
                        matches.add(ShownRecord.of(
                                partition.number(),
                                batch,
                                offset,
                                timestamp,
                                key,
                                value,
                                headers,
                                mostBytes,
                                isHidden));
                    }
                }
                return offset < end;
            });
        }

        /** Where to go on: before or behind what was taken. */
        long next() {
            if (waiting.isEmpty()) {
                return isBackward ? to : from;
            }
            return isBackward
                    ? waiting.getFirst().offset() + 1
                    : waiting.getFirst().offset();
        }
    }

    /** Reads these offsets of the partition too. */
    void add(PartitionReading partition, long from, long to) {
        lanes.put(partition.number(), new Lane(partition, from, to));
    }

    /** How the search has ended. */
    enum End {
        LIMIT,
        END,
        BUDGET,
        TIME
    }

    End run() {
        int window = Math.max(SMALLEST_WINDOW, limit);
        while (true) {
            for (Lane lane : lanes.values()) {
                if (lane.waiting.isEmpty() && !lane.isRead() && !isUsedUp()) {
                    readOn(lane, window);
                }
            }
            take();
            if (found.size() >= limit) {
                return isEverythingTaken() ? End.END : End.LIMIT;
            } else if (isEverythingTaken()) {
                return End.END;
            } else if (isUsedUp()) {
                takeAll();
                return found.size() >= limit ? End.LIMIT : scanned >= budget ? End.BUDGET : End.TIME;
            }
            window = Math.min(LARGEST_WINDOW, window * 2);
        }
    }

    /** A partition that cannot be read any more is left, and the others are searched. */
    private void readOn(Lane lane, int window) {
        try {
            lane.readOn(window);
        } catch (FeliceException unreadable) {
            unreadable(lane.partition.number(), unreadable.getMessage());
            lane.to = lane.from;
        }
    }

    void unreadable(int partition, String sentence) {
        problems.add(new Unread(partition, sentence, null));
    }

    void elsewhere(int partition, int broker) {
        problems.add(new Unread(
                partition,
                "The partition has no replica on this node. See the console of broker " + broker + ".",
                broker));
    }

    List<Unread> problems() {
        return problems;
    }

    private boolean isUsedUp() {
        return scanned >= budget || System.nanoTime() - deadline > 0;
    }

    private boolean isEverythingTaken() {
        return lanes.values().stream().allMatch(lane -> lane.isRead() && lane.waiting.isEmpty());
    }

    /** Takes records as long as it is known which one is next: every partition has one, or has no more. */
    private void take() {
        while (found.size() < limit
                && lanes.values().stream().allMatch(lane -> lane.isRead() || !lane.waiting.isEmpty())) {
            if (!takeNext()) {
                return;
            }
        }
    }

    private void takeAll() {
        while (found.size() < limit && takeNext()) {
            continue;
        }
    }

    private boolean takeNext() {
        Comparator<Lane> order =
                Comparator.comparing(lane -> lane.waiting.getFirst().timestamp());
        PriorityQueue<Lane> next = new PriorityQueue<>(isBackward ? order.reversed() : order);
        lanes.values().stream().filter(lane -> !lane.waiting.isEmpty()).forEach(next::add);
        if (next.isEmpty()) {
            return false;
        }
        found.add(next.poll().waiting.removeFirst());
        return true;
    }

    List<ShownRecord> found() {
        return found;
    }

    int scanned() {
        return scanned;
    }

    /** By partition: the offset to go on from; of a backward search, the offset to go on below. */
    Map<Integer, Long> next() {
        Map<Integer, Long> next = new TreeMap<>();
        lanes.forEach((number, lane) -> next.put(number, lane.next()));
        return next;
    }
}
