package io.felice.broker;

import io.felice.api.TopicPartition;
import io.felice.api.partition.FetchPlan;
import io.felice.api.partition.FetchedPartition;
import io.felice.api.partition.RepeatedFetch;
import io.felice.broker.partition.Environment;
import io.felice.broker.partition.ReadableRole;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/**
 * Answers fetches. A fetch is answered at once if it finds {@code minBytes}, if a partition has more records than the
 * fetch takes from it, or if a partition has an error or has diverged. Otherwise the fetch waits for {@code minBytes},
 * but no longer than {@code maxWait}, and needs a timer and a watcher on each of its partitions. Any thread.
 */
final class Fetches implements AutoCloseable {
    /** A longer {@code maxWait} is cut to this time. */
    static final Duration MOST_WAIT = Duration.ofMinutes(5);

    private final Function<TopicPartition, ? extends ReadableRole> roles;
    private final PreferredReplicas preferred;
    private final LeaderThrottle throttle;
    private final FetchTimes times;
    private final Environment environment;
    private final Set<Fetch> parked = ConcurrentHashMap.newKeySet();
    private volatile boolean closed;

    /**
     * @param roles finds a partition, or throws the exception with the error code of the answer
     * @param times is told when brokers fetch
     */
    Fetches(
            Function<TopicPartition, ? extends ReadableRole> roles,
            PreferredReplicas preferred,
            LeaderThrottle throttle,
            FetchTimes times,
            Environment environment) {
        this.roles = roles;
        this.preferred = preferred;
        this.throttle = throttle;
        this.times = times;
        this.environment = environment;
    }

    CompletionStage<List<FetchedPartition>> fetch(FetchPlan plan) {
        return plan.wants().isEmpty()
                ? CompletableFuture.completedFuture(List.of())
                : begin(new Fetch(this, plan, new SingleFetch(plan)), plan);
    }

    CompletionStage<List<FetchedPartition>> begin(Fetch fetch, FetchPlan plan) {
        if (plan.isReplica()) {
            times.fetched(plan.replicaId(), plan.replicaEpoch(), nanos());
        }
        fetch.attempt();
        return fetch.answer();
    }

    RepeatedFetch repeated() {
        return new ReadyPartitions(this);
    }

    int parkedCount() {
        return parked.size();
    }

    /** Answers all waiting fetches with NOT_LEADER_OR_FOLLOWER. */
    @Override
    public void close() {
        closed = true;
        parked.forEach(Fetch::abandon);
    }

    // ---- for the fetches

    /** @throws io.felice.api.FeliceException with the error code of the answer */
    ReadableRole role(TopicPartition partition) {
        return roles.apply(partition);
    }

    PreferredReplicas preferred() {
        return preferred;
    }

    LeaderThrottle throttle() {
        return throttle;
    }

    Environment environment() {
        return environment;
    }

    long nanos() {
        return environment.nanos().getAsLong();
    }

    boolean isClosed() {
        return closed;
    }

    void parked(Fetch fetch) {
        parked.add(fetch);
    }

    void notParked(Fetch fetch) {
        parked.remove(fetch);
    }
}
