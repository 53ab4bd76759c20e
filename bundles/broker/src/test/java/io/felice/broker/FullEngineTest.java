package io.felice.broker;

import static io.felice.broker.partition.Bench.eventually;
import static io.felice.broker.partition.Bench.get;
import static io.felice.broker.partition.Bench.refused;
import static io.felice.testkit.TestBatches.batch;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.config.TopicConfig;
import io.felice.api.partition.Partition;
import io.felice.api.partition.Partition.Appended;
import io.felice.api.partition.Partition.ReadLimit;
import io.felice.api.storage.Records;
import io.felice.broker.partition.ScriptedEngine;
import io.felice.storage.memory.MemoryStorageEngine;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FullEngineTest {
    private static final int BUDGET = 200_000;
    private static final int VALUE = 5_000;
    private static final Map<String, String> SMALL_SEGMENTS = Map.of(TopicConfig.SEGMENT_BYTES, "20000");

    @TempDir
    Path directory;

    private final ScriptedEngine disk = new ScriptedEngine(Clock.systemUTC());
    private SoloBroker solo;

    @BeforeEach
    void setUp() {
        MemoryStorageEngine memory = new MemoryStorageEngine(BUDGET, Clock.systemUTC());
        solo = new SoloBroker(directory, Map.of("memory", memory, "disk", disk));
    }

    @AfterEach
    void tearDown() {
        solo.close();
    }

    private static int bytesOf(Partition partition, long from) {
        try (Records records = get(partition.read(from, 1 << 20, ReadLimit.HIGH_WATERMARK))) {
            return records.sizeInBytes();
        }
    }

    /** Appends until the engine is full; returns the offset after the last acknowledged record. */
    private long fill(String topic) {
        long end = 0;
        while (true) {
            try {
                end = get(solo.produce(topic, batch(1).valueBytes(VALUE))).lastOffset() + 1;
            } catch (FeliceException full) {
                assertThat(full.code()).isEqualTo(ErrorCode.KAFKA_STORAGE_ERROR);
                return end;
            }
        }
    }

    private void refusesRecords(String topic) {
        refused(ErrorCode.KAFKA_STORAGE_ERROR, () -> get(solo.produce(topic, batch(1))));
    }

    private void acceptsRecordsFrom(String topic, long offset) {
        eventually(() ->
                assertThat(get(solo.produce(topic, batch(1))).baseOffset()).isEqualTo(offset));
    }

    private static void failToOpen() {
        throw ErrorCode.KAFKA_STORAGE_ERROR.because("Input/output error");
    }

    @Test
    void aFullEngineAcceptsNoRecordsButServesItsRecords() {
        solo.create("memory-orders", Map.of());
        solo.create("memory-small", Map.of());
        solo.create("disk-orders", Map.of());
        get(solo.produce("memory-small", batch(3)));

        long end = fill("memory-orders");

        refusesRecords("memory-small");
        assertThat(solo.ofEngine("memory", "full")).isEqualTo(true);
        assertThat((Long) solo.ofEngine("memory", "refused")).isPositive();
        assertThat(solo.offline()).isZero();
        Partition orders = solo.led("memory-orders");
        assertThat(orders.highWatermark()).isEqualTo(end);
        assertThat(bytesOf(orders, 0)).isGreaterThan(VALUE * (int) end);
        assertThat(bytesOf(solo.led("memory-small"), 0)).isPositive();
        assertThat(get(solo.produce("disk-orders", batch(1))).baseOffset()).isZero();
        assertThat(solo.ofEngine("disk", "full")).isEqualTo(false);
    }

    @Test
    void afterRecordsAreDeletedAFullEngineAcceptsRecordsOfAllTopics() {
        solo.create("memory-orders", SMALL_SEGMENTS);
        solo.create("memory-small", Map.of());
        get(solo.produce("memory-small", batch(3)));
        long end = fill("memory-orders");

        long start = get(solo.led("memory-orders").deleteRecords(end / 2));

        assertThat(start).isEqualTo(end / 2);
        acceptsRecordsFrom("memory-orders", end);
        acceptsRecordsFrom("memory-small", 3);
        assertThat(solo.ofEngine("memory", "full")).isEqualTo(false);
    }

    @Test
    void aFullEngineAppliesRetentionBeforeTheNextInterval() {
        solo.create("memory-orders", SMALL_SEGMENTS);
        long end = fill("memory-orders");

        solo.configure("memory-orders", TopicConfig.RETENTION_BYTES, "50000");

        acceptsRecordsFrom("memory-orders", end);
        assertThat(solo.led("memory-orders").logStartOffset()).isPositive();
    }

    @Test
    void idempotentRecordsAreNeitherLostNorDuplicatedWhileTheEngineIsFullAtTimes() {
        solo.create("memory-orders", Map.of(TopicConfig.SEGMENT_BYTES, "20000", TopicConfig.RETENTION_BYTES, "40000"));
        int count = 2 * BUDGET / VALUE;

        for (int sequence = 0; sequence < count; sequence++) {
            assertThat(persist("memory-orders", sequence)).isEqualTo(sequence);
        }

        assertThat(solo.led("memory-orders").logEndOffset()).isEqualTo(count);
        assertThat((Long) solo.ofEngine("memory", "refused")).isPositive();
    }

    /** Sends one record and retries until it is acknowledged, as a client does. */
    private long persist(String topic, int sequence) {
        while (true) {
            try {
                return get(solo.produce(topic, batch(1).valueBytes(VALUE).producer(5, 0, sequence)))
                        .baseOffset();
            } catch (FeliceException retriable) {
                assertThat(retriable.code()).isIn(ErrorCode.KAFKA_STORAGE_ERROR, ErrorCode.NOT_LEADER_OR_FOLLOWER);
                LockSupport.parkNanos(10_000_000);
            }
        }
    }

    @Test
    void afterATopicIsDeletedAFullEngineAcceptsRecords() {
        solo.create("memory-small", Map.of());
        solo.create("memory-orders", Map.of());
        fill("memory-orders");
        refusesRecords("memory-small");

        solo.delete("memory-orders");

        acceptsRecordsFrom("memory-small", 0);
    }

    @Test
    void aLogThatRanOutOfSpaceIsOpenedAgainBeforeItIsWrittenTo() {
        solo.create("disk-orders", Map.of());
        solo.create("disk-calm", Map.of());
        get(solo.produce("disk-orders", batch(5)));
        get(solo.produce("disk-calm", batch(2)));
        int opens = disk.opens.get();
        disk.noSpace = true;
        disk.usable = 0;

        refusesRecords("disk-orders");

        eventually(() -> assertThat(disk.opens).hasValue(opens + 1));
        assertThat(solo.led("disk-orders").highWatermark()).isGreaterThanOrEqualTo(5);
        assertThat(bytesOf(solo.led("disk-orders"), 0)).isPositive();
        refusesRecords("disk-orders");
        refusesRecords("disk-calm");
        assertThat(bytesOf(solo.led("disk-calm"), 0)).isPositive();
        assertThat(solo.offline()).isZero();
        assertThat(disk.opens).hasValue(opens + 1);
        disk.noSpace = false;
        disk.usable = 1L << 30;
        acceptsRecordsFrom("disk-calm", 2);
        assertThat(get(solo.produce("disk-orders", batch(1))).baseOffset()).isGreaterThanOrEqualTo(5);
    }

    @Test
    void recordsOfAFullDiskCanBeDeleted() {
        disk.writesThrough = true;
        solo.create("disk-orders", SMALL_SEGMENTS);
        for (int i = 0; i < 10; i++) {
            get(solo.produce("disk-orders", batch(1).valueBytes(VALUE)));
        }
        disk.noSpace = true;
        disk.usable = 0;
        refusesRecords("disk-orders");

        assertThat(get(solo.led("disk-orders").deleteRecords(6))).isEqualTo(6);

        assertThat(solo.led("disk-orders").logStartOffset()).isEqualTo(6);
        solo.configure("disk-orders", TopicConfig.RETENTION_MS, "0");
        eventually(() -> assertThat(solo.led("disk-orders").logStartOffset()).isEqualTo(10));
        disk.noSpace = false;
        disk.usable = 1L << 30;
        acceptsRecordsFrom("disk-orders", 10);
    }

    @Test
    void allQueuedAppendsAreRefusedWhenTheEngineIsFull() {
        solo.create("disk-orders", Map.of());
        get(solo.produce("disk-orders", batch(1)));
        disk.writesThrough = true;
        disk.noSpace = true;
        disk.usable = 0;
        List<CompletionStage<Appended>> answers = new ArrayList<>();

        for (int i = 0; i < 20; i++) {
            answers.add(solo.produce("disk-orders", batch(1)));
        }

        answers.forEach(answer -> refused(ErrorCode.KAFKA_STORAGE_ERROR, () -> get(answer)));
        eventually(() -> assertThat(solo.led("disk-orders").logEndOffset()).isEqualTo(1));
    }

    @Test
    void aHangingDeviceDoesNotBlockAnotherEngine() throws Exception {
        solo.create("disk-orders", Map.of());
        get(solo.produce("disk-orders", batch(1)));
        CompletableFuture<Void> hanging = new CompletableFuture<>();
        disk.onSettle = hanging::join;
        Thread producer = new Thread(() -> solo.produce("disk-orders", batch(1)));
        producer.start();
        try {
            eventually(() -> assertThat(hanging.getNumberOfDependents()).isEqualTo(1));
            solo.configure("disk-orders", TopicConfig.SEGMENT_BYTES, "30000");
            solo.delete("disk-orders");

            solo.create("memory-orders", Map.of());

            assertThat(get(solo.produce("memory-orders", batch(1))).baseOffset())
                    .isZero();
            assertThat(hanging).isNotDone();
        } finally {
            hanging.complete(null);
            producer.join();
        }
    }

    @Test
    void aFailedFsyncTakesThePartitionOfflineAlsoOnAFullDevice() {
        solo.create("disk-orders", Map.of(TopicConfig.STORAGE_DURABILITY, "power"));
        get(solo.produce("disk-orders", batch(1)));
        disk.flushesAtOnce = false;
        disk.usable = 0;
        CompletionStage<Appended> waiting = solo.produce("disk-orders", batch(1));
        CompletableFuture<Void> fsync = disk.flushes.poll();
        disk.onOpen = FullEngineTest::failToOpen;

        fsync.completeExceptionally(new IOException("Input/output error"));

        refused(ErrorCode.KAFKA_STORAGE_ERROR, () -> get(waiting));
        eventually(() -> assertThat(solo.offline()).isEqualTo(1));
        disk.onOpen = () -> {};
        disk.flushesAtOnce = true;
        disk.usable = 1L << 30;
        eventually(() -> assertThat(get(solo.produce("disk-orders", batch(1))).baseOffset())
                .isPositive());
    }

    @Test
    void aFailedWriteOnADeviceWithFreeSpaceTakesThePartitionOffline() {
        solo.create("disk-orders", Map.of());
        solo.create("disk-calm", Map.of());
        get(solo.produce("disk-orders", batch(1)));
        disk.writesThrough = true;
        disk.usable = 1L << 30;
        disk.noSpace = true;
        disk.onOpen = FullEngineTest::failToOpen;

        refusesRecords("disk-orders");

        eventually(() -> assertThat(solo.offline()).isEqualTo(1));
        disk.onOpen = () -> {};
        disk.noSpace = false;
        assertThat(solo.ofEngine("disk", "full")).isEqualTo(false);
        assertThat(get(solo.produce("disk-calm", batch(1))).baseOffset()).isZero();
        acceptsRecordsFrom("disk-orders", 1);
    }
}
