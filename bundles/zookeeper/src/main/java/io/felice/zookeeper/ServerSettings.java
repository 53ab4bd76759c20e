package io.felice.zookeeper;

import java.nio.file.Path;

/**
 * The settings of a single server.
 *
 * @param host the address that the server listens on
 * @param port the port that the server listens on; 0 for any free port
 * @param dataDirectory the directory of the snapshots and transaction logs; created if it is missing
 * @param tickTimeMs ZooKeeper's tick in milliseconds; a session's time-out is between 2 and 20 ticks
 * @param maxClientConnections most connections from one address; 0 for no limit
 * @param snapshotEvery most transactions between two snapshots
 */
public record ServerSettings(
        String host, int port, Path dataDirectory, int tickTimeMs, int maxClientConnections, int snapshotEvery) {

    /** @throws IllegalArgumentException if no server can run with a setting */
    public ServerSettings {
        require(port >= 0 && port <= 65_535, "port " + port + " is not in 0..65535");
        require(tickTimeMs > 0, "tick.time.ms " + tickTimeMs + " is not positive");
        require(maxClientConnections >= 0, "max.client.connections " + maxClientConnections + " is negative");
        require(snapshotEvery >= 2, "snapshot.every " + snapshotEvery + " is below 2");
    }

    /** The default settings of a node, but with any free port of the loopback address. */
    public static ServerSettings onLoopback(Path dataDirectory) {
        return new ServerSettings("127.0.0.1", 0, dataDirectory, 2_000, 60, 100_000);
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new IllegalArgumentException(otherwise);
        }
    }
}
