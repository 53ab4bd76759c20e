package io.felice.api.security;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Decides who may do what. Register it as a service with the property {@link #NAME}; the setting {@code authorizer} of
 * {@code io.felice.security} names the one that is asked.
 *
 * <p>{@link #authorize} is called on the threads of a pool, for several requests at once, and may block. Each call has a
 * time limit. While too many calls wait, or after too many failures in a row, it is not called for a while. Where it
 * fails, is late or is not called, the actions are refused. Its decisions are remembered for the time of the setting
 * {@code authorizer.cache.ms}. When the service is unregistered, calls that are running are not waited for.
 */
@ConsumerType
public interface Authorizer {
    /** The service property with the authorizer's name. */
    String NAME = "authorizer.name";

    /**
     * Decides about the actions of one request.
     *
     * @return completes on any thread with one decision per action, in the same order. A list of another size, or a
     *     decision that is null, refuses all actions
     */
    CompletionStage<List<Decision>> authorize(Requester requester, List<Action> actions);

    /**
     * Decides whether the operation is allowed on any resource of the type, whatever its name (KIP-679). Called as {@link
     * #authorize}. Producers ask for WRITE on any TOPIC when they start, unless they may IDEMPOTENT_WRITE on the cluster:
     * an authorizer that has no opinion about both refuses all idempotent producers.
     *
     * @return completes on any thread with the decision; null refuses
     */
    default CompletionStage<Decision> authorizeAny(Requester requester, Operation operation, ResourceType type) {
        return CompletableFuture.completedFuture(Decision.NO_OPINION);
    }
}
