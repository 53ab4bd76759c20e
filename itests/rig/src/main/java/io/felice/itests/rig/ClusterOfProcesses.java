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

/** Nodes of one cluster, each in a process of its own, and ZooKeeper servers in others. The ids are 1, 2, 3 and so on. */
public final class ClusterOfProcesses implements AutoCloseable {
    /** After this time without a sign of life a node is dead for the others. */
    public static final long SESSION_MS = 4_000;

    private final Path directory;
    private final List<ZooKeeperProcess> zooKeepers;
    private final Map<Integer, NodeProcess> nodes = new TreeMap<>();
    private final Map<Integer, List<Way>> waysToZooKeeper = new TreeMap<>();
    private final Map<Integer, Way> waysToBroker = new TreeMap<>();
    private final Map<Integer, SmallDisk> smallDisks = new TreeMap<>();
    private final ClusterAnswers answers = new ClusterAnswers(
            this::bootstrap, nodes::keySet, id -> nodes.get(id).isRunning());

    /**
     * What a cluster consists of.
     *
     * @param zooKeepers one server, or the members of an ensemble
     * @param canBeCut true if the ways between the processes can be cut; then brokers reach each other at a listener that
     *     clients do not use
     * @param smallDiskMb the last broker has all its data on a disk of this size; 0 for the disk that all have
     */
    public record Shape(int brokers, int zooKeepers, boolean canBeCut, int smallDiskMb) {}

    private ClusterOfProcesses(Path directory, Shape shape, List<String> settings) {
        this.directory = directory;
        zooKeepers = ZooKeeperProcess.ensemble(directory.resolve("zookeeper"), shape.zooKeepers());
        for (int id = 1; id <= shape.brokers(); id++) {
            List<Integer> ports =
                    zooKeepers.stream().map(ZooKeeperProcess::port).toList();
            if (shape.canBeCut()) {
                List<Way> ways = ports.stream().map(Way::to).toList();
                waysToZooKeeper.put(id, ways);
                ports = ways.stream().map(Way::port).toList();
            }
            List<String> all = new ArrayList<>(List.of(
                    "io.felice.broker/broker.id=" + id,
                    "io.felice.zookeeper/enabled=false",
                    "io.felice.cluster.zookeeper/connect="
                            + ports.stream().map(port -> "127.0.0.1:" + port).collect(Collectors.joining(",")),
                    "io.felice.cluster.zookeeper/session.timeout.ms=" + SESSION_MS,
                    "io.felice.cluster.zookeeper/secret.file=" + directory.resolve("zookeeper.secret"),
                    "io.felice.cluster.zookeeper/session.file=" + directory.resolve("session-" + id)));
            if (shape.canBeCut()) {
                all.addAll(listeners(id));
            }
            all.addAll(settings);
            NodeProcess node = NodeProcess.in(data(id), all.toArray(String[]::new));
            boolean isSmall = shape.smallDiskMb() > 0 && id == shape.brokers();
            nodes.put(id, isSmall ? node.on(smallDisk(id, shape.smallDiskMb())) : node);
        }
    }

    private List<String> listeners(int id) {
        int between = Ports.free();
        Way way = Way.to(between);
        waysToBroker.put(id, way);
        return List.of(
                NodeProcess.MORE_LISTENERS + "BETWEEN://127.0.0.1:" + between,
                "io.felice.network/advertised.listeners=BETWEEN://127.0.0.1:" + way.port(),
                "io.felice.network/listener.security.protocol.map=BETWEEN:PLAINTEXT",
                "io.felice.replication/inter.broker.listener.name=BETWEEN");
    }

    private SmallDisk smallDisk(int id, int megabytes) {
        SmallDisk disk = SmallDisk.at(data(id).toAbsolutePath(), megabytes);
        smallDisks.put(id, disk);
        return disk;
    }

    /** Starts a server and nodes. Each setting has the form {@code io.felice.broker/num.partitions=3}. */
    public static ClusterOfProcesses start(Path directory, int count, String... settings) {
        return start(directory, new Shape(count, 1, false, 0), settings);
    }

    public static ClusterOfProcesses start(Path directory, Shape shape, String... settings) {
        ClusterOfProcesses cluster = new ClusterOfProcesses(directory, shape, List.of(settings));
        try {
            Files.createDirectories(directory);
            Files.writeString(directory.resolve("zookeeper.secret"), "a secret that all nodes of the test share\n");
            cluster.zooKeepers.forEach(ZooKeeperProcess::launch);
            cluster.zooKeepers.forEach(ZooKeeperProcess::awaitReady);
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

    /** The first of the servers. */
    public ZooKeeperProcess zooKeeper() {
        return zooKeepers.get(0);
    }

    public List<ZooKeeperProcess> zooKeepers() {
        return zooKeepers;
    }

    /** Starts all members of the ensemble, none of which runs. */
    public void startZooKeepers() {
        zooKeepers.forEach(ZooKeeperProcess::launch);
        zooKeepers.forEach(ZooKeeperProcess::awaitReady);
    }

    // ---- cuts, and the disk of one broker

    public void cutFromZooKeeper(int id) {
        waysToZooKeeper.get(id).forEach(Way::cut);
    }

    /** The other brokers do not reach this one. It reaches them, and clients reach it. */
    public void cutFromBrokers(int id) {
        waysToBroker.get(id).cut();
    }

    public void mend(int id) {
        waysToZooKeeper.get(id).forEach(Way::mend);
        waysToBroker.get(id).mend();
    }

    /** The brokers that have a small disk. */
    public Set<Integer> onSmallDisks() {
        return smallDisks.keySet();
    }

    public void fillDisk(int id) {
        smallDisks.get(id).fill();
    }

    public void makeRoom(int id) {
        smallDisks.get(id).makeRoom();
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
        SmallDisk small = smallDisks.get(id);
        List<String> command = new ArrayList<>(small == null ? List.of() : small.command());
        command.addAll(List.of("find", data(id).toString(), "-mindepth", "1", "-delete"));
        Programs.run(command, Path.of("."));
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
        closeRest();
    }

    private void closeRest() {
        zooKeepers.forEach(ZooKeeperProcess::close);
        waysToZooKeeper.values().forEach(ways -> ways.forEach(Way::close));
        waysToBroker.values().forEach(Way::close);
        smallDisks.values().forEach(SmallDisk::close);
    }

    @Override
    public void close() {
        nodes.values().forEach(NodeProcess::close);
        closeRest();
    }
}
