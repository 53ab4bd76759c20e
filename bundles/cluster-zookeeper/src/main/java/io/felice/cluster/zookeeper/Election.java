package io.felice.cluster.zookeeper;

import io.felice.api.FeliceException;
import io.felice.api.Subscription;
import io.felice.api.cluster.ClusterStore;
import io.felice.api.cluster.ClusterStore.LiveRegistration;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.Op;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A candidate for controller. When {@code /controller} does not exist, the candidate creates it, in the same multi that
 * raises the controller epoch. Its term ends when another owner has that znode, another candidate has raised the epoch,
 * or the session is over. Runs on the event thread.
 */
final class Election implements Actor, Subscription {
    private static final Logger log = LoggerFactory.getLogger(Election.class);
    private static final Pattern CONTENT =
            Pattern.compile("controller/1 epoch=(\\d+) id=([0-9a-f-]+)(?: broker=(\\d+))?");

    private final Paths paths;
    /** Null once this election is closed and done: a watch may keep the election, and must not keep an old controller. */
    private ClusterStore.Candidate candidate;

    private final String id;
    private final EventThread events;
    private final MetadataLogWriter.Counters counters;
    private final Predicate<String> isLocal;
    private final Supplier<OptionalInt> brokerId;
    private final Consumer<Election> onClose;
    private final RepeatedRead look = new RepeatedRead(this::look);
    private final RepeatedRead brokers = new RepeatedRead(this::lookAtBrokers);
    private final List<MetadataLogWriter> past = new ArrayList<>();
    private ZooKeeperClient client;
    private MetadataLogWriter term;
    private int endedEpoch = -1;
    private List<LiveRegistration> shown;
    /** The broker epochs of dead processes. Their registrations are deleted with the change that says that they are gone. */
    private final Set<Long> buried = new HashSet<>();

    private boolean closed;

    record Content(int epoch, String id, OptionalInt brokerId) {
        static Content of(String text) {
            Matcher content = CONTENT.matcher(text);
            if (!content.matches()) {
                return new Content(-1, "", OptionalInt.empty());
            }
            String broker = content.group(3);
            return new Content(
                    Integer.parseInt(content.group(1)),
                    content.group(2),
                    broker == null ? OptionalInt.empty() : OptionalInt.of(Integer.parseInt(broker)));
        }

        byte[] bytes() {
            String broker = brokerId.isPresent() ? " broker=" + brokerId.getAsInt() : "";
            return ("controller/1 epoch=" + epoch + " id=" + id + broker).getBytes(StandardCharsets.UTF_8);
        }
    }

    /**
     * @param isLocal tells whether a candidate with this id belongs to this store
     * @param brokerId the broker id that is registered in this session, if any
     */
    Election(
            Paths paths,
            ClusterStore.Candidate candidate,
            String id,
            EventThread events,
            MetadataLogWriter.Counters counters,
            Predicate<String> isLocal,
            Supplier<OptionalInt> brokerId,
            Consumer<Election> onClose) {
        this.paths = paths;
        this.candidate = candidate;
        this.id = id;
        this.events = events;
        this.counters = counters;
        this.isLocal = isLocal;
        this.brokerId = brokerId;
        this.onClose = onClose;
    }

    String id() {
        return id;
    }

    @Override
    public void connected(ZooKeeperClient now) {
        ZooKeeperClient before = client;
        client = now;
        past.forEach(writer -> writer.connected(now));
        past.removeIf(writer -> !writer.isOpen());
        if (term != null) {
            term.connected(now);
        }
        look.through(before, now);
        brokers.through(before, now);
    }

    @Override
    public void sessionLost() {
        client = null;
        depose();
    }

    @Override
    public void tick() {
        past.removeIf(writer -> !writer.isOpen());
        if (term != null) {
            term.tick();
        }
        look.now();
        brokers.now();
    }

    @Override
    public void close() {
        events.execute(() -> {
            if (!closed) {
                closed = true;
                depose();
                look.now();
            }
        });
    }

    /**
     * Called when a part of the metadata log that readers need is gone. If this candidate is controller, it can write a
     * snapshot instead.
     */
    void damaged(String what) {
        if (term != null) {
            candidate.damaged(what);
        }
    }

    /** True if this candidate may be elected. */
    boolean stands() {
        return client != null && !closed;
    }

    /** True during a term. */
    boolean isElected() {
        return term != null;
    }

    /** Stands for election in the multi that deletes the znodes of the dead controller. */
    void succeed(Death controller) {
        take(controller.deletions(), controller.outcome(), () -> {});
    }

    /** Shows the candidate the cluster without the dead broker. Its znodes are deleted with the change that says so. */
    void bury(Death broker) {
        if (term != null) {
            buried.addAll(broker.brokerEpochs());
            term.bury(broker);
            if (shown != null) {
                show(term, shown);
            }
        }
    }

    /** True while a batch of an earlier term has no answer yet. */
    boolean isOpen() {
        return past.stream().anyMatch(MetadataLogWriter::isOpen);
    }

    void abandon() {
        depose();
        past.forEach(MetadataLogWriter::abandon);
        past.clear();
    }

    private void look(Runnable done) {
        if (client == null) {
            done.run();
            return;
        }
        client.get(paths.controller(), look, (code, node) -> {
            if (code == Code.NONODE) {
                depose();
                take(List.of(), done);
            } else if (code == Code.OK) {
                found(node, done);
            } else {
                done.run();
            }
        });
    }

    private void found(ZooKeeperClient.Node node, Runnable done) {
        Content content = Content.of(node.text());
        boolean thisSession = node.stat().getEphemeralOwner() == client.sessionId();
        if (thisSession && content.id().equals(id)) {
            if (closed) {
                resign(node, done);
            } else if (term == null && content.epoch() <= endedEpoch) {
                take(List.of(Op.delete(paths.controller(), node.stat().getVersion())), done);
            } else if (term == null) {
                begin(content.epoch(), done);
            } else {
                sayWhichBroker(content, node.stat().getVersion(), done);
            }
            return;
        }
        depose();
        if (thisSession && !isLocal.test(content.id())) {
            // An earlier store in this session has left the znode behind.
            take(List.of(Op.delete(paths.controller(), node.stat().getVersion())), done);
        } else {
            finishIfClosed();
            done.run();
        }
    }

    private void take(List<Op> before, Runnable done) {
        take(before, outcome -> {}, done);
    }

    private void take(List<Op> before, Consumer<Code> result, Runnable done) {
        if (closed) {
            finishIfClosed();
            done.run();
            return;
        }
        client.exists(paths.controllerEpoch(), null, (code, stat) -> {
            if (code == Code.NONODE) {
                makeEpoch(done);
                return;
            }
            if (code != Code.OK || client == null) {
                done.run();
                return;
            }
            Content content = new Content(stat.getVersion() + 1, id, brokerId.get());
            List<Op> election = new ArrayList<>(before);
            election.add(Op.setData(paths.controllerEpoch(), content.bytes(), stat.getVersion()));
            election.add(ZooKeeperClient.create(paths.controller(), content.bytes(), CreateMode.EPHEMERAL));
            client.multi(election, (outcome, failed) -> {
                if (outcome == Code.OK
                        || outcome == Code.NODEEXISTS
                        || outcome == Code.BADVERSION
                        || outcome == Code.NONODE) {
                    look.now();
                } else if (!ZooKeeperClient.isUnknown(outcome) && outcome != Code.SESSIONEXPIRED) {
                    log.error("ZooKeeper refuses to elect this node controller: {}", outcome);
                }
                result.accept(outcome);
                done.run();
            });
        });
    }

    /**
     * Creates the controller epoch at 0. If somebody deleted it, the data of {@code /log} has the epoch of the last
     * writer. Then the epoch is raised to that one; each write to the znode adds one.
     */
    private void makeEpoch(Runnable done) {
        client.get(paths.log(), null, (code, node) -> {
            if (code != Code.OK || client == null) {
                done.run();
                return;
            }
            List<Op> operations = new ArrayList<>();
            operations.add(ZooKeeperClient.create(paths.controllerEpoch(), new byte[0], CreateMode.PERSISTENT));
            for (int epoch = MetadataLogWriter.lastEpoch(node.text()); epoch > 0; epoch--) {
                operations.add(Op.setData(paths.controllerEpoch(), new byte[0], -1));
            }
            client.multi(operations, (outcome, failed) -> {
                if (outcome == Code.OK || outcome == Code.NODEEXISTS) {
                    look.now();
                }
                done.run();
            });
        });
    }

    /**
     * Begins the term. No other controller can append any more, so the length of the log is final for the earlier
     * terms.
     */
    private void begin(int epoch, Runnable done) {
        client.exists(paths.log(), null, (code, stat) -> {
            if (code == Code.OK && client != null && !closed) {
                int[] mine = {epoch};
                MetadataLogWriter writer = new MetadataLogWriter(
                        paths, client, events, counters, epoch, stat.getVersion(), () -> deposedIn(mine[0]));
                term = writer;
                shown = null;
                log.info(
                        "This node is elected controller in epoch {}, at version {} of the metadata log",
                        epoch,
                        stat.getVersion());
                candidate.elected(writer);
                brokers.now();
                look.now();
            }
            done.run();
        });
    }

    private void deposedIn(int epoch) {
        if (term != null && term.epoch() == epoch) {
            depose();
            look.now();
        }
    }

    private void depose() {
        if (term != null) {
            MetadataLogWriter ended = term;
            term = null;
            endedEpoch = ended.epoch();
            buried.clear();
            past.add(ended);
            ended.end();
            past.removeIf(writer -> !writer.isOpen());
            log.info("The term of this node as controller in epoch {} has ended", ended.epoch());
            candidate.deposed();
        }
    }

    private void resign(ZooKeeperClient.Node node, Runnable done) {
        client.delete(paths.controller(), node.stat().getVersion(), (code, nothing) -> {
            if (code != Code.OK && code != Code.SESSIONEXPIRED && !ZooKeeperClient.isUnknown(code)) {
                look.now();
            }
            finishIfClosed();
            done.run();
        });
    }

    private void finishIfClosed() {
        if (closed && past.isEmpty()) {
            candidate = null;
            onClose.accept(this);
        }
    }

    private void sayWhichBroker(Content content, int version, Runnable done) {
        OptionalInt now = brokerId.get();
        if (now.isEmpty() || now.equals(content.brokerId())) {
            done.run();
            return;
        }
        Content next = new Content(content.epoch(), content.id(), now);
        client.set(paths.controller(), next.bytes(), version, (code, stat) -> done.run());
    }

    private void lookAtBrokers(Runnable done) {
        if (client == null || term == null) {
            done.run();
            return;
        }
        MetadataLogWriter asking = term;
        client.children(paths.brokers(), brokers, (code, names) -> {
            if (code != Code.OK || client == null) {
                done.run();
                return;
            }
            List<LiveRegistration> live = new ArrayList<>();
            if (names.isEmpty()) {
                show(asking, live);
                done.run();
            }
            int[] left = {names.size()};
            boolean[] complete = {true};
            for (String name : names) {
                client.get(paths.brokers() + "/" + name, brokers, (ofBroker, node) -> {
                    if (ofBroker == Code.OK) {
                        add(live, node);
                    } else if (ofBroker != Code.NONODE) {
                        complete[0] = false;
                    }
                    if (--left[0] == 0) {
                        if (complete[0]) {
                            buried.retainAll(
                                    live.stream().map(LiveRegistration::epoch).toList());
                            show(asking, live);
                        }
                        done.run();
                    }
                });
            }
        });
    }

    private static void add(List<LiveRegistration> live, ZooKeeperClient.Node node) {
        try {
            live.add(new LiveRegistration(Registration.of(node), node.stat().getCzxid()));
        } catch (FeliceException unreadable) {
            log.warn("The registration of a broker is ignored because it cannot be read: {}", unreadable.getMessage());
        }
    }

    private void show(MetadataLogWriter asking, List<LiveRegistration> live) {
        List<LiveRegistration> now = live.stream()
                .filter(registration -> !buried.contains(registration.epoch()))
                .sorted(Comparator.comparingInt(r -> r.broker().brokerId()))
                .toList();
        if (term == asking && !now.equals(shown)) {
            shown = now;
            candidate.brokers(now);
        }
    }
}
