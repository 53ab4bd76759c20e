package io.felice.itests.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.rig.CrashLoad;
import io.felice.itests.rig.DistributionNode;
import io.felice.itests.rig.HistoryChecker.Kind;
import io.felice.itests.rig.Java;
import io.felice.itests.rig.Programs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Kills the distribution with kill -9 at random times while clients write, read and commit, and while retention and
 * compaction run. Nothing that a client was promised is missing after a kill.
 */
class CrashTest {
    private static final int KILLS = Integer.getInteger("felice.crash.kills", 8);
    /** The storage engines, with commas between; empty for all that keep their records in files. */
    private static final String ENGINES = System.getProperty("felice.crash.engines", "");

    private static final int LONGEST_LIFE_MS = 4_000;
    private static final int LONGEST_START_MS = 6_000;
    private static final int STARTS_PER_KILLED_START = 5;

    private final long seed = Long.getLong("felice.seed", System.nanoTime());
    private final Random random = new Random(seed);
    private final Path directory = Path.of("target/crash/" + seed).toAbsolutePath();

    private int kills;
    private int killedStarts;

    @Test
    @Timeout(value = 6, unit = TimeUnit.HOURS)
    void whatClientsWerePromisedSurvivesEveryKill() throws IOException {
        System.out.println("CrashTest felice.seed=" + seed + ", data in " + directory);
        Files.createDirectories(directory);
        try (DistributionNode node = DistributionNode.in(directory)) {
            node.start();
            try (CrashLoad load = CrashLoad.on(node.bootstrap(), engines(node), random.nextLong())) {
                checkOrLeave(node, load);
            }
        }
        Programs.run(List.of("rm", "-rf", directory.toString()), Path.of("."));
    }

    /** After a failure the node is killed, so that the data stays as it is. */
    private void checkOrLeave(DistributionNode node, CrashLoad load) {
        long began = System.nanoTime();
        try {
            killRepeatedly(node, load);
            mustHaveKept(load);
        } catch (RuntimeException | Error failure) {
            node.killIfRunning();
            throw failure;
        } finally {
            report(load, (System.nanoTime() - began) / 1_000_000_000);
        }
    }

    private void killRepeatedly(DistributionNode node, CrashLoad load) {
        while (kills < KILLS && load.checker().violations().isEmpty()) {
            int life = random.nextInt(LONGEST_LIFE_MS);
            System.out.printf("Kill %d of %d, %d ms after the last checks%n", ++kills, KILLS, life);
            sleep(life);
            killAndStart(node, load);
            if (kills < KILLS) {
                load.compareRecords();
            } else {
                load.compareAllRecords();
            }
        }
    }

    private void killAndStart(DistributionNode node, CrashLoad load) {
        node.kill();
        load.holdCommits();
        if (random.nextInt(STARTS_PER_KILLED_START) == 0) {
            node.killDuringStart(random.nextInt(LONGEST_START_MS));
            killedStarts++;
        }
        node.start();
        load.compareOffsets();
    }

    private static void mustHaveKept(CrashLoad load) {
        assertThat(load.checker().violations()).isEmpty();
        assertThat(load.commits()).isGreaterThan(KILLS);
        load.totals().forEach((topic, totals) -> {
            assertThat(totals.acknowledged()).as(topic).isGreaterThan(KILLS);
            assertThat(totals.read()).as(topic).isPositive();
            assertThat(totals.removed() > 0)
                    .as("retention or compaction has removed records of %s", topic)
                    .isEqualTo(!topic.endsWith("-kept"));
        });
    }

    private static List<String> engines(DistributionNode node) {
        if (!ENGINES.isEmpty()) {
            return List.of(ENGINES.split(","));
        }
        try (Admin admin = Java.admin(node.bootstrap())) {
            return Java.get(admin.describeLogDirs(List.of(0)).allDescriptions()).get(0).keySet().stream()
                    .map(name -> name.split(":", 2))
                    .filter(engineAndPlace -> !engineAndPlace[1].isEmpty())
                    .map(engineAndPlace -> engineAndPlace[0])
                    .sorted()
                    .toList();
        }
    }

    private void report(CrashLoad load, long seconds) {
        System.out.printf(
                "%d kills of a node that served and %d of one that started, in %d s; %d commits, seed %d%n",
                kills, killedStarts, seconds, load.commits(), seed);
        System.out.printf("%-20s %9s %12s %9s %9s%n", "topic", "sent", "acknowledged", "read", "removed");
        load.totals()
                .forEach((topic, totals) -> System.out.printf(
                        "%-20s %9d %12d %9d %9d%n",
                        topic, totals.sent(), totals.acknowledged(), totals.read(), totals.removed()));
        System.out.println(Arrays.stream(Kind.values())
                .map(kind -> kind + " " + load.checker().count(kind))
                .collect(Collectors.joining(", ", "Violations: ", "")));
        load.checker().violations().forEach(System.out::println);
    }

    private static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException interrupted) {
            throw new AssertionError(interrupted);
        }
    }
}
