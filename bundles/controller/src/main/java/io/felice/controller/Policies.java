package io.felice.controller;

import static java.util.stream.Collectors.joining;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.extension.Extension;
import io.felice.api.extension.Extensions;
import io.felice.api.policy.TopicChange;
import io.felice.api.policy.TopicPolicy;
import io.felice.api.status.StatusTable;
import io.felice.api.status.Trouble;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.osgi.service.component.ComponentServiceObjects;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks the policies of plugins about changes of topics, one policy after the other. A policy that is required, and is not
 * there, is waited for, so that it can be updated. What a policy does not allow is refused. Any thread; no method blocks.
 */
final class Policies implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Policies.class);

    private final ScheduledExecutorService timer;
    private final Extensions<TopicPolicy> policies;
    private volatile Set<String> required = Set.of();
    private volatile int timeoutMs;
    /** Completes when a policy comes, or other ones are required. */
    private volatile CompletableFuture<Void> changed = new CompletableFuture<>();

    Policies() {
        this.timer = timer();
        this.policies = new Extensions<>(
                "topic policy", TopicPolicy.NAME, Extensions.sameBundleAs(Policies.class), timer, System::nanoTime);
    }

    private static ScheduledExecutorService timer() {
        ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1, task -> {
            Thread thread = new Thread(task, "felice-controller-policies");
            thread.setDaemon(true);
            return thread;
        });
        timer.setRemoveOnCancelPolicy(true);
        timer.setKeepAliveTime(1, TimeUnit.SECONDS);
        timer.allowCoreThreadTimeOut(true);
        return timer;
    }

    void require(Set<String> names, int limitMs) {
        required = Set.copyOf(names);
        timeoutMs = limitMs;
        wakeUp();
    }

    void add(ComponentServiceObjects<TopicPolicy> policy, Map<String, Object> properties) {
        policies.add(policy, properties);
        wakeUp();
    }

    void remove(ComponentServiceObjects<TopicPolicy> policy) {
        policies.remove(policy);
    }

    private void wakeUp() {
        CompletableFuture<Void> waited = changed;
        changed = new CompletableFuture<>();
        waited.complete(null);
    }

    /** True if no policy is there and none is required. */
    boolean isNone() {
        return required.isEmpty() && policies.names().isEmpty();
    }

    /** @return why changes are refused, by the key of the change; never fails */
    <K> CompletionStage<Map<K, FeliceException>> refusals(Map<K, TopicChange> changes) {
        return refusals(changes, System.nanoTime());
    }

    private <K> CompletionStage<Map<K, FeliceException>> refusals(Map<K, TopicChange> changes, long since) {
        CompletableFuture<Void> wait = changed;
        Set<String> missing = missing();
        if (missing.isEmpty() || changes.isEmpty()) {
            return ask(policies.used(), changes, new HashMap<>());
        }
        return wait.copy()
                .orTimeout(since + TimeUnit.MILLISECONDS.toNanos(timeoutMs) - System.nanoTime(), TimeUnit.NANOSECONDS)
                .handle((came, late) -> late == null)
                .thenCompose(came ->
                        came ? refusals(changes, since) : CompletableFuture.completedStage(all(changes, absent())));
    }

    private Set<String> missing() {
        Set<String> missing = new TreeSet<>(required);
        missing.removeAll(policies.names());
        return missing;
    }

    private FeliceException absent() {
        return ErrorCode.REQUEST_TIMED_OUT.because("Topics cannot be changed now: the topic policy "
                + String.join(", ", missing()) + ", which topic.policies.required names, is not there");
    }

    private static <K> Map<K, FeliceException> all(Map<K, TopicChange> changes, FeliceException refusal) {
        Map<K, FeliceException> refused = new HashMap<>();
        changes.keySet().forEach(key -> refused.put(key, refusal));
        return refused;
    }

    /** Changes that one policy has refused are not shown to the next one. */
    private <K> CompletionStage<Map<K, FeliceException>> ask(
            List<Extension<TopicPolicy>> left, Map<K, TopicChange> changes, Map<K, FeliceException> refused) {
        Map<K, TopicChange> open = new HashMap<>(changes);
        open.keySet().removeAll(refused.keySet());
        if (left.isEmpty() || open.isEmpty()) {
            return CompletableFuture.completedStage(refused);
        }
        Extension<TopicPolicy> policy = left.get(0);
        return policy.calls()
                .call("refusal()", timeoutMs, () -> Asked.of(policy, open))
                .handle((answers, failure) -> failure == null ? answers.refused : refusedBy(failure, open))
                .thenCompose(more -> {
                    Map<K, FeliceException> all = new HashMap<>(refused);
                    all.putAll(more);
                    return ask(left.subList(1, left.size()), changes, all);
                });
    }

    @SuppressWarnings("unchecked")
    private static <K> Map<K, FeliceException> refusedBy(Throwable failure, Map<K, TopicChange> open) {
        Throwable cause = FeliceException.unwrap(failure);
        if (cause instanceof Failed failed) {
            return (Map<K, FeliceException>) failed.answers.refused;
        }
        return all(
                open,
                cause instanceof FeliceException late
                        ? late
                        : ErrorCode.REQUEST_TIMED_OUT.because(
                                "Topics cannot be changed now: a topic policy cannot be asked"));
    }

    List<Trouble> troubles() {
        List<Trouble> troubles = new ArrayList<>(policies.troubles());
        Set<String> missing = missing();
        if (!missing.isEmpty()) {
            troubles.add(Trouble.inPart("Topics cannot be created, changed or deleted: the topic policy "
                    + missing.stream().collect(joining(", "))
                    + ", which the setting topic.policies.required names, is not there"));
        }
        return troubles;
    }

    StatusTable table() {
        return policies.table("controller.policies");
    }

    @Override
    public void close() {
        policies.close();
        timer.shutdownNow();
        wakeUp();
    }

    /** What a policy says about the changes of a request. */
    private static final class Asked<K> {
        private final Map<K, FeliceException> refused = new HashMap<>();
        private RuntimeException failure;

        /** @throws Failed with the answers if the policy has failed for a change, so that this counts as a failure */
        static <K> Asked<K> of(Extension<TopicPolicy> policy, Map<K, TopicChange> changes) {
            Asked<K> answers = new Asked<>();
            TopicPolicy service = policy.service();
            changes.forEach((key, change) -> answers.ask(policy, service, key, change));
            if (answers.failure != null) {
                throw new Failed(answers);
            }
            return answers;
        }

        private void ask(Extension<TopicPolicy> policy, TopicPolicy service, K key, TopicChange change) {
            try {
                Optional<String> refusal = service.refusal(change);
                if (refusal == null) {
                    throw new IllegalStateException("refusal() has given null for " + change);
                }
                refusal.ifPresent(reason -> refused.put(key, ErrorCode.POLICY_VIOLATION.because(reason)));
            } catch (RuntimeException thrown) {
                failure = thrown;
                refused.put(
                        key,
                        ErrorCode.POLICY_VIOLATION.because("The topic policy " + policy.name()
                                + " has failed, so nothing is changed; the log of the node says why."));
                log.debug("The topic policy {} has failed for {}", policy.name(), change, thrown);
            }
        }
    }

    private static final class Failed extends RuntimeException {
        private static final long serialVersionUID = 1L;
        private final transient Asked<?> answers;

        Failed(Asked<?> answers) {
            super(answers.failure);
            this.answers = answers;
        }
    }
}
