package io.felice.handlers;

import io.felice.api.security.Action;
import io.felice.api.security.Authorization;
import io.felice.api.security.Operation;
import io.felice.api.security.Requester;
import io.felice.api.security.ResourceType;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Predicate;

/** Allows what a test says, at once or when the test says it. Remembers what it was asked. */
final class FakeAuthorization implements Authorization {
    final List<Action> asked = new ArrayList<>();
    /** What the audit log gets. */
    final List<Action> permitted = new ArrayList<>();

    final List<Action> denied = new ArrayList<>();

    private boolean enforced;
    private Predicate<Action> rule = action -> false;
    private CompletableFuture<Void> gate = CompletableFuture.completedFuture(null);

    /** Nothing is enforced: everybody may do everything. */
    static Rights open() {
        return new Rights(new FakeAuthorization());
    }

    /** Only these actions are allowed. */
    static FakeAuthorization allowing(Action... actions) {
        return new FakeAuthorization().allow(Set.of(actions)::contains);
    }

    FakeAuthorization allow(Predicate<Action> allowed) {
        enforced = true;
        rule = allowed;
        return this;
    }

    /** From now on decisions wait for the gate. */
    FakeAuthorization waitFor(CompletableFuture<Void> gate) {
        this.gate = gate;
        return this;
    }

    @Override
    public boolean isEnforced() {
        return enforced;
    }

    @Override
    public CompletionStage<Allowed> ask(Requester requester, Collection<Action> actions) {
        asked.addAll(actions);
        Set<Action> wanted = Set.copyOf(actions);
        Allowed allowed = new Allowed() {
            @Override
            public boolean has(Action action) {
                return wanted.contains(action) && rule.test(action);
            }

            @Override
            public boolean permits(Action... alternatives) {
                boolean isPermitted = Allowed.super.permits(alternatives);
                (isPermitted ? permitted : denied).addAll(List.of(alternatives));
                return isPermitted;
            }
        };
        return gate.thenApply(open -> enforced ? allowed : Allowed.EVERYTHING);
    }

    @Override
    public CompletionStage<Boolean> askAny(Requester requester, Operation operation, ResourceType type) {
        asked.add(new Action(operation, type, "*"));
        return gate.thenApply(open -> !enforced || rule.test(new Action(operation, type, "*")));
    }
}
