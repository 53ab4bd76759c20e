package io.felice.network;

import java.util.concurrent.atomic.AtomicLong;

/** A counter that one thread writes and any thread reads. Cheaper than an atomic addition. */
final class Counter {
    private final AtomicLong value = new AtomicLong();

    void add(long amount) {
        value.lazySet(value.getPlain() + amount);
    }

    void raiseTo(long candidate) {
        if (candidate > value.getPlain()) {
            value.lazySet(candidate);
        }
    }

    long get() {
        return value.get();
    }
}
