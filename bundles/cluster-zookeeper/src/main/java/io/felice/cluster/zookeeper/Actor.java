package io.felice.cluster.zookeeper;

/** A part of the store that keeps or reads znodes in the session. Called on the event thread. */
interface Actor {
    /** There is a connection, for the first time or again. All watches are gone, so the actor looks at all its znodes. */
    void connected(ZooKeeperClient client);

    /** The session is over, and its ephemeral znodes are gone. The next {@link #connected} belongs to a new session. */
    void sessionLost();

    /** Called every few seconds. The actor looks again, in case a watch was lost. */
    void tick();
}
