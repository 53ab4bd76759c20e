package io.felice.broker.partition;

import static io.felice.broker.partition.Bench.eventually;
import static io.felice.broker.partition.Bench.get;
import static io.felice.broker.partition.Bench.produce;
import static io.felice.broker.partition.Bench.refused;
import static io.felice.testkit.TestBatches.batch;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.ErrorCode;
import io.felice.api.cluster.PartitionState;
import io.felice.api.config.TopicConfig;
import io.felice.api.partition.FollowedPartition.Fetched;
import io.felice.api.partition.Partition.EpochEnd;
import io.felice.testkit.TestBatches;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a follower does with the answers of its leader. */
class FollowingTest {
    @TempDir
    Path directory;

    private Bench bench;

    @BeforeEach
    void setUp() {
        bench = new Bench(directory);
    }

    @AfterEach
    void tearDown() {
        bench.close();
    }

    private static PartitionState ledByOne(int epoch) {
        return new PartitionState(List.of(0, 1), List.of(0, 1), List.of(), List.of(), 1, epoch, epoch, false);
    }

    /** A follower with so many records of epoch 3. */
    private FollowerPartition followerWith(int records, int epoch) {
        LeaderPartition before = bench.open(3);
        for (int i = 0; i < records; i++) {
            get(produce(before, batch(1)));
        }
        before.resign();
        return get(before.log().become(() -> before.log().follow(ledByOne(epoch))));
    }

    private static ByteBuffer bytes(int epoch, long baseOffset, int records) {
        return ByteBuffer.wrap(
                TestBatches.copyOf(batch(records).leaderEpoch(epoch).at(baseOffset)));
    }

    private static ByteBuffer joined(ByteBuffer... parts) {
        ByteBuffer all = ByteBuffer.allocate(10_000);
        for (ByteBuffer part : parts) {
            all.put(part);
        }
        return all.flip();
    }

    private OpenedLog log() {
        return bench.leaders.get(Bench.ORDERS).log();
    }

    @Test
    void theFetchOffsetMovesWhenTheRecordsAreAsDurableAsTheTopicAsks() {
        bench.with(TopicConfig.STORAGE_DURABILITY, "power");
        FollowerPartition follower = followerWith(0, 4);
        bench.engine.flushesAtOnce = false;

        CompletionStage<Void> appended = follower.append(new Fetched(0, 0, bytes(4, 0, 2)));
        eventually(() -> assertThat(bench.engine.flushes).hasSize(1));

        assertThat(log().endOffset()).isEqualTo(2);
        assertThat(follower.fetchOffset()).isZero();
        assertThat(appended.toCompletableFuture()).isNotDone();
        bench.engine.flushes.remove().complete(null);
        get(appended);
        assertThat(follower.fetchOffset()).isEqualTo(2);
    }

    @Test
    void allBatchesOfAnAnswerAreSettledTogether() {
        FollowerPartition follower = followerWith(0, 4);
        eventually(() -> assertThat(log().durableEnd()).isEqualTo(log().endOffset()));
        int before = bench.engine.settles.get();

        get(follower.append(new Fetched(0, 0, joined(bytes(4, 0, 2), bytes(4, 2, 1), bytes(4, 3, 5)))));

        assertThat(follower.fetchOffset()).isEqualTo(8);
        assertThat(bench.engine.settles.get() - before).isEqualTo(1);
    }

    /** Rule 6: only a diverging epoch truncates. */
    @Test
    void anEmptyAnswerRemovesNothingAndOnlyMovesTheHighWatermark() {
        FollowerPartition follower = followerWith(3, 4);

        get(follower.append(new Fetched(0, 1, ByteBuffer.allocate(0))));

        assertThat(follower.fetchOffset()).isEqualTo(3);
        assertThat(log().highWatermark()).isEqualTo(3);
        assertThat(follower.lastFetchedEpoch()).isEqualTo(3);
    }

    @Test
    void gapsThatCompactionHasLeftAreKept() {
        FollowerPartition follower = followerWith(1, 4);

        get(follower.append(new Fetched(0, 0, joined(bytes(3, 5, 2), bytes(4, 10, 1)))));

        assertThat(follower.fetchOffset()).isEqualTo(11);
        assertThat(log().epochs().entries()).contains(new Epochs.Entry(4, 10));
    }

    /** Otherwise a leader with that epoch tells its followers for ever that their logs diverge there. */
    @Test
    void aTermWithoutRecordsLeavesNoEpochBehindWhenRecordsOfAnEarlierOneFollow() {
        FollowerPartition follower = followerWith(0, 4);

        get(follower.append(new Fetched(0, 0, bytes(2, 0, 1))));

        assertThat(log().epochs().entries()).containsExactly(new Epochs.Entry(2, 0));
        assertThat(follower.lastFetchedEpoch()).isEqualTo(2);
    }

    @Test
    void aPartOfABatchAtTheEndIsLeftOut() {
        FollowerPartition follower = followerWith(0, 4);
        ByteBuffer whole = bytes(4, 2, 1);
        whole.limit(whole.limit() - 1);

        get(follower.append(new Fetched(0, 0, joined(bytes(4, 0, 2), whole))));

        assertThat(follower.fetchOffset()).isEqualTo(2);
    }

    @Test
    void aDamagedBatchIsRefusedAndNothingOfTheAnswerIsAppended() {
        FollowerPartition follower = followerWith(0, 4);
        ByteBuffer damaged = bytes(4, 2, 1);
        damaged.put(damaged.limit() - 1, (byte) ~damaged.get(damaged.limit() - 1));

        refused(
                ErrorCode.CORRUPT_MESSAGE,
                () -> get(follower.append(new Fetched(0, 0, joined(bytes(4, 0, 2), damaged)))));

        assertThat(log().endOffset()).isZero();
        assertThat(follower.isFollowing()).isTrue();
    }

    @Test
    void aBatchOfALaterEpochThanTheLeadersIsRefused() {
        FollowerPartition follower = followerWith(0, 4);

        refused(ErrorCode.CORRUPT_MESSAGE, () -> get(follower.append(new Fetched(0, 0, bytes(5, 0, 2)))));
    }

    @Test
    void theStartOfTheLeadersLogIsFollowed() {
        FollowerPartition follower = followerWith(5, 4);

        get(follower.append(new Fetched(2, 4, ByteBuffer.allocate(0))));

        assertThat(follower.logStartOffset()).isEqualTo(2);
        assertThat(follower.fetchOffset()).isEqualTo(5);
    }

    /** KAFKA-7415: also for an epoch whose records were truncated and come again. */
    @Test
    void anEpochIsOnDiskBeforeItsFirstBatchIsAppended() {
        FollowerPartition follower = followerWith(2, 5);
        get(follower.append(new Fetched(0, 0, bytes(4, 2, 1))));
        get(follower.truncate(new EpochEnd(3, 1)));
        AtomicReference<Optional<List<Epochs.Entry>>> seen = new AtomicReference<>();
        bench.engine.onAppend = () -> seen.set(bench.files.epochs());

        get(follower.append(new Fetched(0, 0, bytes(4, 1, 1))));

        assertThat(seen.get()).contains(List.of(new Epochs.Entry(3, 0), new Epochs.Entry(4, 1)));
    }

    @Test
    void recordsOfAnotherEpochAreReplacedByTheLeaders() {
        FollowerPartition follower = followerWith(3, 5);

        get(follower.append(new Fetched(0, 0, bytes(5, 1, 3))));

        assertThat(follower.fetchOffset()).isEqualTo(4);
        assertThat(log().epochs().entries()).containsExactly(new Epochs.Entry(3, 0), new Epochs.Entry(5, 1));
    }

    @Test
    void recordsThatTheFollowerHasAreNotAppendedTwice() {
        FollowerPartition follower = followerWith(3, 5);

        get(follower.append(new Fetched(0, 0, joined(bytes(3, 2, 1), bytes(5, 3, 1)))));

        assertThat(follower.fetchOffset()).isEqualTo(4);
    }

    @Test
    void aFollowerWhoseLogEndsBelowTheLeadersStartBeginsThere() {
        FollowerPartition follower = followerWith(3, 5);

        get(follower.outOfRange(100, 120));

        assertThat(follower.fetchOffset()).isEqualTo(100);
        assertThat(follower.logStartOffset()).isEqualTo(100);
        assertThat(follower.lastFetchedEpoch()).isEqualTo(-1);
        assertThat(log().highWatermark()).isEqualTo(100);
        assertThat(bench.files.epochs()).contains(List.of());
    }

    @Test
    void aFollowerThatBeginsWithinABatchOfTheLeaderTakesTheWholeBatch() {
        FollowerPartition follower = followerWith(3, 5);
        get(follower.outOfRange(102, 120));

        get(follower.append(new Fetched(102, 110, bytes(5, 100, 5))));

        assertThat(follower.logStartOffset()).isEqualTo(102);
        assertThat(follower.fetchOffset()).isEqualTo(105);
        assertThat(log().highWatermark()).isEqualTo(105);
    }

    @Test
    void aFollowerWhoseLogEndsAboveTheLeadersEndIsTruncated() {
        FollowerPartition follower = followerWith(5, 4);

        get(follower.outOfRange(0, 3));

        assertThat(follower.fetchOffset()).isEqualTo(3);
        assertThat(log().highWatermark()).isEqualTo(3);
    }

    @Test
    void aFollowerWhoseLogBeginsAboveTheLeadersEndIsEmptied() {
        FollowerPartition follower = followerWith(0, 5);
        get(follower.outOfRange(100, 120));

        get(follower.outOfRange(0, 7));

        assertThat(follower.logStartOffset()).isZero();
        assertThat(follower.fetchOffset()).isZero();
    }

    @Test
    void aFollowerWithinTheLeadersRangeKeepsItsRecords() {
        FollowerPartition follower = followerWith(5, 4);

        get(follower.outOfRange(0, 9));

        assertThat(follower.fetchOffset()).isEqualTo(5);
    }

    @Test
    void aFollowerOnAFullDiskRefusesRecordsAndGoesOnFollowing() {
        FollowerPartition follower = followerWith(2, 4);
        bench.engine.usable = 1;
        bench.mounted.space().ranOut(0);

        refused(ErrorCode.KAFKA_STORAGE_ERROR, () -> get(follower.append(new Fetched(0, 2, bytes(4, 2, 1)))));

        assertThat(follower.isFollowing()).isTrue();
        get(follower.append(new Fetched(1, 2, ByteBuffer.allocate(0))));
        assertThat(follower.logStartOffset()).isEqualTo(1);
    }

    @Test
    void anAppendThatIsNotDurableFailsWhenTheRoleEnds() {
        bench.with(TopicConfig.STORAGE_DURABILITY, "power");
        FollowerPartition follower = followerWith(0, 4);
        bench.engine.flushesAtOnce = false;
        CompletionStage<Void> appended = follower.append(new Fetched(0, 0, bytes(4, 0, 2)));
        eventually(() -> assertThat(bench.engine.flushes).hasSize(1));

        follower.end(ErrorCode.NOT_LEADER_OR_FOLLOWER.because("said by a test"));

        refused(ErrorCode.NOT_LEADER_OR_FOLLOWER, () -> get(appended));
        assertThat(follower.isFollowing()).isFalse();
    }

    /** An opening must find the same state as the follower had. */
    @Test
    void aFollowersStateIsReplayedFromItsLog() {
        FollowerPartition follower = followerWith(2, 6);
        get(follower.append(new Fetched(0, 2, joined(bytes(4, 2, 2), bytes(6, 9, 1)))));

        OpenedLog replayed = bench.replay();

        assertThat(replayed.epochs().entries()).isEqualTo(log().epochs().entries());
        assertThat(replayed.endOffset()).isEqualTo(10);
    }
}
