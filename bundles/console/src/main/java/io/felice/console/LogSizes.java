package io.felice.console;

import io.felice.api.TopicPartition;
import io.felice.api.partition.LogDir;
import io.felice.api.partition.Partitions;
import io.felice.console.http.ApiRequest;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The sizes of the logs on this node, as they were some seconds ago: a list of thousands of topics does not wait for its
 * disks. Any thread.
 */
final class LogSizes {
    private static final long FRESH_NANOS = TimeUnit.SECONDS.toNanos(5);
    private static final int PATIENCE_MS = 150;

    private final NodeServices services;
    private final AtomicBoolean isBeingRead = new AtomicBoolean();
    private volatile Snapshot snapshot;

    LogSizes(NodeServices services) {
        this.services = services;
    }

    private record Snapshot(long at, List<LogDir> dirs, Map<TopicPartition, Long> bytes) {}

    /** Bytes by partition; empty before they were read first. */
    Map<TopicPartition, Long> bytes() {
        Snapshot known = known();
        return known == null ? Map.of() : known.bytes();
    }

    /** The directories with their replicas; waits for them the first time. */
    List<LogDir> dirs() {
        Snapshot known = known();
        return known == null ? ApiRequest.await(services.need(Partitions.class).logDirs()) : known.dirs();
    }

    private Snapshot known() {
        Snapshot known = snapshot;
        if (known == null || System.nanoTime() - known.at() > FRESH_NANOS) {
            CompletableFuture<Snapshot> fresh = read();
            if (known == null) {
                return fresh.completeOnTimeout(null, PATIENCE_MS, TimeUnit.MILLISECONDS)
                        .exceptionally(unread -> null)
                        .join();
            }
        }
        return known;
    }

    private CompletableFuture<Snapshot> read() {
        Partitions partitions = services.find(Partitions.class).orElse(null);
        if (partitions == null || !isBeingRead.compareAndSet(false, true)) {
            return CompletableFuture.completedFuture(snapshot);
        }
        try {
            return partitions
                    .logDirs()
                    .thenApply(dirs -> snapshot = new Snapshot(System.nanoTime(), dirs, bytes(dirs)))
                    .whenComplete((read, failure) -> isBeingRead.set(false))
                    .toCompletableFuture();
        } catch (RuntimeException stopped) {
            isBeingRead.set(false);
            return CompletableFuture.completedFuture(snapshot);
        }
    }

    private static Map<TopicPartition, Long> bytes(List<LogDir> dirs) {
        Map<TopicPartition, Long> bytes = new HashMap<>();
        for (LogDir dir : dirs) {
            for (LogDir.ReplicaSize replica : dir.replicas()) {
                if (!replica.isFuture()) {
                    bytes.put(replica.partition(), replica.sizeInBytes());
                }
            }
        }
        return bytes;
    }
}
