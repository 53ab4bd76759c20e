package io.felice.itests.container;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.container.Launcher.Result;
import io.felice.itests.rig.Ports;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListTopicsOptions;
import org.apache.kafka.common.Node;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A cluster with an ensemble inside its three brokers gets two more. Run by {@code ./dev soak growth}. */
class GrowthSoak {
    private static final int FEW = 3;
    private static final int MANY = 5;

    @TempDir
    Path directory;

    private final List<Launcher> nodes = new ArrayList<>();

    @Test
    void threeMembersBecomeFiveInARollingRestartAndTwoOfThemMayBeKilled() throws Exception {
        Path home = Archive.TAR_GZ.unpack(directory.resolve("installation"));
        List<String> servers = new ArrayList<>();
        for (int id = 0; id < MANY; id++) {
            servers.add("127.0.0.1:" + Ports.freeWith(707, 1_707));
            nodes.add(Launcher.of(home, directory.resolve("broker-" + id))
                    .listeningOn(Ports.free(), Ports.free())
                    .with("FELICE_BROKER_ID", Integer.toString(id))
                    .with("FELICE_ZOOKEEPER_MEMBER", Integer.toString(id + 1)));
        }
        Path invitation = directory.resolve("three.tgz");
        // The records are written while there is one broker, which is the leader of all partitions then.
        Launcher alone = Launcher.of(home, directory.resolve("broker-0")).listeningOn(port(0), Ports.free());
        mustSucceed(alone.run("start"));
        try (KeptData kept = new KeptData(bootstrap(0))) {
            kept.write();
            mustSucceed(alone.run("stop"));
            mustSucceed(alone.run("invite", invitation.toString()));
            for (int id = 1; id < FEW; id++) {
                mustSucceed(nodes.get(id).run("join", invitation.toString()));
            }
            useEnsemble(String.join(",", servers.subList(0, FEW)));
            startTogether(0, FEW);
            mustSucceed(nodes.get(0).exec("felice:topic-replicas --all 3"));
            awaitReplicas(FEW, FEW);

            Path secret = directory.resolve("five.tgz");
            mustSucceed(nodes.get(0).run("invite", secret.toString()));
            useEnsemble(String.join(",", servers));
            for (int id = 0; id < FEW; id++) {
                mustSucceed(nodes.get(id).run("stop"));
                mustSucceed(nodes.get(id).run("start"));
                awaitReplicas(FEW, FEW);
            }
            for (int id = FEW; id < MANY; id++) {
                mustSucceed(nodes.get(id).run("join", secret.toString()));
            }
            startTogether(FEW, MANY);
            awaitReplicas(MANY, FEW);
            kept.mustBeThereAt(bootstrap(MANY - 1));

            mustSucceed(nodes.get(MANY - 1).exec("felice:topic-replicas --all 5"));
            awaitReplicas(MANY, MANY);
            for (int id = 0; id < MANY - FEW; id++) {
                ProcessHandle.of(nodes.get(id).pid()).orElseThrow().destroyForcibly();
            }
            kept.mustBeThereAt(bootstrap(MANY - 1));
        }
    }

    @AfterEach
    void stop() throws Exception {
        for (Launcher node : nodes) {
            node.run("stop");
        }
    }

    private void useEnsemble(String list) {
        nodes.replaceAll(node -> node.with("FELICE_ZOOKEEPER_ENSEMBLE", list));
    }

    private void startTogether(int from, int to) {
        List<CompletableFuture<Result>> starts = nodes.subList(from, to).stream()
                .map(node -> CompletableFuture.supplyAsync(() -> started(node)))
                .toList();
        starts.forEach(start -> mustSucceed(start.join()));
    }

    private static Result started(Launcher node) {
        try {
            return node.run("start");
        } catch (Exception failure) {
            throw new AssertionError(failure);
        }
    }

    private void awaitReplicas(int brokers, int replicas) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap(0) + "," + bootstrap(1)))) {
            Eventually.await(
                    replicas + " replicas in sync on " + brokers + " brokers",
                    () -> admin.describeCluster().nodes().get().size() == brokers && areInSync(admin, replicas));
        }
    }

    private static boolean areInSync(Admin admin, int replicas) throws Exception {
        Set<String> topics = admin.listTopics(new ListTopicsOptions().listInternal(true))
                .names()
                .get();
        return admin.describeTopics(topics).allTopicNames().get().values().stream()
                .flatMap(topic -> topic.partitions().stream())
                .allMatch(partition -> partition.leader() != null
                        && !partition.leader().equals(Node.noNode())
                        && partition.isr().size() >= replicas);
    }

    private String bootstrap(int id) {
        return "127.0.0.1:" + port(id);
    }

    private int port(int id) {
        return Integer.parseInt(nodes.get(id).environment().get("FELICE_PORT"));
    }

    private static void mustSucceed(Result result) {
        assertThat(result.exitCode()).as(result.output()).isZero();
    }
}
