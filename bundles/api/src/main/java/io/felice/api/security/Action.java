package io.felice.api.security;

/**
 * An operation on one resource.
 *
 * @param name the name of the topic, group, transactional id or user; {@link ResourceType#CLUSTER_NAME} for the cluster
 */
public record Action(Operation operation, ResourceType type, String name) {
    /** An operation on the cluster. */
    public static Action onCluster(Operation operation) {
        return new Action(operation, ResourceType.CLUSTER, ResourceType.CLUSTER_NAME);
    }

    @Override
    public String toString() {
        return operation + " on " + type + " " + name;
    }
}
