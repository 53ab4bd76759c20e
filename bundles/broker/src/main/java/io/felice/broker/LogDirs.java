package io.felice.broker;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.partition.LogDir;
import io.felice.api.partition.LogDir.ReplicaSize;
import io.felice.api.storage.Volume;
import io.felice.broker.engine.Engines;
import io.felice.broker.engine.MountedEngine;
import io.felice.broker.partition.FollowerPartition;
import io.felice.broker.partition.LogCopy;
import io.felice.broker.partition.OpenedLog;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;

/**
 * Lists each storage engine as a log dir with its replicas. Every engine is asked on threads of its own; one that does not
 * answer in time, or fails, has an error. Any thread.
 */
final class LogDirs {
    private static final int LIMIT_MS = 5_000;

    private final Replicas replicas;
    private final Engines engines;
    private final Moves moves;

    LogDirs(Replicas replicas, Engines engines, Moves moves) {
        this.moves = moves;
        this.replicas = replicas;
        this.engines = engines;
    }

    /**
     * A log in a directory.
     *
     * @param log null if it is not open
     * @param lag how many offsets a copy is behind
     */
    private record Kept(TopicPartition partition, OpenedLog log, LongSupplier lag, boolean isFuture) {
        ReplicaSize size() {
            return new ReplicaSize(partition, log == null ? 0 : log.sizeInBytes(), lag.getAsLong(), isFuture);
        }

        ReplicaSize unknown() {
            return new ReplicaSize(partition, 0, 0, isFuture);
        }
    }

    private static Kept kept(Replica replica) {
        LongSupplier lag = () -> replica.role() instanceof FollowerPartition follower ? follower.lag() : 0;
        return new Kept(replica.partition, replica.log, lag, false);
    }

    private Kept future(Move move) {
        LogCopy copy = move.copy;
        if (copy != null) {
            return new Kept(moves.partitionOf(move), copy.log(), copy::lag, true);
        }
        Replica replica = replicas.find(move.id);
        OpenedLog log = replica == null ? null : replica.log;
        LongSupplier everything = log == null ? () -> 0 : () -> log.endOffset() - log.startOffset();
        return new Kept(moves.partitionOf(move), null, everything, true);
    }

    CompletableFuture<List<LogDir>> list() {
        Map<String, List<Kept>> byEngine = new TreeMap<>();
        for (Replica replica : replicas.all()) {
            String engine = replica.engine;
            if (engine != null) {
                byEngine.computeIfAbsent(engine, unused -> new ArrayList<>()).add(kept(replica));
            }
        }
        for (Move move : moves.underWay()) {
            byEngine.computeIfAbsent(move.to, unused -> new ArrayList<>()).add(future(move));
        }
        List<CompletableFuture<LogDir>> dirs = new ArrayList<>();
        for (MountedEngine engine : engines.all()) {
            List<Kept> here = byEngine.remove(engine.name());
            dirs.add(ask(engine, here == null ? List.of() : here));
        }
        byEngine.forEach((name, missing) -> dirs.add(CompletableFuture.completedFuture(failed(name + ":", missing))));
        return CompletableFuture.allOf(dirs.toArray(CompletableFuture[]::new))
                .thenApply(all -> dirs.stream().map(CompletableFuture::join).toList());
    }

    private static CompletableFuture<LogDir> ask(MountedEngine engine, List<Kept> logs) {
        return engine.calls()
                .call("volume() or segments()", engine.limitMs(LIMIT_MS), () -> {
                    List<ReplicaSize> sizes = logs.stream().map(Kept::size).toList();
                    return new LogDir(engine.volumeHere(), ErrorCode.NONE, sizes);
                })
                .exceptionally(failure -> failed(engine.logDir(), logs));
    }

    private static LogDir failed(String dir, List<Kept> logs) {
        List<ReplicaSize> unknown = logs.stream().map(Kept::unknown).toList();
        return new LogDir(new Volume(dir, -1, -1), ErrorCode.KAFKA_STORAGE_ERROR, unknown);
    }
}
