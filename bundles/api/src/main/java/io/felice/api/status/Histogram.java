package io.felice.api.status;

import java.util.List;
import java.util.Locale;

/**
 * How many values lay in which range.
 *
 * @param bounds the upper bounds of the ranges, ascending, in the unit of the column; a value that equals a bound
 *     belongs to the range that ends there
 * @param counts how many values lay in each range; one more than bounds, for the values above the last bound
 * @param sum the sum of all values, in the unit of the column
 */
public record Histogram(List<Double> bounds, List<Long> counts, double sum) {
    public Histogram {
        bounds = List.copyOf(bounds);
        counts = List.copyOf(counts);
        if (counts.size() != bounds.size() + 1) {
            throw new IllegalArgumentException(bounds.size() + " bounds, but " + counts.size() + " ranges");
        }
        for (int i = 1; i < bounds.size(); i++) {
            if (bounds.get(i) <= bounds.get(i - 1)) {
                throw new IllegalArgumentException("the bounds do not ascend: " + bounds);
            }
        }
    }

    /** The number of all values. */
    public long count() {
        return counts.stream().mapToLong(Long::longValue).sum();
    }

    /**
     * The upper bound of the range that has the value below which this part of all values lies.
     *
     * @param part from 0 to 1, for example 0.99
     * @return 0 if there is no value; infinity if the value lies above the last bound
     */
    public double quantile(double part) {
        long rank = (long) Math.ceil(part * count());
        long below = 0;
        for (int i = 0; i < bounds.size(); i++) {
            below += counts.get(i);
            if (below >= rank) {
                return count() == 0 ? 0 : bounds.get(i);
            }
        }
        return Double.POSITIVE_INFINITY;
    }

    /** For people: the median and the 99th percentile. */
    @Override
    public String toString() {
        return count() == 0 ? "-" : "p50 " + upTo(quantile(0.5)) + ", p99 " + upTo(quantile(0.99));
    }

    private String upTo(double bound) {
        return bound == Double.POSITIVE_INFINITY ? "> " + plain(bounds.get(bounds.size() - 1)) : "<= " + plain(bound);
    }

    private static String plain(double bound) {
        return bound == Math.rint(bound) ? Long.toString((long) bound) : String.format(Locale.ROOT, "%.3g", bound);
    }
}
