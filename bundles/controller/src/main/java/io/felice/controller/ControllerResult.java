package io.felice.controller;

import io.felice.api.FeliceException;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.cluster.Outcome;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * What the controller decides about a request: the records to append to the metadata log as one change, and the outcome
 * of each item.
 *
 * @param records empty if nothing changes
 */
record ControllerResult<K, V>(List<MetadataRecord> records, Map<K, Outcome<V>> outcomes) {

    ControllerResult {
        records = List.copyOf(records);
        outcomes = Map.copyOf(outcomes);
    }

    /** A result without items, because no request asked for it. */
    static ControllerResult<Void, Void> of(List<MetadataRecord> records) {
        return new ControllerResult<>(records, Map.of());
    }

    /** The same outcomes with more records. */
    ControllerResult<K, V> and(List<MetadataRecord> more) {
        List<MetadataRecord> all = new ArrayList<>(records);
        all.addAll(more);
        return new ControllerResult<>(all, outcomes);
    }

    /**
     * Collects the outcomes item by item. An item that is refused adds no records; the other items are not affected.
     */
    static final class Draft<K, V> {
        private final List<MetadataRecord> records = new ArrayList<>();
        private final Map<K, Outcome<V>> outcomes = new LinkedHashMap<>();

        /** Decides one item. {@code step} adds its records to the list that it gets. */
        void item(K key, Step<V> step) {
            List<MetadataRecord> ofItem = new ArrayList<>();
            try {
                V value = step.decide(ofItem);
                outcomes.put(key, Outcome.of(value));
                records.addAll(ofItem);
            } catch (FeliceException refused) {
                outcomes.put(key, Outcome.failed(refused));
            }
        }

        ControllerResult<K, V> done(boolean validateOnly) {
            return new ControllerResult<>(validateOnly ? List.of() : records, outcomes);
        }

        ControllerResult<K, V> done() {
            return done(false);
        }

        static <K, V> ControllerResult<K, V> refused(Iterable<K> keys, Supplier<FeliceException> because) {
            Draft<K, V> draft = new Draft<>();
            keys.forEach(key -> draft.item(key, records -> {
                throw because.get();
            }));
            return draft.done();
        }
    }

    /** Decides one item. */
    interface Step<V> {
        /**
         * @return the item's value
         * @throws FeliceException if the item is refused
         */
        V decide(List<MetadataRecord> records);
    }
}
