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

/**
 * kcat as an idempotent producer, all the time: librdkafka's producer is another one than Java's. kcat ends when it has lost
 * the last connection that it had, and it does not replace one that it does not need; then another kcat goes on with the next
 * partition.
 */
final class KcatWriter implements AutoCloseable {
    private static final String TOPIC = "kcat";
    private static final int PARTITIONS = 50;
    private static final long BETWEEN_MS = 10;

    private final String bootstrap;
    private int partition;
    private Writing writing;
    private long earlier;

    KcatWriter(String bootstrap) {
        this.bootstrap = bootstrap;
        Clients.createTopic(bootstrap, TOPIC, PARTITIONS, 3, Map.of("min.insync.replicas", "2"));
        writing = new Writing(partition);
    }

    /** One process, which writes numbered lines. */
    private final class Writing {
        private final Process kcat;
        private final Thread thread = new Thread(this::write, "kcat-writer");
        private final List<String> written = Collections.synchronizedList(new ArrayList<>());
        private volatile boolean ends;

        Writing(int to) {
            try {
                kcat = new ProcessBuilder(
                                "kcat",
                                "-P",
                                "-b",
                                bootstrap,
                                "-t",
                                TOPIC,
                                "-p",
                                Integer.toString(to),
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
                for (int i = 0; !ends && kcat.isAlive(); i++) {
                    written.add("line " + i);
                    lines.println("line " + i);
                    Thread.sleep(BETWEEN_MS);
                }
            } catch (InterruptedException stopped) {
                Thread.currentThread().interrupt();
            }
        }

        void end() {
            ends = true;
            try {
                thread.join();
            } catch (InterruptedException interrupted) {
                throw new AssertionError(interrupted);
            }
        }
    }

    long count() {
        return earlier + writing.written.size();
    }

    /** What is in the partition is the beginning of what was written, each line once. */
    void compare() {
        List<String> found = Java.values(bootstrap, TOPIC, partition);
        assertThat(found)
                .as("what kcat has written")
                .isEqualTo(List.copyOf(writing.written).subList(0, Math.min(found.size(), writing.written.size())));
        if (!writing.kcat.isAlive() && partition < PARTITIONS - 1) {
            writing.end();
            earlier += writing.written.size();
            writing = new Writing(++partition);
        }
    }

    /** kcat ends without an error, and the partition has all lines. */
    void compareAll() throws InterruptedException {
        writing.end();
        assertThat(writing.kcat.waitFor()).as("kcat ends without an error").isZero();
        assertThat(Java.values(bootstrap, TOPIC, partition))
                .as("all that kcat has written")
                .isEqualTo(writing.written);
    }

    @Override
    public void close() {
        writing.ends = true;
        writing.kcat.destroyForcibly();
    }
}
