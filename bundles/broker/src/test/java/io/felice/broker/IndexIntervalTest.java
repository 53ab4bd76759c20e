package io.felice.broker;

import static io.felice.broker.partition.Bench.get;
import static io.felice.testkit.TestBatches.batch;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.config.TopicConfig;
import io.felice.storage.log.LogSettings;
import io.felice.storage.log.LogStorageEngine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The topic's {@code index.interval.bytes} says how many entries the index of its log has. */
class IndexIntervalTest {
    private static final int ENTRY_BYTES = 8;
    private static final int BATCHES = 100;
    private static final int BATCH_BYTES = 1_000;

    @TempDir
    private Path temp;

    @Test
    void theIndexHasAnEntryPerIndexInterval() throws IOException {
        try (LogStorageEngine engine = new LogStorageEngine(temp.resolve("logs"), LogSettings.DEFAULT);
                SoloBroker solo = new SoloBroker(temp.resolve("data"), Map.of("log", engine))) {
            solo.create("usual", Map.of());
            solo.create("dense", Map.of(TopicConfig.INDEX_INTERVAL_BYTES, "0"));
            solo.create("sparse", Map.of(TopicConfig.INDEX_INTERVAL_BYTES, "30000"));
            solo.create("changed", Map.of(TopicConfig.INDEX_INTERVAL_BYTES, "1000000"));

            List.of("usual", "dense", "sparse", "changed").forEach(topic -> fill(solo, topic));
            solo.configure("changed", TopicConfig.INDEX_INTERVAL_BYTES, "0");
            fill(solo, "changed");
        }

        assertThat(entries("usual")).isBetween(15L, 26L);
        assertThat(entries("dense")).isBetween(BATCHES - 1L, BATCHES + 1L);
        assertThat(entries("sparse")).isBetween(2L, 5L);
        assertThat(entries("changed")).isBetween(BATCHES - 1L, BATCHES + 2L);
    }

    private static void fill(SoloBroker solo, String topic) {
        for (int i = 0; i < BATCHES; i++) {
            get(solo.produce(topic, batch(1).valueBytes(BATCH_BYTES)));
        }
    }

    private long entries(String topic) throws IOException {
        try (Stream<Path> files = Files.walk(temp.resolve("logs"))) {
            List<Path> indexes = files.filter(file -> file.toString().endsWith(".index"))
                    .filter(file -> file.getParent().getFileName().toString().startsWith(topic + "-"))
                    .toList();
            assertThat(indexes).hasSize(1);
            return Files.size(indexes.get(0)) / ENTRY_BYTES;
        }
    }
}
