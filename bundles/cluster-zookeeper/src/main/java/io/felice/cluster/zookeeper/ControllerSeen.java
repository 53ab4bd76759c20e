package io.felice.cluster.zookeeper;

import java.time.Instant;
import java.util.Optional;
import org.apache.zookeeper.KeeperException.Code;

/**
 * Reads from {@code /controller} which broker is the controller. Runs on the event thread; any thread may read the
 * result.
 */
final class ControllerSeen implements Actor {
    private final Paths paths;
    private final RepeatedRead look = new RepeatedRead(this::look);
    private ZooKeeperClient client;
    private volatile Optional<Integer> brokerId = Optional.empty();
    private volatile Optional<Instant> since = Optional.empty();
    private volatile boolean elsewhere;

    ControllerSeen(Paths paths) {
        this.paths = paths;
    }

    Optional<Integer> brokerId() {
        return brokerId;
    }

    /** When the controller was elected, by the clock of the ensemble. */
    Optional<Instant> since() {
        return since;
    }

    /** True if a candidate with another session is controller. */
    boolean isElsewhere() {
        return elsewhere;
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
        if (!elsewhere) {
            forget();
        }
        elsewhere = false;
    }

    private void forget() {
        brokerId = Optional.empty();
        since = Optional.empty();
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
            if (code == Code.OK && client != null) {
                elsewhere = node.stat().getEphemeralOwner() != client.sessionId();
                since = Optional.of(Instant.ofEpochMilli(node.stat().getCtime()));
                brokerId = Election.Content.of(node.text()).brokerId().stream()
                        .boxed()
                        .findFirst();
            } else if (code == Code.NONODE) {
                forget();
                elsewhere = false;
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
