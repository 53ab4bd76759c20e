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
 * Whether an engine is full. A failed write on a volume with next to no free space makes it full: appends to all of its
 * logs are refused, while reads, retention and DeleteRecords go on. It takes records again when clearly more space is
 * free, or, after {@link #PATIENCE_NANOS}, a little more. Any thread; the monitor guards the change, and no other
 * component is called under it.
 */
public final class FreeSpace {
    private static final Logger log = LoggerFactory.getLogger(FreeSpace.class);

    /** A volume with less free space than this, or than a twentieth of a small volume, is full. */
    public static final long LEAST_BYTES = 4 << 20;

    private static final int LEAST_SHARE = 20;

    /** A full engine takes records again when this much is free, or an eighth of a small volume. */
    private static final long ENOUGH_BYTES = 64 << 20;

    private static final int ENOUGH_SHARE = 8;

    /** After this time {@link #LEAST_BYTES} are enough, because retention may never free more. */
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
     * A write has failed. If the volume has too little free space for it, the engine is full from now on.
     *
     * @param bytes the size of the failed write; 0 if it is not known
     * @return true if the engine is full
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
                "The storage engine {} is full: {} bytes are free on {}. New records are refused until {} bytes are"
                        + " free; reads, retention and deletes go on",
                engine,
                now.usableBytes(),
                now.logDir(),
                plenty);
        return true;
    }

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
            log.warn("The free space of the storage engine {} cannot be read: {}", engine, unknown.toString());
            return new Volume(engine + ":", -1, -1);
        }
    }

    private static long of(Volume now, long bytes, int share) {
        return now.totalBytes() < 0 ? bytes : Math.min(bytes, now.totalBytes() / share);
    }
}
