package io.felice.broker;

import io.felice.api.TopicPartition;
import io.felice.api.cluster.Admin;
import io.felice.api.cluster.BrokerRegistration;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.ClusterStore;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.Endpoints;
import io.felice.api.config.BrokerConfig;
import io.felice.api.config.Configs;
import io.felice.api.partition.FetchPlan;
import io.felice.api.partition.FetchedPartition;
import io.felice.api.partition.FollowingListener;
import io.felice.api.partition.Partition;
import io.felice.api.partition.Partitions;
import io.felice.broker.engine.Engines;
import io.felice.broker.engine.MountedEngine;
import io.felice.broker.partition.CompactionLimits;
import io.felice.broker.partition.CompactionSeat;
import io.felice.broker.partition.Environment;
import io.felice.broker.partition.LeaderPartition;
import io.felice.broker.partition.OpenedLog;
import io.felice.broker.partition.ProducerLimits;
import io.felice.broker.partition.Role;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * One run of a broker in a simulation: the broker's own classes, wired as {@link Broker} wires them, without its threads
 * and without what does not decide about replicas.
 */
public final class BrokerSeat {
    private final Environment environment;
    private final Executor main;
    private final Engines engines = new Engines();
    private final NodeConfigs configs;
    private final ClusterLink link;
    private final Followings followings;
    private final Leaderships leaderships;
    private final InSyncChanges inSyncChanges;
    private final Replicas replicas;
    private final Fetches fetches;
    private final NodeState state;
    private final SelfFence fence;

    private final Runnable begun;
    private boolean admitted;
    private boolean complete;
    private boolean failed;

    /** The role of a replica whose log is open. */
    public record OpenReplica(TopicPartition partition, UUID topicId, Role role, long highWatermark, long logEnd) {}

    /**
     * @param root the directory for the files of the broker, which outlives its runs
     * @param begun runs when the broker begins to change its logs
     */
    public BrokerSeat(
            Environment environment,
            Executor main,
            Path root,
            UUID storeId,
            UUID incarnation,
            long lease,
            Map<String, String> settings,
            MountedEngine engine,
            Admin admin,
            BrokerRegistration.LastEnd lastEnd,
            Runnable begun)
            throws IOException {
        this.environment = environment;
        this.begun = begun;
        this.main = main;
        fence = new SelfFence(environment.nanos());
        configs = new NodeConfigs(environment.brokerId(), settings, engines, topic -> Stream.of(engine.name()));
        link = new ClusterLink(environment, main, incarnation, null, reason -> failed = true);
        followings = new Followings(main);
        FetchTimes fetchTimes = new FetchTimes();
        leaderships = new Leaderships(main);
        inSyncChanges = new InSyncChanges(
                environment,
                main,
                () -> admin,
                () -> configs.broker().getLong(BrokerConfig.REPLICA_LAG_TIME_MAX_MS),
                fence::mayAcknowledgeAlone,
                fetchTimes);
        replicas = new Replicas(
                environment,
                main,
                engines,
                configs,
                new Roles(environment.brokerId(), leaderships, followings, inSyncChanges),
                new ProducerLimits(configs::broker),
                new CompactionLimits(configs::broker),
                link::view,
                name -> Optional.empty(),
                name -> Optional.empty(),
                mounted -> false,
                () -> admin);
        fetches = new Fetches(replicas::readable, PreferredReplicas.NONE, LeaderThrottle.NONE, fetchTimes, environment);
        Files.createDirectories(root);
        Map<String, String> properties = new TreeMap<>();
        properties.put("format.version", "1");
        properties.put("node.id", Integer.toString(environment.brokerId()));
        properties.put("store.id", storeId.toString());
        properties.put("lease", Long.toString(lease));
        state = new NodeState(root, properties, null);
        engines.mount(engine);
        main.execute(() -> begin(engine, lastEnd));
        environment.timer().scheduleWithFixedDelay(this::beat, 0, SelfFence.BEAT_MS, TimeUnit.MILLISECONDS);
    }

    private void beat() {
        fence.sessionIs(link.sessionTimeout());
        fence.beat(link.isConnected());
    }

    private void begin(MountedEngine engine, BrokerRegistration.LastEnd lastEnd) {
        replicas.keepStateIn(state);
        link.storedIn(state.storeId(), lastEnd);
        link.keepsIn(engine.name(), engine.traits(), engine.version());
        BrokerRegistration.Endpoint endpoint =
                new BrokerRegistration.Endpoint("PLAINTEXT", "PLAINTEXT", "broker-" + environment.brokerId(), 9092);
        link.bindEndpoints(new Endpoints() {
            @Override
            public List<BrokerRegistration.Endpoint> endpoints() {
                return List.of(endpoint);
            }
        });
    }

    public void bind(ClusterStore store) {
        main.execute(() -> link.follow(store, this::viewChanged));
    }

    private void viewChanged(ClusterView news) {
        if (failed) {
            return;
        }
        configs.update(news);
        if (complete) {
            link.publish(news, replicas.follow(news));
            return;
        }
        link.publish(news, CompletableFuture.completedFuture(null));
        if (!admitted && news.clusterId().isPresent() && link.showsThisBroker(news)) {
            admitted = true;
            engines.belongTo(news.clusterId().get()).whenComplete((done, refused) -> main.execute(this::lead));
        }
    }

    private void lead() {
        begun.run();
        complete = true;
        replicas.follow(link.view());
    }

    /** About every second, on the broker's timer. */
    public void tick() {
        replicas.leaders().forEach(LeaderPartition::tick);
        inSyncChanges.tick();
    }

    /** Writes the high watermarks. */
    public void checkpoint() {
        try {
            state.writeHighWatermarks(replicas.highWatermarks());
        } catch (IOException failure) {
            throw new IllegalStateException(failure);
        }
    }

    public void listen(FollowingListener listener) {
        followings.listen(listener);
    }

    public CompletionStage<List<FetchedPartition>> fetch(FetchPlan plan) {
        return fetches.fetch(plan);
    }

    /** @throws io.felice.api.FeliceException as {@link io.felice.api.partition.Partitions#leader} says */
    public Partition leader(TopicPartition partition) {
        return replicas.leaderOrAwaited(partition);
    }

    /** Compacts the log of a partition; see {@link CompactionSeat}. */
    public boolean compact(TopicPartition partition) {
        return replicas.all().stream()
                .filter(replica ->
                        replica.partition.equals(partition) && replica.log != null && replica.log.whyEnded() == null)
                .anyMatch(replica -> CompactionSeat.compact(replica.log));
    }

    /** What the bundles beside the broker get: the partitions, the metadata and the configs of this node. */
    public Partitions partitions() {
        return new NodePartitions(replicas, fetches, leaderships, null, null, replicas.moves());
    }

    public ClusterMetadata metadata() {
        return link;
    }

    public Configs configs() {
        return configs;
    }

    /** The broker stops: all logs are closed. */
    public CompletableFuture<?> close() {
        fetches.close();
        return replicas.close();
    }

    public void leave() {
        link.leave();
    }

    // ---- what the checks look at

    public ClusterView view() {
        return link.view();
    }

    public List<OpenReplica> open() {
        List<OpenReplica> open = new ArrayList<>();
        for (Replica replica : replicas.all()) {
            add(replica, open);
        }
        return open;
    }

    /** Empty if the log of the partition is not open here. */
    public List<OpenReplica> open(TopicPartition partition) {
        List<OpenReplica> open = new ArrayList<>(1);
        for (Replica replica : replicas.all()) {
            if (replica.partition.equals(partition)) {
                add(replica, open);
            }
        }
        return open;
    }

    private static void add(Replica replica, List<OpenReplica> open) {
        OpenedLog log = replica.log;
        if (log != null && log.whyEnded() == null) {
            open.add(new OpenReplica(
                    replica.partition, replica.id.topicId(), replica.role(), log.highWatermark(), log.endOffset()));
        }
    }
}
