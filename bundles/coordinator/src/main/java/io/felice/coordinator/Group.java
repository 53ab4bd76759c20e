package io.felice.coordinator;

import static io.felice.api.group.Groups.State.COMPLETING_REBALANCE;
import static io.felice.api.group.Groups.State.DEAD;
import static io.felice.api.group.Groups.State.EMPTY;
import static io.felice.api.group.Groups.State.PREPARING_REBALANCE;
import static io.felice.api.group.Groups.State.STABLE;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.group.Groups.Join;
import io.felice.api.group.Groups.Joined;
import io.felice.api.group.Groups.JoinedMember;
import io.felice.api.group.Groups.Protocol;
import io.felice.api.group.Groups.State;
import io.felice.coordinator.OffsetsRecord.StoredGroup;
import io.felice.coordinator.OffsetsRecord.StoredMember;
import io.felice.coordinator.OffsetsRecord.StoredOffset;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.ToLongFunction;

/**
 * One group: what the log says of it ({@link #replay}), and the members, votes and waiting answers of the rebalance that
 * is under way, which are nobody's but this broker's.
 *
 * <p>Its one writer is the shard's executor. Heartbeats and status tables read phase and members on other threads.
 *
 * <pre>
 *  EMPTY ──join──▶ PREPARING_REBALANCE ──all joined, or time is up──▶ COMPLETING_REBALANCE ──leader synced──▶ STABLE
 *    ▲                 │       ▲                                               │                               │
 *    └──nobody joined──┘       └──────────── join, leave, expiry ──────────────┴───────────────────────────────┘
 *  EMPTY ──deleted──▶ DEAD
 * </pre>
 */
final class Group {
    /** State and generation, which heartbeats must see together. */
    record Phase(State state, int generation) {}

    private final String id;
    private final Map<String, Member> members = new ConcurrentHashMap<>();
    private final Map<String, String> memberIdsByInstance = new ConcurrentHashMap<>();
    private final Map<String, ShardTimers.Deadline> pending = new HashMap<>();
    private final Map<String, Integer> supporters = new HashMap<>();
    private final Set<String> notSynced = new HashSet<>();
    private final Map<TopicPartition, StoredOffset> offsets = new HashMap<>();
    private final Map<TopicPartition, Integer> commitsInFlight = new HashMap<>();
    private volatile Phase phase = new Phase(EMPTY, 0);
    private StoredGroup stored;
    private long stateSince;
    private String protocolType;
    private String protocol;
    private String leaderId;
    private int joiningCount;
    private long metadataBytes;
    private int generationBeingStored = -1;
    private ShardTimers.Deadline rebalanceDeadline;
    private InitialDelay initialDelay;

    /** An empty group waits a little for more members before its first rebalance, and longer while more arrive. */
    static final class InitialDelay {
        private final long remainingMs;
        private boolean moreArrived;

        InitialDelay(long remainingMs) {
            this.remainingMs = remainingMs;
        }

        long remainingMs() {
            return remainingMs;
        }

        boolean moreArrived() {
            return moreArrived;
        }
    }

    Group(String id, long calendarMs) {
        this.id = id;
        this.stateSince = calendarMs;
    }

    String id() {
        return id;
    }

    // ---- the log

    /** Null takes the group's generation back. */
    void replay(StoredGroup record) {
        stored = record;
    }

    /** Null takes the offset back. */
    void replay(TopicPartition partition, StoredOffset offset) {
        if (offset == null) {
            offsets.remove(partition);
        } else {
            offsets.put(partition, offset);
        }
    }

    /** Takes up the stored generation, after loading. */
    void resume() {
        if (stored == null) {
            return;
        }
        protocolType = stored.protocolType().isEmpty() ? null : stored.protocolType();
        protocol = stored.protocol();
        stateSince = stored.stateSince();
        stored.members().forEach(member -> add(new Member(member, protocol)));
        leaderId = stored.leader();
        phase = new Phase(members.isEmpty() ? EMPTY : STABLE, stored.generation());
    }

    StoredGroup stored() {
        return stored;
    }

    /** What the log has to remember of the present generation. */
    StoredGroup toStore(Map<String, byte[]> assignments) {
        List<StoredMember> all = new ArrayList<>(members.size());
        for (Member m : members.values()) {
            byte[] assignment = assignments.getOrDefault(m.id(), Member.NOTHING);
            all.add(new StoredMember(
                    m.id(),
                    m.groupInstanceId(),
                    m.clientId(),
                    m.clientHost(),
                    m.rebalanceTimeoutMs(),
                    m.sessionTimeoutMs(),
                    m.metadata(protocol),
                    assignment));
        }
        String type = protocolType == null ? "" : protocolType;
        return new StoredGroup(type, generation(), protocol, leaderId, stateSince, all);
    }

    // ---- state

    Phase phase() {
        return phase;
    }

    State state() {
        return phase.state();
    }

    boolean is(State state) {
        return phase.state() == state;
    }

    int generation() {
        return phase.generation();
    }

    /** Milliseconds since the epoch, -1 if an old broker wrote the group. */
    long stateSince() {
        return stateSince;
    }

    void become(State next, long calendarMs) {
        enter(next, generation(), calendarMs);
    }

    private void enter(State next, int generation, long calendarMs) {
        if (!mayBecome(next)) {
            throw new IllegalStateException("group " + id + " cannot become " + next + " from " + state());
        }
        phase = new Phase(next, generation);
        stateSince = calendarMs;
    }

    private boolean mayBecome(State next) {
        return switch (next) {
            case EMPTY -> is(PREPARING_REBALANCE) || is(DEAD);
            case PREPARING_REBALANCE -> is(EMPTY) || is(STABLE) || is(COMPLETING_REBALANCE);
            case COMPLETING_REBALANCE -> is(PREPARING_REBALANCE);
            case STABLE -> is(COMPLETING_REBALANCE);
            case DEAD -> true;
        };
    }

    /** The rebalance is over: the next generation has all who joined, or nobody. */
    void beginGeneration(long calendarMs) {
        enter(members.isEmpty() ? EMPTY : COMPLETING_REBALANCE, generation() + 1, calendarMs);
        protocol = members.isEmpty() ? null : vote();
        notSynced.clear();
        generationBeingStored = -1;
    }

    /** Nothing is left of it, neither here nor in the log. */
    boolean isVoid() {
        return is(EMPTY)
                && stored == null
                && members.isEmpty()
                && pending.isEmpty()
                && offsets.isEmpty()
                && commitsInFlight.isEmpty();
    }

    String protocolType() {
        return protocolType;
    }

    String protocol() {
        return protocol;
    }

    // ---- members

    Collection<Member> members() {
        return members.values();
    }

    Member member(String memberId) {
        return members.get(memberId);
    }

    int size() {
        return members.size();
    }

    String memberIdOf(String groupInstanceId) {
        return memberIdsByInstance.get(groupInstanceId);
    }

    /** Whether this member may speak: UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID or NONE. From any thread. */
    ErrorCode check(String memberId, String groupInstanceId) {
        if (groupInstanceId != null) {
            String current = memberIdsByInstance.get(groupInstanceId);
            if (current == null) {
                return ErrorCode.UNKNOWN_MEMBER_ID;
            }
            if (!current.equals(memberId)) {
                return ErrorCode.FENCED_INSTANCE_ID;
            }
        }
        return members.containsKey(memberId) ? ErrorCode.NONE : ErrorCode.UNKNOWN_MEMBER_ID;
    }

    void add(Member member) {
        members.put(member.id(), member);
        if (leaderId == null) {
            leaderId = member.id();
        }
        if (member.isStatic()) {
            memberIdsByInstance.put(member.groupInstanceId(), member.id());
        }
        count(member, 1);
        forgetPending(member.id());
    }

    /** The member no longer counts; its answers are the caller's to give before. */
    void remove(Member member) {
        if (!members.remove(member.id(), member)) {
            return;
        }
        count(member, -1);
        if (member.isStatic()) {
            memberIdsByInstance.remove(member.groupInstanceId(), member.id());
        }
        if (isLeader(member.id())) {
            leaderId = members.isEmpty() ? null : members.keySet().iterator().next();
        }
        member.expiry(null);
        notSynced.remove(member.id());
    }

    /** A static member came back under a new id and takes the place of the old one, also as leader. */
    void replace(Member old, Member successor) {
        boolean wasLeader = isLeader(old.id());
        boolean wasNotSynced = notSynced.contains(old.id());
        successor.assign(old.assignment());
        add(successor); // first, so that a heartbeat of the old one is never told that there is no such instance
        remove(old);
        if (wasLeader) {
            leaderId = successor.id();
        }
        if (wasNotSynced) {
            notSynced.add(successor.id());
        }
    }

    void update(Member member, Join join) {
        count(member, -1);
        member.update(join);
        count(member, 1);
    }

    private void count(Member member, int step) {
        for (Protocol known : member.protocols()) {
            supporters.merge(known.name(), step, Integer::sum);
        }
        supporters.values().removeIf(count -> count == 0);
        metadataBytes += step * member.metadataBytes();
        joiningCount += member.isJoining() ? step : 0;
    }

    /** Bytes of all members' metadata under all protocols. */
    long metadataBytes() {
        return metadataBytes;
    }

    /** How long the slowest member may take to join again. */
    long rebalanceTimeoutMs() {
        return longest(Member::rebalanceTimeoutMs);
    }

    private long longest(ToLongFunction<Member> timeout) {
        return members.values().stream().mapToLong(timeout).max().orElse(0L);
    }

    // ---- leader and protocol

    String leaderId() {
        return leaderId;
    }

    boolean isLeader(String memberId) {
        return memberId.equals(leaderId);
    }

    /** Makes sure that the leader is one who joined. False if nobody has. */
    boolean electLeader() {
        Member leader = leaderId == null ? null : members.get(leaderId);
        if (leader != null && leader.isJoining()) {
            return true;
        }
        Optional<Member> joined =
                members.values().stream().filter(Member::isJoining).findFirst();
        joined.ifPresent(member -> leaderId = member.id());
        return joined.isPresent();
    }

    /** The first member of an empty group decides what kind of group it is. */
    void protocolType(String type) {
        protocolType = type;
    }

    /** Whether a member with these protocols could be in one generation with all the others. */
    boolean supports(String type, List<Protocol> protocols) {
        if (is(EMPTY)) {
            return !type.isEmpty() && !protocols.isEmpty();
        }
        return type.equals(protocolType)
                && protocols.stream().anyMatch(p -> supporters.getOrDefault(p.name(), 0) == members.size());
    }

    /** Each member votes for the first of its protocols that all have; the leader's taste breaks a tie. */
    String vote() {
        Map<String, Integer> votes = new HashMap<>();
        for (Member member : members.values()) {
            for (Protocol candidate : member.protocols()) {
                if (supporters.getOrDefault(candidate.name(), 0) == members.size()) {
                    votes.merge(candidate.name(), 1, Integer::sum);
                    break;
                }
            }
        }
        Member leader =
                members.getOrDefault(leaderId, members.values().iterator().next());
        String chosen = null;
        for (Protocol candidate : leader.protocols()) {
            if (votes.containsKey(candidate.name())
                    && (chosen == null || votes.get(candidate.name()) > votes.get(chosen))) {
                chosen = candidate.name();
            }
        }
        return chosen;
    }

    /** What the leader is told of everybody. */
    List<JoinedMember> roster() {
        List<JoinedMember> all = new ArrayList<>(members.size());
        members.values().forEach(m -> all.add(new JoinedMember(m.id(), m.groupInstanceId(), m.metadata(protocol))));
        return all;
    }

    // ---- who joins

    /** The member waits for the rebalance. Returns the answer it was waiting for before, or null. */
    CompletableFuture<Joined> join(Member member, CompletableFuture<Joined> answer) {
        CompletableFuture<Joined> before = member.joining();
        joiningCount += (answer == null ? 0 : 1) - (before == null ? 0 : 1);
        member.joining(answer);
        return before;
    }

    int joiningCount() {
        return joiningCount;
    }

    boolean haveAllJoined() {
        return joiningCount == members.size() && pending.isEmpty();
    }

    void addPending(String memberId, ShardTimers.Deadline expiry) {
        pending.put(memberId, expiry);
    }

    boolean isPending(String memberId) {
        return pending.containsKey(memberId);
    }

    int pendingCount() {
        return pending.size();
    }

    void forgetPending(String memberId) {
        ShardTimers.Deadline expiry = pending.remove(memberId);
        if (expiry != null) {
            expiry.cancel();
        }
    }

    // ---- rebalance

    /** The one deadline of the rebalance under way replaces the one before. */
    void rebalanceDeadline(ShardTimers.Deadline next) {
        if (rebalanceDeadline != null) {
            rebalanceDeadline.cancel();
        }
        rebalanceDeadline = next;
    }

    /** Null if the rebalance under way does not wait for more members than it has. */
    InitialDelay initialDelay() {
        return initialDelay;
    }

    void initialDelay(InitialDelay delay) {
        initialDelay = delay;
    }

    /** More members of a group that has never had a generation make it wait longer. */
    void moreArrived() {
        if (initialDelay != null && generation() == 0) {
            initialDelay.moreArrived = true;
        }
    }

    Set<String> notSynced() {
        return notSynced;
    }

    int generationBeingStored() {
        return generationBeingStored;
    }

    void generationBeingStored(int generation) {
        generationBeingStored = generation;
    }

    /** Lets go of every timer. */
    void dispose() {
        rebalanceDeadline(null);
        List.copyOf(pending.keySet()).forEach(this::forgetPending);
        members.values().forEach(member -> member.expiry(null));
    }

    // ---- offsets

    Map<TopicPartition, StoredOffset> offsets() {
        return offsets;
    }

    /** Partitions with a commit that is not in the log yet. */
    Set<TopicPartition> committing() {
        return commitsInFlight.keySet();
    }

    void commitBegun(Set<TopicPartition> partitions) {
        partitions.forEach(partition -> commitsInFlight.merge(partition, 1, Integer::sum));
    }

    void commitEnded(Set<TopicPartition> partitions) {
        partitions.forEach(
                partition -> commitsInFlight.computeIfPresent(partition, (p, count) -> count == 1 ? null : count - 1));
    }

    boolean isConsumerGroup() {
        return ConsumerSubscription.PROTOCOL_TYPE.equals(protocolType);
    }

    /** The topics its members subscribe to; empty if that cannot be known. */
    Optional<Set<String>> subscribedTopics() {
        if (!isConsumerGroup() || (protocol == null && !members.isEmpty())) {
            return Optional.empty();
        }
        Set<String> topics = new HashSet<>();
        for (Member member : members.values()) {
            Optional<Set<String>> subscribed = ConsumerSubscription.topics(member.metadata(protocol));
            if (subscribed.isEmpty()) {
                return Optional.empty();
            }
            topics.addAll(subscribed.get());
        }
        return Optional.of(topics);
    }
}
