package io.felice.broker;

import io.felice.api.TopicPartition;
import io.felice.api.config.BrokerConfig;
import io.felice.broker.engine.Engines;
import io.felice.broker.engine.MountedEngine;
import io.felice.broker.partition.Environment;
import io.felice.broker.partition.LeaderPartition;
import java.io.IOException;
import java.util.Iterator;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the broker does again and again: looks after each partition, notes high watermarks on disk, lets go of what topics
 * no longer keep, compacts what they want compacted, and looks for room where there was none. Begun by the timer, decided
 * on the broker's thread, done on the engines' threads and in the background.
 */
final class Upkeep {
    private static final Logger log = LoggerFactory.getLogger(Upkeep.class);
    private static final int TICKS_PER_CHECKPOINT = 5;
    /** A look costs little; what is found takes as long as it takes. */
    private static final int TICKS_PER_COMPACTION = 5;
    /** Retention does not wait for its time where only it can make room. */
    private static final int TICKS_PER_RETENTION_WHILE_FULL = 2;

    private final Environment environment;
    private final Executor main;
    private final Engines engines;
    private final NodeConfigs configs;
    private final Replicas replicas;
    private final NodeState state;
    /** Engines that are being worked on; one pass at a time. */
    private final Set<MountedEngine> underWay = ConcurrentHashMap.newKeySet();
    /** Engines whose logs are being compacted, one after the other. */
    private final Set<MountedEngine> compacting = ConcurrentHashMap.newKeySet();

    // Of the broker's thread.
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
            NodeState state) {
        this.environment = environment;
        this.main = main;
        this.engines = engines;
        this.configs = configs;
        this.replicas = replicas;
        this.state = state;
        this.lastRetention = environment.nanos().getAsLong();
    }

    /** Every second or so, on the timer's thread. */
    void tick() {
        for (MountedEngine engine : engines.all()) {
            try {
                engine.startWaiting();
            } catch (RuntimeException | Error failure) {
                log.warn(
                        "The threads of the storage engine {} cannot be started: {}",
                        engine.name(),
                        failure.toString());
            }
        }
        for (LeaderPartition partition : replicas.leaders()) {
            try {
                partition.tick();
            } catch (RuntimeException | Error failure) {
                log.warn("{} cannot be looked after: {}", partition.id(), failure.toString());
            }
        }
        main.execute(this::decide);
    }

    private void decide() {
        ticks++;
        if (ticks % TICKS_PER_CHECKPOINT == 0) {
            checkpoint();
        }
        if (ticks % TICKS_PER_COMPACTION == 0) {
            engines.all().forEach(this::compact);
        }
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
    }

    private static void retain(LeaderPartition partition) {
        try {
            partition.retain();
        } catch (RuntimeException failure) {
            log.warn("Retention of {} failed: {}", partition.id(), failure.toString());
        }
    }

    /** Not while logs are being opened: they leave one thread free, for what cannot wait as long. */
    private void compact(MountedEngine engine) {
        if (!engine.openings().areUnderWay() && compacting.add(engine)) {
            Iterator<LeaderPartition> partitions = replicas.leaders().stream()
                    .filter(partition -> partition.log().engine() == engine)
                    .iterator();
            engine.execute(() -> compactNext(engine, partitions));
        }
    }

    /** A partition that has nothing to be done is done at once, so that a thread does many in a loop. */
    private void compactNext(MountedEngine engine, Iterator<LeaderPartition> partitions) {
        while (partitions.hasNext() && !engine.openings().areUnderWay()) {
            CompletionStage<Void> compacted = partitions.next().log().compact();
            if (!compacted.toCompletableFuture().isDone()) {
                compacted.thenRun(() -> engine.execute(() -> compactNext(engine, partitions)));
                return;
            }
        }
        compacting.remove(engine);
    }

    /** On the broker's thread: high watermarks that have changed are written. */
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
            log.warn("High watermarks cannot be written: {}", failure.toString());
        }
    }
}
