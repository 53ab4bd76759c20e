package io.felice.coordinator;

import static io.felice.coordinator.Stage.GROUP;
import static io.felice.coordinator.Stage.REBALANCE;
import static io.felice.coordinator.Stage.SESSION;
import static io.felice.coordinator.Stage.T0;
import static io.felice.coordinator.Stage.errorOf;
import static io.felice.coordinator.Stage.join;
import static io.felice.coordinator.Stage.now;
import static io.felice.coordinator.Stage.offset;
import static io.felice.coordinator.Stage.protocol;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.ErrorCode;
import io.felice.api.config.BrokerConfig;
import io.felice.api.group.Groups.Join;
import io.felice.api.group.Groups.Joined;
import io.felice.api.group.Groups.Leaving;
import io.felice.api.group.Groups.Protocol;
import io.felice.api.group.Groups.State;
import io.felice.api.group.Groups.Synced;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Static members (KIP-345): their process may restart without a rebalance. */
class StaticMemberTest {
    private static final List<Protocol> RANGE = List.of(protocol("range", "m"));

    private final Stage stage = new Stage();

    /** Makes a stable group of the static members a and b; the first of them to join is the leader. */
    private List<Joined> stable() {
        stage.broker.set(BrokerConfig.GROUP_INITIAL_REBALANCE_DELAY_MS, 100);
        CompletableFuture<Joined> a = stage.joins(join("", "a", RANGE));
        CompletableFuture<Joined> b = stage.joins(join("", "b", RANGE));
        stage.time.advance(Duration.ofSeconds(1));
        stage.broker.set(BrokerConfig.GROUP_INITIAL_REBALANCE_DELAY_MS, 0);
        List<Joined> members = List.of(now(a), now(b));
        assertThat(members.get(0).leaderId()).isEqualTo(members.get(0).memberId());
        stage.allSync(members);
        return members;
    }

    @Test
    void aStaticMemberJoinsAtOnceUnderItsName() {
        CompletableFuture<Joined> joined = stage.joins(join("", "a", RANGE));
        stage.time.settle();

        assertThat(now(joined).memberId()).startsWith("a-");
        assertThat(now(joined).members().get(0).groupInstanceId()).isEqualTo("a");
    }

    @Test
    void aRestartedFollowerGetsItsAssignmentBackWithoutARebalance() {
        List<Joined> members = stable();

        Joined back = now(stage.joins(join("", "b", RANGE)));

        assertThat(back.generationId()).isEqualTo(1);
        assertThat(back.memberId()).isNotEqualTo(members.get(1).memberId());
        assertThat(back.skipAssignment()).isFalse();
        assertThat(stage.state()).isEqualTo(State.STABLE);
        Synced synced = now(stage.syncs(1, back.memberId(), "b", Map.of()));
        assertThat(synced.assignment())
                .asString()
                .isEqualTo("for " + members.get(1).memberId());
        assertThat(stage.heartbeat(members.get(0))).isEqualTo(ErrorCode.NONE);
    }

    @Test
    void aRestartedLeaderIsToldToSkipTheAssignment() {
        stable();

        Joined back = now(stage.joins(join("", "a", RANGE)));

        assertThat(back.leaderId()).isEqualTo(back.memberId());
        assertThat(back.skipAssignment()).isTrue();
        assertThat(back.members()).hasSize(2);
    }

    @Test
    void aRestartedLeaderOfOldVersionsIsNotToldThatItLeads() {
        List<Joined> members = stable();
        Join old =
                new Join(GROUP, "", "a", "client", "/host", true, false, SESSION, REBALANCE, "consumer", RANGE, null);

        Joined back = now(stage.joins(old));

        assertThat(back.leaderId()).isEqualTo(members.get(0).memberId());
        assertThat(back.members()).isEmpty();
        assertThat(back.skipAssignment()).isFalse();
    }

    @Test
    void theOneBeforeIsFencedEverywhere() {
        Joined before = stable().get(1);
        stage.joins(join("", "b", RANGE));
        String id = before.memberId();

        assertThat(stage.groups.heartbeat(GROUP, 1, id, "b")).isEqualTo(ErrorCode.FENCED_INSTANCE_ID);
        assertThat(errorOf(stage.joins(join(id, "b", RANGE)))).isEqualTo(ErrorCode.FENCED_INSTANCE_ID);
        assertThat(now(stage.syncs(1, id, "b", Map.of())).error()).isEqualTo(ErrorCode.FENCED_INSTANCE_ID);
        assertThat(now(stage.groups.commit(GROUP, 1, id, "b", Map.of(T0, offset(1)))))
                .containsEntry(T0, ErrorCode.FENCED_INSTANCE_ID);
        assertThat(now(stage.groups.leave(GROUP, List.of(new Leaving(id, "b", null))))
                        .members())
                .containsExactly(ErrorCode.FENCED_INSTANCE_ID);
    }

    @Test
    void theOneBeforeIsFencedWhileItWaits() {
        stable();
        Joined b = now(stage.joins(join("", "b", RANGE)));
        CompletableFuture<Joined> waiting =
                stage.joins(join(b.memberId(), "b", List.of(protocol("range", "other topics"))));
        assertThat(waiting).isNotDone();

        stage.joins(join("", "b", RANGE));

        assertThat(errorOf(waiting)).isEqualTo(ErrorCode.FENCED_INSTANCE_ID);
    }

    @Test
    void aRestartThatChangesTheChosenProtocolStartsARebalance() {
        List<Protocol> both = List.of(protocol("range", ""), protocol("sticky", ""));
        stage.broker.set(BrokerConfig.GROUP_INITIAL_REBALANCE_DELAY_MS, 100);
        CompletableFuture<Joined> a = stage.joins(join("", "a", both));
        CompletableFuture<Joined> b = stage.joins(join("", "b", both));
        stage.time.advance(Duration.ofSeconds(1));
        stage.allSync(List.of(now(a), now(b)));

        CompletableFuture<Joined> back = stage.joins(join("", "b", List.of(protocol("sticky", ""))));

        assertThat(back).isNotDone();
        assertThat(stage.state()).isEqualTo(State.PREPARING_REBALANCE);
    }

    @Test
    void aRestartBeforeTheSyncStartsARebalance() {
        List<Joined> members = stable();
        CompletableFuture<Joined> a = stage.joins(join(members.get(0).memberId(), "a", RANGE));
        stage.joins(join(members.get(1).memberId(), "b", RANGE));
        assertThat(now(a).generationId()).isEqualTo(2);

        stage.joins(join("", "b", RANGE));

        assertThat(stage.state()).isEqualTo(State.PREPARING_REBALANCE);
    }

    @Test
    void theNewIdIsKnownAfterAReload() {
        stable();
        Joined back = now(stage.joins(join("", "b", RANGE)));

        stage.restart();

        assertThat(stage.groups.heartbeat(GROUP, 1, back.memberId(), "b")).isEqualTo(ErrorCode.NONE);
    }

    @Test
    void aRestartThatCannotBeWrittenChangesNothing() {
        List<Joined> members = stable();
        stage.offsetsLog().refuse(ErrorCode.NOT_ENOUGH_REPLICAS);

        Joined back = now(stage.joins(join("", "b", RANGE)));

        assertThat(back.error()).isEqualTo(ErrorCode.COORDINATOR_NOT_AVAILABLE);
        assertThat(stage.groups.heartbeat(GROUP, 1, members.get(1).memberId(), "b"))
                .isEqualTo(ErrorCode.NONE);
    }

    @Test
    void aRestartBeingWrittenIsAnsweredByTheRebalanceThatBeginsMeanwhile() {
        List<Joined> members = stable();
        stage.offsetsLog().hold();
        CompletableFuture<Joined> b = stage.joins(join("", "b", RANGE));
        CompletableFuture<Joined> a = stage.joins(join(members.get(0).memberId(), "a", RANGE));

        stage.offsetsLog().release();

        assertThat(now(a).generationId()).isEqualTo(2);
        assertThat(now(b).generationId()).isEqualTo(2);
    }

    @Test
    void aStaticMemberThatMissesARebalanceKeepsItsPlaceUntilItsSessionExpires() {
        List<Joined> members = stable();
        Join slow = new Join(
                GROUP,
                members.get(0).memberId(),
                "a",
                "client",
                "/host",
                true,
                true,
                SESSION,
                Duration.ofSeconds(5),
                "consumer",
                RANGE,
                null);
        stage.joins(slow);
        CompletableFuture<Joined> other = stage.joins(join("", "c", RANGE));
        assertThat(other).isNotDone();
        for (int s = 0; s < 60; s += 5) {
            stage.groups.heartbeat(GROUP, 1, members.get(1).memberId(), "b");
            stage.time.advance(Duration.ofSeconds(5));
        }

        assertThat(now(other).generationId()).isEqualTo(2);
        assertThat(stage.status("members")).isEqualTo(3);
        stage.time.advance(Duration.ofSeconds(11));
        assertThat(stage.groups.heartbeat(GROUP, 1, members.get(1).memberId(), "b"))
                .isEqualTo(ErrorCode.UNKNOWN_MEMBER_ID);
    }

    @Test
    void anAdministratorRemovesAStaticMemberByItsName() {
        Joined b = stable().get(1);

        var left = now(stage.groups.leave(GROUP, List.of(new Leaving("", "b", "removed by hand"))));

        assertThat(left.members()).containsExactly(ErrorCode.NONE);
        assertThat(stage.groups.heartbeat(GROUP, 1, b.memberId(), "b")).isEqualTo(ErrorCode.UNKNOWN_MEMBER_ID);
    }
}
