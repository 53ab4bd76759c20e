package io.felice.broker.partition;

import io.felice.api.config.BrokerConfig;
import java.util.function.Supplier;

/**
 * What compaction may use of this node, as the settings {@code log.cleaner.*} say: memory for keys, bytes per second,
 * threads. Any thread.
 */
public final class CompactionLimits {
    /** A run that finds no memory left gets so much all the same, so that it gets on. */
    private static final long LEAST_KEY_BYTES = 1 << 20;
    /** Keys never take more than this part of the heap, whatever the setting says. */
    private static final int HEAP_SHARE = 4;

    private final Supplier<BrokerConfig> config;
    private final long mostKeyBytes;
    private final long leastKeyBytes;
    private long keyBytes;
    private int runs;

    public CompactionLimits(Supplier<BrokerConfig> config) {
        this(config, Runtime.getRuntime().maxMemory() / HEAP_SHARE, LEAST_KEY_BYTES);
    }

    CompactionLimits(Supplier<BrokerConfig> config, long mostKeyBytes, long leastKeyBytes) {
        this.config = config;
        this.mostKeyBytes = mostKeyBytes;
        this.leastKeyBytes = leastKeyBytes;
    }

    /** Runs at a time for each engine. */
    public int threads() {
        return config.get().getInt(BrokerConfig.LOG_CLEANER_THREADS);
    }

    /** The wait after a look that found nothing to compact, in milliseconds. */
    public long backoffMs() {
        return config.get().getLong(BrokerConfig.LOG_CLEANER_BACKOFF_MS);
    }

    /** The most bytes that the keys of all runs together take. */
    public long keyBytesLimit() {
        return Math.min(mostKeyBytes, config.get().getLong(BrokerConfig.LOG_CLEANER_DEDUPE_BUFFER_SIZE));
    }

    /** The bytes that the keys of all runs take now. */
    public synchronized long keyBytes() {
        return keyBytes;
    }

    /** Runs under way. */
    public synchronized int runs() {
        return runs;
    }

    /** A run begins. Returns the bytes that its keys may take, at most {@code wanted}; {@link #ended} gives them back. */
    synchronized long began(long wanted) {
        long free = Math.max(leastKeyBytes, keyBytesLimit() - keyBytes);
        long granted = Math.min(wanted, free);
        runs++;
        keyBytes += granted;
        return granted;
    }

    synchronized void ended(long granted) {
        runs--;
        keyBytes -= granted;
    }

    /** What one run may read and write now, in bytes per second. */
    double bytesPerSecond() {
        return config.get().getDouble(BrokerConfig.LOG_CLEANER_IO_MAX_BYTES_PER_SECOND) / Math.max(1, runs());
    }
}
