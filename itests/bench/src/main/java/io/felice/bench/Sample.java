package io.felice.bench;

import java.util.Arrays;

/**
 * One measurement of one row on one broker.
 *
 * @param value in the row's unit
 * @param cpuMicros processor time of the broker per operation (a record, or a request for rows of single requests),
 *     microseconds; NaN where it means nothing
 */
record Sample(double value, double cpuMicros) {

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
