package io.felice.handlers;

import io.felice.api.security.Quotas;
import io.felice.api.security.Requester;

/** Lets each client use so many partitions at once, and then wait. */
final class FakeQuotas implements Quotas {
    static final int WAIT_MS = 700;

    private double left = Double.MAX_VALUE;

    /** Handlers of clients without quotas. */
    static Mutations none() {
        return new Mutations(new FakeQuotas());
    }

    static Mutations of(double partitions) {
        FakeQuotas quotas = new FakeQuotas();
        quotas.left = partitions;
        return new Mutations(quotas);
    }

    @Override
    public boolean isAny(Kind kind) {
        return kind == Kind.CONTROLLER_MUTATION;
    }

    @Override
    public int charge(Kind kind, Requester who, String clientId, double amount) {
        left -= amount;
        return left < 0 ? WAIT_MS : 0;
    }
}
