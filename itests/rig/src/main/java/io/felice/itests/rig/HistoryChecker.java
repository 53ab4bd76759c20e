package io.felice.itests.rig;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.common.TopicPartition;

/**
 * Compares what clients see of a broker with what they were promised: acknowledged records, records that a consumer has
 * read, and offsets that never go back. A contradiction is a {@link Violation}. A consumer is a promise too, because it
 * only gets records that are committed.
 *
 * <p>Threads: any, one at a time for each partition.
 */
public final class HistoryChecker {
    /** The violations that are kept as text; the others are counted. */
    private static final int MOST_TEXTS = 50;

    /** What a violation is about. */
    public enum Kind {
        /** An acknowledged record, or one that a consumer has read, is not there. */
        LOST,
        /** A record of an idempotent producer is there twice. */
        DOUBLED,
        /** Records of a producer are in another order than it sent them to the partition. */
        REORDERED,
        /** A record is there that nobody sent. */
        PHANTOM,
        /** An offset is lower than before. */
        WENT_BACK,
        /** A compacted partition does not have the latest record of a key. */
        LATEST_LACKING
    }

    public record Violation(Kind kind, String text) {
        @Override
        public String toString() {
            return kind + ": " + text;
        }
    }

    /**
     * What may remove records of a topic.
     *
     * @param leastKept retention leaves at least so many offsets; {@link #NO_RETENTION} if there is none
     */
    record Cleanup(boolean compacts, long leastKept) {
        static final long NO_RETENTION = Long.MAX_VALUE;

        static final Cleanup NONE = new Cleanup(false, NO_RETENTION);
        static final Cleanup COMPACT = new Cleanup(true, NO_RETENTION);

        static Cleanup delete(long leastKept) {
            return new Cleanup(false, leastKept);
        }

        static Cleanup compactAndDelete(long leastKept) {
            return new Cleanup(true, leastKept);
        }
    }

    /** @param idempotent true if the broker must recognise a repeated record of this producer */
    record Writer(String name, boolean idempotent) {}

    /**
     * A record as its producer sends it.
     *
     * @param number counts the records of this producer to this partition
     * @param value null for a tombstone
     */
    record Message(Writer writer, long number, String key, String value) {
        String id() {
            return writer.name() + "/" + number;
        }
    }

    /**
     * A record as a consumer gets it.
     *
     * @param id {@link Message#id()} of the record that it claims to be
     */
    record Sighting(long offset, String id, String key, String value) {}

    private final Map<String, Cleanup> topics;
    private final Map<TopicPartition, Contents> partitions = new ConcurrentHashMap<>();
    private final Map<String, Long> floors = new ConcurrentHashMap<>();
    private final Map<Kind, Long> counts = new EnumMap<>(Kind.class);
    private final List<Violation> violations = new ArrayList<>();

    HistoryChecker(Map<String, Cleanup> topics) {
        this.topics = Map.copyOf(topics);
    }

    // ---- what clients do

    /** The message is about to be sent to this partition. */
    void sending(TopicPartition partition, Message message) {
        contents(partition).sending(message);
    }

    /** @param offset -1 if the broker does not remember the offset, which it may answer to a repeated record */
    void acknowledged(TopicPartition partition, Message message, long offset) {
        contents(partition).acknowledged(message, offset);
    }

    /** A consumer that goes on with its group's committed offsets got this record. */
    void read(TopicPartition partition, Sighting sighting) {
        contents(partition).read(sighting);
    }

    // ---- offsets that never go back

    static String endOf(TopicPartition partition) {
        return "log end offset of " + partition;
    }

    static String startOf(TopicPartition partition) {
        return "log start offset of " + partition;
    }

    static String committedBy(String group, TopicPartition partition) {
        return "offset of group " + group + " for " + partition;
    }

    /** The lowest value that an answer to a question asked now may have; -1 if nothing is known. */
    long floor(String offset) {
        return floors.getOrDefault(offset, -1L);
    }

    /** From now on the offset is at least {@code value}. */
    void reached(String offset, long value) {
        floors.merge(offset, value, Math::max);
    }

    /** @param floor {@link #floor} before the question was asked */
    void answered(String offset, long floor, long value) {
        if (value < floor) {
            report(Kind.WENT_BACK, "the " + offset + " is " + value + " and was " + floor);
        }
        reached(offset, value);
    }

    // ---- what is there

    /**
     * Checks the records of a partition. Nobody may send while they are read, and all that was sent is acknowledged or
     * has failed. Retention and compaction may go on.
     *
     * @param from the offset where reading began; of a compacted topic the log start offset
     * @param start the log start offset after reading
     * @param end the log end offset
     * @param sightings all records from {@code from} to {@code end} in the order in which they came
     */
    void scanned(TopicPartition partition, long from, long start, long end, List<Sighting> sightings) {
        contents(partition).scanned(from, start, end, sightings);
    }

    /** The group of the readers is at the end of the partition: without retention and compaction it has read all. */
    void readToTheEnd(TopicPartition partition) {
        contents(partition).mustHaveBeenRead();
    }

    // ---- the outcome

    /** The first violations. */
    public synchronized List<Violation> violations() {
        return List.copyOf(violations);
    }

    public synchronized long count(Kind kind) {
        return counts.getOrDefault(kind, 0L);
    }

    /** @param removed records that were there and that the last whole scan did not find */
    public record Totals(long sent, long acknowledged, long read, long removed) {
        static final Totals NONE = new Totals(0, 0, 0, 0);

        Totals plus(Totals other) {
            return new Totals(
                    sent + other.sent, acknowledged + other.acknowledged, read + other.read, removed + other.removed);
        }
    }

    Totals totals(TopicPartition partition) {
        return contents(partition).totals();
    }

    private Contents contents(TopicPartition partition) {
        return partitions.computeIfAbsent(partition, Contents::new);
    }

    private synchronized void report(Kind kind, String text) {
        counts.merge(kind, 1L, Long::sum);
        if (violations.size() < MOST_TEXTS) {
            violations.add(new Violation(kind, text));
        }
    }

    /** A message and what is known of it. */
    private static final class Known {
        private final Message message;
        private boolean acknowledged;
        private boolean read;
        /** -1 if unknown. */
        private long acknowledgedAt = -1;
        /** Where it was first acknowledged or seen; -1 if unknown. */
        private long offset = -1;

        Known(Message message) {
            this.message = message;
        }

        boolean is(Sighting sighting) {
            return message.key().equals(sighting.key()) && Objects.equals(message.value(), sighting.value());
        }

        boolean isIdempotent() {
            return message.writer().idempotent();
        }

        boolean isTombstone() {
            return message.value() == null;
        }

        /** The offset that counts for the order. Repeated records of a producer that is not idempotent do not. */
        boolean counts(long seenAt) {
            return seenAt == (isIdempotent() ? offset : acknowledgedAt);
        }

        @Override
        public String toString() {
            return message.id() + " (key " + message.key() + (isTombstone() ? ", tombstone)" : ")");
        }
    }

    /** All that is known of a partition's records. */
    private final class Contents {
        private final TopicPartition partition;
        private final Cleanup cleanup;
        private final Map<String, Known> sent = new HashMap<>();
        private final TreeMap<Long, Known> byOffset = new TreeMap<>();
        private final Map<String, Long> latestOfKeys = new HashMap<>();
        /** Acknowledged, offset unknown. */
        private final Set<Known> unplaced = new LinkedHashSet<>();

        private long removed;

        Contents(TopicPartition partition) {
            this.partition = partition;
            this.cleanup = topics.get(partition.topic());
        }

        synchronized void sending(Message message) {
            sent.put(message.id(), new Known(message));
        }

        synchronized void acknowledged(Message message, long offset) {
            Known known = sent.get(message.id());
            known.acknowledged = true;
            if (offset >= 0) {
                known.acknowledgedAt = offset;
                place(known, offset);
            } else if (known.offset < 0) {
                unplaced.add(known);
            }
        }

        synchronized void read(Sighting sighting) {
            Known known = recognised(sighting);
            if (known != null) {
                known.read = true;
            }
        }

        /** Null if nobody sent it. */
        private Known recognised(Sighting sighting) {
            Known known = sent.get(sighting.id());
            if (known == null || !known.is(sighting)) {
                report(Kind.PHANTOM, partition + " has " + sighting + (known == null ? "" : ", sent was " + known));
                return null;
            }
            place(known, sighting.offset());
            return known;
        }

        private void place(Known known, long offset) {
            Known before = byOffset.put(offset, known);
            if (before == known) {
                return;
            }
            if (before != null) {
                report(
                        Kind.LOST,
                        before + " was at offset " + offset + " of " + partition + ", where " + known + " is");
            }
            if (known.offset >= 0 && known.isIdempotent()) {
                report(Kind.DOUBLED, known + " is at offsets " + known.offset + " and " + offset + " of " + partition);
            }
            if (known.offset < 0) {
                known.offset = offset;
                unplaced.remove(known);
            }
            latestOfKeys.merge(known.message.key(), offset, Math::max);
            reached(endOf(partition), offset + 1);
        }

        synchronized void scanned(long from, long start, long end, List<Sighting> sightings) {
            answered(startOf(partition), floor(startOf(partition)), start);
            answered(endOf(partition), floor(endOf(partition)), end);
            Map<Long, Known> found = inOrder(sightings);
            long least = cleanup.leastKept() == Cleanup.NO_RETENTION ? 0 : start;
            if (least > Math.max(0, end - cleanup.leastKept())) {
                report(
                        Kind.LOST,
                        partition + " begins at " + start + " and ends at " + end + ": retention went too far");
            }
            boolean isWhole = from <= start;
            if (cleanup.compacts()) {
                mustHaveLatest(least, found);
            } else {
                mustHaveAll(Math.max(from, least), found);
            }
            if (isWhole) {
                mustHaveUnplaced(least, found);
                removed = byOffset.size() - found.size();
            }
        }

        private Map<Long, Known> inOrder(List<Sighting> sightings) {
            Map<Long, Known> found = new HashMap<>();
            Map<Writer, Known> last = new HashMap<>();
            long previous = -1;
            for (Sighting sighting : sightings) {
                if (sighting.offset() <= previous) {
                    report(Kind.REORDERED, "offset " + sighting.offset() + " of " + partition + " follows " + previous);
                }
                previous = sighting.offset();
                Known known = recognised(sighting);
                if (known != null) {
                    found.put(previous, known);
                    if (known.counts(previous)) {
                        mustFollow(last.put(known.message.writer(), known), known);
                    }
                }
            }
            return found;
        }

        private void mustFollow(Known before, Known known) {
            if (before != null && before.message.number() >= known.message.number()) {
                report(Kind.REORDERED, known + " follows " + before + " in " + partition);
            }
        }

        private void mustHaveAll(long from, Map<Long, Known> found) {
            byOffset.tailMap(from).forEach((offset, known) -> {
                if (!found.containsKey(offset)) {
                    report(Kind.LOST, known + " is not at offset " + offset + " of " + partition);
                }
            });
        }

        /** A tombstone may be gone, but then so must be the records before it. */
        private void mustHaveLatest(long least, Map<Long, Known> found) {
            Map<String, Long> there = latestOf(found);
            latestOfKeys.forEach((key, offset) -> {
                Known known = byOffset.get(offset);
                Long last = there.get(key);
                boolean isLacking = last == null ? !known.isTombstone() : last < offset;
                if (isLacking && offset >= least) {
                    report(
                            Kind.LATEST_LACKING,
                            known + " is not at offset " + offset + " of " + partition + "; the latest of its key is "
                                    + (last == null ? "nowhere" : byOffset.get(last) + " at offset " + last));
                }
            });
        }

        private void mustHaveUnplaced(long least, Map<Long, Known> found) {
            Map<String, Long> there = latestOf(found);
            for (Known known : unplaced) {
                long after = offsetBefore(known);
                boolean mayBeRemoved = after < least
                        || cleanup.compacts()
                                && (known.isTombstone() || there.getOrDefault(known.message.key(), -1L) > after);
                if (!mayBeRemoved) {
                    report(
                            cleanup.compacts() ? Kind.LATEST_LACKING : Kind.LOST,
                            known + " is not behind offset " + after + " of " + partition);
                }
            }
        }

        private static Map<String, Long> latestOf(Map<Long, Known> found) {
            Map<String, Long> latest = new HashMap<>();
            found.forEach((offset, known) -> latest.merge(known.message.key(), offset, Math::max));
            return latest;
        }

        /** The offset of the nearest earlier record of the same producer; the log start offset is at least 0. */
        private long offsetBefore(Known known) {
            Writer writer = known.message.writer();
            for (long number = known.message.number() - 1; number >= 0; number--) {
                Known earlier = sent.get(new Message(writer, number, "", null).id());
                if (earlier != null && earlier.offset >= 0) {
                    return earlier.offset;
                }
            }
            return 0;
        }

        synchronized void mustHaveBeenRead() {
            byOffset.forEach((offset, known) -> {
                if (!known.read) {
                    report(Kind.LOST, known + " at offset " + offset + " of " + partition + " was never read");
                }
            });
        }

        synchronized Totals totals() {
            return new Totals(
                    sent.size(),
                    sent.values().stream().filter(known -> known.acknowledged).count(),
                    sent.values().stream().filter(known -> known.read).count(),
                    removed);
        }
    }
}
