package io.felice.broker;

import io.felice.api.FeliceException;
import io.felice.api.Launch;
import io.felice.api.Subscription;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.Admin;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.ClusterStore;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.Endpoints;
import io.felice.api.cluster.TopicView;
import io.felice.api.config.BrokerConfig;
import io.felice.api.config.ConfigEntry;
import io.felice.api.config.ConfigResource;
import io.felice.api.config.Configs;
import io.felice.api.config.ReadOnce;
import io.felice.api.config.TopicConfig;
import io.felice.api.partition.FetchPlan;
import io.felice.api.partition.FetchedPartition;
import io.felice.api.partition.LeadershipListener;
import io.felice.api.partition.LogDir;
import io.felice.api.partition.Partition;
import io.felice.api.partition.Partitions;
import io.felice.api.status.StatusSource;
import io.felice.api.status.StatusTable;
import io.felice.api.storage.StorageEngine;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.osgi.annotation.bundle.Capability;
import org.osgi.service.component.ComponentContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The broker of this node: puts its parts together and gives them their threads.
 *
 * <p>Everything is decided on one thread of its own, {@code felice-broker}: it opens the data directory, replays the
 * cluster's log, registers this node and tells {@link Replicas} where to go. Services that come and go (engines, the
 * cluster store, endpoints, the controller) are taken note of there.
 *
 * <p>Its services appear once this node is registered and has replayed all that was before, so that nobody is told that a
 * topic does not exist which was not replayed yet. Whoever needs them waits.
 */
@Component(immediate = true, service = StatusSource.class, configurationPid = "io.felice.broker")
@Capability(
        namespace = "osgi.service",
        attribute =
                "objectClass:List<String>=\"io.felice.api.partition.Partitions,io.felice.api.cluster.ClusterMetadata,io.felice.api.config.Configs\"",
        uses = {Partitions.class, ClusterMetadata.class, Configs.class})
@Designate(ocd = Broker.Config.class)
public final class Broker implements Partitions, ClusterMetadata, Configs, StatusSource {
    /** What the file says beside the broker keys of {@link BrokerConfig}, which may stand there by their names. */
    @ObjectClassDefinition(name = "Felice broker", description = "The node's identity, its data, its threads.")
    public @interface Config {
        @AttributeDefinition(description = "The node's id, different on every node of a cluster.", min = "0")
        int broker_id() default 0;

        @AttributeDefinition(description = "Where the broker keeps what it must remember beside the logs.")
        String data_dir() default "data/broker";

        @AttributeDefinition(description = "The rack or zone of this node; empty if it has none.")
        String rack() default "";

        @AttributeDefinition(description = "Threads for each storage engine, for what may block.", min = "1")
        int storage_threads() default 4;

        @AttributeDefinition(
                description = "How long after the start logs of unknown topics are kept, in milliseconds.",
                min = "0")
        long stray_log_delay_ms() default 60_000;
    }

    private static final Logger log = LoggerFactory.getLogger(Broker.class);
    private static final long TICK_MS = 1_000;
    private static final long NEW_TOPIC_PATIENCE_MS = 2_000;
    private static final long LEAVE_SECONDS = 10;
    private static final long ENGINES_PATIENCE_MS = 15_000;

    private final Config config;
    private final Services services;
    private final Node node;
    private final ExecutorService main;
    private final ScheduledThreadPoolExecutor timer;
    private final ExecutorService background;
    private final Engines engines;
    private final NodeConfigs configs;
    private final ClusterLink link;
    private final Leaderships leaderships;
    private final Replicas replicas;
    private final Fetches fetches;
    private final ProducerIds producerIds;
    private final BrokerStatus status;

    private volatile Admin admin;

    // Of the broker's thread.
    private volatile NodeState state;
    private Upkeep upkeep;
    private boolean failed;
    private boolean complete;
    /** Clients can be served: the services are registered. */
    private volatile boolean offered;

    private volatile boolean going;

    private final AtomicInteger timesTold = new AtomicInteger();

    /** @param properties all of the component's configuration, the broker keys among it */
    @Activate
    public Broker(Config config, Map<String, Object> properties, ComponentContext context) {
        this(config, properties, new RegisteredServices(context), Clock.systemUTC(), System::nanoTime, new Random());
    }

    /** Where the services are offered. */
    interface Services {
        void offer(Broker broker);

        /** Takes them back, and offers nothing any more. */
        void withdraw();

        /** Has a broker that could not run replaced by one that reads its configuration again; if anybody can. */
        default void makeAnew() {}
    }

    Broker(
            Config config,
            Map<String, Object> properties,
            Services services,
            Clock clock,
            LongSupplier nanos,
            RandomGenerator random) {
        this.config = config;
        this.services = services;
        main = Executors.newSingleThreadExecutor(threads("felice-broker"));
        timer = new ScheduledThreadPoolExecutor(1, threads("felice-broker-timer"));
        timer.setRemoveOnCancelPolicy(true);
        timer.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        background = Executors.newSingleThreadExecutor(threads("felice-broker-state"));
        node = new Node(config.broker_id(), clock, nanos, timer, this::inBackground, random);
        engines = new Engines(config.storage_threads(), nanos);
        configs = configs(properties);
        link = new ClusterLink(
                node, this::onMain, UUID.randomUUID(), config.rack().isEmpty() ? null : config.rack(), this::fail);
        leaderships = new Leaderships(this::onMain);
        BrokerLimits limits = new BrokerLimits(configs::broker);
        replicas = new Replicas(node, this::onMain, engines, configs, leaderships, limits, link::view);
        fetches = new Fetches(replicas::leader, () -> configs.broker().getInt(BrokerConfig.FETCH_MAX_BYTES), node);
        producerIds = new ProducerIds(node.brokerId(), () -> admin, node.nanos());
        status = new BrokerStatus(replicas, fetches, engines, link);
        onMain(this::start);
    }

    private static ThreadFactory threads(String name) {
        return task -> {
            Thread thread = new Thread(task, name);
            thread.setDaemon(true);
            return thread;
        };
    }

    private NodeConfigs configs(Map<String, Object> properties) {
        try {
            return new NodeConfigs(config.broker_id(), NodeConfigs.fileLayer(properties), engines, this::enginesOf);
        } catch (FeliceException illegal) {
            onMain(() -> fail("io.felice.broker.cfg: " + illegal.getMessage()));
            return new NodeConfigs(config.broker_id(), Map.of(), engines, this::enginesOf);
        }
    }

    private Stream<String> enginesOf(TopicView topic) {
        return replicas.enginesOf(topic);
    }

    /** What Kafka's tools know of a broker is in force at once; the rest was read when this was made. */
    @Modified
    public void modified(Config wanted, Map<String, Object> properties) {
        ReadOnce.compare("io.felice.broker", Config.class, config, wanted, Set.of());
        Map<String, String> file = NodeConfigs.fileLayer(properties);
        onMain(() -> take(file));
    }

    private void take(Map<String, String> file) {
        if (failed) {
            log.info("io.felice.broker.cfg was changed, so the broker that could not run is made anew");
            // It ends when this broker has closed, which takes the broker's thread.
            timer.execute(services::makeAnew);
            return;
        }
        Set<String> missed = configs.missingEngines();
        try {
            configs.update(file);
        } catch (FeliceException illegal) {
            log.warn(
                    "io.felice.broker.cfg: {} What was in force stays so until that is corrected",
                    illegal.getMessage());
            return;
        }
        if (complete) {
            replicas.follow(link.view());
        }
        if (!missed.equals(configs.missingEngines())) {
            tellReady();
        }
    }

    /** What comes of a decision on the broker's thread; done at once if that has ended. */
    private CompletableFuture<?> decided(Supplier<CompletableFuture<?>> decision) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        try {
            main.execute(() -> {
                try {
                    decision.get().whenComplete((nothing, failure) -> done.complete(null));
                } catch (RuntimeException accident) {
                    done.completeExceptionally(accident);
                }
            });
        } catch (RejectedExecutionException closed) {
            done.complete(null);
        }
        return done;
    }

    private void onMain(Runnable task) {
        try {
            main.execute(() -> {
                try {
                    task.run();
                } catch (RuntimeException accident) {
                    log.error("The broker's thread met a failure and goes on", accident);
                }
            });
        } catch (RejectedExecutionException closed) {
            log.debug("Nothing is decided any more: the broker is closed");
        }
    }

    private void inBackground(Runnable task) {
        try {
            background.execute(task);
        } catch (RejectedExecutionException closed) {
            log.debug("No state is written any more: the broker is closed");
        }
    }

    // ---- starting

    private void start() {
        if (failed) {
            return;
        }
        try {
            state = NodeState.open(Path.of(config.data_dir()).toAbsolutePath(), node.brokerId(), node.clock());
        } catch (NodeState.Refused refused) {
            fail(refused.getMessage());
            return;
        }
        replicas.keepStateIn(state);
        link.storedIn(state.storeId());
        upkeep = new Upkeep(node, this::onMain, engines, configs, replicas, state);
        timer.scheduleWithFixedDelay(upkeep::tick, TICK_MS, TICK_MS, TimeUnit.MILLISECONDS);
    }

    /** The node cannot run: it leads nothing and says why. A change of its file gives it another chance. */
    private void fail(String sentence) {
        failed = true;
        Launch.failed(sentence);
    }

    private void seen(ClusterView news) {
        if (failed) {
            return;
        }
        if (news.clusterId().isPresent()) {
            try {
                state.belongTo(news.clusterId().get());
            } catch (NodeState.Refused refused) {
                link.leave();
                fail(refused.getMessage());
                return;
            }
        }
        Set<String> missed = configs.missingEngines();
        configs.update(news);
        if (complete) {
            link.publish(news, soon(replicas.follow(news)));
            if (!missed.equals(configs.missingEngines())) {
                tellReady();
            }
        } else {
            link.publish(news, CompletableFuture.completedFuture(null));
            admit();
        }
    }

    /** Once this broker shows in the view it may lead; once it leads, its services are offered. */
    private void admit() {
        ClusterView now = link.view();
        if (isComplete(now)) {
            complete = true;
            soon(replicas.follow(now)).whenComplete((opened, failure) -> inBackground(this::offer));
        }
    }

    private void offer() {
        services.offer(this);
        offered = true;
        tellReady();
        scheduleStrays();
        configs.unkeptPromises().forEach(log::warn);
    }

    /** Any thread. Once this broker is going it is for the next one to say what the node is. */
    private synchronized void tellReady() {
        if (going) {
            return;
        }
        int turn = timesTold.incrementAndGet();
        if (!offered || !link.isReachable()) {
            Launch.unready();
        } else if (!configs.missingEngines().isEmpty()) {
            Launch.unready();
            timer.schedule(() -> onMain(() -> missEngines(turn)), ENGINES_PATIENCE_MS, TimeUnit.MILLISECONDS);
        } else {
            Launch.ready(List.of("bootstrap=" + link.bootstrap(), "node=" + node.brokerId()));
        }
    }

    private synchronized void tellGoing() {
        going = true;
        Launch.unready();
    }

    /** An engine that is being replaced is back by now; one that is missing still makes this node unfit for new topics. */
    private void missEngines(int turn) {
        Set<String> missing = configs.missingEngines();
        if (going || missing.isEmpty() || turn != timesTold.get()) {
            return;
        }
        String sentence = "storage.placement = " + configs.broker().get(BrokerConfig.STORAGE_PLACEMENT)
                + " needs what is not here: the storage engine " + String.join(", ", missing) + ". Here are: "
                + String.join(", ", engines.names()) + ".";
        if (Launch.hasServed()) {
            log.error("Not ready: {}", sentence);
        } else {
            Launch.failed(sentence + " See io.felice.broker.cfg, and the log for why an engine did not start.");
        }
    }

    /** True if the view has every topic that a log of this node can be of, and the directory is of this cluster. */
    private boolean isComplete(ClusterView now) {
        return now.clusterId().isPresent() && link.showsThisBroker(now);
    }

    /** Done when {@code openings} are, but not later than a client's patience lasts. */
    private CompletableFuture<?> soon(CompletableFuture<?> openings) {
        if (!openings.isDone()) {
            timer.schedule(() -> openings.complete(null), NEW_TOPIC_PATIENCE_MS, TimeUnit.MILLISECONDS);
        }
        return openings;
    }

    private void scheduleStrays() {
        timer.schedule(
                () -> onMain(() -> replicas.removeStrays(link.view())),
                config.stray_log_delay_ms(),
                TimeUnit.MILLISECONDS);
    }

    // ---- services that come and go

    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    public void bindEngine(StorageEngine engine, Map<String, Object> properties) {
        String name = String.valueOf(properties.get(StorageEngine.NAME));
        onMain(() -> {
            replicas.mount(name, engine);
            if (complete) {
                scheduleStrays();
                tellReady();
            }
        });
    }

    /** Returns when the engine's partitions have let go of it, or after a while. */
    public void unbindEngine(StorageEngine engine, Map<String, Object> properties) {
        String name = String.valueOf(properties.get(StorageEngine.NAME));
        await(decided(() -> replicas.unmount(name, engine)), "the engine " + name);
        onMain(this::tellReady);
    }

    @Reference(
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    public void bindStore(ClusterStore store) {
        onMain(() -> {
            if (!failed) {
                link.follow(store, this::seen);
            }
        });
    }

    public void unbindStore(ClusterStore store) {
        await(
                decided(() -> {
                    if (link.follows(store)) {
                        link.lost();
                    }
                    return CompletableFuture.completedFuture(null);
                }),
                "the cluster store");
    }

    @Reference(
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    public void bindEndpoints(Endpoints endpoints) {
        onMain(() -> link.reachedAt(endpoints));
        onMain(this::tellReady);
    }

    /** The network is away; this node stays registered where it was. */
    public void unbindEndpoints(Endpoints endpoints) {
        onMain(() -> link.reachedNoMoreAt(endpoints));
        onMain(this::tellReady);
    }

    @Reference(
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    public void bindAdmin(Admin controller) {
        admin = controller;
    }

    public void unbindAdmin(Admin controller) {
        if (admin == controller) {
            admin = null;
        }
    }

    private static void await(CompletableFuture<?> done, String what) {
        try {
            done.get(LEAVE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException late) {
            log.warn("It takes long to let go of {}", what);
        }
    }

    // ---- services

    @Override
    public Partition leader(TopicPartition partition) {
        return replicas.leaderOrAwaited(partition);
    }

    @Override
    public CompletionStage<List<FetchedPartition>> fetch(FetchPlan plan) {
        return fetches.fetch(plan);
    }

    @Override
    public CompletionStage<List<LogDir>> logDirs() {
        return CompletableFuture.supplyAsync(new LogDirs(replicas, engines)::list, background);
    }

    @Override
    public Subscription listen(String topic, LeadershipListener listener) {
        return leaderships.listen(topic, listener);
    }

    @Override
    public CompletionStage<Long> newProducerId() {
        return producerIds.newId();
    }

    @Override
    public ClusterView view() {
        return link.view();
    }

    @Override
    public int brokerId() {
        return node.brokerId();
    }

    @Override
    public CompletionStage<ClusterView> reached(long version) {
        return link.reached(version);
    }

    @Override
    public Subscription listen(java.util.function.Consumer<ClusterView> listener) {
        return link.listen(listener);
    }

    @Override
    public TopicConfig topic(String topic) {
        return configs.topic(topic);
    }

    @Override
    public BrokerConfig broker() {
        return configs.broker();
    }

    @Override
    public List<ConfigEntry> describe(ConfigResource resource) {
        return configs.describe(resource);
    }

    @Override
    public List<ConfigEntry> describeTopic(Map<String, String> own) {
        return configs.describeTopic(own);
    }

    @Override
    public void check(ConfigResource resource, String key, String value) {
        configs.check(resource, key, value);
    }

    @Override
    public void check(ConfigResource resource, Map<String, String> values) {
        configs.check(resource, values);
    }

    @Override
    public List<StatusTable> tables() {
        return status.tables();
    }

    // ---- ending

    /** Answers what was accepted, settles the logs, and ends every thread. */
    @Deactivate
    public void close() {
        log.info("Broker {} stops: what was accepted is answered, logs are settled", node.brokerId());
        tellGoing();
        services.withdraw();
        await(decided(replicas::close), "the partitions");
        fetches.close();
        await(decided(this::leave), "the data directory");
        timer.shutdown();
        main.shutdown();
        admin = null;
    }

    private CompletableFuture<?> leave() {
        link.leave();
        engines.all().forEach(MountedEngine::close);
        if (state != null) {
            upkeep.checkpoint();
        }
        background.shutdown();
        try {
            if (!background.awaitTermination(LEAVE_SECONDS, TimeUnit.SECONDS)) {
                log.warn("State files are still being written");
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
        if (state != null) {
            state.close();
        }
        return CompletableFuture.completedFuture(null);
    }
}
