package io.felice.bench;

/**
 * Something that is measured alike on every broker.
 *
 * @param name as it stands in the report
 * @param unit of the value
 */
record Row(String name, String unit, Measurement measurement) {

    /** Measures once. */
    @FunctionalInterface
    interface Measurement {
        Sample measure(BenchedBroker broker) throws Exception;
    }
}
