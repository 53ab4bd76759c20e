package io.felice.coordinator;

import static io.felice.coordinator.Member.NOTHING;
import static io.felice.coordinator.Stage.GROUP;
import static io.felice.coordinator.Stage.T0;
import static io.felice.coordinator.Stage.errorOf;
import static io.felice.coordinator.Stage.join;
import static io.felice.coordinator.Stage.now;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.RecordBatch;
import io.felice.api.TopicPartition;
import io.felice.api.Turn;
import io.felice.api.group.Groups.Joined;
import io.felice.api.group.Groups.Listing;
import io.felice.api.group.Groups.State;
import io.felice.api.group.Groups.Synced;
import io.felice.api.partition.Partition.Acks;
import io.felice.api.partition.Partition.Origin;
import io.felice.coordinator.OffsetsRecord.GroupStored;
import io.felice.coordinator.OffsetsRecord.StoredGroup;
import io.felice.coordinator.OffsetsRecord.StoredMember;
import io.felice.records.BatchBuilder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

/** Shards are loaded when the leadership of their partition begins, and retired when it ends. */
class LoadingTest {
    private final Stage stage = new Stage();

    private void append(byte[] key, byte[] value) {
        RecordBatch batch = new BatchBuilder().add(0, key, value).build();
        stage.offsetsLog().append(batch.bytes(), Acks.ALL, Origin.COORDINATOR, Duration.ofSeconds(1), Turn.IMMEDIATE);
    }

    @Test
    void whileAShardLoadsItSaysSo() {
        Joined member = stage.stableGroup(1).get(0);
        stage.groups.deactivate();
        stage.start();

        assertThat(stage.commitsSimply(T0, 1)).isEqualTo(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS);
        assertThat(errorOf(stage.joins(join("")))).isEqualTo(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS);
        assertThat(now(stage.groups.fetchOffsets(GROUP, Optional.empty(), false))
                        .error())
                .isEqualTo(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS);
        assertThat(now(stage.syncs(1, member.memberId(), Map.of())).error()).isEqualTo(ErrorCode.REBALANCE_IN_PROGRESS);
        assertThat(stage.heartbeat(member)).isEqualTo(ErrorCode.NONE);
        assertThat(stage.status("shards.loading")).isEqualTo(1);
        CompletableFuture<?> list = stage.groups.list().toCompletableFuture();
        assertThat(list).isCompletedExceptionally();

        stage.time.settle();

        assertThat(stage.state()).isEqualTo(State.STABLE);
        assertThat(stage.status("shards.loaded")).isEqualTo(1);
        try {
            list.join();
        } catch (CompletionException failure) {
            assertThat(FeliceException.codeOf(failure)).isEqualTo(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS);
        }
    }

    @Test
    void aPartitionThatIsNotLedHereHasAnotherCoordinator() {
        stage.broker.resign(0);
        stage.broker.deleteTopic("__consumer_offsets");

        assertThat(stage.commitsSimply(T0, 1)).isEqualTo(ErrorCode.NOT_COORDINATOR);
        assertThat(stage.groups.heartbeat(GROUP, 1, "m", null)).isEqualTo(ErrorCode.NOT_COORDINATOR);
        assertThat(now(stage.groups.list())).isEmpty();
    }

    @Test
    void aPartitionThatWillBeOpenedSoonIsLoading() {
        stage.broker.resign(0);

        assertThat(stage.commitsSimply(T0, 1)).isEqualTo(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS);
    }

    @Test
    void groupsAreNotListedWithoutThoseThatAreNotThereYet() {
        Stage two = new Stage(2);
        two.broker.resign(1);

        CompletableFuture<?> list = two.groups.list().toCompletableFuture();

        assertThat(list).isCompletedExceptionally();
        assertThatThrownBy(list::join).satisfies(failure -> assertThat(FeliceException.codeOf(failure))
                .isEqualTo(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS));
    }

    @Test
    void aPartitionThatIsOfflineHidesItsOwnGroupsOnly() {
        Stage two = new Stage(2);
        int own = OffsetsTopic.partitionOf(GROUP, 2);
        two.commitsSimply(T0, 5);

        two.broker.takeOffline(1 - own);

        assertThat(now(two.groups.list())).extracting(Listing::groupId).containsExactly(GROUP);
    }

    /** Heartbeats run on other threads than the shard's: one that read a half-loaded group would be answered UNKNOWN_MEMBER_ID. */
    @Test
    void allGroupsAreWholeBeforeTheFirstIsSetGoing() {
        Shard shard = new Shard(stage.offsetsLog(), 1, stage.broker, () -> 0, stage.time.time(), stage.time.view());
        for (String group : List.of("a", "b", "c")) {
            StoredMember member = new StoredMember("m", null, "client", "/host", 60_000, 10_000, NOTHING, NOTHING);
            shard.replay(new GroupStored(group, new StoredGroup("consumer", 7, "range", "m", 0, List.of(member))));
        }
        List<String> seen = new ArrayList<>();

        shard.activate(ready -> shard.groups()
                .forEach(group -> seen.add(ready.id() + " sees " + group.generation() + " with " + group.size())));

        assertThat(seen).hasSize(9).allMatch(whole -> whole.endsWith(" sees 7 with 1"));
    }

    @Test
    void whoWaitsWhenLeadershipGoesIsToldToLookElsewhere() {
        List<Joined> members = stage.stableGroup(2);
        CompletableFuture<Joined> join =
                stage.joins(join(Stage.leaderOf(members).memberId()));
        assertThat(join).isNotDone();

        stage.broker.resign(0);

        assertThat(errorOf(join)).isEqualTo(ErrorCode.NOT_COORDINATOR);
    }

    @Test
    void aSyncThatWaitsIsToldToo() {
        List<Joined> members = stage.stableGroup(2);
        CompletableFuture<Joined> leader =
                stage.joins(join(Stage.leaderOf(members).memberId()));
        String follower = members.stream()
                .map(Joined::memberId)
                .filter(id -> !id.equals(members.get(0).leaderId()))
                .findFirst()
                .orElseThrow();
        stage.joins(join(follower));
        assertThat(now(leader).generationId()).isEqualTo(2);
        CompletableFuture<Synced> sync = stage.syncs(2, follower, Map.of());

        stage.broker.resign(0);

        assertThat(now(sync).error()).isEqualTo(ErrorCode.NOT_COORDINATOR);
    }

    @Test
    void aShardComesBackWithWhatTheLogSays() {
        Joined member = stage.stableGroup(1).get(0);
        stage.commits(member, T0, 5);
        stage.broker.resign(0);

        stage.broker.lead(0);
        stage.time.settle();

        assertThat(stage.committed(T0)).isEqualTo(5);
        assertThat(stage.heartbeat(member)).isEqualTo(ErrorCode.NONE);
    }

    @Test
    void leadingAgainWithoutHavingResignedLoadsAnew() {
        stage.commitsSimply(T0, 5);
        stage.broker.lead(0);
        stage.time.settle();
        stage.broker.lead(0);
        stage.broker.lead(0);
        stage.time.settle();

        assertThat(stage.committed(T0)).isEqualTo(5);
        assertThat(stage.commitsSimply(T0, 6)).isEqualTo(ErrorCode.NONE);
        assertThat(stage.status("shards.loaded")).isEqualTo(1);
    }

    @Test
    void aReadThatFailsIsTriedAgain() {
        stage.commitsSimply(T0, 5);
        FakePartition partition = stage.broker.lead(0);
        partition.failReads(ErrorCode.KAFKA_STORAGE_ERROR);
        stage.time.advance(Duration.ofSeconds(5));
        assertThat(stage.commitsSimply(T0, 6)).isEqualTo(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS);

        partition.failReads(null);
        stage.time.advance(Duration.ofSeconds(30));

        assertThat(stage.committed(T0)).isEqualTo(5);
    }

    @Test
    void aShardServesNobodyBeforeItsRecordsAreCommitted() {
        stage.offsetsLog().hold();
        stage.commits(-1, "", T0, 5);
        FakePartition next = stage.broker.lead(0);
        stage.time.advance(Duration.ofSeconds(1));
        assertThat(stage.commitsSimply(T0, 6)).isEqualTo(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS);

        next.release();
        stage.time.advance(Duration.ofSeconds(1));

        assertThat(stage.committed(T0)).isEqualTo(5);
    }

    @Test
    void aWriteThatTimedOutIsKnownAsSoonAsItIsCommitted() {
        stage.offsetsLog().hold();
        CompletableFuture<Map<TopicPartition, ErrorCode>> commit = stage.commits(-1, "", T0, 5);
        stage.time.advance(GroupLimits.WRITE_TIMEOUT);
        assertThat(now(commit)).containsEntry(T0, ErrorCode.COORDINATOR_NOT_AVAILABLE);
        assertThat(stage.committed(T0)).isEqualTo(-1);

        stage.offsetsLog().release();

        assertThat(stage.committed(T0)).isEqualTo(5);
    }

    @Test
    void aWriteThatTooFewReplicasHaveIsKnownAsItIsInTheLog() {
        stage.offsetsLog().hold();
        CompletableFuture<Map<TopicPartition, ErrorCode>> commit = stage.commits(-1, "", T0, 5);

        stage.offsetsLog().failHeld(ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND);

        assertThat(now(commit)).containsEntry(T0, ErrorCode.COORDINATOR_NOT_AVAILABLE);
        assertThat(stage.committed(T0)).isEqualTo(5);
    }

    @Test
    void theEndOfADeletedTopicsLeadershipIsNotThatOfItsSuccessor() {
        for (int epochs = 0; epochs < 5; epochs++) {
            stage.broker.lead(0);
        }
        stage.time.settle();

        stage.broker.leadSuccessor(0);
        stage.time.settle();

        assertThat(stage.commitsSimply(T0, 5)).isEqualTo(ErrorCode.NONE);
    }

    @Test
    void aFarewellThatFailsDoesNotHoldUpTheNextLeadership() {
        Shard shard = new Shard(stage.offsetsLog(), 1, stage.broker, () -> 0, stage.time.time(), stage.time.view());
        shard.activate(ready -> {});
        shard.execute(() -> shard.groupOrNew("a"));
        Thread.currentThread().setUncaughtExceptionHandler((thread, expected) -> {});

        CompletionStage<Void> retired = shard.retire(group -> {
            throw new IllegalStateException("a test breaks the farewell of " + group.id());
        });

        assertThat(retired.toCompletableFuture()).isCompleted();
    }

    @Test
    void recordsThatNobodyUnderstandsAreSkipped() {
        stage.commitsSimply(T0, 5);
        append(new byte[] {0, 99, 1, 2, 3}, new byte[] {0, 0});
        append(null, new byte[] {1});
        append(new byte[] {0}, new byte[] {1});
        append(new byte[] {0, 1, 0, 50, 'x'}, new byte[] {0, 3});
        append(new byte[] {0, 2, 0, 1, 'x'}, new byte[] {0, 9, 0, 0});
        append(new byte[] {0, 2, 0, 1, 'x'}, new byte[] {0, 3, 0, 0, 0, 0, 0, 1, -1, -1, -1, -1, 0, 0});
        stage.commitsSimply(new TopicPartition("t", 2), 7);

        stage.restart();

        assertThat(stage.committed(T0)).isEqualTo(5);
        assertThat(stage.committed(new TopicPartition("t", 2))).isEqualTo(7);
        assertThat(now(stage.groups.list())).hasSize(1);
    }

    @Test
    void aCoordinatorThatIsGoneAppendsNothingAndKeepsNobodyWaiting() {
        List<Joined> members = stage.stableGroup(2);
        CompletableFuture<Joined> waiting =
                stage.joins(join(Stage.leaderOf(members).memberId()));
        GroupCoordinator old = stage.groups;

        stage.restart();
        long end = stage.offsetsLog().logEndOffset();
        Map<TopicPartition, ErrorCode> late = now(old.commit(GROUP, -1, "", null, Map.of(T0, Stage.offset(1))));

        assertThat(errorOf(waiting)).isEqualTo(ErrorCode.NOT_COORDINATOR);
        assertThat(late).doesNotContainEntry(T0, ErrorCode.NONE);
        assertThat(stage.offsetsLog().logEndOffset()).isEqualTo(end);
    }
}
