package io.felice.broker;

import io.felice.broker.engine.MountedEngine;
import io.felice.broker.partition.Compaction;
import io.felice.broker.partition.CompactionLimits;
import io.felice.broker.partition.Dirt;
import io.felice.broker.partition.OpenedLog;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compacts the logs of this node, of each engine the dirtiest first, as Kafka's log cleaner does. Each engine has threads of
 * its own for that, so that an engine that hangs keeps no other one from being compacted. A thread compacts log after log
 * until none is worth it, and ends; the next look is {@code log.cleaner.backoff.ms} later.
 */
final class Compactor implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Compactor.class);
    private static final long IDLE_SECONDS = 10;
    private static final long PATIENCE_SECONDS = 10;
    private static final long NANOS_PER_MS = 1_000_000;

    private final Supplier<Collection<MountedEngine>> engines;
    private final Supplier<Stream<OpenedLog>> logs;
    private final CompactionLimits limits;
    private final LongSupplier nanos;
    private final ThreadPoolExecutor threads = new ThreadPoolExecutor(
            0, Integer.MAX_VALUE, IDLE_SECONDS, TimeUnit.SECONDS, new SynchronousQueue<>(), named());

    private final Map<MountedEngine, Lane> lanes = new ConcurrentHashMap<>();
    private volatile boolean closed;

    Compactor(
            Supplier<Collection<MountedEngine>> engines,
            Supplier<Stream<OpenedLog>> logs,
            CompactionLimits limits,
            LongSupplier nanos) {
        this.engines = engines;
        this.logs = logs;
        this.limits = limits;
        this.nanos = nanos;
    }

    private static ThreadFactory named() {
        AtomicInteger number = new AtomicInteger();
        return task -> {
            Thread thread = new Thread(task, "felice-compaction-" + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        };
    }

    /** Threads that look for logs to compact, or compact them. */
    int working() {
        return lanes.values().stream().mapToInt(Lane::workers).sum();
    }

    CompactionLimits limits() {
        return limits;
    }

    /** About every second, on the broker's thread: lets one more thread look where that is due. Does not block. */
    void tick() {
        Collection<MountedEngine> mounted = engines.get();
        lanes.keySet().retainAll(mounted);
        for (MountedEngine engine : mounted) {
            Lane lane = lanes.computeIfAbsent(engine, Lane::new);
            if (lane.begins()) {
                start(lane);
            }
        }
    }

    private void start(Lane lane) {
        try {
            threads.execute(lane);
        } catch (RuntimeException | OutOfMemoryError noThread) {
            lane.ends();
            if (!closed) {
                LOG.warn(
                        "No thread can be started for the compaction of logs; the next attempt is in a second",
                        noThread);
            }
        }
    }

    /** The compaction of one engine's logs. */
    private final class Lane implements Runnable {
        private final MountedEngine engine;
        /** Held while a thread chooses a log, which may read from disk: the broker's thread never takes it. */
        private final Object choosing = new Object();

        private final Set<Compaction> running = new HashSet<>();
        private int workers;
        private boolean rests;
        private long restingSince;

        Lane(MountedEngine engine) {
            this.engine = engine;
        }

        /** True if another thread may run this; {@link #ends} follows. */
        synchronized boolean begins() {
            boolean isRested = !rests || nanos.getAsLong() - restingSince >= limits.backoffMs() * NANOS_PER_MS;
            boolean begins = !closed && isRested && workers < limits.threads() && mayRun();
            if (begins) {
                workers++;
                rests = false;
            }
            return begins;
        }

        synchronized int workers() {
            return workers;
        }

        synchronized void ends() {
            workers--;
        }

        /** Openings are more urgent. */
        private boolean mayRun() {
            return !closed && !engine.openings().areUnderWay();
        }

        @Override
        public void run() {
            try {
                Found next = mayRun() ? dirtiest() : null;
                while (next != null) {
                    compact(next);
                    next = mayRun() ? dirtiest() : null;
                }
            } catch (RuntimeException | Error failure) {
                LOG.error(
                        "The compaction of the logs of the engine {} failed; it goes on later", engine.name(), failure);
            } finally {
                rest();
            }
        }

        private synchronized void rest() {
            rests = true;
            restingSince = nanos.getAsLong();
            ends();
        }

        private void compact(Found next) {
            try {
                next.compaction().run(next.dirt());
            } finally {
                synchronized (choosing) {
                    running.remove(next.compaction());
                }
            }
        }

        /** The log with the largest part of dirty bytes, for this thread alone; null if none is worth a run. */
        private Found dirtiest() {
            synchronized (choosing) {
                Found dirtiest = lookForDirtiest();
                if (dirtiest != null) {
                    running.add(dirtiest.compaction());
                }
                return dirtiest;
            }
        }

        private Found lookForDirtiest() {
            Found dirtiest = null;
            List<Compaction> idle = logs.get()
                    .filter(log -> log.engine() == engine)
                    .map(OpenedLog::compaction)
                    .filter(compaction -> !running.contains(compaction))
                    .toList();
            for (Compaction compaction : idle) {
                Dirt dirt = compaction.look().orElse(null);
                if (dirt != null
                        && (dirtiest == null || dirt.ratio() > dirtiest.dirt().ratio())) {
                    dirtiest = new Found(compaction, dirt);
                }
            }
            return dirtiest;
        }
    }

    private record Found(Compaction compaction, Dirt dirt) {}

    /** Waits until the runs have ended, which they do when their logs are closed. */
    @Override
    public void close() {
        closed = true;
        threads.shutdown();
        try {
            if (!threads.awaitTermination(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                LOG.warn("A compaction is still running");
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
