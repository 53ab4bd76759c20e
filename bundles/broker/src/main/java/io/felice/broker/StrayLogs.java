package io.felice.broker;

import io.felice.api.cluster.ClusterView;
import io.felice.api.storage.LogId;
import io.felice.broker.engine.Engines;
import io.felice.broker.engine.MountedEngine;
import io.felice.broker.partition.Environment;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Logs that are no longer wanted here: of a topic that was deleted while the broker was away, or of a partition that went
 * elsewhere. Decides on the broker's thread; engines are asked and logs deleted on the engines' threads.
 */
final class StrayLogs {
    private static final Logger log = LoggerFactory.getLogger(StrayLogs.class);

    private final Environment environment;
    private final Executor main;
    private final Engines engines;
    private final Supplier<ClusterView> view;
    private final Predicate<LogId> inUse;

    /** @param inUse true of logs that somebody uses, or deletes when it is time; asked on the broker's thread */
    StrayLogs(
            Environment environment,
            Executor main,
            Engines engines,
            Supplier<ClusterView> view,
            Predicate<LogId> inUse) {
        this.environment = environment;
        this.main = main;
        this.engines = engines;
        this.view = view;
        this.inUse = inUse;
    }

    /**
     * Removes the logs of topics that no longer exist, and what is remembered of them.
     *
     * @param complete a view that is known to have every topic a log of this node can be of
     */
    void remove(ClusterView complete, NodeState state) {
        for (MountedEngine engine : engines.all()) {
            engine.execute(() -> {
                List<LogId> strays = engine.engine().logs().stream()
                        .filter(id -> isStray(complete, id))
                        .toList();
                main.execute(() -> strays.stream()
                        .filter(id -> isStray(view.get(), id) && !inUse.test(id))
                        .forEach(id -> delete(engine, id, state)));
            });
        }
        state.known().stream()
                .filter(id -> isStray(complete, id) && !inUse.test(id))
                .forEach(id -> environment.background().execute(() -> state.forget(id)));
    }

    private boolean isStray(ClusterView now, LogId id) {
        return now.topic(id.topicId())
                .flatMap(topic -> topic.partition(id.partition()))
                .filter(partition -> partition.replicas().contains(environment.brokerId()))
                .isEmpty();
    }

    /** Deletes a log and what is remembered of it, on the engine's threads. */
    void delete(MountedEngine engine, LogId id, NodeState state) {
        engine.execute(() -> {
            try {
                engine.engine().delete(id);
                state.forget(id);
                log.info("Deleted the log of {}", id);
            } catch (RuntimeException failure) {
                log.warn("The log of {} cannot be deleted: {}", id, failure.toString());
            }
        });
    }
}
