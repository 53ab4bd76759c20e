package io.felice.cluster.zookeeper;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.Subscription;
import io.felice.api.cluster.BrokerRegistration;
import io.felice.api.cluster.ClusterStore;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.cluster.MetadataText;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.LongPredicate;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.Op;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the ephemeral znode of one broker. If a znode of the broker's id exists already, it may belong to an older
 * session of this broker or to an earlier process on the same data directory, which has ended; then this class replaces
 * it. Otherwise it belongs to another broker, be it one on a copy of the data directory. This class waits until the session of a dead broker would be over, and refuses the
 * registration if the znode still exists. Runs on the event thread.
 */
final class Registration implements Actor, Subscription {
    private static final Logger log = LoggerFactory.getLogger(Registration.class);

    private final Paths paths;
    private final BrokerRegistration broker;
    private final ClusterStore.RegistrationListener listener;
    private final EventThread events;
    private final LongPredicate isPredecessor;
    private final Consumer<Registration> onClose;
    private final RepeatedRead look = new RepeatedRead(this::look);
    private ZooKeeperClient client;
    private long told = -1;
    private long strangerEpoch = -1;
    private boolean closed;

    /** @param isPredecessor whether a session was that of an earlier process on this data directory, which has ended */
    Registration(
            Paths paths,
            BrokerRegistration broker,
            ClusterStore.RegistrationListener listener,
            EventThread events,
            LongPredicate isPredecessor,
            Consumer<Registration> onClose) {
        this.paths = paths;
        this.broker = broker;
        this.listener = listener;
        this.events = events;
        this.isPredecessor = isPredecessor;
        this.onClose = onClose;
    }

    /** Encodes a registration as the data of its znode; {@link #of} decodes it. */
    static byte[] bytes(BrokerRegistration broker) {
        return MetadataText.encode(new MetadataRecord.BrokerRegistered(broker, 0))
                .getBytes(StandardCharsets.UTF_8);
    }

    static BrokerRegistration of(ZooKeeperClient.Node node) {
        return MetadataText.decode(node.text())
                .filter(MetadataRecord.BrokerRegistered.class::isInstance)
                .map(record -> ((MetadataRecord.BrokerRegistered) record).broker())
                .orElseThrow(() -> ErrorCode.CORRUPT_MESSAGE.because("Not a registration: " + node.text()));
    }

    BrokerRegistration broker() {
        return broker;
    }

    boolean isRegistered() {
        return told >= 0;
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
        told = -1;
    }

    @Override
    public void tick() {
        look.now();
    }

    @Override
    public void close() {
        events.execute(() -> {
            if (!closed) {
                closed = true;
                onClose.accept(this);
            }
        });
    }

    /** Deletes the znode if it still belongs to this registration. */
    void withdraw(ZooKeeperClient at) {
        at.get(path(), null, (code, node) -> {
            boolean ours = code == Code.OK && node.stat().getEphemeralOwner() == at.sessionId();
            if (ours && isThisIncarnation(node)) {
                at.delete(path(), node.stat().getVersion(), (deleted, nothing) -> {});
            }
        });
    }

    private String path() {
        return paths.broker(broker.brokerId());
    }

    private void look(Runnable done) {
        if (closed || client == null) {
            done.run();
            return;
        }
        client.get(path(), look, (code, node) -> {
            if (code == Code.OK) {
                found(node, done);
            } else if (code == Code.NONODE) {
                create(List.of(), done);
            } else {
                done.run();
            }
        });
    }

    private void found(ZooKeeperClient.Node node, Runnable done) {
        boolean ours = isOfThisSession(node);
        if (ours && new String(bytes(broker), StandardCharsets.UTF_8).equals(node.text())) {
            tell(node.stat().getCzxid());
            done.run();
        } else if (ours
                || isThisIncarnation(node)
                || isPredecessor.test(node.stat().getEphemeralOwner())) {
            create(List.of(Op.delete(path(), node.stat().getVersion())), done);
        } else {
            strangerIsThere(node);
            done.run();
        }
    }

    private void create(List<Op> before, Runnable done) {
        List<Op> operations = new ArrayList<>(before);
        operations.add(ZooKeeperClient.create(path(), bytes(broker), CreateMode.EPHEMERAL));
        client.multi(operations, (code, failed) -> {
            if (code == Code.NONODE && before.isEmpty()) {
                makeParent(done);
                return;
            }
            if (code == Code.OK || code == Code.NODEEXISTS || code == Code.NONODE || code == Code.BADVERSION) {
                look.now();
            } else if (!ZooKeeperClient.isUnknown(code) && code != Code.SESSIONEXPIRED) {
                log.error("ZooKeeper refuses to register broker {}: {}", broker.brokerId(), code);
            }
            done.run();
        });
    }

    /**
     * Creates the parent znode. Anybody can delete it while no broker is registered. The next tick registers the
     * broker.
     */
    private void makeParent(Runnable done) {
        client.create(paths.brokers(), new byte[0], CreateMode.PERSISTENT, (code, stat) -> done.run());
    }

    private void tell(long epoch) {
        strangerEpoch = -1;
        if (told != epoch) {
            told = epoch;
            log.debug("Broker {} is registered under epoch {}", broker.brokerId(), epoch);
            listener.registered(epoch);
        }
    }

    private void strangerIsThere(ZooKeeperClient.Node node) {
        long epoch = node.stat().getCzxid();
        if (epoch == strangerEpoch) {
            return;
        }
        strangerEpoch = epoch;
        told = -1;
        log.info(
                "Broker id {} is registered by another broker already ({}). This broker registers when the session of"
                        + " the other one ends, and is refused if it does not end",
                broker.brokerId(),
                node.text());
        // The session of a dead broker is over after its time-out. The ensemble notices that a little later.
        events.after(Duration.ofMillis(client.timeoutMs() * 5L / 4), () -> refuseIfStillThere(epoch));
    }

    private void refuseIfStillThere(long epoch) {
        if (closed || client == null || strangerEpoch != epoch) {
            return;
        }
        client.get(path(), null, (code, node) -> {
            if (!closed && code == Code.OK && node.stat().getCzxid() == epoch && strangerEpoch == epoch) {
                listener.refused("Another broker is alive under id " + broker.brokerId() + " (" + node.text()
                        + "). Give one of them another id.");
            }
        });
    }

    private boolean isOfThisSession(ZooKeeperClient.Node node) {
        return node.stat().getEphemeralOwner() == client.sessionId();
    }

    private boolean isThisIncarnation(ZooKeeperClient.Node node) {
        BrokerRegistration there = readable(node);
        return there != null && there.incarnation().equals(broker.incarnation());
    }

    private static BrokerRegistration readable(ZooKeeperClient.Node node) {
        try {
            return of(node);
        } catch (FeliceException strange) {
            return null;
        }
    }
}
