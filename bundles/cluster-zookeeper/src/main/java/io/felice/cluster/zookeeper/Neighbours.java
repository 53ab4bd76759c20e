package io.felice.cluster.zookeeper;

import io.felice.api.Subscription;
import io.felice.api.cluster.BrokerRegistration;
import io.felice.zookeeper.Liveness;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.Op;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Watches the processes of the other brokers, and lets them watch this one. On proof that a process has ended, has the
 * ephemeral znodes of its session deleted ({@link Death}), so that all brokers know it before the session's time-out. The
 * multi deletes the znode named after the session too, so it fails if the session has ended meanwhile. A broker that lives
 * and whose znodes were deleted by mistake registers again, under another broker epoch. Runs on the event thread.
 */
final class Neighbours implements Actor {
    private static final Logger log = LoggerFactory.getLogger(Neighbours.class);
    private static final Pattern CONTENT =
            Pattern.compile("alive/1 host=(\\S+) port=(\\d{1,5}) process=([0-9a-f-]{36})");
    private static final Duration LEFT_TO_THE_CONTROLLER = Duration.ofMillis(300);
    private static final Pattern SESSION = Pattern.compile("[0-9a-f]{1,16}");

    private final Paths paths;
    private final Liveness liveness;
    private final EventThread events;
    private final Supplier<Optional<BrokerRegistration>> self;
    private final Supplier<Optional<Election>> election;
    private final RepeatedRead brokers = new RepeatedRead(this::lookAtBrokers);
    private final RepeatedRead alive = new RepeatedRead(this::lookAtAlive);
    private final Map<String, Subscription> watched = new HashMap<>();
    private final Set<String> dead = new HashSet<>();
    /** Those of the dead whose znodes were left to the controller once. */
    private final Set<String> left = new HashSet<>();

    private ZooKeeperClient client;
    /** The socket of this process; null until it is open. */
    private Liveness.Address own;

    private boolean opens;
    private String trouble = "";
    private boolean closed;

    /**
     * @param self the broker that registers in this session, if any
     * @param election the candidate of this process, if it may be elected
     */
    Neighbours(
            Paths paths,
            Liveness liveness,
            EventThread events,
            Supplier<Optional<BrokerRegistration>> self,
            Supplier<Optional<Election>> election) {
        this.paths = paths;
        this.liveness = liveness;
        this.events = events;
        this.self = self;
        this.election = election;
    }

    boolean uses(Liveness other) {
        return liveness == other;
    }

    @Override
    public void connected(ZooKeeperClient now) {
        ZooKeeperClient before = client;
        client = now;
        brokers.through(before, now);
        alive.through(before, now);
        List.copyOf(dead).forEach(this::remove);
    }

    @Override
    public void sessionLost() {
        client = null;
    }

    @Override
    public void tick() {
        brokers.now();
        alive.now();
        List.copyOf(dead).forEach(this::remove);
    }

    void close() {
        closed = true;
        watched.values().forEach(Subscription::close);
        watched.clear();
    }

    // ---- this process

    private void lookAtBrokers(Runnable done) {
        if (client == null || closed) {
            done.run();
            return;
        }
        client.children(paths.brokers(), brokers, (code, names) -> {
            boolean hasNeighbours = code == Code.OK && names.size() > 1;
            Optional<BrokerRegistration> broker = self.get();
            if (hasNeighbours && client != null && broker.isPresent()) {
                publish(broker.get(), done);
            } else {
                done.run();
            }
        });
    }

    private void publish(BrokerRegistration broker, Runnable done) {
        if (own == null) {
            open(broker);
            done.run();
            return;
        }
        byte[] content = ("alive/1 host=" + own.host() + " port=" + own.port() + " process=" + own.process())
                .getBytes(StandardCharsets.UTF_8);
        ZooKeeperClient asked = client;
        String path = paths.alive(asked.sessionId());
        asked.get(path, brokers, (code, node) -> {
            if (asked != client || (code != Code.OK && code != Code.NONODE)) {
                done.run();
            } else if (code == Code.NONODE) {
                asked.create(path, content, CreateMode.EPHEMERAL, (created, stat) -> done.run());
            } else if (!Arrays.equals(node.data(), content)) {
                asked.set(path, content, node.stat().getVersion(), (set, stat) -> done.run());
            } else {
                done.run();
            }
        });
    }

    /** Opens the socket of this process on a thread of its own, because that may wait for the resolver. */
    private void open(BrokerRegistration broker) {
        if (opens) {
            return;
        }
        opens = true;
        String host =
                broker.endpoints().isEmpty() ? "" : broker.endpoints().get(0).host();
        Thread opening = new Thread(
                () -> {
                    try {
                        Liveness.Address opened = liveness.open(host);
                        events.execute(() -> opened(opened));
                    } catch (IOException failure) {
                        events.execute(() -> notOpened(failure.getMessage()));
                    }
                },
                "felice-cluster-zookeeper-open");
        opening.setDaemon(true);
        opening.start();
    }

    private void opened(Liveness.Address address) {
        opens = false;
        own = address;
        brokers.now();
    }

    /** Tried again at the next tick. */
    private void notOpened(String why) {
        opens = false;
        if (!why.equals(trouble)) {
            trouble = why;
            log.warn("{}. If this process is killed, the others know it at the end of its session only", why);
        }
    }

    // ---- the others

    private void lookAtAlive(Runnable done) {
        if (client == null || closed) {
            done.run();
            return;
        }
        client.children(paths.alive(), alive, (code, names) -> {
            if (code != Code.OK || client == null || closed) {
                done.run();
                return;
            }
            forgetAllBut(names);
            names.stream()
                    .filter(name -> SESSION.matcher(name).matches())
                    .filter(name -> !name.equals(Long.toHexString(client.sessionId())))
                    .filter(name -> !watched.containsKey(name))
                    .forEach(this::begin);
            done.run();
        });
    }

    private void forgetAllBut(List<String> names) {
        dead.retainAll(names);
        left.retainAll(names);
        List<String> gone =
                watched.keySet().stream().filter(name -> !names.contains(name)).toList();
        gone.forEach(name -> watched.remove(name).close());
    }

    private void begin(String session) {
        client.get(paths.alive() + "/" + session, null, (code, node) -> {
            if (code != Code.OK || closed || watched.containsKey(session)) {
                return;
            }
            Matcher content = CONTENT.matcher(node.text());
            if (content.matches() && Integer.parseInt(content.group(2)) <= 65_535) {
                Liveness.Address other = new Liveness.Address(
                        content.group(1), Integer.parseInt(content.group(2)), UUID.fromString(content.group(3)));
                watched.put(session, liveness.watch(other, () -> events.execute(() -> ended(session, other))));
            }
        });
    }

    private void ended(String session, Liveness.Address other) {
        if (closed || !watched.containsKey(session)) {
            return;
        }
        log.info(
                "The process at {}:{} has ended without a farewell; its znodes are deleted before the time-out of its"
                        + " session 0x{}",
                other.host(),
                other.port(),
                session);
        dead.add(session);
        remove(session);
    }

    /**
     * Reads which znodes the session has, and has them deleted. Tried again at the next tick, until the znode named after the
     * session is gone.
     */
    private void remove(String session) {
        if (client == null || closed) {
            return;
        }
        ZooKeeperClient asked = client;
        asked.children(paths.brokers(), null, (code, names) -> {
            if (code != Code.OK || asked != client) {
                return;
            }
            List<String> candidates = new ArrayList<>();
            names.forEach(name -> candidates.add(paths.brokers() + "/" + name));
            candidates.add(paths.controller());
            List<Op> deletions = new ArrayList<>();
            deletions.add(Op.delete(paths.alive() + "/" + session, -1));
            Set<Long> epochs = new HashSet<>();
            for (String path : candidates) {
                boolean isController = path.equals(paths.controller());
                asked.exists(path, null, (answer, stat) -> {
                    boolean isOwned =
                            answer == Code.OK && stat.getEphemeralOwner() == Long.parseUnsignedLong(session, 16);
                    if (isOwned) {
                        deletions.add(Op.delete(path, stat.getVersion()));
                    }
                    if (isOwned && !isController) {
                        epochs.add(stat.getCzxid());
                    }
                    if (isController && (answer == Code.OK || answer == Code.NONODE) && asked == client) {
                        follow(new Death(
                                session, deletions, epochs, isOwned, outcome -> settled(session, deletions, outcome)));
                    }
                });
            }
        });
    }

    /**
     * A dead controller is succeeded in the multi that deletes its znodes; a dead broker is deleted in the multi with which the
     * controller says that it is gone. If the controller does not do that soon, the znodes are deleted without it.
     */
    private void follow(Death death) {
        Optional<Election> candidate = election.get().filter(Election::stands);
        if (death.isController() && candidate.isPresent()) {
            candidate.get().succeed(death);
        } else if (death.isController() || death.brokerEpochs().isEmpty() || !left.add(death.session())) {
            client.multi(death.deletions(), (code, failed) -> death.outcome().accept(code));
        } else {
            candidate.ifPresent(controller -> controller.bury(death));
            events.after(LEFT_TO_THE_CONTROLLER, () -> {
                if (dead.contains(death.session())) {
                    remove(death.session());
                }
            });
        }
    }

    private void settled(String session, List<Op> deletions, Code outcome) {
        if (outcome == Code.OK) {
            log.warn(
                    "The process of session 0x{} has ended: {} are deleted",
                    session,
                    deletions.stream().map(Op::getPath).toList());
        }
        if (outcome == Code.OK || outcome == Code.NONODE) {
            forget(session);
        } else if (outcome == Code.BADVERSION || outcome == Code.NODEEXISTS) {
            remove(session);
        }
    }

    /** The proof is used up. If it was wrong, the process publishes its address again, and is watched again. */
    private void forget(String session) {
        dead.remove(session);
        left.remove(session);
        Subscription watch = watched.remove(session);
        if (watch != null) {
            watch.close();
        }
        alive.now();
    }
}
