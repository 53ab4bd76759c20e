package io.felice.broker;

import static io.felice.api.ErrorCode.COORDINATOR_NOT_AVAILABLE;
import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;
import static io.felice.api.ErrorCode.LOG_DIR_NOT_FOUND;
import static io.felice.api.ErrorCode.REASSIGNMENT_IN_PROGRESS;
import static io.felice.api.ErrorCode.REPLICA_NOT_AVAILABLE;
import static io.felice.api.ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;

import io.felice.api.FeliceException;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.Admin;
import io.felice.api.cluster.Admin.ConfigChange;
import io.felice.api.cluster.Outcome;
import io.felice.api.cluster.TopicView;
import io.felice.api.config.BrokerConfig;
import io.felice.api.config.ConfigResource;
import io.felice.api.config.TopicConfig;
import io.felice.api.partition.LogMove;
import io.felice.api.partition.LogMove.Phase;
import io.felice.api.storage.LogId;
import io.felice.broker.engine.Engines;
import io.felice.broker.engine.MountedEngine;
import io.felice.broker.partition.Environment;
import io.felice.broker.partition.LogCopy;
import io.felice.broker.partition.OpenedLog;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Moves logs to other engines of this node while clients go on. A copy in the other engine follows the log, takes its
 * place, and the old log is deleted. {@link NodeState} keeps how far a move is:
 *
 * <ol>
 *   <li>The copy has files: the move is under way. After a restart the copy goes on where it ended.
 *   <li>The copy's files become those of the log: the copy is the log. After a restart the old log is deleted.
 *   <li>The note of where the log was is gone: the move has ended.
 * </ol>
 *
 * <p>Decides on the broker's thread. A {@link Mover} for each engine copies; the engine's threads do the rest.
 */
final class Moves {
    private static final Logger LOG = LoggerFactory.getLogger(Moves.class);
    /** How long appends wait at most for an engine that does not take the last records. */
    private static final Duration SWITCH_PATIENCE = Duration.ofSeconds(5);
    /** A replaced log is closed and deleted after this time, so that reads which have begun can end. */
    private static final long LINGER_MS = 1_000;

    private static final long FLUSH_SECONDS = 60;

    /** What moving a log needs from {@link Replicas}. */
    interface Host {
        /** Null if this node has no replica of the partition. Any thread. */
        Replica find(TopicPartition partition);

        /** Null if this node has no replica with this log. Any thread. */
        Replica find(LogId id);

        /** Opens the copy of a log that is being moved. Blocks. */
        OpenedLog openCopy(Replica replica, MountedEngine engine);

        /** As {@link Replicas#takeOver}. */
        CompletableFuture<Boolean> takeOver(Replica replica, LogCopy copy, Runnable decide, Duration patience);

        /** True if the partition's topic is in the cluster's view. */
        boolean isKnown(TopicPartition partition);

        /** The topics of the cluster. */
        Collection<TopicView> topics();

        /** True once the replicas follow a view that has all topics. */
        boolean isComplete();
    }

    private final Environment environment;
    private final Executor main;
    private final Engines engines;
    private final NodeConfigs configs;
    private final Supplier<Admin> admin;
    private final Host host;
    private final Map<LogId, Move> moves =
            new ConcurrentSkipListMap<>(Comparator.comparing(LogId::topicId).thenComparingInt(LogId::partition));
    /** The logs whose places were taken and that are still open. */
    private final Set<OpenedLog> replaced = ConcurrentHashMap.newKeySet();
    /** By engine; the broker's thread only. */
    private final Map<MountedEngine, Mover> movers = new HashMap<>();

    /** Topics whose config may name an engine from which all logs were moved; the broker's thread only. */
    private final Set<UUID> unnamed = new HashSet<>();

    private final Work work = new Work();
    private final Pauses pauses = new Pauses();
    private boolean looked;
    private volatile int working = 1;
    private volatile NodeState state;
    private volatile boolean closed;

    /** @param admin gives null while there is no controller */
    Moves(
            Environment environment,
            Executor main,
            Engines engines,
            NodeConfigs configs,
            Supplier<Admin> admin,
            Host host) {
        this.admin = admin;
        this.environment = environment;
        this.main = main;
        this.engines = engines;
        this.configs = configs;
        this.host = host;
    }

    /** The moves of before the restart go on. */
    void keepStateIn(NodeState newState) {
        state = newState;
        newState.copies().forEach((id, engine) -> {
            Move move = new Move(id, engine);
            if (newState.isCopyCancelled(id, engine)) {
                move.phase = Phase.CANCELLING;
            }
            moves.put(id, move);
        });
    }

    // ---- asking for moves

    /** Any thread. */
    CompletionStage<Map<TopicPartition, Outcome<Void>>> move(Map<TopicPartition, String> targets) {
        return CompletableFuture.supplyAsync(() -> engineNames(targets), environment.background())
                .thenComposeAsync(named -> begin(targets, named), main);
    }

    /** The engines that are called so, or whose log directory is called so. */
    private Map<String, String> engineNames(Map<TopicPartition, String> targets) {
        Map<String, String> names = new HashMap<>();
        for (MountedEngine engine : engines.all()) {
            names.put(engine.name(), engine.name());
            if (!names.keySet().containsAll(targets.values())) {
                logDirOf(engine).ifPresent(dir -> names.put(dir, engine.name()));
            }
        }
        return names;
    }

    private static Optional<String> logDirOf(MountedEngine engine) {
        try {
            return Optional.of(engine.volume().logDir());
        } catch (RuntimeException unknown) {
            LOG.warn("{} does not say where its logs are: {}", engine.subject(), unknown.toString());
            return Optional.empty();
        }
    }

    private CompletableFuture<Map<TopicPartition, Outcome<Void>>> begin(
            Map<TopicPartition, String> targets, Map<String, String> named) {
        Map<TopicPartition, CompletableFuture<Outcome<Void>>> begun = new LinkedHashMap<>();
        targets.forEach((partition, target) -> begun.put(
                partition,
                begin(partition, target, named).handle((nothing, failure) -> outcome(partition, target, failure))));
        return CompletableFuture.allOf(begun.values().toArray(CompletableFuture[]::new))
                .thenApply(done -> {
                    Map<TopicPartition, Outcome<Void>> outcomes = new LinkedHashMap<>();
                    begun.forEach((partition, outcome) -> outcomes.put(partition, outcome.join()));
                    return outcomes;
                });
    }

    private static Outcome<Void> outcome(TopicPartition partition, String target, Throwable failure) {
        if (failure == null) {
            return Outcome.of(null);
        }
        Outcome<Void> refused = Outcome.failed(failure);
        LOG.info("{} is not moved to {}: {}", partition, target, refused.message());
        return refused;
    }

    private CompletableFuture<Void> begin(TopicPartition partition, String target, Map<String, String> named) {
        try {
            Replica replica = host.find(partition);
            mustBeHere(partition, replica);
            String engine = named.get(target);
            if (engine == null) {
                throw LOG_DIR_NOT_FOUND.because("No storage engine of this node is called " + target
                        + " or has that log directory; there are: " + String.join(", ", engines.names()));
            }
            return begin(replica, engine);
        } catch (FeliceException refused) {
            return CompletableFuture.failedFuture(refused);
        }
    }

    private void mustBeHere(TopicPartition partition, Replica replica) {
        if (state == null || closed || !host.isComplete()) {
            throw COORDINATOR_NOT_AVAILABLE.because("This node is starting or stopping");
        }
        if (replica == null) {
            throw host.isKnown(partition)
                    ? REPLICA_NOT_AVAILABLE.because("This node has no replica of " + partition)
                    : UNKNOWN_TOPIC_OR_PARTITION.because("There is no partition " + partition);
        }
    }

    private CompletableFuture<Void> begin(Replica replica, String engine) {
        String now = engineOf(replica);
        if (!engine.equals(now)) {
            configs.mustTake(replica.partition.topic(), engine);
        }
        Move move = moves.get(replica.id);
        if (move != null && move.isUnderWay() && move.to.equals(engine)) {
            return CompletableFuture.completedFuture(null);
        }
        if (move != null && move.phase != Phase.REMOVING) {
            move.next = engine.equals(now) ? null : engine;
            return cancel(move);
        }
        return engine.equals(now) ? CompletableFuture.completedFuture(null) : begin(replica.id, engine);
    }

    private String engineOf(Replica replica) {
        return state.engineOf(replica.id).orElse(replica.engine);
    }

    private CompletableFuture<Void> begin(LogId id, String engine) {
        Move move = new Move(id, engine);
        return CompletableFuture.runAsync(() -> write(() -> state.beginCopy(id, engine)), environment.background())
                .thenRunAsync(
                        () -> {
                            moves.put(id, move);
                            LOG.info("{} is being moved to the storage engine {}", move.partition(), engine);
                            start();
                        },
                        main);
    }

    private interface FileWork {
        void run() throws IOException;
    }

    private static void write(FileWork work) {
        try {
            work.run();
        } catch (IOException failure) {
            throw KAFKA_STORAGE_ERROR.because("The data directory cannot be written: " + failure, failure);
        }
    }

    private CompletableFuture<Void> cancel(Move move) {
        if (move.phase == Phase.SWITCHING) {
            throw REASSIGNMENT_IN_PROGRESS.because(move.partition() + " is just being switched to " + move.to);
        }
        if (move.isCancelled()) {
            return CompletableFuture.completedFuture(null);
        }
        move.phase = Phase.CANCELLING;
        LOG.info("The move of {} to {} is cancelled", move.partition(), move.to);
        return CompletableFuture.runAsync(() -> write(() -> state.cancelCopy(move.id)), environment.background())
                .thenRunAsync(this::start, main);
    }

    // ---- what others ask for

    List<LogMove> list() {
        return moves.values().stream()
                .map(move -> new LogMove(
                        partitionOf(move), from(move), move.to, move.phase, move.copiedBytes, move.lag(), move.problem))
                .sorted(Comparator.comparing((LogMove move) -> move.partition().topic())
                        .thenComparing(move -> move.partition().partition()))
                .toList();
    }

    TopicPartition partitionOf(Move move) {
        Replica replica = host.find(move.id);
        return replica == null ? move.partition() : replica.partition;
    }

    private String from(Move move) {
        return move.from.isEmpty() ? state.engineOf(move.id).orElse("") : move.from;
    }

    /** The moves whose copies will take the place of logs. Any thread. */
    List<Move> underWay() {
        return moves.values().stream().filter(Move::isUnderWay).toList();
    }

    /** True if a copy of the log exists that does not follow the log yet: it may have old records. */
    boolean has(LogId id) {
        return moves.containsKey(id);
    }

    // ---- regular work

    /** About every second, and when an engine was mounted. On the broker's thread. */
    void tick() {
        if (state == null || closed || !host.isComplete()) {
            return;
        }
        moves.values().stream()
                .filter(move -> move.isUnderWay() && move.phase != Phase.SWITCHING && !hasReplica(move.id))
                .forEach(this::cancel);
        state.left().forEach((id, engine) -> {
            if (replaced.stream().noneMatch(log -> log.id().equals(id))) {
                engines.find(engine).ifPresent(mounted -> mounted.execute(() -> remove(id, mounted)));
            }
        });
        nameEngines();
        start();
    }

    private boolean hasReplica(LogId id) {
        Replica replica = host.find(id);
        return replica != null && !replica.deleted;
    }

    private void start() {
        movers.values().removeIf(Mover::hasEnded);
        for (MountedEngine engine : engines.all()) {
            if (!closed && !movers.containsKey(engine) && !work.of(engine).isEmpty()) {
                start(new Mover(engine, work, environment.nanos(), this::bytesPerSecond));
            }
        }
        working = Math.max(1, movers.size());
    }

    private void start(Mover mover) {
        Thread thread = new Thread(mover, "felice-mover-" + mover.engine().name());
        thread.setDaemon(true);
        movers.put(mover.engine(), mover);
        try {
            thread.start();
        } catch (OutOfMemoryError noThread) {
            movers.remove(mover.engine());
            LOG.warn(
                    "No thread can be started that moves logs to {}; the next attempt is in a second",
                    mover.engine().name());
        }
    }

    private double bytesPerSecond() {
        return (double) configs.broker().getLong(BrokerConfig.ALTER_LOG_DIRS_THROTTLED_RATE) / working;
    }

    // ---- the config of a topic whose logs were all moved

    private void nameEngines() {
        if (!looked) {
            looked = true;
            host.topics().forEach(topic -> unnamed.add(topic.topicId()));
        }
        Admin controller = admin.get();
        if (controller == null || unnamed.isEmpty()) {
            return;
        }
        for (TopicView topic : host.topics()) {
            if (unnamed.remove(topic.topicId())) {
                configs.formerEngine(topic).ifPresent(now -> name(controller, topic, now));
            }
        }
        unnamed.clear();
    }

    private void name(Admin controller, TopicView topic, String engine) {
        ConfigResource resource = ConfigResource.topic(topic.name());
        ConfigChange change = new ConfigChange(TopicConfig.STORAGE_ENGINE, ConfigChange.Operation.SET, engine);
        controller
                .alterConfigs(Map.of(resource, List.of(change)), false)
                .whenCompleteAsync(
                        (decided, failure) -> {
                            if (failure != null
                                    || decided.outcomes().get(resource).isFailed()) {
                                unnamed.add(topic.topicId());
                            }
                        },
                        main);
    }

    /** How many logs were moved, and for how long appends waited. Any thread. */
    Pauses pauses() {
        return pauses;
    }

    static final class Pauses {
        private volatile long count;
        private volatile long longestNanos;

        private void ended(long nanos) {
            count++;
            longestNanos = Math.max(longestNanos, nanos);
        }

        long count() {
            return count;
        }

        long longestMs() {
            return TimeUnit.NANOSECONDS.toMillis(longestNanos);
        }
    }

    // ---- ending

    /** The result is done when the copies and the replaced logs in the engine are closed. On the broker's thread. */
    CompletableFuture<?> unmounted(MountedEngine engine) {
        List<CompletableFuture<?>> ends = new ArrayList<>();
        replaced.stream().filter(log -> log.engine() == engine).forEach(log -> ends.add(closeReplacedSoon(log)));
        Mover mover = movers.remove(engine);
        if (mover != null) {
            ends.add(mover.close());
        }
        return CompletableFuture.allOf(ends.toArray(CompletableFuture[]::new));
    }

    /** The result is done when the copies and the replaced logs are closed. */
    CompletableFuture<?> close() {
        closed = true;
        List<CompletableFuture<?>> ends = new ArrayList<>();
        movers.values().forEach(mover -> ends.add(mover.close()));
        replaced.forEach(log -> ends.add(closeReplacedSoon(log)));
        return CompletableFuture.allOf(ends.toArray(CompletableFuture[]::new));
    }

    // ---- what the movers do

    private final class Work implements Mover.Work {
        @Override
        public List<Move> of(MountedEngine engine) {
            return moves.values().stream()
                    .filter(move -> move.to.equals(engine.name()) && move.phase != Phase.REMOVING)
                    .toList();
        }

        @Override
        public LogCopy open(Move move, MountedEngine engine) throws IOException {
            Replica replica = host.find(move.id);
            OpenedLog source = replica == null || replica.isBusy() ? null : replica.log;
            if (source == null || state.left().containsKey(move.id)) {
                return null;
            }
            move.id = replica.id;
            move.from = source.engine().name();
            if (state.isCopyUntouched(move.id, move.to)) {
                engine.delete(move.id);
                state.copyIsEmpty(move.id, move.to);
            }
            source.followedTo(() -> 0);
            OpenedLog copy = host.openCopy(replica, engine);
            LogCopy opened = new LogCopy(source, copy, replica.wanted, environment.nanos());
            main.execute(() -> {
                if (move.phase == Phase.WAITING) {
                    move.phase = Phase.COPYING;
                }
            });
            return opened;
        }

        @Override
        public boolean isCurrent(Move move, LogCopy copy) {
            Replica replica = host.find(move.id);
            return replica != null && replica.log == copy.source() && copy.isOpen();
        }

        @Override
        public CompletableFuture<Boolean> takeOver(Move move, LogCopy copy) {
            Replica replica = host.find(move.id);
            if (replica == null) {
                return CompletableFuture.completedFuture(false);
            }
            write(() -> state.copyMayTakeOver(
                    move.id, move.from, copy.log().engine().symbolicName()));
            CompletableFuture<Boolean> done = new CompletableFuture<>();
            main.execute(() -> switchOver(move, replica, copy).whenComplete((moved, failure) -> {
                if (failure == null) {
                    done.complete(moved);
                } else {
                    done.completeExceptionally(failure);
                }
            }));
            return done;
        }

        @Override
        public void drop(Move move, MountedEngine engine) {
            engine.delete(move.id);
            state.dropCopy(move.id);
            Replica replica = host.find(move.id);
            OpenedLog log = replica == null ? null : replica.log;
            if (log != null) {
                log.followedTo(() -> Long.MAX_VALUE);
            }
            moves.remove(move.id, move);
            LOG.info("The copy of {} in {} is deleted", move.partition(), move.to);
            String next = move.next;
            if (next != null && replica != null) {
                main.execute(() -> begin(replica.id, next));
            }
        }
    }

    /** On the broker's thread. */
    private CompletableFuture<Boolean> switchOver(Move move, Replica replica, LogCopy copy) {
        if (move.phase != Phase.COPYING || closed) {
            return CompletableFuture.completedFuture(false);
        }
        try {
            configs.mustTake(replica.partition.topic(), move.to);
        } catch (FeliceException refused) {
            return CompletableFuture.failedFuture(refused);
        }
        move.phase = Phase.SWITCHING;
        Runnable decide = () -> write(() -> decide(move, copy));
        return host.takeOver(replica, copy, decide, SWITCH_PATIENCE).whenComplete((moved, failure) -> {
            boolean switched = failure == null && moved;
            move.phase = switched ? Phase.REMOVING : Phase.COPYING;
            if (switched) {
                switched(move, copy);
            }
        });
    }

    /** While appends wait. */
    private void decide(Move move, LogCopy copy) throws IOException {
        state.copyTakesOver(move.id, copy.files(), move.from);
        if (copy.mustSurvivePowerCuts()) {
            flushTakeOver(move.id);
        }
    }

    private void flushTakeOver(LogId id) {
        try {
            state.flushTakeOver(id);
        } catch (IOException failure) {
            LOG.warn("That {} was moved may not survive a power cut: {}", id, failure.toString());
        }
    }

    private void switched(Move move, LogCopy copy) {
        pauses.ended(copy.pauseNanos());
        LOG.info(
                "{} was moved from {} to {}; appends waited for {} ms",
                move.partition(),
                move.from,
                move.to,
                TimeUnit.NANOSECONDS.toMillis(copy.pauseNanos()));
        unnamed.add(move.id.topicId());
        OpenedLog old = copy.source();
        replaced.add(old);
        Runnable end = () -> old.engine().execute(() -> {
            closeReplaced(old);
            remove(move.id, old.engine());
        });
        try {
            environment.timer().schedule(end, LINGER_MS, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException closing) {
            end.run();
        }
    }

    private void closeReplaced(OpenedLog log) {
        if (replaced.remove(log)) {
            log.closeReplaced();
        }
    }

    private CompletableFuture<Void> closeReplacedSoon(OpenedLog log) {
        return CompletableFuture.runAsync(() -> closeReplaced(log), log.engine());
    }

    /**
     * Deletes a log that a move has left, once the log that took its place survives a power cut. On the engine's threads.
     */
    private void remove(LogId id, MountedEngine engine) {
        boolean isMounted =
                engines.find(engine.name()).filter(found -> found == engine).isPresent();
        if (closed || !isMounted || !engine.name().equals(state.left().get(id)) || !mayGo(id)) {
            return;
        }
        try {
            engine.delete(id);
            state.forgetLeft(id);
            main.execute(() -> ended(id));
        } catch (RuntimeException failure) {
            LOG.warn(
                    "The log of {} in {}, from which it was moved, cannot be deleted yet: {}",
                    id,
                    engine.name(),
                    failure.toString());
        }
    }

    private boolean mayGo(LogId id) {
        Replica replica = host.find(id);
        if (replica == null) {
            return true;
        }
        OpenedLog log = replica.log;
        if (log == null || !log.engine().name().equals(state.engineOf(id).orElse(""))) {
            return false;
        }
        try {
            log.flush().toCompletableFuture().get(FLUSH_SECONDS, TimeUnit.SECONDS);
            state.flushTakeOver(id);
            return true;
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException | IOException | RuntimeException failure) {
            LOG.warn("{} was moved; the old log is kept until the new one is on disk: {}", id, failure.toString());
        }
        return false;
    }

    private void ended(LogId id) {
        Move move = moves.get(id);
        if (move != null && move.phase == Phase.REMOVING) {
            moves.remove(id, move);
        }
    }
}
