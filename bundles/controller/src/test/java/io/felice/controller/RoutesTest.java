package io.felice.controller;

import static io.felice.controller.ControllerSetup.broker;
import static io.felice.controller.ControllerSetup.only;
import static io.felice.controller.ControllerSetup.pass;
import static io.felice.controller.ControllerSetup.topic;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.cluster.Admin.AppliedVersion;
import io.felice.api.cluster.Admin.CreatedTopic;
import io.felice.api.cluster.Admin.Decided;
import io.felice.api.cluster.Peers;
import io.felice.api.security.AuditLog;
import io.felice.api.security.Principal;
import io.felice.api.security.Requester;
import io.felice.testkit.MemoryClusterStore;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

/** Requests at brokers that are not the controller. Broker 1 is the first controller. */
class RoutesTest {
    /** A broker with its controller and its session. */
    private static final class Node {
        final int id;
        final MemoryClusterStore session;
        final InlineThread thread = new InlineThread();
        final Controller controller;

        Node(int id, MemoryClusterStore cluster) {
            this.id = id;
            session = cluster.session();
            controller = new Controller(ControllerSetup.config(), thread, new Random(id));
        }
    }

    /** The connections of a broker. What is sent to a broker arrives at once, or in the way that the test says. */
    private final class Connections implements Peers {
        @Override
        public CompletionStage<byte[]> forward(
                int brokerId, Optional<Requester> requester, byte[] request, Duration timeout) {
            sent.add(brokerId);
            requesters.add(requester);
            ErrorCode failure = failures.get(brokerId);
            if (failure != null) {
                return CompletableFuture.failedFuture(failure.because("test"));
            }
            CompletionStage<byte[]> answer = nodes.get(brokerId).controller.decide(requester, request);
            ErrorCode lost = lostAnswers.get(brokerId);
            if (lost != null) {
                return CompletableFuture.failedFuture(lost.because("test"));
            }
            return hanging.contains(brokerId) ? new CompletableFuture<>() : answer;
        }
    }

    private final ControllerSetup setup = new ControllerSetup();
    private final Map<Integer, Node> nodes = new HashMap<>();
    private final List<Integer> sent = new ArrayList<>();
    private final List<Optional<Requester>> requesters = new ArrayList<>();
    private final Map<Integer, ErrorCode> failures = new HashMap<>();
    private final Map<Integer, ErrorCode> lostAnswers = new HashMap<>();
    private final Set<Integer> hanging = new HashSet<>();
    private final Node one = node(1);
    private final Node two = node(2);
    private final Node three = node(3);

    private Node node(int id) {
        Node node = new Node(id, setup.cluster);
        nodes.put(id, node);
        node.controller.bind(node.session);
        node.controller.bindPeers(new Connections());
        node.session.register(broker(id), new SilentListener());
        return node;
    }

    @Test
    void aRequestAtAnotherBrokerIsDecidedByTheController() {
        CompletionStage<Decided<String, CreatedTopic>> asked =
                two.controller.createTopics(List.of(topic("t", 2, 3)), false);

        assertThat(only(asked).value().partitions()).isEqualTo(2);
        assertThat(setup.view().topic("t")).isPresent();
        assertThat(sent).containsExactly(1);
    }

    @Test
    void errorsOfItemsComeBackToo() {
        assertThat(only(two.controller.createTopics(List.of(topic("..", 1, 1)), false))
                        .error())
                .isEqualTo(ErrorCode.INVALID_TOPIC_EXCEPTION);
    }

    @Test
    void aForwardedRequestSaysWhichClientAsksAndARequestOfTheNodeSaysNobody() {
        Requester alice = new Requester(Principal.user("alice"), InetAddress.getLoopbackAddress());

        two.controller.askedBy(alice).createTopics(List.of(topic("t", 1, 1)), false);
        two.controller.createTopics(List.of(topic("u", 1, 1)), false);

        assertThat(requesters).containsExactly(Optional.of(alice), Optional.empty());
    }

    @Test
    void theAuditLogOfTheControllerNamesTheClientsOfForwardedRequests() {
        List<String> lines = new ArrayList<>();
        one.controller.bindAudit(new ChangesOnly(lines));
        Requester alice = new Requester(Principal.user("alice"), InetAddress.getLoopbackAddress());

        two.controller.askedBy(alice).createTopics(List.of(topic("t", 1, 1)), false);
        two.controller.allocateProducerIds(2);

        assertThat(lines).containsExactly("User:alice at 127.0.0.1: createTopics, forwarded");
    }

    private record ChangesOnly(List<String> lines) implements AuditLog {
        @Override
        public void loggedIn(Principal principal, InetAddress host, String listener, String mechanism) {
            throw new UnsupportedOperationException("a controller has no use for loggedIn");
        }

        @Override
        public void refused(InetAddress host, String listener, String mechanism) {
            throw new UnsupportedOperationException("a controller has no use for refused");
        }

        @Override
        public void changed(String by, String change) {
            lines.add(by + ": " + change);
        }
    }

    @Test
    void aControllerThatTheStoreDoesNotAnswerAnswersNothingFromWhatItKnows() {
        only(one.controller.createTopics(List.of(topic("t", 1, 1)), false));
        AdminCodec codec = new AdminCodec();
        byte[] electsNothing = codec.request("electLeaders", List.of(Optional.empty(), false));
        one.session.disconnect();

        CompletionStage<byte[]> forwarded = one.controller.decide(electsNothing);
        CompletionStage<?> local = one.controller.createTopics(List.of(topic("t", 1, 1)), true);

        assertThat(codeOf(forwarded)).isEqualTo(ErrorCode.NOT_CONTROLLER);
        assertThat(local.toCompletableFuture()).isNotDone();
        one.session.expire();
        assertThat(two.controller.controllerId()).contains(2);
        one.session.reconnect();
        pass(one.thread, Duration.ofMillis(100));
        assertThat(local.toCompletableFuture()).isCompleted();
        assertThat(sent).containsExactly(2);
    }

    @Test
    void theControllerKnowsWhichMetadataEachLiveBrokerHasAppliedLast() {
        only(one.controller.reportApplied(1, 3));
        two.controller.reportApplied(2, 5);
        two.controller.reportApplied(99, 5);

        Decided<Integer, AppliedVersion> all =
                three.controller.reportApplied(3, 4).toCompletableFuture().join();

        assertThat(all.outcomes()).containsOnlyKeys(1, 2, 3);
        assertThat(all.outcomes().get(2).value().version()).isEqualTo(5);
        assertThat(all.version()).isEqualTo(setup.view().version());
    }

    @Test
    void theControllerSendsNothing() {
        only(one.controller.createTopics(List.of(topic("t", 1, 1)), false));

        assertThat(sent).isEmpty();
    }

    @Test
    void aRequestToABrokerThatIsNoLongerTheControllerFindsTheNextOne() {
        failures.put(1, ErrorCode.NOT_CONTROLLER);
        CompletionStage<?> asked = three.controller.createTopics(List.of(topic("t", 1, 1)), false);
        assertThat(asked.toCompletableFuture()).isNotDone();
        setup.cluster.deposeController();
        assertThat(two.controller.controllerId()).contains(2);

        three.thread.pass(Duration.ofMillis(50));

        assertThat(asked.toCompletableFuture()).isCompleted();
        assertThat(sent).containsExactly(1, 2);
    }

    @Test
    void aControllerThatCannotBeReachedIsTriedUntilThereIsAnother() {
        failures.put(1, ErrorCode.BROKER_NOT_AVAILABLE);
        CompletionStage<?> asked = two.controller.createTopics(List.of(topic("t", 1, 1)), false);
        two.thread.pass(Duration.ofMillis(50));
        two.thread.pass(Duration.ofMillis(50));
        assertThat(asked.toCompletableFuture()).isNotDone();

        one.session.disconnect();
        one.session.expire();
        two.thread.pass(Duration.ofMillis(50));

        assertThat(asked.toCompletableFuture()).isCompleted();
        assertThat(setup.view().topic("t")).isPresent();
    }

    @Test
    void aRequestIsGivenUpAtItsTimeOut() {
        failures.put(1, ErrorCode.BROKER_NOT_AVAILABLE);
        CompletionStage<?> asked = two.controller.createTopics(List.of(topic("t", 1, 1)), false);

        pass(two.thread, Duration.ofSeconds(5));

        assertThat(codeOf(asked)).isEqualTo(ErrorCode.REQUEST_TIMED_OUT);
        assertThat(setup.view().topic("t")).isEmpty();
    }

    @Test
    void aCreationWhoseAnswerIsLostIsNotSentAgain() {
        lostAnswers.put(1, ErrorCode.NETWORK_EXCEPTION);

        CompletionStage<?> asked = two.controller.createTopics(List.of(topic("t", 1, 1)), false);

        assertThat(codeOf(asked)).isEqualTo(ErrorCode.REQUEST_TIMED_OUT);
        assertThat(setup.view().topic("t")).isPresent();
        assertThat(sent).containsExactly(1);
    }

    @Test
    void aRequestThatMayBeRepeatedIsSentAgainWhenItsAnswerIsLost() {
        lostAnswers.put(1, ErrorCode.NETWORK_EXCEPTION);
        CompletionStage<?> asked = two.controller.allocateProducerIds(2);
        assertThat(asked.toCompletableFuture()).isNotDone();
        lostAnswers.clear();

        two.thread.pass(Duration.ofMillis(50));

        assertThat(asked.toCompletableFuture()).isCompleted();
        assertThat(sent).containsExactly(1, 1);
        assertThat(setup.view().nextProducerId()).isEqualTo(2_000);
    }

    @Test
    void aRequestAtAHangingControllerGoesToTheNextOneLongBeforeItsTimeOut() {
        hanging.add(1);
        CompletionStage<?> repeatable = three.controller.allocateProducerIds(3);
        CompletionStage<?> creation = three.controller.createTopics(List.of(topic("t", 1, 1)), false);
        one.session.disconnect();
        one.session.expire();
        assertThat(two.controller.controllerId()).contains(2);

        pass(three.thread, Duration.ofMillis(300));

        assertThat(repeatable.toCompletableFuture()).isCompleted();
        assertThat(codeOf(creation)).isEqualTo(ErrorCode.REQUEST_TIMED_OUT);
    }

    @Test
    void aRequestThatWaitsForAControllerIsSentWhenAnotherBrokerBecomesIt() {
        MemoryClusterStore cluster = new MemoryClusterStore(Runnable::run);
        Node late = new Node(1, cluster);
        nodes.put(1, late);
        Node waiting = new Node(2, cluster);
        waiting.controller.bindPeers(new Connections());
        CompletionStage<?> asked = waiting.controller.createTopics(List.of(topic("t", 1, 1)), false);
        late.controller.bind(late.session);
        late.session.register(broker(1), new SilentListener());
        waiting.controller.bind(waiting.session);

        waiting.thread.pass(Duration.ofMillis(100));

        assertThat(asked.toCompletableFuture()).isCompleted();
    }

    @Test
    void withoutConnectionsToOthersARequestWaitsAMomentAndIsRefused() {
        Node lonely = new Node(9, setup.cluster);
        lonely.controller.bind(lonely.session);
        CompletionStage<?> asked = lonely.controller.createTopics(List.of(topic("t", 1, 1)), false);
        lonely.thread.pass(Duration.ofMillis(50));
        assertThat(asked.toCompletableFuture()).isNotDone();
        lonely.controller.bindPeers(new Connections());

        lonely.thread.pass(Duration.ofMillis(50));

        assertThat(asked.toCompletableFuture()).isCompleted();
    }

    @Test
    void anEndedControllerRefusesWhatItHasSent() {
        hanging.add(1);
        CompletionStage<?> asked = two.controller.createTopics(List.of(topic("t", 1, 1)), false);

        two.controller.close();

        assertThat(codeOf(asked)).isEqualTo(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    }

    @Test
    void aForwardedRequestIsNeverForwardedAgain() {
        AdminCodec codec = new AdminCodec();
        byte[] request = codec.request("electLeaders", List.of(Optional.empty(), false));

        assertThat(codeOf(two.controller.decide(request))).isEqualTo(ErrorCode.NOT_CONTROLLER);
        assertThat(codeOf(one.controller.decide(new byte[] {1, 9}))).isEqualTo(ErrorCode.INVALID_REQUEST);
        assertThat(one.controller.decide(request).toCompletableFuture()).isCompleted();
        assertThat(sent).isEmpty();
    }

    private static ErrorCode codeOf(CompletionStage<?> stage) {
        assertThat(stage.toCompletableFuture()).isCompletedExceptionally();
        ErrorCode[] code = new ErrorCode[1];
        assertThatThrownBy(() -> stage.toCompletableFuture().join())
                .satisfies(failure -> code[0] = FeliceException.codeOf(failure));
        return code[0];
    }
}
