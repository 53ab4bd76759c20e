package io.felice.broker.partition;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The events that move the high watermark, and those that do not. */
class HighWatermarkTest {
    private final HighWatermark watermark = new HighWatermark(0, 10);

    @Test
    void withoutInSyncFollowersTheHighWatermarkIsTheDurableEndOfTheLeader() {
        watermark.lead(List.of(0), 10);

        boolean moved = watermark.durableTo(15);

        assertThat(moved).isTrue();
        assertThat(watermark.offset()).isEqualTo(15);
    }

    @Test
    void theHighWatermarkIsTheEndOfTheSlowestInSyncReplica() {
        watermark.lead(List.of(0, 1, 2), 20);
        watermark.fetchedFrom(1, 18);

        assertThat(watermark.fetchedFrom(2, 14)).isTrue();

        assertThat(watermark.offset()).isEqualTo(14);
    }

    @Test
    void anInSyncFollowerThatHasNotFetchedYetStopsTheHighWatermark() {
        watermark.lead(List.of(0, 1), 20);

        assertThat(watermark.durableTo(30)).isFalse();

        assertThat(watermark.offset()).isEqualTo(10);
    }

    @Test
    void aReplicaThatLeavesTheInSyncSetNoLongerCounts() {
        watermark.lead(List.of(0, 1), 20);
        watermark.fetchedFrom(1, 12);

        assertThat(watermark.inSync(List.of(0))).isTrue();

        assertThat(watermark.offset()).isEqualTo(20);
    }

    @Test
    void aReplicaThatIsNotInSyncDoesNotCount() {
        watermark.lead(List.of(0, 1), 20);

        assertThat(watermark.fetchedFrom(2, 20)).isFalse();

        assertThat(watermark.offset()).isEqualTo(10);
    }

    @Test
    void fetchesInAnEarlierLeaderEpochDoNotCount() {
        watermark.lead(List.of(0, 1), 20);
        watermark.fetchedFrom(1, 12);

        watermark.lead(List.of(0, 1), 30);

        assertThat(watermark.durableTo(31)).isFalse();
        assertThat(watermark.offset()).isEqualTo(12);
    }

    @Test
    void aFollowerTakesTheLeadersHighWatermarkUpToItsOwnLogEnd() {
        watermark.follow();

        assertThat(watermark.toldByLeader(40, 25)).isTrue();

        assertThat(watermark.offset()).isEqualTo(25);
        assertThat(watermark.durableTo(60)).isFalse();
    }

    @Test
    void aLeaderIgnoresTheHighWatermarkOfOthers() {
        watermark.lead(List.of(0, 1), 20);

        assertThat(watermark.toldByLeader(40, 40)).isFalse();
    }

    @Test
    void onlyTruncationLowersTheHighWatermark() {
        watermark.lead(List.of(0), 20);
        watermark.durableTo(15);
        assertThat(watermark.offset()).isEqualTo(20);

        watermark.truncatedTo(12);

        assertThat(watermark.offset()).isEqualTo(12);
    }

    @Test
    void afterRandomEventsTheHighWatermarkIsTheSmallestEndOfTheInSyncSetAndNeverDecreases() {
        long seed = new Random().nextLong();
        System.out.println("HighWatermarkTest seed " + seed);
        Random random = new Random(seed);
        Map<Integer, Long> ends = new HashMap<>();
        List<Integer> inSync = List.of(0);
        long committed = 10;
        watermark.lead(inSync, 10);
        ends.put(0, 10L);
        for (int step = 0; step < 20_000; step++) {
            int replica = random.nextInt(4);
            switch (random.nextInt(4)) {
                case 0 -> {
                    inSync = someWithTheLeader(random);
                    watermark.inSync(inSync);
                }
                case 1 -> {
                    long end = ends.get(0) + random.nextInt(5);
                    ends.put(0, end);
                    watermark.durableTo(end);
                }
                default -> {
                    if (replica > 0) {
                        long offset = ends.getOrDefault(replica, 0L) + random.nextInt(3);
                        ends.put(replica, offset);
                        watermark.fetchedFrom(replica, offset);
                    }
                }
            }
            long smallest = inSync.stream()
                    .mapToLong(r -> ends.getOrDefault(r, -1L))
                    .min()
                    .orElseThrow();
            committed = Math.max(committed, smallest);
            assertThat(watermark.offset())
                    .as("after step %s of seed %s", step, seed)
                    .isEqualTo(committed);
        }
    }

    private static List<Integer> someWithTheLeader(Random random) {
        List<Integer> some = new ArrayList<>(List.of(0));
        for (int replica = 1; replica < 4; replica++) {
            if (random.nextBoolean()) {
                some.add(replica);
            }
        }
        return some;
    }
}
