package io.felice.zookeeper;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/**
 * {@code felice zookeeper}: a process with one ZooKeeper server and no broker, alone or as a member of an ensemble. It
 * refuses the same operations as the server inside a broker.
 */
public final class ServerProcess {
    private static final int TICK_MS = 2_000;
    private static final int CONNECTIONS_MAX = 0;
    private static final int SNAPSHOT_EVERY = 100_000;
    private static final int SNAPSHOTS_KEPT = 3;
    private static final long LOOK_EVERY_SECONDS = 10;
    private static final long PURGE_EVERY_LOOKS = 360;

    private ServerProcess() {}

    /**
     * Runs until the process gets a signal. Arguments: {@code DATA HOST PORT}, or {@code DATA ENSEMBLE MEMBER} with a list
     * of several addresses.
     */
    public static void main(String[] arguments) throws InterruptedException {
        try {
            serve(arguments);
        } catch (IOException | IllegalArgumentException impossible) {
            System.err.println(impossible.getMessage());
        }
        System.exit(1);
    }

    private static void serve(String[] arguments) throws IOException, InterruptedException {
        Path data = Path.of(arguments[0]).toAbsolutePath();
        int number = Integer.parseInt(arguments[2]);
        RunningServer server = arguments[1].contains(",")
                ? EnsembleMember.open(settings("", 0, data), Ensemble.of(arguments[1], number))
                : SingleServer.open(settings(arguments[1], number, data));
        Runtime.getRuntime().addShutdownHook(new Thread(server::close));
        while (!server.awaitServing(LOOK_EVERY_SECONDS, TimeUnit.SECONDS)) {
            System.out.println("ZooKeeper waits: it does not reach a majority of " + server.connectString());
        }
        System.out.println("ZooKeeper serves on " + server.connectString() + " with its data in " + data);
        long looks = 0;
        while (!server.awaitEnd(LOOK_EVERY_SECONDS, TimeUnit.SECONDS)) {
            if (looks++ % PURGE_EVERY_LOOKS == 0) {
                server.purge(SNAPSHOTS_KEPT);
            }
        }
        throw new IOException("ZooKeeper has failed: its disk is full or has failed");
    }

    private static ServerSettings settings(String host, int port, Path data) {
        return new ServerSettings(host, port, data, TICK_MS, CONNECTIONS_MAX, SNAPSHOT_EVERY);
    }
}
