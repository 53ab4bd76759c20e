package io.felice.storage.log;

import io.felice.api.storage.Volume;
import java.time.Clock;
import java.util.function.Supplier;

/**
 * Decides from the free space of the engine's volume whether files may have zeros behind their last batch
 * ({@link Preallocation}). No file gets zeros while little space is free, nor for {@value #PAUSE_MS} ms after a failed
 * write: zeros that are cut off again would make a full volume look as if it had space. Any thread; {@link #isPlenty}
 * looks at the volume once in {@value #CHECK_MS} ms.
 */
final class VolumeSpace {
    /** Files may have zeros if this much is free or, on a small volume, a quarter of the volume. */
    private static final long PLENTY_BYTES = 256 << 20;

    private static final int PLENTY_SHARE = 4;

    /** If a write fails while less than this is free (on a small volume: a twentieth), the cause is lack of space. */
    private static final long NEARLY_FULL_BYTES = 4 << 20;

    private static final int NEARLY_FULL_SHARE = 20;

    private static final long CHECK_MS = 1_000;
    private static final long PAUSE_MS = 60_000;

    private final Supplier<Volume> volume;
    private final Clock clock;
    private volatile long nextCheck = Long.MIN_VALUE;
    private volatile long pausedUntil = Long.MIN_VALUE;
    private volatile boolean plenty;

    VolumeSpace(Supplier<Volume> volume, Clock clock) {
        this.volume = volume;
        this.clock = clock;
    }

    boolean isPlenty() {
        long now = clock.millis();
        if (now >= nextCheck) {
            nextCheck = now + CHECK_MS;
            plenty = hasFree(PLENTY_BYTES, PLENTY_SHARE);
        }
        return plenty && now >= pausedUntil;
    }

    /** Called after a failed write: no file gets zeros for {@value #PAUSE_MS} ms. */
    void pauseZeros() {
        pausedUntil = clock.millis() + PAUSE_MS;
    }

    /** True if too little is free for most writes. Looks at the volume. */
    boolean isNearlyFull() {
        return !hasFree(NEARLY_FULL_BYTES, NEARLY_FULL_SHARE);
    }

    private boolean hasFree(long bytes, int share) {
        Volume now = volume.get();
        long enough = now.totalBytes() < 0 ? bytes : Math.min(bytes, now.totalBytes() / share);
        return now.usableBytes() < 0 || now.usableBytes() >= enough;
    }
}
