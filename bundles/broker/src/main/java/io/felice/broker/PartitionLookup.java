package io.felice.broker;

import static io.felice.api.ErrorCode.LEADER_NOT_AVAILABLE;
import static io.felice.api.ErrorCode.NOT_LEADER_OR_FOLLOWER;
import static io.felice.api.ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;

import io.felice.api.FeliceException;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.ClusterView;
import io.felice.api.partition.Partition;
import io.felice.broker.engine.Openings;
import io.felice.broker.partition.Environment;
import io.felice.broker.partition.FollowerPartition;
import io.felice.broker.partition.LeaderPartition;
import io.felice.broker.partition.ReadableRole;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

/** Finds the partitions that clients ask for, or says why this node does not serve one. Any thread. */
final class PartitionLookup {
    private static final long PATIENCE_SECONDS = 10;

    private final Environment environment;
    private final Map<TopicPartition, Replica> byName;
    private final Supplier<ClusterView> view;
    private final Function<String, Optional<String>> whyNotMounted;
    private final Function<String, Optional<String>> hanging;
    private final BooleanSupplier isClosed;
    private final Consumer<AwaitedPartition> onWait = this::limitWait;

    /**
     * @param byName the replicas of this node
     * @param whyNotMounted why the engine with a name that is registered is not mounted
     * @param hanging the call from which the engine with a name does not come back
     * @param isClosed true once the node stops
     */
    PartitionLookup(
            Environment environment,
            Map<TopicPartition, Replica> byName,
            Supplier<ClusterView> view,
            Function<String, Optional<String>> whyNotMounted,
            Function<String, Optional<String>> hanging,
            BooleanSupplier isClosed) {
        this.environment = environment;
        this.byName = byName;
        this.view = view;
        this.whyNotMounted = whyNotMounted;
        this.hanging = hanging;
        this.isClosed = isClosed;
    }

    /** @throws io.felice.api.FeliceException as {@link io.felice.api.partition.Partitions#leader} says */
    LeaderPartition leader(TopicPartition partition) {
        Replica replica = byName.get(partition);
        LeaderPartition leading = replica == null ? null : replica.leading();
        if (leading == null) {
            throw notLeading(partition, replica);
        }
        return leading;
    }

    /** As {@link #leader}, or a follower of a live leader. */
    ReadableRole readable(TopicPartition partition) {
        Replica replica = byName.get(partition);
        if (replica != null && replica.role() instanceof FollowerPartition follower && follower.isOn()) {
            return follower;
        }
        return leader(partition);
    }

    /** Like {@link #leader}, but gives an {@link AwaitedPartition} if this node is about to lead the partition. */
    Partition leaderOrAwaited(TopicPartition partition) {
        Replica replica = byName.get(partition);
        Partition found = replica == null || isClosed.getAsBoolean()
                ? null
                : replica.leadingOrAwaited(environment.brokerId(), onWait);
        if (found == null) {
            throw notLeading(partition, replica);
        }
        hurry(replica);
        if (isClosed.getAsBoolean()) {
            replica.refuse(stopping());
        }
        return found;
    }

    private void limitWait(AwaitedPartition awaited) {
        try {
            environment
                    .timer()
                    .schedule(() -> awaited.refuse(waitedTooLong(awaited)), PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (RejectedExecutionException closing) {
            awaited.refuse(waitedTooLong(awaited));
        }
    }

    private FeliceException waitedTooLong(AwaitedPartition awaited) {
        Replica replica = byName.get(awaited.id());
        Optional<String> why = replica == null ? Optional.empty() : reasonOffline(replica);
        return LEADER_NOT_AVAILABLE.because(
                awaited.id() + why.map(reason -> " is offline: " + reason).orElse(" is still not open"));
    }

    /** Why a partition cannot be used, if that lasts; empty if it can be used, or soon will be. Any thread. */
    Optional<String> reasonOffline(Replica replica) {
        return switch (replica.status) {
            case NO_ENGINE -> Optional.of(whyNotMounted
                    .apply(replica.engine)
                    .orElse("the storage engine " + replica.engine + " is not running"));
            case OPENING -> hanging.apply(replica.engine)
                    .map(call -> "its log is not open yet, because the storage engine " + replica.engine
                            + " does not come back: " + call)
                    .or(() -> Optional.ofNullable(replica.failure));
            case CLOSED, CHANGING, LEADING, FOLLOWING, CLOSING, SWITCHING, OFFLINE -> Optional.ofNullable(
                    replica.failure);
        };
    }

    private static void hurry(Replica replica) {
        Openings.Opening waiting = replica.opening;
        if (waiting != null) {
            waiting.hurry();
        }
    }

    private FeliceException notLeading(TopicPartition partition, Replica replica) {
        if (replica == null) {
            return view.get()
                    .topic(partition.topic())
                    .flatMap(topic -> topic.partition(partition.partition()))
                    .map(found -> found.leader() == environment.brokerId()
                            ? LEADER_NOT_AVAILABLE.because(partition + " is not open yet")
                            : NOT_LEADER_OR_FOLLOWER.because("This node does not lead " + partition))
                    .orElseGet(() -> UNKNOWN_TOPIC_OR_PARTITION.because("There is no partition " + partition));
        }
        hurry(replica);
        try {
            replica.role().leading();
            return LEADER_NOT_AVAILABLE.because(partition + " is not open yet");
        } catch (FeliceException why) {
            return why;
        }
    }

    static FeliceException stopping() {
        return NOT_LEADER_OR_FOLLOWER.because("This node is stopping");
    }
}
