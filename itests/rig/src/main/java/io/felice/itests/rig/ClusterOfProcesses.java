package io.felice.itests.rig;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListTopicsOptions;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.Node;

/** Nodes of one cluster, each in a process of its own, and a ZooKeeper server in another. The ids are 1, 2, 3 and so on. */
public final class ClusterOfProcesses implements AutoCloseable {
    /** After this time without a sign of life a node is dead for the others. */
    public static final long SESSION_MS = 4_000;

    private static final int ANSWER_SECONDS = 5;

    private final Path directory;
    private final ZooKeeperProcess zooKeeper;
    private final Map<Integer, NodeProcess> nodes = new TreeMap<>();

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
        int[] found = {-1};
        awaitAnswer(topic + "-" + partition + " has a leader", admin -> {
            Node leader = get(admin.describeTopics(List.of(topic)).allTopicNames())
                    .get(topic)
                    .partitions()
                    .get(partition)
                    .leader();
            found[0] = leader == null || leader.isEmpty() ? -1 : leader.id();
            return found[0] >= 0 && nodes.get(found[0]).isRunning();
        });
        return found[0];
    }

    /** The broker that is the controller; waits until there is one. */
    public int controller() {
        int[] found = {-1};
        awaitAnswer("there is a controller", admin -> {
            Node controller = get(admin.describeCluster().controller());
            found[0] = controller == null || controller.isEmpty() ? -1 : controller.id();
            return found[0] >= 0 && nodes.get(found[0]).isRunning();
        });
        return found[0];
    }

    /** Waits until all nodes are in the cluster and every replica of every topic is in sync. */
    public void awaitInSync() {
        awaitAnswer("all replicas are in sync", admin -> {
            Set<Integer> there = new TreeSet<>();
            get(admin.describeCluster().nodes()).forEach(node -> there.add(node.id()));
            return there.equals(nodes.keySet()) && topics(admin).stream().allMatch(ClusterOfProcesses::isInSync);
        });
    }

    private static List<TopicDescription> topics(Admin admin) throws ExecutionException, TimeoutException {
        Set<String> names =
                get(admin.listTopics(new ListTopicsOptions().listInternal(true)).names());
        return List.copyOf(get(admin.describeTopics(names).allTopicNames()).values());
    }

    private static boolean isInSync(TopicDescription topic) {
        return topic.partitions().stream()
                .allMatch(partition ->
                        partition.leader() != null && partition.isr().containsAll(partition.replicas()));
    }

    /** A question that is asked again until the answer is true; an error is no answer. */
    private interface Question {
        boolean isAnswered(Admin admin) throws ExecutionException, TimeoutException;
    }

    private void awaitAnswer(String what, Question question) {
        try (Admin admin = Admin.create(clientSettings())) {
            Java.await(what, () -> {
                try {
                    return question.isAnswered(admin);
                } catch (ExecutionException | TimeoutException again) {
                    return false;
                }
            });
        }
    }

    private static <T> T get(KafkaFuture<T> future) throws ExecutionException, TimeoutException {
        try {
            return future.get(ANSWER_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException interrupted) {
            throw new AssertionError(interrupted);
        }
    }

    private Map<String, Object> clientSettings() {
        Map<String, Object> settings = new HashMap<>();
        settings.put("bootstrap.servers", bootstrap());
        settings.put("reconnect.backoff.ms", 20);
        settings.put("reconnect.backoff.max.ms", 100);
        settings.put("retry.backoff.ms", 50);
        settings.put("retry.backoff.max.ms", 200);
        settings.put("metadata.recovery.strategy", "none");
        return settings;
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
