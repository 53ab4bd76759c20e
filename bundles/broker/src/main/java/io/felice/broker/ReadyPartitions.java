package io.felice.broker;

import static io.felice.api.ErrorCode.NOT_LEADER_OR_FOLLOWER;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.partition.FetchPlan;
import io.felice.api.partition.FetchPlan.Want;
import io.felice.api.partition.FetchedPartition;
import io.felice.api.partition.Partition.ReadLimit;
import io.felice.api.partition.RepeatedFetch;
import io.felice.broker.partition.ReadableRole;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The partitions of one reader that comes again and again, and which of them are ready to be read: what the reader asks
 * anew, what has changed since it was read, and what could not be answered to its end. The others have nothing that the
 * reader does not know. Each partition is watched all the time. Any thread.
 */
final class ReadyPartitions implements RepeatedFetch, ReaderSource {
    private static final Comparator<PartitionReader> BY_TURN = Comparator.comparingLong(reader -> ((Seat) reader).turn);

    private final Fetches fetches;
    private final Queue<PartitionReader> ready = new ConcurrentLinkedQueue<>();
    /** The fetch that waits; null if none does. */
    private volatile Fetch waiting;

    // Guarded by this.
    private final Map<TopicPartition, Seat> seats = new HashMap<>();
    private Fetch current;
    private Identity identity;
    private long turns;
    private boolean isClosed;

    ReadyPartitions(Fetches fetches) {
        this.fetches = fetches;
    }

    /** Who reads. If that changes, all partitions are read again. */
    private record Identity(int replica, long brokerEpoch, ReadLimit limit, String rack) {
        static Identity of(FetchPlan plan) {
            return new Identity(plan.replicaId(), plan.replicaEpoch(), plan.limit(), plan.rack());
        }
    }

    /** A reader that watches its partition between fetches. */
    private static final class Seat extends PartitionReader {
        final boolean isReplica;
        /** Seats are read in the order of their turns. Changed while no fetch is under way. */
        long turn;
        /** True while the seat is in the queue. */
        final AtomicBoolean isReady = new AtomicBoolean();
        /** True if the fetch that is under way has looked at the partition; guarded by the set. */
        boolean isTaken;

        // Guarded by this.
        private ReadableRole watched;
        private boolean isOver;

        Seat(ReadyPartitions set, Want want, boolean isReplica, long turn) {
            super(set, want);
            this.isReplica = isReplica;
            this.turn = turn;
        }

        synchronized void watch(ReadableRole role) {
            if (role == watched || isOver) {
                return;
            }
            if (watched != null) {
                watched.unwatch(this, isReplica);
            }
            watched = role;
            role.watch(this, isReplica);
        }

        synchronized void leave() {
            isOver = true;
            if (watched != null) {
                watched.unwatch(this, isReplica);
                watched = null;
            }
        }
    }

    // ---- what the reader asks

    @Override
    public CompletionStage<List<FetchedPartition>> fetch(FetchPlan plan, Collection<TopicPartition> forgotten) {
        Fetch fetch = new Fetch(fetches, plan, this);
        Fetch before;
        synchronized (this) {
            if (isClosed) {
                return CompletableFuture.failedFuture(
                        NOT_LEADER_OR_FOLLOWER.because("The series of fetches was closed"));
            }
            before = current;
            current = fetch;
            Identity now = Identity.of(plan);
            if (before != null || !now.equals(identity)) {
                identity = now;
                renew();
            } else if (isTimeDependent(plan)) {
                seats.values().forEach(this::mark);
            }
            forgotten.forEach(this::remove);
            plan.wants().forEach(this::put);
        }
        if (before != null) {
            before.end();
        }
        return fetches.begin(fetch, plan);
    }

    /** True if the answer may be another one without a change of the partition: another replica may be nearer now. */
    private boolean isTimeDependent(FetchPlan plan) {
        return !plan.isReplica()
                && plan.rack() != null
                && !plan.rack().isEmpty()
                && fetches.preferred().areUsed();
    }

    private void put(Want want) {
        Seat seat = seats.get(want.partition());
        if (seat == null) {
            seat = new Seat(this, want, identity.replica() >= 0, ++turns);
            seats.put(want.partition(), seat);
        } else {
            seat.want(want);
        }
        mark(seat);
    }

    private void remove(TopicPartition partition) {
        Seat seat = seats.remove(partition);
        if (seat != null) {
            seat.leave();
        }
    }

    /** Gives each partition a seat of its own again: an earlier fetch that has not ended may still use the old ones. */
    private void renew() {
        ready.clear();
        for (Map.Entry<TopicPartition, Seat> entry : seats.entrySet()) {
            Seat old = entry.getValue();
            old.leave();
            Seat fresh = new Seat(this, old.want(), identity.replica() >= 0, old.turn);
            entry.setValue(fresh);
            mark(fresh);
        }
    }

    private void mark(Seat seat) {
        if (!seat.isReady.get() && seat.isReady.compareAndSet(false, true)) {
            ready.add(seat);
        }
    }

    @Override
    public void close() {
        Fetch last;
        synchronized (this) {
            isClosed = true;
            last = current;
            current = null;
            seats.values().forEach(Seat::leave);
            seats.clear();
            ready.clear();
        }
        if (last != null) {
            last.end();
        }
    }

    // ---- the fetch that is under way

    @Override
    public synchronized List<PartitionReader> next(List<PartitionReader> readers, Fetch fetch) {
        if (fetch != current) {
            return readers;
        }
        List<PartitionReader> all = null;
        for (Seat seat = (Seat) ready.poll(); seat != null; seat = (Seat) ready.poll()) {
            seat.isReady.set(false); // what changes from now on puts it into the queue again
            if (!seat.isTaken && seats.get(seat.want().partition()) == seat) {
                seat.isTaken = true;
                if (all == null) {
                    all = new ArrayList<>(readers);
                }
                all.add(seat);
            }
        }
        if (all == null) {
            return readers;
        }
        all.sort(BY_TURN);
        return all;
    }

    @Override
    public void watch(PartitionReader reader, ReadableRole role) {
        ((Seat) reader).watch(role);
    }

    @Override
    public void waits(Fetch fetch, List<PartitionReader> readers) {
        waiting = fetch;
    }

    @Override
    public void waitsNoLonger(List<PartitionReader> readers) {
        waiting = null;
    }

    @Override
    public Iterable<PartitionReader> changed() {
        return ready;
    }

    @Override
    public void changed(PartitionReader reader) {
        mark((Seat) reader);
        Fetch fetch = waiting;
        if (fetch != null) {
            fetch.changed(reader);
        }
    }

    @Override
    public synchronized void answered(Fetch fetch, List<PartitionReader> readers, List<FetchedPartition> answers) {
        if (fetch != current) {
            return;
        }
        current = null;
        for (int i = 0; i < readers.size(); i++) {
            Seat seat = (Seat) readers.get(i);
            FetchedPartition answer = answers.get(i);
            seat.isTaken = false;
            seat.tells(answer.highWatermark());
            if (answer.records().sizeInBytes() > 0) {
                seat.turn = ++turns;
            }
            if (!isSettled(seat, answer)) {
                mark(seat);
            }
        }
    }

    /** True if the next fetch would answer the same, unless the partition changes or the reader asks for something else. */
    private static boolean isSettled(Seat seat, FetchedPartition answer) {
        return answer.error() == ErrorCode.NONE
                && answer.divergence() == null
                && answer.preferredReplica() == FetchedPartition.NO_PREFERENCE
                && answer.records().sizeInBytes() == 0
                && seat.isAtEnd();
    }
}
