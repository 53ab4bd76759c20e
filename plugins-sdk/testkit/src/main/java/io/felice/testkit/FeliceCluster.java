package io.felice.testkit;

import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.ClusterStore;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.PartitionState;
import io.felice.api.cluster.TopicView;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * Several {@link FeliceNode}s of one cluster in one plain JVM. Their broker ids are 1, 2, 3 and so on; each has a data
 * directory and a port of its own, which it keeps when it is stopped and started again.
 *
 * <pre>{@code
 * try (FeliceCluster cluster = FeliceCluster.of(3).start()) {
 *     client.put("bootstrap.servers", cluster.bootstrap());
 *     cluster.kill(2);
 * }
 * }</pre>
 *
 * <p>Not thread-safe.
 */
public final class FeliceCluster implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Executor THREADS = task -> new Thread(task, "felice-cluster-start").start();

    private final Path directory;
    private final boolean directoryIsOurs;
    private final SharedStore store;
    private final Map<Integer, Member> members = new TreeMap<>();

    private FeliceCluster(Builder builder) {
        directoryIsOurs = builder.directory == null;
        directory = directoryIsOurs ? temporary() : builder.directory;
        store = builder.zooKeeper ? SharedStore.zooKeeper(directory) : SharedStore.inMemory();
        for (int id = 1; id <= builder.nodes; id++) {
            members.put(id, new Member(id, builder));
        }
    }

    /** A cluster of so many nodes. It keeps its records in files, and its metadata in memory. */
    public static Builder of(int nodes) {
        return new Builder(nodes);
    }

    /** A node that runs. */
    public FeliceNode node(int id) {
        return members.get(id).running();
    }

    /** The ids of the nodes that run. */
    public Set<Integer> running() {
        return members.entrySet().stream()
                .filter(member -> member.getValue().node != null)
                .map(Map.Entry::getKey)
                .collect(Collectors.toSet());
    }

    /** The addresses of all nodes for clients, also of those that do not run. */
    public String bootstrap() {
        return members.values().stream()
                .map(member -> "127.0.0.1:" + member.port)
                .collect(Collectors.joining(","));
    }

    /** The address of one node for clients. */
    public String bootstrap(int id) {
        return "127.0.0.1:" + members.get(id).port;
    }

    /** The newest view of any node that runs. */
    public ClusterView view() {
        return running().stream()
                .map(this::view)
                .max((one, other) -> Long.compare(one.version(), other.version()))
                .orElseThrow(() -> new IllegalStateException("no node runs"));
    }

    /** What this node has read of the metadata. */
    public ClusterView view(int id) {
        return node(id).service(ClusterMetadata.class).view();
    }

    /** The broker that leads the partition; waits until there is one. */
    public int leader(String topic, int partition) {
        return awaited(topic + "-" + partition + " has a leader", () -> view().topic(topic)
                .flatMap(found -> found.partition(partition))
                .filter(PartitionState::hasLeader)
                .map(PartitionState::leader)
                .filter(running()::contains));
    }

    /** The broker that is the controller; waits until there is one. */
    public int controller() {
        return awaited("there is a controller", () -> running().stream()
                .flatMap(id -> node(id).service(ClusterStore.class).controllerId().stream())
                .filter(running()::contains)
                .findFirst());
    }

    /** Stops a node cleanly. */
    public void stop(int id) {
        Member member = members.get(id);
        member.running().close();
        member.node = null;
    }

    /**
     * Kills a node: its connections end without answers, its session ends, and what it has not written to its files is
     * lost. With ZooKeeper the session ends by its time-out.
     */
    public void kill(int id) {
        Member member = members.get(id);
        FeliceNode killed = member.running();
        store.end(id);
        killed.kill();
        member.node = null;
    }

    /** Starts a node that was stopped or killed, with the data that it had. */
    public void start(int id) {
        members.get(id).start();
    }

    /** Stops a node cleanly and starts it again. */
    public void restart(int id) {
        stop(id);
        start(id);
    }

    /** The data directory of a node. */
    public Path data(int id) {
        return members.get(id).data();
    }

    /** Deletes all that a node which does not run has on its disk. */
    public void emptyDisk(int id) {
        Trees.delete(data(id));
    }

    /**
     * Ends the session of a node that runs, and cuts the node off from the cluster's metadata until {@link #rejoin}. Its
     * clients and the other brokers still reach it. Only for metadata in memory.
     */
    public void cutOff(int id) {
        store.end(id);
    }

    /** A node that was cut off begins a new session. */
    public void rejoin(int id) {
        store.rejoin(id);
    }

    /**
     * Waits until all nodes that run have the same view, which shows exactly them, and until every replica on them is in
     * sync.
     */
    public void awaitInSync() {
        await("all replicas are in sync", this::isInSync);
    }

    private boolean isInSync() {
        Set<Integer> running = running();
        ClusterView newest = view();
        return newest.brokers().keySet().equals(running)
                && running.stream().allMatch(id -> view(id).version() == newest.version())
                && newest.topics().stream()
                        .map(TopicView::partitions)
                        .map(Map::values)
                        .flatMap(Collection::stream)
                        .allMatch(state -> isInSync(state, running));
    }

    private static boolean isInSync(PartitionState state, Set<Integer> running) {
        List<Integer> here = state.replicas().stream().filter(running::contains).toList();
        return here.isEmpty() || (state.isr().containsAll(here) && running.contains(state.leader()));
    }

    private void awaitMembers() {
        await("every node sees the others", () -> running().stream()
                .allMatch(id -> view(id).brokers().keySet().equals(members.keySet())));
    }

    private void await(String what, Supplier<Boolean> condition) {
        awaited(what, () -> condition.get() ? Optional.of(true) : Optional.empty());
    }

    private <T> T awaited(String what, Supplier<Optional<T>> found) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        for (Optional<T> now = found.get(); ; now = found.get()) {
            if (now.isPresent()) {
                return now.get();
            }
            if (System.nanoTime() > deadline) {
                throw new IllegalStateException("still not: " + what + "; running " + running() + ", brokers "
                        + view().brokers().keySet() + ", partitions " + partitions());
            }
            try {
                Thread.sleep(2);
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted", interrupted);
            }
        }
    }

    private List<String> partitions() {
        List<String> states = new ArrayList<>();
        view().topics().forEach(topic -> topic.partitions()
                .forEach((number, state) -> states.add(topic.name() + "-" + number + " " + state)));
        return states;
    }

    private void startAll() {
        List<CompletableFuture<Void>> starts = members.values().stream()
                .map(member -> CompletableFuture.runAsync(member::start, THREADS))
                .toList();
        CompletableFuture.allOf(starts.toArray(CompletableFuture[]::new)).join();
        awaitMembers();
    }

    /** Stops all nodes cleanly. Deletes their data if the cluster created the directory. */
    @Override
    public void close() {
        running().forEach(this::stop);
        store.close();
        if (directoryIsOurs) {
            Trees.delete(directory);
        }
    }

    private static Path temporary() {
        try {
            return Files.createTempDirectory("felice-cluster-");
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    /** A node of the cluster, which runs or not. */
    private final class Member {
        private final int id;
        private final Builder settings;
        private FeliceNode node;
        private int port;

        Member(int id, Builder settings) {
            this.id = id;
            this.settings = settings;
        }

        Path data() {
            return directory.resolve("broker-" + id);
        }

        FeliceNode running() {
            if (node == null) {
                throw new IllegalStateException("broker " + id + " does not run");
            }
            return node;
        }

        void start() {
            if (node != null) {
                throw new IllegalStateException("broker " + id + " runs already");
            }
            FeliceNode.Builder builder = FeliceNode.mortalIn(data()).port(port);
            settings.ofAll.forEach((pid, values) -> values.forEach((key, value) -> builder.config(pid, key, value)));
            builder.config("io.felice.broker", "broker.id", id);
            builder.config("io.felice.broker", "rack", settings.racks.getOrDefault(id, ""));
            store.join(id, builder);
            node = builder.start();
            port = Integer.parseInt(node.bootstrap().replaceAll(".*:", ""));
        }
    }

    /** Settings of a cluster before it starts. */
    public static final class Builder {
        private final int nodes;
        private final Map<String, Map<String, Object>> ofAll = new HashMap<>();
        private final Map<Integer, String> racks = new HashMap<>();
        private Path directory;
        private boolean zooKeeper;

        private Builder(int nodes) {
            this.nodes = nodes;
        }

        /** The directory of all data. Without it the cluster uses a temporary one and deletes it when it is closed. */
        public Builder in(Path data) {
            directory = data;
            return this;
        }

        /** Keeps the metadata in one ZooKeeper server, which runs in this JVM beside the nodes. */
        public Builder zooKeeper() {
            zooKeeper = true;
            return this;
        }

        /** The rack of a node. */
        public Builder rack(int id, String rack) {
            racks.put(id, rack);
            return this;
        }

        /** Sets one value of the configuration of a bundle on every node. */
        public Builder config(String pid, String key, Object value) {
            ofAll.computeIfAbsent(pid, unused -> new HashMap<>()).put(key, value);
            return this;
        }

        /** Starts the nodes and waits until each of them serves clients and sees the others. */
        public FeliceCluster start() {
            FeliceCluster cluster = new FeliceCluster(this);
            try {
                cluster.startAll();
            } catch (RuntimeException failure) {
                cluster.close();
                throw failure;
            }
            return cluster;
        }
    }
}
