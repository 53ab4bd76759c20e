package io.felice.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.rig.ClusterOfDistributions;
import io.felice.itests.rig.CrashLoad;
import io.felice.itests.rig.CrashTopic;
import io.felice.itests.rig.HistoryChecker.Kind;
import io.felice.itests.rig.Java;
import io.felice.itests.rig.Programs;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;

/**
 * Three brokers of the distribution, and clients that write, read and commit while the brokers' bundles are replaced and
 * the brokers are restarted, upgraded and killed. A request of a producer or of an admin client that fails in spite of its retries
 * fails the test.
 */
final class DistributionsUnderLoad implements AutoCloseable {
    private static final int BROKERS = 3;

    private final long seed = Long.getLong("felice.seed", System.nanoTime());
    private final Random random = new Random(seed);
    private final Path directory = Path.of("target/cluster/" + seed).toAbsolutePath();
    private final ClusterOfDistributions cluster;
    private final CrashLoad load;
    private final AdminRounds rounds;
    private int kills;
    private int swaps;
    private int restarts;
    private boolean failed;

    /** @param installation an unpacked archive; empty for the one that was built last */
    DistributionsUnderLoad(Optional<Path> installation) {
        System.out.println("felice.seed=" + seed + ", data in " + directory);
        cluster = ClusterOfDistributions.start(directory, BROKERS, installation);
        try {
            load = CrashLoad.on(
                    cluster.bootstrap(),
                    new CrashLoad.Plan(
                            List.of("mvstore", "log"), List.of(CrashTopic.KEPT, CrashTopic.COMPACTED), BROKERS),
                    random.nextLong());
            rounds = new AdminRounds(cluster.bootstrap(), BROKERS - 1);
            rounds.start();
        } catch (RuntimeException | Error failure) {
            cluster.killAll();
            throw failure;
        }
    }

    ClusterOfDistributions cluster() {
        return cluster;
    }

    /** The bundles that can be replaced while the broker runs; the shell and the plugins come last. */
    List<String> replaceable(int broker) {
        return cluster.node(broker)
                .exec("felice:update --list | cat")
                .lines()
                .filter(line -> line.startsWith("io.felice."))
                .map(line -> line.split("[ |]", 2)[0])
                .toList();
    }

    /**
     * Replaces bundles of a broker, one after the other, while another broker is killed and started again. The shell and
     * the plugins are replaced too if they are named, but the broker does not tell the end of that.
     */
    void swap(int broker, List<String> bundles) {
        int victim = 1 + (broker + random.nextInt(BROKERS - 1)) % BROKERS;
        during("the updates of broker " + broker + " and the kill of " + victim, () -> {
            CompletableFuture<String> update = CompletableFuture.supplyAsync(
                    () -> cluster.node(broker).exec("felice:update " + String.join(" ", bundles)));
            sleep(random.nextInt(3_000));
            cluster.node(victim).kill();
            sleep(random.nextInt(3_000));
            cluster.node(victim).start();
            String sentences = update.join();
            for (String bundle : bundles) {
                assertThat(sentences).containsPattern(bundle + " .*, healthy after \\d+ ms");
            }
        });
        kills++;
        swaps += bundles.size();
    }

    /** Replaces all bundles of a broker in one go. The command ends with the shell that runs it. */
    void swapAll(int broker) {
        List<String> bundles = replaceable(broker);
        String last = bundles.get(bundles.size() - 1);
        long before = replaced(broker, last);
        during("the update of all bundles of broker " + broker, () -> {
            cluster.node(broker).execToTheLast("felice:update --all");
            Java.await(last + " of broker " + broker + " is replaced", () -> replaced(broker, last) > before);
        });
        swaps += bundles.size();
    }

    private long replaced(int broker, String bundle) {
        return cluster.node(broker)
                .log()
                .lines()
                .filter(line -> line.contains(bundle + " ") && line.contains(", healthy after "))
                .count();
    }

    /** Stops each broker in order and starts it again, the next one when all replicas are in sync. */
    void restartInTurn() {
        for (int broker : cluster.ids()) {
            during("the restart of broker " + broker, () -> {
                cluster.node(broker).stop();
                cluster.node(broker).start();
            });
            restarts++;
        }
    }

    /** As {@link #restartInTurn}, and each broker goes on with another installation. */
    void upgradeInTurn(Path installation) {
        for (int broker : cluster.ids()) {
            during("the upgrade of broker " + broker, () -> cluster.upgrade(broker, installation));
            restarts++;
        }
    }

    private void during(String what, Runnable work) {
        long began = System.nanoTime();
        try {
            work.run();
            cluster.awaitInSync();
            load.mustGoOn(what);
            rounds.mustNotHaveFailed();
            load.compareOffsets();
            load.compareRecords();
            assertThat(load.checker().violations())
                    .as("after %s, seed %d", what, seed)
                    .isEmpty();
        } catch (RuntimeException | Error failure) {
            failed = true;
            throw failure;
        }
        System.out.printf("%s: %d ms%n", what, (System.nanoTime() - began) / 1_000_000);
    }

    /** Reads all records once more, and prints what there was. */
    void compareAll() {
        load.compareAllRecords();
        System.out.printf(
                "%d bundles replaced, %d brokers killed, %d restarted, %d rounds of the admin client%n",
                swaps, kills, restarts, rounds.rounds());
        System.out.printf("%-20s %9s %12s %9s %9s%n", "topic", "sent", "acknowledged", "read", "removed");
        load.totals()
                .forEach((topic, totals) -> System.out.printf(
                        "%-20s %9d %12d %9d %9d%n",
                        topic, totals.sent(), totals.acknowledged(), totals.read(), totals.removed()));
        System.out.println(load.commits() + " commits. "
                + Arrays.stream(Kind.values())
                        .map(kind -> kind + " " + load.checker().count(kind))
                        .collect(Collectors.joining(", ", "Violations: ", "")));
        assertThat(load.checker().violations()).as("seed %d", seed).isEmpty();
        assertThat(cluster.errors()).as("logged errors, seed %d", seed).isEmpty();
    }

    /** After a failure the brokers are killed, and their data stays as it is. */
    @Override
    public void close() {
        if (failed) {
            cluster.killAll();
        }
        rounds.close();
        load.close();
        cluster.close();
        if (!failed) {
            Programs.run(List.of("rm", "-rf", directory.toString()), Path.of("."));
        }
    }

    private static void sleep(long ms) {
        try {
            Thread.sleep(ms);
        } catch (InterruptedException interrupted) {
            throw new AssertionError(interrupted);
        }
    }
}
