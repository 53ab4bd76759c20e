package io.felice.console.access;

import io.felice.api.security.Acl;
import io.felice.api.security.Action;
import io.felice.api.security.Operation;
import io.felice.api.security.ResourceType;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What a user may do in the console. A role follows from one right on the cluster, its mark; {@link #acls} are the ACLs that
 * the console gives with the role.
 */
public enum ConsoleRole {
    /** Sees everything but secrets, users and settings. */
    VIEWER(Operation.DESCRIBE),
    /** Changes topics and groups too. */
    OPERATOR(Operation.ALTER_CONFIGS),
    /** May do everything. */
    ADMIN(Operation.ALTER);

    private final Operation mark;

    ConsoleRole(Operation mark) {
        this.mark = mark;
    }

    /** Who may do this has the role. */
    public Action mark() {
        return Action.onCluster(mark);
    }

    public boolean includes(ConsoleRole other) {
        return compareTo(other) >= 0;
    }

    /** The name in the API. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    public static Optional<ConsoleRole> of(String word) {
        for (ConsoleRole role : values()) {
            if (role.word().equals(word)) {
                return Optional.of(role);
            }
        }
        return Optional.empty();
    }

    /** The ACLs of the role. No viewer may read records: that is a right of its own, READ on the topic. */
    public List<Acl> acls(String principal) {
        List<Acl> acls = new ArrayList<>();
        switch (this) {
            case VIEWER -> {
                cluster(acls, principal, Operation.DESCRIBE, Operation.DESCRIBE_CONFIGS);
                all(acls, principal, ResourceType.TOPIC, Operation.DESCRIBE, Operation.DESCRIBE_CONFIGS);
                all(acls, principal, ResourceType.GROUP, Operation.DESCRIBE);
            }
            case OPERATOR -> {
                cluster(
                        acls,
                        principal,
                        Operation.DESCRIBE,
                        Operation.DESCRIBE_CONFIGS,
                        Operation.ALTER_CONFIGS,
                        Operation.CREATE);
                all(
                        acls,
                        principal,
                        ResourceType.TOPIC,
                        Operation.DESCRIBE,
                        Operation.DESCRIBE_CONFIGS,
                        Operation.CREATE,
                        Operation.ALTER,
                        Operation.ALTER_CONFIGS,
                        Operation.DELETE);
                all(acls, principal, ResourceType.GROUP, Operation.DESCRIBE, Operation.READ, Operation.DELETE);
            }
            case ADMIN -> {
                for (ResourceType type : ResourceType.values()) {
                    String name = type == ResourceType.CLUSTER ? ResourceType.CLUSTER_NAME : Acl.ANY;
                    acls.add(acl(type, name, principal, Operation.ALL));
                }
            }
        }
        return acls;
    }

    private static void cluster(List<Acl> acls, String principal, Operation... operations) {
        for (Operation operation : operations) {
            acls.add(acl(ResourceType.CLUSTER, ResourceType.CLUSTER_NAME, principal, operation));
        }
    }

    private static void all(List<Acl> acls, String principal, ResourceType type, Operation... operations) {
        for (Operation operation : operations) {
            acls.add(acl(type, Acl.ANY, principal, operation));
        }
    }

    private static Acl acl(ResourceType type, String name, String principal, Operation operation) {
        return new Acl(type, name, Acl.Pattern.LITERAL, principal, Acl.ANY, operation, true);
    }
}
