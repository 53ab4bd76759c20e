package io.felice.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.felice.api.ErrorCode;
import io.felice.api.storage.Records;
import io.felice.protocol.Apis;
import io.felice.protocol.PinnedRecords;
import io.felice.testkit.TestBatches;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchRequestData.FetchPartition;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.FetchResponseData.FetchableTopicResponse;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;
import org.apache.kafka.common.message.ListOffsetsRequestData;
import org.apache.kafka.common.message.ListOffsetsResponseData;
import org.apache.kafka.common.message.ListOffsetsResponseData.ListOffsetsPartitionResponse;
import org.apache.kafka.common.message.ListOffsetsResponseData.ListOffsetsTopicResponse;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a fetcher asks a leader, and what it does with each answer. */
class FetcherTest {
    private static final int LEADER = 2;
    private static final UUID TOPIC = UUID.randomUUID();

    private final FakeView view = new FakeView();
    private final Leader leader = new Leader();
    private final ViewConfigs configs = new ViewConfigs(view);
    private FakeBroker broker;
    private Fetcher fetcher;

    /** Gives one batch of ten records at each offset below the end of a partition's log, with a fetch session. */
    private static final class Leader {
        final Map<Integer, Long> ends = new ConcurrentHashMap<>();
        final Map<Integer, List<PartitionData>> instead = new ConcurrentHashMap<>();
        final List<FetchRequestData> fetches = new CopyOnWriteArrayList<>();
        private final Map<Integer, Session> sessions = new ConcurrentHashMap<>();
        private int lastId;
        private volatile Session last = new Session();
        volatile boolean forgetsSessions;
        volatile int bytesOfRecord = 1;
        volatile CompletableFuture<Void> gate = CompletableFuture.completedFuture(null);
        final AtomicInteger held = new AtomicInteger();

        private static final class Session {
            final Map<Integer, FetchPartition> partitions = new ConcurrentHashMap<>();
            int epoch;
        }

        /** The partitions of the session of the last request. */
        Set<Integer> asked() {
            return last.partitions.keySet();
        }

        void end(int partition, long end) {
            ends.put(partition, end);
        }

        void answerOnce(int partition, PartitionData data) {
            instead.computeIfAbsent(partition, unused -> new CopyOnWriteArrayList<>())
                    .add(data.setPartitionIndex(partition));
        }

        ApiMessage fetch(FetchRequestData request) {
            if (!gate.isDone() && held.compareAndSet(0, 1)) {
                gate.join();
            }
            return answer(request);
        }

        private synchronized ApiMessage answer(FetchRequestData request) {
            fetches.add(request.duplicate());
            int id = request.sessionEpoch() == 0 ? ++lastId : request.sessionId();
            Session session = sessions.computeIfAbsent(id, unused -> new Session());
            if (request.sessionEpoch() != session.epoch || forgetsSessions) {
                forgetsSessions = false;
                return new FetchResponseData().setErrorCode(ErrorCode.FETCH_SESSION_ID_NOT_FOUND.code());
            }
            session.epoch++;
            last = session;
            request.topics().forEach(topic -> topic.partitions()
                    .forEach(asked -> session.partitions.put(asked.partition(), asked)));
            request.forgottenTopicsData().forEach(topic -> topic.partitions().forEach(session.partitions::remove));
            FetchableTopicResponse topic = new FetchableTopicResponse()
                    .setTopicId(new Uuid(TOPIC.getMostSignificantBits(), TOPIC.getLeastSignificantBits()));
            session.partitions.values().forEach(asked -> {
                PartitionData data = data(asked);
                if (data != null) {
                    topic.partitions().add(data);
                }
            });
            FetchResponseData answer = new FetchResponseData().setSessionId(id);
            if (topic.partitions().isEmpty()) {
                pause();
                return answer;
            }
            return answer.setResponses(List.of(topic));
        }

        private PartitionData data(FetchPartition asked) {
            List<PartitionData> once = instead.getOrDefault(asked.partition(), List.of());
            if (!once.isEmpty()) {
                return once.remove(0);
            }
            long end = ends.getOrDefault(asked.partition(), 0L);
            if (asked.fetchOffset() >= end) {
                return null;
            }
            ByteBuffer batch = TestBatches.batch(10)
                    .valueBytes(bytesOfRecord)
                    .at(asked.fetchOffset())
                    .bytes();
            return new PartitionData()
                    .setPartitionIndex(asked.partition())
                    .setHighWatermark(end)
                    .setLogStartOffset(0)
                    .setRecords(records(batch));
        }

        private static void pause() {
            try {
                Thread.sleep(1);
            } catch (InterruptedException over) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @BeforeEach
    void start() throws Exception {
        broker = new FakeBroker()
                .answer(Apis.FETCH, FetchRequestData.class, leader::fetch)
                .answer(Apis.LIST_OFFSETS, ListOffsetsRequestData.class, FetcherTest::range);
        view.broker(LEADER, broker.port());
        PeerIdentity identity = new PeerIdentity(TestPeers.plain(), List.of());
        fetcher = new Fetcher(
                LEADER,
                0,
                new FetchEnvironment(
                        view,
                        new PeerAddresses(view, identity::settings),
                        () -> identity,
                        TestPeers::limits,
                        new FetchThrottle(configs, view, System::nanoTime)));
        fetcher.start();
    }

    @AfterEach
    void stop() throws Exception {
        fetcher.stop();
        fetcher.join();
        broker.close();
        assertThat(fetcher.hasEnded()).isTrue();
    }

    /** The leader's log has the offsets 100 to 500. */
    private static ApiMessage range(ListOffsetsRequestData request) {
        ListOffsetsResponseData answer = new ListOffsetsResponseData();
        request.topics().forEach(topic -> {
            ListOffsetsTopicResponse found = new ListOffsetsTopicResponse().setName(topic.name());
            topic.partitions().forEach(asked -> found.partitions()
                    .add(new ListOffsetsPartitionResponse()
                            .setPartitionIndex(asked.partitionIndex())
                            .setOffset(asked.timestamp() == -2 ? 100 : 500)));
            answer.topics().add(found);
        });
        return answer;
    }

    private FakeFollowed follow(int partition) {
        FakeFollowed followed = followed(partition, 7);
        fetcher.following(followed);
        return followed;
    }

    private static FakeFollowed followed(int partition, int leaderEpoch) {
        return new FakeFollowed("orders", partition, TOPIC, LEADER, leaderEpoch);
    }

    private static void awaitEnd(FakeFollowed followed, long end) {
        await().until(() -> followed.fetchOffset() == end);
    }

    private static PinnedRecords records(ByteBuffer batches) {
        return new PinnedRecords(new Records.InMemory(List.of(batches.duplicate()), -1, () -> {}));
    }

    private static PartitionData error(ErrorCode code) {
        return new PartitionData().setErrorCode(code.code()).setRecords(MemoryRecords.EMPTY);
    }

    @Test
    void theRecordsOfTheLeaderComeInOrderAndWithoutGaps() {
        leader.end(0, 500);
        leader.end(1, 300);

        FakeFollowed first = follow(0);
        FakeFollowed second = follow(1);

        awaitEnd(first, 500);
        awaitEnd(second, 300);
        assertThat(first.batches).hasSize(50);
        assertThat(first.events).isEmpty();
        assertThat(second.events).isEmpty();
        assertThat(first.highWatermark).isEqualTo(500);
    }

    @Test
    void theLeaderIsToldWhoFetchesAndInWhichEpochs() {
        follow(0);

        await().until(() -> !leader.fetches.isEmpty());
        FetchRequestData request = leader.fetches.get(0);
        FetchPartition asked = request.topics().get(0).partitions().get(0);
        assertThat(request.replicaState().replicaId()).isEqualTo(FakeView.SELF);
        assertThat(request.replicaState().replicaEpoch()).isEqualTo(FakeView.EPOCH);
        assertThat(asked.currentLeaderEpoch()).isEqualTo(7);
        assertThat(asked.lastFetchedEpoch()).isEqualTo(-1);
    }

    @Test
    void onlyWhatHasChangedIsInARequest() {
        for (int partition = 0; partition < 20; partition++) {
            follow(partition);
        }
        await().until(() -> leader.asked().size() == 20);
        int before = leader.fetches.size();

        leader.end(3, 10);

        await().until(() -> leader.fetches.size() > before + 5);
        List<Integer> asked = new ArrayList<>();
        List.copyOf(leader.fetches).subList(before + 1, before + 5).forEach(request -> request.topics()
                .forEach(topic -> topic.partitions().forEach(one -> asked.add(one.partition()))));
        assertThat(asked).containsExactly(3);
    }

    @Test
    void aLeaderThatForgetsTheSessionIsAskedForEverythingOnceMore() {
        FakeFollowed first = follow(0);
        FakeFollowed second = follow(1);
        await().until(() -> leader.fetches.size() > 2);

        leader.forgetsSessions = true;
        leader.end(0, 50);
        leader.end(1, 50);

        awaitEnd(first, 50);
        awaitEnd(second, 50);
        assertThat(first.events).isEmpty();
    }

    @Test
    void aFollowerWhoseLogDivergesTruncatesAndGoesOn() {
        PartitionData diverging = error(ErrorCode.NONE);
        diverging.divergingEpoch().setEpoch(4).setEndOffset(20);
        leader.answerOnce(0, diverging);
        leader.end(0, 60);
        FakeFollowed followed = followed(0, 7).at(40, 6);

        fetcher.following(followed);

        awaitEnd(followed, 60);
        assertThat(followed.events).containsExactly("truncate to 4@20");
    }

    @Test
    void aFollowerOutsideOfTheLeadersLogLearnsWhereThatLogBeginsAndEnds() {
        leader.answerOnce(0, error(ErrorCode.OFFSET_OUT_OF_RANGE));
        leader.end(0, 150);

        FakeFollowed followed = follow(0);

        awaitEnd(followed, 150);
        assertThat(followed.events).containsExactly("out of range 100..500");
        assertThat(broker.requests(ListOffsetsRequestData.class))
                .allSatisfy(request -> assertThat(request.replicaId()).isEqualTo(FakeView.SELF));
    }

    @Test
    void aPartitionOfWhichTheLeaderDoesNotKnowYetIsTriedAgainWhileTheOthersGoOn() {
        for (int i = 0; i < 3; i++) {
            leader.answerOnce(0, error(ErrorCode.UNKNOWN_LEADER_EPOCH));
        }
        leader.end(0, 20);
        leader.end(1, 400);

        FakeFollowed failing = follow(0);
        FakeFollowed other = follow(1);

        awaitEnd(other, 400);
        awaitEnd(failing, 20);
        assertThat(other.events).isEmpty();
    }

    @Test
    void aFailedAppendIsTriedAgainAtTheSameOffset() {
        leader.end(0, 30);
        FakeFollowed followed = followed(0, 7);
        followed.failure = ErrorCode.KAFKA_STORAGE_ERROR.because("the disk is full");

        fetcher.following(followed);

        awaitEnd(followed, 30);
        assertThat(followed.events).containsExactly("failed at 0");
        assertThat(fetcher.status().lastError()).contains("orders-0", "offset 0", "the disk is full");
    }

    @Test
    void aDamagedBatchIsFetchedAgain() {
        ByteBuffer damaged = TestBatches.batch(10).at(0).bytes();
        ByteBuffer copy = ByteBuffer.allocate(damaged.remaining()).put(damaged.duplicate());
        copy.flip();
        copy.put(copy.limit() - 1, (byte) (copy.get(copy.limit() - 1) + 1));
        leader.answerOnce(0, error(ErrorCode.NONE).setRecords(records(copy)));
        leader.end(0, 30);

        FakeFollowed followed = follow(0);

        awaitEnd(followed, 30);
        assertThat(fetcher.status().lastError()).contains("CORRUPT_MESSAGE", "orders-0", "offset 0");
    }

    @Test
    void anAppendThatHangsHoldsUpNoOtherPartition() {
        leader.end(0, 30);
        leader.end(1, 400);
        FakeFollowed hanging = followed(0, 7);
        CompletableFuture<Void> gate = new CompletableFuture<>();
        hanging.gate = gate;

        fetcher.following(hanging);
        FakeFollowed other = follow(1);

        awaitEnd(other, 400);
        assertThat(hanging.fetchOffset()).isZero();
        gate.complete(null);
        awaitEnd(hanging, 30);
        assertThat(hanging.events).isEmpty();
    }

    @Test
    void theMemoryOfAnAnswerIsNotUsedAgainBeforeAllOfItIsAppended() {
        CompletableFuture<Void> gate = new CompletableFuture<>();
        FakeFollowed slow = followed(1, 7);
        slow.gate = gate;
        leader.bytesOfRecord = 20_000;
        leader.answerOnce(0, error(ErrorCode.NONE).setHighWatermark(5));
        leader.end(1, 10);
        CompletableFuture<Void> open = holdAnswers();
        FakeFollowed quick = follow(0);
        fetcher.following(slow);
        await().until(() -> leader.held.get() == 1);
        open.complete(null);
        await().until(() -> leader.fetches.size() > 2);

        leader.end(0, 400);
        awaitEnd(quick, 400);
        gate.complete(null);

        awaitEnd(slow, 10);
        assertThat(fetcher.status().lastError()).isEmpty();
    }

    @Test
    void whatWasFetchedInAnOlderEpochIsNotAppendedInTheNextOne() {
        leader.end(0, 400);
        FakeFollowed old = follow(0);
        await().until(() -> old.fetchOffset() > 0);

        fetcher.ended(old);
        FakeFollowed next = followed(0, 8).at(10, 7);
        fetcher.following(next);

        awaitEnd(next, 400);
        assertThat(next.events).isEmpty();
        await().until(() -> leader.fetches.stream()
                .flatMap(request -> request.topics().stream())
                .flatMap(topic -> topic.partitions().stream())
                .anyMatch(asked -> asked.currentLeaderEpoch() == 8 && asked.fetchOffset() == 10));
    }

    @Test
    void aPartitionThatIsFollowedNoLongerIsNotAskedFor() {
        FakeFollowed first = follow(0);
        follow(1);
        await().until(() -> leader.fetches.size() > 2);

        fetcher.ended(first);

        await().until(() -> leader.asked().equals(Set.of(1)));
    }

    @Test
    void aLostConnectionIsMadeAgainAndNothingIsLost() throws Exception {
        leader.end(0, 200);
        FakeFollowed followed = follow(0);
        awaitEnd(followed, 200);

        broker.disconnect();
        leader.end(0, 400);

        awaitEnd(followed, 400);
        assertThat(followed.events).isEmpty();
        assertThat(fetcher.status().state()).isEqualTo(PeerStatus.State.CONNECTED);
    }

    @Test
    void aLeaderThatComesBackAtAnotherAddressIsFoundThere() throws Exception {
        FakeFollowed followed = follow(0);
        await().until(() -> !leader.fetches.isEmpty());
        leader.end(0, 100);
        broker.close();
        try (FakeBroker moved = new FakeBroker().answer(Apis.FETCH, FetchRequestData.class, leader::fetch)) {
            view.broker(LEADER, moved.port());

            awaitEnd(followed, 100);
        }
    }

    /** The answer to this partition's fetcher comes only when the test says so. */
    private CompletableFuture<Void> holdAnswers() {
        CompletableFuture<Void> open = new CompletableFuture<>();
        leader.gate = open;
        return open;
    }

    @Test
    void aNewcomerDoesNotWaitForTheAnswerThatTheLeaderKeeps() {
        follow(0);
        await().until(() -> leader.fetches.size() > 2);
        CompletableFuture<Void> open = holdAnswers();
        await().until(() -> leader.held.get() == 1);
        leader.end(1, 200);
        leader.end(2, 200);

        FakeFollowed first = follow(1);
        FakeFollowed second = follow(2);

        awaitEnd(first, 200);
        awaitEnd(second, 200);
        assertThat(open).isNotDone();
        open.complete(null);
        await().until(() -> leader.asked().equals(Set.of(0, 1, 2)));
        leader.end(1, 300);
        awaitEnd(first, 300);
        await().until(() -> broker.connections() == 1);
        assertThat(first.events).isEmpty();
    }

    @Test
    void aNewcomerThatIsFollowedNoLongerIsNotFetchedByAnybody() {
        follow(0);
        await().until(() -> leader.fetches.size() > 2);
        CompletableFuture<Void> open = holdAnswers();
        await().until(() -> leader.held.get() == 1);
        leader.end(1, 200);
        FakeFollowed newcomer = follow(1);
        awaitEnd(newcomer, 200);

        newcomer.following = false;
        fetcher.ended(newcomer);
        open.complete(null);

        await().until(() -> broker.connections() == 1);
        leader.end(1, 300);
        int before = leader.fetches.size();
        await().until(() -> leader.fetches.size() > before + 3);
        assertThat(newcomer.fetchOffset()).isEqualTo(200);
    }

    @Test
    void aLeaderThatIsAwayIsSaidToBe() throws Exception {
        broker.close();

        follow(0);

        await().until(() -> fetcher.status().state() == PeerStatus.State.AWAY);
        assertThat(fetcher.status().lastError()).contains("Broker 2", "cannot be reached");
    }
}
