package io.felice.broker.partition;

import static io.felice.api.ErrorCode.CORRUPT_MESSAGE;

import io.felice.api.TopicPartition;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The ranges of a log in which {@link Scrub} found no sound batches. Reads that begin in such a range are refused, and
 * reads that begin before it end where it begins. A log that has more than {@link #MOST} of them loses the sound batches
 * between the closest ones too. Any thread.
 */
public final class Damages {
    static final int MOST = 1_000;

    /**
     * Offsets that cannot be read.
     *
     * @param from the first one
     * @param to the first sound offset after them
     * @param what what is wrong there
     * @param foundAtMs when it was found, in milliseconds since the epoch
     */
    public record Damage(long from, long to, String what, long foundAtMs) {
        public Damage {
            if (from >= to) {
                throw new IllegalArgumentException("damage from " + from + " to " + to);
            }
        }

        /** What is left without the offsets from {@code start} up to {@code end}. */
        private Stream<Damage> without(long start, long end) {
            Stream<Damage> below = from < start ? Stream.of(with(from, Math.min(to, start))) : Stream.empty();
            Stream<Damage> above = to > end ? Stream.of(with(Math.max(from, end), to)) : Stream.empty();
            return Stream.concat(below, above);
        }

        private Damage with(long newFrom, long newTo) {
            return new Damage(newFrom, newTo, what, foundAtMs);
        }

        private boolean isAs(Damage other) {
            return from == other.from && to == other.to && what.equals(other.what);
        }

        @Override
        public String toString() {
            return "offsets " + from + ".." + (to - 1) + ": " + what;
        }
    }

    private final TopicPartition partition;
    /** In order of their offsets. */
    private volatile List<Damage> known = List.of();

    /** How often the log was truncated: what was read before the last time may be gone. */
    private int truncations;

    Damages(TopicPartition partition) {
        this.partition = partition;
    }

    public List<Damage> all() {
        return known;
    }

    synchronized void load(List<Damage> before) {
        keep(before.stream());
    }

    /**
     * Up to where a read may go.
     *
     * @throws io.felice.api.FeliceException CORRUPT_MESSAGE if {@code from} is damaged
     */
    long limitOf(long from, long limit) {
        List<Damage> now = known;
        if (now.isEmpty()) {
            return limit;
        }
        for (Damage damage : now) {
            if (damage.to() > from) {
                if (damage.from() <= from) {
                    throw CORRUPT_MESSAGE.because(partition + " cannot be read at offset " + from + ": " + damage
                            + ". The next offset that can be read is " + damage.to());
                }
                return Math.min(limit, damage.from());
            }
        }
        return limit;
    }

    synchronized int truncations() {
        return truncations;
    }

    /**
     * Notes what was found when the offsets from {@code start} up to {@code end} were read.
     *
     * @param truncationsBefore {@link #truncations} before they were read
     * @return false, with nothing noted, if the log was truncated meanwhile
     */
    synchronized boolean found(long start, long end, List<Damage> damages, int truncationsBefore) {
        if (truncations != truncationsBefore) {
            return false;
        }
        List<Damage> before = known;
        Stream<Damage> seen = damages.stream()
                .map(damage -> before.stream().filter(damage::isAs).findFirst().orElse(damage));
        keep(Stream.concat(without(start, end), seen));
        return true;
    }

    synchronized void truncatedTo(long end) {
        truncations++;
        keep(without(end, Long.MAX_VALUE));
    }

    synchronized void trimmedTo(long start) {
        keep(without(Long.MIN_VALUE, start));
    }

    private Stream<Damage> without(long start, long end) {
        return known.stream().flatMap(damage -> damage.without(start, end));
    }

    private void keep(Stream<Damage> damages) {
        List<Damage> sorted =
                damages.sorted(Comparator.comparingLong(Damage::from)).toList();
        Set<Integer> tooMany = tooMany(sorted);
        List<Damage> joined = new ArrayList<>();
        for (int i = 0; i < sorted.size(); i++) {
            Damage damage = sorted.get(i);
            Damage before = joined.isEmpty() ? null : joined.get(joined.size() - 1);
            if (before != null && (damage.from() <= before.to() || tooMany.contains(i))) {
                joined.set(joined.size() - 1, before.with(before.from(), Math.max(before.to(), damage.to())));
            } else {
                joined.add(damage);
            }
        }
        known = List.copyOf(joined);
    }

    /** Which damages are joined with the one before, because there are more than {@link #MOST}. */
    private static Set<Integer> tooMany(List<Damage> sorted) {
        return IntStream.range(1, sorted.size())
                .boxed()
                .sorted(Comparator.comparingLong(
                        i -> sorted.get(i).from() - sorted.get(i - 1).to()))
                .limit(Math.max(0, sorted.size() - MOST))
                .collect(Collectors.toSet());
    }
}
