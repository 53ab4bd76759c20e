package io.felice.controller;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.ErrorCode;
import io.felice.api.Subscription;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.Admin.ConfigChange;
import io.felice.api.cluster.Admin.InSyncChange;
import io.felice.api.cluster.Admin.NewPartitions;
import io.felice.api.cluster.Admin.NewTopic;
import io.felice.api.cluster.Admin.PartitionId;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.PartitionState;
import io.felice.api.cluster.TopicView;
import io.felice.api.config.ConfigResource;
import io.felice.api.security.Requester;
import io.felice.testkit.MemoryClusterStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Brokers, topics, controllers and connections come and go at random. The invariants hold after every step. */
class RandomHistoryTest {
    private static final int HISTORIES = 20;
    private static final int STEPS = 200;
    private static final int BROKERS = 5;
    private static final int OF_ONE = 10;
    private static final int OF_TWO = 11;

    @Test
    void theRulesHoldInEveryHistory() {
        long first = Long.getLong("felice.seed", System.nanoTime());
        System.out.println("seeds from " + first + " (repeat with -Dfelice.seed=" + first + ")");
        for (long seed = first; seed < first + HISTORIES; seed++) {
            new History(seed).run();
        }
    }

    /** One random history of two controllers with a session each. */
    private static final class History {
        private final long seed;
        private final Random random;
        private final ControllerSetup one;
        private final InlineThread thread = new InlineThread();
        private final Controller two;
        private final MemoryClusterStore sessionOne;
        private final MemoryClusterStore sessionTwo;
        private final Map<Integer, Subscription> brokers = new HashMap<>();
        private final Map<Integer, UUID> stores = new HashMap<>();
        private final List<long[]> producerIds = new ArrayList<>();
        private final List<CompletionStage<?>> asked = new ArrayList<>();
        private ClusterView before = ClusterView.EMPTY;

        History(long seed) {
            this.seed = seed;
            random = new Random(seed);
            one = new ControllerSetup(new Random(seed));
            sessionOne = one.cluster.session();
            sessionTwo = one.cluster.session();
            two = new Controller(ControllerSetup.config(), thread, new Random(seed + 1));
            one.controller.bindPeers(this::forward);
            two.bindPeers(this::forward);
            one.controller.bind(sessionOne);
            two.bind(sessionTwo);
            sessionOne.register(ControllerSetup.broker(OF_ONE), new SilentListener());
            sessionTwo.register(ControllerSetup.broker(OF_TWO), new SilentListener());
        }

        /** What is sent to a broker is lost now and then, before or after it is decided. */
        private CompletionStage<byte[]> forward(
                int brokerId, Optional<Requester> requester, byte[] request, Duration timeout) {
            int luck = random.nextInt(10);
            if (luck == 0 || brokerId < OF_ONE) {
                return CompletableFuture.failedFuture(ErrorCode.BROKER_NOT_AVAILABLE.because("test"));
            }
            CompletionStage<byte[]> answer = (brokerId == OF_ONE ? one.controller : two).decide(requester, request);
            return luck == 1 ? CompletableFuture.failedFuture(ErrorCode.NETWORK_EXCEPTION.because("test")) : answer;
        }

        void run() {
            for (int step = 0; step < STEPS; step++) {
                step();
                check("seed " + seed + ", step " + step);
            }
            sessionOne.reconnect();
            sessionTwo.reconnect();
            Set<Integer> alive = new HashSet<>(brokers.keySet());
            alive.addAll(Set.of(OF_ONE, OF_TWO));
            assertThat(one.view().brokers().keySet()).as("seed %s", seed).isEqualTo(alive);
            ControllerSetup.pass(one.thread, Duration.ofSeconds(6));
            ControllerSetup.pass(thread, Duration.ofSeconds(6));
            assertThat(asked).as("seed %s", seed).allMatch(stage -> stage.toCompletableFuture()
                    .isDone());
            assertThat(one.follower.complaints()).as("seed %s", seed).isEmpty();
            one.controller.close();
            two.close();
        }

        private void step() {
            Controller at = random.nextBoolean() ? one.controller : two;
            MemoryClusterStore session = random.nextBoolean() ? sessionOne : sessionTwo;
            int broker = random.nextInt(BROKERS);
            String topic = "topic-" + random.nextInt(6);
            switch (random.nextInt(19)) {
                case 0, 1 -> join(broker);
                case 2 -> leave(broker);
                case 3, 4 -> asked.add(at.createTopics(
                        List.of(ControllerSetup.topic(topic, 1 + random.nextInt(4), 1 + random.nextInt(3))), false));
                case 5 -> asked.add(at.createTopics(
                        List.of(new NewTopic(topic, -1, -1, Map.of(0, someBrokers()), Map.of())), false));
                case 6 -> one.view().topic(topic).ifPresent(t -> at.deleteTopics(Set.of(t.topicId())));
                case 7 -> at.createPartitions(
                        Map.of(topic, new NewPartitions(1 + random.nextInt(6), List.of())), false);
                case 8 -> at.electLeaders(Optional.empty(), random.nextBoolean());
                case 9 -> at.reassign(Map.of(
                        new TopicPartition(topic, random.nextInt(3)),
                        random.nextInt(3) == 0 ? Optional.empty() : Optional.of(someBrokers())));
                case 10 -> at.allocateProducerIds(broker)
                        .thenAccept(ids -> producerIds.add(new long[] {ids.firstId(), ids.nextId()}));
                case 11 -> one.cluster.deposeController();
                case 14, 15 -> anyPartition().ifPresent(partition -> propose(at, partition));
                case 16 -> one.view().broker(broker).ifPresent(live -> at.leave(broker, live.epoch()));
                case 17 -> at.alterConfigs(
                        Map.of(
                                ConfigResource.topic(topic),
                                List.of(new ConfigChange(
                                        random.nextBoolean() ? "min.insync.replicas" : "storage.durability",
                                        ConfigChange.Operation.SET,
                                        random.nextBoolean() ? "2" : "none"))),
                        false);
                case 18 -> at.drain(broker, random.nextBoolean());
                case 12 -> {
                    if (random.nextBoolean()) {
                        session.disconnect();
                    } else {
                        session.expire();
                    }
                }
                default -> {
                    session.reconnect();
                    one.thread.pass(Duration.ofMillis(random.nextInt(1_500)));
                    thread.pass(Duration.ofMillis(random.nextInt(1_500)));
                }
            }
        }

        private void join(int broker) {
            if (!brokers.containsKey(broker)) {
                UUID store = stores.compute(
                        broker,
                        (id, last) -> last == null || random.nextInt(5) == 0 ? new UUID(random.nextLong(), id) : last);
                brokers.put(broker, one.register(ControllerSetup.broker(broker, store)));
            }
        }

        private void leave(int broker) {
            Subscription gone = brokers.remove(broker);
            if (gone != null) {
                gone.close();
            }
        }

        private Optional<PartitionId> anyPartition() {
            List<PartitionId> all = new ArrayList<>();
            one.view().topics().forEach(topic -> topic.partitions()
                    .keySet()
                    .forEach(number -> all.add(new PartitionId(topic.topicId(), number))));
            return all.isEmpty() ? Optional.empty() : Optional.of(all.get(random.nextInt(all.size())));
        }

        /** The leader proposes some replicas, sometimes in an epoch that is over. */
        private void propose(Controller at, PartitionId partition) {
            PartitionState state = one.view()
                    .topic(partition.topicId())
                    .flatMap(topic -> topic.partition(partition.partition()))
                    .orElseThrow();
            Map<Integer, Long> isr = new HashMap<>();
            state.replicas().stream()
                    .filter(id -> id == state.leader() || random.nextInt(3) > 0)
                    .forEach(id -> isr.put(
                            id, one.view().broker(id).map(live -> live.epoch()).orElse(-1L)));
            int late = random.nextInt(4) == 0 ? 1 : 0;
            at.alterInSync(
                    state.leader(),
                    one.view().broker(state.leader()).map(live -> live.epoch()).orElse(0L),
                    Map.of(
                            partition,
                            new InSyncChange(state.leaderEpoch(), state.partitionEpoch() - late, isr, false)));
        }

        private List<Integer> someBrokers() {
            Set<Integer> some = new HashSet<>();
            for (int i = 0; i <= random.nextInt(3); i++) {
                some.add(random.nextInt(BROKERS));
            }
            return List.copyOf(some);
        }

        private void check(String when) {
            ClusterView now = one.view();
            if (before.clusterId().isPresent()) {
                assertThat(now.clusterId()).as(when).isEqualTo(before.clusterId());
            }
            for (TopicView topic : now.topics()) {
                assertThat(topic.partitions().keySet().stream().toList())
                        .as(when)
                        .isEqualTo(IntStream.range(0, topic.partitions().size())
                                .boxed()
                                .toList());
                topic.partitions().forEach((number, state) -> {
                    String where = when + ", " + topic.name() + "-" + number + ": " + state;
                    checkState(where, topic.name(), state, now);
                    before.topic(topic.topicId())
                            .flatMap(t -> t.partition(number))
                            .ifPresent(earlier -> checkChange(where, earlier, state));
                });
            }
            checkProducerIds(when);
            checkReductions(when, now);
            before = now;
        }

        /** A change that takes replicas from a partition leaves it enough of them in sync, if it had enough. */
        private void checkReductions(String when, ClusterView now) {
            ClusterView last = before;
            for (var change : one.follower
                    .changes()
                    .subMap(before.version() + 1, now.version() + 1)
                    .entrySet()) {
                ClusterView next = last.after(change.getKey(), change.getValue());
                for (TopicView topic : next.topics()) {
                    int minInSync = ClusterConfigs.of(next).minInSync(topic.name());
                    Optional<TopicView> earlier = last.topic(topic.topicId());
                    topic.partitions().forEach((number, state) -> earlier.flatMap(t -> t.partition(number))
                            .filter(had ->
                                    had.replicas().size() > state.replicas().size())
                            .ifPresent(had -> assertThat(state.isr().size())
                                    .as("%s, version %s, %s-%s: %s", when, change.getKey(), topic.name(), number, state)
                                    .isGreaterThanOrEqualTo(Math.min(
                                            Math.min(minInSync, had.isr().size()),
                                            state.replicas().size()))));
                }
                last = next;
            }
        }

        private static void checkState(String where, String topic, PartitionState state, ClusterView now) {
            assertThat(state.isr()).as(where).isNotEmpty().doesNotHaveDuplicates();
            assertThat(state.replicas()).as(where).doesNotHaveDuplicates().containsAll(state.isr());
            assertThat(state.replicas()).as(where).containsAll(state.adding()).containsAll(state.removing());
            if (state.hasLeader()) {
                assertThat(state.isr()).as(where).contains(state.leader());
                assertThat(now.brokers()).as(where).containsKey(state.leader());
                assertThat(now.brokers().keySet()).as(where).containsAll(state.isr());
            } else {
                assertThat(now.brokers().values())
                        .as(where)
                        .filteredOn(broker -> !broker.leaving())
                        .extracting(broker -> broker.registration().brokerId())
                        .noneMatch(state.isr()::contains)
                        .noneMatch(state.eligible()::contains);
            }
            assertThat(state.eligible()).as(where).noneMatch(state.isr()::contains);
            int minInSync = ClusterConfigs.of(now).minInSync(topic);
            if (state.isr().size() >= minInSync) {
                assertThat(state.eligible()).as(where).isEmpty();
            }
            assertThat(state.replicas()).as(where).containsAll(state.eligible());
        }

        private static void checkChange(String where, PartitionState earlier, PartitionState state) {
            assertThat(state.leaderEpoch()).as(where).isGreaterThanOrEqualTo(earlier.leaderEpoch());
            assertThat(state.partitionEpoch()).as(where).isGreaterThanOrEqualTo(earlier.partitionEpoch());
            if (state.leader() != earlier.leader()) {
                assertThat(state.leaderEpoch()).as(where).isGreaterThan(earlier.leaderEpoch());
            }
            if (!state.equals(earlier)) {
                assertThat(state.partitionEpoch()).as(where).isGreaterThan(earlier.partitionEpoch());
            }
        }

        private void checkProducerIds(String when) {
            Set<Long> starts = new HashSet<>();
            for (long[] block : producerIds) {
                assertThat(starts.add(block[0])).as(when).isTrue();
                assertThat(block[1] - block[0]).as(when).isEqualTo(LocalAdmin.PRODUCER_IDS_PER_BLOCK);
                assertThat(block[0] % LocalAdmin.PRODUCER_IDS_PER_BLOCK)
                        .as(when)
                        .isZero();
            }
            assertThat(one.view().nextProducerId())
                    .as(when)
                    .isGreaterThanOrEqualTo(producerIds.size() * (long) LocalAdmin.PRODUCER_IDS_PER_BLOCK);
        }
    }
}
