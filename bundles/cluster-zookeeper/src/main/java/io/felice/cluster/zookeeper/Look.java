package io.felice.cluster.zookeeper;

import java.util.function.Consumer;

/** A look at ZooKeeper that takes several answers. Only one is under way. A reason to look that comes meanwhile makes it
 * look once more afterwards, so no change is missed however many watches fire at once. Only used on the event thread.
 */
final class Look {
    private final Consumer<Runnable> look;
    private boolean busy;
    private boolean again;
    private int generation;

    /** @param look gets a task that it must run once, when its last answer has come */
    Look(Consumer<Runnable> look) {
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

    /** Looks through the new connection. A look that is under way through another client is never answered, and is dropped. */
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
