package io.felice.zookeeper;

import java.io.IOException;
import java.util.concurrent.TimeUnit;

/** A server of this process, alone or as a member of an ensemble. Any thread may call the methods. */
interface RunningServer extends EmbeddedZooKeeper, AutoCloseable {
    int connectionCount();

    /**
     * Waits until the server answers clients, has failed or is closed. A member of an ensemble answers while it reaches
     * a majority.
     *
     * @return true if it answers
     */
    boolean awaitServing(long time, TimeUnit unit) throws InterruptedException;

    /**
     * Waits until the server has failed or is closed.
     *
     * @return false if it still runs at the end of this time
     */
    boolean awaitEnd(long time, TimeUnit unit) throws InterruptedException;

    /** Deletes old files, see {@link ServerFiles#purge}. */
    void purge(int retained) throws IOException;

    @Override
    void close();
}
