package io.felice.broker.partition;

import static io.felice.api.ErrorCode.CORRUPT_MESSAGE;

import io.felice.api.TopicPartition;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The ranges of a log in which {@link Scrub} found no sound batches. Reads that begin in such a range are refused, and
 * reads that begin before it end where it begins. Any thread.
 */
public final class Damages {
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

        private boolean isWithin(long start, long end) {
            return from >= start && to <= end;
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
        keep(before);
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
        List<Damage> changed = new ArrayList<>(known);
        changed.removeIf(damage -> damage.isWithin(start, end));
        changed.addAll(damages);
        keep(changed);
        return true;
    }

    synchronized void truncatedTo(long end) {
        truncations++;
        List<Damage> changed = new ArrayList<>(known);
        changed.removeIf(damage -> damage.from() >= end);
        keep(changed);
    }

    synchronized void trimmedTo(long start) {
        List<Damage> changed = new ArrayList<>(known);
        changed.removeIf(damage -> damage.to() <= start);
        keep(changed);
    }

    private void keep(List<Damage> damages) {
        known = damages.stream().sorted(Comparator.comparingLong(Damage::from)).toList();
    }
}
