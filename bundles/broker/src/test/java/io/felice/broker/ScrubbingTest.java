package io.felice.broker;

import static io.felice.broker.partition.Bench.get;
import static io.felice.testkit.TestBatches.batch;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.felice.api.RecordBatch;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.config.BrokerConfig;
import io.felice.api.config.ConfigResource;
import io.felice.api.config.TopicConfig;
import io.felice.api.status.StatusTable;
import io.felice.api.status.Trouble;
import io.felice.storage.log.LogSettings;
import io.felice.storage.log.LogStorageEngine;
import io.felice.storage.memory.MemoryStorageEngine;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** When a broker reads its logs for damage, how fast, and how it says what it has found. */
class ScrubbingTest {
    private static final int BATCHES = 20;
    private static final int BATCH_BYTES = 10_000;

    private final Map<String, UUID> topics = Map.of(
            "log-orders", UUID.randomUUID(),
            "log-bills", UUID.randomUUID(),
            "memory-orders", UUID.randomUUID());

    @TempDir
    private Path directory;

    @Test
    void aFlippedByteShowsInTheTableAndInTheHealthOfTheNode() throws IOException {
        filled();
        flipAByteOf("log-orders-0");

        try (LogStorageEngine logs = engine();
                SoloBroker solo = broker(logs)) {
            assertThat(troubles(solo)).isEmpty();

            scrubEvery(solo, 100);

            await().atMost(Duration.ofSeconds(60)).until(() -> !troubles(solo).isEmpty());
            assertThat(troubles(solo))
                    .containsExactly("1 partition has damaged records, which clients cannot read: log-orders-0 (offsets"
                            + " 0..0: the checksum of a batch is wrong); see felice:status broker.damage");
            StatusTable damage = table(solo, "broker.damage");
            assertThat(damage.rows()).hasSize(1);
            assertThat(damage.cell("log-orders-0", "to.offset")).contains(1L);
        }
    }

    @Test
    void everyLogOfAnEngineThatSurvivesAKillIsReadAndNoOther() throws IOException {
        filled();

        try (LogStorageEngine logs = engine();
                SoloBroker solo = broker(logs)) {
            scrubEvery(solo, 100);

            await().atMost(Duration.ofSeconds(60)).until(() -> (Long) cell(solo, "log", "passes") > 5);
            assertThat((Long) cell(solo, "log", "read.bytes")).isGreaterThan(2L * (BATCHES - 2) * BATCH_BYTES);
            assertThat(table(solo, "broker.scrub").rows()).hasSize(1);
        }
    }

    @Test
    void theRateIsNotExceededAndZeroStopsIt() throws IOException {
        filled();

        try (LogStorageEngine logs = engine();
                SoloBroker solo = broker(logs)) {
            set(solo, BrokerConfig.STORAGE_SCRUB_MAX_BYTES_PER_SECOND, "15000");
            scrubEvery(solo, 1);
            await().atMost(Duration.ofSeconds(60)).until(() -> (Long) cell(solo, "log", "read.bytes") > 0);
            await().pollDelay(Duration.ofMillis(2_500)).until(() -> true);
            long read = (Long) cell(solo, "log", "read.bytes");
            assertThat(read).isLessThan(6L * 15_000);

            set(solo, BrokerConfig.STORAGE_SCRUB_MAX_BYTES_PER_SECOND, "0");
            await().pollDelay(Duration.ofMillis(1_500)).until(() -> true);
            long later = (Long) cell(solo, "log", "read.bytes");
            await().pollDelay(Duration.ofMillis(1_500)).until(() -> true);
            assertThat((Long) cell(solo, "log", "read.bytes")).isEqualTo(later);
        }
    }

    private void filled() {
        try (LogStorageEngine logs = engine();
                SoloBroker solo = broker(logs)) {
            for (String topic : topics.keySet()) {
                for (int i = 0; i < BATCHES; i++) {
                    get(solo.produce(topic, batch(1).valueBytes(BATCH_BYTES)));
                }
            }
        }
    }

    private LogStorageEngine engine() {
        return new LogStorageEngine(directory.resolve("logs"), LogSettings.DEFAULT);
    }

    private SoloBroker broker(LogStorageEngine logs) {
        SoloBroker solo = new SoloBroker(
                directory.resolve("data"),
                Map.of("log", logs, "memory", new MemoryStorageEngine(1 << 20, Clock.systemUTC())));
        topics.forEach((topic, id) -> solo.create(topic, id, Map.of(TopicConfig.SEGMENT_BYTES, "30000")));
        return solo;
    }

    private static void scrubEvery(SoloBroker solo, long ms) {
        set(solo, BrokerConfig.STORAGE_SCRUB_INTERVAL_MS, Long.toString(ms));
    }

    private static void set(SoloBroker solo, String key, String value) {
        get(solo.broker
                .metadata()
                .replayed(get(solo.append(new MetadataRecord.ConfigSet(ConfigResource.allBrokers(), key, value)))));
    }

    private static Object cell(SoloBroker solo, String engine, String column) {
        return table(solo, "broker.scrub").cell(engine, column).orElse(0L);
    }

    private static StatusTable table(SoloBroker solo, String name) {
        return solo.broker.tables().stream()
                .filter(table -> table.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private static List<String> troubles(SoloBroker solo) {
        return solo.broker.troubles().stream().map(Trouble::reason).toList();
    }

    private void flipAByteOf(String partition) throws IOException {
        try (Stream<Path> files = Files.list(directory.resolve("logs").resolve(partition))) {
            Path first = files.filter(file -> file.toString().endsWith(".log"))
                    .sorted()
                    .findFirst()
                    .orElseThrow();
            try (FileChannel channel = FileChannel.open(first, StandardOpenOption.WRITE)) {
                channel.write(ByteBuffer.wrap(new byte[] {'w'}), RecordBatch.HEADER_BYTES + 500L);
            }
        }
    }
}
