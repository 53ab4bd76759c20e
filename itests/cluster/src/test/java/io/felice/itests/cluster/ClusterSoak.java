package io.felice.itests.cluster;

import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Mishaps follow each other in a running cluster, for {@code felice.minutes}. Run by {@code ./dev soak cluster}. */
class ClusterSoak {
    private static final int MINUTES = Integer.getInteger("felice.minutes", 10);

    @Test
    @Timeout(value = 24, unit = TimeUnit.HOURS)
    void whatClientsWerePromisedSurvivesAllMishaps() {
        Map<Mishap, Integer> counts = new EnumMap<>(Mishap.class);
        long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(MINUTES);
        try (ClusterUnderLoad loaded =
                new ClusterUnderLoad(System.getProperty("felice.engines", "log").split(","))) {
            try {
                while (System.nanoTime() < end) {
                    Mishap mishap = Mishap.values()[loaded.random().nextInt(Mishap.values().length)];
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
