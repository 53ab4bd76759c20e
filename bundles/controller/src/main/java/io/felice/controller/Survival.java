package io.felice.controller;

import io.felice.api.cluster.BrokerRegistration;
import io.felice.api.storage.EngineTrait;
import java.util.Map;
import java.util.Set;

/** Whether the acknowledged records of a replica are still there after a restart of its broker. Stateless. */
final class Survival {
    private Survival() {}

    /** @param configs with the broker's new registration */
    static boolean of(ClusterConfigs configs, int brokerId, String topic) {
        BrokerRegistration broker = configs.view()
                .lastRegistration(brokerId)
                .orElseThrow(() -> new IllegalStateException("broker " + brokerId + " was never registered"));
        Set<EngineTrait> traits = traits(broker.engines(), configs.engineOf(topic));
        return switch (broker.lastEnd()) {
            case REPLACED -> true;
            case STOPPED -> traits.contains(EngineTrait.SURVIVES_KILL);
            case KILLED -> traits.contains(EngineTrait.SURVIVES_KILL) && !configs.promisesNothing(topic);
            case POWER_LOST -> traits.contains(EngineTrait.SURVIVES_POWER_LOSS)
                    && configs.isFlushedBeforeItIsAcknowledged(topic);
        };
    }

    /** An engine that the broker has not named is not trusted, unless the broker names none at all. */
    private static Set<EngineTrait> traits(Map<String, Set<EngineTrait>> engines, String engine) {
        return engines.isEmpty() ? Set.of(EngineTrait.SURVIVES_KILL) : engines.getOrDefault(engine, Set.of());
    }
}
