package io.felice.itests.rig;

/** A node in a process of its own that can be killed and started again. Its port stays the same. */
public interface Mortal extends AutoCloseable {
    String bootstrap();

    /** Starts the node, with the data of its last run if there was one. Returns when the node serves clients. */
    void start();

    /** Kills the node with kill -9. Returns when the process has ended. */
    void kill();

    @Override
    void close();
}
