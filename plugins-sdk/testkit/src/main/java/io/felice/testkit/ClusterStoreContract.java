package io.felice.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.Subscription;
import io.felice.api.cluster.BrokerRegistration;
import io.felice.api.cluster.ClusterStore;
import io.felice.api.cluster.ClusterStore.Term;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.config.ConfigResource;
import io.felice.api.storage.EngineTrait;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/**
 * The tests that every {@link ClusterStore} must pass. A subclass opens sessions on a cluster that is new for each
 * test.
 */
public abstract class ClusterStoreContract {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final ConfigResource ALL = ConfigResource.allBrokers();

    /** A new broker's session on this test's cluster. The cluster is new and empty for each test. */
    protected abstract ClusterStore session();

    @Test
    void aNewClusterIsEmptyAtVersionZero() {
        RecordingFollower follower = new RecordingFollower();

        session().follow(follower);

        await().atMost(PATIENCE).until(() -> follower.resets() == 1);
        assertThat(follower.view().version()).isZero();
        assertThat(follower.view().toRecords()).isEmpty();
    }

    @Test
    void everyFollowerGetsEveryChangeOnceAndInOrder() throws Exception {
        ClusterStore store = session();
        RecordingFollower near = new RecordingFollower();
        RecordingFollower far = new RecordingFollower();
        store.follow(near);
        session().follow(far);
        Term term = elected(store);
        List<CompletionStage<Long>> appends = new ArrayList<>();

        for (int i = 0; i < 300; i++) {
            appends.add(term.append(List.of(config("key-" + i, "value-" + i))));
        }

        long last = get(appends.get(299));
        for (RecordingFollower follower : List.of(near, far)) {
            awaitVersion(follower, last);
            assertThat(follower.complaints()).isEmpty();
            assertThat(keys(follower)).hasSize(300).isEqualTo(keys(near));
            for (int i = 0; i < 300; i++) {
                assertThat(follower.changes().get(get(appends.get(i))))
                        .as("the version of change %s", i)
                        .contains(config("key-" + i, "value-" + i));
            }
        }
        assertThat(keys(near).get(0)).isEqualTo("key-0");
        assertThat(keys(near).get(299)).isEqualTo("key-299");
    }

    @Test
    void aLateFollowerGetsTheSameRecords() throws Exception {
        ClusterStore store = session();
        Term term = elected(store);
        get(term.append(List.of(new MetadataRecord.ClusterNamed("c"))));
        long version = get(term.append(List.of(config("a", "1"), config("b", "2"))));
        RecordingFollower late = new RecordingFollower();

        session().follow(late);

        awaitVersion(late, version);
        assertThat(late.view().clusterId()).contains("c");
        assertThat(late.view().configs(ALL)).containsEntry("a", "1").containsEntry("b", "2");
        assertThat(late.complaints()).isEmpty();
    }

    @Test
    void aChangeOfAnySizeBecomesVisibleAtOnce() throws Exception {
        ClusterStore store = session();
        List<Integer> sizes = new CopyOnWriteArrayList<>();
        RecordingFollower follower = new RecordingFollower();
        session().follow(new ClusterStore.Follower() {
            @Override
            public void reset(long version, List<MetadataRecord> snapshot) {
                follower.reset(version, snapshot);
            }

            @Override
            public void changed(long version, List<MetadataRecord> records) {
                follower.changed(version, records);
                sizes.add(follower.view().configs(ALL).size());
            }
        });
        Term term = elected(store);
        List<MetadataRecord> large = new ArrayList<>();
        for (int i = 0; i < 3_000; i++) {
            large.add(config("key-" + i, "x".repeat(1_000)));
        }

        CompletionStage<Long> before = term.append(List.of(config("before", "1")));
        CompletionStage<Long> change = term.append(large);
        CompletionStage<Long> after = term.append(List.of(config("after", "1")));

        assertThat(get(before)).isLessThan(get(change));
        assertThat(get(change)).isLessThan(get(after));
        awaitVersion(follower, get(after));
        await().atMost(PATIENCE).until(() -> sizes.contains(3_002));
        assertThat(sizes).containsOnly(1, 3_001, 3_002);
        assertThat(follower.complaints()).isEmpty();
    }

    @Test
    void oneCandidateIsElectedAndTheNextWhenItResigns() throws Exception {
        ClusterStore first = session();
        ClusterStore second = session();
        RecordingCandidate one = new RecordingCandidate();
        RecordingCandidate two = new RecordingCandidate();
        Subscription campaign = first.campaign(one);
        await().atMost(PATIENCE).until(() -> one.term() != null);
        second.campaign(two);
        Term term = one.term();
        long version = get(term.append(List.of(config("a", "1"))));

        campaign.close();

        await().atMost(PATIENCE).until(() -> two.term() != null);
        assertThat(one.depositions()).isEqualTo(1);
        assertThat(one.term()).isNull();
        assertThat(two.term().epoch()).isGreaterThan(term.epoch());
        assertThat(two.term().logLength()).isGreaterThanOrEqualTo(version);
    }

    @Test
    void anEndedTermWritesNothing() throws Exception {
        ClusterStore store = session();
        RecordingCandidate candidate = new RecordingCandidate();
        Subscription campaign = store.campaign(candidate);
        await().atMost(PATIENCE).until(() -> candidate.term() != null);
        Term over = candidate.term();
        campaign.close();
        await().atMost(PATIENCE).until(() -> candidate.depositions() == 1);

        CompletionStage<Long> late = over.append(List.of(config("late", "1")));

        assertFails(late, ErrorCode.NOT_CONTROLLER);
        assertFails(over.snapshot(1, List.of()), ErrorCode.NOT_CONTROLLER);
        RecordingFollower follower = new RecordingFollower();
        store.follow(follower);
        Term next = elected(store);
        awaitVersion(follower, get(next.append(List.of(config("next", "1")))));
        assertThat(keys(follower)).containsExactly("next");
    }

    @Test
    void theControllerIsToldOfNewAndLostBrokers() {
        ClusterStore store = session();
        RecordingCandidate candidate = new RecordingCandidate();
        store.campaign(candidate);
        RecordingListener one = new RecordingListener();
        RecordingListener two = new RecordingListener();

        store.register(broker(1, UUID.randomUUID()), one);
        Subscription second = session().register(broker(2, UUID.randomUUID()), two);
        await().atMost(PATIENCE).until(() -> candidate.brokerIds().equals(List.of(1, 2)));
        second.close();

        await().atMost(PATIENCE).until(() -> candidate.brokerIds().equals(List.of(1)));
        assertThat(two.next()).startsWith("registered ");
        assertThat(epoch(one.next())).isPositive();
    }

    @Test
    void aBrokerThatRegistersAgainInTheSameIncarnationIsNeverAway() {
        ClusterStore store = session();
        RecordingCandidate candidate = new RecordingCandidate();
        store.campaign(candidate);
        BrokerRegistration before = broker(1, UUID.randomUUID());
        BrokerRegistration after = new BrokerRegistration(
                1,
                before.incarnation(),
                before.storeId(),
                before.endpoints(),
                "another rack",
                Map.of("log", Set.of(EngineTrait.SURVIVES_KILL)));
        Subscription first = store.register(before, new RecordingListener());
        await().atMost(PATIENCE).until(() -> lastOf(candidate).equals(List.of(before)));

        store.register(after, new RecordingListener());
        first.close();

        await().atMost(PATIENCE).until(() -> lastOf(candidate).equals(List.of(after)));
        assertThat(candidate.allBrokers().stream().dropWhile(List::isEmpty)).allMatch(live -> live.size() == 1);
    }

    private static List<BrokerRegistration> lastOf(RecordingCandidate candidate) {
        List<List<ClusterStore.LiveRegistration>> all = candidate.allBrokers();
        return all.isEmpty()
                ? List.of()
                : all.get(all.size() - 1).stream()
                        .map(ClusterStore.LiveRegistration::broker)
                        .toList();
    }

    @Test
    void aBrokerThatRegistersAgainHasAGreaterEpoch() {
        ClusterStore store = session();
        RecordingCandidate candidate = new RecordingCandidate();
        store.campaign(candidate);
        RecordingListener before = new RecordingListener();
        RecordingListener after = new RecordingListener();
        UUID storeId = UUID.randomUUID();
        Subscription first = store.register(broker(1, storeId), before);
        long epochBefore = epoch(before.next());
        first.close();
        await().atMost(PATIENCE).until(() -> candidate.brokerIds().isEmpty());

        store.register(broker(1, storeId), after);

        assertThat(epoch(after.next())).isGreaterThan(epochBefore);
    }

    @Test
    void aBrokerWithTheIdOfALiveOneIsRefused() {
        RecordingListener one = new RecordingListener();
        RecordingListener other = new RecordingListener();
        session().register(broker(1, UUID.randomUUID()), one);
        assertThat(one.next()).startsWith("registered ");

        session().register(broker(1, UUID.randomUUID()), other);

        assertThat(other.next()).startsWith("refused ").contains("id 1");
        assertThat(one.isQuiet()).isTrue();
    }

    @Test
    void everySessionKnowsTheController() {
        ClusterStore controller = session();
        ClusterStore other = session();
        controller.register(broker(7, UUID.randomUUID()), new RecordingListener());

        controller.campaign(new RecordingCandidate());

        await().atMost(PATIENCE)
                .until(() -> controller.controllerId().equals(Optional.of(7))
                        && other.controllerId().equals(Optional.of(7)));
        assertThat(controller.isControllerElsewhere()).isFalse();
        assertThat(other.isControllerElsewhere()).isTrue();
    }

    @Test
    void noControllerIsElsewhereAfterTheControllerHasResigned() {
        ClusterStore one = session();
        ClusterStore other = session();
        Subscription campaign = one.campaign(new RecordingCandidate());
        await().atMost(PATIENCE).until(other::isControllerElsewhere);

        campaign.close();

        await().atMost(PATIENCE).until(() -> !other.isControllerElsewhere());
    }

    @Test
    void aSnapshotReplacesAllEarlierChanges() throws Exception {
        ClusterStore store = session();
        RecordingFollower near = new RecordingFollower();
        store.follow(near);
        Term term = elected(store);
        long version = 0;
        for (int round = 0; round < 4; round++) {
            for (int i = 0; i < 20; i++) {
                version = get(term.append(List.of(config("key-" + i, "round-" + round))));
            }
            awaitVersion(near, version);
            ClusterView view = near.view();
            get(term.snapshot(view.version(), view.toRecords()));
        }
        long end = get(term.append(List.of(config("end", "1"))));
        RecordingFollower late = new RecordingFollower();

        session().follow(late);

        awaitVersion(late, end);
        awaitVersion(near, end);
        assertThat(late.changes().firstKey()).isGreaterThan(end - 41);
        assertThat(late.view().configs(ALL)).isEqualTo(near.view().configs(ALL)).hasSize(21);
        assertThat(late.complaints()).isEmpty();
        assertThat(near.resets()).isEqualTo(1);
    }

    @Test
    void aClosedFollowerGetsNoMoreChanges() throws Exception {
        ClusterStore store = session();
        RecordingFollower closed = new RecordingFollower();
        RecordingFollower open = new RecordingFollower();
        Subscription subscription = store.follow(closed);
        store.follow(open);
        Term term = elected(store);
        awaitVersion(closed, get(term.append(List.of(config("a", "1")))));

        subscription.close();
        subscription.close();

        awaitVersion(open, get(term.append(List.of(config("b", "1")))));
        assertThat(keys(closed)).containsExactly("a");
    }

    /** Starts a campaign and returns its term once it is elected. */
    protected static Term elected(ClusterStore store) {
        RecordingCandidate candidate = new RecordingCandidate();
        store.campaign(candidate);
        await().atMost(PATIENCE).until(() -> candidate.term() != null);
        return candidate.term();
    }

    protected static MetadataRecord config(String key, String value) {
        return new MetadataRecord.ConfigSet(ALL, key, value);
    }

    protected static BrokerRegistration broker(int id, UUID storeId) {
        return new BrokerRegistration(
                id,
                UUID.randomUUID(),
                storeId,
                List.of(new BrokerRegistration.Endpoint("PLAINTEXT", "PLAINTEXT", "localhost", 9000 + id)),
                null);
    }

    /** The keys of all configs that were set, in the order of the log. */
    protected static List<String> keys(RecordingFollower follower) {
        return follower.changes().values().stream()
                .flatMap(List::stream)
                .map(record -> ((MetadataRecord.ConfigSet) record).key())
                .toList();
    }

    protected static void awaitVersion(RecordingFollower follower, long version) {
        await().atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(5))
                .until(() -> follower.view().version() >= version);
    }

    protected static <T> T get(CompletionStage<T> stage) throws Exception {
        return stage.toCompletableFuture().get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }

    private static void assertFails(CompletionStage<?> stage, ErrorCode code) {
        assertThatThrownBy(() -> get(stage))
                .isInstanceOf(ExecutionException.class)
                .satisfies(
                        failure -> assertThat(FeliceException.codeOf(failure)).isEqualTo(code));
    }

    private static long epoch(String event) {
        assertThat(event).startsWith("registered ");
        return Long.parseLong(event.substring("registered ".length()));
    }

    /** Keeps every event of a registration. */
    protected static final class RecordingListener implements ClusterStore.RegistrationListener {
        private final BlockingQueue<String> heard = new LinkedBlockingQueue<>();

        /** A listener without events. */
        public RecordingListener() {
            // Public for tests in other packages.
        }

        @Override
        public void registered(long brokerEpoch) {
            heard.add("registered " + brokerEpoch);
        }

        @Override
        public void refused(String reason) {
            heard.add("refused " + reason);
        }

        /** Waits for the next event: {@code registered EPOCH} or {@code refused REASON}. */
        public String next() {
            try {
                String event = heard.poll(PATIENCE.toSeconds(), TimeUnit.SECONDS);
                assertThat(event).as("the next event of the registration").isNotNull();
                return event;
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException(interrupted);
            }
        }

        public boolean isQuiet() {
            return heard.isEmpty();
        }
    }
}
