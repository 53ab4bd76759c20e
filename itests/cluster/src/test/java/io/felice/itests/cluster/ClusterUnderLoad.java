package io.felice.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.rig.ClusterOfProcesses;
import io.felice.itests.rig.CrashLoad;
import io.felice.itests.rig.CrashTopic;
import io.felice.itests.rig.HistoryChecker.Kind;
import io.felice.itests.rig.Programs;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;

/** Brokers in processes, and clients that write, read and commit while mishaps happen to the brokers. */
final class ClusterUnderLoad implements AutoCloseable {
    private final long seed = Long.getLong("felice.seed", System.nanoTime());
    private final Random random = new Random(seed);
    private final Path directory = Path.of("target/cluster/" + seed).toAbsolutePath();
    private final ClusterOfProcesses cluster;
    private final KcatWriter kcat;
    private final CrashLoad load;
    private boolean failed;

    /** @param engines the storage engines that have topics */
    ClusterUnderLoad(ClusterOfProcesses.Shape shape, String... engines) {
        System.out.println("felice.seed=" + seed + ", " + shape + ", data in " + directory);
        cluster = ClusterOfProcesses.start(directory, shape, "io.felice.broker/offsets.topic.num.partitions=4");
        try {
            kcat = new KcatWriter(cluster.bootstrap());
            load = CrashLoad.on(
                    cluster.bootstrap(),
                    new CrashLoad.Plan(List.of(engines), List.of(CrashTopic.KEPT, CrashTopic.COMPACTED), 3),
                    random.nextLong());
        } catch (RuntimeException | Error failure) {
            cluster.killAll();
            throw failure;
        }
    }

    Random random() {
        return random;
    }

    ClusterOfProcesses cluster() {
        return cluster;
    }

    /** The mishap happens. After it every client gets on, and nothing that clients were promised is missing. */
    void after(Mishap mishap) {
        long began = System.nanoTime();
        try {
            mishap.happen(cluster, random);
            if (random.nextBoolean()) {
                load.holdCommits();
            }
            cluster.awaitInSync();
            load.compareOffsets();
            load.mustGoOn(mishap.toString());
            load.compareRecords();
            kcat.compare();
            assertThat(load.checker().violations())
                    .as("after %s, seed %d", mishap, seed)
                    .isEmpty();
        } catch (RuntimeException | Error failure) {
            failed = true;
            throw failure;
        }
        System.out.printf("%s: %d ms%n", mishap, (System.nanoTime() - began) / 1_000_000);
    }

    /** Reads all records once more, and prints what there was. */
    void compareAll() {
        load.compareAllRecords();
        long lines = kcat.count();
        try {
            kcat.compareAll();
        } catch (InterruptedException interrupted) {
            throw new AssertionError(interrupted);
        }
        System.out.printf("%-20s %9s %12s %9s %9s%n", "topic", "sent", "acknowledged", "read", "removed");
        load.totals()
                .forEach((topic, totals) -> System.out.printf(
                        "%-20s %9d %12d %9d %9d%n",
                        topic, totals.sent(), totals.acknowledged(), totals.read(), totals.removed()));
        System.out.println(lines + " lines of kcat, " + load.commits() + " commits. "
                + Arrays.stream(Kind.values())
                        .map(kind -> kind + " " + load.checker().count(kind))
                        .collect(Collectors.joining(", ", "Violations: ", "")));
        assertThat(load.checker().violations()).as("seed %d", seed).isEmpty();
    }

    /** After a failure the nodes are killed, and their data stays as it is. */
    @Override
    public void close() {
        if (failed) {
            cluster.killAll();
        }
        kcat.close();
        load.close();
        cluster.close();
        if (!failed) {
            Programs.run(List.of("rm", "-rf", directory.toString()), Path.of("."));
        }
    }
}
