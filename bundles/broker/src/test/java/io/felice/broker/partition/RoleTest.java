package io.felice.broker.partition;

import static io.felice.broker.partition.Bench.eventually;
import static io.felice.broker.partition.Bench.get;
import static io.felice.broker.partition.Bench.produce;
import static io.felice.broker.partition.Bench.refused;
import static io.felice.testkit.TestBatches.batch;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.ErrorCode;
import io.felice.api.Turn;
import io.felice.api.cluster.PartitionState;
import io.felice.api.config.TopicConfig;
import io.felice.api.partition.FollowedPartition.Fetched;
import io.felice.api.partition.Partition.Acks;
import io.felice.api.partition.Partition.Appended;
import io.felice.api.partition.Partition.EpochEnd;
import io.felice.api.partition.Partition.Origin;
import io.felice.api.partition.Partition.ReadLimit;
import io.felice.testkit.TestBatches;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One opened log, of which the role changes. */
class RoleTest {
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

    private static PartitionState state(int epoch, int leader, Integer... inSync) {
        return new PartitionState(List.of(0, 1, 2), List.of(inSync), List.of(), List.of(), leader, epoch, epoch, false);
    }

    private static CompletionStage<Appended> append(LeaderPartition partition, Acks acks) {
        return partition.append(batch(1).at(0).bytes(), acks, Origin.CLIENT, Duration.ofSeconds(30), Turn.IMMEDIATE);
    }

    private static LeaderPartition lead(OpenedLog log, PartitionState state) {
        return get(log.become(() -> log.lead(state, new BatchAdmission(), new AloneHost())));
    }

    private static FollowerPartition follow(OpenedLog log, PartitionState state) {
        return get(log.become(() -> log.follow(state)));
    }

    @Test
    void theLogStaysOpenWhenTheSameBrokerLeadsTheNextEpoch() {
        LeaderPartition first = bench.open(3);
        get(produce(first, batch(2)));
        first.resign();

        LeaderPartition next = lead(first.log(), Bench.state(4));
        get(produce(next, batch(1)));

        assertThat(bench.engine.opens).hasValue(1);
        assertThat(next.epochOf(1)).isEqualTo(3);
        assertThat(next.epochOf(2)).isEqualTo(4);
        assertThat(next.highWatermark()).isEqualTo(3);
    }

    @Test
    void anAppendOfAnEarlierEpochIsNeverAcknowledged() {
        LeaderPartition first = bench.open(3);
        LeaderPartition waiting = lead(first.log(), state(4, 0, 0, 1));
        CompletionStage<Appended> append = append(waiting, Acks.ALL);
        assertThat(append.toCompletableFuture()).isNotDone();
        waiting.resign();

        lead(first.log(), Bench.state(5));

        refused(ErrorCode.NOT_LEADER_OR_FOLLOWER, () -> get(append));
        refused(ErrorCode.NOT_LEADER_OR_FOLLOWER, () -> get(append(waiting, Acks.LEADER)));
    }

    @Test
    void acksAllWaitsForEveryInSyncReplicaAndAcksOneForTheLeadersOwnLog() {
        LeaderPartition partition = lead(bench.open(3).log(), state(4, 0, 0, 1));

        CompletionStage<Appended> one = append(partition, Acks.LEADER);
        CompletionStage<Appended> all = append(partition, Acks.ALL);

        assertThat(get(one).baseOffset()).isZero();
        assertThat(partition.highWatermark()).isZero();
        partition.fetchedBy(1, -1, 1, 0);
        assertThat(all.toCompletableFuture()).isNotDone();
        partition.fetchedBy(1, -1, 2, 0);
        assertThat(get(all).baseOffset()).isEqualTo(1);
        assertThat(partition.highWatermark()).isEqualTo(2);
    }

    @Test
    void appendsDoNotWaitForAReplicaThatLeftTheInSyncSet() {
        LeaderPartition partition = lead(bench.open(3).log(), state(4, 0, 0, 1));
        CompletionStage<Appended> all = append(partition, Acks.ALL);

        partition.update(new PartitionState(List.of(0, 1, 2), List.of(0), List.of(), List.of(), 0, 4, 5, false));

        assertThat(get(all).baseOffset()).isZero();
    }

    /** Otherwise a later leader would have the records again. */
    @Test
    void aDeletionIsAnsweredWhenAllInSyncReplicasHaveMadeIt() {
        LeaderPartition partition = lead(bench.open(3).log(), state(4, 0, 0, 1));
        get(append(partition, Acks.LEADER));
        partition.fetchedBy(1, -1, 1, 0);

        CompletionStage<Long> deleted = partition.deleteRecords(1);
        eventually(() -> assertThat(partition.logStartOffset()).isEqualTo(1));
        assertThat(deleted.toCompletableFuture()).isNotDone();
        partition.fetchedBy(1, -1, 1, 1);

        assertThat(get(deleted)).isEqualTo(1);
    }

    @Test
    void aDeletionThatAFollowerDoesNotMakeTimesOutAndOneOfAnEndedRoleFails() {
        LeaderPartition partition = lead(bench.open(3).log(), state(4, 0, 0, 1));
        get(append(partition, Acks.LEADER));
        partition.fetchedBy(1, -1, 1, 0);
        CompletionStage<Long> late = partition.deleteRecords(1);
        eventually(() -> assertThat(partition.logStartOffset()).isEqualTo(1));
        eventually(() -> {
            bench.pass(31_000);
            partition.tick();
            assertThat(late.toCompletableFuture()).isDone();
        });
        CompletionStage<Long> ended = partition.deleteRecords(1);

        partition.resign();

        refused(ErrorCode.REQUEST_TIMED_OUT, () -> get(late));
        refused(ErrorCode.NOT_LEADER_OR_FOLLOWER, () -> get(ended));
    }

    /** A broker without its session: others may lead already. What all in-sync replicas have is kept by each of them. */
    @Test
    void aLeaderThatMayHaveBeenReplacedAnswersOnlyWhatAllInSyncReplicasHave() {
        AloneHost host = new AloneHost();
        OpenedLog log = bench.open(3).log();
        LeaderPartition partition = get(log.become(() -> log.lead(state(4, 0, 0, 1), new BatchAdmission(), host)));
        host.acknowledgesAlone = false;

        CompletionStage<Appended> all = append(partition, Acks.ALL);
        refused(ErrorCode.NOT_LEADER_OR_FOLLOWER, () -> get(append(partition, Acks.LEADER)));
        partition.fetchedBy(1, -1, 1, 0);

        assertThat(get(all).baseOffset()).isZero();
    }

    @Test
    void aLeaderWithoutOtherReplicasInSyncGoesOn() {
        AloneHost host = new AloneHost();
        host.acknowledgesAlone = false;
        OpenedLog log = bench.open(3).log();
        LeaderPartition partition = get(log.become(() -> log.lead(state(4, 0, 0), new BatchAdmission(), host)));

        assertThat(get(append(partition, Acks.LEADER)).baseOffset()).isZero();
    }

    /** A follower may still have an older record of the key, and no other trace of its end. */
    @Test
    void compactionKeepsTheTombstonesThatAFollowerHasNotRead() {
        LeaderPartition partition = lead(bench.open(3).log(), state(4, 0, 0, 1));
        assertThat(partition.log().followedTo()).isEqualTo(-1);

        partition.fetchedBy(1, -1, 0, 0);
        get(append(partition, Acks.LEADER));

        assertThat(partition.log().followedTo()).isZero();
        partition.fetchedBy(1, -1, 1, 0);
        eventually(() -> assertThat(partition.log().followedTo()).isEqualTo(1));
    }

    @Test
    void theLeaderCountsItsOwnRecordsOnlyOnceTheyAreDurable() {
        bench.with(TopicConfig.STORAGE_DURABILITY, "power");
        bench.engine.flushesAtOnce = false;
        LeaderPartition partition = lead(bench.open(3).log(), state(4, 0, 0, 1));
        CompletionStage<Appended> all = append(partition, Acks.ALL);
        partition.fetchedBy(1, -1, 1, 0);
        eventually(() -> assertThat(bench.engine.flushes).hasSize(1));
        assertThat(all.toCompletableFuture()).isNotDone();

        bench.engine.flushes.remove().complete(null);

        assertThat(get(all).baseOffset()).isZero();
    }

    @Test
    void aFetchOfABrokerWithoutAReplicaIsRefused() {
        LeaderPartition partition = bench.open(3);

        refused(ErrorCode.NOT_LEADER_OR_FOLLOWER, () -> partition.mustBeFollower(7, -1));
    }

    @Test
    void aFollowerAppendsTheLeadersBatchesUnchanged() {
        OpenedLog log = bench.open(3).log();
        FollowerPartition follower = follow(log, state(4, 1, 1, 0));

        get(follower.append(fetched(batch(3).leaderEpoch(4).at(0), 2)));

        assertThat(follower.fetchOffset()).isEqualTo(3);
        assertThat(follower.lastFetchedEpoch()).isEqualTo(4);
        assertThat(log.highWatermark()).isEqualTo(2);
        refused(ErrorCode.NOT_LEADER_OR_FOLLOWER, follower::leading);
    }

    @Test
    void aFollowerTruncatesItsLogAndItsProducersWhereTheLogsDiverge() throws IOException {
        LeaderPartition leader = bench.open(3);
        get(produce(leader, batch(2).producer(7, 0, 0)));
        get(produce(leader, batch(2).producer(7, 0, 2)));
        leader.resign();
        FollowerPartition follower = follow(leader.log(), state(5, 1, 1, 0));

        get(follower.truncate(new EpochEnd(3, 2)));

        assertThat(follower.fetchOffset()).isEqualTo(2);
        assertThat(leader.log().highWatermark()).isEqualTo(2);
        follower.end(ErrorCode.NOT_LEADER_OR_FOLLOWER.because("said by a test"));
        LeaderPartition again = lead(leader.log(), Bench.state(6));
        assertThat(get(produce(again, batch(1).producer(7, 0, 2))).baseOffset()).isEqualTo(2);
        assertThat(again.endOfEpoch(3)).isEqualTo(new EpochEnd(3, 2));
    }

    @Test
    void aFollowerWhoseRoleEndedAppendsNothing() {
        OpenedLog log = bench.open(3).log();
        FollowerPartition follower = follow(log, state(4, 1, 1, 0));
        follower.end(ErrorCode.NOT_LEADER_OR_FOLLOWER.because("said by a test"));

        refused(
                ErrorCode.NOT_LEADER_OR_FOLLOWER,
                () -> get(follower.append(fetched(batch(3).leaderEpoch(4).at(0), 3))));

        assertThat(log.endOffset()).isZero();
    }

    @Test
    void aFollowerReadsUpToTheLogEnd() {
        LeaderPartition partition = lead(bench.open(3).log(), state(4, 0, 0, 1));
        get(append(partition, Acks.LEADER));

        assertThat(partition.readHere(0, 1 << 20, ReadLimit.LOG_END, true).sizeInBytes())
                .isPositive();
        assertThat(partition
                        .readHere(0, 1 << 20, ReadLimit.HIGH_WATERMARK, true)
                        .sizeInBytes())
                .isZero();
    }

    /** An opening replays the same state as the running partition has. */
    @Test
    void theReplayedStateEqualsTheStateOfTheRunningPartition() {
        long seed = new Random().nextLong();
        System.out.println("RoleTest seed " + seed);
        Random random = new Random(seed);
        bench.with(TopicConfig.SEGMENT_BYTES, 2_000);
        LeaderPartition partition = bench.open(0);
        int[] sequences = new int[5];
        for (int step = 0; step < 300; step++) {
            int producer = random.nextInt(sequences.length);
            switch (random.nextInt(12)) {
                case 0 -> {
                    partition.resign();
                    partition = lead(partition.log(), Bench.state(partition.leaderEpoch() + 1));
                }
                case 1 -> get(partition.deleteRecords(partition.logStartOffset()
                        + random.nextInt(1 + (int) (partition.highWatermark() - partition.logStartOffset()))));
                default -> {
                    int records = 1 + random.nextInt(3);
                    get(produce(partition, batch(records).producer(producer, 0, sequences[producer])));
                    sequences[producer] += records;
                }
            }
            if (step % 10 == 0) {
                mustReplayTheSame(partition, "step " + step + " of seed " + seed);
            }
        }
    }

    /** Leaves out an epoch that begins at the log end offset: it has no records, so it makes no difference. */
    private static List<Epochs.Entry> epochsWithRecords(OpenedLog log) {
        return log.epochs().entries().stream()
                .filter(entry -> entry.startOffset() < log.endOffset())
                .toList();
    }

    private void mustReplayTheSame(LeaderPartition lived, String when) {
        OpenedLog replayed = bench.replay();

        assertThat(replayed.producers().lastOffsets())
                .as(when)
                .containsAllEntriesOf(lived.log().producers().lastOffsets());
        assertThat(epochsWithRecords(replayed)).as(when).isEqualTo(epochsWithRecords(lived.log()));
        replayed.engineLog().close();
    }

    private static Fetched fetched(io.felice.api.RecordBatch batch, long leadersHighWatermark) {
        return new Fetched(0, leadersHighWatermark, ByteBuffer.wrap(TestBatches.copyOf(batch)));
    }
}
