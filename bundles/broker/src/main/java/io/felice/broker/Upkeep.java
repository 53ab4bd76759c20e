package io.felice.broker;

import io.felice.api.TopicPartition;
import io.felice.api.config.BrokerConfig;
import io.felice.broker.engine.Engines;
import io.felice.broker.engine.MountedEngine;
import io.felice.broker.partition.Environment;
import io.felice.broker.partition.FollowerPartition;
import io.felice.broker.partition.LeaderPartition;
import io.felice.broker.partition.OpenedLog;
import io.felice.broker.partition.ReadableRole;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The broker's periodic work: expires appends, flushes, writes high watermarks, applies retention, starts compactions,
 * reads logs for damage, and checks full engines. The timer starts the work, the broker's thread decides which of it is
 * due, and the engines' threads and the background executor do it.
 */
final class Upkeep {
    private static final Logger log = LoggerFactory.getLogger(Upkeep.class);
    private static final int TICKS_PER_CHECKPOINT = 5;
    /** A full engine does not wait for the retention interval, because retention may free space. */
    private static final int TICKS_PER_RETENTION_WHILE_FULL = 2;

    private final Environment environment;
    private final Executor main;
    private final Engines engines;
    private final NodeConfigs configs;
    private final Replicas replicas;
    private final InSyncChanges inSyncChanges;
    private final NodeState state;
    private final Compactor compactor;
    private final Scrubbing scrubbing;
    private final ReassignmentProgress reassignments;
    /** Engines with a running pass of retention; one pass per engine at a time. */
    private final Set<MountedEngine> underWay = ConcurrentHashMap.newKeySet();

    // Used by the broker's thread only.
    private Map<TopicPartition, Long> writtenWatermarks = Map.of();
    /** In nanoseconds of the monotonic clock: a wall clock that is set back delays no retention. */
    private long lastRetention;

    private int ticks;

    Upkeep(
            Environment environment,
            Executor main,
            Engines engines,
            NodeConfigs configs,
            Replicas replicas,
            InSyncChanges inSyncChanges,
            NodeState state,
            Compactor compactor,
            Scrubbing scrubbing,
            ReassignmentProgress reassignments) {
        this.environment = environment;
        this.main = main;
        this.engines = engines;
        this.configs = configs;
        this.replicas = replicas;
        this.inSyncChanges = inSyncChanges;
        this.state = state;
        this.compactor = compactor;
        this.scrubbing = scrubbing;
        this.reassignments = reassignments;
        this.lastRetention = environment.nanos().getAsLong();
    }

    /** About every second, on the timer's thread. */
    void tick() {
        for (MountedEngine engine : engines.all()) {
            try {
                engine.startWaiting();
            } catch (RuntimeException | Error failure) {
                log.warn(
                        "The threads of the storage engine {} cannot be started; its tasks wait: {}",
                        engine.name(),
                        failure.toString());
            }
        }
        replicas.countProducers();
        List<LeaderPartition> leaders = replicas.leaders();
        leaders.forEach(Upkeep::tick);
        reassignments.tick(leaders);
        replicas.followers().forEach(Upkeep::tick);
        main.execute(this::decide);
    }

    private static void tick(ReadableRole partition) {
        try {
            partition.tick();
        } catch (RuntimeException | Error failure) {
            log.warn(
                    "The periodic work on {} failed and is tried again in a second: {}",
                    partition.id(),
                    failure.toString());
        }
    }

    private void decide() {
        ticks++;
        inSyncChanges.tick();
        if (ticks % TICKS_PER_CHECKPOINT == 0) {
            checkpoint();
        }
        replicas.moves().tick();
        compactor.tick();
        scrubbing.tick();
        boolean due = retentionIsDue();
        boolean dueWhileFull = due || ticks % TICKS_PER_RETENTION_WHILE_FULL == 0;
        for (MountedEngine engine : engines.all()) {
            if (engine.space().isFull()) {
                begin(engine, () -> makeRoom(engine, dueWhileFull));
            } else if (due) {
                begin(engine, () -> retain(engine));
            }
        }
    }

    private boolean retentionIsDue() {
        long now = environment.nanos().getAsLong();
        long interval = configs.broker().getLong(BrokerConfig.LOG_RETENTION_CHECK_INTERVAL_MS);
        boolean due = TimeUnit.NANOSECONDS.toMillis(now - lastRetention) >= interval;
        if (due) {
            lastRetention = now;
        }
        return due;
    }

    private void begin(MountedEngine engine, Runnable work) {
        if (underWay.add(engine)) {
            engine.execute(() -> {
                try {
                    work.run();
                } finally {
                    underWay.remove(engine);
                }
            });
        }
    }

    private void makeRoom(MountedEngine engine, boolean byRetention) {
        if (byRetention) {
            retain(engine);
        }
        engine.space().look();
    }

    private void retain(MountedEngine engine) {
        replicas.leaders().stream()
                .filter(partition -> partition.log().engine() == engine)
                .forEach(Upkeep::retain);
        replicas.followers()
                .map(FollowerPartition::log)
                .filter(log -> log.engine() == engine)
                .forEach(OpenedLog::expireProducers);
    }

    private static void retain(LeaderPartition partition) {
        try {
            partition.retain();
        } catch (RuntimeException failure) {
            log.warn("Retention of {} failed: {}", partition.id(), failure.toString());
        }
    }

    /** Writes the high watermarks if any has changed. On the broker's thread. */
    void checkpoint() {
        Map<TopicPartition, Long> watermarks = replicas.highWatermarks();
        if (!watermarks.equals(writtenWatermarks)) {
            writtenWatermarks = watermarks;
            environment.background().execute(() -> write(watermarks));
        }
    }

    private void write(Map<TopicPartition, Long> watermarks) {
        try {
            state.writeHighWatermarks(watermarks);
        } catch (IOException failure) {
            log.warn("The high watermarks were not written to disk: {}", failure.toString());
        }
    }
}
