package io.felice.bench;

/**
 * Something that is measured alike on every broker.
 *
 * @param name as it stands in the report
 * @param unit of the value
 * @param largerIsBetter which way the value should go
 */
record Row(String name, String unit, boolean largerIsBetter, Measurement measurement) {

    /** Measures once. */
    @FunctionalInterface
    interface Measurement {
        Sample measure(Broker broker, int round) throws Exception;
    }
}
