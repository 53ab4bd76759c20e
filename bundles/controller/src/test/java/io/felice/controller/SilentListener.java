package io.felice.controller;

import io.felice.api.cluster.ClusterStore;

/** A listener that ignores its registration, because the tests look at the view. */
final class SilentListener implements ClusterStore.RegistrationListener {
    @Override
    public void registered(long brokerEpoch) {
        // The controller hears of it by itself.
    }

    @Override
    public void refused(String reason) {
        throw new IllegalStateException(reason);
    }
}
