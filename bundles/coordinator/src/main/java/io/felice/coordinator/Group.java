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
 * One group. Its committed offsets and its last generation are replayed from the log ({@link #replay}). The rebalance under
 * way, with its members, votes and open requests, is in this broker's memory only and is lost with it.
 *
 * <p>Changed on the shard's executor only. Heartbeats and status tables read the phase and the members on other threads.
 *
 * <pre>
 *  EMPTY ──join──▶ PREPARING_REBALANCE ──all joined, or time is up──▶ COMPLETING_REBALANCE ──leader synced──▶ STABLE
 *    ▲                 │       ▲                                               │                               │
 *    └──nobody joined──┘       └──────────── join, leave, expiry ──────────────┴───────────────────────────────┘
 *  EMPTY ──deleted──▶ DEAD
 * </pre>
 */
final class Group {
    /** State and generation in one object, so that a heartbeat on another thread reads a consistent pair. */
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

    /** The wait for more members before the first rebalance of an empty group ends; it is extended while more arrive. */
    static final class InitialDelay {
        private boolean moreArrived;

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

    /** Sets the last generation in the log; null, a tombstone, removes it. */
    void replay(StoredGroup record) {
        stored = record;
    }

    /** Sets the committed offset of the partition; null, a tombstone, removes it. */
    void replay(TopicPartition partition, StoredOffset offset) {
        if (offset == null) {
            offsets.remove(partition);
        } else {
            offsets.put(partition, offset);
        }
    }

    /** Makes the last generation in the log the current one. Called once, when the log has been read. */
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

    /** The current generation, with these assignments by member id, as it is written to the log. */
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

    /** When the group entered its state, in milliseconds since the epoch; -1 if an old broker wrote the group. */
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

    /** Ends the joining: the members that are left form the next generation. The group is EMPTY if there are none. */
    void beginGeneration(long calendarMs) {
        enter(members.isEmpty() ? EMPTY : COMPLETING_REBALANCE, generation() + 1, calendarMs);
        protocol = members.isEmpty() ? null : vote();
        notSynced.clear();
        generationBeingStored = -1;
    }

    /** True if the group has no members and no offsets, neither here nor in the log, and none on the way to the log. */
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

    /**
     * Checks the ids in a member's request. From any thread.
     *
     * @return NONE; UNKNOWN_MEMBER_ID if the group has no such member; FENCED_INSTANCE_ID if the instance id belongs to a
     *     newer member id
     */
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

    /** The caller has answered the member's open requests before. */
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

    /** Puts a static member that came back with a new member id in the place of the old one, also as leader. */
    void replace(Member old, Member successor) {
        boolean wasLeader = isLeader(old.id());
        boolean wasNotSynced = notSynced.contains(old.id());
        successor.assign(old.assignment());
        // The successor is added first: between the two steps, a heartbeat with the old member id would otherwise be
        // answered with UNKNOWN_MEMBER_ID, not with FENCED_INSTANCE_ID.
        add(successor);
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

    /** Makes a member that has joined the leader, if the current leader has not. False if no member has joined. */
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

    void protocolType(String type) {
        protocolType = type;
    }

    /** Whether the protocol type fits and at least one of the protocols is supported by all members. */
    boolean supports(String type, List<Protocol> protocols) {
        if (is(EMPTY)) {
            return !type.isEmpty() && !protocols.isEmpty();
        }
        return type.equals(protocolType)
                && protocols.stream().anyMatch(p -> supporters.getOrDefault(p.name(), 0) == members.size());
    }

    /**
     * Chooses the protocol. Each member votes for the first of its protocols that all members support; of the protocols
     * with the most votes, the one wins that the leader prefers.
     */
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

    /** All members with their metadata for the chosen protocol: the leader gets them to compute the assignment. */
    List<JoinedMember> roster() {
        List<JoinedMember> all = new ArrayList<>(members.size());
        members.values().forEach(m -> all.add(new JoinedMember(m.id(), m.groupInstanceId(), m.metadata(protocol))));
        return all;
    }

    // ---- who joins

    /** Sets the member's open join request, or null for none. Returns the one that was open before, or null. */
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

    /** Sets the deadline of the rebalance under way and cancels the one before; null for none. */
    void rebalanceDeadline(ShardTimers.Deadline next) {
        if (rebalanceDeadline != null) {
            rebalanceDeadline.cancel();
        }
        rebalanceDeadline = next;
    }

    /** Null, unless the rebalance under way is the first of an empty group and waits for more members. */
    InitialDelay initialDelay() {
        return initialDelay;
    }

    void initialDelay(InitialDelay delay) {
        initialDelay = delay;
    }

    /** Extends the initial delay because a member arrived; only in a group that has never had a generation. */
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

    void dispose() {
        rebalanceDeadline(null);
        List.copyOf(pending.keySet()).forEach(this::forgetPending);
        members.values().forEach(member -> member.expiry(null));
    }

    // ---- offsets

    Map<TopicPartition, StoredOffset> offsets() {
        return offsets;
    }

    /** Partitions whose offsets are being written to the log. */
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

    /** The topics that the members subscribe to; empty if the members' metadata cannot be read. */
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
