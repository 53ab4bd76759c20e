package io.felice.zookeeper;

import java.nio.file.Path;

/**
 * What a single server needs to know.
 *
 * @param host the only address it listens on
 * @param port the port it listens on, 0 for any that is free
 * @param dataDirectory where its snapshots and transaction logs are; made when missing
 * @param tickTimeMs its unit of time in milliseconds; sessions last from 2 to 20 ticks
 * @param maxClientConnections how many connections one address may hold, 0 for any number
 * @param snapshotEvery how many transactions it writes before the next snapshot
 */
public record ServerSettings(
        String host, int port, Path dataDirectory, int tickTimeMs, int maxClientConnections, int snapshotEvery) {

    /** Rejects what no server could run with. */
    public ServerSettings {
        require(port >= 0 && port <= 65_535, "port " + port + " is not in 0..65535");
        require(tickTimeMs > 0, "tick.time.ms " + tickTimeMs + " is not positive");
        require(maxClientConnections >= 0, "max.client.connections " + maxClientConnections + " is negative");
        require(snapshotEvery >= 2, "snapshot.every " + snapshotEvery + " is below 2");
    }

    /** A server on any free loopback port, with everything else as a node has it by default. */
    public static ServerSettings onLoopback(Path dataDirectory) {
        return new ServerSettings("127.0.0.1", 0, dataDirectory, 2_000, 60, 100_000);
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new IllegalArgumentException(otherwise);
        }
    }
}
