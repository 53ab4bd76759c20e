package io.felice.broker.engine;

import io.felice.api.storage.StorageEngine;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The mounted storage engines, by name. Any thread. */
public final class Engines {
    private static final Logger log = LoggerFactory.getLogger(Engines.class);

    private final Map<String, MountedEngine> mounted = new ConcurrentSkipListMap<>();
    private final int threads;
    private final LongSupplier nanos;
    private volatile String clusterId;

    public Engines(int threads, LongSupplier nanos) {
        this.threads = threads;
        this.nanos = nanos;
    }

    /** @return the engine that had this name before */
    public Optional<MountedEngine> mount(String name, StorageEngine engine) {
        MountedEngine fresh = new MountedEngine(name, engine, threads, nanos);
        String cluster = clusterId;
        if (cluster != null) {
            fresh.belongTo(cluster).whenComplete((claimed, refused) -> {
                if (refused != null) {
                    log.error("The storage engine {} is not used. {}", name, refused.getMessage());
                }
            });
        }
        return Optional.ofNullable(mounted.put(name, fresh));
    }

    /**
     * Tells the mounted engines, and those mounted later, the cluster that their logs must belong to.
     *
     * @return fails with INCONSISTENT_CLUSTER_ID if the logs of a mounted engine belong to another cluster
     */
    public CompletableFuture<Void> belongTo(String cluster) {
        clusterId = cluster;
        return CompletableFuture.allOf(
                all().stream().map(engine -> engine.belongTo(cluster)).toArray(CompletableFuture[]::new));
    }

    /** @return empty if another engine has this name now */
    public Optional<MountedEngine> unmount(String name, StorageEngine engine) {
        MountedEngine found = mounted.get(name);
        return found != null && found.engine() == engine && mounted.remove(name, found)
                ? Optional.of(found)
                : Optional.empty();
    }

    public Optional<MountedEngine> find(String name) {
        return Optional.ofNullable(mounted.get(name));
    }

    public List<MountedEngine> all() {
        return List.copyOf(mounted.values());
    }

    public List<String> names() {
        return List.copyOf(mounted.keySet());
    }
}
