package io.felice.coordinator;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.config.BrokerConfig;
import io.felice.api.group.Groups.Join;
import io.felice.api.group.Groups.Joined;
import io.felice.api.group.Groups.JoinedMember;
import io.felice.api.group.Groups.Leaving;
import io.felice.api.group.Groups.OffsetToCommit;
import io.felice.api.group.Groups.Protocol;
import io.felice.api.group.Groups.State;
import io.felice.api.group.Groups.Sync;
import io.felice.api.group.Groups.Synced;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** A coordinator with a fake broker and a virtual clock, and the steps that tests use. */
final class Stage {
    static final String GROUP = "orders";
    static final Duration SESSION = Duration.ofSeconds(10);
    static final Duration REBALANCE = Duration.ofSeconds(60);
    static final TopicPartition T0 = new TopicPartition("t", 0);
    static final TopicPartition T1 = new TopicPartition("t", 1);

    final VirtualTime time = new VirtualTime();
    final FakeBroker broker = new FakeBroker();
    private long ids;
    GroupCoordinator groups;

    Stage() {
        this(1);
    }

    /** @param partitions of the offsets topic; 0 if it does not exist yet */
    Stage(int partitions) {
        Thread.currentThread().setUncaughtExceptionHandler((thread, failure) -> {
            throw new AssertionError("a task of a shard failed", failure);
        });
        broker.set(BrokerConfig.GROUP_INITIAL_REBALANCE_DELAY_MS, 0);
        broker.set(BrokerConfig.OFFSETS_TOPIC_PARTITIONS, 4);
        broker.createTopic("t", 3);
        if (partitions > 0) {
            broker.createOffsetsTopic(partitions);
        }
        start();
        time.settle();
    }

    /** Starts a new coordinator on the present log; its shards are not loaded yet. */
    void start() {
        groups = new GroupCoordinator(
                broker, broker, broker, time.time(), time.view(), time.view(), () -> new UUID(7, ids++));
        groups.bindAdmin(broker.admin);
    }

    /** Replaces the coordinator as an update of the bundle does: the old one stops, the new one loads the log. */
    void restart() {
        groups.deactivate();
        start();
        time.settle();
    }

    FakePartition offsetsLog() {
        return broker.partition(0);
    }

    // ---- members

    static Join join(String memberId) {
        return join(memberId, null, List.of(protocol("range", "m")));
    }

    static Join join(String memberId, String instanceId, List<Protocol> protocols) {
        return new Join(
                GROUP,
                memberId,
                instanceId,
                "client",
                "/host",
                true,
                true,
                SESSION,
                REBALANCE,
                "consumer",
                protocols,
                null);
    }

    static Protocol protocol(String name, String metadata) {
        return new Protocol(name, metadata.getBytes(UTF_8));
    }

    CompletableFuture<Joined> joins(Join request) {
        return groups.join(request).toCompletableFuture();
    }

    /** A new dynamic member gets its id, then joins with it. */
    CompletableFuture<Joined> joinsAnew(List<Protocol> protocols) {
        Joined told = joins(join("", null, protocols)).join();
        assertThat(told.error()).isEqualTo(ErrorCode.MEMBER_ID_REQUIRED);
        return joins(join(told.memberId(), null, protocols));
    }

    CompletableFuture<Joined> joinsAnew() {
        return joinsAnew(List.of(protocol("range", "m")));
    }

    /** The answer of a stage that must be complete already. */
    static <T> T now(CompletionStage<T> stage) {
        assertThat(stage.toCompletableFuture()).isCompleted();
        return stage.toCompletableFuture().join();
    }

    static ErrorCode errorOf(CompletableFuture<Joined> join) {
        return now(join).error();
    }

    CompletableFuture<Synced> syncs(int generation, String memberId, Map<String, String> assignments) {
        return syncs(generation, memberId, null, assignments);
    }

    CompletableFuture<Synced> syncs(
            int generation, String memberId, String instanceId, Map<String, String> assignments) {
        Map<String, byte[]> bytes = new HashMap<>();
        assignments.forEach((id, assignment) -> bytes.put(id, assignment.getBytes(UTF_8)));
        return groups.sync(new Sync(GROUP, generation, memberId, instanceId, "consumer", "range", bytes))
                .toCompletableFuture();
    }

    /** All members sync; the leader sends each member its member id as assignment. */
    void allSync(List<Joined> members) {
        Joined leader = leaderOf(members);
        Map<String, String> assignments = new HashMap<>();
        leader.members().forEach(m -> assignments.put(m.memberId(), "for " + m.memberId()));
        List<CompletableFuture<Synced>> answers = new ArrayList<>();
        for (Joined member : members) {
            boolean leads = member == leader;
            answers.add(syncs(member.generationId(), member.memberId(), leads ? assignments : Map.of()));
        }
        answers.forEach(answer -> assertThat(now(answer).error()).isEqualTo(ErrorCode.NONE));
    }

    static Joined leaderOf(List<Joined> members) {
        return members.stream()
                .filter(m -> m.memberId().equals(m.leaderId()))
                .findFirst()
                .orElseThrow();
    }

    /** Makes a stable group of dynamic members. Returns the answers to their joins. */
    List<Joined> stableGroup(int size) {
        return stableGroup(size, List.of(protocol("range", "m")));
    }

    List<Joined> stableGroup(int size, List<Protocol> protocols) {
        broker.set(BrokerConfig.GROUP_INITIAL_REBALANCE_DELAY_MS, 100);
        List<CompletableFuture<Joined>> joins = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            joins.add(joinsAnew(protocols));
        }
        time.advance(Duration.ofSeconds(1));
        broker.set(BrokerConfig.GROUP_INITIAL_REBALANCE_DELAY_MS, 0);
        List<Joined> members = joins.stream().map(Stage::now).toList();
        allSync(members);
        return members;
    }

    ErrorCode heartbeat(Joined member) {
        return groups.heartbeat(GROUP, member.generationId(), member.memberId(), null);
    }

    ErrorCode leaves(String memberId) {
        return now(groups.leave(GROUP, List.of(new Leaving(memberId, null, null))))
                .members()
                .get(0);
    }

    State state() {
        return now(groups.describe(GROUP)).state();
    }

    static List<String> idsOf(List<JoinedMember> roster) {
        return roster.stream().map(JoinedMember::memberId).toList();
    }

    // ---- offsets

    CompletableFuture<Map<TopicPartition, ErrorCode>> commits(Joined member, TopicPartition partition, long offset) {
        return commits(member.generationId(), member.memberId(), partition, offset);
    }

    CompletableFuture<Map<TopicPartition, ErrorCode>> commits(
            int generation, String memberId, TopicPartition partition, long offset) {
        return groups.commit(GROUP, generation, memberId, null, Map.of(partition, offset(offset)))
                .toCompletableFuture();
    }

    /** Commits as a consumer without a group membership does. */
    ErrorCode commitsSimply(TopicPartition partition, long offset) {
        return now(commits(-1, "", partition, offset)).get(partition);
    }

    static OffsetToCommit offset(long offset) {
        return new OffsetToCommit(offset, -1, "", -1);
    }

    long committed(TopicPartition partition) {
        return now(groups.fetchOffsets(GROUP, Optional.of(List.of(partition)), false))
                .offsets()
                .get(partition)
                .offset();
    }

    long status(String what) {
        return (Long) groups.tables().get(1).value(what).orElseThrow();
    }
}
