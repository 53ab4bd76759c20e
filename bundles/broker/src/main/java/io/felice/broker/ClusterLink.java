package io.felice.broker;

import static io.felice.api.ErrorCode.REQUEST_TIMED_OUT;

import io.felice.api.Subscription;
import io.felice.api.cluster.BrokerRegistration;
import io.felice.api.cluster.BrokerRegistration.LastEnd;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.ClusterStore;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.Endpoints;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.storage.EngineTrait;
import io.felice.broker.partition.Environment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Follows the metadata log of the cluster store, and registers this broker. The last view stays valid while there is no
 * store. Changed on the broker's thread only; any thread may read the view.
 */
final class ClusterLink implements ClusterMetadata {
    private static final Logger log = LoggerFactory.getLogger(ClusterLink.class);
    /** How long a caller waits for new partitions. */
    private static final Duration PATIENCE_TO_OPEN = Duration.ofSeconds(30);
    /** How long a caller waits for a change to be read. */
    private static final Duration PATIENCE_TO_READ = Duration.ofSeconds(5);

    private static final Duration DEFAULT_SESSION = Duration.ofSeconds(18);

    private final Environment environment;
    private final Executor main;
    private final UUID incarnation;
    private final String rack;
    private final Consumer<String> onRefused;
    private final List<Listening> listenings = new CopyOnWriteArrayList<>();
    /** Who waits for a version to be read. */
    private final Map<CompletableFuture<ClusterView>, Long> reading = new ConcurrentHashMap<>();
    /** Who also waits until its partitions are open. */
    private final Map<CompletableFuture<ClusterView>, Long> opening = new ConcurrentHashMap<>();

    private volatile ClusterView view = ClusterView.EMPTY;
    private volatile CompletableFuture<?> served = CompletableFuture.completedFuture(null);

    private Following following;
    private volatile ClusterStore store;
    private volatile boolean left;
    private volatile Endpoints endpoints;
    private volatile UUID storeId;
    private LastEnd lastEnd;
    private final Map<String, Set<EngineTrait>> engines = new TreeMap<>();
    private final Map<String, String> engineVersions = new TreeMap<>();
    private BrokerRegistration registered;
    private Subscription registration;

    /**
     * @param incarnation a new id for this run of the broker: a view that contains this id also has all records that
     *     were in the metadata log before this run
     * @param onRefused gets the reason if the cluster refuses this broker, for example because another broker has its
     *     id
     */
    ClusterLink(Environment environment, Executor main, UUID incarnation, String rack, Consumer<String> onRefused) {
        this.environment = environment;
        this.main = main;
        this.incarnation = incarnation;
        this.rack = rack;
        this.onRefused = onRefused;
    }

    @Override
    public ClusterView view() {
        return view;
    }

    @Override
    public int brokerId() {
        return environment.brokerId();
    }

    @Override
    public CompletionStage<ClusterView> reached(long version) {
        return await(version, opening, PATIENCE_TO_OPEN);
    }

    @Override
    public CompletionStage<ClusterView> replayed(long version) {
        return await(version, reading, PATIENCE_TO_READ);
    }

    private CompletionStage<ClusterView> await(
            long version, Map<CompletableFuture<ClusterView>, Long> waiting, Duration patience) {
        CompletableFuture<ClusterView> done = new CompletableFuture<>();
        waiting.put(done, version);
        answerReading();
        answerOpening();
        if (left) {
            failWaiting();
        }
        if (!done.isDone()) {
            Runnable giveUp = () -> {
                waiting.remove(done);
                done.completeExceptionally(REQUEST_TIMED_OUT.because(
                        "This broker has not read version " + version + " of the metadata yet"));
            };
            Future<?> timer = environment.timer().schedule(giveUp, patience.toMillis(), TimeUnit.MILLISECONDS);
            done.whenComplete((seen, failure) -> timer.cancel(false));
        }
        return done;
    }

    private void answerReading() {
        ClusterView now = view;
        reading.forEach((future, version) -> {
            if (version <= now.version() && reading.remove(future, version)) {
                future.complete(now);
            }
        });
    }

    private void answerOpening() {
        ClusterView now = view;
        CompletableFuture<?> opened = served;
        opening.forEach((future, version) -> {
            if (version <= now.version() && opening.remove(future, version)) {
                opened.whenComplete((nothing, failure) -> future.complete(now));
            }
        });
    }

    @Override
    public Subscription listen(Consumer<ClusterView> listener) {
        Listening listening = new Listening(listener);
        main.execute(() -> {
            listenings.add(listening);
            listening.tell(view);
        });
        return listening;
    }

    private final class Listening implements Subscription {
        private final Consumer<ClusterView> listener;
        private volatile boolean closed;

        Listening(Consumer<ClusterView> listener) {
            this.listener = listener;
        }

        void tell(ClusterView news) {
            if (closed) {
                return;
            }
            try {
                listener.accept(news);
            } catch (RuntimeException failure) {
                log.error(
                        "A listener of the cluster's view failed at version {} and may have missed the change",
                        news.version(),
                        failure);
            }
        }

        @Override
        public void close() {
            closed = true;
            listenings.remove(this);
        }
    }

    // ---- on the broker's thread

    /** @param opened completes when the new partitions can be used */
    void publish(ClusterView news, CompletableFuture<?> opened) {
        served = CompletableFuture.allOf(served, opened);
        view = news;
        answerReading();
        listenings.forEach(listening -> listening.tell(news));
        answerOpening();
    }

    void follow(ClusterStore newStore, Consumer<ClusterView> views) {
        lost();
        store = newStore;
        following = new Following(views);
        following.subscription = newStore.follow(following);
        register();
    }

    /**
     * The last view stays valid. The registration is not withdrawn: the next store may continue the session of this
     * one, so the stores decide whether the cluster counts this broker as dead meanwhile.
     */
    void lost() {
        if (following != null) {
            following.closed = true;
            following.subscription.close();
            following = null;
        }
        registration = null;
        registered = null;
        store = null;
    }

    void leave() {
        withdraw();
        lost();
        left = true;
        failWaiting();
    }

    private void failWaiting() {
        failAll(reading);
        failAll(opening);
    }

    private static void failAll(Map<CompletableFuture<ClusterView>, Long> waiting) {
        waiting.keySet().forEach(future -> {
            waiting.remove(future);
            future.completeExceptionally(REQUEST_TIMED_OUT.because("This broker is stopping"));
        });
    }

    boolean follows(ClusterStore other) {
        return store == other;
    }

    /** Replays the records on the broker's thread, in the order of the store's calls. */
    private final class Following implements ClusterStore.Follower {
        private final Consumer<ClusterView> views;
        private Subscription subscription = () -> {};
        private volatile boolean closed;
        private ClusterView replayed = ClusterView.EMPTY;

        Following(Consumer<ClusterView> views) {
            this.views = views;
        }

        @Override
        public void reset(long version, List<MetadataRecord> snapshot) {
            main.execute(() -> replay(ClusterView.EMPTY, version, snapshot));
        }

        @Override
        public void changed(long version, List<MetadataRecord> records) {
            main.execute(() -> replay(replayed, version, records));
        }

        private void leaveIfRefused(MetadataRecord record) {
            if (record instanceof MetadataRecord.BrokerRefused refused
                    && refused.incarnation().equals(incarnation)) {
                leave();
                onRefused.accept(refused.reason());
            }
        }

        /** Ignores views older than the present view: a store that comes back may begin with an old snapshot. */
        private void replay(ClusterView from, long version, List<MetadataRecord> records) {
            if (closed) {
                return;
            }
            replayed = from.after(version, records);
            records.forEach(this::leaveIfRefused);
            if (version > view.version()) {
                views.accept(replayed);
            }
        }
    }

    /** Registers the addresses of this broker. */
    void bindEndpoints(Endpoints news) {
        endpoints = news;
        register();
    }

    /** The broker stays registered with its last addresses. */
    void unbindEndpoints(Endpoints gone) {
        if (endpoints == gone) {
            endpoints = null;
        }
    }

    /** @param end how the last run with this data directory has ended */
    void storedIn(UUID newStoreId, LastEnd end) {
        storeId = newStoreId;
        lastEnd = end;
        register();
    }

    /**
     * This broker has a storage engine. An engine that goes away stays registered, because its topics stay.
     *
     * @param version of the bundle that the engine is from; empty if it is not known
     */
    void keepsIn(String engine, Set<EngineTrait> traits, Optional<String> version) {
        engines.put(engine, Set.copyOf(traits));
        version.ifPresent(known -> engineVersions.put(engine, known));
        register();
    }

    private void register() {
        if (store == null || endpoints == null || storeId == null) {
            return;
        }
        BrokerRegistration broker = new BrokerRegistration(
                environment.brokerId(),
                incarnation,
                storeId,
                new ArrayList<>(endpoints.endpoints()),
                rack,
                engines,
                lastEnd,
                engineVersions);
        if (broker.equals(registered)) {
            return;
        }
        Subscription before = registration;
        registered = broker;
        registration = store.register(broker, new ClusterStore.RegistrationListener() {
            @Override
            public void registered(long epoch) {
                log.info("Broker {} is registered in epoch {}", environment.brokerId(), epoch);
            }

            @Override
            public void refused(String reason) {
                main.execute(() -> onRefused.accept(reason));
            }
        });
        if (before != null) {
            // Only now: the cluster must not count this broker as gone meanwhile.
            before.close();
        }
    }

    private void withdraw() {
        if (registration != null) {
            registration.close();
        }
        registration = null;
        registered = null;
    }

    /** If true, the view has all records from before the registration. */
    boolean showsThisBroker(ClusterView news) {
        return news.broker(environment.brokerId())
                .filter(live -> live.registration().incarnation().equals(incarnation))
                .isPresent();
    }

    Duration sessionTimeout() {
        ClusterStore current = store;
        return current == null ? DEFAULT_SESSION : current.sessionTimeout();
    }

    boolean isConnected() {
        ClusterStore current = store;
        return current != null && current.isConnected();
    }

    /** What this broker waits for before it may lead; empty once it is registered. Any thread. */
    Optional<String> awaited() {
        if (storeId == null) {
            return Optional.of("for its data directory");
        } else if (store == null) {
            return Optional.of("for the cluster store, which is not running");
        } else if (!isConnected()) {
            return Optional.of("for the cluster store to answer");
        } else if (view.clusterId().isEmpty() || !showsThisBroker(view)) {
            return Optional.of("for the controller to admit it to the cluster");
        }
        return Optional.empty();
    }

    boolean isReachable() {
        return endpoints != null;
    }

    /** The addresses of the listeners, for log lines and status. */
    String bootstrap() {
        Map<String, String> addresses = new TreeMap<>();
        Endpoints known = endpoints;
        if (known != null) {
            known.endpoints().forEach(e -> addresses.put(e.listener(), e.host() + ":" + e.port()));
        }
        return String.join(",", addresses.values());
    }
}
