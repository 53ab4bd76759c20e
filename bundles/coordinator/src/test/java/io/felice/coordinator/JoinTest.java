package io.felice.coordinator;

import static io.felice.coordinator.Stage.GROUP;
import static io.felice.coordinator.Stage.REBALANCE;
import static io.felice.coordinator.Stage.SESSION;
import static io.felice.coordinator.Stage.T0;
import static io.felice.coordinator.Stage.errorOf;
import static io.felice.coordinator.Stage.join;
import static io.felice.coordinator.Stage.leaderOf;
import static io.felice.coordinator.Stage.now;
import static io.felice.coordinator.Stage.protocol;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.ErrorCode;
import io.felice.api.config.BrokerConfig;
import io.felice.api.group.Groups.Join;
import io.felice.api.group.Groups.Joined;
import io.felice.api.group.Groups.JoinedMember;
import io.felice.api.group.Groups.Protocol;
import io.felice.api.group.Groups.State;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Members join a group. */
class JoinTest {
    private final Stage stage = new Stage();

    private Join joinWithin(String group, Duration session, String type) {
        return new Join(
                group,
                "",
                null,
                "client",
                "/host",
                true,
                true,
                session,
                REBALANCE,
                type,
                List.of(protocol("a", "")),
                "");
    }

    @Test
    void noFurtherGroupIsMadeWhenTheNodeHasAsManyAsItMay() {
        stage.broker.set(BrokerConfig.GROUPS_MAX, 2);
        commit("first");
        commit("second");

        ErrorCode joined = now(stage.groups.join(join(""))).error();
        ErrorCode committed = commit("third");

        assertThat(joined).isEqualTo(ErrorCode.GROUP_MAX_SIZE_REACHED);
        assertThat(committed).isEqualTo(ErrorCode.GROUP_MAX_SIZE_REACHED);
        assertThat(commit("second")).isEqualTo(ErrorCode.NONE);
        stage.broker.set(BrokerConfig.GROUPS_MAX, 3);
        assertThat(commit("third")).isEqualTo(ErrorCode.NONE);
    }

    private ErrorCode commit(String group) {
        return now(stage.groups.commit(group, -1, "", null, Map.of(T0, Stage.offset(1))))
                .get(T0);
    }

    @Test
    void aNewMemberIsToldItsIdAndMustComeBackWithIt() {
        Joined told = now(stage.joins(join("")));

        assertThat(told.error()).isEqualTo(ErrorCode.MEMBER_ID_REQUIRED);
        assertThat(told.memberId()).startsWith("client-");
        assertThat(stage.state()).isEqualTo(State.EMPTY);
    }

    @Test
    void aClientOfOldVersionsJoinsAtOnce() {
        Join old = new Join(
                GROUP,
                "",
                null,
                "c",
                "/h",
                false,
                false,
                SESSION,
                REBALANCE,
                "consumer",
                List.of(protocol("a", "")),
                null);

        CompletableFuture<Joined> joined = stage.joins(old);
        stage.time.settle();

        assertThat(now(joined).error()).isEqualTo(ErrorCode.NONE);
    }

    @Test
    void theFirstMemberLeadsTheFirstGeneration() {
        CompletableFuture<Joined> joined = stage.joinsAnew();
        stage.time.settle();

        Joined member = now(joined);
        assertThat(member.error()).isEqualTo(ErrorCode.NONE);
        assertThat(member.generationId()).isEqualTo(1);
        assertThat(member.leaderId()).isEqualTo(member.memberId());
        assertThat(member.protocolType()).isEqualTo("consumer");
        assertThat(member.protocolName()).isEqualTo("range");
        assertThat(Stage.idsOf(member.members())).containsExactly(member.memberId());
    }

    @Test
    void anEmptyGroupWaitsForMoreMembersBeforeItsFirstRebalance() {
        stage.broker.set(BrokerConfig.GROUP_INITIAL_REBALANCE_DELAY_MS, 3000);
        CompletableFuture<Joined> first = stage.joinsAnew();
        stage.time.advance(Duration.ofMillis(2900));
        CompletableFuture<Joined> second = stage.joinsAnew();
        stage.time.advance(Duration.ofMillis(2900));
        assertThat(first).isNotDone();

        stage.time.advance(Duration.ofMillis(200));

        assertThat(now(first).generationId()).isEqualTo(1);
        assertThat(now(second).generationId()).isEqualTo(1);
        assertThat(leaderOf(List.of(now(first), now(second))).members()).hasSize(2);
    }

    @Test
    void theInitialDelayEndsAfterTheRebalanceTimeoutHoweverManyArrive() {
        stage.broker.set(BrokerConfig.GROUP_INITIAL_REBALANCE_DELAY_MS, 20_000);
        CompletableFuture<Joined> first = stage.joinsAnew();
        for (int i = 0; i < 5; i++) {
            stage.joinsAnew();
            stage.time.advance(Duration.ofSeconds(11));
        }
        assertThat(first).isNotDone();

        stage.time.advance(Duration.ofSeconds(6));

        assertThat(first).isCompleted();
    }

    @Test
    void theProtocolThatMostMembersLikeBestIsChosenAmongThoseAllKnow() {
        stage.broker.set(BrokerConfig.GROUP_INITIAL_REBALANCE_DELAY_MS, 100);
        CompletableFuture<Joined> one = stage.joinsAnew(List.of(protocol("only-mine", ""), protocol("range", "1")));
        CompletableFuture<Joined> two = stage.joinsAnew(List.of(protocol("sticky", ""), protocol("range", "2")));
        CompletableFuture<Joined> three = stage.joinsAnew(List.of(protocol("range", "3"), protocol("sticky", "")));

        stage.time.advance(Duration.ofSeconds(1));

        Joined leader = leaderOf(List.of(now(one), now(two), now(three)));
        assertThat(leader.protocolName()).isEqualTo("range");
        assertThat(leader.members().stream().map(JoinedMember::metadata).map(String::new))
                .containsExactlyInAnyOrder("1", "2", "3");
    }

    @Test
    void aMemberWithoutAProtocolInCommonIsRefused() {
        stage.stableGroup(1);

        ErrorCode error = errorOf(stage.joins(join("", null, List.of(protocol("other", "")))));

        assertThat(error).isEqualTo(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
    }

    @Test
    void aMemberOfAnotherProtocolTypeIsRefused() {
        stage.stableGroup(1);

        ErrorCode error = errorOf(stage.joins(joinWithin(GROUP, SESSION, "connect")));

        assertThat(error).isEqualTo(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
    }

    @Test
    void aMemberWithoutProtocolsIsRefusedAndLeavesNothingBehind() {
        ErrorCode error = errorOf(stage.joins(join("", null, List.of())));

        assertThat(error).isEqualTo(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
        assertThat(now(stage.groups.list())).isEmpty();
    }

    @Test
    void sessionTimeoutsOutsideTheLimitsAreRefused() {
        assertThat(errorOf(stage.joins(joinWithin(GROUP, Duration.ofSeconds(5), "consumer"))))
                .isEqualTo(ErrorCode.INVALID_SESSION_TIMEOUT);
        assertThat(errorOf(stage.joins(joinWithin(GROUP, Duration.ofHours(1), "consumer"))))
                .isEqualTo(ErrorCode.INVALID_SESSION_TIMEOUT);
    }

    @Test
    void aGroupWithoutANameIsRefused() {
        assertThat(errorOf(stage.joins(joinWithin("", SESSION, "consumer")))).isEqualTo(ErrorCode.INVALID_GROUP_ID);
    }

    @Test
    void anUnknownMemberIdIsRefused() {
        assertThat(errorOf(stage.joins(join("nobody")))).isEqualTo(ErrorCode.UNKNOWN_MEMBER_ID);
        stage.stableGroup(1);
        assertThat(errorOf(stage.joins(join("nobody")))).isEqualTo(ErrorCode.UNKNOWN_MEMBER_ID);
    }

    @Test
    void aFullGroupTakesNobodyElse() {
        stage.stableGroup(2);
        stage.broker.set(BrokerConfig.GROUP_MAX_SIZE, 2);

        ErrorCode error = errorOf(stage.joins(join("")));

        assertThat(error).isEqualTo(ErrorCode.GROUP_MAX_SIZE_REACHED);
    }

    @Test
    void whenAGroupMayBeSmallerTheLastToRejoinIsOut() {
        List<Joined> members = stage.stableGroup(2);
        stage.broker.set(BrokerConfig.GROUP_MAX_SIZE, 1);
        Joined leader = leaderOf(members);
        Joined other = members.stream().filter(m -> m != leader).findFirst().orElseThrow();
        CompletableFuture<Joined> first = stage.joins(join(leader.memberId()));

        ErrorCode error = errorOf(stage.joins(join(other.memberId())));

        assertThat(error).isEqualTo(ErrorCode.GROUP_MAX_SIZE_REACHED);
        assertThat(now(first).members()).hasSize(1);
    }

    @Test
    void metadataThatCouldNeverBeStoredIsRefused() {
        stage.broker.setOnOffsetsTopic("max.message.bytes", 1000);

        ErrorCode error = errorOf(stage.joins(join("", null, List.of(protocol("range", "x".repeat(9000))))));

        assertThat(error).isEqualTo(ErrorCode.GROUP_MAX_SIZE_REACHED);
        assertThat(now(stage.groups.list())).isEmpty();
    }

    @Test
    void anIdThatIsNotUsedInTimeIsForgotten() {
        Joined told = now(stage.joins(join("")));
        stage.time.advance(SESSION.plusMillis(1));

        ErrorCode error = errorOf(stage.joins(join(told.memberId())));

        assertThat(error).isEqualTo(ErrorCode.UNKNOWN_MEMBER_ID);
        assertThat(now(stage.groups.list())).isEmpty();
    }

    @Test
    void aRebalanceWaitsForIdsThatWereGivenOut() {
        List<Joined> members = stage.stableGroup(1);
        Joined told = now(stage.joins(join("")));
        CompletableFuture<Joined> leader = stage.joins(join(members.get(0).memberId()));
        assertThat(leader).isNotDone();

        CompletableFuture<Joined> second = stage.joins(join(told.memberId()));

        assertThat(now(leader).members()).hasSize(2);
        assertThat(now(second).generationId()).isEqualTo(2);
    }

    @Test
    void aMemberThatAsksAgainGetsTheAnswerToItsSecondQuestion() {
        stage.broker.set(BrokerConfig.GROUP_INITIAL_REBALANCE_DELAY_MS, 100);
        String id = now(stage.joins(join(""))).memberId();
        CompletableFuture<Joined> first = stage.joins(join(id));

        CompletableFuture<Joined> second = stage.joins(join(id));
        stage.time.advance(Duration.ofSeconds(1));

        assertThat(errorOf(first)).isEqualTo(ErrorCode.REBALANCE_IN_PROGRESS);
        assertThat(now(second).error()).isEqualTo(ErrorCode.NONE);
        assertThat(now(second).members()).hasSize(1);
    }

    @Test
    void anyProtocolTypeIsServedWithOpaqueMetadata() {
        byte[] opaque = {(byte) 0xff, 0, 1};
        Join worker = new Join(
                GROUP,
                "",
                "worker-1",
                "c",
                "/h",
                true,
                true,
                SESSION,
                REBALANCE,
                "connect",
                List.of(new Protocol("sessioned", opaque)),
                null);

        CompletableFuture<Joined> joined = stage.joins(worker);
        stage.time.settle();

        assertThat(now(joined).protocolType()).isEqualTo("connect");
        assertThat(now(joined).members().get(0).metadata()).isSameAs(opaque);
    }
}
