package io.felice.broker;

import io.felice.api.cluster.ClusterView;
import io.felice.api.storage.LogId;
import io.felice.broker.engine.Engines;
import io.felice.broker.engine.MountedEngine;
import io.felice.broker.partition.Environment;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds and removes stray logs: logs that belong to no replica of this node in the cluster's view.
 *
 * <p>A stray log is deleted only if this node knows that the topic was deleted or that the replica was moved to another
 * node. The node knows this if it used the log in this cluster ({@link NodeState} has files for the log) and the
 * metadata has not gone back to an older version since. All other stray logs are unknown: they are set aside, and an
 * operator decides.
 *
 * <p>Decides on the broker's thread; lists and deletes logs on the engines' threads.
 */
final class StrayLogs {
    private static final Logger log = LoggerFactory.getLogger(StrayLogs.class);
    private static final int MOST_NAMES = 20;

    private final Environment environment;
    private final Executor main;
    private final Engines engines;
    private final Supplier<ClusterView> view;
    private final Predicate<LogId> inUse;

    /**
     * @param inUse true for a log that a replica uses, or that is to be deleted later; called on the broker's thread
     */
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

    /** A stray log of which this node does not know whether it may be deleted. */
    record Unknown(LogId id, MountedEngine engine) {}

    // ---- what this node knows

    /**
     * Must be called before the replicas follow a view. The metadata can be older than the metadata that this node
     * followed before, for example after a restore. Then a topic that the metadata lacks may have been deleted, or may
     * have been created after that older version. Logs of such topics become unknown.
     */
    void following(ClusterView news, NodeState state) {
        long newest = state.metadataVersion();
        if (news.version() == newest) {
            return;
        }
        if (news.version() < newest) {
            forgetStrays(news, newest, state);
        }
        state.followed(news.version());
        environment.background().execute(() -> write(state));
    }

    private void forgetStrays(ClusterView older, long newest, NodeState state) {
        log.warn(
                "The cluster's metadata has gone back to version {}; this node had followed version {}."
                        + " Logs of topics that are not in the older metadata are kept",
                older.version(),
                newest);
        state.known().stream().filter(id -> isStray(older, id)).forEach(state::forget);
    }

    private static void write(NodeState state) {
        try {
            state.writeMetadataVersion();
        } catch (IOException failure) {
            log.warn("The version of the metadata was not written to the data directory: {}", failure.toString());
        }
    }

    private static boolean isKnown(MountedEngine engine, LogId id, NodeState state) {
        return state.isKnown(id, engine.name());
    }

    private boolean isStray(ClusterView now, LogId id) {
        return now.topic(id.topicId())
                .flatMap(topic -> topic.partition(id.partition()))
                .filter(partition -> partition.replicas().contains(environment.brokerId()))
                .isEmpty();
    }

    private boolean isStrayNow(LogId id) {
        return isStray(view.get(), id) && !inUse.test(id);
    }

    // ---- looking for them

    /**
     * Deletes stray logs that this node knows and sets the others aside.
     *
     * @param complete a view that has the topics of all logs of this node, unless they were deleted
     */
    void remove(ClusterView complete, NodeState state) {
        for (MountedEngine engine : engines.all()) {
            logsOf(engine).thenAcceptAsync(here -> remove(engine, here, complete, state), main);
        }
    }

    /** Fails if the engine cannot list its logs. */
    private static CompletableFuture<Set<LogId>> logsOf(MountedEngine engine) {
        CompletableFuture<Set<LogId>> logs = new CompletableFuture<>();
        engine.execute(() -> {
            try {
                logs.complete(engine.logs());
            } catch (RuntimeException | Error failure) {
                log.warn(
                        "The storage engine {} cannot list its logs; stray logs in it are neither deleted nor shown",
                        engine.name(),
                        failure);
                logs.completeExceptionally(failure);
            }
        });
        return logs;
    }

    private void remove(MountedEngine engine, Set<LogId> here, ClusterView complete, NodeState state) {
        List<LogId> unknown = new ArrayList<>();
        for (LogId id : here) {
            if (isStray(complete, id) && isStrayNow(id)) {
                if (isKnown(engine, id, state)) {
                    delete(engine, id, state);
                } else {
                    unknown.add(id);
                }
            }
        }
        state.known().stream()
                .filter(id -> isKnown(engine, id, state) && !here.contains(id))
                .filter(id -> isStray(complete, id) && isStrayNow(id))
                .forEach(id -> environment.background().execute(() -> state.deleted(id, engine.name())));
        if (!unknown.isEmpty()) {
            setAside(engine, unknown);
        }
    }

    /** The unknown stray logs of all engines that can list their logs. */
    CompletableFuture<List<Unknown>> unknown(NodeState state) {
        List<CompletableFuture<List<Unknown>>> found =
                engines.all().stream().map(engine -> unknown(engine, state)).toList();
        return CompletableFuture.allOf(found.toArray(CompletableFuture[]::new))
                .thenApply(done ->
                        found.stream().flatMap(one -> one.join().stream()).toList());
    }

    private CompletableFuture<List<Unknown>> unknown(MountedEngine engine, NodeState state) {
        return logsOf(engine)
                .exceptionally(failure -> Set.of())
                .thenApplyAsync(
                        here -> here.stream()
                                .filter(id -> isStrayNow(id) && !isKnown(engine, id, state))
                                .map(id -> new Unknown(id, engine))
                                .toList(),
                        main);
    }

    // ---- removing them

    private static void setAside(MountedEngine engine, Collection<LogId> unknown) {
        engine.execute(() -> {
            unknown.forEach(id -> setAside(engine, id));
            log.warn(
                    "The cluster does not know the topics of {} logs in {}: {}. They are set aside and kept."
                            + " felice:strays lists them; felice:strays take-in TOPIC makes a topic again with its"
                            + " records; felice:strays delete TOPIC deletes them",
                    unknown.size(),
                    engine.logDir(),
                    names(unknown));
        });
    }

    /** On the engine's threads. */
    static void setAside(MountedEngine engine, LogId id) {
        try {
            engine.setAside(id);
        } catch (RuntimeException failure) {
            log.warn("The log of {} cannot be set aside and stays where it is: {}", id, failure.toString());
        }
    }

    private static String names(Collection<LogId> logs) {
        TreeMap<String, Long> partitions =
                logs.stream().collect(Collectors.groupingBy(LogId::topic, TreeMap::new, Collectors.counting()));
        String first = partitions.entrySet().stream()
                .limit(MOST_NAMES)
                .map(topic -> topic.getKey() + " (" + topic.getValue() + ")")
                .collect(Collectors.joining(", "));
        return partitions.size() > MOST_NAMES ? first + " and " + (partitions.size() - MOST_NAMES) + " more" : first;
    }

    /**
     * Deletes a log whose replica has left the view, and the files that the broker keeps for the log. The result is done
     * when the log is deleted, or cannot be.
     */
    CompletableFuture<Void> delete(MountedEngine engine, LogId id, NodeState state) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        engine.execute(() -> {
            try {
                deleteNow(engine, id, state);
            } catch (RuntimeException failure) {
                log.warn("The log of {} cannot be deleted: {}", id, failure.toString());
            } finally {
                done.complete(null);
            }
        });
        return done;
    }

    /** On the engine's threads. */
    static void deleteNow(MountedEngine engine, LogId id, NodeState state) {
        engine.delete(id);
        state.deleted(id, engine.name());
        state.files(id, engine.name()).deleteAll();
        log.info("Deleted the log of {}", id);
    }
}
