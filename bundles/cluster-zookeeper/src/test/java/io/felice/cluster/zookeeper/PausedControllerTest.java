package io.felice.cluster.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.felice.api.FeliceException;
import io.felice.api.cluster.ClusterStore.Term;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.config.ConfigResource;
import io.felice.testkit.RecordingCandidate;
import io.felice.testkit.RecordingFollower;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The process of the controller is paused in the middle of its work. Another controller is elected, then the process
 * continues.
 */
class PausedControllerTest {
    private static final int SESSION_MS = 3_000;
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final ConfigResource ALL = ConfigResource.allBrokers();

    @TempDir
    Path directory;

    @Test
    void whatAPausedControllerWantedToWriteIsNotWritten() throws Exception {
        try (TestEnsemble ensemble = new TestEnsemble(directory)) {
            Process paused = start(ensemble);
            try {
                BlockingQueue<String> says = lines(paused);
                awaitLine(says, "elected");
                RecordingFollower follower = new RecordingFollower();
                ZooKeeperStore store = ensemble.store(SESSION_MS);
                store.follow(follower);
                await().atMost(PATIENCE).until(() -> follower.view().version() > 20);
                RecordingCandidate heir = new RecordingCandidate();
                store.campaign(heir);

                signal(paused, "STOP");
                await().atMost(PATIENCE).until(() -> heir.term() != null);
                Term term = heir.term();
                for (int i = 0; i < 20; i++) {
                    append(term, "heir-" + i);
                }
                signal(paused, "CONT");

                assertThat(awaitLine(says, "connected")).isEqualTo("connected false");
                awaitLine(says, "deposed");
                for (int i = 20; i < 40; i++) {
                    append(term, "heir-" + i);
                }
                long end = append(term, "end");
                await().atMost(PATIENCE).until(() -> follower.view().version() >= end);
                assertThat(follower.complaints()).isEmpty();
                assertThat(follower.changes().tailMap(term.logLength() + 1).values().stream()
                                .flatMap(List::stream)
                                .map(record -> ((MetadataRecord.ConfigSet) record).value()))
                        .allMatch(value -> value.startsWith("heir-") || value.equals("end"));
                assertThat(heir.depositions()).isZero();
                assertThat(heir.term()).isSameAs(term);
            } finally {
                paused.destroyForcibly().waitFor();
            }
        }
    }

    private static long append(Term term, String value) throws Exception {
        return term.append(List.of(new MetadataRecord.ConfigSet(ALL, "key", value)))
                .toCompletableFuture()
                .get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }

    private Process start(TestEnsemble ensemble) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx128m",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Restless.class.getName(),
                        ensemble.connectString(),
                        ensemble.secretFile().toString(),
                        directory.resolve("paused").toString())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
    }

    private static void signal(Process process, String name) throws Exception {
        new ProcessBuilder("sh", "-c", "kill -" + name + " " + process.pid())
                .inheritIO()
                .start()
                .waitFor();
    }

    private static BlockingQueue<String> lines(Process process) {
        BlockingQueue<String> lines = new LinkedBlockingQueue<>();
        Thread thread = new Thread(() -> {
            try (BufferedReader reader =
                    new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
                reader.lines().forEach(lines::add);
            } catch (IOException ended) {
                return;
            }
        });
        thread.setDaemon(true);
        thread.start();
        return lines;
    }

    /** Waits for a line with this beginning, and skips all others. */
    private static String awaitLine(BlockingQueue<String> lines, String beginning) throws InterruptedException {
        while (true) {
            String line = lines.poll(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            assertThat(line).as("a line that begins with " + beginning).isNotNull();
            if (line.startsWith(beginning)) {
                return line;
            }
        }
    }

    /**
     * Stands for election. While it is the controller, it appends as fast as it gets answers, and prints what happens.
     */
    static final class Restless {
        private Restless() {}

        public static void main(String[] arguments) throws Exception {
            ZooKeeperStore store = new ZooKeeperStore(
                    TestEnsemble.config(arguments[0], SESSION_MS, Path.of(arguments[1]), Path.of(arguments[2])));
            RecordingCandidate candidate = new RecordingCandidate();
            store.campaign(candidate);
            int seen = 0;
            long last = System.nanoTime();
            boolean deposed = false;
            for (int i = 0; !deposed; i++) {
                long now = System.nanoTime();
                if (now - last > TimeUnit.MILLISECONDS.toNanos(SESSION_MS * 2L / 3)) {
                    System.out.println("connected " + store.isConnected());
                }
                last = now;
                Term term = candidate.term();
                if (candidate.epochs().size() > seen) {
                    seen = candidate.epochs().size();
                    System.out.println("elected " + candidate.epochs());
                }
                if (term != null) {
                    String value = "restless-" + i;
                    term.append(List.of(new MetadataRecord.ConfigSet(ALL, "key", value)))
                            .whenComplete((version, failure) -> {
                                if (failure != null) {
                                    System.out.println("refused " + FeliceException.codeOf(failure));
                                }
                            });
                }
                deposed = candidate.depositions() > 0;
                Thread.sleep(2);
            }
            System.out.println("deposed");
            Thread.sleep(PATIENCE.toMillis());
        }
    }
}
