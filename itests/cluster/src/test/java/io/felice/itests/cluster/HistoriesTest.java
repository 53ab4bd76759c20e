package io.felice.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.rig.Java;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Mishaps happen to three brokers in processes of their own, one after the other, while clients go on. */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class HistoriesTest {
    private static ClusterUnderLoad loaded;

    @BeforeAll
    static void start() {
        loaded = new ClusterUnderLoad("log");
    }

    @AfterAll
    static void stop() {
        try {
            loaded.compareAll();
        } finally {
            loaded.close();
        }
    }

    @ParameterizedTest
    @EnumSource
    void whatClientsWerePromisedSurvives(Mishap mishap) {
        loaded.after(mishap);
    }

    /** librdkafka's idempotent producer is another one than that of the Java clients. */
    @Test
    void kcatWritesEveryRecordOnceWhileLeadersAreKilled() throws IOException, InterruptedException {
        Clients.createTopic(loaded.cluster().bootstrap(), "kcat", 1, 3, Map.of("min.insync.replicas", "2"));
        List<String> values = Java.numbered("line", 600);
        Process kcat = new ProcessBuilder(
                        "kcat",
                        "-P",
                        "-b",
                        loaded.cluster().bootstrap(),
                        "-t",
                        "kcat",
                        "-p",
                        "0",
                        "-X",
                        "enable.idempotence=true",
                        "-X",
                        "acks=all",
                        "-X",
                        "linger.ms=5",
                        "-X",
                        "reconnect.backoff.max.ms=200")
                .inheritIO()
                .redirectInput(ProcessBuilder.Redirect.PIPE)
                .start();
        try (PrintWriter lines = new PrintWriter(kcat.getOutputStream(), true, StandardCharsets.UTF_8)) {
            for (int i = 0; i < values.size(); i++) {
                lines.println(values.get(i));
                if (i == 200 || i == 400) {
                    int leader = loaded.cluster().leader("kcat", 0);
                    loaded.cluster().kill(leader);
                    loaded.cluster().start(leader);
                    loaded.cluster().awaitInSync();
                } else if (i % 10 == 0) {
                    Thread.sleep(10);
                }
            }
        }

        assertThat(kcat.waitFor()).isZero();

        assertThat(Java.values(loaded.cluster().bootstrap(), "kcat", 0)).isEqualTo(values);
    }
}
