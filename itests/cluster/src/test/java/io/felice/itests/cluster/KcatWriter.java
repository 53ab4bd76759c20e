package io.felice.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.rig.Java;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/** kcat as an idempotent producer of one partition, all the time: librdkafka's producer is another one than Java's. */
final class KcatWriter implements AutoCloseable {
    private static final String TOPIC = "kcat";
    private static final long BETWEEN_MS = 10;

    private final String bootstrap;
    private final Process kcat;
    private final Thread thread = new Thread(this::write, "kcat-writer");
    private final List<String> written = Collections.synchronizedList(new ArrayList<>());
    private volatile boolean ends;

    KcatWriter(String bootstrap) {
        this.bootstrap = bootstrap;
        Clients.createTopic(bootstrap, TOPIC, 1, 3, Map.of("min.insync.replicas", "2"));
        try {
            kcat = new ProcessBuilder(
                            "kcat",
                            "-P",
                            "-b",
                            bootstrap,
                            "-t",
                            TOPIC,
                            "-p",
                            "0",
                            "-X",
                            "enable.idempotence=true",
                            "-X",
                            "acks=all",
                            "-X",
                            "linger.ms=5",
                            "-X",
                            "message.timeout.ms=600000",
                            "-X",
                            "reconnect.backoff.max.ms=200")
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .redirectInput(ProcessBuilder.Redirect.PIPE)
                    .start();
        } catch (IOException failure) {
            throw new AssertionError("kcat cannot be run", failure);
        }
        thread.setDaemon(true);
        thread.start();
    }

    private void write() {
        try (PrintWriter lines = new PrintWriter(kcat.getOutputStream(), true, StandardCharsets.UTF_8)) {
            for (int i = 0; !ends; i++) {
                written.add("line " + i);
                lines.println("line " + i);
                Thread.sleep(BETWEEN_MS);
            }
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
    }

    long count() {
        return written.size();
    }

    /** What is in the topic is the beginning of what was written, each line once. */
    void compare() {
        List<String> found = Java.values(bootstrap, TOPIC, 0);
        assertThat(kcat.isAlive()).as("kcat runs").isTrue();
        assertThat(found).as("what kcat has written").isEqualTo(List.copyOf(written).subList(0, found.size()));
    }

    /** kcat ends without an error, and the topic has all lines. */
    void compareAll() throws InterruptedException {
        ends = true;
        thread.join();
        assertThat(kcat.waitFor()).as("kcat ends without an error").isZero();
        assertThat(Java.values(bootstrap, TOPIC, 0)).as("all that kcat has written").isEqualTo(written);
    }

    @Override
    public void close() {
        ends = true;
        kcat.destroyForcibly();
    }
}
