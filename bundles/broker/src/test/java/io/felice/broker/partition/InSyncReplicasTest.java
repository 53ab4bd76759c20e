package io.felice.broker.partition;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.cluster.Admin.InSyncChange;
import io.felice.api.cluster.PartitionState;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Who is in sync, and how far the high watermark is. Broker 0 leads in epoch 5; broker n is in broker epoch 100 + n. */
class InSyncReplicasTest {
    private static final long LAG = 30;
    private static final Map<Integer, Long> LIVE = Map.of(0, 100L, 1, 101L, 2, 102L, 3, 103L);

    private static PartitionState state(int partitionEpoch, Integer... inSync) {
        return new PartitionState(
                List.of(0, 1, 2, 3), List.of(inSync), List.of(), List.of(), 0, 5, partitionEpoch, false);
    }

    /** The leader's log has ended at 20 when it began to lead, and the high watermark was 10. */
    private static InSyncReplicas led(int minInSync, Integer... inSync) {
        return InSyncReplicas.lead(0, state(7, inSync), 20, 20, 10, minInSync, LIVE, 0);
    }

    private static InSyncReplicas fetched(InSyncReplicas before, int broker, long offset, long leaderEnd, long now) {
        return before.fetched(broker, 100 + broker, offset, 0, leaderEnd, now, LAG);
    }

    // ---- the high watermark

    @Test
    void withoutInSyncFollowersTheHighWatermarkIsTheDurableEndOfTheLeader() {
        assertThat(led(1, 0).durableTo(25).highWatermark()).isEqualTo(25);
    }

    @Test
    void theHighWatermarkIsTheEndOfTheSlowestInSyncReplica() {
        InSyncReplicas now = fetched(fetched(led(1, 0, 1, 2), 1, 18, 20, 1), 2, 14, 20, 1);

        assertThat(now.highWatermark()).isEqualTo(14);
    }

    @Test
    void anInSyncFollowerThatHasNotFetchedYetStopsTheHighWatermark() {
        assertThat(led(1, 0, 1).durableTo(30).highWatermark()).isEqualTo(10);
    }

    @Test
    void theLeadersOwnEndCountsOnlyOnceItIsDurable() {
        InSyncReplicas now = fetched(led(1, 0, 1), 1, 23, 23, 1);

        assertThat(now.highWatermark()).isEqualTo(20);
        assertThat(now.durableTo(23).highWatermark()).isEqualTo(23);
    }

    @Test
    void aFollowerThatIsFarBehindDoesNotCount() {
        InSyncReplicas now = fetched(led(1, 0), 2, 12, 20, 1);

        assertThat(now.durableTo(25).highWatermark()).isEqualTo(25);
    }

    /** Without this a follower of a busy leader would never reach the high watermark. */
    @Test
    void theHighWatermarkWaitsForAFollowerThatHasCaughtUpAndIsAboutToJoin() {
        InSyncReplicas now = fetched(led(1, 0), 1, 20, 20, 1);

        assertThat(now.durableTo(25).highWatermark()).isEqualTo(20);
        assertThat(now.hasJoiner()).isTrue();
    }

    /** KAFKA-15021: an ineligible replica does not hold back the others. */
    @Test
    void theHighWatermarkDoesNotWaitForAFollowerThatMayNotJoin() {
        InSyncReplicas now = fetched(led(1, 0), 1, 20, 20, 1).live(Map.of(0, 100L, 1, 111L));

        assertThat(now.durableTo(25).highWatermark()).isEqualTo(25);
        assertThat(now.hasJoiner()).isFalse();
    }

    @Test
    void theHighWatermarkDoesNotWaitForAFollowerThatHasCaughtUpLongAgo() {
        InSyncReplicas now = fetched(led(1, 0), 1, 20, 20, 1).durableTo(25);

        assertThat(now.passed(25, LAG + 2, LAG).highWatermark()).isEqualTo(25);
    }

    /** KIP-966: otherwise a replica that has left could not be elected without a loss. */
    @Test
    void theHighWatermarkDoesNotMoveWhileTooFewAreInSync() {
        InSyncReplicas now = led(2, 0).durableTo(25);

        assertThat(now.highWatermark()).isEqualTo(10);
        assertThat(now.minInSync(1).highWatermark()).isEqualTo(25);
    }

    @Test
    void aTopicWithFewerReplicasThanMinInSyncIsCommittedAllTheSame() {
        PartitionState one = PartitionState.created(List.of(0), List.of(0), 0);

        InSyncReplicas now = InSyncReplicas.lead(0, one, 0, 0, 0, 2, LIVE, 0).durableTo(3);

        assertThat(now.highWatermark()).isEqualTo(3);
        assertThat(now.hasEnoughInSync()).isFalse();
    }

    @Test
    void theHighWatermarkNeverGoesBack() {
        InSyncReplicas now = fetched(led(1, 0, 1), 1, 18, 20, 1);

        assertThat(fetched(now, 1, 12, 20, 2).highWatermark()).isEqualTo(18);
        assertThat(fetched(now, 1, 12, 20, 2).follower(1).orElseThrow().end()).isEqualTo(12);
    }

    // ---- joining (rule 10)

    @Test
    void aFollowerBelowTheHighWatermarkDoesNotJoin() {
        InSyncReplicas now = fetched(led(1, 0).durableTo(25), 1, 24, 26, 1);

        assertThat(now.propose(100, 26, 1, LAG)).isSameAs(now);
    }

    /** KAFKA-7128: the high watermark may be older than the true one until the start of the leader's epoch. */
    @Test
    void aFollowerBelowTheStartOfTheLeadersEpochDoesNotJoin() {
        InSyncReplicas now = fetched(led(1, 0, 3), 1, 19, 20, 1);

        assertThat(now.highWatermark()).isEqualTo(10);
        assertThat(now.hasJoiner()).isFalse();
        assertThat(fetched(now, 1, 20, 20, 2).hasJoiner()).isTrue();
    }

    @Test
    void aFollowerWhoseBrokerEpochIsNotKnownDoesNotJoin() {
        InSyncReplicas now = led(1, 0).fetched(1, InSyncReplicas.UNKNOWN, 20, 0, 20, 1, LAG);

        assertThat(now.hasJoiner()).isFalse();
    }

    /** KAFKA-15221: the offset and the broker epoch are of one fetch. */
    @Test
    void aChangeHasTheBrokerEpochsOfTheFetchesThatCaughtUp() {
        InSyncReplicas now = fetched(led(1, 0), 1, 20, 20, 1).propose(100, 20, 1, LAG);

        assertThat(now.change()).contains(new InSyncChange(5, 7, Map.of(0, 100L, 1, 101L), false));
        assertThat(now.live(Map.of(0, 100L, 1, 105L)).change()).isEqualTo(now.change());
    }

    @Test
    void aStaleBrokerEpochIsKnown() {
        InSyncReplicas now = led(1, 0).fetched(1, 120, 20, 0, 20, 1, LAG);

        assertThat(now.isStale(1, 119)).isTrue();
        assertThat(now.isStale(1, 120)).isFalse();
        assertThat(now.isStale(2, 101)).isTrue();
        assertThat(now.isStale(2, 130)).isFalse();
        assertThat(now.isStale(1, InSyncReplicas.UNKNOWN)).isFalse();
    }

    // ---- leaving (rule 10)

    @Test
    void aFollowerThatIsBehindForTooLongLeaves() {
        InSyncReplicas now = fetched(led(1, 0, 1), 1, 20, 20, 1).durableTo(25);

        assertThat(now.isChangeDue(25, LAG + 1, LAG)).isFalse();
        assertThat(now.propose(100, 25, LAG + 2, LAG).change().orElseThrow().isr())
                .containsOnlyKeys(0);
    }

    @Test
    void aFollowerWithAllRecordsStaysHoweverLongItIsSilent() {
        InSyncReplicas now = fetched(led(1, 0, 1), 1, 20, 20, 1);

        assertThat(now.isChangeDue(20, 1_000 * LAG, LAG)).isFalse();
    }

    @Test
    void aFollowerThatKeepsPaceOneFetchBehindStays() {
        InSyncReplicas now = led(1, 0, 1);
        for (long time = 1; time < 10 * LAG; time++) {
            now = fetched(now, 1, 20 + time - 1, 20 + time, time);
            assertThat(now.isChangeDue(20 + time, time, LAG)).isFalse();
        }
    }

    @Test
    void aFollowerThatNeverFetchesLeavesAfterTheLag() {
        InSyncReplicas now = led(1, 0, 1);

        assertThat(now.isChangeDue(20, LAG, LAG)).isFalse();
        assertThat(now.isChangeDue(20, LAG + 1, LAG)).isTrue();
    }

    // ---- changes under way (rules 9 and 11)

    @Test
    void oneChangeIsUnderWayAtATime() {
        InSyncReplicas now = fetched(led(1, 0), 1, 20, 20, 1).propose(100, 20, 1, LAG);

        InSyncReplicas later = fetched(now, 2, 20, 20, 2);

        assertThat(later.propose(100, 20, 2, LAG)).isSameAs(later);
    }

    @Test
    void aFollowerThatIsBeingAddedCounts() {
        InSyncReplicas now = fetched(led(1, 0), 1, 20, 20, 1).propose(100, 20, 1, LAG);

        InSyncReplicas later = now.durableTo(25).passed(25, 10 * LAG, LAG);

        assertThat(later.highWatermark()).isEqualTo(20);
        assertThat(later.maximal()).containsExactlyInAnyOrder(0, 1);
        assertThat(later.hasEnoughInSync()).isTrue();
    }

    @Test
    void aFollowerThatIsBeingRemovedStillCounts() {
        InSyncReplicas now = fetched(led(1, 0, 1), 1, 20, 20, 1).durableTo(25).propose(100, 25, LAG + 2, LAG);

        assertThat(now.change()).isPresent();
        assertThat(now.highWatermark()).isEqualTo(20);
        assertThat(now.made(now.change().orElseThrow(), state(8, 0), LAG + 3).highWatermark())
                .isEqualTo(25);
    }

    @Test
    void onlyTheReplicasThatTheControllerKnowsCountForMinInSyncBeforeAnAppend() {
        InSyncReplicas now = fetched(led(2, 0), 1, 20, 20, 1).propose(100, 20, 1, LAG);

        assertThat(now.hasEnoughInSync()).isFalse();
        assertThat(now.hasEnoughAfterAppend()).isTrue();
    }

    @Test
    void aRefusedChangeIsForgotten() {
        InSyncReplicas now =
                fetched(led(1, 0), 1, 20, 20, 1).propose(100, 20, 1, LAG).durableTo(25);

        InSyncReplicas refused = now.refused(now.change().orElseThrow());

        assertThat(refused.change()).isEmpty();
        assertThat(refused.highWatermark()).isEqualTo(25);
    }

    /** The controller may have made it, and may elect the replica. */
    @Test
    void aFollowerCountsWhileNobodyKnowsWhetherItWasAdded() {
        InSyncReplicas now =
                fetched(led(1, 0), 1, 20, 20, 1).propose(100, 20, 1, LAG).durableTo(25);

        InSyncReplicas undecided = now.undecided(now.change().orElseThrow(), false);

        assertThat(undecided.highWatermark()).isEqualTo(20);
        assertThat(undecided.propose(100, 25, 2, LAG).change().orElseThrow().isr())
                .containsOnlyKeys(0, 1);
        assertThat(undecided.decided(state(8, 0), 3).highWatermark()).isEqualTo(25);
    }

    @Test
    void aFollowerWhoseBrokerIsGoneWasNotAddedEither() {
        InSyncReplicas now =
                fetched(led(1, 0), 1, 20, 20, 1).propose(100, 20, 1, LAG).durableTo(25);
        InSyncReplicas undecided = now.undecided(now.change().orElseThrow(), false);

        assertThat(undecided.live(Map.of(0, 100L)).highWatermark()).isEqualTo(25);
    }

    @Test
    void nothingIsProposedUntilTheNewerStateOfTheControllerIsSeen() {
        InSyncReplicas now = fetched(led(1, 0), 1, 20, 20, 1).propose(100, 20, 1, LAG);

        InSyncReplicas outdated = now.undecided(now.change().orElseThrow(), true);

        assertThat(outdated.isChangeDue(20, 2, LAG)).isFalse();
        assertThat(outdated.decided(state(8, 0), 3).isChangeDue(20, 3, LAG)).isTrue();
    }

    @Test
    void anAnswerToAnEarlierChangeDoesNotEndTheOneUnderWay() {
        InSyncReplicas first = fetched(led(1, 0), 1, 20, 20, 1).propose(100, 20, 1, LAG);
        InSyncChange early = first.change().orElseThrow();
        InSyncReplicas second =
                fetched(first.decided(state(8, 0), 2), 1, 20, 20, 3).propose(100, 20, 3, LAG);

        assertThat(second.refused(early)).isSameAs(second);
        assertThat(second.made(early, state(8, 0), 4)).isSameAs(second);
    }

    @Test
    void anOlderStateAndOneOfAnotherLeaderEpochAreIgnored() {
        InSyncReplicas now = led(1, 0, 1);

        assertThat(now.decided(state(7, 0), 1)).isSameAs(now);
        assertThat(now.decided(state(9, 0).ledBy(0, List.of(0)), 1)).isSameAs(now);
    }

    /** KIP-704. */
    @Test
    void aLeaderThatWasElectedUncleanlySaysThatItHasNothingToRepair() {
        PartitionState unclean = new PartitionState(List.of(0, 1), List.of(0), List.of(), List.of(), 0, 5, 7, true);

        InSyncReplicas now = InSyncReplicas.lead(0, unclean, 0, 0, 0, 1, LIVE, 0);

        assertThat(now.propose(100, 0, 0, LAG).change()).contains(new InSyncChange(5, 7, Map.of(0, 100L), false));
    }

    @Test
    void afterRandomEventsTheHighWatermarkIsNeverAboveAnyReplicaThatMayBeElected() {
        long seed = new Random().nextLong();
        System.out.println("InSyncReplicasTest seed " + seed);
        for (int history = 0; history < 300; history++) {
            new History(new Random(seed + history), "history " + history + " of seed " + seed).run();
        }
    }

    /** A leader and a controller that answers late, twice or never; the true state is the controller's. */
    private static final class History {
        private final Random random;
        private final String name;
        private final Map<Integer, Long> ends = new HashMap<>();
        private final List<InSyncChange> sent = new ArrayList<>();
        private PartitionState truth = state(7, 0);
        private InSyncReplicas leader = led(1, 0);
        private long leaderEnd = 20;
        private long now;

        History(Random random, String name) {
            this.random = random;
            this.name = name;
        }

        void run() {
            for (int step = 0; step < 200; step++) {
                now += random.nextInt(8);
                long before = leader.highWatermark();
                step();
                assertThat(leader.highWatermark()).as(name + ", step " + step).isGreaterThanOrEqualTo(before);
                for (int replica : truth.isr()) {
                    long end = replica == 0 ? leaderEnd : ends.getOrDefault(replica, -1L);
                    assertThat(leader.highWatermark())
                            .as(
                                    "%s, step %s: the high watermark and the end of %s, in sync %s",
                                    name, step, replica, truth.isr())
                            .isLessThanOrEqualTo(end);
                }
            }
        }

        private void step() {
            int follower = 1 + random.nextInt(3);
            switch (random.nextInt(8)) {
                case 0 -> leaderEnd += random.nextInt(4);
                case 1 -> leader = leader.durableTo(leaderEnd - random.nextInt(2));
                case 2 -> propose();
                case 3 -> decideOne();
                case 4 -> leader = leader.decided(truth, now);
                case 5 -> leader = leader.passed(leaderEnd, now, LAG);
                default -> {
                    long end = Math.min(leaderEnd, ends.getOrDefault(follower, 0L) + random.nextInt(30));
                    ends.put(follower, end);
                    leader = fetched(leader, follower, end, leaderEnd, now);
                }
            }
        }

        private void propose() {
            leader = leader.propose(100, leaderEnd, now, LAG);
            leader.change().filter(change -> !sent.contains(change)).ifPresent(sent::add);
            if (leader.change().isPresent() && random.nextInt(4) == 0) {
                leader = leader.undecided(leader.change().orElseThrow(), false);
            }
        }

        private void decideOne() {
            if (sent.isEmpty()) {
                return;
            }
            InSyncChange change = sent.get(random.nextInt(sent.size()));
            boolean isRefused = change.partitionEpoch() != truth.partitionEpoch();
            if (!isRefused) {
                List<Integer> inSync = List.copyOf(new TreeSet<>(change.isr().keySet()));
                truth = state(truth.partitionEpoch() + 1, inSync.toArray(Integer[]::new));
            }
            if (random.nextBoolean()) {
                leader = isRefused ? leader.undecided(change, true) : leader.made(change, truth, now);
            }
        }
    }
}
