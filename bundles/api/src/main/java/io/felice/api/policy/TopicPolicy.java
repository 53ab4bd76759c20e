package io.felice.api.policy;

import java.util.Optional;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Refuses creations, changes and deletions of topics, like Kafka's CreateTopicPolicy and AlterConfigPolicy. Register it
 * as a service with the property {@link #NAME}. The controller asks every policy that is registered. The setting {@code
 * topic.policies.required} of {@code io.felice.controller} names the policies without which no topic is changed.
 *
 * <p>A policy is asked after the controller's own checks, so the change is possible, and also if a client only wants the
 * change to be checked. It is not asked about {@code __consumer_offsets}, about what an operator does with stray logs, and
 * about the configs of brokers.
 */
@ConsumerType
public interface TopicPolicy {
    /** The service property with the policy's name. */
    String NAME = "topic.policy";

    /**
     * Says whether a change may be made. Called on threads of the plugin, several at a time; may block, within {@code
     * topic.policy.timeout.ms} for all changes of a request together. The answer depends on the change alone, as far as
     * it can: a policy is asked again when a client repeats its request.
     *
     * <p>If it throws or answers null, the change is refused with POLICY_VIOLATION and a sentence that says that the
     * policy has failed. If it is late, the change is refused with REQUEST_TIMED_OUT.
     *
     * @param change a kind of change that the policy does not know must be allowed
     * @return empty if the change may be made; otherwise the reason, a sentence that the client gets with
     *     POLICY_VIOLATION
     */
    Optional<String> refusal(TopicChange change);
}
