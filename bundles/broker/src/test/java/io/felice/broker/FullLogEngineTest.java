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
import io.felice.api.partition.Partition.ReadLimit;
import io.felice.api.storage.LogId;
import io.felice.api.storage.Records;
import io.felice.storage.log.LogSettings;
import io.felice.storage.log.LogStorageEngine;
import io.felice.storage.log.SmallDisk;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The default engine on a small disk. */
class FullLogEngineTest {
    private static final int CAPACITY = 2_000_000;
    private static final int VALUE = 5_000;
    private static final Map<String, String> SMALL_SEGMENTS = Map.of(TopicConfig.SEGMENT_BYTES, "100000");

    @TempDir
    Path temp;

    private SmallDisk disk;
    private LogStorageEngine engine;
    private SoloBroker solo;

    @BeforeEach
    void setUp() {
        disk = new SmallDisk(logs(), CAPACITY);
        engine = disk.engine();
        solo = new SoloBroker(temp.resolve("data"), Map.of("disk", engine));
    }

    @AfterEach
    void tearDown() {
        solo.close();
        engine.close();
    }

    private Path logs() {
        return temp.resolve("logs");
    }

    @Test
    void aLogStartOffsetThatCannotBeWrittenIsRefusedAtEveryAttempt() throws IOException {
        UUID topic = solo.create("orders", Map.of());
        get(solo.produce("orders", batch(10)));
        get(solo.produce("orders", batch(10)));
        Partition orders = solo.led("orders");
        disk.takenByOthers(true);

        for (int i = 0; i < 3; i++) {
            refused(ErrorCode.KAFKA_STORAGE_ERROR, () -> get(orders.deleteRecords(5)));
        }

        assertThat(solo.ofEngine("disk", "full")).isEqualTo(true);
        assertThat(solo.led("orders")).isSameAs(orders);
        assertThat(orders.logStartOffset()).isZero();
        assertThat(startAfterAKill(topic)).isZero();
        assertThat(bytesOf(orders)).isPositive();
        disk.takenByOthers(false);
        assertThat(get(orders.deleteRecords(5))).isEqualTo(5);
        assertThat(startAfterAKill(topic)).isEqualTo(5);
        eventually(() ->
                assertThat(get(solo.produce("orders", batch(1))).baseOffset()).isEqualTo(20));
    }

    @Test
    void onAFullDiskAtMostOneLogPerTopicFailsAndAcknowledgedRecordsAreReadable() {
        List<String> topics = List.of("orders", "clicks", "calm");
        topics.forEach(topic -> solo.create(topic, SMALL_SEGMENTS));
        long end = fill("orders", "clicks");
        long failed = failedLogs();

        for (int i = 0; i < 100; i++) {
            topics.forEach(topic -> refused(ErrorCode.KAFKA_STORAGE_ERROR, () -> get(solo.produce(topic, batch(1)))));
        }

        assertThat(failedLogs()).isEqualTo(failed).isBetween(1L, 2L);
        assertThat(solo.offline()).isZero();
        assertThat(solo.led("orders").highWatermark()).isGreaterThanOrEqualTo(end);
        assertThat(bytesOf(solo.led("orders"))).isPositive();
    }

    @Test
    void afterSegmentsAreDeletedAFullDiskAcceptsRecordsOfAllTopics() {
        solo.create("orders", SMALL_SEGMENTS);
        solo.create("clicks", SMALL_SEGMENTS);
        long end = fill("orders", "clicks");

        assertThat(get(solo.led("orders").deleteRecords(end))).isEqualTo(end);

        for (String topic : List.of("orders", "clicks")) {
            eventually(() ->
                    assertThat(get(solo.produce(topic, batch(1))).baseOffset()).isGreaterThanOrEqualTo(end));
        }
        assertThat(solo.ofEngine("disk", "full")).isEqualTo(false);
    }

    @Test
    void afterRetentionAFullDiskAcceptsRecords() {
        solo.create("orders", SMALL_SEGMENTS);
        long end = fill("orders");

        solo.configure("orders", TopicConfig.RETENTION_BYTES, "500000");

        eventually(() ->
                assertThat(get(solo.produce("orders", batch(1))).baseOffset()).isGreaterThanOrEqualTo(end));
        assertThat(solo.led("orders").logStartOffset()).isPositive();
    }

    /** Appends to each topic until the disk is full; returns the offset after the last record that all acknowledged. */
    private long fill(String... topics) {
        for (long end = 0; ; end++) {
            for (String topic : topics) {
                try {
                    get(solo.produce(topic, batch(1).valueBytes(VALUE)));
                } catch (FeliceException full) {
                    assertThat(full.code()).isEqualTo(ErrorCode.KAFKA_STORAGE_ERROR);
                    return end;
                }
            }
        }
    }

    private long failedLogs() {
        return (Long)
                engine.tables().get(0).cell(logs().toString(), "logs.failed").orElseThrow();
    }

    private static int bytesOf(Partition partition) {
        try (Records records = get(partition.read(partition.logStartOffset(), 1 << 20, ReadLimit.HIGH_WATERMARK))) {
            return records.sizeInBytes();
        }
    }

    private long startAfterAKill(UUID topic) throws IOException {
        Path image = Files.createTempDirectory(temp, "image");
        try (Stream<Path> files = Files.walk(logs())) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Path copy = image.resolve(logs().relativize(file));
                Files.createDirectories(copy.getParent());
                Files.copy(file, copy);
            }
        }
        try (LogStorageEngine next = new LogStorageEngine(image, LogSettings.DEFAULT)) {
            return next.open(new LogId(topic, 0, "orders"), 9).startOffset();
        }
    }
}
