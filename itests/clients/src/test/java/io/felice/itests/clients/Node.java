package io.felice.itests.clients;

import io.felice.testkit.FeliceNode;
import java.nio.file.Path;

/**
 * The broker under test: a {@link FeliceNode}, or with {@code -Dfelice.oracle=HOST:PORT} any other one, so that what a
 * test expects can be asked of Apache Kafka.
 */
final class Node implements AutoCloseable {
    private static final String ORACLE = System.getProperty("felice.oracle", "");

    private final FeliceNode node;

    private Node(FeliceNode node) {
        this.node = node;
    }

    /** With the log engine and an embedded ZooKeeper in this directory. */
    static Node in(Path directory) {
        return of(FeliceNode.in(directory));
    }

    /** With everything in memory. */
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
