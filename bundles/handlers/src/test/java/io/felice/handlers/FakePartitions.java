package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.Subscription;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.Outcome;
import io.felice.api.partition.FetchPlan;
import io.felice.api.partition.FetchedPartition;
import io.felice.api.partition.LeadershipListener;
import io.felice.api.partition.LogDir;
import io.felice.api.partition.LogMove;
import io.felice.api.partition.Partition;
import io.felice.api.partition.Partitions;
import io.felice.api.partition.RepeatedFetch;
import io.felice.api.storage.Records;
import io.felice.api.storage.Volume;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;

/** Partitions that this broker leads, errors for other partitions, and the bytes that fetches return. */
final class FakePartitions implements Partitions {
    final List<FetchPlan> plans = new ArrayList<>();
    final Map<TopicPartition, String> moved = new HashMap<>();
    final AtomicInteger pinned = new AtomicInteger();

    private final Map<TopicPartition, FakePartition> led = new HashMap<>();
    private final Map<TopicPartition, ErrorCode> errors = new HashMap<>();
    private final Map<TopicPartition, byte[]> waiting = new HashMap<>();
    private final Map<TopicPartition, Long> highWatermarks = new HashMap<>();
    private final Map<TopicPartition, Integer> preferred = new HashMap<>();
    private CompletableFuture<Void> gate = CompletableFuture.completedFuture(null);
    private CompletionStage<Long> producerId = CompletableFuture.completedFuture(4711L);

    FakePartition lead(String topic, int partition) {
        TopicPartition id = new TopicPartition(topic, partition);
        errors.remove(id);
        return led.computeIfAbsent(id, FakePartition::new);
    }

    void fail(String topic, int partition, ErrorCode error) {
        errors.put(new TopicPartition(topic, partition), error);
    }

    /** The next fetch of the partition returns these bytes and this high watermark. */
    void put(String topic, int partition, byte[] bytes, long highWatermark) {
        waiting.put(new TopicPartition(topic, partition), bytes);
        highWatermarks.put(new TopicPartition(topic, partition), highWatermark);
    }

    /** Fetches of the partition are told to read from this broker. */
    void prefer(String topic, int partition, int broker) {
        preferred.put(new TopicPartition(topic, partition), broker);
    }

    void waitFor(CompletableFuture<Void> gate) {
        this.gate = gate;
    }

    void producerId(CompletionStage<Long> next) {
        this.producerId = next;
    }

    @Override
    public Partition leader(TopicPartition partition) {
        ErrorCode error = errors.get(partition);
        if (error != null) {
            throw error.because(partition + " is not to be had");
        }
        FakePartition found = led.get(partition);
        if (found == null) {
            throw ErrorCode.UNKNOWN_TOPIC_OR_PARTITION.because(partition + " is unknown");
        }
        return found;
    }

    @Override
    public CompletionStage<List<FetchedPartition>> fetch(FetchPlan plan) {
        plans.add(plan);
        return gate.thenApply(open ->
                plan.wants().stream().map(want -> fetch(want.partition())).toList());
    }

    private FetchedPartition fetch(TopicPartition id) {
        if (errors.containsKey(id)) {
            return FetchedPartition.failed(id, errors.get(id));
        }
        if (!led.containsKey(id)) {
            return FetchedPartition.failed(id, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
        }
        long highWatermark = highWatermarks.getOrDefault(id, 20L);
        byte[] bytes = waiting.remove(id);
        if (bytes == null) {
            int replica = preferred.getOrDefault(id, FetchedPartition.NO_PREFERENCE);
            return new FetchedPartition(id, ErrorCode.NONE, highWatermark, 18, 10, null, replica, Records.EMPTY);
        }
        pinned.incrementAndGet();
        Records records = new Records.InMemory(List.of(ByteBuffer.wrap(bytes)), highWatermark, pinned::decrementAndGet);
        return new FetchedPartition(id, ErrorCode.NONE, highWatermark, 18, 10, null, records);
    }

    /** Reads all partitions each time, those last that had records the time before. */
    @Override
    public RepeatedFetch repeatedFetch() {
        Map<TopicPartition, FetchPlan.Want> wants = new LinkedHashMap<>();
        return new RepeatedFetch() {
            @Override
            public CompletionStage<List<FetchedPartition>> fetch(FetchPlan plan, Collection<TopicPartition> forgotten) {
                forgotten.forEach(wants::remove);
                plan.wants().forEach(want -> wants.put(want.partition(), want));
                return FakePartitions.this
                        .fetch(new FetchPlan(
                                List.copyOf(wants.values()),
                                plan.minBytes(),
                                plan.maxBytes(),
                                plan.maxWait(),
                                plan.readCommitted(),
                                plan.replicaId(),
                                plan.replicaEpoch(),
                                plan.rack()))
                        .thenApply(this::served);
            }

            private List<FetchedPartition> served(List<FetchedPartition> fetched) {
                fetched.stream()
                        .filter(one -> one.records().sizeInBytes() > 0)
                        .forEach(one -> wants.put(one.partition(), wants.remove(one.partition())));
                return fetched;
            }

            @Override
            public void close() {
                wants.clear();
            }
        };
    }

    @Override
    public CompletionStage<List<LogDir>> logDirs() {
        List<LogDir.ReplicaSize> replicas = led.keySet().stream()
                .map(id -> new LogDir.ReplicaSize(id, 1000, 0, false))
                .toList();
        return CompletableFuture.completedFuture(List.of(
                new LogDir(new Volume("log:/data", 10_000, 4_000), ErrorCode.NONE, replicas),
                new LogDir(new Volume("memory:", -1, -1), ErrorCode.KAFKA_STORAGE_ERROR, List.of())));
    }

    @Override
    public CompletionStage<Map<TopicPartition, Outcome<Void>>> move(Map<TopicPartition, String> targets) {
        moved.putAll(targets);
        Map<TopicPartition, Outcome<Void>> outcomes = new HashMap<>();
        targets.keySet()
                .forEach(id -> outcomes.put(
                        id,
                        led.containsKey(id)
                                ? Outcome.of(null)
                                : Outcome.failed(ErrorCode.REPLICA_NOT_AVAILABLE, id + " is not here")));
        return CompletableFuture.completedFuture(outcomes);
    }

    @Override
    public List<LogMove> moves() {
        return List.of();
    }

    @Override
    public Subscription listen(String topic, LeadershipListener listener) {
        return () -> {};
    }

    @Override
    public CompletionStage<Long> newProducerId() {
        return producerId;
    }
}
