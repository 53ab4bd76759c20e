package io.felice.itests.clients;

/** A node in a process of its own, on a port that stays, which can be killed and started again. */
interface Mortal extends AutoCloseable {
    String bootstrap();

    /** Starts the node, or starts it again with the data it left; done when it serves. */
    void start();

    /** kill -9; done when the process is gone. */
    void kill();

    @Override
    void close();
}
