package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.config.ConfigResource;
import io.felice.api.security.Action;
import io.felice.api.security.Authorization.Allowed;
import io.felice.api.security.Operation;
import io.felice.api.security.ResourceType;
import java.util.Optional;

/** Translates Kafka's resource types and names. Only topics, this broker and the default of all brokers have configs. */
final class ConfigResources {
    private ConfigResources() {}

    /** The action for which a client needs a right; empty if there are no such resources. */
    static Optional<Action> action(Operation operation, byte type, String name) {
        if (type == ConfigResource.Type.TOPIC.code()) {
            return Optional.of(new Action(operation, ResourceType.TOPIC, name));
        }
        boolean ofBroker = type == ConfigResource.Type.BROKER.code() || type == BrokerLoggers.RESOURCE_TYPE;
        return ofBroker ? Optional.of(Action.onCluster(operation)) : Optional.empty();
    }

    /** @throws io.felice.api.FeliceException TOPIC_AUTHORIZATION_FAILED, CLUSTER_AUTHORIZATION_FAILED */
    static void require(Allowed allowed, Operation operation, byte type, String name) {
        action(operation, type, name)
                .ifPresent(action -> Rights.require(allowed, operation, action.type(), action.name()));
    }

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
