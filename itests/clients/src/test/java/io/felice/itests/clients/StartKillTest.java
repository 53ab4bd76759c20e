package io.felice.itests.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.rig.Java;
import io.felice.itests.rig.NodeProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Kills a node with kill -9 while it starts: while it recovers logs, replays the metadata log, or removes the files of
 * deleted topics, which it does right after it begins to serve. Every acknowledged record is there once and in order,
 * and committed offsets never go back.
 */
class StartKillTest {
    private static final int KILLS = Integer.getInteger("felice.start.kills", 10);
    private static final int KILLS_PER_LIFE = 4;
    private static final int FIRST_STARTS = Math.max(2, KILLS / 10);
    private static final int LONGEST_START_MS = 2_000;
    private static final String NO_DELAY_FOR_STRAYS = "io.felice.broker/stray.log.delay.ms=0";

    @TempDir
    Path directory;

    private final long seed = Long.getLong("felice.seed", System.nanoTime());
    private final Random random = new Random(seed);

    @Test
    @Timeout(1200)
    void noAcknowledgedRecordIsLostWhenANodeIsKilledWhileItStarts() {
        System.out.println("StartKillTest felice.seed=" + seed);
        Path data = directory.resolve("node");
        try (NodeProcess node = NodeProcess.in(data, NO_DELAY_FOR_STRAYS)) {
            node.start();
            try (SteadyLoad load = SteadyLoad.on(node.bootstrap(), Map.of("segment.bytes", "65536"))) {
                load.mustBeUnderWay();
                for (int kill = 1; kill <= KILLS; kill++) {
                    if (kill % KILLS_PER_LIFE == 1) {
                        leaveADeletedTopic(node.bootstrap(), "passing-" + kill);
                        node.kill();
                        load.holdCommits();
                    }
                    node.launch();
                    sleep(random.nextInt(LONGEST_START_MS));
                    node.kill();
                    if (kill % KILLS_PER_LIFE == 0 || kill == KILLS) {
                        node.start();
                        load.mustGoOn("kill " + kill + ", seed " + seed);
                    }
                }
                System.out.printf(
                        "%d kills of a start, %d records acknowledged, %d commits%n",
                        KILLS, load.acknowledged(), load.commits());
                load.stopAndVerify();
                assertThat(load.commits()).isGreaterThan(KILLS / KILLS_PER_LIFE);
                Java.await("nothing is left of deleted topics", () -> logsOf(data, "passing-")
                        .isEmpty());
                assertThat(logsOf(data, "steady-")).hasSize(SteadyLoad.PARTITIONS);
            }
        }
    }

    @Test
    @Timeout(1200)
    void aNodeThatIsKilledDuringItsFirstStartStartsAgain() {
        System.out.println("StartKillTest felice.seed=" + seed);
        for (int round = 1; round <= FIRST_STARTS; round++) {
            try (NodeProcess node = NodeProcess.in(directory.resolve("node-" + round), NO_DELAY_FOR_STRAYS)) {
                for (int kill = random.nextInt(3); kill >= 0; kill--) {
                    node.launch();
                    sleep(random.nextInt(LONGEST_START_MS));
                    node.kill();
                }
                node.start();
                Java.createTopic(node.bootstrap(), "first", 1, Map.of());
                Java.write(node.bootstrap(), "first", 0, Java.numbered("record", 10));

                assertThat(Java.values(node.bootstrap(), "first", 0))
                        .as("round %d, seed %d", round, seed)
                        .isEqualTo(Java.numbered("record", 10));
            }
        }
    }

    private static void leaveADeletedTopic(String bootstrap, String topic) {
        Java.createTopic(bootstrap, topic, 2, Map.of());
        Java.write(bootstrap, topic, 0, List.of("gone"));
        try (Admin admin = Java.admin(bootstrap)) {
            Java.get(admin.deleteTopics(List.of(topic)).all());
        }
    }

    private static List<Path> logsOf(Path data, String prefix) {
        try (Stream<Path> logs = Files.list(data.resolve("log"))) {
            return logs.filter(log -> log.getFileName().toString().startsWith(prefix))
                    .toList();
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException interrupted) {
            throw new AssertionError(interrupted);
        }
    }
}
