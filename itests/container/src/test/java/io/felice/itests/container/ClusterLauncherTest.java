package io.felice.itests.container;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.container.Launcher.Result;
import io.felice.itests.rig.Ports;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListTopicsOptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Nodes that are made a cluster by the commands of the launcher, and nodes that must not be in one. */
class ClusterLauncherTest {
    @TempDir
    Path directory;

    @Test
    void aNodeThatRanAloneBecomesTheFirstOfThreeAndAnotherWithItsIdIsRefused() throws Exception {
        Path home = Archive.installation();
        Path invitation = directory.resolve("cluster.tgz");
        Launcher first = node(home, "first");
        mustSucceed(first.run("start"));
        try (KeptData kept = new KeptData(bootstrap(first))) {
            kept.write();
            mustSucceed(first.run("stop"));

            mustSucceed(first.run("invite", invitation.toString()));
            Launcher second = node(home, "second").with("FELICE_BROKER_ID", "1");
            Launcher third = node(home, "third").with("FELICE_BROKER_ID", "2");
            mustSucceed(second.run("join", invitation.toString()));
            mustSucceed(third.run("join", invitation.toString()));
            String list = Stream.of(Ports.freeWith(707, 1_707), Ports.freeWith(707, 1_707), Ports.freeWith(707, 1_707))
                    .map(port -> "127.0.0.1:" + port)
                    .collect(Collectors.joining(","));
            Launcher firstOfThree = member(first, list, 1);
            Launcher secondOfThree = member(second, list, 2);
            Launcher thirdOfThree = member(third, list, 3);
            try {
                startTogether(firstOfThree, secondOfThree, thirdOfThree);
                kept.mustBeThere();
                assertRefusesTheIdOf(firstOfThree, home, list, invitation);

                mustSucceed(secondOfThree.exec("felice:topic-replicas --all 3"));
                awaitThreeInSyncReplicas(secondOfThree);
                kept.write();
                ProcessHandle.of(firstOfThree.pid()).orElseThrow().destroyForcibly();
                kept.mustBeThereAt(bootstrap(secondOfThree));
            } finally {
                thirdOfThree.run("stop");
                secondOfThree.run("stop");
                firstOfThree.run("stop");
            }
            Result alone = first.run("start");
            assertThat(alone.exitCode()).isEqualTo(1);
            assertThat(alone.output()).contains("Felice cannot start", "belong to member 1 of an ensemble");
            Result again = second.run("join", invitation.toString());
            assertThat(again.exitCode()).isEqualTo(1);
            assertThat(again.output()).contains("has data already");
        }
    }

    private static void awaitThreeInSyncReplicas(Launcher node) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap(node)))) {
            Set<String> topics = admin.listTopics(new ListTopicsOptions().listInternal(true))
                    .names()
                    .get();
            assertThat(topics).contains("__consumer_offsets");
            Eventually.await(
                    "three replicas in sync", () -> admin.describeTopics(topics).allTopicNames().get().values().stream()
                            .flatMap(topic -> topic.partitions().stream())
                            .allMatch(partition -> partition.replicas().size() == 3
                                    && partition.isr().size() == 3));
        }
    }

    private void assertRefusesTheIdOf(Launcher living, Path home, String list, Path invitation) throws Exception {
        Etc etc = Etc.of(home, directory.resolve("etc"));
        etc.set("io.felice.cluster.zookeeper.cfg", "session.timeout.ms", "4000");
        Launcher same = node(home, "same")
                .with("FELICE_ETC", etc.toString())
                .with("FELICE_ZOOKEEPER", list)
                .with(
                        "FELICE_ZOOKEEPER_SECRET",
                        living.data().resolve("zookeeper.secret").toString());

        Result start = same.run("start");

        assertThat(start.exitCode()).as(start.output()).isEqualTo(1);
        assertThat(start.output()).contains("Felice cannot start: Another broker is alive under id 0");
        assertThat(living.run("status").exitCode()).isZero();
    }

    private Launcher node(Path home, String name) throws IOException {
        return Launcher.of(home, directory.resolve(name)).listeningOn(Ports.free(), Ports.free());
    }

    private static Launcher member(Launcher node, String list, int position) {
        return node.with("FELICE_ZOOKEEPER_ENSEMBLE", list).with("FELICE_ZOOKEEPER_MEMBER", Integer.toString(position));
    }

    private static void startTogether(Launcher... nodes) {
        List<CompletableFuture<Result>> starts = Stream.of(nodes)
                .map(node -> CompletableFuture.supplyAsync(() -> start(node)))
                .toList();
        starts.forEach(start -> mustSucceed(start.join()));
    }

    private static Result start(Launcher node) {
        try {
            return node.run("start");
        } catch (IOException | InterruptedException failure) {
            throw new AssertionError(failure);
        }
    }

    private static void mustSucceed(Result result) {
        assertThat(result.exitCode()).as(result.output()).isZero();
    }

    private static String bootstrap(Launcher node) {
        return "127.0.0.1:" + node.environment().get("FELICE_PORT");
    }
}
