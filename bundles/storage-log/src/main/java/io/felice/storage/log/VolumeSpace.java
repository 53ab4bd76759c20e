package io.felice.storage.log;

import io.felice.api.storage.Volume;
import java.time.Clock;
import java.util.function.Supplier;

/**
 * The free space of the engine's volume. Files may take space ahead of their batches only while there is plenty. For a
 * while after a write found no space they take none: space that is taken and given back in turns would let a full volume
 * look as if it had some. Any thread; asking costs next to nothing.
 */
final class VolumeSpace {
    /** So much has to be free, or a quarter of a small volume. */
    private static final long PLENTY_BYTES = 256 << 20;

    private static final int PLENTY_SHARE = 4;

    /** With less than this free, or a twentieth of a small volume, a write that fails does so for lack of space. */
    private static final long LEAST_BYTES = 4 << 20;

    private static final int LEAST_SHARE = 20;

    private static final long LOOK_MS = 1_000;
    private static final long PAUSE_MS = 60_000;

    private final Supplier<Volume> volume;
    private final Clock clock;
    private volatile long nextLook = Long.MIN_VALUE;
    private volatile long pausedUntil = Long.MIN_VALUE;
    private volatile boolean plenty;

    VolumeSpace(Supplier<Volume> volume, Clock clock) {
        this.volume = volume;
        this.clock = clock;
    }

    boolean isThere() {
        long now = clock.millis();
        if (now >= nextLook) {
            nextLook = now + LOOK_MS;
            plenty = hasFree(PLENTY_BYTES, PLENTY_SHARE);
        }
        return plenty && now >= pausedUntil;
    }

    /** A write has failed. */
    void ranOut() {
        pausedUntil = clock.millis() + PAUSE_MS;
    }

    /** True if next to nothing is free just now. */
    boolean isUsedUp() {
        return !hasFree(LEAST_BYTES, LEAST_SHARE);
    }

    private boolean hasFree(long bytes, int share) {
        Volume now = volume.get();
        long enough = now.totalBytes() < 0 ? bytes : Math.min(bytes, now.totalBytes() / share);
        return now.usableBytes() < 0 || now.usableBytes() >= enough;
    }
}
