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
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Defaults, and what the cluster has set beyond them. */
final class FakeConfigs implements Configs {
    private final FakeCluster cluster;
    private final Map<String, String> broker = new HashMap<>();

    FakeConfigs(FakeCluster cluster) {
        this.cluster = cluster;
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
        Map<String, String> set = cluster.view().configs(resource);
        List<ConfigEntry> entries = new ArrayList<>();
        for (ConfigKey key : keys(resource).values()) {
            List<ConfigEntry.Synonym> synonyms = new ArrayList<>();
            String own = set.get(key.name());
            if (own != null) {
                synonyms.add(new ConfigEntry.Synonym(key.name(), own, dynamic));
            }
            String name = Objects.requireNonNullElse(key.brokerKey(), key.name());
            synonyms.add(new ConfigEntry.Synonym(name, key.defaultValue(), Source.DEFAULT));
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

    private static Map<String, ConfigKey> keys(ConfigResource resource) {
        return resource.type() == ConfigResource.Type.TOPIC ? TopicConfig.KEYS : BrokerConfig.KEYS;
    }
}
