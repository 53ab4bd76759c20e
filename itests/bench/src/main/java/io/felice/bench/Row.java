package io.felice.bench;

/**
 * A measurement that is made in the same way on every broker.
 *
 * @param name the name in the report
 * @param unit the unit of the value
 */
record Row(String name, String unit, Measurement measurement) {

    @FunctionalInterface
    interface Measurement {
        Sample measure(BenchedBroker broker) throws Exception;
    }
}
