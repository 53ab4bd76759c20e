package io.felice.broker.partition;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.partition.Partition.EpochEnd;
import io.felice.broker.partition.Epochs.Entry;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Where the logs of a leader and a follower diverge. */
class EpochsTest {
    @Test
    void aReaderWithinTheSameEpochHasNotDiverged() {
        Epochs leader = new Epochs(List.of(new Entry(2, 0), new Entry(5, 10)));

        assertThat(leader.divergence(5, 15, 20)).isEmpty();
    }

    @Test
    void aReaderWithMoreOfAnEpochThanTheLeaderGetsTheEndOfTheEpoch() {
        Epochs leader = new Epochs(List.of(new Entry(2, 0), new Entry(5, 10)));

        assertThat(leader.divergence(2, 12, 20)).contains(new EpochEnd(2, 10));
    }

    @Test
    void aReaderOfAnEpochThatTheLeaderDoesNotHaveGetsTheLargestEpochBelow() {
        Epochs leader = new Epochs(List.of(new Entry(2, 0), new Entry(5, 10)));

        assertThat(leader.divergence(4, 12, 20)).contains(new EpochEnd(2, 10));
    }

    @Test
    void aFollowerTruncatesRecordsThatTheLeaderDoesNotHave() {
        Epochs follower = new Epochs(List.of(new Entry(2, 0), new Entry(4, 10)));

        assertThat(follower.truncationPoint(new EpochEnd(2, 10), 12)).isEqualTo(10);
    }

    @Test
    void aFollowerTruncatesToItsOwnEndOfTheEpochIfThatIsSmaller() {
        Epochs follower = new Epochs(List.of(new Entry(1, 0), new Entry(3, 6)));

        assertThat(follower.truncationPoint(new EpochEnd(1, 9), 12)).isEqualTo(6);
    }

    /** Rule 6 (KIP-101, KIP-279): a follower that truncates as told ends with the leader's records. */
    @Test
    void afterRandomDivergencesAFollowerEndsWithTheLeadersLog() {
        long seed = new Random().nextLong();
        System.out.println("EpochsTest seed " + seed);
        Random random = new Random(seed);
        for (int history = 0; history < 2_000; history++) {
            List<Integer> leader = new ArrayList<>();
            List<Integer> follower = new ArrayList<>();
            diverge(random, leader, follower);
            int rounds = 0;
            while (!follower.equals(leader)) {
                assertThat(rounds++)
                        .as("rounds of history %s, seed %s", history, seed)
                        .isLessThan(60);
                fetch(leader, follower);
            }
        }
    }

    /** Two replicas lead in turn, in a new epoch each time, and each misses some records of the other. */
    private static void diverge(Random random, List<Integer> leader, List<Integer> follower) {
        int epoch = 0;
        for (int turn = random.nextInt(8); turn >= 0; turn--) {
            epoch += 1 + random.nextInt(2);
            boolean first = random.nextBoolean();
            List<Integer> leads = first ? leader : follower;
            List<Integer> follows = first ? follower : leader;
            for (int records = random.nextInt(4); records > 0; records--) {
                leads.add(epoch);
            }
            for (int step = random.nextInt(6); step > 0; step--) {
                fetch(leads, follows);
            }
        }
        leader.add(epoch + 1);
    }

    /** One fetch of the follower. A log is represented by the list of its records' epochs. */
    private static void fetch(List<Integer> leader, List<Integer> follower) {
        int offset = follower.size();
        if (offset > 0) {
            var parts = epochsOf(leader).divergence(follower.get(offset - 1), offset, leader.size());
            if (parts.isPresent()) {
                EpochEnd end = parts.get().endOffset() < 0 ? new EpochEnd(-1, 0) : parts.get();
                long to = end.epoch() < 0 ? 0 : epochsOf(follower).truncationPoint(end, offset);
                follower.subList((int) to, offset).clear();
                return;
            }
        }
        if (offset < leader.size()) {
            follower.add(leader.get(offset));
        }
    }

    private static Epochs epochsOf(List<Integer> log) {
        Epochs epochs = new Epochs(List.of());
        for (int offset = 0; offset < log.size(); offset++) {
            epochs.begin(log.get(offset), offset);
        }
        return epochs;
    }
}
