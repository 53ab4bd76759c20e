package io.felice.cluster.zookeeper;

/** A part of the store that writes or reads znodes. All methods are called on the event thread. */
interface Actor {
    /**
     * Called when a connection is made, for the first time or again. ZooKeeper has dropped all watches, so the actor
     * reads all its znodes.
     */
    void connected(ZooKeeperClient client);

    /**
     * Called when the session is over. Its ephemeral znodes are deleted; the next {@link #connected} belongs to a new
     * session.
     */
    void sessionLost();

    /** Called every few seconds. The actor reads its znodes again, in case a watch was lost. */
    void tick();
}
