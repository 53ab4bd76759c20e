package io.felice.security;

import io.felice.api.extension.Extension;
import io.felice.api.extension.Extensions;
import io.felice.api.security.Action;
import io.felice.api.security.Authorizer;
import io.felice.api.security.Decision;
import io.felice.api.security.Operation;
import io.felice.api.security.Requester;
import io.felice.api.security.ResourceType;
import io.felice.api.status.StatusTable;
import io.felice.api.status.Trouble;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.osgi.service.component.ComponentServiceObjects;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks the authorizer of a plugin, and remembers its decisions. What it does not allow is refused: also if it fails, is
 * late, or stays away. Any thread; no method blocks.
 */
final class PluginAuthorization {
    /** Most requests that wait for an authorizer that is not there; further ones are refused at once. */
    static final int MOST_WAITING = 1_000;

    private static final Logger log = LoggerFactory.getLogger(PluginAuthorization.class);

    private final Extensions<Authorizer> authorizers;
    private final ScheduledExecutorService timer;
    private final LongSupplier nanos;
    private final Set<Waiting> waiting = new LinkedHashSet<>();
    private volatile Memory memory = new Memory(null, null);

    PluginAuthorization(ScheduledExecutorService timer, LongSupplier nanos) {
        this.authorizers = new Extensions<>(
                "authorizer", Authorizer.NAME, Extensions.sameBundleAs(PluginAuthorization.class), timer, nanos);
        this.timer = timer;
        this.nanos = nanos;
    }

    /** The decisions of one registration of a plugin. */
    private record Memory(Extension<Authorizer> plugin, RememberedDecisions decisions) {}

    /** A request that waits for the authorizer with this name. */
    private record Waiting(String name, CompletableFuture<Optional<Extension<Authorizer>>> plugin) {}

    void add(ComponentServiceObjects<Authorizer> authorizer, Map<String, Object> properties) {
        authorizers.add(authorizer, properties);
        List<Waiting> served;
        synchronized (waiting) {
            served = waiting.stream()
                    .filter(request -> authorizers.find(request.name()).isPresent())
                    .toList();
            waiting.removeAll(served);
        }
        served.forEach(request -> request.plugin().complete(authorizers.find(request.name())));
    }

    void remove(ComponentServiceObjects<Authorizer> authorizer) {
        authorizers.remove(authorizer);
        memory = new Memory(null, null);
    }

    /** Refuses the requests that wait. */
    void close() {
        authorizers.close();
        List<Waiting> left;
        synchronized (waiting) {
            left = List.copyOf(waiting);
            waiting.clear();
        }
        left.forEach(request -> request.plugin().complete(Optional.empty()));
    }

    StatusTable table(String name) {
        return authorizers.table(name);
    }

    List<Trouble> troubles(String name) {
        List<Trouble> troubles = new ArrayList<>(authorizers.troubles());
        if (authorizers.find(name).isEmpty()) {
            troubles.add(Trouble.inPart("Requests are refused: the authorizer " + name
                    + ", which the setting authorizer names, is not there"));
        }
        return troubles;
    }

    /** The actions that the authorizer with this name allows. Never fails. */
    CompletionStage<Set<Action>> ask(
            String name, SecuritySettings settings, Requester requester, Collection<Action> actions) {
        return awaitedIfAway(name, settings)
                .thenCompose(plugin -> plugin.isPresent()
                        ? ask(plugin.get(), settings, requester, actions)
                        : CompletableFuture.completedFuture(Set.of()));
    }

    /** Completes with the authorizer when it is there; empty if it does not come in time. */
    private CompletionStage<Optional<Extension<Authorizer>>> awaited(String name, int waitMs) {
        Waiting request = new Waiting(name, new CompletableFuture<>());
        synchronized (waiting) {
            if (waiting.size() >= MOST_WAITING) {
                return CompletableFuture.completedFuture(Optional.empty());
            }
            waiting.add(request);
        }
        try {
            timer.schedule(() -> end(request), waitMs, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException stopped) {
            end(request);
        }
        if (authorizers.find(name).isPresent()) {
            end(request);
        }
        return request.plugin();
    }

    private void end(Waiting request) {
        synchronized (waiting) {
            waiting.remove(request);
        }
        request.plugin().complete(authorizers.find(request.name()));
    }

    private CompletionStage<Set<Action>> ask(
            Extension<Authorizer> plugin, SecuritySettings settings, Requester requester, Collection<Action> actions) {
        RememberedDecisions remembered = memoryOf(plugin);
        Set<Action> allowed = new HashSet<>();
        Set<Action> unknown = new LinkedHashSet<>();
        for (Action action : actions) {
            Optional<Boolean> decision = remembered.find(requester, action);
            if (decision.isEmpty()) {
                unknown.add(action);
            } else if (decision.get()) {
                allowed.add(action);
            }
        }
        if (unknown.isEmpty()) {
            return CompletableFuture.completedFuture(allowed);
        }
        List<Action> asked = List.copyOf(unknown);
        return plugin.calls()
                .ask(
                        "authorize()",
                        settings.plugin_timeout_ms(),
                        () -> decided(plugin.service().authorize(requester, asked), asked))
                .handle((newlyAllowed, failure) -> {
                    if (failure == null) {
                        asked.forEach(action -> remembered.put(
                                requester, action, newlyAllowed.contains(action), settings.authorizer_cache_ms()));
                        allowed.addAll(newlyAllowed);
                    } else {
                        log.debug("{} is refused {}", requester, asked, failure);
                    }
                    return allowed;
                });
    }

    private RememberedDecisions memoryOf(Extension<Authorizer> plugin) {
        Memory now = memory;
        if (now.plugin() != plugin) {
            now = new Memory(plugin, new RememberedDecisions(nanos));
            memory = now;
        }
        return now.decisions();
    }

    /** The allowed ones of the actions. Fails unless there is one decision for each. */
    private static CompletionStage<Set<Action>> decided(CompletionStage<List<Decision>> answer, List<Action> actions) {
        CompletableFuture<Set<Action>> allowed = new CompletableFuture<>();
        answer.whenComplete((decisions, failure) -> {
            try {
                if (failure != null) {
                    allowed.completeExceptionally(failure);
                } else {
                    allowed.complete(allowed(decisions, actions));
                }
            } catch (Throwable thrown) {
                allowed.completeExceptionally(thrown);
            }
        });
        return allowed;
    }

    private static Set<Action> allowed(List<Decision> decisions, List<Action> actions) {
        if (decisions.size() != actions.size()) {
            throw new IllegalStateException(
                    "the authorizer gives " + decisions.size() + " decisions for " + actions.size() + " actions");
        }
        Set<Action> allowed = new HashSet<>();
        Iterator<Decision> each = decisions.iterator();
        for (Action action : actions) {
            Decision decision = each.next();
            if (decision == null) {
                throw new IllegalStateException("the authorizer's decision about " + action + " is null");
            } else if (decision == Decision.ALLOW) {
                allowed.add(action);
            }
        }
        return allowed;
    }

    /** True if the authorizer allows the operation on any resource of the type. Never fails. */
    CompletionStage<Boolean> askAny(
            String name, SecuritySettings settings, Requester requester, Operation operation, ResourceType type) {
        return awaitedIfAway(name, settings)
                .thenCompose(plugin -> plugin.isPresent()
                        ? plugin.get()
                                .calls()
                                .ask("authorizeAny()", settings.plugin_timeout_ms(), () -> plugin.get()
                                        .service()
                                        .authorizeAny(requester, operation, type))
                                .handle((decision, failure) -> failure == null && decision == Decision.ALLOW)
                        : CompletableFuture.completedFuture(false));
    }

    private CompletionStage<Optional<Extension<Authorizer>>> awaitedIfAway(String name, SecuritySettings settings) {
        Optional<Extension<Authorizer>> there = authorizers.find(name);
        return there.isPresent()
                ? CompletableFuture.completedFuture(there)
                : awaited(name, settings.authorizer_wait_ms());
    }
}
