package io.felice.cluster.zookeeper;

/** A part of the store that lives on the session. Called on the event thread. */
interface Actor {
    /** There is a connection, for the first time or again: look at everything. */
    void connected(ZooKeeperClient client);

    /** The session is over, and with it all that was ephemeral; the next {@link #connected} belongs to a new one. */
    void sessionLost();

    /** Some time has passed: a look at what a lost watch could have missed. */
    void tick();
}
