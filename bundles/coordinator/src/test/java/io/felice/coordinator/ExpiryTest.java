package io.felice.coordinator;

import static io.felice.coordinator.Stage.GROUP;
import static io.felice.coordinator.Stage.T0;
import static io.felice.coordinator.Stage.T1;
import static io.felice.coordinator.Stage.now;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.TopicPartition;
import io.felice.api.config.BrokerConfig;
import io.felice.api.group.Groups.Joined;
import io.felice.api.group.Groups.OffsetToCommit;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Committed offsets and groups expire (KIP-211). */
class ExpiryTest {
    private static final Duration RETENTION = Duration.ofMinutes(60);
    private static final Duration CHECK = Duration.ofMinutes(10);

    private final Stage stage = new Stage();

    ExpiryTest() {
        stage.broker.set(BrokerConfig.OFFSETS_RETENTION_MINUTES, RETENTION.toMinutes());
    }

    /** Advances the clock while the member sends heartbeats. */
    private void keepAlive(Joined member, Duration howLong) {
        for (long s = 0; s < howLong.toSeconds(); s += 5) {
            stage.heartbeat(member);
            stage.time.advance(Duration.ofSeconds(5));
        }
    }

    @Test
    void offsetsOfSimpleConsumersExpireOneByOneAfterTheirCommit() {
        stage.commitsSimply(T0, 1);
        stage.time.advance(RETENTION.minus(CHECK));
        stage.commitsSimply(T1, 2);

        stage.time.advance(CHECK.multipliedBy(2));

        assertThat(stage.committed(T0)).isEqualTo(-1);
        assertThat(stage.committed(T1)).isEqualTo(2);
        stage.time.advance(RETENTION);
        assertThat(now(stage.groups.list())).isEmpty();
        stage.restart();
        assertThat(now(stage.groups.list())).isEmpty();
    }

    @Test
    void offsetsOfAGroupStayWhileItHasMembers() {
        Joined member = stage.stableGroup(1).get(0);
        stage.commits(member, T0, 1);

        keepAlive(member, RETENTION.plus(CHECK));

        assertThat(stage.committed(T0)).isEqualTo(1);
    }

    @Test
    void offsetsOfAGroupExpireAfterItBecameEmptyNotAfterTheirCommit() {
        Joined member = stage.stableGroup(1).get(0);
        stage.commits(member, T0, 1);
        keepAlive(member, RETENTION);
        stage.leaves(member.memberId());
        stage.time.advance(RETENTION.minus(CHECK));
        assertThat(stage.committed(T0)).isEqualTo(1);

        stage.time.advance(CHECK.multipliedBy(2));

        assertThat(now(stage.groups.list())).isEmpty();
        stage.restart();
        assertThat(now(stage.groups.list())).isEmpty();
    }

    @Test
    void whenAGroupBecameEmptyIsRememberedAcrossAReload() {
        Joined member = stage.stableGroup(1).get(0);
        stage.commits(member, T0, 1);
        stage.leaves(member.memberId());
        stage.time.advance(RETENTION.minus(CHECK.multipliedBy(2)));
        stage.restart();
        stage.time.advance(CHECK);
        assertThat(stage.committed(T0)).isEqualTo(1);

        stage.time.advance(CHECK.multipliedBy(2));

        assertThat(now(stage.groups.list())).isEmpty();
    }

    @Test
    void anEmptyGroupWithoutOffsetsGoesAtTheNextCheck() {
        Joined member = stage.stableGroup(1).get(0);
        stage.leaves(member.memberId());
        assertThat(now(stage.groups.list())).hasSize(1);

        stage.time.advance(CHECK.multipliedBy(2));

        assertThat(now(stage.groups.list())).isEmpty();
    }

    @Test
    void clientsThatAskForTheirOwnRetentionGetIt() {
        long soon = stage.time.calendarMs() + Duration.ofMinutes(15).toMillis();
        now(stage.groups.commit(GROUP, -1, "", null, Map.of(T0, new OffsetToCommit(1, -1, "", soon))));
        stage.restart();
        stage.time.advance(CHECK);
        assertThat(stage.committed(T0)).isEqualTo(1);

        stage.time.advance(CHECK);

        assertThat(stage.committed(T0)).isEqualTo(-1);
    }

    @Test
    void aCommitUnderWayIsNotExpired() {
        stage.commitsSimply(T0, 1);
        stage.time.advance(RETENTION.minusMinutes(1));
        stage.offsetsLog().hold();
        var commit = stage.commits(-1, "", T0, 2);
        stage.time.advance(CHECK);

        stage.offsetsLog().release();

        assertThat(commit).isCompleted();
        assertThat(stage.committed(T0)).isEqualTo(2);
        stage.restart();
        assertThat(stage.committed(T0)).isEqualTo(2);
    }

    @Test
    void offsetsOfADeletedTopicGoWithIt() {
        stage.broker.createTopic("doomed", 2);
        TopicPartition doomed = new TopicPartition("doomed", 1);
        stage.commitsSimply(T0, 1);
        stage.commitsSimply(doomed, 2);

        stage.broker.deleteTopic("doomed");

        assertThat(stage.committed(doomed)).isEqualTo(-1);
        assertThat(stage.committed(T0)).isEqualTo(1);
        stage.restart();
        assertThat(stage.committed(doomed)).isEqualTo(-1);
    }

    @Test
    void offsetsOfATopicThatWasDeletedWhileNobodyWatchedGoAtACheck() {
        stage.broker.createTopic("doomed", 2);
        TopicPartition doomed = new TopicPartition("doomed", 1);
        stage.commitsSimply(doomed, 2);
        stage.groups.deactivate();
        stage.broker.deleteTopic("doomed");
        stage.start();
        stage.time.settle();
        assertThat(stage.committed(doomed)).isEqualTo(2);

        stage.time.advance(CHECK.multipliedBy(2));

        assertThat(stage.committed(doomed)).isEqualTo(-1);
    }

    @Test
    void moreTombstonesThanABatchHoldsAreWrittenInSeveral() {
        stage.broker.createTopic("wide", 2500);
        for (int i = 0; i < 2500; i++) {
            stage.commitsSimply(new TopicPartition("wide", i), i);
        }

        stage.time.advance(RETENTION.plus(CHECK));

        assertThat(now(stage.groups.list())).isEmpty();
        assertThat(stage.status("expired.offsets")).isEqualTo(2500);
        stage.restart();
        assertThat(now(stage.groups.list())).isEmpty();
    }
}
