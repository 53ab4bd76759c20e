package io.felice.api.security;

import java.util.Collection;
import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ProviderType;

/** Says what clients may do. Each handler asks before it acts. */
@ProviderType
public interface Authorization {
    /** What was allowed of what was asked. Immutable. */
    @ProviderType
    interface Allowed {
        /** Everything is allowed, because nothing is asked for. */
        Allowed EVERYTHING = action -> true;

        /** False also for an action that was not asked about. */
        boolean has(Action action);

        default boolean has(Operation operation, ResourceType type, String name) {
            return has(new Action(operation, type, name));
        }

        /** An operation on the cluster. */
        default boolean hasOnCluster(Operation operation) {
            return has(Action.onCluster(operation));
        }
    }

    /** False if no authorizer is configured: then everybody may do everything, and nobody needs to ask. */
    boolean isEnforced();

    /**
     * Asks about the actions of one request. Any thread; does not block. With ACLs the stage is complete on return. With
     * an authorizer that is not there, the stage waits for it for a limited time.
     *
     * @return completes on any thread; never fails: what cannot be decided is not allowed
     */
    CompletionStage<Allowed> ask(Requester requester, Collection<Action> actions);

    /**
     * True if the operation is allowed on any resource of the type, whatever its name (Kafka's {@code
     * authorizeByResourceType}, KIP-679).
     */
    CompletionStage<Boolean> askAny(Requester requester, Operation operation, ResourceType type);
}
