package io.felice.broker.engine;

import io.felice.api.storage.StorageEngine;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.LongSupplier;

/** The storage engines that are here now, by name. Any thread. */
public final class Engines {
    private final Map<String, MountedEngine> mounted = new ConcurrentSkipListMap<>();
    private final int threads;
    private final LongSupplier nanos;

    public Engines(int threads, LongSupplier nanos) {
        this.threads = threads;
        this.nanos = nanos;
    }

    /** @return what an engine of that name was before */
    public Optional<MountedEngine> mount(String name, StorageEngine engine) {
        return Optional.ofNullable(mounted.put(name, new MountedEngine(name, engine, threads, nanos)));
    }

    /** @return empty if another engine has taken the name already */
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
