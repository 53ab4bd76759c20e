package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.config.BrokerConfig;
import io.felice.api.config.ConfigEntry;
import io.felice.api.config.ConfigEntry.Source;
import io.felice.api.config.ConfigKey;
import io.felice.api.config.ConfigResource;
import io.felice.api.config.Configs;
import io.felice.api.config.TopicConfig;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;

/** The default configs and those set in the view of the cluster. */
final class FakeConfigs implements Configs {
    private final FakeCluster cluster;
    private final Map<String, String> broker = new HashMap<>();
    private final Set<ConfigResource> refused = new HashSet<>();

    FakeConfigs(FakeCluster cluster) {
        this.cluster = cluster;
    }

    /** Makes every check of all values of {@code resource} together fail. */
    FakeConfigs refuse(ConfigResource resource) {
        refused.add(resource);
        return this;
    }

    FakeConfigs with(String key, String value) {
        broker.put(key, value);
        return this;
    }

    @Override
    public TopicConfig topic(String topic) {
        return TopicConfig.with(cluster.view().configs(ConfigResource.topic(topic)));
    }

    @Override
    public BrokerConfig broker() {
        return BrokerConfig.with(broker);
    }

    @Override
    public List<ConfigEntry> describe(ConfigResource resource) {
        boolean topic = resource.type() == ConfigResource.Type.TOPIC;
        Source dynamic = topic
                ? Source.DYNAMIC_TOPIC
                : resource.name().isEmpty() ? Source.DYNAMIC_DEFAULT_BROKER : Source.DYNAMIC_BROKER;
        return described(keys(resource), cluster.view().configs(resource), dynamic);
    }

    @Override
    public List<ConfigEntry> describeTopic(String topic, Map<String, String> own) {
        return described(TopicConfig.KEYS, own, Source.DYNAMIC_TOPIC);
    }

    private static List<ConfigEntry> described(Map<String, ConfigKey> keys, Map<String, String> set, Source dynamic) {
        List<ConfigEntry> entries = new ArrayList<>();
        Map<String, ConfigKey> all = new TreeMap<>(keys);
        if (keys == BrokerConfig.KEYS) {
            set.keySet().forEach(name -> all.put(name, BrokerConfig.key(name)));
        }
        for (ConfigKey key : all.values()) {
            List<ConfigEntry.Synonym> synonyms = new ArrayList<>();
            String own = set.get(key.name());
            if (own != null) {
                synonyms.add(new ConfigEntry.Synonym(key.name(), own, dynamic));
            }
            String name = Objects.requireNonNullElse(key.brokerKey(), key.name());
            if (key.defaultValue() != null) {
                synonyms.add(new ConfigEntry.Synonym(name, key.defaultValue(), Source.DEFAULT));
            }
            if (synonyms.isEmpty()) {
                continue;
            }
            entries.add(new ConfigEntry(
                    key, synonyms.get(0).value(), synonyms.get(0).source(), synonyms));
        }
        return entries;
    }

    @Override
    public void check(ConfigResource resource, String key, String value) {
        ConfigKey known = keys(resource).get(key);
        if (known == null) {
            throw ErrorCode.INVALID_CONFIG.because("Unknown configuration " + key);
        }
        known.check(value);
    }

    /**
     * Refuses {@code storage.durability=power} for a topic on the memory engine, which does not survive a power cut.
     */
    @Override
    public void check(ConfigResource resource, Map<String, String> values) {
        boolean inMemory = values.getOrDefault(TopicConfig.STORAGE_ENGINE, "").equals("memory");
        if (inMemory
                && values.getOrDefault(TopicConfig.STORAGE_DURABILITY, "kill").equals("power")) {
            throw ErrorCode.INVALID_CONFIG.because("What is in memory does not survive a power cut");
        }
        if (refused.contains(resource)) {
            throw ErrorCode.INVALID_CONFIG.because("The values of " + resource.name() + " do not go together");
        }
    }

    private static Map<String, ConfigKey> keys(ConfigResource resource) {
        return resource.type() == ConfigResource.Type.TOPIC ? TopicConfig.KEYS : BrokerConfig.KEYS;
    }
}
