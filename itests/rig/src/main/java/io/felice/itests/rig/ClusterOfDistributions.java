package io.felice.itests.rig;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;

/** Brokers of one cluster, each a node of the distribution, and a ZooKeeper server beside them. The ids are 1, 2, 3 and so on. */
public final class ClusterOfDistributions implements AutoCloseable {
    private static final String SESSION_MS = "4000";

    private final Path directory;
    private final ZooKeeperProcess zooKeeper;
    private final Map<Integer, DistributionNode> nodes = new TreeMap<>();
    private final ClusterAnswers answers = new ClusterAnswers(
            this::bootstrap, nodes::keySet, id -> nodes.get(id).isRunning());

    private ClusterOfDistributions(Path directory, int count) {
        this.directory = directory;
        zooKeeper = ZooKeeperProcess.in(directory.resolve("zookeeper"));
        Path secret = directory.resolve("zookeeper.secret");
        for (int id = 1; id <= count; id++) {
            Path data = directory.resolve("broker-" + id);
            DistributionNode node = DistributionNode.ofCluster(id, data, zooKeeper.bootstrap(), secret);
            node.configure(
                    "io.felice.cluster.zookeeper",
                    Map.of(
                            "connect", zooKeeper.bootstrap(),
                            "secret.file", secret.toString(),
                            "session.file",
                                    data.resolve("data/zookeeper.session").toString(),
                            "session.timeout.ms", SESSION_MS));
            node.configure(
                    "io.felice.broker",
                    Map.of(
                            "broker.id", Integer.toString(id),
                            "data.dir", data.resolve("data/broker").toString(),
                            "offsets.topic.num.partitions", "4"));
            nodes.put(id, node);
        }
    }

    /** Starts the brokers. @param installation an unpacked archive; empty for the one that was built last */
    public static ClusterOfDistributions start(Path directory, int count, Optional<Path> installation) {
        ClusterOfDistributions cluster = new ClusterOfDistributions(directory, count);
        try {
            Files.writeString(directory.resolve("zookeeper.secret"), "a secret that all brokers of the test share\n");
            cluster.zooKeeper.start();
            installation.ifPresent(home -> cluster.nodes.values().forEach(node -> node.install(home)));
            CompletableFuture<?>[] starts = cluster.nodes.values().stream()
                    .map(node -> CompletableFuture.runAsync(node::start))
                    .toArray(CompletableFuture[]::new);
            CompletableFuture.allOf(starts).join();
            cluster.awaitInSync();
        } catch (IOException | RuntimeException | Error failure) {
            cluster.killAll();
            throw new AssertionError("the cluster in " + directory + " did not start", failure);
        }
        return cluster;
    }

    public Set<Integer> ids() {
        return nodes.keySet();
    }

    public DistributionNode node(int id) {
        return nodes.get(id);
    }

    public String bootstrap() {
        return nodes.values().stream().map(DistributionNode::bootstrap).collect(Collectors.joining(","));
    }

    /** Stops a broker in order, and starts it from another installation. Its data stays. */
    public void upgrade(int id, Path installation) {
        nodes.get(id).stop();
        nodes.get(id).install(installation);
        nodes.get(id).start();
    }

    /** The broker that leads the partition; waits until there is one. */
    public int leader(String topic, int partition) {
        return answers.leader(topic, partition);
    }

    /** The broker that is the controller; waits until there is one. */
    public int controller() {
        return answers.controller();
    }

    /** Waits until all brokers are in the cluster and every replica of every topic is in sync. */
    public void awaitInSync() {
        answers.awaitInSync();
    }

    /** What the brokers have logged as errors, without the launcher's that a broker was killed: the broker's id, and the line. */
    public List<String> errors() {
        return nodes.entrySet().stream()
                .flatMap(node -> node.getValue()
                        .log()
                        .lines()
                        .filter(line -> line.contains(" ERROR ") && !line.contains(" ERROR launcher "))
                        .map(line -> node.getKey() + ": " + line))
                .toList();
    }

    /** Ends all processes at once, so that their data stays as it is. */
    public void killAll() {
        nodes.values().forEach(DistributionNode::killIfRunning);
        zooKeeper.close();
    }

    @Override
    public void close() {
        nodes.values().forEach(DistributionNode::close);
        zooKeeper.close();
    }
}
