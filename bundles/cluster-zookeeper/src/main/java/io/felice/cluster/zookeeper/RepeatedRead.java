package io.felice.cluster.zookeeper;

import java.util.function.Consumer;

/**
 * A reading of znodes that takes several answers. Only one reading runs at a time. If it is asked for again meanwhile,
 * it runs once more afterwards, so no change is missed. Only used on the event thread.
 */
final class RepeatedRead {
    private final Consumer<Runnable> look;
    private boolean busy;
    private boolean again;
    private int generation;

    /** @param look reads the znodes; runs the task that it gets once, after its last answer */
    RepeatedRead(Consumer<Runnable> look) {
        this.look = look;
    }

    void now() {
        if (busy) {
            again = true;
            return;
        }
        busy = true;
        again = false;
        int mine = ++generation;
        look.accept(() -> done(mine));
    }

    /**
     * Reads through the new connection. Drops a reading through another client, because that client gives no more
     * answers.
     */
    void through(ZooKeeperClient before, ZooKeeperClient now) {
        if (before != now) {
            busy = false;
        }
        now();
    }

    private void done(int of) {
        if (of != generation || !busy) {
            return;
        }
        busy = false;
        if (again) {
            now();
        }
    }
}
