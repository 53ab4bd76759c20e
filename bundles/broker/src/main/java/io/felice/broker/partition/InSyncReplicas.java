package io.felice.broker.partition;

import io.felice.api.cluster.Admin.InSyncChange;
import io.felice.api.cluster.PartitionState;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * What a leader knows of the replicas of its partition in one leader epoch: who is in sync, where their logs end, and the
 * high watermark that follows from both. Immutable, without I/O and without a clock: each event gives the next state.
 *
 * <p>The controller decides who is in sync. The leader proposes a change, one at a time. Until the answer is there, a
 * replica counts for the high watermark if it is in sync before or after the change: the controller may elect each of
 * them ("maximal" in-sync set).
 *
 * <p>The high watermark is the smallest log end offset of the maximal set and of those that are about to join it; without
 * the latter, a follower of a busy leader would be behind for ever. It never goes back, and it does not move while fewer
 * replicas than {@code min.insync.replicas} are in sync (KIP-966).
 *
 * <p>Times are nanoseconds of a clock that never goes back.
 */
public final class InSyncReplicas {
    /** The end of a log, or a broker epoch, that the leader does not know. */
    public static final long UNKNOWN = -1;

    /** A fetch that changes nothing is noted if the last one is older than this part of the longest lag. */
    private static final int PARTS_OF_LAG = 8;

    /** Smaller steps of the time until which a follower had all records are not noted. */
    private static final long LEAST_STEP_NANOS = 50_000_000;

    /**
     * A follower, as its fetches in this leader epoch show it.
     *
     * @param brokerEpoch of the broker that fetched last; {@link #UNKNOWN} if it did not say
     * @param end it asked for the records from here on, so that it has all below
     * @param logStart the start of its log
     * @param caughtUpAt when it had all records of the leader the last time
     * @param everCaughtUp false if it never had; then {@code caughtUpAt} means nothing
     * @param fetchedAt the time of its last fetch
     * @param leaderEndThen the end of the leader's log at its last fetch
     * @param isJoining true if it has caught up, and is not in sync yet
     */
    public record Follower(
            int broker,
            long brokerEpoch,
            long end,
            long logStart,
            long caughtUpAt,
            boolean everCaughtUp,
            long fetchedAt,
            long leaderEndThen,
            boolean isJoining) {

        private static Follower unknown(int broker, boolean inSync, long now) {
            return new Follower(broker, UNKNOWN, UNKNOWN, UNKNOWN, now, inSync, now, UNKNOWN, false);
        }

        boolean isCaughtUp(long leaderEnd, long now, long mostLag) {
            return end >= leaderEnd || (everCaughtUp && now - caughtUpAt <= mostLag);
        }

        private Follower joining(boolean joins) {
            return joins == isJoining
                    ? this
                    : new Follower(
                            broker,
                            brokerEpoch,
                            end,
                            logStart,
                            caughtUpAt,
                            everCaughtUp,
                            fetchedAt,
                            leaderEndThen,
                            joins);
        }

        /** It had all records until {@code last}. */
        private Follower caughtUp(long last) {
            return new Follower(
                    broker,
                    brokerEpoch,
                    end,
                    logStart,
                    last,
                    true,
                    Math.max(last - fetchedAt, 0) + fetchedAt,
                    leaderEndThen,
                    isJoining);
        }

        private Follower fetched(long epoch, long offset, long start, long leaderEnd, long now) {
            boolean hadAllThen = leaderEndThen >= 0 && offset >= leaderEndThen;
            long last = offset >= leaderEnd ? now : hadAllThen ? fetchedAt : caughtUpAt;
            boolean ever = everCaughtUp || offset >= leaderEnd || hadAllThen;
            long caughtUp = everCaughtUp ? Math.max(last - caughtUpAt, 0) + caughtUpAt : last;
            return new Follower(broker, epoch, offset, start, caughtUp, ever, now, leaderEnd, isJoining);
        }
    }

    private final int self;
    private final PartitionState state;
    private final long epochStart;
    private final int minInSync;
    private final Map<Integer, Long> live;
    private final List<Follower> followers;
    private final long ownEnd;
    private final long highWatermark;
    /** The change that is on its way to the controller; null if none is. */
    private final InSyncChange change;
    /** Who may be in sync by a change whose outcome is not known, with the broker epoch. */
    private final Map<Integer, Long> doubtful;

    /** True if the controller has another state, which this leader has not seen yet. */
    private final boolean isOutdated;

    private InSyncReplicas(Draft draft) {
        self = draft.self;
        state = draft.state;
        epochStart = draft.epochStart;
        minInSync = draft.minInSync;
        live = draft.live;
        followers = draft.followers;
        ownEnd = draft.ownEnd;
        change = draft.change;
        doubtful = draft.doubtful;
        isOutdated = draft.isOutdated;
        highWatermark = Math.max(draft.highWatermark, committed());
    }

    /** The next state. Maps and lists are replaced, never changed. */
    private static final class Draft {
        private int self;
        private PartitionState state;
        private long epochStart;
        private int minInSync;
        private Map<Integer, Long> live = Map.of();
        private List<Follower> followers = List.of();
        private long ownEnd;
        private long highWatermark;
        private InSyncChange change;
        private Map<Integer, Long> doubtful = Map.of();
        private boolean isOutdated;

        InSyncReplicas done() {
            return new InSyncReplicas(this);
        }
    }

    private Draft draft() {
        Draft draft = new Draft();
        draft.self = self;
        draft.state = state;
        draft.epochStart = epochStart;
        draft.minInSync = minInSync;
        draft.live = live;
        draft.followers = followers;
        draft.ownEnd = ownEnd;
        draft.highWatermark = highWatermark;
        draft.change = change;
        draft.doubtful = doubtful;
        draft.isOutdated = isOutdated;
        return draft;
    }

    /**
     * The leader begins. The log ends of its followers are unknown until each fetches in this leader epoch; those in sync
     * count as caught up now.
     *
     * @param self the broker id of the leader
     * @param epochStart the log end offset with which the leader epoch began
     * @param durableEnd the offset up to which the leader's log is durable
     * @param highWatermark as far as the leader knew it as a follower
     * @param live the broker epochs of the brokers that may join, by broker id: the live ones that are not about to stop
     */
    public static InSyncReplicas lead(
            int self,
            PartitionState state,
            long epochStart,
            long durableEnd,
            long highWatermark,
            int minInSync,
            Map<Integer, Long> live,
            long now) {
        Draft first = new Draft();
        first.self = self;
        first.state = state;
        first.epochStart = epochStart;
        first.ownEnd = durableEnd;
        first.highWatermark = highWatermark;
        first.minInSync = minInSync;
        first.live = live;
        first.followers = followersOf(self, state, List.of(), now);
        return first.done();
    }

    private static List<Follower> followersOf(int self, PartitionState state, List<Follower> known, long now) {
        List<Follower> followers = new ArrayList<>();
        for (int replica : state.replicas()) {
            if (replica != self) {
                followers.add(known.stream()
                        .filter(one -> one.broker() == replica)
                        .findFirst()
                        .orElseGet(() -> Follower.unknown(replica, state.isr().contains(replica), now)));
            }
        }
        return List.copyOf(followers);
    }

    // ---- what is known

    /** The newest state of the controller that the leader knows. */
    public PartitionState state() {
        return state;
    }

    public long highWatermark() {
        return highWatermark;
    }

    /** The log end offset with which the leader epoch began: below it the high watermark may be older than the true one. */
    public long epochStart() {
        return epochStart;
    }

    /** Not only the followers in sync; in the order of the replicas. */
    public List<Follower> followers() {
        return followers;
    }

    public Optional<Follower> follower(int broker) {
        return followers.stream().filter(one -> one.broker() == broker).findFirst();
    }

    /** The change that the controller has not answered yet. */
    public Optional<InSyncChange> change() {
        return Optional.ofNullable(change);
    }

    public int minInSync() {
        return minInSync;
    }

    /** True if only the leader can be elected: nobody else is in sync, or may be. */
    public boolean isAlone() {
        return change == null && doubtful.isEmpty() && state.isr().size() == 1;
    }

    /** True if so many replicas are in sync that the leader may append with acks=all. */
    public boolean hasEnoughInSync() {
        return state.isr().size() >= minInSync;
    }

    /** True if so many replicas have the committed records that an append with acks=all may succeed. */
    public boolean hasEnoughAfterAppend() {
        return maximal().size() >= minInSync;
    }

    /** All that are in sync now, or may be by a change whose outcome is not known. */
    public Set<Integer> maximal() {
        if (change == null && doubtful.isEmpty()) {
            return Set.copyOf(state.isr());
        }
        Set<Integer> all = new HashSet<>(state.isr());
        all.addAll(doubtful.keySet());
        if (change != null) {
            all.addAll(change.isr().keySet());
        }
        return all;
    }

    private boolean isMaximal(int broker) {
        return state.isr().contains(broker)
                || doubtful.containsKey(broker)
                || (change != null && change.isr().containsKey(broker));
    }

    /** True if the high watermark waits for the follower: it is in sync, or may be, or is about to join. */
    public boolean counts(int broker) {
        return isMaximal(broker) || follower(broker).map(Follower::isJoining).orElse(false);
    }

    /** The end of the records that the slowest replica in sync has; {@link #UNKNOWN} if it has not fetched yet. */
    public long smallestEnd() {
        long smallest = state.isr().contains(self) ? ownEnd : Long.MAX_VALUE;
        for (Follower follower : followers) {
            if (isMaximal(follower.broker())) {
                smallest = Math.min(smallest, follower.end());
            }
        }
        return smallest;
    }

    /**
     * The end of the records that all replicas in sync have, and all others that fetch: what they have not read yet may still
     * have an older record of its key before it.
     */
    public long appliedTo() {
        long smallest = smallestEnd();
        for (Follower follower : followers) {
            if (mayJoin(follower)) {
                smallest = Math.min(smallest, follower.end());
            }
        }
        return smallest;
    }

    /** The start of the log of the replica in sync whose log starts lowest; {@code own} is the leader's. */
    public long smallestStart(long own) {
        long smallest = own;
        for (Follower follower : followers) {
            if (isMaximal(follower.broker())) {
                smallest = Math.min(smallest, follower.logStart());
            }
        }
        return smallest;
    }

    private long committed() {
        if (state.isr().size() < Math.min(minInSync, state.replicas().size())) {
            return UNKNOWN;
        }
        long smallest = ownEnd;
        for (Follower follower : followers) {
            if (follower.isJoining() || isMaximal(follower.broker())) {
                smallest = Math.min(smallest, follower.end());
            }
        }
        return smallest;
    }

    /** True if a fetch is of a broker that has registered again since, so that it must not count (KIP-903). */
    public boolean isStale(int broker, long brokerEpoch) {
        if (brokerEpoch == UNKNOWN) {
            return false;
        }
        long last = follower(broker).map(Follower::brokerEpoch).orElse(UNKNOWN);
        return brokerEpoch < last || brokerEpoch < live.getOrDefault(broker, UNKNOWN);
    }

    private boolean mayJoin(Follower follower) {
        return follower.brokerEpoch() != UNKNOWN
                && follower.brokerEpoch() == live.getOrDefault(follower.broker(), UNKNOWN);
    }

    /** True if the follower can be proposed now: it has all committed records, and all from before this leader epoch. */
    private boolean canJoin(Follower follower) {
        return !state.isr().contains(follower.broker())
                && mayJoin(follower)
                && follower.end() >= highWatermark
                && follower.end() >= epochStart;
    }

    /** True if a follower waits for being proposed. */
    public boolean hasJoiner() {
        if (change != null || isOutdated) {
            return false;
        }
        for (Follower follower : followers) {
            if (canJoin(follower)) {
                return true;
            }
        }
        return false;
    }

    /** True if {@link #propose} would change something. */
    public boolean isChangeDue(long leaderEnd, long now, long mostLag) {
        if (change != null || isOutdated) {
            return false;
        }
        boolean isDue = state.recovering();
        for (Follower follower : followers) {
            isDue |= state.isr().contains(follower.broker())
                    ? !follower.isCaughtUp(leaderEnd, now, mostLag)
                    : canJoin(follower);
        }
        return isDue;
    }

    // ---- events

    /** The leader's log is durable up to {@code end}. */
    public InSyncReplicas durableTo(long end) {
        if (end <= ownEnd) {
            return this;
        }
        Draft next = draft();
        next.ownEnd = end;
        return next.done();
    }

    /** The log was replaced by another one with the same records, which is durable up to {@code end}. */
    public InSyncReplicas movedTo(long end) {
        Draft next = draft();
        next.ownEnd = end;
        return next.done();
    }

    /**
     * A follower asked for the records from {@code offset} on. The caller has found that this is a follower, that its log
     * does not diverge below the offset, and that its broker epoch is not stale.
     *
     * @param leaderEnd the end of the leader's log
     * @param mostLag {@code replica.lag.time.max.ms}, in nanoseconds
     */
    public InSyncReplicas fetched(
            int broker, long brokerEpoch, long offset, long logStart, long leaderEnd, long now, long mostLag) {
        int index = indexOf(broker);
        if (index < 0) {
            return this;
        }
        Follower before = followers.get(index);
        boolean isOld = before.brokerEpoch() == brokerEpoch
                && before.end() == offset
                && before.logStart() == logStart
                && before.leaderEndThen() == leaderEnd
                && now - before.fetchedAt() < mostLag / PARTS_OF_LAG;
        if (isOld) {
            return this;
        }
        Follower fetched = before.fetched(brokerEpoch, offset, logStart, leaderEnd, now);
        List<Follower> others = new ArrayList<>(followers);
        others.set(index, fetched.joining(joins(fetched, leaderEnd, now, mostLag)));
        Draft next = draft();
        next.followers = List.copyOf(others);
        return next.done();
    }

    /** When a broker has fetched last; as {@link LeaderHost#fetchedAt}. */
    public interface LastFetch {
        long of(int broker, long brokerEpoch, long otherwise);
    }

    /**
     * The leader's log is about to grow. Until then those followers had all records that have fetched from its end: their
     * fetches since then did not name the partition.
     *
     * @param leaderEnd the end of the leader's log until now
     */
    public InSyncReplicas grows(long leaderEnd, LastFetch lastFetch) {
        InSyncReplicas grown = this;
        for (Follower follower : followers) {
            long last = lastFetch.of(follower.broker(), follower.brokerEpoch(), follower.caughtUpAt());
            if (follower.end() >= leaderEnd && last - follower.caughtUpAt() > LEAST_STEP_NANOS) {
                List<Follower> changed = new ArrayList<>(grown.followers);
                changed.set(indexOf(follower.broker()), follower.caughtUp(last));
                Draft next = grown.draft();
                next.followers = List.copyOf(changed);
                grown = next.done();
            }
        }
        return grown;
    }

    private int indexOf(int broker) {
        for (int i = 0; i < followers.size(); i++) {
            if (followers.get(i).broker() == broker) {
                return i;
            }
        }
        return -1;
    }

    private boolean joins(Follower follower, long leaderEnd, long now, long mostLag) {
        return !isMaximal(follower.broker()) && mayJoin(follower) && follower.isCaughtUp(leaderEnd, now, mostLag);
    }

    /** Time has passed: a follower that is behind for too long is not waited for any more. */
    public InSyncReplicas passed(long leaderEnd, long now, long mostLag) {
        return joining(follower -> joins(follower, leaderEnd, now, mostLag));
    }

    private interface Joining {
        boolean test(Follower follower);
    }

    private InSyncReplicas joining(Joining joining) {
        List<Follower> changed = new ArrayList<>();
        boolean isSame = true;
        for (Follower follower : followers) {
            Follower now = follower.joining(joining.test(follower));
            isSame &= now == follower;
            changed.add(now);
        }
        if (isSame) {
            return this;
        }
        Draft next = draft();
        next.followers = List.copyOf(changed);
        return next.done();
    }

    /** The topic's {@code min.insync.replicas} was changed. */
    public InSyncReplicas minInSync(int least) {
        if (least == minInSync) {
            return this;
        }
        Draft next = draft();
        next.minInSync = least;
        return next.done();
    }

    /**
     * Brokers came or went. A change that would let a broker join that is gone is not made any more, because the
     * controller compares broker epochs.
     *
     * @param now as {@code live} in {@link #lead}
     */
    public InSyncReplicas live(Map<Integer, Long> now) {
        if (now.equals(live)) {
            return this;
        }
        Draft next = draft();
        next.live = now;
        Map<Integer, Long> stillDoubtful = new HashMap<>(doubtful);
        stillDoubtful.entrySet().removeIf(one -> !one.getValue().equals(now.get(one.getKey())));
        next.doubtful = Map.copyOf(stillDoubtful);
        InSyncReplicas changed = next.done();
        return changed.joining(follower -> follower.isJoining() && changed.mayJoin(follower));
    }

    /** The controller has decided a newer state of this leader epoch. */
    public InSyncReplicas decided(PartitionState newer, long now) {
        if (newer.leaderEpoch() != state.leaderEpoch() || newer.partitionEpoch() <= state.partitionEpoch()) {
            return this;
        }
        Draft next = draft();
        next.state = newer;
        next.change = null;
        next.doubtful = Map.of();
        next.isOutdated = false;
        next.followers = followersOf(self, newer, followers, now).stream()
                .map(follower ->
                        follower.joining(follower.isJoining() && !newer.isr().contains(follower.broker())))
                .toList();
        return next.done();
    }

    /**
     * Proposes a change if one is due: followers that have caught up join, those that are behind for too long leave, and
     * the leader has nothing to repair after an unclean election.
     *
     * @param brokerEpoch of the leader
     * @return a state with a {@link #change}, or this one
     */
    public InSyncReplicas propose(long brokerEpoch, long leaderEnd, long now, long mostLag) {
        if (!isChangeDue(leaderEnd, now, mostLag)) {
            return this;
        }
        Map<Integer, Long> proposed = new TreeMap<>();
        proposed.put(self, brokerEpoch);
        for (Follower follower : followers) {
            boolean isIn = state.isr().contains(follower.broker());
            if (isIn ? follower.isCaughtUp(leaderEnd, now, mostLag) : canJoin(follower)) {
                proposed.put(follower.broker(), mayJoin(follower) ? follower.brokerEpoch() : UNKNOWN);
            }
        }
        Draft next = draft();
        next.change = new InSyncChange(state.leaderEpoch(), state.partitionEpoch(), proposed, false);
        next.followers = followers.stream()
                .map(follower -> follower.joining(follower.isJoining() && !proposed.containsKey(follower.broker())))
                .toList();
        return next.done();
    }

    /** The controller has made the change, or has found that there is nothing to change. */
    public InSyncReplicas made(InSyncChange made, PartitionState after, long now) {
        return decided(after, now).refused(made);
    }

    /** The controller has not made the change, and never will. */
    public InSyncReplicas refused(InSyncChange refused) {
        if (change != refused) {
            return this;
        }
        Draft next = draft();
        next.change = null;
        return next.done();
    }

    /**
     * It is not known whether the controller has made the change, or will: those who would have joined count as in sync
     * until the controller's state is known.
     *
     * @param isOutdated true if the controller said that it has a newer state, so that nothing is proposed before that
     *     state is seen
     */
    public InSyncReplicas undecided(InSyncChange undecided, boolean isOutdated) {
        if (change != undecided) {
            return this;
        }
        Draft next = draft();
        next.change = null;
        next.isOutdated = isOutdated;
        Map<Integer, Long> more = new HashMap<>(doubtful);
        undecided.isr().forEach((broker, epoch) -> {
            if (!state.isr().contains(broker) && epoch.equals(live.get(broker))) {
                more.put(broker, epoch);
            }
        });
        next.doubtful = Map.copyOf(more);
        return next.done();
    }

    @Override
    public String toString() {
        return "in sync " + state.isr() + ", epoch " + state.leaderEpoch() + "." + state.partitionEpoch()
                + ", high watermark " + highWatermark + ", own end " + ownEnd + ", followers " + followers + ", change "
                + change + ", doubtful " + doubtful;
    }
}
