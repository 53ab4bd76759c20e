package io.felice.itests.rig;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** Nodes of one cluster, each in a process of its own, and a ZooKeeper server in another. The ids are 1, 2, 3 and so on. */
public final class ClusterOfProcesses implements AutoCloseable {
    /** After this time without a sign of life a node is dead for the others. */
    public static final long SESSION_MS = 4_000;

    private final Path directory;
    private final ZooKeeperProcess zooKeeper;
    private final Map<Integer, NodeProcess> nodes = new TreeMap<>();
    private final ClusterAnswers answers = new ClusterAnswers(
            this::bootstrap, nodes::keySet, id -> nodes.get(id).isRunning());

    private ClusterOfProcesses(Path directory, int count, List<String> settings) {
        this.directory = directory;
        zooKeeper = ZooKeeperProcess.in(directory.resolve("zookeeper"));
        for (int id = 1; id <= count; id++) {
            List<String> all = new ArrayList<>(List.of(
                    "io.felice.broker/broker.id=" + id,
                    "io.felice.zookeeper/enabled=false",
                    "io.felice.cluster.zookeeper/connect=" + zooKeeper.bootstrap(),
                    "io.felice.cluster.zookeeper/session.timeout.ms=" + SESSION_MS,
                    "io.felice.cluster.zookeeper/secret.file=" + directory.resolve("zookeeper.secret"),
                    "io.felice.cluster.zookeeper/session.file=" + directory.resolve("session-" + id)));
            all.addAll(settings);
            nodes.put(id, NodeProcess.in(data(id), all.toArray(String[]::new)));
        }
    }

    /** Starts the server and the nodes. Each setting has the form {@code io.felice.broker/num.partitions=3}. */
    public static ClusterOfProcesses start(Path directory, int count, String... settings) {
        ClusterOfProcesses cluster = new ClusterOfProcesses(directory, count, List.of(settings));
        try {
            Files.createDirectories(directory);
            Files.writeString(directory.resolve("zookeeper.secret"), "a secret that all nodes of the test share\n");
            cluster.zooKeeper.start();
            cluster.nodes.values().forEach(NodeProcess::launch);
            cluster.nodes.values().forEach(NodeProcess::awaitReady);
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

    public NodeProcess node(int id) {
        return nodes.get(id);
    }

    public ZooKeeperProcess zooKeeper() {
        return zooKeeper;
    }

    public Path data(int id) {
        return directory.resolve("broker-" + id);
    }

    public String bootstrap() {
        return nodes.values().stream().map(NodeProcess::bootstrap).collect(Collectors.joining(","));
    }

    /** Stops a node cleanly. */
    public void stop(int id) {
        nodes.get(id).close();
    }

    public void kill(int id) {
        nodes.get(id).kill();
    }

    public void start(int id) {
        nodes.get(id).start();
    }

    /** Deletes all that a node which does not run has on its disk. */
    public void emptyDisk(int id) {
        Programs.run(List.of("rm", "-rf", data(id).toString()), Path.of("."));
    }

    /** The broker that leads the partition; waits until there is one. */
    public int leader(String topic, int partition) {
        return answers.leader(topic, partition);
    }

    /** The broker that is the controller; waits until there is one. */
    public int controller() {
        return answers.controller();
    }

    /** Waits until all nodes are in the cluster and every replica of every topic is in sync. */
    public void awaitInSync() {
        answers.awaitInSync();
    }

    /** Ends all processes at once, so that their data stays as it is. */
    public void killAll() {
        nodes.values().stream().filter(NodeProcess::isRunning).forEach(NodeProcess::kill);
        zooKeeper.close();
    }

    @Override
    public void close() {
        nodes.values().forEach(NodeProcess::close);
        zooKeeper.close();
    }
}
