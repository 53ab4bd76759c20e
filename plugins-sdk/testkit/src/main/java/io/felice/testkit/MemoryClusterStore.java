package io.felice.testkit;

import io.felice.api.ErrorCode;
import io.felice.api.SerialExecutor;
import io.felice.api.Subscription;
import io.felice.api.cluster.BrokerRegistration;
import io.felice.api.cluster.ClusterStore;
import io.felice.api.cluster.MetadataRecord;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;

/**
 * A {@link ClusterStore} in memory, for tests, simulators and {@code FeliceNode}. It fulfils the whole contract.
 *
 * <p>One instance is one session. Several brokers may use one instance. {@link #session} opens another session on the
 * same cluster, which can be disconnected or expired on its own. Only the event executor changes state; every method
 * may be called from any thread.
 */
public final class MemoryClusterStore implements ClusterStore, AutoCloseable {
    private final Truth truth;
    private final Set<Following> followings = new LinkedHashSet<>();
    private final Set<Registered> registrations = new LinkedHashSet<>();
    private final Set<Campaign> campaigns = Collections.synchronizedSet(new LinkedHashSet<>());
    private final List<Runnable> waitingForReconnect = new ArrayList<>();
    private volatile boolean connected = true;
    private boolean expired;

    /** A new, empty cluster. Callbacks run on one daemon thread, which ends with {@link #close}. */
    public MemoryClusterStore() {
        this(new Truth(Executors.newSingleThreadExecutor(MemoryClusterStore::thread)));
    }

    /**
     * A new, empty cluster for a simulator. Callbacks run in tasks of {@code events}, one at a time. With {@code
     * Runnable::run} every call completes before it returns, except calls within a callback.
     */
    public MemoryClusterStore(Executor events) {
        this(new Truth(new SerialExecutor("the memory cluster store", events)));
    }

    private MemoryClusterStore(Truth truth) {
        this.truth = truth;
    }

    private static Thread thread(Runnable task) {
        Thread thread = new Thread(task, "felice-memory-cluster");
        thread.setDaemon(true);
        return thread;
    }

    /** Opens another session on the same cluster. */
    public MemoryClusterStore session() {
        return new MemoryClusterStore(truth);
    }

    @Override
    public Subscription follow(Follower follower) {
        Following following = new Following(follower);
        truth.run(() -> {
            truth.sessions.add(this);
            followings.add(following);
            following.catchUp();
        });
        return () -> {
            following.closed = true;
            truth.run(() -> followings.remove(following));
        };
    }

    @Override
    public Subscription register(BrokerRegistration broker, RegistrationListener listener) {
        Registered registered = new Registered(broker, listener);
        truth.run(() -> {
            truth.sessions.add(this);
            registrations.add(registered);
            registered.announce();
        });
        return () -> truth.run(() -> {
            registrations.remove(registered);
            registered.withdraw();
        });
    }

    @Override
    public Subscription campaign(Candidate candidate) {
        Campaign campaign = new Campaign(candidate);
        truth.run(() -> {
            truth.sessions.add(this);
            campaigns.add(campaign);
            truth.candidates.add(campaign);
            truth.elect();
        });
        return () -> truth.run(() -> {
            campaigns.remove(campaign);
            truth.candidates.remove(campaign);
            campaign.depose();
        });
    }

    @Override
    public boolean isConnected() {
        return connected;
    }

    @Override
    public Optional<Integer> controllerId() {
        return truth.controllerId;
    }

    @Override
    public boolean isControllerElsewhere() {
        return connected && truth.controller != null && !campaigns.contains(truth.controller);
    }

    /** Reports to the controller's candidate, in whichever session, that {@code what} is missing from the store. */
    public void damage(String what) {
        truth.run(() -> {
            if (truth.controller != null) {
                truth.controller.candidate.damaged(what);
            }
        });
    }

    /**
     * Disconnects this session: it receives no events and its writes wait. Other sessions still see its brokers as
     * alive.
     */
    public void disconnect() {
        connected = false;
    }

    /**
     * Ends {@link #disconnect}. Waiting writes and events go on. A session that expired meanwhile begins a new one.
     */
    public void reconnect() {
        truth.run(() -> {
            connected = true;
            if (expired) {
                expired = false;
                campaigns.forEach(Campaign::depose);
                registrations.forEach(Registered::announce);
                truth.candidates.addAll(campaigns);
            }
            List<Runnable> waiting = List.copyOf(waitingForReconnect);
            waitingForReconnect.clear();
            waiting.forEach(Runnable::run);
            followings.forEach(Following::catchUp);
            truth.elect();
            campaigns.forEach(Campaign::showBrokers);
        });
    }

    /**
     * Expires this session, connected or not. Its brokers are removed and its controller loses its term. A connected
     * session begins a new one at once.
     */
    public void expire() {
        truth.run(() -> {
            expired = !connected;
            registrations.forEach(Registered::withdraw);
            truth.candidates.removeAll(campaigns);
            if (campaigns.contains(truth.controller)) {
                truth.controller = null;
            }
            if (connected) {
                campaigns.forEach(Campaign::depose);
                registrations.forEach(Registered::announce);
                truth.candidates.addAll(campaigns);
            }
            truth.elect();
        });
    }

    /** Ends the term of the current controller, in whichever session. The next candidate is elected. */
    public void deposeController() {
        truth.run(() -> {
            Campaign controller = truth.controller;
            if (controller != null) {
                truth.candidates.remove(controller);
                truth.candidates.add(controller);
                controller.depose();
            }
        });
    }

    /** The number of changes in the metadata log. */
    public long version() {
        return truth.version;
    }

    /** Ends the event thread of all sessions of this cluster. Stages that are not complete never complete. */
    @Override
    public void close() {
        if (truth.events instanceof ExecutorService thread) {
            thread.shutdown();
        }
    }

    private void whenConnected(Runnable task) {
        if (connected) {
            task.run();
        } else {
            waitingForReconnect.add(task);
        }
    }

    /** The state that all sessions share. Only the event executor changes it. */
    private static final class Truth {
        private final Executor events;
        private final Set<MemoryClusterStore> sessions = new LinkedHashSet<>();
        private final TreeMap<Long, List<MetadataRecord>> log = new TreeMap<>();
        private final TreeMap<Long, List<MetadataRecord>> snapshots = new TreeMap<>();
        private final TreeMap<Integer, Registered> brokers = new TreeMap<>();
        private final Set<Campaign> candidates = new LinkedHashSet<>();
        private volatile long version;
        private long brokerEpoch;
        private int controllerEpoch;
        private volatile Campaign controller;
        private volatile Optional<Integer> controllerId = Optional.empty();

        Truth(Executor events) {
            this.events = events;
        }

        void run(Runnable task) {
            try {
                events.execute(() -> {
                    task.run();
                    controllerId = controller == null ? Optional.empty() : controller.brokerId();
                });
            } catch (RejectedExecutionException closed) {
                // The cluster is closed: the task is dropped.
            }
        }

        void elect() {
            for (Campaign candidate : List.copyOf(candidates)) {
                if (controller == null && candidate.canLead()) {
                    controller = candidate;
                    candidate.elected(++controllerEpoch);
                }
            }
        }

        void showBrokers() {
            if (controller != null) {
                controller.showBrokers();
            }
        }

        long append(List<MetadataRecord> records) {
            log.put(version + 1, records);
            version++;
            sessions.forEach(session -> session.followings.forEach(Following::catchUp));
            return version;
        }

        /** Stores a snapshot. Keeps the two newest snapshots and every change after the older of them. */
        void keep(long at, List<MetadataRecord> state) {
            snapshots.put(at, state);
            while (snapshots.size() > 2) {
                snapshots.pollFirstEntry();
            }
            if (snapshots.size() == 2) {
                log.headMap(snapshots.firstKey(), true).clear();
            }
        }
    }

    private final class Following {
        private final Follower follower;
        private long applied = -1;
        private volatile boolean closed;

        Following(Follower follower) {
            this.follower = follower;
        }

        void catchUp() {
            if (applied < 0 || fellBehind()) {
                reset();
            }
            while (!closed && connected && applied >= 0 && applied < truth.version) {
                applied++;
                follower.changed(applied, truth.log.get(applied));
            }
        }

        private boolean fellBehind() {
            return applied < truth.version && !truth.log.containsKey(applied + 1);
        }

        private void reset() {
            if (!closed && connected) {
                boolean fresh = truth.snapshots.isEmpty();
                applied = fresh ? 0 : truth.snapshots.lastKey();
                follower.reset(applied, fresh ? List.of() : truth.snapshots.get(applied));
            }
        }
    }

    /** A broker that is registered or waits to be. */
    private final class Registered {
        private final BrokerRegistration broker;
        private final RegistrationListener listener;
        private long epoch;

        Registered(BrokerRegistration broker, RegistrationListener listener) {
            this.broker = broker;
            this.listener = listener;
        }

        void announce() {
            if (!registrations.contains(this)) {
                return;
            }
            if (!connected) {
                waitingForReconnect.add(this::announce);
                return;
            }
            Registered other = truth.brokers.get(broker.brokerId());
            if (other != null && !other.broker.incarnation().equals(broker.incarnation())) {
                listener.refused("Another broker is alive under id " + broker.brokerId() + ": "
                        + other.broker.endpoints() + "; give one of them another id.");
                return;
            }
            epoch = ++truth.brokerEpoch;
            truth.brokers.put(broker.brokerId(), this);
            listener.registered(epoch);
            truth.showBrokers();
        }

        void withdraw() {
            if (truth.brokers.remove(broker.brokerId(), this)) {
                truth.showBrokers();
                truth.sessions.forEach(session -> session.retry(broker.brokerId()));
            }
        }
    }

    private void retry(int brokerId) {
        registrations.stream()
                .filter(waiting -> waiting.broker.brokerId() == brokerId && waiting.epoch == 0)
                .forEach(Registered::announce);
    }

    private final class Campaign {
        private final Candidate candidate;
        private MemoryTerm term;

        Campaign(Candidate candidate) {
            this.candidate = candidate;
        }

        boolean canLead() {
            return connected && term == null;
        }

        Optional<Integer> brokerId() {
            return registrations.stream()
                    .filter(registered -> truth.brokers.containsValue(registered))
                    .map(registered -> registered.broker.brokerId())
                    .findFirst();
        }

        void elected(int epoch) {
            term = new MemoryTerm(this, epoch, truth.version);
            candidate.elected(term);
            showBrokers();
        }

        void showBrokers() {
            if (term != null && truth.controller == this && connected) {
                List<LiveRegistration> live = new ArrayList<>();
                truth.brokers.values().forEach(b -> live.add(new LiveRegistration(b.broker, b.epoch)));
                candidate.brokers(List.copyOf(live));
            }
        }

        void depose() {
            if (truth.controller == this) {
                truth.controller = null;
            }
            if (term != null) {
                term = null;
                candidate.deposed();
            }
            truth.elect();
        }
    }

    /** A term of the controller. It may write until its campaign loses the election. */
    private final class MemoryTerm implements Term {
        private final Campaign campaign;
        private final int epoch;
        private final long logLength;

        MemoryTerm(Campaign campaign, int epoch, long logLength) {
            this.campaign = campaign;
            this.epoch = epoch;
            this.logLength = logLength;
        }

        @Override
        public int epoch() {
            return epoch;
        }

        @Override
        public long logLength() {
            return logLength;
        }

        @Override
        public CompletionStage<Long> append(List<MetadataRecord> records) {
            List<MetadataRecord> change = List.copyOf(records);
            return inTerm(() -> truth.append(change));
        }

        @Override
        public CompletionStage<Void> snapshot(long version, List<MetadataRecord> state) {
            List<MetadataRecord> kept = List.copyOf(state);
            return inTerm(() -> {
                truth.keep(version, kept);
                return null;
            });
        }

        private <V> CompletionStage<V> inTerm(Supplier<V> step) {
            CompletableFuture<V> done = new CompletableFuture<>();
            truth.run(() -> whenConnected(() -> {
                if (truth.controller == campaign && campaign.term == this) {
                    done.complete(step.get());
                } else {
                    done.completeExceptionally(
                            ErrorCode.NOT_CONTROLLER.because("The term of controller epoch " + epoch + " is over."));
                }
            }));
            return done;
        }
    }
}
