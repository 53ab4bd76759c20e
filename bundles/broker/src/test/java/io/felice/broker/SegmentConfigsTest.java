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
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The topic's configs of segment files reach the log engine, at the creation and while the topic is in use. */
class SegmentConfigsTest {
    private static final int BATCHES = 30;

    @TempDir
    private Path temp;

    @Test
    void aSegmentIsSealedWhenItsIndexHasTheSizeThatTheTopicSays() throws IOException {
        try (LogStorageEngine engine = new LogStorageEngine(temp.resolve("logs"), LogSettings.DEFAULT);
                SoloBroker solo = new SoloBroker(temp.resolve("data"), Map.of("log", engine))) {
            solo.create("usual", Map.of(TopicConfig.INDEX_INTERVAL_BYTES, "0"));
            solo.create("small", Map.of(TopicConfig.INDEX_INTERVAL_BYTES, "0", TopicConfig.SEGMENT_INDEX_BYTES, "40"));
            fill(solo, "usual");
            fill(solo, "small");
        }

        assertThat(files("usual", ".log")).isEqualTo(1);
        assertThat(files("small", ".log")).isEqualTo(BATCHES / 6);
    }

    @Test
    void theFilesOfDeletedRecordsStayAsLongAsTheTopicSays() throws IOException {
        try (LogStorageEngine engine = new LogStorageEngine(temp.resolve("logs"), LogSettings.DEFAULT);
                SoloBroker solo = new SoloBroker(temp.resolve("data"), Map.of("log", engine))) {
            for (String topic : new String[] {"usual", "slow"}) {
                solo.create(topic, Map.of(TopicConfig.SEGMENT_BYTES, "1000"));
                fill(solo, topic);
            }
            solo.configure("slow", TopicConfig.FILE_DELETE_DELAY_MS, "3600000");

            get(solo.led("usual").deleteRecords(20));
            get(solo.led("slow").deleteRecords(20));

            assertThat(files("usual", ".deleted")).isZero();
            assertThat(files("slow", ".deleted")).isGreaterThan(3);
        }
    }

    private static void fill(SoloBroker solo, String topic) {
        for (int i = 0; i < BATCHES; i++) {
            get(solo.produce(topic, batch(1).valueBytes(200)));
        }
    }

    private long files(String topic, String suffix) throws IOException {
        try (Stream<Path> files = Files.list(temp.resolve("logs").resolve(topic + "-0"))) {
            return files.filter(file -> file.toString().endsWith(suffix)).count();
        }
    }
}
