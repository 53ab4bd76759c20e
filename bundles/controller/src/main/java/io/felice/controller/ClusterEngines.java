package io.felice.controller;

import io.felice.api.ErrorCode;
import io.felice.api.cluster.ClusterView;
import io.felice.api.config.ConfigResource;
import io.felice.api.config.StoragePromise;
import io.felice.api.config.TopicConfig;
import io.felice.api.storage.EngineTrait;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Checks a topic's config against the storage engines that the live brokers have registered. If the topic does not name
 * its engine, only the brokers know which one it gets; then it is enough that one engine of the cluster can give what the
 * topic asks for, and the broker that got the request has checked the rest. Stateless.
 */
final class ClusterEngines {
    private ClusterEngines() {}

    /**
     * @param own the values that the topic would have set
     * @throws io.felice.api.FeliceException INVALID_CONFIG
     */
    static void check(ClusterView view, String topic, Map<String, String> own) {
        Map<String, Set<EngineTrait>> engines = of(view);
        if (engines.isEmpty()) {
            return;
        }
        String named = own.getOrDefault(TopicConfig.STORAGE_ENGINE, "");
        if (!named.isEmpty() && !engines.containsKey(named)) {
            throw ErrorCode.INVALID_CONFIG.because("There is no storage engine " + named + "; there are: "
                    + String.join(", ", engines.keySet()) + ".");
        }
        TopicConfig config = config(view, own);
        Map<String, Set<EngineTrait>> possible = named.isEmpty() ? engines : Map.of(named, engines.get(named));
        Optional<String> refusal = Optional.empty();
        for (Map.Entry<String, Set<EngineTrait>> engine : possible.entrySet()) {
            refusal = StoragePromise.refusal(topic, own, config, engine.getKey(), engine.getValue());
            if (refusal.isEmpty()) {
                return;
            }
        }
        throw ErrorCode.INVALID_CONFIG.because(refusal.orElseThrow());
    }

    /** The engines of all live brokers, each with the traits that it has on every broker. */
    private static Map<String, Set<EngineTrait>> of(ClusterView view) {
        Map<String, Set<EngineTrait>> engines = new TreeMap<>();
        view.brokers().values().forEach(broker -> broker.registration()
                .engines()
                .forEach((name, traits) -> engines.merge(name, traits, ClusterEngines::inBoth)));
        return engines;
    }

    private static Set<EngineTrait> inBoth(Set<EngineTrait> one, Set<EngineTrait> other) {
        return one.stream().filter(other::contains).collect(java.util.stream.Collectors.toUnmodifiableSet());
    }

    private static TopicConfig config(ClusterView view, Map<String, String> own) {
        Map<String, String> values = new HashMap<>();
        Map<String, String> defaults = view.configs(ConfigResource.allBrokers());
        TopicConfig.KEYS.forEach((name, key) -> {
            if (key.brokerKey() != null && defaults.containsKey(key.brokerKey())) {
                values.put(name, defaults.get(key.brokerKey()));
            }
        });
        values.putAll(own);
        return TopicConfig.with(values);
    }
}
