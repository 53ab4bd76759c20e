package io.felice.coordinator;

import static io.felice.api.ErrorCode.COORDINATOR_NOT_AVAILABLE;
import static io.felice.api.ErrorCode.FENCED_INSTANCE_ID;
import static io.felice.api.ErrorCode.GROUP_MAX_SIZE_REACHED;
import static io.felice.api.ErrorCode.ILLEGAL_GENERATION;
import static io.felice.api.ErrorCode.INCONSISTENT_GROUP_PROTOCOL;
import static io.felice.api.ErrorCode.INVALID_REQUEST;
import static io.felice.api.ErrorCode.INVALID_SESSION_TIMEOUT;
import static io.felice.api.ErrorCode.MEMBER_ID_REQUIRED;
import static io.felice.api.ErrorCode.NONE;
import static io.felice.api.ErrorCode.NOT_COORDINATOR;
import static io.felice.api.ErrorCode.REBALANCE_IN_PROGRESS;
import static io.felice.api.ErrorCode.UNKNOWN_MEMBER_ID;
import static io.felice.api.group.Groups.State.COMPLETING_REBALANCE;
import static io.felice.api.group.Groups.State.DEAD;
import static io.felice.api.group.Groups.State.EMPTY;
import static io.felice.api.group.Groups.State.PREPARING_REBALANCE;
import static io.felice.api.group.Groups.State.STABLE;

import io.felice.api.ErrorCode;
import io.felice.api.config.BrokerConfig;
import io.felice.api.group.Groups.Join;
import io.felice.api.group.Groups.Joined;
import io.felice.api.group.Groups.Leaving;
import io.felice.api.group.Groups.Left;
import io.felice.api.group.Groups.Sync;
import io.felice.api.group.Groups.Synced;
import io.felice.coordinator.Group.InitialDelay;
import io.felice.coordinator.OffsetsRecord.GroupStored;
import io.felice.coordinator.OffsetsRecord.StoredGroup;
import io.felice.coordinator.OffsetsRecord.StoredMember;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Kafka's classic group protocol as of Kafka 3.9: join, sync, heartbeat, leave, and the expiry of silent members. Member
 * metadata and assignments are opaque bytes. Every method runs on the shard's executor, {@link #heartbeat} on any thread.
 */
final class ClassicProtocol {
    private static final Logger LOG = LoggerFactory.getLogger(ClassicProtocol.class);

    private final Shard shard;
    private final Time time;
    private final ShardTimers timers;
    private final Supplier<UUID> ids;
    private final Counters counters;

    ClassicProtocol(Shard shard, Supplier<UUID> ids, Counters counters) {
        this.shard = shard;
        this.time = shard.time();
        this.timers = shard.timers();
        this.ids = ids;
        this.counters = counters;
    }

    // ---- join

    void join(Join request, CompletableFuture<Joined> answer) {
        ErrorCode malformed = check(request);
        if (malformed != NONE) {
            refuse(answer, malformed, request.memberId());
            return;
        }
        boolean isNew = request.memberId().isEmpty();
        if (isNew && !shard.hasRoomFor(request.groupId())) {
            refuse(answer, GROUP_MAX_SIZE_REACHED, "");
            return;
        }
        Group group = isNew ? shard.groupOrNew(request.groupId()) : shard.group(request.groupId());
        if (group == null) {
            refuse(answer, UNKNOWN_MEMBER_ID, request.memberId());
            return;
        }
        join(group, request, answer);
        completeIfAllJoined(group);
        shard.dropIfVoid(group);
    }

    private ErrorCode check(Join request) {
        long session = request.sessionTimeout().toMillis();
        if (session < broker().getInt(BrokerConfig.GROUP_MIN_SESSION_TIMEOUT_MS)
                || session > broker().getInt(BrokerConfig.GROUP_MAX_SESSION_TIMEOUT_MS)) {
            return INVALID_SESSION_TIMEOUT;
        }
        boolean fits = GroupLimits.fits(request.clientId(), GroupLimits.MAX_NAME_BYTES)
                && GroupLimits.fits(request.groupInstanceId(), GroupLimits.MAX_NAME_BYTES)
                && request.protocols().size() <= GroupLimits.MAX_PROTOCOLS_PER_MEMBER;
        return fits ? NONE : INVALID_REQUEST;
    }

    private void join(Group group, Join request, CompletableFuture<Joined> answer) {
        String memberId = request.memberId();
        if (!hasRoom(group, request)) {
            expel(group, memberId);
            refuse(answer, GROUP_MAX_SIZE_REACHED, "");
        } else if (group.is(DEAD)) {
            refuse(answer, COORDINATOR_NOT_AVAILABLE, memberId);
        } else if (!group.supports(request.protocolType(), request.protocols())) {
            refuse(answer, INCONSISTENT_GROUP_PROTOCOL, memberId);
        } else if (memberId.isEmpty()) {
            joinNew(group, request, answer);
        } else if (group.isPending(memberId)) {
            joinPending(group, request, answer);
        } else {
            joinAgain(group, request, answer);
        }
    }

    /**
     * Whether {@code group.max.size} lets the member in. A known member keeps its place. During a rebalance the group takes
     * the members that join first, up to the limit.
     */
    private boolean hasRoom(Group group, Join request) {
        Member known = group.member(request.memberId());
        int most = broker().getInt(BrokerConfig.GROUP_MAX_SIZE);
        boolean counted =
                switch (group.state()) {
                    case EMPTY, DEAD -> true;
                    case PREPARING_REBALANCE -> (known != null && known.isJoining()) || group.joiningCount() < most;
                    case COMPLETING_REBALANCE, STABLE -> known != null || group.size() < most;
                };
        return counted && hasRoomForMetadata(group, request, known);
    }

    private boolean hasRoomForMetadata(Group group, Join request, Member known) {
        long bytes = Member.bytesOf(request.protocols());
        long others = group.metadataBytes() - (known == null ? 0 : known.metadataBytes());
        return bytes == 0 || others + bytes <= (long) GroupLimits.METADATA_BATCHES_PER_GROUP * shard.maxBatchBytes();
    }

    private void expel(Group group, String memberId) {
        group.forgetPending(memberId);
        Member member = group.member(memberId);
        if (member != null) {
            remove(group, member, "the group is full");
        }
    }

    private void joinNew(Group group, Join request, CompletableFuture<Joined> answer) {
        String instanceId = request.groupInstanceId();
        String newId = (instanceId == null ? Member.orEmpty(request.clientId()) : instanceId) + "-" + ids.get();
        if (instanceId != null && group.memberIdOf(instanceId) != null) {
            replaceStatic(group, group.member(group.memberIdOf(instanceId)), newId, request, answer);
        } else if (instanceId == null && request.needsMemberId()) {
            giveId(group, newId, request, answer);
        } else {
            addMember(group, newId, request, answer);
        }
    }

    /**
     * Sends the new member its id; the member joins with a second request that carries the id. A client that repeats its
     * request is then one member, not many (KIP-394).
     */
    private void giveId(Group group, String newId, Join request, CompletableFuture<Joined> answer) {
        if (group.pendingCount() >= GroupLimits.MAX_PENDING_MEMBERS) {
            refuse(answer, GROUP_MAX_SIZE_REACHED, "");
            return;
        }
        long timeoutMs = request.sessionTimeout().toMillis();
        group.addPending(newId, timers.in(timeoutMs, () -> forgetPending(group, newId)));
        refuse(answer, MEMBER_ID_REQUIRED, newId);
    }

    private void forgetPending(Group group, String memberId) {
        group.forgetPending(memberId);
        completeIfAllJoined(group);
        shard.dropIfVoid(group);
    }

    private void joinPending(Group group, Join request, CompletableFuture<Joined> answer) {
        if (request.groupInstanceId() != null) {
            refuse(answer, UNKNOWN_MEMBER_ID, request.memberId());
            return;
        }
        addMember(group, request.memberId(), request, answer);
    }

    private void addMember(Group group, String memberId, Join request, CompletableFuture<Joined> answer) {
        if (group.size() == 0) {
            group.protocolType(request.protocolType());
        }
        Member member = new Member(memberId, request);
        member.joiningFirst(true);
        group.add(member);
        group.join(member, answer);
        group.moreArrived();
        watch(group, member);
        rebalance(group, "member " + memberId + " joins" + because(request));
    }

    private void joinAgain(Group group, Join request, CompletableFuture<Joined> answer) {
        String memberId = request.memberId();
        ErrorCode stranger = group.check(memberId, request.groupInstanceId());
        if (stranger != NONE) {
            refuse(answer, stranger, memberId);
            return;
        }
        Member member = group.member(memberId);
        switch (group.state()) {
            case PREPARING_REBALANCE -> joinWith(group, member, request, answer);
            case COMPLETING_REBALANCE -> {
                if (member.hasProtocols(request.protocols())) {
                    // The member joined already, but the answer got lost: send the same answer again.
                    shard.answer(answer, joined(group, member, false));
                } else {
                    joinWith(group, member, request, answer);
                }
            }
            case STABLE -> {
                // A leader joins again when it wants a new assignment, even if its metadata is the same: it may have
                // seen that a topic has more partitions.
                if (group.isLeader(memberId) || !member.hasProtocols(request.protocols())) {
                    joinWith(group, member, request, answer);
                } else {
                    shard.answer(answer, joined(group, member, false));
                }
            }
            case EMPTY, DEAD -> refuse(answer, UNKNOWN_MEMBER_ID, memberId);
        }
    }

    private void joinWith(Group group, Member member, Join request, CompletableFuture<Joined> answer) {
        group.update(member, request);
        supersede(member, group.join(member, answer));
        rebalance(group, "member " + member.id() + " joins again" + because(request));
    }

    private static String because(Join request) {
        return request.reason() == null || request.reason().isEmpty() ? "" : ": " + request.reason();
    }

    /** Fails the member's earlier join request: a client that sends a second one does not read the first answer. */
    private void supersede(Member member, CompletableFuture<Joined> before) {
        if (before != null) {
            refuse(before, REBALANCE_IN_PROGRESS, member.id());
        }
    }

    private void refuse(CompletableFuture<Joined> answer, ErrorCode error, String memberId) {
        shard.answer(answer, Joined.failed(error, memberId));
    }

    private Joined joined(Group group, Member member, boolean skipAssignment) {
        return new Joined(
                NONE,
                group.generation(),
                group.protocolType(),
                group.protocol(),
                group.leaderId(),
                member.id(),
                skipAssignment,
                group.isLeader(member.id()) ? group.roster() : List.of());
    }

    // ---- static members

    /**
     * Replaces a static member whose process was restarted (KIP-345). The successor gets a new member id; requests with
     * the old id fail with FENCED_INSTANCE_ID.
     */
    private void replaceStatic(Group group, Member old, String newId, Join request, CompletableFuture<Joined> answer) {
        String formerLeader = group.leaderId();
        Member successor = new Member(newId, request);
        answerJoin(group, old, Joined.failed(FENCED_INSTANCE_ID, old.id()));
        answerSync(old, Synced.failed(FENCED_INSTANCE_ID));
        group.replace(old, successor);
        group.join(successor, answer);
        watch(group, successor);
        if (group.is(STABLE) && Objects.equals(group.vote(), group.protocol())) {
            storeReplacement(group, old, successor, formerLeader, request.canSkipAssignment());
        } else {
            rebalance(group, "static member " + newId + " comes back" + because(request));
        }
    }

    /**
     * Writes the new member id to the log, then answers the join. The group does not rebalance, because the successor takes
     * over the assignment.
     */
    private void storeReplacement(
            Group group, Member old, Member successor, String formerLeader, boolean canSkipAssignment) {
        int generation = group.generation();
        Map<String, byte[]> assignments = new HashMap<>();
        group.members().forEach(member -> assignments.put(member.id(), member.assignment()));
        shard.write(List.of(new GroupStored(group.id(), group.toStore(assignments))), error -> {
            if (!group.is(STABLE) || group.generation() != generation || group.member(successor.id()) != successor) {
                return; // a rebalance has begun meanwhile: its end answers the successor
            }
            if (error != NONE) {
                answerJoin(group, successor, Joined.failed(ofStore(error), ""));
                group.replace(successor, old);
                watch(group, old);
            } else {
                boolean skips = canSkipAssignment && group.isLeader(successor.id());
                answerJoin(group, successor, replaced(group, successor, formerLeader, canSkipAssignment, skips));
                watch(group, successor);
            }
        });
    }

    /**
     * The answer to a static member that joined again and got a new member id. If this member was the leader, it must not
     * compute an assignment, because the group keeps the assignment that it has. From JoinGroup v9 on, {@code
     * skipAssignment} tells the leader so (KIP-814). Up to v8 the answer names the former member id as leader, so that the
     * client takes itself for a follower.
     */
    private Joined replaced(
            Group group, Member successor, String formerLeader, boolean canSkipAssignment, boolean skips) {
        if (canSkipAssignment) {
            return joined(group, successor, skips);
        }
        return new Joined(
                NONE,
                group.generation(),
                group.protocolType(),
                group.protocol(),
                formerLeader,
                successor.id(),
                false,
                List.of());
    }

    // ---- rebalance

    private void rebalance(Group group, String reason) {
        if (group.is(STABLE) || group.is(COMPLETING_REBALANCE) || group.is(EMPTY)) {
            beginRebalance(group, reason);
        }
    }

    private void beginRebalance(Group group, String reason) {
        LOG.debug("Group {} begins to rebalance after generation {}: {}", group.id(), group.generation(), reason);
        if (group.is(COMPLETING_REBALANCE)) {
            failSyncs(group, REBALANCE_IN_PROGRESS);
        }
        counters.rebalances.increment();
        if (group.is(EMPTY)) {
            long delay = broker().getInt(BrokerConfig.GROUP_INITIAL_REBALANCE_DELAY_MS);
            waitForMore(group, delay, Math.max(group.rebalanceTimeoutMs() - delay, 0));
        } else {
            waitForAll(group);
        }
        group.become(PREPARING_REBALANCE, time.calendarMs());
        completeIfAllJoined(group);
    }

    /**
     * Begins the first rebalance of an empty group: it waits for {@code group.initial.rebalance.delay.ms}, and again as long
     * as more members arrive, up to the rebalance timeout.
     */
    private void waitForMore(Group group, long delay, long remaining) {
        InitialDelay initial = new InitialDelay();
        group.initialDelay(initial);
        group.rebalanceDeadline(timers.in(delay, () -> {
            if (initial.moreArrived() && remaining > 0) {
                waitForMore(group, Math.min(delay, remaining), Math.max(remaining - delay, 0));
            } else {
                endJoining(group);
            }
        }));
    }

    private void waitForAll(Group group) {
        group.initialDelay(null);
        group.rebalanceDeadline(timers.in(group.rebalanceTimeoutMs(), () -> endJoining(group)));
    }

    private void completeIfAllJoined(Group group) {
        if (group.is(PREPARING_REBALANCE) && group.initialDelay() == null && group.haveAllJoined()) {
            endJoining(group);
        }
    }

    /**
     * Ends the joining when all members have joined or the rebalance timeout is over. Members that have not joined are
     * removed; static members stay until their sessions expire.
     */
    private void endJoining(Group group) {
        for (Member member : List.copyOf(group.members())) {
            if (!member.isJoining() && !member.isStatic()) {
                LOG.info(
                        "Member {} of group {} is removed: it did not join the rebalance in time",
                        member.id(),
                        group.id());
                counters.expiredMembers.increment();
                group.remove(member);
            }
        }
        if (!group.electLeader() && group.size() > 0) {
            waitForAll(group); // only absent static members are left: wait until they join or their sessions expire
            return;
        }
        group.initialDelay(null);
        group.rebalanceDeadline(null);
        group.beginGeneration(time.calendarMs());
        if (group.is(EMPTY)) {
            storeEmpty(group);
        } else {
            answerJoins(group);
        }
    }

    private void storeEmpty(Group group) {
        shard.write(List.of(new GroupStored(group.id(), group.toStore(Map.of()))), error -> {
            if (error != NONE && error != NOT_COORDINATOR) {
                LOG.warn(
                        "The empty generation of group {} was not written ({}): after a restart the group has its"
                                + " former members until their sessions expire",
                        group.id(),
                        error);
            }
            shard.dropIfVoid(group);
        });
    }

    private void answerJoins(Group group) {
        LOG.debug(
                "Group {} has generation {} with {} members, protocol {}",
                group.id(),
                group.generation(),
                group.size(),
                group.protocol());
        for (Member member : group.members()) {
            answerJoin(group, member, joined(group, member, false));
            member.joiningFirst(false);
            group.notSynced().add(member.id());
            watch(group, member);
        }
        int generation = group.generation();
        group.rebalanceDeadline(timers.in(group.rebalanceTimeoutMs(), () -> expireSyncs(group, generation)));
    }

    /** Removes the members that joined this generation but did not sync in time, so that the group can rebalance. */
    private void expireSyncs(Group group, int generation) {
        boolean current = group.generation() == generation && (group.is(COMPLETING_REBALANCE) || group.is(STABLE));
        if (!current || group.notSynced().isEmpty()) {
            return;
        }
        Set<String> silent = Set.copyOf(group.notSynced());
        LOG.info(
                "Members {} of group {} are removed: they did not sync generation {} in time",
                silent,
                group.id(),
                generation);
        for (String memberId : silent) {
            counters.expiredMembers.increment();
            drop(group, group.member(memberId));
        }
        rebalance(group, "members did not sync in time");
    }

    // ---- sync

    void sync(Sync request, CompletableFuture<Synced> answer) {
        Group group = shard.group(request.groupId());
        ErrorCode wrong = check(group, request);
        if (wrong != NONE) {
            shard.answer(answer, Synced.failed(wrong));
            return;
        }
        Member member = group.member(request.memberId());
        member.seen(time.nowMs());
        group.notSynced().remove(member.id());
        if (group.is(STABLE)) {
            shard.answer(answer, synced(group, member));
            return;
        }
        answerSync(member, Synced.failed(REBALANCE_IN_PROGRESS));
        member.syncing(answer);
        if (group.isLeader(member.id()) && group.generationBeingStored() != group.generation()) {
            store(group, request.assignments());
        }
    }

    private ErrorCode check(Group group, Sync request) {
        if (group == null) {
            return UNKNOWN_MEMBER_ID;
        }
        if (group.is(DEAD)) {
            return COORDINATOR_NOT_AVAILABLE;
        }
        ErrorCode stranger = group.check(request.memberId(), request.groupInstanceId());
        if (stranger != NONE) {
            return stranger;
        }
        if (request.generationId() != group.generation()) {
            return ILLEGAL_GENERATION;
        }
        if (differs(request.protocolType(), group.protocolType())
                || differs(request.protocolName(), group.protocol())) {
            return INCONSISTENT_GROUP_PROTOCOL;
        }
        return group.is(PREPARING_REBALANCE) ? REBALANCE_IN_PROGRESS : NONE;
    }

    private static boolean differs(String asked, String actual) {
        return asked != null && !asked.equals(actual);
    }

    /**
     * Writes the assignments to the log; then the group is STABLE and the members get their assignments. If a new rebalance
     * has begun before the write ends, the outcome of the write is ignored.
     */
    private void store(Group group, Map<String, byte[]> assignments) {
        int generation = group.generation();
        group.generationBeingStored(generation);
        StoredGroup record = group.toStore(assignments);
        shard.write(List.of(new GroupStored(group.id(), record)), error -> {
            if (!group.is(COMPLETING_REBALANCE) || group.generation() != generation) {
                return;
            }
            if (error != NONE) {
                LOG.warn(
                        "Generation {} of group {} was not written ({}): the group rebalances again",
                        generation,
                        group.id(),
                        error);
                failSyncs(group, ofStore(error));
                rebalance(group, "its assignment could not be written");
            } else {
                settle(group, record);
            }
        });
    }

    private void settle(Group group, StoredGroup record) {
        for (StoredMember stored : record.members()) {
            group.member(stored.memberId()).assign(stored.assignment());
        }
        group.become(STABLE, time.calendarMs());
        for (Member member : group.members()) {
            if (member.syncing() != null) {
                answerSync(member, synced(group, member));
                watch(group, member);
            }
        }
    }

    private void failSyncs(Group group, ErrorCode error) {
        for (Member member : group.members()) {
            member.assign(Member.NOTHING);
            if (member.syncing() != null) {
                answerSync(member, Synced.failed(error));
                watch(group, member);
            }
        }
    }

    private Synced synced(Group group, Member member) {
        return new Synced(NONE, group.protocolType(), group.protocol(), member.assignment());
    }

    /** As in Kafka. */
    private static ErrorCode ofStore(ErrorCode error) {
        return switch (error) {
            case UNKNOWN_TOPIC_OR_PARTITION,
                    NOT_ENOUGH_REPLICAS,
                    NOT_ENOUGH_REPLICAS_AFTER_APPEND -> COORDINATOR_NOT_AVAILABLE;
            case NOT_LEADER_OR_FOLLOWER, KAFKA_STORAGE_ERROR, NOT_COORDINATOR -> NOT_COORDINATOR;
            case REQUEST_TIMED_OUT -> REBALANCE_IN_PROGRESS;
            default -> ErrorCode.UNKNOWN_SERVER_ERROR;
        };
    }

    // ---- heartbeat, leave, expiry

    /** From any thread: changes nothing but the time at which the member was last heard of. */
    ErrorCode heartbeat(String groupId, int generationId, String memberId, String groupInstanceId) {
        Group group = shard.group(groupId);
        if (group == null) {
            return UNKNOWN_MEMBER_ID;
        }
        Group.Phase phase = group.phase();
        if (phase.state() == DEAD) {
            return COORDINATOR_NOT_AVAILABLE;
        }
        ErrorCode stranger = group.check(memberId, groupInstanceId);
        Member member = group.member(memberId);
        if (stranger != NONE || member == null) {
            return stranger == NONE ? UNKNOWN_MEMBER_ID : stranger;
        }
        if (generationId != phase.generation()) {
            return ILLEGAL_GENERATION;
        }
        member.seen(time.nowMs());
        return phase.state() == PREPARING_REBALANCE ? REBALANCE_IN_PROGRESS : NONE;
    }

    void leave(String groupId, List<Leaving> leaving, CompletableFuture<Left> answer) {
        Group group = shard.group(groupId);
        if (group != null && group.is(DEAD)) {
            shard.answer(answer, new Left(COORDINATOR_NOT_AVAILABLE, List.of()));
            return;
        }
        List<ErrorCode> outcomes = new ArrayList<>(leaving.size());
        leaving.forEach(one -> outcomes.add(group == null ? UNKNOWN_MEMBER_ID : leave(group, one)));
        shard.answer(answer, new Left(NONE, outcomes));
        if (group != null) {
            shard.dropIfVoid(group);
        }
    }

    private ErrorCode leave(Group group, Leaving leaving) {
        String memberId = leaving.memberId();
        if (memberId.isEmpty()) {
            // An administrator removes a static member by its group.instance.id alone.
            String current = leaving.groupInstanceId() == null ? null : group.memberIdOf(leaving.groupInstanceId());
            if (current == null) {
                return UNKNOWN_MEMBER_ID;
            }
            memberId = current;
        } else if (group.isPending(memberId)) {
            forgetPending(group, memberId);
            return NONE;
        }
        ErrorCode stranger = group.check(memberId, leaving.groupInstanceId());
        if (stranger == NONE) {
            remove(group, group.member(memberId), "it leaves");
        }
        return stranger;
    }

    private void remove(Group group, Member member, String reason) {
        drop(group, member);
        if (group.is(PREPARING_REBALANCE)) {
            completeIfAllJoined(group);
        } else {
            rebalance(group, "member " + member.id() + " is removed because " + reason);
        }
    }

    private void drop(Group group, Member member) {
        answerJoin(group, member, Joined.failed(UNKNOWN_MEMBER_ID, ""));
        answerSync(member, Synced.failed(UNKNOWN_MEMBER_ID));
        group.remove(member);
    }

    /** Starts the member's session timeout anew. */
    private void watch(Group group, Member member) {
        long now = time.nowMs();
        member.seen(now);
        member.expiry(timers.at(now + timeoutMs(member), () -> expire(group, member)));
    }

    private static long timeoutMs(Member member) {
        return member.isJoiningFirst() ? GroupLimits.NEW_MEMBER_JOIN_TIMEOUT.toMillis() : member.sessionTimeoutMs();
    }

    /**
     * Runs when the session timer of a member fires. If the member was heard of meanwhile, the timer is set again; else the
     * member is removed. A heartbeat itself sets no timer, so that heartbeats cost no work on the shard's executor.
     */
    private void expire(Group group, Member member) {
        if (group.member(member.id()) != member) {
            return;
        }
        long now = time.nowMs();
        boolean awaitsAnswer = !member.isJoiningFirst() && (member.isJoining() || member.syncing() != null);
        long heard = awaitsAnswer ? now : Math.max(member.lastSeenMs(), timers.resumedAtMs());
        if (heard + timeoutMs(member) > now) {
            member.expiry(timers.at(heard + timeoutMs(member), () -> expire(group, member)));
            return;
        }
        LOG.info("Member {} of group {} is removed: no heartbeat for {} ms", member.id(), group.id(), now - heard);
        counters.expiredMembers.increment();
        remove(group, member, "its session expired");
        shard.dropIfVoid(group);
    }

    private void answerJoin(Group group, Member member, Joined joined) {
        CompletableFuture<Joined> waiting = group.join(member, null);
        if (waiting != null) {
            shard.answer(waiting, joined);
        }
    }

    private void answerSync(Member member, Synced synced) {
        if (member.syncing() != null) {
            shard.answer(member.syncing(), synced);
            member.syncing(null);
        }
    }

    // ---- load and unload

    /**
     * Starts the session timeouts of a group that was loaded. They start anew, because no coordinator received heartbeats
     * while the group was loading.
     */
    void resume(Group group) {
        group.members().forEach(member -> watch(group, member));
        if (group.size() > broker().getInt(BrokerConfig.GROUP_MAX_SIZE)) {
            rebalance(group, "it has more members than group.max.size allows");
        }
    }

    /** Answers NOT_COORDINATOR to all requests that wait, when this broker no longer coordinates the group. */
    void farewell(Group group) {
        for (Member member : group.members()) {
            answerJoin(group, member, Joined.failed(NOT_COORDINATOR, member.id()));
            answerSync(member, Synced.failed(NOT_COORDINATOR));
        }
        group.dispose();
        group.become(DEAD, time.calendarMs());
    }

    private BrokerConfig broker() {
        return shard.configs().broker();
    }
}
