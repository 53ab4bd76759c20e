package io.felice.broker;

import io.felice.api.config.BrokerConfig;
import io.felice.api.storage.EngineTrait;
import io.felice.broker.engine.Engines;
import io.felice.broker.engine.MountedEngine;
import io.felice.broker.partition.OpenedLog;
import io.felice.broker.partition.Scrub;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the logs of every engine that survives a kill once in {@code storage.scrub.interval.ms} ({@link Scrub}): one log
 * of an engine at a time, the one that has waited longest first, and not more than
 * {@code storage.scrub.io.max.bytes.per.second}. It pauses while logs are being opened and while the device is slow.
 *
 * <p>Threads: {@link #tick} is for the broker's thread; the engines' threads read; any thread may look at the numbers.
 */
final class Scrubbing {
    private static final Logger LOG = LoggerFactory.getLogger(Scrubbing.class);
    private static final int CHUNK_BYTES = 1 << 20;

    private final NodeConfigs configs;
    private final Engines engines;
    private final Supplier<Stream<OpenedLog>> logs;
    private final LongSupplier nanos;
    private final Map<MountedEngine, Reader> readers = new ConcurrentHashMap<>();

    /**
     * @param logs the open logs of this node
     * @param nanos a clock that never goes back, in nanoseconds
     */
    Scrubbing(NodeConfigs configs, Engines engines, Supplier<Stream<OpenedLog>> logs, LongSupplier nanos) {
        this.configs = configs;
        this.engines = engines;
        this.logs = logs;
        this.nanos = nanos;
    }

    /** About every second. */
    void tick() {
        readers.keySet().retainAll(engines.all());
        for (MountedEngine engine : engines.all()) {
            if (engine.traits().contains(EngineTrait.SURVIVES_KILL)) {
                readers.computeIfAbsent(engine, Reader::new).tick();
            }
        }
    }

    private long intervalMs() {
        return configs.broker().getLong(BrokerConfig.STORAGE_SCRUB_INTERVAL_MS);
    }

    private long mostBytesPerSecond() {
        return configs.broker().getLong(BrokerConfig.STORAGE_SCRUB_MAX_BYTES_PER_SECOND);
    }

    /** A row for each engine: its name, bytes read, passes that ended, logs that wait, the longest wait, damages. */
    List<List<Object>> rows() {
        List<List<Object>> rows = new ArrayList<>();
        readers.values().stream()
                .sorted(Comparator.comparing(reader -> reader.engine.name()))
                .forEach(reader -> rows.add(reader.row()));
        return rows;
    }

    /** The reading of one engine's logs. */
    private final class Reader {
        private final MountedEngine engine;
        private final AtomicBoolean reads = new AtomicBoolean();
        /** How many bytes may be read now; below 0 after a batch that was larger. */
        private final AtomicLong allowance = new AtomicLong();

        private final AtomicLong readBytes = new AtomicLong();
        private final AtomicLong passes = new AtomicLong();

        // Used by the task that reads only.
        private OpenedLog current;
        /** True while a log waits, since {@link #busySince} in nanoseconds of the monotonic clock. */
        private boolean isBusy;

        private long busySince;
        private boolean isLate;

        Reader(MountedEngine engine) {
            this.engine = engine;
        }

        void tick() {
            long most = mostBytesPerSecond();
            long now = allowance.updateAndGet(before -> Math.min(most, before + most));
            boolean pauses = engine.openings().areUnderWay() || engine.device().isSlow();
            if (now > 0 && !pauses && reads.compareAndSet(false, true)) {
                engine.execute(this::read);
            }
        }

        /** Reads one chunk; a new task goes on, so that the engine's other tasks have their turn. */
        private void read() {
            boolean goesOn = false;
            try {
                goesOn = allowance.get() > 0 && readChunk();
            } finally {
                if (goesOn) {
                    engine.execute(this::read);
                } else {
                    reads.set(false);
                }
            }
        }

        private boolean readChunk() {
            if (current == null) {
                current = longestWaiting().orElse(null);
            }
            OpenedLog log = current;
            if (log == null) {
                return false;
            }
            OptionalLong bytes = step(log);
            if (bytes.isEmpty()) {
                current = null;
                passes.incrementAndGet();
            } else {
                readBytes.addAndGet(bytes.getAsLong());
                allowance.addAndGet(-bytes.getAsLong());
            }
            return true;
        }

        private OptionalLong step(OpenedLog log) {
            try {
                return log.scrub().step((int) Math.max(1, Math.min(CHUNK_BYTES, allowance.get())));
            } catch (RuntimeException | Error failure) {
                log.scrub().giveUp();
                LOG.warn("{} was not read for damage; it is read again in the next interval", log.partition(), failure);
                return OptionalLong.empty();
            }
        }

        private Optional<OpenedLog> longestWaiting() {
            long interval = intervalMs();
            Optional<OpenedLog> next = logs().filter(log -> log.scrub().overdueMs(interval) >= 0)
                    .max(Comparator.comparingLong(log -> log.scrub().overdueMs(interval)));
            if (next.isEmpty()) {
                isBusy = false;
            } else if (!isBusy) {
                isBusy = true;
                isLate = false;
                busySince = nanos.getAsLong();
            } else if (!isLate && TimeUnit.NANOSECONDS.toMillis(nanos.getAsLong() - busySince) > interval) {
                isLate = true;
                LOG.warn(
                        "The logs of the storage engine {} cannot be read for damage once in {} = {}: {} = {} is too little",
                        engine.name(),
                        BrokerConfig.STORAGE_SCRUB_INTERVAL_MS,
                        interval,
                        BrokerConfig.STORAGE_SCRUB_MAX_BYTES_PER_SECOND,
                        mostBytesPerSecond());
            }
            return next;
        }

        private Stream<OpenedLog> logs() {
            return logs.get().filter(log -> log.engine() == engine);
        }

        List<Object> row() {
            long interval = intervalMs();
            long[] waits = logs().mapToLong(log -> log.scrub().overdueMs(interval))
                    .filter(wait -> wait >= 0)
                    .toArray();
            long longest = 0;
            for (long wait : waits) {
                longest = Math.max(longest, wait);
            }
            long damages =
                    logs().mapToLong(log -> log.scrub().damages().all().size()).sum();
            return List.of(engine.name(), readBytes.get(), passes.get(), (long) waits.length, longest, damages);
        }
    }
}
