package io.felice.broker.engine;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentSkipListMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The mounted storage engines, by name. Any thread. */
public final class Engines {
    private static final Logger log = LoggerFactory.getLogger(Engines.class);

    private final Map<String, MountedEngine> mounted = new ConcurrentSkipListMap<>();
    private volatile String clusterId;

    /** No engine of this name may be mounted. */
    public void mount(MountedEngine fresh) {
        String cluster = clusterId;
        if (cluster != null) {
            fresh.belongTo(cluster).whenComplete((claimed, refused) -> {
                if (refused != null) {
                    log.error("The storage engine {} is not used. {}", fresh.name(), refused.getMessage());
                }
            });
        }
        mounted.put(fresh.name(), fresh);
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

    public void unmount(MountedEngine engine) {
        mounted.remove(engine.name(), engine);
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
