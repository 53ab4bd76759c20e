package io.felice.controller;

import io.felice.api.ErrorCode;
import io.felice.api.cluster.Admin.ConfigChange;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.config.BrokerConfig;
import io.felice.api.config.ConfigKey;
import io.felice.api.config.ConfigResource;
import io.felice.api.config.TopicConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Decides about changes of dynamic configs: checks that the key is known and dynamic, and that the value is legal.
 * Stateless.
 */
final class DynamicConfigs {
    static final int MAX_VALUE_LENGTH = 32_767;
    static final int MAX_NAME_LENGTH = 1_000;
    private static final Set<String> OF_ENGINES = Set.of(
            TopicConfig.STORAGE_ENGINE,
            TopicConfig.STORAGE_DURABILITY,
            TopicConfig.FLUSH_MESSAGES,
            TopicConfig.CLEANUP_POLICY);

    private static final Set<String> OF_ELECTIONS =
            Set.of(TopicConfig.MIN_INSYNC_REPLICAS, TopicConfig.UNCLEAN_LEADER_ELECTION);

    private DynamicConfigs() {}

    /** True if a changed config has a say in who may lead. The topics' keys have the same names for all brokers. */
    static boolean touchesElections(List<MetadataRecord> records) {
        return records.stream()
                .anyMatch(record -> record instanceof MetadataRecord.ConfigSet set && OF_ELECTIONS.contains(set.key()));
    }

    static ControllerResult<ConfigResource, Void> alter(
            ClusterConfigs configs, Map<ConfigResource, List<ConfigChange>> changes, boolean validateOnly) {
        ClusterView view = configs.view();
        ControllerResult.Draft<ConfigResource, Void> draft = new ControllerResult.Draft<>();
        changes.forEach((resource, ofResource) -> draft.item(resource, records -> {
            checkResource(view, resource);
            Set<String> seen = new HashSet<>();
            for (ConfigChange change : ofResource) {
                if (!seen.add(change.key())) {
                    throw ErrorCode.INVALID_REQUEST.because("Error due to duplicate config keys");
                }
                decide(view, resource, change).ifPresent(records::add);
            }
            checkEngines(configs, resource, records);
            return null;
        }));
        return draft.done(validateOnly);
    }

    /** The configs of a resource after changes that {@link #alter} accepts. */
    static Map<String, String> after(ClusterConfigs configs, ConfigResource resource, List<ConfigChange> changes) {
        List<MetadataRecord> records =
                alter(configs, Map.of(resource, changes), false).records();
        ClusterView view = configs.view();
        return view.after(view.version() + 1, records).configs(resource);
    }

    /** @throws io.felice.api.FeliceException INVALID_CONFIG */
    static void checkNewTopic(ClusterConfigs configs, String topic, Map<String, String> own) {
        ConfigResource resource = ConfigResource.topic(topic);
        own.forEach((key, value) -> checkValue(keyOf(resource, key), value));
        ClusterEngines.check(configs, topic, configs.engineOf(topic, own), own);
    }

    /** What was so before and is not changed is not checked again. */
    private static void checkEngines(ClusterConfigs configs, ConfigResource resource, List<MetadataRecord> records) {
        boolean changes = records.stream()
                .anyMatch(record -> record instanceof MetadataRecord.ConfigSet set && OF_ENGINES.contains(set.key()));
        if (resource.type() == ConfigResource.Type.TOPIC && changes) {
            ClusterView view = configs.view();
            ClusterConfigs after = configs.at(view.after(view.version() + 1, records));
            String topic = resource.name();
            ClusterEngines.check(
                    configs, topic, after.engineOf(topic), after.view().configs(resource));
        }
    }

    private static void checkResource(ClusterView view, ConfigResource resource) {
        switch (resource.type()) {
            case TOPIC -> Topics.known(view.topic(resource.name()), resource.name());
            case BROKER -> {
                if (!resource.name().isEmpty() && !resource.name().matches("[0-9]{1,9}")) {
                    throw ErrorCode.INVALID_REQUEST.because(
                            "Broker id must be an integer, but it is: " + resource.name());
                }
            }
        }
    }

    /** The record to append. Empty for the DELETE of a value that is not set, even if the key is unknown. */
    private static Optional<MetadataRecord> decide(ClusterView view, ConfigResource resource, ConfigChange change) {
        if (change.operation() == ConfigChange.Operation.DELETE) {
            return Optional.ofNullable(view.configs(resource).get(change.key()))
                    .map(set -> new MetadataRecord.ConfigSet(resource, change.key(), null));
        }
        ConfigKey key = keyOf(resource, change.key());
        if (!key.dynamic()) {
            throw ErrorCode.INVALID_REQUEST.because("Cannot update these configs dynamically: [" + key.name() + "]");
        }
        if (change.value() == null) {
            throw ErrorCode.INVALID_REQUEST.because("Null value not supported for : " + key.name());
        }
        String value =
                switch (change.operation()) {
                    case SET, DELETE -> change.value();
                    case APPEND -> joined(list(view, resource, key, change), change.value(), true);
                    case SUBTRACT -> joined(list(view, resource, key, change), change.value(), false);
                };
        checkValue(key, value);
        return Optional.of(new MetadataRecord.ConfigSet(resource, key.name(), value));
    }

    private static ConfigKey keyOf(ConfigResource resource, String name) {
        boolean ofTopic = resource.type() == ConfigResource.Type.TOPIC;
        ConfigKey key = ofTopic ? TopicConfig.KEYS.get(name) : BrokerConfig.key(name);
        if (key == null) {
            throw ErrorCode.INVALID_CONFIG.because("Unknown topic config name: " + name);
        }
        if (name.length() > MAX_NAME_LENGTH) {
            throw ErrorCode.INVALID_REQUEST.because("A config name of " + name.length()
                    + " characters is too long; at most " + MAX_NAME_LENGTH + " are allowed.");
        }
        return key;
    }

    private static void checkValue(ConfigKey key, String value) {
        key.check(value);
        if (value.length() > MAX_VALUE_LENGTH) {
            throw ErrorCode.INVALID_CONFIG.because("The value of " + key.name() + " has " + value.length()
                    + " characters; at most " + MAX_VALUE_LENGTH + " are allowed.");
        }
    }

    /**
     * The list that APPEND and SUBTRACT change: the value set for this resource, else the value set for all brokers,
     * else the default.
     */
    private static List<String> list(ClusterView view, ConfigResource resource, ConfigKey key, ConfigChange change) {
        if (key.type() != ConfigKey.Type.LIST) {
            throw ErrorCode.INVALID_CONFIG.because(
                    "Config value " + change.operation().name().toLowerCase(java.util.Locale.ROOT)
                            + " is not allowed for config key: " + key.name());
        }
        String own = view.configs(resource).get(key.name());
        if (own != null) {
            return items(own);
        }
        boolean ofTopic = resource.type() == ConfigResource.Type.TOPIC;
        String nameForAll = ofTopic ? key.brokerKey() : key.name();
        return items(
                Optional.ofNullable(view.configs(ConfigResource.allBrokers()).get(nameForAll))
                        .orElse(key.defaultValue()));
    }

    private static String joined(List<String> now, String change, boolean append) {
        Set<String> items = new LinkedHashSet<>(now);
        if (append) {
            items.addAll(items(change));
        } else {
            items(change).forEach(items::remove);
        }
        return String.join(",", items);
    }

    private static List<String> items(String value) {
        List<String> items = new ArrayList<>();
        Arrays.stream(value.split(","))
                .map(String::trim)
                .filter(item -> !item.isEmpty())
                .forEach(items::add);
        return items;
    }
}
