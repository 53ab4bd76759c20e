package io.felice.broker.partition;

import static io.felice.broker.partition.Bench.get;
import static io.felice.broker.partition.Bench.produce;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.cluster.PartitionState;
import io.felice.api.config.TopicConfig;
import io.felice.api.partition.FollowedPartition.Fetched;
import io.felice.records.BatchBuilder;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Replicas agree on what is compacted: a tombstone goes nowhere before all replicas have it. */
class FollowersCompactionTest {
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    @TempDir
    Path directory;

    private Bench bench;

    @BeforeEach
    void setUp() {
        bench = new Bench(directory);
        bench.with(TopicConfig.CLEANUP_POLICY, "compact")
                .with(TopicConfig.MIN_CLEANABLE_DIRTY_RATIO, 0)
                .with(TopicConfig.SEGMENT_BYTES, 120);
    }

    @AfterEach
    void tearDown() {
        bench.close();
    }

    private LeaderPartition leaderWithATombstone() {
        LeaderPartition leader = bench.open(3);
        for (String value : new String[] {"1", null, "end"}) {
            byte[] key = (value == null || value.equals("1") ? "a" : value).getBytes(UTF_8);
            get(produce(
                    leader,
                    new BatchBuilder()
                            .add(bench.nowMs.get(), key, value == null ? null : value.getBytes(UTF_8))
                            .build()));
        }
        return leader;
    }

    private static PartitionState state(int leader, int epoch) {
        return new PartitionState(List.of(0, 1, 2), List.of(0, 1), List.of(), List.of(), leader, epoch, epoch, false);
    }

    private FollowerPartition followerWithATombstone() {
        LeaderPartition before = leaderWithATombstone();
        before.resign();
        return get(before.log().become(() -> before.log().follow(state(1, 4))));
    }

    private static boolean compacts(ReadableRole role) {
        Compaction compaction = role.log().compaction();
        return compaction
                .look()
                .map(dirt -> {
                    compaction.run(dirt);
                    return true;
                })
                .orElse(false);
    }

    @Test
    void aFollowerCompactsNothingThatItsLeaderHasNotCompacted() {
        FollowerPartition follower = followerWithATombstone();
        long before = follower.sizeInBytes();
        assertThat(compacts(follower)).isFalse();
        get(follower.append(new Fetched(0, 3, NOTHING, 0)));
        assertThat(compacts(follower)).isFalse();
        assertThat(follower.sizeInBytes()).isEqualTo(before);

        get(follower.append(new Fetched(0, 3, NOTHING, 2)));

        assertThat(compacts(follower)).isTrue();
        assertThat(follower.log().compaction().cleanedTo()).isEqualTo(2);
    }

    @Test
    void aFollowerOfANewLeaderWaitsUntilThatLeaderHasCompacted() {
        FollowerPartition follower = followerWithATombstone();
        get(follower.append(new Fetched(0, 3, NOTHING, 2)));
        follower.end(io.felice.api.ErrorCode.NOT_LEADER_OR_FOLLOWER.because("another epoch has begun"));

        FollowerPartition next = get(follower.log().become(() -> follower.log().follow(state(2, 5))));

        assertThat(compacts(next)).isFalse();
    }

    /** A replica that is not in sync may fetch from another leader later, whose tombstones must be there. */
    @Test
    void aLeaderTellsFollowersOnlyOfWhatAllReplicasHaveThatFetch() {
        LeaderPartition before = leaderWithATombstone();
        AloneHost host = new AloneHost();
        host.live = java.util.Map.of(1, 100L, 2, 100L);
        LeaderPartition leader =
                get(before.log().become(() -> before.log().lead(state(0, 4), new BatchAdmission(), host)));
        leader.fetchedBy(1, 100, 3, 0);
        leader.fetchedBy(2, 100, 1, 0);
        assertThat(compacts(leader)).isTrue();
        assertThat(leader.log().compaction().cleanedTo()).isEqualTo(2);

        assertThat(leader.compactedTo()).isEqualTo(1);
        leader.fetchedBy(2, 100, 3, 0);

        assertThat(leader.compactedTo()).isEqualTo(2);
    }

    @Test
    void aLeaderOfATopicThatIsNotCompactedTellsNothing() {
        bench.with(TopicConfig.CLEANUP_POLICY, "delete");

        assertThat(leaderWithATombstone().compactedTo()).isEqualTo(-1);
    }
}
