package io.felice.broker.engine;

import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;

import io.felice.api.storage.Volume;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether an engine has room for more. A write that failed while its volume had next to nothing free makes it full: from
 * then on no record is appended to any of its logs until clearly more is free again, or for a while a little more, while
 * reads, retention and DeleteRecords go on. Any thread; the monitor guards the change from one to the other, nothing is
 * called while it is held.
 */
public final class FreeSpace {
    private static final Logger log = LoggerFactory.getLogger(FreeSpace.class);

    /** With less than this free, or less than a twentieth of a small volume, there is no room. */
    public static final long LEAST_BYTES = 4 << 20;

    private static final int LEAST_SHARE = 20;

    /** An engine is no longer full with so much free, or an eighth of a small volume. Less would be used up at once. */
    private static final long ENOUGH_BYTES = 64 << 20;

    private static final int ENOUGH_SHARE = 8;

    /** After so long the least will do: it may be all that retention leaves. */
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final String engine;
    private final Supplier<Volume> volume;
    private final LongSupplier nanos;
    private final LongAdder refused = new LongAdder();
    private volatile boolean full;

    private long needed;
    private long enough;
    private long since;

    FreeSpace(String engine, Supplier<Volume> volume, LongSupplier nanos) {
        this.engine = engine;
        this.volume = volume;
        this.nanos = nanos;
    }

    public boolean isFull() {
        return full;
    }

    /** Appends that were refused because it was full. */
    public long refusedCount() {
        return refused.sum();
    }

    /** @throws io.felice.api.FeliceException KAFKA_STORAGE_ERROR if the engine is full */
    public void mustBeThere() {
        if (full) {
            refused.increment();
            throw KAFKA_STORAGE_ERROR.because("The storage engine " + engine + " is full");
        }
    }

    /**
     * A write has failed. Says whether that can be for lack of room, and then the engine is full.
     *
     * @param bytes what was to be written, 0 if that is not known
     */
    public boolean ranOut(long bytes) {
        Volume now = volumeNow();
        long least = of(now, LEAST_BYTES, LEAST_SHARE);
        if (now.usableBytes() < 0 || now.usableBytes() >= Math.max(bytes, least)) {
            return false;
        }
        long half = now.totalBytes() < 0 ? Long.MAX_VALUE : now.totalBytes() / 2;
        long wanted = Math.min(bytes, half);
        long plenty = Math.max(of(now, ENOUGH_BYTES, ENOUGH_SHARE), wanted);
        synchronized (this) {
            needed = Math.max(needed, least);
            enough = Math.max(enough, plenty);
            since = nanos.getAsLong();
            if (full) {
                return true;
            }
            full = true;
        }
        log.error(
                "The storage engine {} is full: {} bytes are free on {}. Records are refused until {} bytes are;"
                        + " what is there can be read, and goes by retention or when it is deleted",
                engine,
                now.usableBytes(),
                now.logDir(),
                plenty);
        return true;
    }

    /** Looks whether a full engine has room again. */
    public void look() {
        if (!full) {
            return;
        }
        long usable = volumeNow().usableBytes();
        synchronized (this) {
            boolean waitedLong = nanos.getAsLong() - since >= PATIENCE_NANOS;
            if (!full || (usable >= 0 && usable < (waitedLong ? needed : enough))) {
                return;
            }
            needed = 0;
            enough = 0;
            full = false;
        }
        log.info("The storage engine {} takes records again: {} bytes are free", engine, usable);
    }

    private Volume volumeNow() {
        try {
            return volume.get();
        } catch (RuntimeException unknown) {
            log.warn("The storage engine {} does not say how much room it has: {}", engine, unknown.toString());
            return new Volume(engine + ":", -1, -1);
        }
    }

    private static long of(Volume now, long bytes, int share) {
        return now.totalBytes() < 0 ? bytes : Math.min(bytes, now.totalBytes() / share);
    }
}
