package io.felice.broker;

import static io.felice.api.ErrorCode.REQUEST_TIMED_OUT;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.cluster.Admin;
import io.felice.api.cluster.Admin.Decided;
import io.felice.api.cluster.Admin.InSyncChange;
import io.felice.api.cluster.Admin.PartitionId;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.ClusterView.LiveBroker;
import io.felice.api.cluster.Outcome;
import io.felice.api.cluster.PartitionState;
import io.felice.broker.partition.Environment;
import io.felice.broker.partition.LeaderHost;
import io.felice.broker.partition.LeaderPartition;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Proposes changes of in-sync sets to the controller. One request at a time has the changes of all partitions that are due.
 * What is not decided is proposed again after a while, also while there is no controller. Any thread; sends on the
 * broker's thread.
 */
final class InSyncChanges implements LeaderHost {
    private static final Logger log = LoggerFactory.getLogger(InSyncChanges.class);
    /** The controller has another state of the partition, which this node will see in the metadata log. */
    private static final Set<ErrorCode> OUTDATED = EnumSet.of(
            ErrorCode.INVALID_UPDATE_VERSION,
            ErrorCode.FENCED_LEADER_EPOCH,
            ErrorCode.NOT_LEADER_OR_FOLLOWER,
            ErrorCode.UNKNOWN_TOPIC_ID);

    private static final int MOST_PARTITIONS = 2_000;
    private static final long RETRY_MS = 200;
    private static final long LONGEST_RETRY_MS = 5_000;
    private static final long PATIENCE_MS = 30_000;

    private final Environment environment;
    private final Executor main;
    private final Supplier<Admin> admin;
    private final LongSupplier mostLagMs;
    private final BooleanSupplier mayAcknowledgeAlone;
    private final FetchTimes fetchTimes;
    private final Set<LeaderPartition> due = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean isArranged = new AtomicBoolean();

    private final Map<PartitionId, PartitionState> losses = new ConcurrentHashMap<>();

    private volatile Map<Integer, Long> live = Map.of();

    // Used by the broker's thread only.
    private ClusterView view = ClusterView.EMPTY;
    private long ownEpoch = -1;
    private boolean isUnderWay;
    private int failures;

    /**
     * @param admin gives null while there is no controller service
     * @param mostLagMs {@code replica.lag.time.max.ms}
     */
    InSyncChanges(
            Environment environment,
            Executor main,
            Supplier<Admin> admin,
            LongSupplier mostLagMs,
            BooleanSupplier mayAcknowledgeAlone,
            FetchTimes fetchTimes) {
        this.environment = environment;
        this.main = main;
        this.admin = admin;
        this.mostLagMs = mostLagMs;
        this.mayAcknowledgeAlone = mayAcknowledgeAlone;
        this.fetchTimes = fetchTimes;
    }

    /**
     * On the broker's thread.
     *
     * @return true if the live brokers have changed, which the leaders have to know
     */
    boolean follow(ClusterView view) {
        Map<Integer, Long> now = new HashMap<>();
        view.brokers().forEach((id, broker) -> {
            if (!broker.leaving()) {
                now.put(id, broker.epoch());
            }
        });
        this.view = view;
        ownEpoch = view.broker(environment.brokerId()).map(LiveBroker::epoch).orElse(-1L);
        boolean isOther = !now.equals(live);
        if (isOther) {
            live = Map.copyOf(now);
        }
        return isOther;
    }

    @Override
    public Map<Integer, Long> live() {
        return live;
    }

    @Override
    public long mostLagNanos() {
        return TimeUnit.MILLISECONDS.toNanos(mostLagMs.getAsLong());
    }

    @Override
    public long fetchedAt(int broker, long brokerEpoch, long otherwise) {
        return fetchTimes.last(broker, brokerEpoch, otherwise);
    }

    @Override
    public boolean mayAcknowledgeAlone() {
        return mayAcknowledgeAlone.getAsBoolean();
    }

    @Override
    public void due(LeaderPartition partition) {
        if (due.add(partition)) {
            arrange();
        }
    }

    /** The log of a partition that this node leads has lost records: another replica is to be elected. Any thread. */
    void lost(PartitionId partition, PartitionState state) {
        losses.put(partition, state);
        arrange();
    }

    /** Until a newer leader epoch is seen. */
    private boolean isStillLost(PartitionId partition, PartitionState lost) {
        return view.topic(partition.topicId())
                .flatMap(topic -> topic.partition(partition.partition()))
                .filter(state -> state.leaderEpoch() == lost.leaderEpoch())
                .isPresent();
    }

    private Map<PartitionId, InSyncChange> lossesToTell() {
        losses.entrySet().removeIf(one -> !isStillLost(one.getKey(), one.getValue()));
        Map<PartitionId, InSyncChange> changes = new LinkedHashMap<>();
        losses.keySet().stream().limit(MOST_PARTITIONS).forEach(partition -> {
            PartitionState now = view.topic(partition.topicId())
                    .flatMap(topic -> topic.partition(partition.partition()))
                    .orElseThrow();
            changes.put(partition, new InSyncChange(now.leaderEpoch(), now.partitionEpoch(), Map.of(), false));
        });
        return changes;
    }

    /** About every second: proposes what could not be proposed before. */
    void tick() {
        if (!due.isEmpty() || !losses.isEmpty()) {
            arrange();
        }
    }

    /** Changes that become due until the broker's thread comes to them are in one request. */
    private void arrange() {
        if (isArranged.compareAndSet(false, true)) {
            main.execute(() -> {
                isArranged.set(false);
                send();
            });
        }
    }

    private void send() {
        Admin controller = admin.get();
        if (isUnderWay || (due.isEmpty() && losses.isEmpty()) || controller == null || ownEpoch < 0) {
            return;
        }
        Map<PartitionId, LeaderPartition> partitions = new LinkedHashMap<>();
        Map<PartitionId, InSyncChange> changes = lossesToTell();
        for (LeaderPartition partition : due) {
            if (changes.size() >= MOST_PARTITIONS) {
                break;
            }
            due.remove(partition);
            partition.propose(ownEpoch).ifPresent(change -> {
                PartitionId id =
                        new PartitionId(partition.topicId(), partition.id().partition());
                partitions.put(id, partition);
                changes.put(id, change);
            });
        }
        if (!changes.isEmpty()) {
            isUnderWay = true;
            ask(controller, partitions, changes);
        } else if (!due.isEmpty()) {
            arrange();
        }
    }

    private void ask(
            Admin controller, Map<PartitionId, LeaderPartition> partitions, Map<PartitionId, InSyncChange> changes) {
        CompletableFuture<Decided<PartitionId, PartitionState>> answer = new CompletableFuture<>();
        try {
            Future<?> patience = environment
                    .timer()
                    .schedule(
                            () -> answer.completeExceptionally(
                                    REQUEST_TIMED_OUT.because("The controller does not answer")),
                            PATIENCE_MS,
                            TimeUnit.MILLISECONDS);
            controller.alterInSync(environment.brokerId(), ownEpoch, changes).whenComplete((decided, failure) -> {
                patience.cancel(false);
                if (failure == null) {
                    answer.complete(decided);
                } else {
                    answer.completeExceptionally(FeliceException.unwrap(failure));
                }
            });
        } catch (RuntimeException failure) {
            answer.completeExceptionally(failure);
        }
        answer.whenComplete((decided, failure) -> main.execute(() -> answered(partitions, changes, decided, failure)));
    }

    private void answered(
            Map<PartitionId, LeaderPartition> partitions,
            Map<PartitionId, InSyncChange> changes,
            Decided<PartitionId, PartitionState> decided,
            Throwable failure) {
        isUnderWay = false;
        boolean again = false;
        for (Map.Entry<PartitionId, InSyncChange> one : changes.entrySet()) {
            LeaderPartition partition = partitions.get(one.getKey());
            if (partition == null) {
                continue; // a loss, which is told again until a newer leader epoch is seen
            }
            Outcome<PartitionState> outcome =
                    decided == null ? null : decided.outcomes().get(one.getKey());
            if (!settle(partition, one.getValue(), outcome) && partition.isLeading()) {
                again |= due.add(partition);
            }
        }
        if (failure != null) {
            log.debug("The changes of {} in-sync sets are not decided: {}", changes.size(), failure.toString());
        }
        failures = again ? failures + 1 : 0;
        if (again) {
            later();
        } else {
            arrange();
        }
    }

    /** @return false if the change is to be proposed again */
    private static boolean settle(LeaderPartition partition, InSyncChange change, Outcome<PartitionState> outcome) {
        if (outcome == null) {
            partition.undecided(change, false);
            return false;
        }
        if (!outcome.isFailed()) {
            partition.made(change, outcome.value());
            log.info(
                    "In sync of {} are the brokers {} now, the leader is in epoch {}",
                    partition.id(),
                    partition.inSync().state().isr(),
                    partition.leaderEpoch());
            return true;
        }
        ErrorCode error = outcome.error();
        log.debug("The in-sync set {} of {} is refused: {}", change.isr().keySet(), partition.id(), error);
        if (error == ErrorCode.INELIGIBLE_REPLICA) {
            partition.refused(change);
            return false;
        }
        boolean isOutdated = OUTDATED.contains(error);
        partition.undecided(change, isOutdated);
        return isOutdated;
    }

    private void later() {
        long pause = Math.min(LONGEST_RETRY_MS, RETRY_MS << Math.min(failures, 5));
        try {
            environment.timer().schedule(this::arrange, pause, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException closing) {
            log.debug("The broker closes; {} changes of in-sync sets are not proposed", due.size());
        }
    }
}
