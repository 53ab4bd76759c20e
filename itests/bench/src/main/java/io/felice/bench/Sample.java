package io.felice.bench;

import java.util.Arrays;

/**
 * One measurement of one row on one broker.
 *
 * @param value in the row's unit
 * @param cpuMicros the broker's processor time per operation, in microseconds, without the JIT compiler; an
 *     operation is a record, or a request in rows of single requests
 * @param userMicros the part of {@code cpuMicros} in user mode
 * @param compiledMicros {@code cpuMicros} with the JIT compiler
 * @param batchBytes the average size of the producer's batches as they were sent; NaN in rows without a producer of
 *     batches
 */
record Sample(double value, double cpuMicros, double userMicros, double compiledMicros, double batchBytes) {
    private static final double MICROS = 1e6;

    /** A measurement with the processor time that {@code operations} operations took. */
    static Sample of(double value, BenchedBroker.Cpu spent, double operations) {
        double micros = MICROS / operations;
        double own = spent.user() + spent.system();
        return new Sample(value, own * micros, spent.user() * micros, (own + spent.compiler()) * micros, Double.NaN);
    }

    /** The same measurement with the average size of its batches. */
    Sample inBatchesOf(double bytes) {
        return new Sample(value, cpuMicros, userMicros, compiledMicros, bytes);
    }

    static double median(double... values) {
        double[] sorted =
                Arrays.stream(values).filter(v -> !Double.isNaN(v)).sorted().toArray();
        if (sorted.length == 0) {
            return Double.NaN;
        }
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
