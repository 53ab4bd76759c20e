package io.felice.cluster.zookeeper;

import java.util.function.Consumer;

/**
 * A look at ZooKeeper that takes several answers. Only one is under way; a reason to look that comes meanwhile makes it
 * look once more afterwards. So watches need only say "look", and none can be missed. Only used on the event thread.
 */
final class Look {
    private final Consumer<Runnable> look;
    private boolean busy;
    private boolean again;
    private int generation;

    /** {@code look} gets a task to run when it has seen all, once, whatever it has seen. */
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

    /** There is a connection: looks; what is under way through another client is never answered and does not count. */
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
