package io.felice.replication;

import io.felice.api.partition.FollowedPartition;
import io.felice.api.partition.FollowingListener;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A {@link Fetcher} for each leader that this broker follows, or several if {@code num.replica.fetchers} says so. A
 * fetcher without partitions ends.
 */
final class Fetchers implements FollowingListener {
    private final FetchEnvironment environment;
    private final Map<FollowedPartition, Crew> byPartition = new HashMap<>();
    private final Map<List<Integer>, Crew> byLeader = new HashMap<>();
    private final List<Fetcher> ending = new ArrayList<>();
    private boolean closed;

    Fetchers(FetchEnvironment environment) {
        this.environment = environment;
    }

    /** A fetcher and the number of its partitions. */
    private static final class Crew {
        final List<Integer> key;
        final Fetcher fetcher;
        int partitions;

        Crew(List<Integer> key, Fetcher fetcher) {
            this.key = key;
            this.fetcher = fetcher;
        }
    }

    @Override
    public synchronized void following(FollowedPartition partition) {
        if (closed) {
            return;
        }
        int number = Math.floorMod(
                partition.id().hashCode(), environment.limits().get().fetchers());
        Crew crew = byLeader.computeIfAbsent(List.of(partition.leader(), number), this::start);
        byPartition.put(partition, crew);
        crew.partitions++;
        crew.fetcher.following(partition);
    }

    private Crew start(List<Integer> key) {
        Crew crew = new Crew(key, new Fetcher(key.get(0), key.get(1), environment));
        crew.fetcher.start();
        return crew;
    }

    @Override
    public synchronized void ended(FollowedPartition partition) {
        Crew crew = byPartition.remove(partition);
        if (crew != null) {
            crew.partitions--;
            crew.fetcher.ended(partition);
            if (crew.partitions == 0) {
                byLeader.remove(crew.key, crew);
                crew.fetcher.stop();
                ending.removeIf(Fetcher::hasEnded);
                ending.add(crew.fetcher);
            }
        }
    }

    /** All of them. */
    synchronized List<Fetcher> all() {
        return byLeader.values().stream().flatMap(crew -> crew.fetcher.all()).toList();
    }

    /** Ends all threads and connections, and waits for that. */
    void close() {
        List<Fetcher> all;
        synchronized (this) {
            closed = true;
            List.copyOf(byPartition.keySet()).forEach(this::ended);
            all = List.copyOf(ending);
        }
        all.forEach(Fetcher::join);
    }
}
