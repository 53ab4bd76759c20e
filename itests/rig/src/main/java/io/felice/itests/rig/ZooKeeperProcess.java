package io.felice.itests.rig;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A ZooKeeper server in a process of its own, beside the nodes of a cluster. Its port and its data stay the same. */
public final class ZooKeeperProcess implements Mortal {
    private static final int TICK_MS = 1_000;

    private final Path data;
    private final int port = DistributionNode.freePort();
    private Process process;

    private ZooKeeperProcess(Path data) {
        this.data = data;
    }

    /** A server that is not started yet. */
    public static ZooKeeperProcess in(Path data) {
        return new ZooKeeperProcess(data);
    }

    @Override
    public String bootstrap() {
        return "127.0.0.1:" + port;
    }

    @Override
    public void start() {
        try {
            Files.createDirectories(data);
            Path settings = Files.write(
                    data.resolve("zoo.cfg"),
                    List.of(
                            "clientPortAddress=127.0.0.1",
                            "clientPort=" + port,
                            "dataDir=" + data.resolve("data"),
                            "tickTime=" + TICK_MS,
                            "admin.enableServer=false",
                            "maxClientCnxns=0"));
            process = new ProcessBuilder(List.of(
                            ProcessHandle.current().info().command().orElse("java"),
                            "-Xmx128m",
                            "-XX:+UseSerialGC",
                            "-XX:TieredStopAtLevel=1",
                            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                            "-cp",
                            System.getProperty("java.class.path"),
                            "org.apache.zookeeper.server.ZooKeeperServerMain",
                            settings.toString()))
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.appendTo(
                            data.resolve("said").toFile()))
                    .start();
        } catch (IOException failure) {
            throw new AssertionError(failure);
        }
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
