package io.felice.security;

import io.felice.api.security.Action;
import io.felice.api.security.Principal;
import io.felice.api.security.Requester;
import java.net.InetAddress;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * The last decisions of an authorizer, each for a limited time. When there are many, those that were not used lately are
 * forgotten. Any thread.
 */
final class RememberedDecisions {
    /** There are two generations of that many decisions. */
    static final int MOST_IN_A_GENERATION = 10_000;

    private final LongSupplier nanos;
    private volatile Map<Question, Remembered> young = new ConcurrentHashMap<>();
    private volatile Map<Question, Remembered> old = Map.of();

    RememberedDecisions(LongSupplier nanos) {
        this.nanos = nanos;
    }

    private record Question(Principal principal, InetAddress host, Action action) {}

    private record Remembered(boolean isAllowed, long since, long forNanos) {}

    /** Empty if the authorizer has to be asked. */
    Optional<Boolean> find(Requester requester, Action action) {
        Question question = new Question(requester.principal(), requester.host(), action);
        Remembered found = young.get(question);
        if (found == null) {
            found = old.get(question);
            if (found != null && isValid(found)) {
                keep(question, found);
            }
        }
        return found != null && isValid(found) ? Optional.of(found.isAllowed()) : Optional.empty();
    }

    private boolean isValid(Remembered decision) {
        return nanos.getAsLong() - decision.since() < decision.forNanos();
    }

    void put(Requester requester, Action action, boolean isAllowed, int forMs) {
        if (forMs > 0) {
            keep(
                    new Question(requester.principal(), requester.host(), action),
                    new Remembered(isAllowed, nanos.getAsLong(), TimeUnit.MILLISECONDS.toNanos(forMs)));
        }
    }

    private void keep(Question question, Remembered decision) {
        if (young.size() >= MOST_IN_A_GENERATION) {
            startGeneration();
        }
        young.put(question, decision);
    }

    private synchronized void startGeneration() {
        if (young.size() >= MOST_IN_A_GENERATION) {
            old = young;
            young = new ConcurrentHashMap<>();
        }
    }
}
