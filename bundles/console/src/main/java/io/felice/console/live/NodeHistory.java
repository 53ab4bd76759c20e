package io.felice.console.live;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * The numbers of the last hour: each second of the last five minutes, and the mean of ten seconds before. Counters become
 * rates. One thread samples; any thread reads.
 */
public final class NodeHistory {
    private static final int SECONDS = 300;
    private static final int STEP = 10;
    private static final int STEPS = 360;

    private final Supplier<Map<String, Double>> counters;
    private final Supplier<Map<String, Double>> gauges;
    private final Ring fine = new Ring(SECONDS, 1);
    private final Ring coarse = new Ring(STEPS, STEP);
    private final Map<String, Double> before = new TreeMap<>();
    private final Map<String, Double> sum = new TreeMap<>();
    private final Map<String, Integer> count = new TreeMap<>();
    private long lastAt = -1;
    private volatile Map<String, Double> last = Map.of();

    /**
     * @param counters numbers that only grow, by name; a rate is what they grew by in a second
     * @param gauges numbers of the moment
     */
    public NodeHistory(Supplier<Map<String, Double>> counters, Supplier<Map<String, Double>> gauges) {
        this.counters = counters;
        this.gauges = gauges;
    }

    /** Values at equal distances; NaN where there is none. */
    private static final class Ring {
        final int size;
        final int step;
        final Map<String, double[]> series = new TreeMap<>();
        long newest = -1;

        Ring(int size, int step) {
            this.size = size;
            this.step = step;
        }

        void put(long second, Map<String, Double> values) {
            long slot = second / step;
            for (long passed = Math.max(newest + 1, slot - size + 1); passed <= slot; passed++) {
                int at = (int) (passed % size);
                series.values().forEach(each -> each[at] = Double.NaN);
            }
            values.forEach((name, value) -> series.computeIfAbsent(name, first -> {
                double[] empty = new double[size];
                Arrays.fill(empty, Double.NaN);
                return empty;
            })[(int) (slot % size)] = value);
            newest = slot;
        }
    }

    /** Called about once a second. */
    public synchronized Map<String, Double> sample(long millis) {
        long second = millis / 1_000;
        Map<String, Double> values = new TreeMap<>(gauges.get());
        Map<String, Double> now = counters.get();
        if (lastAt >= 0 && millis > lastAt) {
            double seconds = (millis - lastAt) / 1_000.0;
            now.forEach((name, total) -> {
                Double past = before.get(name);
                if (past != null && total >= past) {
                    values.put(name, (total - past) / seconds);
                }
            });
        }
        before.clear();
        before.putAll(now);
        lastAt = millis;
        fine.put(second, values);
        values.forEach((name, value) -> {
            sum.merge(name, value, Double::sum);
            count.merge(name, 1, Integer::sum);
        });
        if (second % STEP == STEP - 1 || second / STEP != coarse.newest && coarse.newest >= 0) {
            Map<String, Double> means = new TreeMap<>();
            sum.forEach((name, total) -> means.put(name, total / count.get(name)));
            coarse.put(second, means);
            sum.clear();
            count.clear();
        } else if (coarse.newest < 0) {
            coarse.newest = second / STEP - 1;
        }
        last = Map.copyOf(values);
        return last;
    }

    /** The newest value; null if there is none. */
    public Double last(String name) {
        return last.get(name);
    }

    /** Some series over the last minutes, as the API shows them. */
    public record Shown(List<String> names, int stepSeconds, List<Long> times, Map<String, List<Double>> series) {}

    public synchronized Shown shown(List<String> wanted, int minutes) {
        Ring ring = minutes * 60 <= SECONDS ? fine : coarse;
        int slots = Math.min(ring.size, minutes * 60 / ring.step);
        List<String> names = wanted.isEmpty() ? List.copyOf(ring.series.keySet()) : wanted;
        List<Long> times = new ArrayList<>();
        Map<String, List<Double>> series = new LinkedHashMap<>();
        names.forEach(name -> series.put(name, new ArrayList<>()));
        for (long slot = Math.max(0, ring.newest - slots + 1); slot <= ring.newest; slot++) {
            times.add(slot * ring.step);
            for (String name : names) {
                double[] values = ring.series.get(name);
                double value = values == null ? Double.NaN : values[(int) (slot % ring.size)];
                series.get(name).add(Double.isNaN(value) ? null : value);
            }
        }
        return new Shown(names, ring.step, times, series);
    }
}
