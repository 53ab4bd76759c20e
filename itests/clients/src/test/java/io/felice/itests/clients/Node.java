package io.felice.itests.clients;

import io.felice.testkit.FeliceNode;
import java.nio.file.Path;

/**
 * The broker under test. It is a {@link FeliceNode}, or the broker at {@code -Dfelice.oracle=HOST:PORT}, with which the
 * expectations of a test can be checked against Apache Kafka.
 */
final class Node implements AutoCloseable {
    private static final String ORACLE = System.getProperty("felice.oracle", "");

    private final FeliceNode node;

    private Node(FeliceNode node) {
        this.node = node;
    }

    /** A node with the log engine and an embedded ZooKeeper in this directory. */
    static Node in(Path directory) {
        return of(FeliceNode.in(directory));
    }

    /** A node with its records and metadata in memory. */
    static Node inMemory() {
        return of(FeliceNode.inMemory());
    }

    static Node of(FeliceNode.Builder builder) {
        return new Node(ORACLE.isEmpty() ? builder.start() : null);
    }

    static boolean isOracle() {
        return !ORACLE.isEmpty();
    }

    String bootstrap() {
        return node == null ? ORACLE : node.bootstrap();
    }

    FeliceNode felice() {
        return node;
    }

    @Override
    public void close() {
        if (node != null) {
            node.close();
        }
    }
}
