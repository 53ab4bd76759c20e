package io.felice.coordinator;

import static io.felice.coordinator.Stage.REBALANCE;
import static io.felice.coordinator.Stage.SESSION;
import static io.felice.coordinator.Stage.errorOf;
import static io.felice.coordinator.Stage.join;
import static io.felice.coordinator.Stage.leaderOf;
import static io.felice.coordinator.Stage.now;
import static io.felice.coordinator.Stage.protocol;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.ErrorCode;
import io.felice.api.group.Groups.Joined;
import io.felice.api.group.Groups.Leaving;
import io.felice.api.group.Groups.State;
import io.felice.api.group.Groups.Sync;
import io.felice.api.group.Groups.Synced;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** The rebalance: how a group gets from one generation to the next. */
class RebalanceTest {
    private final Stage stage = new Stage();

    private static Joined followerOf(List<Joined> members) {
        return members.stream()
                .filter(m -> !m.memberId().equals(m.leaderId()))
                .findFirst()
                .orElseThrow();
    }

    /** Two members whose joins are answered and who have not synced. */
    private List<Joined> completing() {
        List<Joined> members = stage.stableGroup(2);
        CompletableFuture<Joined> leader = stage.joins(join(leaderOf(members).memberId()));
        CompletableFuture<Joined> follower =
                stage.joins(join(followerOf(members).memberId()));
        return List.of(now(leader), now(follower));
    }

    @Test
    void followersWaitForTheLeadersAssignment() {
        List<Joined> members = completing();
        Joined leader = leaderOf(members);
        Joined follower = followerOf(members);
        CompletableFuture<Synced> waiting = stage.syncs(2, follower.memberId(), Map.of());
        assertThat(waiting).isNotDone();

        CompletableFuture<Synced> answer =
                stage.syncs(2, leader.memberId(), Map.of(leader.memberId(), "mine", follower.memberId(), "yours"));

        assertThat(now(answer).assignment()).asString().isEqualTo("mine");
        assertThat(now(waiting).assignment()).asString().isEqualTo("yours");
        assertThat(stage.state()).isEqualTo(State.STABLE);
    }

    @Test
    void aMemberTheLeaderForgotGetsAnEmptyAssignment() {
        List<Joined> members = completing();
        stage.syncs(2, leaderOf(members).memberId(), Map.of());

        Synced synced = now(stage.syncs(2, followerOf(members).memberId(), Map.of()));

        assertThat(synced.error()).isEqualTo(ErrorCode.NONE);
        assertThat(synced.assignment()).isEmpty();
    }

    @Test
    void aGenerationIsStableOnlyOnceItIsInTheLog() {
        List<Joined> members = completing();
        stage.offsetsLog().hold();
        CompletableFuture<Synced> leader = stage.syncs(2, leaderOf(members).memberId(), Map.of());
        assertThat(leader).isNotDone();
        assertThat(stage.state()).isEqualTo(State.COMPLETING_REBALANCE);

        stage.offsetsLog().release();

        assertThat(now(leader).error()).isEqualTo(ErrorCode.NONE);
        assertThat(stage.state()).isEqualTo(State.STABLE);
    }

    @Test
    void whenTheGenerationCannotBeWrittenTheMembersJoinAgain() {
        List<Joined> members = completing();
        stage.offsetsLog().refuse(ErrorCode.NOT_ENOUGH_REPLICAS);

        Synced leader = now(stage.syncs(2, leaderOf(members).memberId(), Map.of()));

        assertThat(leader.error()).isEqualTo(ErrorCode.COORDINATOR_NOT_AVAILABLE);
        assertThat(stage.state()).isEqualTo(State.PREPARING_REBALANCE);
    }

    @Test
    void aJoinWhileTheGenerationIsBeingWrittenWins() {
        List<Joined> members = completing();
        stage.offsetsLog().hold();
        CompletableFuture<Synced> leader = stage.syncs(2, leaderOf(members).memberId(), Map.of());
        stage.joinsAnew();

        stage.offsetsLog().release();

        assertThat(now(leader).error()).isEqualTo(ErrorCode.REBALANCE_IN_PROGRESS);
        assertThat(stage.state()).isEqualTo(State.PREPARING_REBALANCE);
    }

    @Test
    void heartbeatsTellMembersToJoinAgain() {
        List<Joined> members = stage.stableGroup(2);
        assertThat(stage.heartbeat(members.get(0))).isEqualTo(ErrorCode.NONE);

        CompletableFuture<Joined> third = stage.joinsAnew();

        assertThat(third).isNotDone();
        assertThat(stage.heartbeat(members.get(0))).isEqualTo(ErrorCode.REBALANCE_IN_PROGRESS);
        assertThat(stage.heartbeat(members.get(1))).isEqualTo(ErrorCode.REBALANCE_IN_PROGRESS);
    }

    @Test
    void heartbeatsAreCheckedForMemberAndGeneration() {
        Joined member = stage.stableGroup(1).get(0);

        assertThat(stage.groups.heartbeat("no such group", 1, "m", null)).isEqualTo(ErrorCode.UNKNOWN_MEMBER_ID);
        assertThat(stage.groups.heartbeat(Stage.GROUP, 1, "stranger", null)).isEqualTo(ErrorCode.UNKNOWN_MEMBER_ID);
        assertThat(stage.groups.heartbeat(Stage.GROUP, 7, member.memberId(), null))
                .isEqualTo(ErrorCode.ILLEGAL_GENERATION);
        assertThat(stage.groups.heartbeat("", 1, "m", null)).isEqualTo(ErrorCode.INVALID_GROUP_ID);
    }

    @Test
    void heartbeatsAfterTheJoinAndBeforeTheSyncAreWelcome() {
        assertThat(stage.heartbeat(completing().get(0))).isEqualTo(ErrorCode.NONE);
    }

    @Test
    void aLeaderThatJoinsAgainStartsARebalance() {
        List<Joined> members = stage.stableGroup(2);

        CompletableFuture<Joined> leader = stage.joins(join(leaderOf(members).memberId()));

        assertThat(leader).isNotDone();
        assertThat(stage.state()).isEqualTo(State.PREPARING_REBALANCE);
    }

    @Test
    void aFollowerThatJoinsAgainWithNothingNewGetsTheGenerationThatIs() {
        List<Joined> members = stage.stableGroup(2);

        Joined follower = now(stage.joins(join(followerOf(members).memberId())));

        assertThat(follower.generationId()).isEqualTo(1);
        assertThat(follower.members()).isEmpty();
        assertThat(stage.state()).isEqualTo(State.STABLE);
    }

    @Test
    void aFollowerWithNewMetadataStartsARebalance() {
        List<Joined> members = stage.stableGroup(2);

        CompletableFuture<Joined> follower =
                stage.joins(join(followerOf(members).memberId(), null, List.of(protocol("range", "owns 1,2"))));

        assertThat(follower).isNotDone();
        assertThat(stage.state()).isEqualTo(State.PREPARING_REBALANCE);
    }

    @Test
    void aJoinWhoseAnswerGotLostGetsItAgain() {
        List<Joined> members = completing();
        Joined leader = leaderOf(members);

        Joined again = now(stage.joins(join(leader.memberId())));

        assertThat(again.generationId()).isEqualTo(leader.generationId());
        assertThat(Stage.idsOf(again.members())).containsExactlyInAnyOrderElementsOf(Stage.idsOf(leader.members()));
    }

    @Test
    void whoDoesNotRejoinInTimeIsOut() {
        List<Joined> members = stage.stableGroup(2);
        CompletableFuture<Joined> leader = stage.joins(join(leaderOf(members).memberId()));
        for (int s = 0; s < REBALANCE.toSeconds(); s += 5) {
            stage.heartbeat(followerOf(members));
            stage.time.advance(Duration.ofSeconds(5));
        }

        assertThat(now(leader).members()).hasSize(1);
        assertThat(stage.heartbeat(followerOf(members))).isEqualTo(ErrorCode.UNKNOWN_MEMBER_ID);
    }

    @Test
    void whenTheLeaderIsGoneAnotherLeads() {
        List<Joined> members = stage.stableGroup(2);
        Joined follower = followerOf(members);
        assertThat(stage.leaves(leaderOf(members).memberId())).isEqualTo(ErrorCode.NONE);

        Joined next = now(stage.joins(join(follower.memberId())));

        assertThat(next.leaderId()).isEqualTo(follower.memberId());
        assertThat(next.generationId()).isEqualTo(2);
        assertThat(next.members()).hasSize(1);
    }

    @Test
    void aSilentMemberIsOutAfterItsSession() {
        List<Joined> members = stage.stableGroup(2);
        for (int i = 0; i < 4; i++) {
            stage.time.advance(SESSION.dividedBy(3));
            stage.heartbeat(members.get(0));
        }

        assertThat(stage.heartbeat(members.get(0))).isEqualTo(ErrorCode.REBALANCE_IN_PROGRESS);
        assertThat(stage.heartbeat(members.get(1))).isEqualTo(ErrorCode.UNKNOWN_MEMBER_ID);
        assertThat(stage.status("expired.members")).isEqualTo(1);
    }

    @Test
    void aMemberThatSendsHeartbeatsStays() {
        List<Joined> members = stage.stableGroup(1);
        for (int i = 0; i < 100; i++) {
            stage.time.advance(SESSION.minusMillis(1));
            assertThat(stage.heartbeat(members.get(0))).isEqualTo(ErrorCode.NONE);
        }
    }

    @Test
    void nobodyIsOutBecauseTheBrokerStoodStill() {
        List<Joined> members = stage.stableGroup(2);
        stage.time.freeze(SESSION.multipliedBy(3));
        stage.time.settle();

        assertThat(stage.heartbeat(members.get(0))).isEqualTo(ErrorCode.NONE);
        stage.time.advance(SESSION.plusMillis(1));
        assertThat(stage.heartbeat(members.get(1))).isEqualTo(ErrorCode.UNKNOWN_MEMBER_ID);
    }

    @Test
    void whoJoinsAndNeverSyncsIsOutAfterTheRebalanceTimeout() {
        List<Joined> members = completing();
        Joined leader = leaderOf(members);
        Joined follower = followerOf(members);
        stage.syncs(2, leader.memberId(), Map.of());
        for (int s = 0; s < REBALANCE.toSeconds(); s += 5) {
            stage.heartbeat(leader);
            stage.heartbeat(follower);
            stage.time.advance(Duration.ofSeconds(5));
        }

        assertThat(stage.heartbeat(leader)).isEqualTo(ErrorCode.REBALANCE_IN_PROGRESS);
        assertThat(stage.heartbeat(follower)).isEqualTo(ErrorCode.UNKNOWN_MEMBER_ID);
    }

    @Test
    void syncsAreCheckedForMemberGenerationAndProtocol() {
        Joined member = stage.stableGroup(1).get(0);
        String id = member.memberId();

        assertThat(now(stage.syncs(1, "stranger", Map.of())).error()).isEqualTo(ErrorCode.UNKNOWN_MEMBER_ID);
        assertThat(now(stage.syncs(0, id, Map.of())).error()).isEqualTo(ErrorCode.ILLEGAL_GENERATION);
        assertThat(now(stage.groups.sync(new Sync(Stage.GROUP, 1, id, null, "connect", "range", Map.of())))
                        .error())
                .isEqualTo(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
        assertThat(now(stage.groups.sync(new Sync(Stage.GROUP, 1, id, null, null, "sticky", Map.of())))
                        .error())
                .isEqualTo(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
    }

    @Test
    void aSyncDuringARebalanceIsSentBackToJoin() {
        Joined member = stage.stableGroup(1).get(0);
        stage.joinsAnew();

        assertThat(now(stage.syncs(1, member.memberId(), Map.of())).error()).isEqualTo(ErrorCode.REBALANCE_IN_PROGRESS);
    }

    @Test
    void aSyncThatIsAskedTwiceIsAnsweredTwice() {
        List<Joined> members = completing();
        String follower = followerOf(members).memberId();
        CompletableFuture<Synced> first = stage.syncs(2, follower, Map.of());

        CompletableFuture<Synced> second = stage.syncs(2, follower, Map.of());
        stage.syncs(2, leaderOf(members).memberId(), Map.of(follower, "yours"));

        assertThat(now(first).error()).isEqualTo(ErrorCode.REBALANCE_IN_PROGRESS);
        assertThat(now(second).assignment()).asString().isEqualTo("yours");
    }

    @Test
    void theLastToLeaveLeavesAnEmptyGroupOfTheNextGeneration() {
        Joined member = stage.stableGroup(1).get(0);

        assertThat(stage.leaves(member.memberId())).isEqualTo(ErrorCode.NONE);

        assertThat(stage.state()).isEqualTo(State.EMPTY);
        stage.restart();
        assertThat(stage.state()).isEqualTo(State.EMPTY);
        CompletableFuture<Joined> next = stage.joinsAnew();
        stage.time.settle();
        assertThat(now(next).generationId()).isEqualTo(3);
    }

    @Test
    void whoWaitsForARebalanceAndLeavesIsTold() {
        List<Joined> members = stage.stableGroup(2);
        Joined leader = leaderOf(members);
        CompletableFuture<Joined> waiting = stage.joins(join(leader.memberId()));

        stage.leaves(leader.memberId());

        assertThat(errorOf(waiting)).isEqualTo(ErrorCode.UNKNOWN_MEMBER_ID);
    }

    @Test
    void leavingIsAnsweredMemberByMember() {
        List<Joined> members = stage.stableGroup(1);

        var left = now(stage.groups.leave(
                Stage.GROUP,
                List.of(
                        new Leaving("stranger", null, null),
                        new Leaving(members.get(0).memberId(), null, "done"),
                        new Leaving("", "no such instance", null))));

        assertThat(left.error()).isEqualTo(ErrorCode.NONE);
        assertThat(left.members())
                .containsExactly(ErrorCode.UNKNOWN_MEMBER_ID, ErrorCode.NONE, ErrorCode.UNKNOWN_MEMBER_ID);
    }

    @Test
    void membershipSurvivesAReload() {
        List<Joined> members = stage.stableGroup(3);

        stage.restart();

        members.forEach(member -> assertThat(stage.heartbeat(member)).isEqualTo(ErrorCode.NONE));
        Synced synced = now(stage.syncs(1, members.get(0).memberId(), Map.of()));
        assertThat(synced.assignment())
                .asString()
                .isEqualTo("for " + members.get(0).memberId());
    }

    @Test
    void sessionsBeginAnewAfterAReload() {
        List<Joined> members = stage.stableGroup(2);
        stage.time.advance(SESSION.minusMillis(10));
        stage.restart();
        stage.time.advance(SESSION.minusMillis(10));
        assertThat(stage.heartbeat(members.get(0))).isEqualTo(ErrorCode.NONE);

        stage.time.advance(Duration.ofMillis(20));

        assertThat(stage.heartbeat(members.get(1))).isEqualTo(ErrorCode.UNKNOWN_MEMBER_ID);
    }

    @Test
    void thousandsOfMembersExpireWithOneWakeUpAtATime() {
        List<Joined> members = stage.stableGroup(3000);
        for (int i = 0; i < 3; i++) {
            stage.time.advance(SESSION.minusMillis(1));
            members.subList(0, 1500).forEach(stage::heartbeat);
        }

        assertThat(stage.status("members")).isEqualTo(1500);
        assertThat(stage.heartbeat(members.get(2999))).isEqualTo(ErrorCode.UNKNOWN_MEMBER_ID);
    }
}
