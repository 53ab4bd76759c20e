package io.felice.replication;

import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.config.BrokerConfig;
import io.felice.api.config.ConfigEntry;
import io.felice.api.config.ConfigResource;
import io.felice.api.config.Configs;
import io.felice.api.config.TopicConfig;
import java.util.List;
import java.util.Map;

/** The configs of the cluster's view over the built-in defaults. */
record ViewConfigs(ClusterMetadata metadata) implements Configs {
    @Override
    public TopicConfig topic(String topic) {
        return TopicConfig.with(metadata.view().configs(ConfigResource.topic(topic)));
    }

    @Override
    public BrokerConfig broker() {
        return BrokerConfig.with(metadata.view().configs(ConfigResource.broker(metadata.brokerId())));
    }

    @Override
    public List<ConfigEntry> describe(ConfigResource resource) {
        throw new UnsupportedOperationException("replication describes no configs");
    }

    @Override
    public List<ConfigEntry> describeTopic(String topic, Map<String, String> own) {
        throw new UnsupportedOperationException("replication describes no configs");
    }

    @Override
    public void check(ConfigResource resource, String key, String value) {}

    @Override
    public void check(ConfigResource resource, Map<String, String> values) {}
}
