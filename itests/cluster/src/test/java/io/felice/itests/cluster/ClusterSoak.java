package io.felice.itests.cluster;

import io.felice.itests.rig.ClusterOfProcesses.Shape;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Mishaps follow each other in a running cluster, for {@code felice.minutes}. Run by {@code ./dev soak cluster}. */
class ClusterSoak {
    private static final int MINUTES = Integer.getInteger("felice.minutes", 10);
    private static final int BROKERS = Integer.getInteger("felice.brokers", 5);
    private static final int SMALL_DISK_MB = 768;

    @Test
    @Timeout(value = 24, unit = TimeUnit.HOURS)
    void whatClientsWerePromisedSurvivesAllMishaps() {
        Map<Mishap, Integer> counts = new EnumMap<>(Mishap.class);
        long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(MINUTES);
        try (ClusterUnderLoad loaded = new ClusterUnderLoad(
                new Shape(BROKERS, 3, true, SMALL_DISK_MB),
                System.getProperty("felice.engines", "log").split(","))) {
            List<Mishap> possible = Arrays.stream(Mishap.values())
                    .filter(mishap -> mishap.isPossible(loaded.cluster()))
                    .toList();
            try {
                while (System.nanoTime() < end) {
                    Mishap mishap = possible.get(loaded.random().nextInt(possible.size()));
                    loaded.after(mishap);
                    counts.merge(mishap, 1, Integer::sum);
                }
                loaded.compareAll();
            } finally {
                System.out.println(counts);
            }
        }
    }
}
