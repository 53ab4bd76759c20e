package io.felice.controller;

import io.felice.api.ErrorCode;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.ClusterView.LiveBroker;
import io.felice.api.config.StoragePromise;
import io.felice.api.config.TopicConfig;
import io.felice.api.storage.EngineTrait;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** What the storage engines that the live brokers have registered can do for topics. Stateless. */
final class ClusterEngines {
    private ClusterEngines() {}

    /**
     * Checks that the engine of a topic can give what the topic's config asks for. If no broker has the engine yet, it is
     * enough that one engine can give it.
     *
     * @param own the values that the topic would have set
     * @throws io.felice.api.FeliceException INVALID_CONFIG
     */
    static void check(ClusterConfigs configs, String topic, String engine, Map<String, String> own) {
        Map<String, Set<EngineTrait>> engines = of(configs.view());
        if (engines.isEmpty()) {
            return;
        }
        boolean isNamed = engine.equals(own.get(TopicConfig.STORAGE_ENGINE));
        if (isNamed && !engines.containsKey(engine)) {
            throw ErrorCode.INVALID_CONFIG.because("There is no storage engine " + engine + "; there are: "
                    + String.join(", ", engines.keySet()) + ".");
        }
        TopicConfig config = config(configs, own);
        Map<String, Set<EngineTrait>> possible =
                engines.containsKey(engine) ? Map.of(engine, engines.get(engine)) : engines;
        Optional<String> refusal = Optional.empty();
        for (Map.Entry<String, Set<EngineTrait>> each : possible.entrySet()) {
            refusal = StoragePromise.refusal(topic, own, config, each.getKey(), each.getValue());
            if (refusal.isEmpty()) {
                return;
            }
        }
        throw ErrorCode.INVALID_CONFIG.because(refusal.orElseThrow());
    }

    /** True if the broker has the engine, does not say which ones it has, or no broker has it yet. */
    static boolean mayHave(ClusterView view, LiveBroker broker, String engine) {
        Map<String, Set<EngineTrait>> own = broker.registration().engines();
        return own.isEmpty()
                || own.containsKey(engine)
                || view.brokers().values().stream()
                        .noneMatch(other -> other.registration().engines().containsKey(engine));
    }

    /** The engines of all live brokers, each with the traits that it has on every broker that has it. */
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

    private static TopicConfig config(ClusterConfigs configs, Map<String, String> own) {
        Map<String, String> values = new HashMap<>();
        TopicConfig.KEYS.forEach((name, key) -> {
            if (key.brokerKey() != null) {
                values.put(name, configs.ofBrokers(key.brokerKey()));
            }
        });
        values.putAll(own);
        return TopicConfig.with(values);
    }
}
