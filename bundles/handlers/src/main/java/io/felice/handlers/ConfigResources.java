package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.config.ConfigResource;

/** Translates Kafka's resource types and names. Only topics, this broker and the default of all brokers have configs. */
final class ConfigResources {
    private ConfigResources() {}

    /** @throws io.felice.api.FeliceException INVALID_REQUEST, UNKNOWN_TOPIC_OR_PARTITION */
    static ConfigResource of(byte type, String name, ClusterMetadata metadata) {
        if (type == ConfigResource.Type.TOPIC.code()) {
            return topic(name, metadata);
        }
        if (type == ConfigResource.Type.BROKER.code()) {
            return broker(name, metadata.brokerId());
        }
        throw ErrorCode.INVALID_REQUEST.because("Unsupported resource type: " + type);
    }

    private static ConfigResource topic(String name, ClusterMetadata metadata) {
        if (name.isEmpty()) {
            throw ErrorCode.INVALID_REQUEST.because("Default topic resources are not allowed.");
        }
        if (metadata.view().topic(name).isEmpty()) {
            throw ErrorCode.UNKNOWN_TOPIC_OR_PARTITION.because("The topic '" + name + "' does not exist.");
        }
        return ConfigResource.topic(name);
    }

    private static ConfigResource broker(String name, int brokerId) {
        if (name.isEmpty()) {
            return ConfigResource.allBrokers();
        }
        int id;
        try {
            id = Integer.parseInt(name);
        } catch (NumberFormatException notANumber) {
            throw ErrorCode.INVALID_REQUEST.because("Broker id must be an integer, but it is: " + name);
        }
        if (id != brokerId) {
            throw ErrorCode.INVALID_REQUEST.because(
                    "Unexpected broker id, expected " + brokerId + " or empty string, but received " + name);
        }
        return ConfigResource.broker(id);
    }
}
