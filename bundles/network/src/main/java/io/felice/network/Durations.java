package io.felice.network;

import io.felice.api.status.Histogram;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLongArray;

/** How long requests took, by ranges. One thread writes and any thread reads. */
final class Durations {
    private static final List<Double> BOUNDS_MS =
            List.of(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1_000.0, 5_000.0, 30_000.0);
    private static final long[] BOUNDS =
            BOUNDS_MS.stream().mapToLong(ms -> (long) (ms * 1e6)).toArray();

    private final AtomicLongArray counts = new AtomicLongArray(BOUNDS.length + 1);
    private final Counter nanos = new Counter();

    void add(long duration) {
        int range = 0;
        while (range < BOUNDS.length && duration > BOUNDS[range]) {
            range++;
        }
        counts.lazySet(range, counts.getPlain(range) + 1);
        nanos.add(duration);
    }

    static Histogram sum(List<Durations> all) {
        List<Long> counts = new ArrayList<>();
        for (int range = 0; range <= BOUNDS.length; range++) {
            int here = range;
            counts.add(all.stream().mapToLong(one -> one.counts.get(here)).sum());
        }
        return new Histogram(
                BOUNDS_MS,
                counts,
                all.stream().mapToLong(one -> one.nanos.get()).sum() / 1e6);
    }
}
