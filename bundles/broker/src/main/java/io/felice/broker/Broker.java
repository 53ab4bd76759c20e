package io.felice.broker;

import io.felice.api.FeliceException;
import io.felice.api.Launch;
import io.felice.api.cluster.Admin;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.ClusterStore;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.Endpoints;
import io.felice.api.cluster.TopicView;
import io.felice.api.config.BrokerConfig;
import io.felice.api.config.Configs;
import io.felice.api.config.ReadOnce;
import io.felice.api.config.TopicConfig;
import io.felice.api.extension.Extension;
import io.felice.api.partition.FollowedPartitions;
import io.felice.api.partition.Partitions;
import io.felice.api.partition.Strays;
import io.felice.api.status.HealthSource;
import io.felice.api.status.StatusSource;
import io.felice.api.status.StatusTable;
import io.felice.api.status.Trouble;
import io.felice.api.storage.StorageEngine;
import io.felice.broker.engine.EngineServices;
import io.felice.broker.engine.Engines;
import io.felice.broker.engine.MountedEngine;
import io.felice.broker.partition.CompactionLimits;
import io.felice.broker.partition.Environment;
import io.felice.broker.partition.ProducerLimits;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.osgi.annotation.bundle.Capability;
import org.osgi.service.component.ComponentContext;
import org.osgi.service.component.ComponentServiceObjects;
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
 * The broker of this node. This class creates the parts of the broker and their threads.
 *
 * <p>The thread {@code felice-broker} makes all decisions. It opens the data directory, replays the cluster's metadata
 * log, registers this node and passes each new view to {@link Replicas}. It also handles the arrival and the removal of
 * the services that the broker uses: storage engines, the cluster store, the network's endpoints, the controller.
 *
 * <p>{@link RegisteredServices} registers {@link Partitions}, {@link FollowedPartitions}, {@link ClusterMetadata},
 * {@link Configs} and {@link Strays} once this node is registered in the cluster and has replayed the metadata log up to its registration.
 * Before that the view may lack existing topics, and clients would be told that these topics do not exist.
 */
@Component(
        immediate = true,
        service = {StatusSource.class, HealthSource.class},
        configurationPid = "io.felice.broker")
@Capability(
        namespace = "osgi.service",
        attribute = "objectClass:List<String>=\"io.felice.api.partition.Partitions\"",
        uses = Partitions.class)
@Capability(
        namespace = "osgi.service",
        attribute = "objectClass:List<String>=\"io.felice.api.partition.FollowedPartitions\"",
        uses = FollowedPartitions.class)
@Capability(
        namespace = "osgi.service",
        attribute = "objectClass:List<String>=\"io.felice.api.cluster.ClusterMetadata\"",
        uses = ClusterMetadata.class)
@Capability(
        namespace = "osgi.service",
        attribute = "objectClass:List<String>=\"io.felice.api.config.Configs\"",
        uses = Configs.class)
@Capability(
        namespace = "osgi.service",
        attribute = "objectClass:List<String>=\"io.felice.api.partition.Strays\"",
        uses = Strays.class)
@Designate(ocd = Broker.Config.class)
public final class Broker implements StatusSource, HealthSource {
    /** The settings of the configuration file; the file may also contain the keys of {@link BrokerConfig}. */
    @ObjectClassDefinition(name = "Felice broker", description = "The node's identity, its data, its threads.")
    public @interface Config {
        @AttributeDefinition(description = "The id of this node, different on every node of a cluster.", min = "0")
        int broker_id() default 0;

        @AttributeDefinition(description = "The directory of the files that the broker needs besides the logs.")
        String data_dir() default "data/broker";

        @AttributeDefinition(description = "The rack or zone of this node; empty for none.")
        String rack() default "";

        @AttributeDefinition(description = "Threads for blocking operations, for each storage engine.", min = "1")
        int storage_threads() default 4;

        @AttributeDefinition(
                description = "How long after its start the broker looks for logs without a topic, in milliseconds. It"
                        + " deletes logs of deleted topics and sets logs of unknown topics aside.",
                min = "0")
        long stray_log_delay_ms() default 60_000;

        @AttributeDefinition(
                description =
                        "After this time, in milliseconds, a call of a storage engine is late. felice:health says which"
                                + " call it is and in which thread. A log of a third party's engine that does not come back from"
                                + " an append is offline.",
                min = "100")
        int storage_timeout_ms() default 30_000;

        @AttributeDefinition(
                description =
                        "Bundles that may go on with the logs of a storage engine which another bundle has kept, as"
                                + " ENGINE:SYMBOLIC-NAME with commas between. Such a bundle must have the same records. Others are"
                                + " refused, because the topics would be empty in them.")
        String storage_takeover() default "";
    }

    private static final Logger log = LoggerFactory.getLogger(Broker.class);
    private static final long TICK_MS = 1_000;
    private static final long MOST_WAIT_FOR_OPENING_MS = 2_000;

    private final Config config;
    private final Services services;
    private final BrokerThreads threads = new BrokerThreads();
    private final Environment environment;
    private final Engines engines;
    private final EngineServices engineServices;
    private final NodeConfigs configs;
    private final ClusterLink link;
    private final SelfFence fence;
    private final Departure departure;
    private final Followings followings;
    private final InSyncChanges inSyncChanges;
    private final Replicas replicas;
    private final Compactor compactor;
    private final Fetches fetches;
    private final NodePartitions partitions;
    private final Readiness readiness;
    private final BrokerStatus status;
    private final StrayTopics strayTopics;
    private final Scrubbing scrubbing;
    private final ReassignmentProgress reassignments;

    private volatile Admin admin;
    private volatile Set<String> takeovers;
    private volatile Endpoints endpoints;
    /** True once the broker has closed all its logs at its end. */
    private volatile boolean logsAreClosed;
    /** Why the configuration cannot be used; null if it can. Written before the broker's thread starts. */
    private String refused;

    // Changed on the broker's thread only.
    private volatile NodeState state;
    private Upkeep upkeep;
    private LastRun lastRun;
    private boolean failed;
    /** True once the view has contained this broker and its engines have been claimed for the cluster. */
    private boolean admitted;

    /** True once this broker may lead partitions. */
    private boolean complete;

    /** @param properties the whole configuration of the component, including the broker keys */
    @Activate
    public Broker(Config config, Map<String, Object> properties, ComponentContext context) {
        this(config, properties, new RegisteredServices(context), Clock.systemUTC(), System::nanoTime, new Random());
    }

    /** Registers the broker's services, so that other bundles can use them. */
    interface Services {
        void offer(
                Partitions partitions,
                FollowedPartitions followed,
                ClusterMetadata metadata,
                Configs configs,
                Strays strays);

        /** Unregisters the services. A later {@link #offer} does nothing. */
        void withdraw();

        /** Sets what runs when the node is about to stop, before any of its services goes. It may block for some seconds. */
        default void beforeStop(Runnable task) {}

        /** Replaces a broker that could not start by a new one, which reads the configuration again. */
        default void restart() {}
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
        environment = new Environment(config.broker_id(), clock, nanos, threads.timer(), threads::inBackground, random);
        engines = new Engines();
        takeovers = takeovers(config);
        engineServices = new EngineServices(
                new EngineServices.Limits(config.storage_threads(), config.storage_timeout_ms()),
                engines,
                new EngineUsers(),
                this::refusalOf,
                threads::onMain,
                threads.timer(),
                nanos);
        configs = configs(properties);
        String rack = config.rack().isEmpty() ? null : config.rack();
        link = new ClusterLink(environment, threads::onMain, UUID.randomUUID(), rack, this::fail);
        fence = new SelfFence(nanos);
        departure = new Departure(link, () -> admin);
        services.beforeStop(() -> {
            LastRun.nodeStops();
            departure.leave();
        });
        Leaderships leaderships = new Leaderships(threads::onMain);
        followings = new Followings(threads::onMain);
        FetchTimes fetchTimes = new FetchTimes();
        inSyncChanges = new InSyncChanges(
                environment,
                threads::onMain,
                () -> admin,
                () -> configs.broker().getLong(BrokerConfig.REPLICA_LAG_TIME_MAX_MS),
                fence::mayAcknowledgeAlone,
                fetchTimes);
        ProducerLimits limits = new ProducerLimits(configs::broker);
        CompactionLimits compaction = new CompactionLimits(configs::broker);
        replicas = new Replicas(
                environment,
                threads::onMain,
                engines,
                configs,
                new Roles(environment.brokerId(), leaderships, followings, inSyncChanges),
                limits,
                compaction,
                link::view,
                engineServices::absence,
                engineServices::hanging,
                this::mayTakeOver,
                () -> admin);
        compactor = new Compactor(engines::all, replicas::openLogs, compaction, nanos);
        PreferredReplicas preferred =
                new PreferredReplicas(link::view, () -> configs.broker().get(BrokerConfig.REPLICA_SELECTOR_CLASS));
        LeaderThrottle throttle = new LeaderThrottle(
                () -> configs.broker().getLong(BrokerConfig.LEADER_THROTTLED_RATE),
                topic -> configs.topic(topic).getList(TopicConfig.LEADER_THROTTLED_REPLICAS),
                environment.brokerId(),
                nanos);
        fetches = new Fetches(replicas.lookup()::readable, preferred, throttle, fetchTimes, environment);
        ProducerIds producerIds = new ProducerIds(environment.brokerId(), () -> admin, environment.nanos());
        LogDirs logDirs = new LogDirs(replicas, engines, replicas.moves());
        partitions =
                new NodePartitions(replicas.lookup(), fetches, leaderships, producerIds, logDirs, replicas.moves());
        scrubbing = new Scrubbing(configs, engines, replicas::openLogs, nanos);
        reassignments = new ReassignmentProgress(nanos);
        readiness = new Readiness(link, configs, engines, engineServices, replicas);
        status = new BrokerStatus(
                replicas,
                fetches,
                engines,
                engineServices,
                compactor,
                link,
                scrubbing,
                limits,
                new ReplicationStatus(replicas, fence, throttle, fetchTimes, reassignments, nanos));
        strayTopics = new StrayTopics(replicas.strays(), () -> state, () -> admin, link, configs::broker);
        threads.onMain(this::start);
    }

    private NodeConfigs configs(Map<String, Object> properties) {
        try {
            return new NodeConfigs(config.broker_id(), NodeConfigs.fileLayer(properties), engines, this::enginesOf);
        } catch (FeliceException illegal) {
            refused = "io.felice.broker.cfg: " + illegal.getMessage();
            return new NodeConfigs(config.broker_id(), Map.of(), engines, this::enginesOf);
        }
    }

    private static Set<String> takeovers(Config config) {
        return Stream.of(config.storage_takeover().split(",")).map(String::trim).collect(Collectors.toSet());
    }

    private Stream<String> enginesOf(TopicView topic) {
        return replicas.enginesOf(topic);
    }

    /** The keys of {@link BrokerConfig} apply at once. The other settings apply at the next start of the node. */
    @Modified
    public void modified(Config wanted, Map<String, Object> properties) {
        ReadOnce.compare("io.felice.broker", Config.class, config, wanted, Set.of("storage.takeover"));
        Map<String, String> file = NodeConfigs.fileLayer(properties);
        takeovers = takeovers(wanted);
        threads.onMain(engineServices::chooseAgain);
        threads.onMain(() -> fileChanged(file));
    }

    private void fileChanged(Map<String, String> file) {
        if (failed) {
            log.info("io.felice.broker.cfg was changed: the broker, which could not start, is started again");
            // Not on the broker's thread: the restart waits until this broker has closed, which needs that thread.
            threads.timer().execute(services::restart);
            return;
        }
        follow(file);
    }

    private void follow(Map<String, String> file) {
        try {
            configs.update(file);
        } catch (FeliceException illegal) {
            log.warn("io.felice.broker.cfg: {} The values before that change stay in force", illegal.getMessage());
            return;
        }
        if (complete) {
            replicas.follow(link.view());
        }
    }

    // ---- starting

    private void start() {
        if (refused != null) {
            fail(refused);
            return;
        }
        try {
            state = NodeState.open(
                    Path.of(config.data_dir()).toAbsolutePath(), environment.brokerId(), environment.clock());
        } catch (NodeState.Refused refused) {
            fail(refused.getMessage());
            return;
        }
        replicas.keepStateIn(state);
        lastRun = LastRun.in(state.root());
        link.storedIn(state.storeId(), lastRun.end());
        upkeep = new Upkeep(
                environment,
                threads::onMain,
                engines,
                configs,
                replicas,
                inSyncChanges,
                state,
                compactor,
                scrubbing,
                reassignments);
        threads.timer().scheduleWithFixedDelay(upkeep::tick, TICK_MS, TICK_MS, TimeUnit.MILLISECONDS);
        threads.timer().scheduleWithFixedDelay(this::beat, 0, SelfFence.BEAT_MS, TimeUnit.MILLISECONDS);
        threads.timer().scheduleWithFixedDelay(engineServices::look, TICK_MS, TICK_MS, TimeUnit.MILLISECONDS);
    }

    private void beat() {
        fence.sessionIs(link.sessionTimeout());
        fence.beat(link.isConnected());
    }

    /** The broker cannot run: it leads no partition, and its health shows the reason. A changed file restarts it. */
    private void fail(String sentence) {
        failed = true;
        readiness.failed(sentence);
    }

    private void viewChanged(ClusterView news) {
        if (failed) {
            return;
        }
        if (news.clusterId().isPresent()) {
            try {
                state.checkCluster(news.clusterId().get());
                if (link.showsThisBroker(news)) {
                    state.belongTo(news.clusterId().get());
                }
            } catch (NodeState.Refused refused) {
                link.leave();
                fail(refused.getMessage());
                return;
            }
        }
        follow(news);
    }

    private void follow(ClusterView news) {
        configs.update(news);
        if (complete) {
            link.publish(news, withTimeLimit(replicas.follow(news)));
        } else {
            link.publish(news, CompletableFuture.completedFuture(null));
            admit();
        }
    }

    /** Lets this broker lead once the view contains it and its engines have no logs of another cluster. */
    private void admit() {
        ClusterView now = link.view();
        if (!admitted && showsAllTopics(now)) {
            admitted = true;
            CompletableFuture<Void> claimed = withTimeLimit(engineServices.started())
                    .handle((nothing, unused) -> now.clusterId().get())
                    .thenCompose(engines::belongTo);
            withTimeLimit(claimed)
                    .whenComplete((done, refused) -> threads.onMain(() -> {
                        if (refused == null) {
                            lead();
                        } else {
                            refuseEngine(FeliceException.unwrap(refused));
                        }
                    }));
        }
    }

    /** A node that has served clients since its start goes on with its other engines. */
    private void refuseEngine(Throwable refused) {
        if (Launch.hasServed()) {
            log.error("{}", refused.getMessage());
            lead();
        } else {
            link.leave();
            fail(refused.getMessage());
        }
    }

    /** Opens the logs of the view's partitions, then offers the broker's services. */
    private void lead() {
        lastRun.begin();
        complete = true;
        withTimeLimit(replicas.follow(link.view()))
                .whenComplete((opened, failure) -> threads.inBackground(this::offer));
    }

    private void offer() {
        services.offer(partitions, followings, link, configs, strayTopics);
        readiness.offered();
        scheduleStrays();
        configs.unmetConfigs().forEach(log::warn);
    }

    /** True if the view is of a cluster and has all records from before this broker's registration. */
    private boolean showsAllTopics(ClusterView now) {
        return now.clusterId().isPresent() && link.showsThisBroker(now);
    }

    /** Completes {@code openings} after two seconds, so that clients do not wait longer for slow openings. */
    private CompletableFuture<?> withTimeLimit(CompletableFuture<?> openings) {
        if (!openings.isDone()) {
            threads.timer().schedule(() -> openings.complete(null), MOST_WAIT_FOR_OPENING_MS, TimeUnit.MILLISECONDS);
        }
        return openings;
    }

    private void scheduleStrays() {
        threads.later(config.stray_log_delay_ms(), () -> replicas.removeStrays(link.view()));
    }

    // ---- services that come and go

    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            service = StorageEngine.class,
            policyOption = ReferencePolicyOption.GREEDY)
    public void bindEngine(ComponentServiceObjects<StorageEngine> engine, Map<String, Object> properties) {
        threads.onMain(() -> engineServices.add(engine, properties));
    }

    /** Returns when the logs of the engine are closed, but after ten seconds at the latest. */
    public void unbindEngine(ComponentServiceObjects<StorageEngine> engine, Map<String, Object> properties) {
        threads.decide(
                () -> engineServices.remove(engine),
                "closing the logs of the engine " + properties.get(StorageEngine.NAME));
    }

    private final class EngineUsers implements EngineServices.Users {
        @Override
        public void mounted(MountedEngine engine) {
            replicas.mounted(engine);
            link.keepsIn(engine.name(), engine.traits(), engine.version());
            if (complete) {
                scheduleStrays();
            }
        }

        @Override
        public CompletableFuture<?> unmounted(MountedEngine engine) {
            return replicas.unmounted(engine);
        }
    }

    private boolean mayTakeOver(MountedEngine engine) {
        return engine.symbolicName()
                .filter(bundle -> takeovers.contains(engine.name() + ":" + bundle))
                .isPresent();
    }

    /**
     * The logs that a bundle has kept are not opened in the engine of another bundle with the same name: their topics would
     * be empty there, and acknowledged records gone.
     */
    private Optional<String> refusalOf(Extension<StorageEngine> engine) {
        NodeState open = state;
        if (open == null || engine.symbolicName().isEmpty()) {
            return Optional.empty();
        }
        String name = engine.name();
        String bundle = engine.symbolicName().get();
        return open.keeperOf(name)
                .filter(keeper -> !keeper.equals(bundle) && !takeovers.contains(name + ":" + bundle))
                .map(keeper -> "The storage engine " + name + " of " + engine.provider()
                        + " is refused: the bundle " + keeper + " keeps the logs of this node that are in " + name
                        + ", and their topics would be empty in another one. Start " + keeper + ", or, if " + bundle
                        + " has the same records, set storage.takeover = " + name + ":" + bundle
                        + " in io.felice.broker.cfg");
    }

    @Reference(
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    public void bindStore(ClusterStore store) {
        threads.onMain(() -> {
            if (!failed) {
                link.follow(store, this::viewChanged);
            }
        });
    }

    public void unbindStore(ClusterStore store) {
        threads.decide(() -> loseStore(store), "leaving the cluster store");
    }

    private CompletableFuture<?> loseStore(ClusterStore store) {
        if (link.follows(store)) {
            link.lost();
        }
        return CompletableFuture.completedFuture(null);
    }

    @Reference(
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    public void bindEndpoints(Endpoints found) {
        configs.bindEndpoints(found);
        endpoints = found;
        threads.onMain(() -> afterEngines(() -> {
            if (endpoints == found) {
                link.bindEndpoints(found);
                readiness.tell();
            }
        }));
    }

    /** This broker registers with its engines, so engines that are being started come first, unless they hang. */
    private void afterEngines(Runnable task) {
        CompletableFuture<?> started = withTimeLimit(engineServices.started());
        if (started.isDone()) {
            task.run();
        } else {
            started.whenComplete((nothing, unused) -> threads.onMain(task));
        }
    }

    /** The broker stays registered with its last addresses. */
    public void unbindEndpoints(Endpoints gone) {
        configs.unbindEndpoints(gone);
        if (endpoints == gone) {
            endpoints = null;
        }
        threads.onMain(() -> link.unbindEndpoints(gone));
        threads.onMain(readiness::tell);
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

    // ---- the services of this broker
    Partitions partitions() {
        return partitions;
    }

    FollowedPartitions followed() {
        return followings;
    }

    ClusterMetadata metadata() {
        return link;
    }

    Configs configs() {
        return configs;
    }

    @Override
    public List<StatusTable> tables() {
        return status.tables();
    }

    Strays strays() {
        return strayTopics;
    }

    @Override
    public List<Trouble> troubles() {
        return readiness.troubles();
    }

    // ---- ending

    /** Answers the accepted requests, closes the logs and ends all threads. */
    @Deactivate
    public void close() {
        log.info("Broker {} is stopping: it answers the accepted requests and closes its logs", environment.brokerId());
        readiness.stopping();
        departure.leave();
        services.withdraw();
        threads.decide(() -> replicas.close().thenRun(() -> logsAreClosed = true), "closing the partitions");
        compactor.close();
        fetches.close();
        threads.decide(this::leave, "closing the data directory");
        threads.end();
        admin = null;
    }

    private CompletableFuture<?> leave() {
        link.leave();
        engines.all().forEach(MountedEngine::close);
        engineServices.close();
        if (state != null) {
            upkeep.checkpoint();
        }
        threads.endBackground();
        if (state != null) {
            if (logsAreClosed && complete) {
                lastRun.closed();
            }
            state.close();
        }
        return CompletableFuture.completedFuture(null);
    }
}
