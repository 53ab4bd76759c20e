package io.felice.controller;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.api.cluster.BrokerRegistration;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.cluster.PartitionState;
import io.felice.api.config.BrokerConfig;
import io.felice.api.config.ConfigResource;
import io.felice.api.storage.EngineTrait;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Which brokers get the replicas of new partitions. */
class ReplicaPlacementTest {
    private final List<MetadataRecord> records = new ArrayList<>();

    @Test
    void leadersAndReplicasAreSpreadOverTheBrokers() {
        brokers(5, 0);

        List<List<Integer>> placed = place(List.of(), 20, 3);

        assertThat(counts(placed.stream().map(replicas -> replicas.get(0)).toList())
                        .values())
                .containsOnly(4);
        assertThat(counts(placed.stream().flatMap(List::stream).toList()).values())
                .allMatch(count -> count >= 11 && count <= 13);
    }

    @Test
    void theFollowersOfALeaderAreSpreadOverAllOthers() {
        brokers(4, 0);

        List<List<Integer>> placed = place(List.of(), 48, 2);

        Map<List<Integer>, Integer> pairs = counts(placed);
        assertThat(pairs).hasSize(12);
        assertThat(pairs.values()).allMatch(count -> count >= 2 && count <= 6);
    }

    @Test
    void theReplicasOfAPartitionAreInDifferentRacks() {
        long seed = Long.getLong("felice.seed", System.nanoTime());
        System.out.println("seed " + seed + " (repeat with -Dfelice.seed=" + seed + ")");
        Random random = new Random(seed);
        for (int run = 0; run < 200; run++) {
            records.clear();
            int brokers = 1 + random.nextInt(12);
            int racks = 1 + random.nextInt(4);
            brokers(brokers, racks);
            int factor = 1 + random.nextInt(Math.min(4, brokers));

            List<List<Integer>> placed = place(List.of(), 1 + random.nextInt(40), factor);

            String when = "seed " + seed + ", run " + run + ": " + placed;
            for (List<Integer> replicas : placed) {
                assertThat(replicas).as(when).hasSize(factor).doesNotHaveDuplicates();
                assertThat(racksOf(replicas, racks)).as(when).hasSize(Math.min(factor, Math.min(racks, brokers)));
            }
            Collection<Integer> leaders = counts(
                            placed.stream().map(replicas -> replicas.get(0)).toList())
                    .values();
            int most = leaders.stream().mapToInt(Integer::intValue).max().orElseThrow();
            assertThat(most).as(when).isLessThanOrEqualTo(placed.size() / brokers + 1);
        }
    }

    @Test
    void theLossOfARackLeavesAsManyReplicasAsTheRacksAllow() {
        long seed = Long.getLong("felice.seed", System.nanoTime());
        System.out.println("seed " + seed + " (repeat with -Dfelice.seed=" + seed + ")");
        Random random = new Random(seed);
        for (int run = 0; run < 100; run++) {
            records.clear();
            int[] inRack = new int[1 + random.nextInt(4)];
            int brokers = 0;
            for (int rack = 0; rack < inRack.length; rack++) {
                inRack[rack] = 1 + random.nextInt(3);
                for (int i = 0; i < inRack[rack]; i++) {
                    records.add(new MetadataRecord.BrokerRegistered(
                            broker(brokers, "rack-" + rack, Map.of("log", Set.of(EngineTrait.values()))), brokers));
                    brokers++;
                }
            }
            int factor = 1 + random.nextInt(brokers);
            int fewestThatCanBeLost = IntStream.rangeClosed(1, factor)
                    .filter(most ->
                            Arrays.stream(inRack).map(of -> Math.min(of, most)).sum() >= factor)
                    .findFirst()
                    .orElseThrow();

            List<List<Integer>> placed = place(List.of(), 1 + random.nextInt(20), factor);

            for (List<Integer> replicas : placed) {
                assertThat(counts(replicas.stream().map(this::rackOf).toList()).values())
                        .as("seed %s, run %s: %s in racks of %s", seed, run, replicas, Arrays.toString(inRack))
                        .allMatch(lost -> lost <= fewestThatCanBeLost);
            }
        }
    }

    private String rackOf(int brokerId) {
        return ClusterView.EMPTY
                .after(1, records)
                .lastRegistration(brokerId)
                .orElseThrow()
                .rack();
    }

    @Test
    void addedPartitionsContinueWhereTheTopicHasFewest() {
        brokers(3, 0);
        List<PartitionState> present = List.of(
                PartitionState.created(List.of(0, 1), List.of(0), 0),
                PartitionState.created(List.of(1, 0), List.of(1), 1));

        List<List<Integer>> placed = place(present, 1, 2);

        assertThat(placed.get(0).get(0)).isEqualTo(2);
    }

    @Test
    void aTopicWithOnePartitionGoesToTheBrokerThatLeadsFewest() {
        brokers(3, 0);
        records.add(new MetadataRecord.TopicCreated(new UUID(1, 1), "other"));
        for (int partition = 0; partition < 4; partition++) {
            int leader = partition % 2;
            records.add(new MetadataRecord.PartitionChanged(
                    new UUID(1, 1), partition, PartitionState.created(List.of(leader), List.of(leader), leader)));
        }

        assertThat(place(List.of(), 1, 1)).containsExactly(List.of(2));
    }

    @Test
    void brokersWithoutTheEngineDrainedOnesAndThoseThatStopArePassedOver() {
        brokers(4, 0);
        records.add(new MetadataRecord.BrokerRegistered(broker(4, null, Map.of("memory", Set.of())), 4));
        records.add(new MetadataRecord.BrokerLeaving(1, 1));
        records.add(new MetadataRecord.ConfigSet(ConfigResource.broker(2), BrokerConfig.BROKER_DRAINED, "true"));

        List<List<Integer>> placed = place(List.of(), 10, 2);

        assertThat(placed.stream().flatMap(List::stream)).containsOnly(0, 3);
        assertThatThrownBy(() -> place(List.of(), 1, 3))
                .hasMessageContaining("only 5 broker(s) are registered")
                .hasMessageContaining("The brokers [1, 2, 4] get no replicas of the topic");
    }

    @Test
    void anEngineThatNoBrokerHasYetIsWaitedFor() {
        brokers(2, 0);

        assertThat(placement().of("tape", List.of()).place(1, 2)).hasSize(1);
    }

    @Test
    void aReplacedReplicaKeepsItsPlaceAndItsRack() {
        brokers(6, 3);

        List<Integer> next = placement().of("log", List.of()).instead(0, List.of(0, 1, 2));

        assertThat(next).containsExactly(3, 1, 2);
    }

    private void brokers(int count, int racks) {
        for (int id = 0; id < count; id++) {
            String rack = racks == 0 ? null : "rack-" + id % racks;
            records.add(new MetadataRecord.BrokerRegistered(
                    broker(id, rack, Map.of("log", Set.of(EngineTrait.values()))), id));
        }
    }

    private static BrokerRegistration broker(int id, String rack, Map<String, Set<EngineTrait>> engines) {
        return new BrokerRegistration(id, UUID.randomUUID(), UUID.randomUUID(), List.of(), rack, engines);
    }

    private ReplicaPlacement placement() {
        ClusterView view = ClusterView.EMPTY.after(1, records);
        ReplicaLoad load = new ReplicaLoad();
        load.countAgain(view);
        return new ReplicaPlacement(ClusterConfigs.of(view), new Random(records.size()), load);
    }

    private List<List<Integer>> place(List<PartitionState> present, int partitions, int factor) {
        return placement().of("log", present).place(partitions, factor);
    }

    private static Set<Integer> racksOf(List<Integer> replicas, int racks) {
        Set<Integer> of = new HashSet<>();
        replicas.forEach(id -> of.add(id % racks));
        return of;
    }

    private static <T> Map<T, Integer> counts(List<T> all) {
        Map<T, Integer> counts = new HashMap<>();
        all.forEach(each -> counts.merge(each, 1, Integer::sum));
        return counts;
    }
}
