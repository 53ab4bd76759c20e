package io.felice.itests.rig;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A ZooKeeper server in a process of its own, beside the nodes of a cluster: a single one or a member of an ensemble. Its
 * port and its data stay the same.
 */
public final class ZooKeeperProcess implements Mortal {
    private static final int TICK_MS = 1_000;

    private final Path data;
    private final int id;
    /** How the members of the ensemble reach each other; empty for a single server. */
    private final List<String> ensemble;

    private final int port = Ports.free();
    private Process process;

    private ZooKeeperProcess(Path data, int id, List<String> ensemble) {
        this.data = data;
        this.id = id;
        this.ensemble = ensemble;
    }

    /** A server that is not started yet. */
    public static ZooKeeperProcess in(Path data) {
        return new ZooKeeperProcess(data, 1, List.of());
    }

    /** The members of an ensemble, which are not started yet. More than half of them have to run. */
    public static List<ZooKeeperProcess> ensemble(Path directory, int members) {
        if (members == 1) {
            return List.of(in(directory));
        }
        List<String> addresses = new ArrayList<>();
        for (int id = 1; id <= members; id++) {
            addresses.add("server." + id + "=127.0.0.1:" + Ports.free() + ":" + Ports.free());
        }
        List<ZooKeeperProcess> all = new ArrayList<>();
        for (int id = 1; id <= members; id++) {
            all.add(new ZooKeeperProcess(directory.resolve("member-" + id), id, addresses));
        }
        return List.copyOf(all);
    }

    int port() {
        return port;
    }

    @Override
    public String bootstrap() {
        return "127.0.0.1:" + port;
    }

    @Override
    public void start() {
        launch();
        awaitReady();
    }

    void launch() {
        try {
            Files.createDirectories(data.resolve("data"));
            List<String> lines = new ArrayList<>(List.of(
                    "clientPortAddress=127.0.0.1",
                    "clientPort=" + port,
                    "dataDir=" + data.resolve("data"),
                    "tickTime=" + TICK_MS,
                    "admin.enableServer=false",
                    "maxClientCnxns=0"));
            if (!ensemble.isEmpty()) {
                lines.addAll(List.of("initLimit=10", "syncLimit=5"));
                lines.addAll(ensemble);
                Files.writeString(data.resolve("data/myid"), Integer.toString(id));
            }
            Path settings = Files.write(data.resolve("zoo.cfg"), lines);
            process = new ProcessBuilder(List.of(
                            ProcessHandle.current().info().command().orElse("java"),
                            "-Xmx128m",
                            "-XX:+UseSerialGC",
                            "-XX:TieredStopAtLevel=1",
                            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                            "-cp",
                            System.getProperty("java.class.path"),
                            ensemble.isEmpty()
                                    ? "org.apache.zookeeper.server.ZooKeeperServerMain"
                                    : "org.apache.zookeeper.server.quorum.QuorumPeerMain",
                            settings.toString()))
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.appendTo(
                            data.resolve("said").toFile()))
                    .start();
        } catch (IOException failure) {
            throw new AssertionError(failure);
        }
    }

    void awaitReady() {
        Java.await("ZooKeeper listens", this::listens);
    }

    private boolean listens() {
        if (!process.isAlive()) {
            throw new AssertionError("ZooKeeper ended; see " + data.resolve("said"));
        }
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            return socket.isConnected();
        } catch (IOException notYet) {
            return false;
        }
    }

    @Override
    public void kill() {
        process.destroyForcibly().onExit().join();
    }

    @Override
    public void close() {
        if (process != null && process.isAlive()) {
            kill();
        }
    }
}
