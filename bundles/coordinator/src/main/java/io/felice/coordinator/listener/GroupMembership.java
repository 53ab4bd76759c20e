package io.felice.coordinator.listener;

import static java.util.stream.Collectors.toMap;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.TopicView;
import io.felice.api.group.Groups;
import io.felice.api.group.Groups.Join;
import io.felice.api.group.Groups.Joined;
import io.felice.api.group.Groups.JoinedMember;
import io.felice.api.group.Groups.Leaving;
import io.felice.api.group.Groups.OffsetToCommit;
import io.felice.api.group.Groups.Protocol;
import io.felice.api.group.Groups.Sync;
import io.felice.api.group.Groups.Synced;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;

/**
 * One member of a consumer group, as a consumer of Kafka is one: joins, gets partitions, sends heartbeats, commits offsets
 * and leaves. {@link #heartbeat} runs on a timer's thread, everything else on the listener's thread.
 */
final class GroupMembership {
    private static final Duration SESSION = Duration.ofSeconds(30);
    private static final Duration REBALANCE = Duration.ofMinutes(1);
    private static final String HOST = "/127.0.0.1";

    private final Groups groups;
    private final ClusterMetadata metadata;
    private final String group;
    private final String clientId;
    private final Waiting waiting;

    private volatile String memberId = "";
    private volatile int generation = -1;
    private volatile boolean mustJoin = true;

    /** Waits for an answer. */
    interface Waiting {
        /** @throws io.felice.api.FeliceException the failure of the stage, or REQUEST_TIMED_OUT */
        <T> T get(CompletionStage<T> stage);
    }

    GroupMembership(Groups groups, ClusterMetadata metadata, String group, String clientId, Waiting waiting) {
        this.groups = groups;
        this.metadata = metadata;
        this.group = group;
        this.clientId = clientId;
        this.waiting = waiting;
    }

    /** True if this is no member, or the group rebalances. */
    boolean mustJoin() {
        return mustJoin;
    }

    void joinAgain() {
        mustJoin = true;
    }

    /**
     * Joins the group and returns the assigned partitions.
     *
     * @throws io.felice.api.FeliceException if the group cannot be joined now
     */
    List<TopicPartition> join(Set<String> topics) {
        int coordinator = waiting.get(groups.coordinatorOf(group));
        if (coordinator != metadata.brokerId()) {
            throw ErrorCode.NOT_COORDINATOR.because("Broker " + coordinator + " coordinates the group " + group);
        }
        Joined joined = waiting.get(groups.join(new Join(
                group,
                memberId,
                null,
                clientId,
                HOST,
                false,
                false,
                SESSION,
                REBALANCE,
                ConsumerAssignments.PROTOCOL_TYPE,
                List.of(new Protocol(ConsumerAssignments.RANGE, ConsumerAssignments.subscription(topics))),
                null)));
        check(joined.error(), "joined");
        memberId = joined.memberId();
        generation = joined.generationId();
        Synced synced = waiting.get(groups.sync(new Sync(
                group,
                generation,
                memberId,
                null,
                joined.protocolType(),
                joined.protocolName(),
                joined.leaderId().equals(memberId) ? assign(joined.members()) : Map.of())));
        check(synced.error(), "joined");
        mustJoin = false;
        return ConsumerAssignments.partitions(synced.assignment());
    }

    private Map<String, byte[]> assign(List<JoinedMember> members) {
        Map<String, Set<String>> subscriptions = new HashMap<>();
        members.forEach(member -> subscriptions.put(member.memberId(), ConsumerAssignments.topics(member.metadata())));
        Set<String> wanted = new HashSet<>();
        subscriptions.values().forEach(wanted::addAll);
        Map<String, Integer> counts = metadata.view().topics().stream()
                .filter(topic -> wanted.contains(topic.name()))
                .collect(toMap(TopicView::name, topic -> topic.partitions().size()));
        Map<String, byte[]> assignments = new HashMap<>();
        ConsumerAssignments.range(subscriptions, new TreeMap<>(counts))
                .forEach((member, partitions) -> assignments.put(member, ConsumerAssignments.assignment(partitions)));
        return assignments;
    }

    private void check(ErrorCode error, String what) {
        if (error == ErrorCode.NONE) {
            return;
        }
        lost(error);
        throw error.because("The group " + group + " cannot be " + what + ": " + error);
    }

    private void lost(ErrorCode error) {
        mustJoin = true;
        if (error == ErrorCode.UNKNOWN_MEMBER_ID || error == ErrorCode.ILLEGAL_GENERATION) {
            memberId = "";
            generation = -1;
        }
    }

    /** Keeps the session alive. */
    void heartbeat() {
        if (!memberId.isEmpty() && !mustJoin) {
            ErrorCode error = groups.heartbeat(group, generation, memberId, null);
            if (error == ErrorCode.REBALANCE_IN_PROGRESS
                    || error == ErrorCode.UNKNOWN_MEMBER_ID
                    || error == ErrorCode.ILLEGAL_GENERATION) {
                mustJoin = true;
            }
        }
    }

    /** The committed offsets; -1 for a partition without one. */
    Map<TopicPartition, Long> committed(List<TopicPartition> partitions) {
        Groups.FetchedOffsets fetched = waiting.get(groups.fetchOffsets(group, Optional.of(partitions), false));
        check(fetched.error(), "asked for its offsets");
        Map<TopicPartition, Long> offsets = new HashMap<>();
        for (TopicPartition partition : partitions) {
            Groups.CommittedOffset offset = fetched.offsets().get(partition);
            check(offset.error(), "asked for the offset of " + partition);
            offsets.put(partition, offset.offset());
        }
        return offsets;
    }

    /** @return the partitions whose offsets are committed */
    List<TopicPartition> commit(Map<TopicPartition, Long> offsets) {
        Map<TopicPartition, OffsetToCommit> wanted = new HashMap<>();
        offsets.forEach((partition, offset) -> wanted.put(partition, new OffsetToCommit(offset, -1, "", -1)));
        Map<TopicPartition, ErrorCode> errors = waiting.get(groups.commit(group, generation, memberId, null, wanted));
        List<TopicPartition> committed = new ArrayList<>();
        errors.forEach((partition, error) -> {
            switch (error) {
                case NONE -> committed.add(partition);
                case REBALANCE_IN_PROGRESS, UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION -> lost(error);
                case UNKNOWN_TOPIC_OR_PARTITION -> committed.add(partition);
                default -> throw error.because("The offset of " + partition + " cannot be committed: " + error);
            }
        });
        return committed;
    }

    void leave() {
        if (!memberId.isEmpty()) {
            waiting.get(groups.leave(group, List.of(new Leaving(memberId, null, "the listener stops"))));
            memberId = "";
        }
    }
}
