package io.felice.controller;

import static io.felice.controller.ControllerSetup.broker;
import static io.felice.controller.ControllerSetup.pass;
import static io.felice.controller.ControllerSetup.topic;
import static io.felice.controller.ControllerSetup.withBrokers;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.Subscription;
import io.felice.api.cluster.Admin.CreatedTopic;
import io.felice.api.cluster.Admin.Decided;
import io.felice.api.cluster.MetadataRecord;
import io.felice.testkit.MemoryClusterStore;
import io.felice.testkit.RecordingCandidate;
import io.felice.testkit.RecordingFollower;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** What the controller does while it is elected and while it is not. */
class ControllerTest {
    @Test
    void theFirstTermNamesTheClusterOnceAndForAll() {
        ControllerSetup setup = withBrokers();
        String name = setup.view().clusterId().orElseThrow();

        setup.cluster.deposeController();

        assertThat(name).matches("[A-Za-z0-9_][A-Za-z0-9_-]{21}");
        assertThat(setup.view().clusterId()).contains(name);
        assertThat(setup.follower.changes().values().stream().flatMap(List::stream))
                .filteredOn(MetadataRecord.ClusterNamed.class::isInstance)
                .hasSize(1);
    }

    @Test
    void brokersThatComeAndGoAreWrittenDown() {
        ControllerSetup setup = new ControllerSetup();
        setup.controller.bind(setup.cluster);
        Subscription registration = setup.register(broker(1));
        assertThat(setup.view().brokers()).containsOnlyKeys(1);
        assertThat(setup.controller.controllerId()).contains(1);

        registration.close();

        assertThat(setup.view().brokers()).isEmpty();
    }

    @Test
    void producerIdsComeInBlocksThatNobodyElseGets() {
        ControllerSetup setup = withBrokers(1, 2);

        CompletableFuture<MetadataRecord.ProducerIdsAllocated> one =
                setup.controller.allocateProducerIds(1).toCompletableFuture();
        setup.cluster.deposeController();
        CompletableFuture<MetadataRecord.ProducerIdsAllocated> two =
                setup.controller.allocateProducerIds(2).toCompletableFuture();

        assertThat(one.join()).isEqualTo(new MetadataRecord.ProducerIdsAllocated(1, 0, 1_000));
        assertThat(two.join()).isEqualTo(new MetadataRecord.ProducerIdsAllocated(2, 1_000, 1_000));
    }

    @Test
    void aRequestWaitsForTheStoreAndIsDecidedWhenItComes() {
        ControllerSetup setup = new ControllerSetup();
        setup.register(broker(1));
        CompletionStage<?> early = setup.controller.createTopics(List.of(topic("t", 1, 1)), false);
        assertThat(early.toCompletableFuture()).isNotDone();

        setup.controller.bind(setup.cluster);

        assertThat(early.toCompletableFuture()).isCompleted();
        assertThat(setup.view().topic("t")).isPresent();
    }

    @Test
    void aStoreThatIsReplacedUnderWayLosesNoRequest() {
        ControllerSetup setup = withBrokers(1);
        setup.controller.unbind(setup.cluster);
        CompletionStage<?> between = setup.controller.createTopics(List.of(topic("t", 1, 1)), false);
        assertThat(between.toCompletableFuture()).isNotDone();

        setup.controller.bind(setup.cluster.session());

        assertThat(between.toCompletableFuture()).isCompleted();
        assertThat(setup.view().topic("t")).isPresent();
        assertThat(setup.view().brokers()).containsOnlyKeys(1);
    }

    @Test
    void aChangeThatTheEndOfItsTermStoppedIsDecidedAgain() {
        ControllerSetup setup = new ControllerSetup();
        MemoryClusterStore mine = setup.cluster.session();
        setup.controller.bind(mine);
        setup.register(broker(1));
        mine.disconnect();
        CompletionStage<?> cutOff = setup.controller.createTopics(List.of(topic("t", 1, 1)), false);
        mine.expire();
        assertThat(cutOff.toCompletableFuture()).isNotDone();

        mine.reconnect();

        assertThat(cutOff.toCompletableFuture()).isCompleted();
        assertThat(setup.view().topic("t")).isPresent();
        assertThat(setup.follower.complaints()).isEmpty();
    }

    /** Otherwise a leader is told that its in-sync set was changed already, and the next controller does not know of it. */
    @Test
    void anAnswerThatChangesNothingIsGivenWhenWhatItWasDecidedOnIsInTheLog() {
        ControllerSetup setup = new ControllerSetup();
        MemoryClusterStore mine = setup.cluster.session();
        setup.controller.bind(mine);
        setup.register(broker(1));
        mine.disconnect();
        setup.controller.createTopics(List.of(topic("t", 1, 1)), false);

        CompletionStage<Decided<String, CreatedTopic>> second =
                setup.controller.createTopics(List.of(topic("t", 1, 1)), false);

        assertThat(second.toCompletableFuture()).isNotDone();
        mine.expire();
        assertThat(second.toCompletableFuture()).isNotDone();
        mine.reconnect();
        assertThat(second.toCompletableFuture()).isCompleted();
        assertThat(setup.view().topic("t")).isPresent();
    }

    @Test
    void whatWaitsTooLongOrIsTooMuchIsRefused() {
        ControllerSetup setup = new ControllerSetup();
        List<CompletionStage<?>> waiting = new ArrayList<>();
        for (int i = 0; i < 101; i++) {
            waiting.add(setup.controller.createTopics(List.of(topic("t", 1, 1)), false));
        }
        assertThat(codeOf(waiting.get(100))).isEqualTo(ErrorCode.COORDINATOR_NOT_AVAILABLE);
        assertThat(waiting.get(99).toCompletableFuture()).isNotDone();

        setup.thread.pass(Duration.ofSeconds(5));

        assertThat(codeOf(waiting.get(99))).isEqualTo(ErrorCode.REQUEST_TIMED_OUT);
        setup.controller.bind(setup.cluster);
        assertThat(setup.view().topics()).isEmpty();
    }

    @Test
    void aChangedLimitIsInForceForTheNextRequest() {
        ControllerSetup setup = new ControllerSetup();
        setup.controller.modified(ControllerSetup.config(1));
        setup.controller.createTopics(List.of(topic("waits", 1, 1)), false);

        CompletionStage<?> refused = setup.controller.createTopics(List.of(topic("refused", 1, 1)), false);

        assertThat(codeOf(refused)).isEqualTo(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    }

    @Test
    void whileAnotherBrokerIsControllerThatCannotBeAskedThisOneSaysSo() {
        ControllerSetup setup = new ControllerSetup();
        setup.register(broker(9));
        setup.cluster.campaign(new RecordingCandidate());
        setup.controller.bind(setup.cluster.session());

        CompletionStage<?> asked = setup.controller.createTopics(List.of(topic("t", 1, 1)), false);
        pass(setup.thread, Duration.ofMillis(2_100));

        assertThat(codeOf(asked)).isEqualTo(ErrorCode.NOT_CONTROLLER);
        assertThat(setup.controller.controllerId()).contains(9);
    }

    @Test
    void whatWaitedForTheStoreIsRefusedWhenAnotherBrokerTurnsOutToBeController() {
        ControllerSetup setup = new ControllerSetup();
        setup.cluster.campaign(new RecordingCandidate());
        CompletionStage<?> early = setup.controller.createTopics(List.of(topic("t", 1, 1)), false);
        assertThat(early.toCompletableFuture()).isNotDone();

        setup.controller.bind(setup.cluster.session());
        pass(setup.thread, Duration.ofMillis(2_100));

        assertThat(codeOf(early)).isEqualTo(ErrorCode.NOT_CONTROLLER);
    }

    @Test
    void whatIsGoneFromTheLogIsReplacedByASnapshot() {
        ControllerSetup setup = withBrokers(1);
        setup.create("t", 1, 1);

        setup.cluster.damage("Batch 1 is gone");

        RecordingFollower late = new RecordingFollower();
        setup.cluster.follow(late);
        assertThat(late.changes()).isEmpty();
        assertThat(late.view().version()).isEqualTo(setup.view().version());
        assertThat(late.view().topic("t")).isPresent();
    }

    @Test
    void aBrokerAboveTheLimitIsNotAdmittedAndReplacesAnotherOnlyWhenThatIsGone() {
        ControllerSetup setup = withBrokers();
        Subscription first = setup.register(broker(0));
        for (int id = 1; id < ControllerSetup.MANY_BROKERS; id++) {
            setup.register(broker(id));
        }

        setup.register(broker(ControllerSetup.MANY_BROKERS));

        assertThat(setup.view().brokers()).hasSize(ControllerSetup.MANY_BROKERS);
        assertThat(refusals(setup))
                .singleElement()
                .asString()
                .contains("Broker 100 is not admitted: the cluster has 100 brokers, and may have no more");
        first.close();
        assertThat(setup.view().brokers())
                .hasSize(ControllerSetup.MANY_BROKERS)
                .containsKey(ControllerSetup.MANY_BROKERS)
                .doesNotContainKey(0);
    }

    @Test
    void aBrokerWithACopyOfAnothersDataDirectoryIsNotAdmitted() {
        ControllerSetup setup = withBrokers();
        UUID store = UUID.randomUUID();
        setup.register(broker(2, store));

        setup.register(broker(1, store));

        assertThat(setup.view().brokers()).containsOnlyKeys(2);
        assertThat(refusals(setup))
                .singleElement()
                .asString()
                .contains(
                        "Broker 1 is not admitted: its data directory is a copy of the one of broker 2 at localhost:9002");
    }

    private static List<MetadataRecord> refusals(ControllerSetup setup) {
        return setup.follower.changes().values().stream()
                .flatMap(List::stream)
                .filter(MetadataRecord.BrokerRefused.class::isInstance)
                .toList();
    }

    @Test
    void closingAnswersWhatWaits() {
        ControllerSetup setup = new ControllerSetup();
        CompletionStage<?> waiting = setup.controller.createTopics(List.of(topic("t", 1, 1)), false);

        setup.controller.close();

        assertThat(codeOf(waiting)).isEqualTo(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    }

    @Test
    void whatIsAskedWhileItClosesIsRefused() {
        AtomicReference<Controller> controller = new AtomicReference<>();
        AtomicReference<CompletionStage<?>> late = new AtomicReference<>();
        controller.set(new Controller(
                ControllerSetup.config(),
                new InlineThread() {
                    @Override
                    public void close() {
                        late.set(controller.get().createTopics(List.of(topic("t", 1, 1)), false));
                        super.close();
                    }
                },
                new Random(1)));

        controller.get().close();

        assertThat(codeOf(late.get())).isEqualTo(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    }

    @Test
    void whatIsAskedWhenItsThreadHasEndedIsRefused() {
        Controller controller = new Controller(ControllerSetup.config());
        controller.close();

        CompletionStage<?> late = controller.createTopics(List.of(topic("t", 1, 1)), false);

        assertThat(codeOf(late)).isEqualTo(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    }

    @Test
    void whatIsBeingWrittenWhenItClosesIsAnsweredWhenTheLogHasAnswered() {
        CompletableFuture<Void> gate = new CompletableFuture<>();
        Controller controller = new Controller(ControllerSetup.config(), new InlineThread(), new Random(1));
        controller.bind(new LateAnswers(new MemoryClusterStore(Runnable::run), gate));
        CompletionStage<?> ids = controller.allocateProducerIds(1);

        controller.close();

        assertThat(ids.toCompletableFuture()).isNotDone();
        gate.complete(null);
        assertThat(ids.toCompletableFuture()).isCompleted();
    }

    @Test
    void aSnapshotIsTakenAfterEnoughChanges() {
        ControllerSetup setup = withBrokers(1);
        for (int i = 0; i < 120; i++) {
            setup.create("topic-" + i, 1, 1);
        }

        RecordingFollower late = new RecordingFollower();
        setup.cluster.follow(late);

        assertThat(late.view().topics()).hasSize(120);
        assertThat(late.changes().size()).isLessThan(50);
        assertThat((Long) setup.controller.tables().get(0).rows().get(0).get(9)).isGreaterThanOrEqualTo(2);
    }

    @Test
    void aRealThreadEndsWithItsController() throws Exception {
        MemoryClusterStore cluster = new MemoryClusterStore();
        Controller controller = new Controller(ControllerSetup.config());
        controller.bind(cluster);
        cluster.register(broker(1), new SilentListener());
        RecordingFollower follower = new RecordingFollower();
        cluster.follow(follower);
        await().until(() -> follower.view().broker(1).isPresent());
        assertThat(controller
                        .createTopics(List.of(topic("t", 1, 1)), false)
                        .toCompletableFuture()
                        .get(30, TimeUnit.SECONDS)
                        .outcomes()
                        .get("t")
                        .error())
                .isEqualTo(ErrorCode.NONE);

        controller.close();

        await().untilAsserted(() -> assertThat(Thread.getAllStackTraces().keySet())
                .extracting(Thread::getName)
                .doesNotContain("felice-controller"));
        cluster.close();
    }

    private static ErrorCode codeOf(CompletionStage<?> stage) {
        assertThat(stage.toCompletableFuture()).isCompletedExceptionally();
        ErrorCode[] code = new ErrorCode[1];
        assertThatThrownBy(() -> stage.toCompletableFuture().join())
                .satisfies(failure -> code[0] = FeliceException.codeOf(failure));
        return code[0];
    }
}
