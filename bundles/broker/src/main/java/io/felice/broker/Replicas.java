package io.felice.broker;

import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;
import static io.felice.api.ErrorCode.LEADER_NOT_AVAILABLE;
import static io.felice.api.ErrorCode.NOT_LEADER_OR_FOLLOWER;
import static io.felice.api.ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;

import io.felice.api.FeliceException;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.Admin;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.PartitionState;
import io.felice.api.cluster.TopicView;
import io.felice.api.config.TopicConfig;
import io.felice.api.storage.EngineTrait;
import io.felice.api.storage.LogId;
import io.felice.broker.engine.Engines;
import io.felice.broker.engine.MountedEngine;
import io.felice.broker.partition.BatchAdmission;
import io.felice.broker.partition.CompactionLimits;
import io.felice.broker.partition.Environment;
import io.felice.broker.partition.FollowerPartition;
import io.felice.broker.partition.LeaderPartition;
import io.felice.broker.partition.LogCopy;
import io.felice.broker.partition.LogOpening;
import io.felice.broker.partition.OpenedLog;
import io.felice.broker.partition.ProducerLimits;
import io.felice.broker.partition.Role;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings the replicas of this node into the state that the cluster's view says: opens logs, takes and gives up
 * leadership, deletes the logs of deleted topics, and opens failed logs again. Decides on the broker's thread only; the
 * engines' threads do the work. Any thread may look up a leader.
 */
final class Replicas {
    private static final Logger LOG = LoggerFactory.getLogger(Replicas.class);
    private static final long FIRST_RETRY_MS = 1_000;
    private static final long LAST_RETRY_MS = 30_000;
    private static final int DOUBLINGS = 5;
    private static final long PATIENCE_SECONDS = 10;

    private final Environment environment;
    private final Executor main;
    private final Engines engines;
    private final NodeConfigs configs;
    private final ProducerLimits producerLimits;
    private final Roles roles;
    private final LogOpening opening;
    private final OpeningTimes openingTimes;
    private final StrayLogs strays;
    private final Moves moves;
    private final Supplier<ClusterView> view;
    private final PartitionLookup lookup;
    private final Predicate<MountedEngine> mayTakeOver;

    private final Map<TopicPartition, Replica> byName = new ConcurrentHashMap<>();
    private final Map<UUID, Applied> applied = new HashMap<>();
    /**
     * Logs of dropped replicas, which are deleted as soon as they are closed. A replica that is assigned again waits until
     * its former log is deleted. The broker's thread only.
     */
    private final Set<LogId> toDelete = new HashSet<>();
    /** Logs that are being opened or closed, each with its engine; the broker's thread only. */
    private final Map<CompletableFuture<Void>, MountedEngine> underWay = new HashMap<>();

    private final Map<LogId, Long> lastWatermarks = new ConcurrentHashMap<>();
    /** The high watermarks of the checkpoint that are not assigned to a log yet; the broker's thread only. */
    private final Map<TopicPartition, Long> checkpointed = new HashMap<>();

    private volatile NodeState state;
    /** True once the replicas have followed a view, which has all topics. */
    private volatile boolean isComplete;

    private volatile boolean closed;

    /**
     * @param whyNotMounted why the engine with a name that is registered is not mounted
     * @param hanging the call from which the engine with a name does not come back
     * @param mayTakeOver true if the operator lets an engine go on with the logs of another one
     */
    Replicas(
            Environment environment,
            Executor main,
            Engines engines,
            NodeConfigs configs,
            Roles roles,
            ProducerLimits limits,
            CompactionLimits compaction,
            Supplier<ClusterView> view,
            Function<String, Optional<String>> whyNotMounted,
            Function<String, Optional<String>> hanging,
            Predicate<MountedEngine> mayTakeOver,
            Supplier<Admin> admin) {
        this.mayTakeOver = mayTakeOver;
        this.environment = environment;
        this.main = main;
        this.engines = engines;
        this.configs = configs;
        this.roles = roles;
        this.producerLimits = limits;
        this.opening = new LogOpening(environment, limits, compaction);
        this.openingTimes = new OpeningTimes(environment);
        this.strays = new StrayLogs(environment, main, engines, view, this::isInUse);
        this.moves = new Moves(environment, main, engines, configs, admin, new MovesHost());
        this.view = view;
        this.lookup = new PartitionLookup(environment, byName, view, whyNotMounted, hanging, () -> closed);
    }

    PartitionLookup lookup() {
        return lookup;
    }

    Moves moves() {
        return moves;
    }

    void keepStateIn(NodeState newState) {
        state = newState;
        checkpointed.putAll(newState.highWatermarks());
        moves.keepStateIn(newState);
    }

    /** A topic and its configuration, as the replicas know them. */
    private record Applied(TopicView topic, TopicConfig config) {}

    // ---- which ones there are

    /** The engine of each log that this node has of the topic. */
    Stream<String> enginesOf(TopicView topic) {
        return topic.partitions().keySet().stream()
                .map(number -> byName.get(new TopicPartition(topic.name(), number)))
                .filter(replica -> replica != null && replica.id.topicId().equals(topic.topicId()))
                .flatMap(replica -> engineOf(replica).stream());
    }

    /** Null if this node has no replica with this log. Any thread. */
    Replica find(LogId id) {
        Replica found = view.get()
                .topic(id.topicId())
                .map(topic -> byName.get(new TopicPartition(topic.name(), id.partition())))
                .orElse(null);
        return found != null && found.id.equals(id) ? found : null;
    }

    private Optional<String> engineOf(Replica replica) {
        return state.engineOf(replica.id)
                .or(() -> Optional.ofNullable(replica.status == Replica.Status.NO_ENGINE ? null : replica.engine));
    }

    Collection<Replica> all() {
        return byName.values();
    }

    /** The producers that all partitions of this node remember together. */
    long rememberedProducers() {
        return leaders().stream()
                .mapToLong(leader -> leader.log().producerCount())
                .sum();
    }

    /** About every second: lets the limit of the node hold for new producers. */
    void countProducers() {
        producerLimits.remembered(rememberedProducers());
    }

    List<LeaderPartition> leaders() {
        List<LeaderPartition> leaders = new ArrayList<>();
        byName.values().forEach(replica -> {
            LeaderPartition leading = replica.leading();
            if (leading != null) {
                leaders.add(leading);
            }
        });
        return leaders;
    }

    Stream<FollowerPartition> followers() {
        return byName.values().stream()
                .map(Replica::role)
                .filter(FollowerPartition.class::isInstance)
                .map(FollowerPartition.class::cast);
    }

    Stream<OpenedLog> openLogs() {
        return byName.values().stream().map(replica -> replica.log).filter(Objects::nonNull);
    }

    BatchAdmission admission() {
        return roles.admission();
    }

    OpeningTimes openingTimes() {
        return openingTimes;
    }

    // ---- following the view

    /** Follows a new view. The result is done when each partition that the view has changed is usable or has failed. */
    CompletableFuture<?> follow(ClusterView news) {
        isComplete = true;
        boolean othersAreLive = roles.follow(news, leaders());
        strays.following(news, state);
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
        if (othersAreLive) {
            byName.values().stream()
                    .filter(replica -> replica.status == Replica.Status.FOLLOWING)
                    .forEach(this::reconcile);
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
            toDelete.add(replica.id);
            replica.deleted = true;
            reconcile(replica);
        }
    }

    private CompletableFuture<?> apply(TopicView topic, int number, PartitionState wanted, TopicConfig config) {
        TopicPartition partition = new TopicPartition(topic.name(), number);
        if (!wanted.replicas().contains(environment.brokerId())) {
            drop(partition, topic.topicId());
            return CompletableFuture.completedFuture(null);
        }
        Replica replica =
                byName.computeIfAbsent(partition, p -> found(new LogId(topic.topicId(), number, topic.name()), wanted));
        replica.wanted = wanted;
        replica.config = config;
        return reconcile(replica);
    }

    /**
     * The checkpoint has the names of topics but not their ids. If this log has never been written to, the watermark
     * belongs to an older topic of the same name and is dropped.
     */
    private Replica found(LogId id, PartitionState wanted) {
        Replica replica = new Replica(id, wanted);
        Long watermark = checkpointed.remove(replica.partition);
        if (watermark != null && state.engineOf(id).isPresent()) {
            lastWatermarks.put(id, watermark);
        }
        return replica;
    }

    /** Compares the replica with the view and begins the next step. */
    private CompletableFuture<?> reconcile(Replica replica) {
        if (replica.isBusy() || closed) {
            return CompletableFuture.completedFuture(null);
        }
        if (replica.log != null && replica.deleted) {
            roles.leave(replica, notLed(replica));
            return release(replica, notLed(replica));
        }
        if (replica.log != null) {
            return takeRole(replica, replica.log);
        }
        if (replica.deleted) {
            replica.refuse(UNKNOWN_TOPIC_OR_PARTITION.because("There is no partition " + replica.partition));
            delete(replica);
        } else if (toDelete.contains(replica.id)) {
            replica.goOffline(LEADER_NOT_AVAILABLE.because(replica.partition + " is not open yet"));
        } else if (replica.status != Replica.Status.OFFLINE) {
            return open(replica);
        }
        return CompletableFuture.completedFuture(null);
    }

    private boolean leads(PartitionState wanted) {
        return wanted.leader() == environment.brokerId();
    }

    private static FeliceException notLed(Replica replica) {
        return NOT_LEADER_OR_FOLLOWER.because("This node does not lead " + replica.partition);
    }

    // ---- roles

    /** Gives the replica, whose log is open, the role that the view says, if it has another one. */
    private CompletableFuture<?> takeRole(Replica replica, OpenedLog log) {
        PartitionState wanted = replica.wanted;
        log.update(replica.config);
        if (roles.isRight(replica)) {
            roles.goOn(replica);
            return CompletableFuture.completedFuture(null);
        }
        roles.leave(replica, notLed(replica));
        replica.status = Replica.Status.CHANGING;
        CompletableFuture<Void> done = begin(replica, log.engine());
        log.become(() -> roles.begin(replica, log, wanted))
                .whenComplete((role, failure) -> main.execute(() -> roleTaken(replica, log, role, done)));
        return done;
    }

    /** @param role null if the log failed before it had a role */
    private void roleTaken(Replica replica, OpenedLog log, Role role, CompletableFuture<Void> done) {
        if (role == null || replica.log != log || replica.status == Replica.Status.CLOSING) {
            done.complete(null);
            return;
        }
        replica.status = role instanceof LeaderPartition ? Replica.Status.LEADING : Replica.Status.FOLLOWING;
        if (closed || !isMounted(log.engine())) {
            role.end(PartitionLookup.stopping());
            release(replica, PartitionLookup.stopping()).whenComplete((nothing, unused) -> done.complete(null));
            return;
        }
        if (log.whyEnded() != null) {
            logFailed(replica, log, log.whyEnded());
            done.complete(null);
            return;
        }
        boolean stillWanted = !replica.deleted && role.isOf(replica.wanted.leaderEpoch());
        if (!stillWanted) {
            role.end(notLed(replica));
            reconcile(replica).whenComplete((nothing, unused) -> done.complete(null));
            return;
        }
        enter(replica, log, role);
        done.complete(null);
    }

    private void enter(Replica replica, OpenedLog log, Role role) {
        roles.enter(replica, role);
        log.update(replica.config);
        if (replica.failure != null) {
            LOG.info("{} is online again, from offset {}", replica.partition, log.endOffset());
            replica.failure = null;
        }
        LOG.debug("{} is {} from offset {}", replica.partition, replica.status, log.endOffset());
    }

    // ---- opening

    private CompletableFuture<?> open(Replica replica) {
        String name = state.engineOf(replica.id).orElseGet(() -> configs.engineOf(replica.partition.topic()));
        replica.engine = name;
        MountedEngine engine = engines.find(name).orElse(null);
        if (engine == null) {
            replica.status = Replica.Status.NO_ENGINE;
            replica.goOffline(LEADER_NOT_AVAILABLE.because(replica.partition + " is offline: "
                    + lookup.reasonOffline(replica).orElse("")));
            giveUpEngineLater(replica);
            return CompletableFuture.completedFuture(null);
        }
        CompletableFuture<Void> done = begin(replica, engine);
        replica.status = Replica.Status.OPENING;
        int attempt = ++replica.attempt;
        replica.goOffline(LEADER_NOT_AVAILABLE.because(replica.partition + " is not open yet"));
        openingTimes.begun();
        PartitionState wanted = replica.wanted;
        TopicConfig config = replica.config;
        replica.opening = engine.openings().add(() -> {
            if (closed || !isMounted(engine)) {
                main.execute(() -> engineGone(replica, attempt, done));
                return;
            }
            try {
                OpenedLog log = openHere(replica, engine, config);
                roles.compareWithBefore(replica, log, wanted);
                Role role = roles.begin(replica, log, wanted);
                main.execute(() -> opened(replica, attempt, log, role, done));
            } catch (RuntimeException | Error failure) {
                main.execute(() -> notOpened(replica, attempt, failure, done));
            }
        });
        return done;
    }

    /** Clients wait for a missing engine for a while, because an engine that is being replaced is back by then. */
    private void giveUpEngineLater(Replica replica) {
        int absence = ++replica.engineAbsences;
        Runnable giveUp = () -> {
            if (replica.status == Replica.Status.NO_ENGINE && absence == replica.engineAbsences) {
                replica.engineGivenUp = true;
            }
        };
        try {
            environment.timer().schedule(() -> main.execute(giveUp), PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (RejectedExecutionException closing) {
            replica.engineGivenUp = true;
        }
    }

    /** Begins a step on the engine: unmounting the engine waits until the result is done. */
    private CompletableFuture<Void> begin(Replica replica, MountedEngine engine) {
        replica.usedBy = engine;
        CompletableFuture<Void> done = new CompletableFuture<>();
        underWay.put(done, engine);
        done.whenComplete((nothing, unused) -> underWay.remove(done));
        return done;
    }

    // ---- moving logs to other engines

    private final class MovesHost implements Moves.Host {
        @Override
        public Replica find(TopicPartition partition) {
            return byName.get(partition);
        }

        @Override
        public Replica find(LogId id) {
            return Replicas.this.find(id);
        }

        @Override
        public OpenedLog openCopy(Replica replica, MountedEngine engine) {
            return opening.open(
                    engine,
                    state.copyFiles(replica.id, engine.name()),
                    replica.id,
                    state.lease(),
                    replica.config,
                    0,
                    () -> {},
                    (log, cause) -> main.execute(() -> logFailed(replica, log, cause)));
        }

        @Override
        public CompletableFuture<Boolean> takeOver(Replica replica, LogCopy copy, Runnable decide, Duration patience) {
            return Replicas.this.takeOver(replica, copy, decide, patience);
        }

        @Override
        public boolean isKnown(TopicPartition partition) {
            return view.get()
                    .topic(partition.topic())
                    .flatMap(topic -> topic.partition(partition.partition()))
                    .isPresent();
        }

        @Override
        public Collection<TopicView> topics() {
            return view.get().topics();
        }

        @Override
        public boolean isComplete() {
            return isComplete;
        }
    }

    /**
     * Puts a copy in the place of the replica's log. The replica keeps its role.
     *
     * @return done with false if the replica is in no state for it
     */
    private CompletableFuture<Boolean> takeOver(Replica replica, LogCopy copy, Runnable decide, Duration patience) {
        OpenedLog old = copy.source();
        boolean isReady = !closed && !replica.isBusy() && !replica.deleted && replica.log == old;
        if (!isReady
                || old.whyEnded() != null
                || !isMounted(old.engine())
                || !isMounted(copy.log().engine())) {
            return CompletableFuture.completedFuture(false);
        }
        replica.status = Replica.Status.SWITCHING;
        int attempt = ++replica.attempt;
        CompletableFuture<Void> entered = begin(replica, copy.log().engine());
        CompletableFuture<Void> left = begin(replica, old.engine());
        CompletableFuture<Boolean> result = new CompletableFuture<>();
        copy.log().update(replica.config);
        copy.takeOver(decide, patience)
                .whenComplete((nothing, failure) -> main.execute(() -> {
                    if (failure == null) {
                        result.complete(true);
                    } else {
                        result.completeExceptionally(FeliceException.unwrap(failure));
                    }
                    switched(replica, attempt, copy).whenComplete((done, unused) -> {
                        left.complete(null);
                        entered.complete(null);
                    });
                }));
        return result;
    }

    private CompletableFuture<?> switched(Replica replica, int attempt, LogCopy copy) {
        if (attempt != replica.attempt) {
            if (copy.hasTakenOver()) {
                copy.log().close();
            }
            return CompletableFuture.completedFuture(null);
        }
        OpenedLog log = copy.hasTakenOver() ? copy.log() : copy.source();
        replica.log = log;
        replica.engine = log.engine().name();
        replica.status = replica.leading() != null ? Replica.Status.LEADING : Replica.Status.FOLLOWING;
        if (closed || !isMounted(log.engine())) {
            return release(replica, PartitionLookup.stopping());
        }
        if (log.whyEnded() != null) {
            logFailed(replica, log, log.whyEnded());
            return CompletableFuture.completedFuture(null);
        }
        return reconcile(replica);
    }

    private OpenedLog openHere(Replica replica, MountedEngine engine, TopicConfig config) {
        if (replica.failure != null) {
            // The log failed before. It is readable again in any case, but writable only if there is free space.
            engine.space().ranOut(0);
        }
        long acknowledged = lastWatermarks.getOrDefault(replica.id, 0L);
        OpenedLog opened = opening.open(
                engine,
                state.files(replica.id, engine.name()),
                replica.id,
                state.lease(),
                config,
                acknowledged,
                () -> state.writtenIn(replica.id, engine.name(), engine.symbolicName()),
                (log, cause) -> main.execute(() -> logFailed(replica, log, cause)));
        if (acknowledged > 0 && opened.endOffset() == 0 && mustHaveKept(engine, config)) {
            opened.close();
            throw KAFKA_STORAGE_ERROR.because(engine.subject() + " has no record of " + replica.partition
                    + ", although records below offset " + acknowledged
                    + " were acknowledged. Start the bundle with the"
                    + " engine that has them, or, to go on without them, set storage.takeover = " + engine.name() + ":"
                    + engine.symbolicName().orElse("") + " in io.felice.broker.cfg");
        }
        return opened;
    }

    /** Another version of a third party's bundle may look for its files in another place, and find none. */
    private boolean mustHaveKept(MountedEngine engine, TopicConfig config) {
        return !engine.isOwn()
                && engine.traits().contains(EngineTrait.SURVIVES_KILL)
                && !config.get(TopicConfig.STORAGE_DURABILITY).equals("none")
                && !mayTakeOver.test(engine);
    }

    private void opened(Replica replica, int attempt, OpenedLog log, Role role, CompletableFuture<Void> done) {
        if (attempt != replica.attempt) {
            LOG.info("The log of {} was opened too late and is closed again", replica.partition);
            log.close();
            done.complete(null);
            return;
        }
        openingTimes.ended();
        replica.opening = null;
        replica.log = log;
        if (moves.has(replica.id)) {
            log.followedTo(() -> 0);
        }
        roleTaken(replica, log, role, done);
    }

    private boolean isMounted(MountedEngine engine) {
        return engines.find(engine.name()).filter(found -> found == engine).isPresent();
    }

    /** The engine was removed before the log was opened. */
    private void engineGone(Replica replica, int attempt, CompletableFuture<Void> done) {
        if (attempt != replica.attempt) {
            done.complete(null);
            return;
        }
        openingTimes.ended();
        replica.opening = null;
        replica.status = Replica.Status.CLOSED;
        reconcile(replica);
        done.complete(null);
    }

    private void notOpened(Replica replica, int attempt, Throwable failure, CompletableFuture<Void> done) {
        if (attempt != replica.attempt) {
            done.complete(null);
            return;
        }
        openingTimes.ended();
        replica.opening = null;
        goOffline(replica, failure);
        done.complete(null);
    }

    // ---- failing

    /**
     * A log that ran out of free space is opened again at once: clients can read it and delete records. A log whose
     * device failed is opened again after a while.
     */
    private void logFailed(Replica replica, OpenedLog log, Throwable cause) {
        if (replica.log != log
                || replica.status == Replica.Status.CLOSING
                || replica.status == Replica.Status.SWITCHING) {
            return;
        }
        if (log.ranOutOfSpace()) {
            LOG.info(
                    "{} accepts no records, because there is no free space: {}", replica.partition, cause.getMessage());
            release(replica, notLed(replica));
            return;
        }
        note(replica, cause);
        FeliceException why = KAFKA_STORAGE_ERROR.because(replica.partition + " is offline: " + replica.failure);
        replica.refuse(why);
        close(replica, log, why, () -> {
            goOffline(replica, cause);
            return CompletableFuture.completedFuture(null);
        });
    }

    private void goOffline(Replica replica, Throwable cause) {
        note(replica, cause);
        replica.status = Replica.Status.OFFLINE;
        FeliceException why = KAFKA_STORAGE_ERROR.because(replica.partition + " is offline: " + replica.failure);
        replica.goOffline(why);
        replica.refuse(why);
        if (replica.deleted) {
            reconcile(replica);
        } else if (!closed) {
            environment
                    .timer()
                    .schedule(() -> main.execute(() -> retry(replica)), backOff(replica), TimeUnit.MILLISECONDS);
        }
    }

    /** The status table shows the failure. It is logged as an error once, until the partition is online again. */
    private void note(Replica replica, Throwable cause) {
        long now = environment.nanos().getAsLong();
        if (replica.failure == null) {
            boolean flaps = replica.failures > 0
                    && now - replica.offlineSince < TimeUnit.MILLISECONDS.toNanos(LAST_RETRY_MS * 2);
            replica.failures = flaps ? replica.failures : 0;
            replica.offlineSince = now;
            LOG.error("{} is offline: {}", replica.partition, cause.toString());
        } else {
            LOG.debug("{} is still offline", replica.partition, cause);
        }
        replica.failure = String.valueOf(cause.getMessage());
    }

    private static long backOff(Replica replica) {
        return Math.min(LAST_RETRY_MS, FIRST_RETRY_MS << Math.min(DOUBLINGS, replica.failures++));
    }

    private void retry(Replica replica) {
        if (replica.status == Replica.Status.OFFLINE) {
            replica.status = Replica.Status.CLOSED;
            reconcile(replica);
        }
    }

    // ---- closing

    /** Ends the use of a partition and closes its log, then compares the replica with the view again. */
    private CompletableFuture<?> release(Replica replica, FeliceException why) {
        return close(replica, replica.log, why, () -> {
            replica.status = Replica.Status.CLOSED;
            return reconcile(replica);
        });
    }

    /** @param afterwards the next step, on the broker's thread */
    private CompletableFuture<?> close(
            Replica replica, OpenedLog log, FeliceException why, Supplier<CompletableFuture<?>> afterwards) {
        replica.lastEpoch = replica.leading() == null ? -1 : replica.leading().leaderEpoch();
        roles.takeOffline(replica, why);
        replica.status = Replica.Status.CLOSING;
        CompletableFuture<Void> done = begin(replica, log.engine());
        log.close()
                .whenComplete((nothing, failure) -> main.execute(() -> {
                    if (replica.log != log) {
                        done.complete(null);
                        return;
                    }
                    replica.log = null;
                    replica.lastEnd = log.endOffset();
                    lastWatermarks.put(replica.id, log.highWatermark());
                    if (failure != null) {
                        LOG.warn("{} was not closed cleanly: {}", replica.partition, failure.toString());
                    }
                    afterwards.get().whenComplete((more, unused) -> done.complete(null));
                }));
        return done;
    }

    private void delete(Replica replica) {
        String name = state.engineOf(replica.id).orElse(replica.engine);
        replica.status = Replica.Status.CLOSED;
        lastWatermarks.remove(replica.id);
        Optional<MountedEngine> engine = name == null ? Optional.empty() : engines.find(name);
        if (engine.isPresent()) {
            strays.delete(engine.get(), replica.id, state).thenRunAsync(() -> isDeleted(replica), main);
        } else {
            isDeleted(replica);
        }
    }

    private void isDeleted(Replica replica) {
        toDelete.remove(replica.id);
        Replica next = byName.get(replica.partition);
        if (next != null && next.id.equals(replica.id)) {
            reconcile(next);
        }
    }

    // ---- engines

    /** Opens the logs that wait for an engine that is mounted now. */
    void mounted(MountedEngine engine) {
        moves.tick();
        byName.values().forEach(replica -> {
            if (engine.name().equals(replica.engine) && replica.status == Replica.Status.NO_ENGINE) {
                replica.status = Replica.Status.CLOSED;
                replica.engineGivenUp = false;
                reconcile(replica);
            }
        });
    }

    /**
     * Closes the logs of an engine that is no longer mounted. The result is done when its partitions have answered the
     * accepted requests and are closed; those that the engine does not give back are given up after ten seconds, or
     * after one second if a call of the engine is late already.
     */
    CompletableFuture<?> unmounted(MountedEngine engine) {
        CompletableFuture<Void> all = closeAll(engine);
        giveUpLater(engine, engine.calls().hanging().isPresent() ? 1 : PATIENCE_SECONDS);
        return all;
    }

    private void giveUpLater(MountedEngine engine, long seconds) {
        try {
            environment.timer().schedule(() -> main.execute(() -> giveUp(engine)), seconds, TimeUnit.SECONDS);
        } catch (RejectedExecutionException closing) {
            LOG.debug("The broker closes; {} is not waited for", engine.subject());
        }
    }

    /** The partitions that the engine has not given back go on without it: another engine may open their logs. */
    private void giveUp(MountedEngine engine) {
        List<CompletableFuture<Void>> steps = new ArrayList<>();
        underWay.forEach((step, used) -> {
            if (used == engine) {
                steps.add(step);
            }
        });
        if (steps.isEmpty()) {
            return;
        }
        FeliceException why = LEADER_NOT_AVAILABLE.because(engine.subject() + " has gone");
        for (Replica replica : byName.values()) {
            if (replica.isBusy() && replica.usedBy == engine) {
                LOG.warn(
                        "{} has not given back the log of {}. The partition goes on without it",
                        engine.subject(),
                        replica.partition);
                giveUp(replica, why);
            }
        }
        steps.forEach(step -> step.complete(null));
    }

    private void giveUp(Replica replica, FeliceException why) {
        OpenedLog log = replica.log;
        if (replica.status == Replica.Status.OPENING) {
            openingTimes.ended();
        }
        replica.attempt++;
        replica.opening = null;
        replica.log = null;
        replica.failure = null;
        roles.takeOffline(replica, why);
        replica.status = Replica.Status.CLOSED;
        if (log != null) {
            lastWatermarks.put(replica.id, log.highWatermark());
            log.abandon(why);
        }
        reconcile(replica);
    }

    private CompletableFuture<Void> closeAll(MountedEngine engine) {
        CompletableFuture<?> copies = moves.unmounted(engine);
        for (Replica replica : byName.values()) {
            if (replica.log != null && !replica.isBusy() && replica.log.engine() == engine) {
                release(replica, LEADER_NOT_AVAILABLE.because("The engine of " + replica.partition + " was removed"));
            }
        }
        List<CompletableFuture<?>> steps = new ArrayList<>();
        steps.add(copies);
        underWay.forEach((step, of) -> {
            if (of == engine) {
                steps.add(step);
            }
        });
        return CompletableFuture.allOf(steps.toArray(CompletableFuture[]::new));
    }

    /** @param complete a view that has the topics of all logs of this node, unless they were deleted */
    void removeStrays(ClusterView complete) {
        strays.remove(complete, state);
    }

    StrayLogs strays() {
        return strays;
    }

    private boolean isInUse(LogId id) {
        return toDelete.contains(id) || byName.values().stream().anyMatch(replica -> replica.id.equals(id));
    }

    // ---- regular work

    /** The high watermark of each replica; if its log is not open, the last known one. */
    Map<TopicPartition, Long> highWatermarks() {
        Map<TopicPartition, Long> watermarks =
                new TreeMap<>(Comparator.comparing(TopicPartition::topic).thenComparingInt(TopicPartition::partition));
        byName.forEach((partition, replica) -> {
            OpenedLog log = replica.log;
            Long known = log != null ? Long.valueOf(log.highWatermark()) : lastWatermarks.get(replica.id);
            if (known != null) {
                watermarks.put(partition, known);
            }
        });
        return watermarks;
    }

    /**
     * Closes all partitions. The result is done when the accepted requests are answered and the logs are closed. Those of
     * an engine with a call that is late already are given up after one second.
     */
    CompletableFuture<?> close() {
        closed = true;
        for (Replica replica : byName.values()) {
            replica.refuse(PartitionLookup.stopping());
            if (replica.log != null && !replica.isBusy()) {
                release(replica, PartitionLookup.stopping());
            }
        }
        engines.all().stream()
                .filter(engine -> engine.calls().hanging().isPresent())
                .forEach(engine -> giveUpLater(engine, 1));
        List<CompletableFuture<?>> steps = new ArrayList<>(underWay.keySet());
        steps.add(moves.close());
        return CompletableFuture.allOf(steps.toArray(CompletableFuture[]::new))
                .whenComplete((nothing, unused) -> roles.close());
    }
}
