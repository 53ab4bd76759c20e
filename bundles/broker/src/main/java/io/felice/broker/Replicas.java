package io.felice.broker;

import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;
import static io.felice.api.ErrorCode.LEADER_NOT_AVAILABLE;
import static io.felice.api.ErrorCode.NOT_LEADER_OR_FOLLOWER;
import static io.felice.api.ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;

import io.felice.api.FeliceException;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.PartitionState;
import io.felice.api.cluster.TopicView;
import io.felice.api.config.TopicConfig;
import io.felice.api.partition.Partition;
import io.felice.api.storage.LogId;
import io.felice.api.storage.StorageEngine;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes the partitions of this node what the cluster's view says: opens logs, takes and gives up leadership, deletes what
 * was deleted, and brings back what failed. Decides on the broker's thread only; the work is done on the engines'
 * threads. Looking up a leader is for any thread.
 */
final class Replicas {
    private static final Logger log = LoggerFactory.getLogger(Replicas.class);
    private static final long FIRST_RETRY_MS = 1_000;
    private static final long LAST_RETRY_MS = 30_000;
    private static final int DOUBLINGS = 5;
    private static final long PATIENCE_SECONDS = 10;

    private final Node node;
    private final Executor main;
    private final Engines engines;
    private final NodeConfigs configs;
    private final Leaderships leaderships;
    private final BrokerLimits limits;
    private final PartitionOpening opening;
    private final OpeningTimes openingTimes;
    private final StrayLogs strays;
    private final Supplier<ClusterView> view;

    private final Map<TopicPartition, Replica> byName = new ConcurrentHashMap<>();
    private final Map<UUID, Applied> applied = new HashMap<>();
    /** Dropped, and deleted as soon as they are closed; the broker's thread only. */
    private final Set<LogId> going = new HashSet<>();
    /** Logs that are being opened or closed, each with its engine; the broker's thread only. */
    private final Map<CompletableFuture<Void>, MountedEngine> underWay = new HashMap<>();

    private final Map<LogId, Long> lastWatermarks = new ConcurrentHashMap<>();
    /** As they were on disk at the start, until it is known of which log each is; the broker's thread only. */
    private final Map<TopicPartition, Long> checkpointed = new HashMap<>();

    private final Consumer<AwaitedPartition> patience = this::waitNotForLong;

    private volatile NodeState state;
    private volatile boolean closed;

    Replicas(
            Node node,
            Executor main,
            Engines engines,
            NodeConfigs configs,
            Leaderships leaderships,
            BrokerLimits limits,
            Supplier<ClusterView> view) {
        this.node = node;
        this.main = main;
        this.engines = engines;
        this.configs = configs;
        this.leaderships = leaderships;
        this.limits = limits;
        this.opening = new PartitionOpening(node, limits);
        this.openingTimes = new OpeningTimes(node);
        this.strays = new StrayLogs(node, main, engines, view, this::isInUse);
        this.view = view;
    }

    void keepStateIn(NodeState newState) {
        state = newState;
        checkpointed.putAll(newState.highWatermarks());
    }

    /** A topic and its configuration, as the replicas know them. */
    private record Applied(TopicView topic, TopicConfig config) {}

    // ---- looking up

    /** @throws io.felice.api.FeliceException as {@link io.felice.api.partition.Partitions#leader} says */
    LeaderPartition leader(TopicPartition partition) {
        Replica replica = byName.get(partition);
        LeaderPartition current = replica == null ? null : replica.current();
        if (current == null) {
            throw notHere(partition, replica);
        }
        return current;
    }

    /** As {@link #leader}; but for one that is on its way, something that waits for it, and not for long. */
    Partition leaderOrAwaited(TopicPartition partition) {
        Replica replica = byName.get(partition);
        Partition found = replica == null || closed ? null : replica.currentOrAwaited(node.brokerId(), patience);
        if (found == null) {
            throw notHere(partition, replica);
        }
        hurry(replica);
        if (closed) {
            replica.refuse(going());
        }
        return found;
    }

    /** For each log of a topic that is here, the engine it is in; one that was never written to is where it was opened. */
    Stream<String> enginesOf(TopicView topic) {
        return topic.partitions().keySet().stream()
                .map(number -> byName.get(new TopicPartition(topic.name(), number)))
                .filter(replica -> replica != null && replica.id.topicId().equals(topic.topicId()))
                .flatMap(replica -> engineOf(replica).stream());
    }

    private Optional<String> engineOf(Replica replica) {
        return state.engineOf(replica.id)
                .or(() -> Optional.ofNullable(replica.status == Replica.Status.NO_ENGINE ? null : replica.engine));
    }

    private static FeliceException going() {
        return NOT_LEADER_OR_FOLLOWER.because("This node is going");
    }

    private void waitNotForLong(AwaitedPartition awaited) {
        FeliceException late = LEADER_NOT_AVAILABLE.because(awaited.id() + " is still not open");
        try {
            node.timer().schedule(() -> awaited.refuse(late), PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (RejectedExecutionException closing) {
            awaited.refuse(late);
        }
    }

    private static void hurry(Replica replica) {
        Openings.Opening waiting = replica.opening;
        if (waiting != null) {
            waiting.hurry();
        }
    }

    private FeliceException notHere(TopicPartition partition, Replica replica) {
        if (replica == null) {
            return view.get()
                    .topic(partition.topic())
                    .flatMap(topic -> topic.partition(partition.partition()))
                    .map(found -> found.leader() == node.brokerId()
                            ? LEADER_NOT_AVAILABLE.because(partition + " is not open yet")
                            : NOT_LEADER_OR_FOLLOWER.because("This node does not lead " + partition))
                    .orElseGet(() -> UNKNOWN_TOPIC_OR_PARTITION.because("There is no partition " + partition));
        }
        hurry(replica);
        return switch (replica.status) {
            case OPENING, LEADING -> LEADER_NOT_AVAILABLE.because(partition + " is not open yet");
            case IDLE, CLOSING -> NOT_LEADER_OR_FOLLOWER.because("This node does not lead " + partition);
            case OFFLINE -> KAFKA_STORAGE_ERROR.because(partition + " is offline: " + replica.failure);
            case NO_ENGINE -> LEADER_NOT_AVAILABLE.because(
                    "The storage engine " + replica.engine + " of " + partition + " is not here");
        };
    }

    Collection<Replica> all() {
        return byName.values();
    }

    List<LeaderPartition> leaders() {
        List<LeaderPartition> leaders = new ArrayList<>();
        byName.values().forEach(replica -> {
            LeaderPartition current = replica.current();
            if (current != null) {
                leaders.add(current);
            }
        });
        return leaders;
    }

    OpeningTimes openingTimes() {
        return openingTimes;
    }

    // ---- following the view

    /** Goes where the view says. The result is done when the partitions that it brought can be used, or cannot. */
    CompletableFuture<?> follow(ClusterView news) {
        List<CompletableFuture<?>> openings = new ArrayList<>();
        List<TopicView> gone = applied.values().stream()
                .map(Applied::topic)
                .filter(topic -> news.topic(topic.topicId()).isEmpty())
                .toList();
        gone.forEach(this::forget);
        for (TopicView topic : news.topics()) {
            TopicConfig config = configs.topic(topic.name());
            Applied before = applied.get(topic.topicId());
            if (before == null || before.topic() != topic || before.config() != config) {
                applied.put(topic.topicId(), new Applied(topic, config));
                topic.partitions().forEach((p, wanted) -> openings.add(apply(topic, p, wanted, config)));
            }
        }
        return CompletableFuture.allOf(openings.toArray(CompletableFuture[]::new));
    }

    private void forget(TopicView topic) {
        applied.remove(topic.topicId());
        topic.partitions().keySet().forEach(p -> drop(new TopicPartition(topic.name(), p), topic.topicId()));
    }

    private void drop(TopicPartition partition, UUID topicId) {
        Replica replica = byName.get(partition);
        if (replica != null && replica.id.topicId().equals(topicId)) {
            byName.remove(partition);
            going.add(replica.id);
            replica.deleted = true;
            reconcile(replica);
        }
    }

    private CompletableFuture<?> apply(TopicView topic, int number, PartitionState wanted, TopicConfig config) {
        TopicPartition partition = new TopicPartition(topic.name(), number);
        if (!wanted.replicas().contains(node.brokerId())) {
            drop(partition, topic.topicId());
            return CompletableFuture.completedFuture(null);
        }
        Replica replica =
                byName.computeIfAbsent(partition, p -> found(new LogId(topic.topicId(), number, topic.name()), wanted));
        replica.wanted = wanted;
        replica.config = config;
        return reconcile(replica);
    }

    /** The checkpoint knows names only: what it says is of an older topic if this log has never been written to. */
    private Replica found(LogId id, PartitionState wanted) {
        Replica replica = new Replica(id, wanted);
        Long watermark = checkpointed.remove(replica.partition);
        if (watermark != null && state.engineOf(id).isPresent()) {
            lastWatermarks.put(id, watermark);
        }
        return replica;
    }

    /** Compares what should be with what is, and begins the next step. */
    private CompletableFuture<?> reconcile(Replica replica) {
        if (replica.isBusy() || closed) {
            return CompletableFuture.completedFuture(null);
        }
        LeaderPartition current = replica.current();
        boolean leads = !replica.deleted && replica.wanted.leader() == node.brokerId();
        if (current != null && (!leads || current.leaderEpoch() != replica.wanted.leaderEpoch())) {
            current.resign();
            return release(replica, current);
        }
        if (current != null) {
            current.update(replica.wanted, replica.config);
        } else if (replica.deleted) {
            replica.refuse(UNKNOWN_TOPIC_OR_PARTITION.because("There is no partition " + replica.partition));
            delete(replica);
        } else if (!leads) {
            replica.status = Replica.Status.IDLE;
            replica.refuse(NOT_LEADER_OR_FOLLOWER.because("This node does not lead " + replica.partition));
        } else if (replica.status != Replica.Status.OFFLINE) {
            return open(replica);
        }
        return CompletableFuture.completedFuture(null);
    }

    // ---- opening

    private CompletableFuture<?> open(Replica replica) {
        String name = state.engineOf(replica.id).orElseGet(() -> configs.engineOf(replica.partition.topic()));
        replica.engine = name;
        MountedEngine engine = engines.find(name).orElse(null);
        if (engine == null) {
            replica.status = Replica.Status.NO_ENGINE;
            return CompletableFuture.completedFuture(null);
        }
        CompletableFuture<Void> done = begin(engine);
        replica.status = Replica.Status.OPENING;
        openingTimes.begun();
        PartitionState wanted = replica.wanted;
        TopicConfig config = replica.config;
        replica.opening = engine.openings().add(() -> {
            if (closed || !isMounted(engine)) {
                main.execute(() -> postponed(replica, done));
                return;
            }
            try {
                LeaderPartition partition = openHere(replica, engine, wanted, config);
                main.execute(() -> opened(replica, engine, partition, done));
            } catch (RuntimeException | Error failure) {
                main.execute(() -> notOpened(replica, failure, done));
            }
        });
        return done;
    }

    /** Something that who closes the engine, or everything, has to wait for. */
    private CompletableFuture<Void> begin(MountedEngine engine) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        underWay.put(done, engine);
        done.whenComplete((nothing, unused) -> underWay.remove(done));
        return done;
    }

    private LeaderPartition openHere(Replica replica, MountedEngine engine, PartitionState wanted, TopicConfig config) {
        if (replica.failure != null) {
            mayHaveRunOut(engine);
        }
        PartitionFiles files = state.files(replica.id, engine.name());
        boolean alone = wanted.isr().equals(List.of(node.brokerId()));
        LeaderPartition.Opened found = opening.open(
                engine,
                files,
                replica.id,
                wanted.leaderEpoch(),
                state.lease(),
                config,
                alone,
                lastWatermarks.getOrDefault(replica.id, 0L));
        return new LeaderPartition(
                found,
                node,
                engine,
                wanted,
                config,
                limits,
                () -> state.keptBy(replica.id, engine.name()),
                (partition, cause) -> main.execute(() -> died(replica, partition, cause)));
    }

    /** A log that failed is opened to be read and trimmed, but it is written to only if there is room. */
    private static void mayHaveRunOut(MountedEngine engine) {
        engine.room().ranOut(0);
    }

    private void opened(
            Replica replica, MountedEngine engine, LeaderPartition partition, CompletableFuture<Void> done) {
        openingTimes.ended();
        replica.opening = null;
        boolean stillWanted = !replica.deleted
                && replica.wanted.leader() == node.brokerId()
                && replica.wanted.leaderEpoch() == partition.leaderEpoch();
        if (closed || !isMounted(engine) || !stillWanted) {
            partition.resign();
            release(replica, partition).whenComplete((nothing, unused) -> done.complete(null));
            return;
        }
        replica.status = Replica.Status.LEADING;
        partition.update(replica.wanted, replica.config);
        replica.publish(partition);
        if (replica.failure != null) {
            log.info("{} is online again, from offset {}", replica.partition, partition.logEndOffset());
            replica.failure = null;
        }
        log.debug(
                "Leading {} from offset {} in epoch {}",
                replica.partition,
                partition.logEndOffset(),
                partition.leaderEpoch());
        leaderships.leading(partition);
        done.complete(null);
    }

    private boolean isMounted(MountedEngine engine) {
        return engines.find(engine.name()).filter(found -> found == engine).isPresent();
    }

    /** Its engine went away before its turn came. */
    private void postponed(Replica replica, CompletableFuture<Void> done) {
        openingTimes.ended();
        replica.opening = null;
        replica.status = Replica.Status.IDLE;
        reconcile(replica);
        done.complete(null);
    }

    private void notOpened(Replica replica, Throwable failure, CompletableFuture<Void> done) {
        openingTimes.ended();
        replica.opening = null;
        goOffline(replica, failure);
        done.complete(null);
    }

    // ---- failing

    /** A log that ran out of room comes back at once, to be read and trimmed; one whose device failed after a while. */
    private void died(Replica replica, LeaderPartition partition, Throwable cause) {
        if (replica.current() != partition) {
            return;
        }
        if (partition.ranOutOfRoom()) {
            log.info("{} takes no records, there is no room: {}", replica.partition, cause.getMessage());
            release(replica, partition);
            return;
        }
        replica.conceal();
        leaderships.resigned(partition);
        replica.status = Replica.Status.CLOSING;
        CompletableFuture<Void> done = begin(partition.engine());
        partition
                .close()
                .whenComplete((nothing, failure) -> main.execute(() -> {
                    lastWatermarks.put(replica.id, partition.highWatermark());
                    goOffline(replica, cause);
                    done.complete(null);
                }));
    }

    /** Visible in the status table, and said once until it is well again. */
    private void goOffline(Replica replica, Throwable cause) {
        long now = node.clock().millis();
        if (replica.failure == null) {
            boolean flaps = now - replica.offlineSince < LAST_RETRY_MS * 2;
            replica.failures = flaps ? replica.failures : 0;
            replica.offlineSince = now;
            log.error("{} is offline: {}", replica.partition, cause.toString());
        } else {
            log.debug("{} is still offline", replica.partition, cause);
        }
        replica.failure = String.valueOf(cause.getMessage());
        replica.status = Replica.Status.OFFLINE;
        replica.refuse(notHere(replica.partition, replica));
        if (replica.deleted) {
            reconcile(replica);
        } else if (!closed) {
            node.timer().schedule(() -> main.execute(() -> retry(replica)), backOff(replica), TimeUnit.MILLISECONDS);
        }
    }

    private static long backOff(Replica replica) {
        return Math.min(LAST_RETRY_MS, FIRST_RETRY_MS << Math.min(DOUBLINGS, replica.failures++));
    }

    private void retry(Replica replica) {
        if (replica.status == Replica.Status.OFFLINE) {
            replica.status = Replica.Status.IDLE;
            reconcile(replica);
        }
    }

    // ---- closing

    /** Takes a partition from its readers and closes it; afterwards the replica is looked at again. */
    private CompletableFuture<?> release(Replica replica, LeaderPartition partition) {
        replica.conceal();
        replica.status = Replica.Status.CLOSING;
        leaderships.resigned(partition);
        CompletableFuture<Void> done = begin(partition.engine());
        partition
                .close()
                .whenComplete((nothing, failure) -> main.execute(() -> {
                    replica.status = Replica.Status.IDLE;
                    lastWatermarks.put(replica.id, partition.highWatermark());
                    if (failure != null) {
                        log.warn("{} was not closed cleanly: {}", replica.partition, failure.toString());
                    }
                    CompletableFuture<?> next = reconcile(replica);
                    next.whenComplete((more, unused) -> done.complete(null));
                }));
        return done;
    }

    private void delete(Replica replica) {
        going.remove(replica.id);
        String name = state.engineOf(replica.id).orElse(replica.engine);
        replica.status = Replica.Status.IDLE;
        lastWatermarks.remove(replica.id);
        if (name != null) {
            engines.find(name).ifPresent(engine -> strays.delete(engine, replica.id, state));
        }
    }

    // ---- engines

    /** An engine is here: what it keeps is opened. */
    void mount(String name, StorageEngine engine) {
        engines.mount(name, engine).ifPresent(before -> closeAll(before).whenComplete((n, f) -> before.close()));
        byName.values().forEach(replica -> {
            if (name.equals(replica.engine) && replica.status == Replica.Status.NO_ENGINE) {
                replica.status = Replica.Status.IDLE;
                reconcile(replica);
            }
        });
    }

    /** An engine is going: its partitions answer what they accepted and let go of it. */
    CompletableFuture<?> unmount(String name, StorageEngine engine) {
        return engines.unmount(name, engine)
                .map(found -> closeAll(found).whenComplete((nothing, failure) -> found.close()))
                .orElseGet(() -> CompletableFuture.completedFuture(null));
    }

    private CompletableFuture<Void> closeAll(MountedEngine engine) {
        for (Replica replica : byName.values()) {
            LeaderPartition current = replica.current();
            if (current != null && current.engine() == engine) {
                release(replica, current);
            }
        }
        return CompletableFuture.allOf(underWay.entrySet().stream()
                .filter(step -> step.getValue() == engine)
                .map(Map.Entry::getKey)
                .toArray(CompletableFuture[]::new));
    }

    /** @param complete a view that is known to have every topic a log of this node can be of */
    void removeStrays(ClusterView complete) {
        strays.remove(complete, state);
    }

    private boolean isInUse(LogId id) {
        return going.contains(id) || byName.values().stream().anyMatch(replica -> replica.id.equals(id));
    }

    // ---- regular work

    /** High watermarks of what is led here, and of what was not opened yet as they were. */
    Map<TopicPartition, Long> highWatermarks() {
        Map<TopicPartition, Long> watermarks =
                new TreeMap<>(Comparator.comparing(TopicPartition::topic).thenComparingInt(TopicPartition::partition));
        byName.forEach((partition, replica) -> {
            LeaderPartition current = replica.current();
            Long known = current != null ? Long.valueOf(current.highWatermark()) : lastWatermarks.get(replica.id);
            if (known != null) {
                watermarks.put(partition, known);
            }
        });
        return watermarks;
    }

    /** Closes everything, answering what was accepted. */
    CompletableFuture<?> close() {
        closed = true;
        for (Replica replica : byName.values()) {
            replica.refuse(going());
            LeaderPartition current = replica.current();
            if (current != null) {
                release(replica, current);
            }
        }
        return CompletableFuture.allOf(underWay.keySet().toArray(CompletableFuture[]::new));
    }
}
