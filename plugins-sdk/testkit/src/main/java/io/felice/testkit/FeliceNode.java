package io.felice.testkit;

import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.ClusterStore;
import io.felice.api.cluster.Endpoints;
import io.felice.api.status.StatusSource;
import io.felice.api.status.StatusTable;
import io.felice.protocol.Api;
import io.felice.protocol.Apis;
import io.felice.protocol.ServedApis;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;

/**
 * The whole broker in one plain JVM, without OSGi: every Felice bundle found on the class path, wired as Declarative
 * Services would wire it. For tests of what the broker does; packaging and swapping are tested on the distribution.
 *
 * <pre>{@code
 * try (FeliceNode node = FeliceNode.inMemory().start()) {
 *     Properties client = new Properties();
 *     client.put("bootstrap.servers", node.bootstrap());
 * }
 * }</pre>
 *
 * <p>Listens on a free port of the loopback interface. Not thread-safe, except {@link #bootstrap} and {@link #status}.
 */
public final class FeliceNode implements AutoCloseable {
    private static final Duration READY_WITHIN = Duration.ofSeconds(60);
    /** The bundles through which a node reaches others. A killed node says nothing. */
    private static final List<String> CUT_OFF_BY_A_KILL = List.of(
            "io.felice.cluster.zookeeper", "io.felice.network", "io.felice.replication", "io.felice.controller");

    private final ComponentRuntime runtime;
    private final Faults faults;
    private final Path data;
    private final boolean dataIsOurs;
    private String bootstrap;

    private FeliceNode(ComponentRuntime runtime, Faults faults, Path data, boolean dataIsOurs) {
        this.runtime = runtime;
        this.faults = faults;
        this.data = data;
        this.dataIsOurs = dataIsOurs;
    }

    /** A node that keeps its topics and metadata in memory. They are lost when it is closed. */
    public static Builder inMemory() {
        return new Builder().engine("memory");
    }

    /**
     * A node that keeps its data in this directory. It uses the log engine and, for the metadata, an embedded
     * ZooKeeper.
     */
    public static Builder in(Path data) {
        return new Builder().data(data).zooKeeper();
    }

    /** A node with the log engine that may be killed ({@link #kill}). */
    static Builder mortalIn(Path data) {
        return new Builder().data(data).mortal();
    }

    /** The address for clients, such as {@code 127.0.0.1:45123}. */
    public String bootstrap() {
        return bootstrap;
    }

    /** The node's data directory. */
    public Path data() {
        return data;
    }

    /** Failures that clients of this node get. */
    public Faults faults() {
        return faults;
    }

    /** The status table of that name, as {@code felice:status} shows it. */
    public StatusTable status(String table) {
        return runtime.all(StatusSource.class).stream()
                .flatMap(source -> source.tables().stream())
                .filter(found -> found.name().equals(table))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no bundle shows a table " + table));
    }

    /** The service of this type. */
    public <T> T service(Class<T> type) {
        return runtime.find(type).orElseThrow(() -> new IllegalArgumentException("no service of " + type));
    }

    /**
     * Deactivates the components of a bundle such as {@code io.felice.broker} and activates them again, as an update of
     * the bundle would.
     */
    public void restart(String bundle) {
        runtime.stop(bundle);
        runtime.start(bundle);
    }

    /** Deactivates the components of a bundle, as stopping the bundle would. */
    public void stop(String bundle) {
        runtime.stop(bundle);
    }

    /** Activates the components of a bundle that was stopped. */
    public void start(String bundle) {
        runtime.start(bundle);
    }

    /** Changes a configuration while the node runs. */
    public void configure(String pid, Map<String, Object> values) {
        runtime.configure(pid, values);
    }

    /**
     * Stops the node cleanly: requests that it accepted are answered, and logs are settled. Deletes the data directory
     * if the node created it.
     */
    @Override
    public void close() {
        runtime.aboutToStop();
        runtime.close();
        if (dataIsOurs) {
            Trees.delete(data);
        }
    }

    /**
     * Ends the node as a kill does: its connections end without answers, nobody is told, and its data directory has what
     * was in the files when the connections ended. The caller has cut the node off from the cluster store.
     */
    void kill() {
        faults.hangUp();
        CUT_OFF_BY_A_KILL.forEach(runtime::stop);
        Path image = data.resolveSibling(data.getFileName() + ".killed");
        Trees.copy(data, image);
        runtime.close();
        Trees.delete(data);
        Trees.move(image, data);
    }

    private void awaitReady() {
        await("its listeners", () -> runtime.find(Endpoints.class).isPresent());
        bootstrap = runtime.find(Endpoints.class).orElseThrow().endpoints().stream()
                .findFirst()
                .map(endpoint -> endpoint.host() + ":" + endpoint.port())
                .orElseThrow();
        await("its handlers", this::servesWhatIsExpected);
        await("its registration", this::isRegistered);
    }

    private boolean servesWhatIsExpected() {
        Set<Short> served = new HashSet<>();
        runtime.find(ServedApis.class).ifPresent(apis -> apis.ranges().forEach(range -> served.add(range.key())));
        return Apis.all().stream().filter(Api::expected).allMatch(api -> served.contains(api.key()));
    }

    private boolean isRegistered() {
        return runtime.find(ClusterMetadata.class)
                .filter(metadata -> metadata.view().broker(metadata.brokerId()).isPresent())
                .isPresent();
    }

    private void await(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + READY_WITHIN.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                throw new IllegalStateException(
                        "the node still waits for " + what + "; not active: " + runtime.unsatisfied());
            }
            try {
                Thread.sleep(1);
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted", interrupted);
            }
        }
    }

    /** Settings of a node before it starts. */
    public static final class Builder {
        private final Map<String, Map<String, Object>> configurations = new HashMap<>();
        private Path data;
        private ClusterStore store;
        private boolean zooKeeper;
        private boolean mortal;

        private Builder() {
            config("io.felice.network", "listeners", "PLAINTEXT://127.0.0.1:0");
            config("io.felice.zookeeper", "port", 0);
            config("io.felice.broker", "group.initial.rebalance.delay.ms", 0);
        }

        /** The data directory. Without it the node uses a temporary directory that it deletes when it is closed. */
        public Builder data(Path directory) {
            data = directory;
            return this;
        }

        /** Keeps the metadata in an embedded ZooKeeper instead of in memory. */
        public Builder zooKeeper() {
            zooKeeper = true;
            return this;
        }

        /** Keeps the metadata in this store, which the nodes of one cluster share. */
        public Builder store(ClusterStore shared) {
            store = shared;
            return this;
        }

        private Builder mortal() {
            mortal = true;
            return this;
        }

        /** The storage engine of topics that do not set {@code storage.engine}. */
        public Builder engine(String name) {
            return config("io.felice.broker", "storage.placement", "*:" + name);
        }

        /** The port of the listener. */
        public Builder port(int port) {
            return config("io.felice.network", "listeners", "PLAINTEXT://127.0.0.1:" + port);
        }

        /** Sets one value of a bundle's configuration: {@code config("io.felice.broker", "num.partitions", 3)}. */
        public Builder config(String pid, String key, Object value) {
            configurations.computeIfAbsent(pid, unused -> new HashMap<>()).put(key, value);
            return this;
        }

        /** Starts the node and waits until it serves clients. */
        public FeliceNode start() {
            boolean ours = data == null;
            Path directory = ours ? temporary() : data;
            directories(directory);
            ClassLoader loader = FeliceNode.class.getClassLoader();
            List<ComponentDescription> components = ComponentDescription.onClassPath(loader).stream()
                    .filter(this::isWanted)
                    .toList();
            WantedExtensions.check(configurations, components);
            Faults faults = new Faults(mortal);
            ComponentRuntime runtime = new ComponentRuntime(loader, directory, configurations, faults);
            if (!zooKeeper) {
                runtime.add(store == null ? new MemoryClusterStore() : store, ClusterStore.class);
            }
            components.forEach(runtime::add);
            FeliceNode node = new FeliceNode(runtime, faults, directory, ours);
            try {
                runtime.settle();
                node.awaitReady();
            } catch (RuntimeException failure) {
                node.close();
                throw failure;
            }
            return node;
        }

        private boolean isWanted(ComponentDescription component) {
            boolean ofZooKeeper = component.bundle().equals("io.felice.zookeeper")
                    || component.bundle().equals("io.felice.cluster.zookeeper");
            return zooKeeper || !ofZooKeeper;
        }

        private void directories(Path directory) {
            configurations
                    .computeIfAbsent("io.felice.broker", unused -> new HashMap<>())
                    .putIfAbsent("data.dir", directory.resolve("broker").toString());
            configurations
                    .computeIfAbsent("io.felice.storage.log", unused -> new HashMap<>())
                    .putIfAbsent("directory", directory.resolve("log").toString());
            configurations
                    .computeIfAbsent("io.felice.storage.mvstore", unused -> new HashMap<>())
                    .putIfAbsent("directory", directory.resolve("mvstore").toString());
            configurations
                    .computeIfAbsent("io.felice.zookeeper", unused -> new HashMap<>())
                    .putIfAbsent("data.dir", directory.resolve("zookeeper").toString());
            configurations
                    .computeIfAbsent("io.felice.cluster.zookeeper", unused -> new HashMap<>())
                    .putIfAbsent(
                            "secret.file", directory.resolve("zookeeper.secret").toString());
        }

        private static Path temporary() {
            try {
                return Files.createTempDirectory("felice-");
            } catch (IOException failure) {
                throw new UncheckedIOException(failure);
            }
        }
    }

    /**
     * Runs a node until its standard input ends: {@code FeliceNode DIRECTORY [PORT]}. Prints {@code
     * bootstrap=HOST:PORT} when clients can connect.
     */
    public static void main(String[] arguments) throws IOException {
        Builder builder = in(Path.of(arguments[0]));
        if (arguments.length > 1) {
            builder.port(Integer.parseInt(arguments[1]));
        }
        try (FeliceNode node = builder.start()) {
            System.out.println("bootstrap=" + node.bootstrap());
            while (System.in.read() >= 0) {
                continue;
            }
        }
    }
}
