package io.felice.bench;

import java.util.Arrays;

/**
 * One measurement of one row on one broker.
 *
 * @param value in the row's unit
 * @param cpuMicros processor time of the broker per operation (a record, or a request for rows of single requests),
 *     microseconds
 * @param userMicros the part of it outside the kernel
 * @param compiledMicros the same as cpuMicros with the Java machine's compiler
 * @param batchBytes what the producer's batches held on average, as they were sent; NaN for rows of anything else
 */
record Sample(double value, double cpuMicros, double userMicros, double compiledMicros, double batchBytes) {
    private static final double MICROS = 1e6;

    /** A measurement with what the broker spent on so many operations. */
    static Sample of(double value, BenchedBroker.Cpu spent, double operations) {
        double micros = MICROS / operations;
        double own = spent.user() + spent.system();
        return new Sample(value, own * micros, spent.user() * micros, (own + spent.compiler()) * micros, Double.NaN);
    }

    /** The same measurement, of batches of so many bytes. */
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
