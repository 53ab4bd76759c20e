package io.felice.api.security;

import java.util.Arrays;
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

        /**
         * For what a client may see or is told about its rights: nobody is refused because of the answer, and the audit log
         * does not have it. False also for an action that was not asked about.
         */
        boolean has(Action action);

        /**
         * Decides whether a part of the request is done or refused: true if one of the alternatives is allowed. The audit
         * log gets the change that is allowed, or the last alternative as denied. So it is called once for each decision,
         * and only if the client gets an error when it is false. Any thread; does not block.
         */
        default boolean permits(Action... alternatives) {
            return Arrays.stream(alternatives).anyMatch(this::has);
        }

        default boolean permits(Operation operation, ResourceType type, String name) {
            return permits(new Action(operation, type, name));
        }

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
