package io.felice.broker;

import io.felice.api.ErrorCode;
import io.felice.api.partition.LogDir;
import io.felice.api.partition.LogDir.ReplicaSize;
import io.felice.api.storage.Volume;
import io.felice.broker.engine.Engines;
import io.felice.broker.engine.MountedEngine;
import io.felice.broker.partition.OpenedLog;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;

/**
 * Lists each storage engine as a log dir with its replicas. Every engine is asked on threads of its own; one that does not
 * answer in time, or fails, has an error. Any thread.
 */
final class LogDirs {
    private static final int LIMIT_MS = 5_000;

    private final Replicas replicas;
    private final Engines engines;

    LogDirs(Replicas replicas, Engines engines) {
        this.replicas = replicas;
        this.engines = engines;
    }

    CompletableFuture<List<LogDir>> list() {
        Map<String, List<Replica>> byEngine = new TreeMap<>();
        for (Replica replica : replicas.all()) {
            String engine = replica.engine;
            if (engine != null) {
                byEngine.computeIfAbsent(engine, unused -> new ArrayList<>()).add(replica);
            }
        }
        List<CompletableFuture<LogDir>> dirs = new ArrayList<>();
        for (MountedEngine engine : engines.all()) {
            List<Replica> here = byEngine.remove(engine.name());
            dirs.add(ask(engine, here == null ? List.of() : here));
        }
        byEngine.forEach((name, missing) -> dirs.add(CompletableFuture.completedFuture(failed(name + ":", missing))));
        return CompletableFuture.allOf(dirs.toArray(CompletableFuture[]::new))
                .thenApply(all -> dirs.stream().map(CompletableFuture::join).toList());
    }

    private static CompletableFuture<LogDir> ask(MountedEngine engine, List<Replica> replicas) {
        return engine.calls()
                .call("volume() or segments()", LIMIT_MS, () -> {
                    List<ReplicaSize> sizes =
                            replicas.stream().map(LogDirs::sizeOf).toList();
                    return new LogDir(engine.volumeHere(), ErrorCode.NONE, sizes);
                })
                .exceptionally(failure -> failed(engine.logDir(), replicas));
    }

    private static ReplicaSize sizeOf(Replica replica) {
        OpenedLog log = replica.log;
        return new ReplicaSize(replica.partition, log == null ? 0 : log.sizeInBytes(), 0);
    }

    private static LogDir failed(String dir, List<Replica> replicas) {
        List<ReplicaSize> unknown = replicas.stream()
                .map(replica -> new ReplicaSize(replica.partition, 0, 0))
                .toList();
        return new LogDir(new Volume(dir, -1, -1), ErrorCode.KAFKA_STORAGE_ERROR, unknown);
    }
}
