package io.felice.replication;

import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** The identity in force: the settings, and their files as they were a moment ago. Any thread; {@link #get} may block. */
final class CurrentIdentity implements Supplier<PeerIdentity> {
    private static final long LOOK_EVERY_NANOS = TimeUnit.SECONDS.toNanos(1);

    private volatile PeerSettings settings;
    private PeerIdentity identity;
    private long lookedNanos;

    CurrentIdentity(PeerSettings settings) {
        this.settings = settings;
        this.identity = new PeerIdentity(settings, List.of());
        this.lookedNanos = System.nanoTime() - LOOK_EVERY_NANOS;
    }

    PeerSettings settings() {
        return settings;
    }

    void change(PeerSettings wanted) {
        settings = wanted;
    }

    @Override
    public synchronized PeerIdentity get() {
        PeerSettings now = settings;
        if (!now.equals(identity.settings()) || System.nanoTime() - lookedNanos >= LOOK_EVERY_NANOS) {
            PeerIdentity found = PeerIdentity.of(now);
            identity = found.equals(identity) ? identity : found;
            lookedNanos = System.nanoTime();
        }
        return identity;
    }
}
