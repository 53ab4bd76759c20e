package io.felice.cluster.zookeeper;

import java.util.Optional;
import org.apache.zookeeper.KeeperException.Code;

/** Who is controller, as {@code /controller} says. Lives on the event thread; the answer may be read from any. */
final class ControllerSeen implements Actor {
    private final Paths paths;
    private final Look look = new Look(this::look);
    private ZooKeeperClient client;
    private volatile Optional<Integer> brokerId = Optional.empty();

    ControllerSeen(Paths paths) {
        this.paths = paths;
    }

    Optional<Integer> brokerId() {
        return brokerId;
    }

    @Override
    public void connected(ZooKeeperClient now) {
        ZooKeeperClient before = client;
        client = now;
        look.through(before, now);
    }

    @Override
    public void sessionLost() {
        client = null;
    }

    @Override
    public void tick() {
        look.now();
    }

    private void look(Runnable done) {
        if (client == null) {
            done.run();
            return;
        }
        client.get(paths.controller(), look, (code, node) -> {
            if (code == Code.OK) {
                brokerId = Election.Content.of(node.text()).brokerId().stream()
                        .boxed()
                        .findFirst();
            } else if (code == Code.NONODE) {
                brokerId = Optional.empty();
                client.exists(paths.controller(), look, (again, stat) -> {
                    if (again == Code.OK) {
                        look.now();
                    }
                    done.run();
                });
                return;
            }
            done.run();
        });
    }
}
