package io.felice.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.cluster.ForwardedRequests;
import io.felice.api.security.Principal;
import io.felice.api.security.Requester;
import io.felice.protocol.Apis;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.message.EnvelopeRequestData;
import org.apache.kafka.common.message.EnvelopeResponseData;
import org.apache.kafka.common.protocol.ApiMessage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ForwardingTest {
    private static final Duration LONG = Duration.ofSeconds(30);

    private final FakeView view = new FakeView();
    private FakeBroker controller;
    private Forwarding forwarding;

    @BeforeEach
    void start() throws Exception {
        controller = new FakeBroker();
        view.broker(2, controller.port());
        PeerIdentity identity = new PeerIdentity(TestPeers.plain(), List.of());
        forwarding = new Forwarding(new PeerAddresses(view, identity::settings), () -> identity);
        forwarding.start();
    }

    @AfterEach
    void stop() throws Exception {
        forwarding.close();
        controller.close();
    }

    private void answer(java.util.function.Function<EnvelopeRequestData, ApiMessage> answer) {
        controller.answer(Apis.ENVELOPE, EnvelopeRequestData.class, answer);
    }

    private static EnvelopeResponseData decided(String text) {
        return new EnvelopeResponseData().setResponseData(ByteBuffer.wrap(bytes(text)));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String text(ByteBuffer bytes) {
        return StandardCharsets.UTF_8.decode(bytes.duplicate()).toString();
    }

    private String forward(int broker, String request, Duration timeout) {
        return new String(result(forwarding.forward(broker, bytes(request), timeout)), StandardCharsets.UTF_8);
    }

    private static byte[] result(CompletionStage<byte[]> answer) {
        return answer.toCompletableFuture().orTimeout(20, TimeUnit.SECONDS).join();
    }

    private void assertFails(int broker, Duration timeout, ErrorCode error, String sentence) {
        assertThatThrownBy(() -> forward(broker, "a topic", timeout))
                .isInstanceOf(CompletionException.class)
                .hasMessageContaining(sentence)
                .extracting(FeliceException::codeOf)
                .isEqualTo(error);
    }

    @Test
    void theAnswerOfTheOtherBrokerComesBack() {
        answer(request -> decided("decided " + text(request.requestData())));

        assertThat(forward(2, "a topic", LONG)).isEqualTo("decided a topic");
    }

    @Test
    void requestsShareAConnectionAndAreSentInOrder() {
        answer(request -> decided(text(request.requestData())));
        List<CompletionStage<byte[]>> answers = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            answers.add(forwarding.forward(2, bytes("request " + i), LONG));
        }

        answers.forEach(ForwardingTest::result);

        assertThat(controller.requests(EnvelopeRequestData.class))
                .extracting(request -> text(request.requestData()))
                .first()
                .isEqualTo("request 0");
        assertThat(controller.requests(EnvelopeRequestData.class)).hasSize(200);
        assertThat(controller.connections()).isEqualTo(1);
    }

    @Test
    void anErrorComesBackWithItsSentence() {
        answer(request -> decided("Broker 7 is the controller").setErrorCode(ErrorCode.NOT_CONTROLLER.code()));

        assertFails(2, LONG, ErrorCode.NOT_CONTROLLER, "Broker 7 is the controller");
    }

    @Test
    void itIsNotKnownWhetherARequestWasDecidedWhoseConnectionEnds() {
        answer(request -> null);

        assertFails(2, LONG, ErrorCode.NETWORK_EXCEPTION, "not known whether it has decided");
    }

    @Test
    void aBrokerThatCannotBeReachedFailsTheRequestLongBeforeItsTimeout() throws Exception {
        controller.close();

        assertFails(2, Duration.ofHours(1), ErrorCode.BROKER_NOT_AVAILABLE, "cannot be reached");
    }

    @Test
    void aBrokerThatIsNotInTheClusterFailsTheRequest() {
        assertFails(3, LONG, ErrorCode.BROKER_NOT_AVAILABLE, "Broker 3 is not in the cluster");
    }

    @Test
    void aRequestWithoutAnAnswerTimesOutAndTheConnectionStays() {
        CountDownLatch late = new CountDownLatch(1);
        answer(request -> {
            if (text(request.requestData()).equals("a topic")) {
                await(late);
            }
            return decided("decided");
        });

        assertFails(2, Duration.ofMillis(100), ErrorCode.REQUEST_TIMED_OUT, "did not answer in time");
        late.countDown();

        assertThat(forward(2, "another", LONG)).isEqualTo("decided");
        assertThat(controller.connections()).isEqualTo(1);
    }

    @Test
    void aBrokerThatComesBackAtAnotherAddressIsFoundThere() throws Exception {
        answer(request -> decided("the first"));
        forward(2, "a topic", LONG);
        try (FakeBroker moved = new FakeBroker()) {
            moved.answer(Apis.ENVELOPE, EnvelopeRequestData.class, request -> decided("the second"));
            view.broker(2, moved.port());

            assertThat(forward(2, "a topic", LONG)).isEqualTo("the second");
        }
    }

    @Test
    void aRequestThatIsTooLongIsRefused() {
        CompletionStage<byte[]> answer = forwarding.forward(2, new byte[ForwardedRequests.LONGEST + 1], LONG);

        assertThatThrownBy(() -> result(answer))
                .extracting(FeliceException::codeOf)
                .isEqualTo(ErrorCode.INVALID_REQUEST);
    }

    @Test
    void theLongestRequestAndTheLongestAnswerFit() {
        answer(request -> new EnvelopeResponseData().setResponseData(request.requestData()));
        byte[] request = new byte[ForwardedRequests.LONGEST];
        request[request.length - 1] = 42;

        assertThat(result(forwarding.forward(2, request, LONG))).isEqualTo(request);
    }

    @Test
    void moreBytesThanAreAllowedAreRefusedAndLeaveNoTrace() {
        CountDownLatch open = new CountDownLatch(1);
        answer(request -> {
            await(open);
            return decided("decided");
        });
        byte[] large = new byte[ForwardedRequests.LONGEST];
        CompletionStage<byte[]> first = forwarding.forward(2, large, LONG);
        CompletionStage<byte[]> second = forwarding.forward(2, large, LONG);

        assertFails(2, LONG, ErrorCode.BROKER_NOT_AVAILABLE, "Too many bytes");
        open.countDown();

        result(first);
        result(second);
        assertThat(forward(2, "a topic", LONG)).isEqualTo("decided");
    }

    @Test
    void requestsThatHaveNoAnswerFailWhenTheBundleStops() {
        CountDownLatch open = new CountDownLatch(1);
        answer(request -> {
            await(open);
            return decided("decided");
        });
        CompletableFuture<byte[]> sent =
                forwarding.forward(2, bytes("a topic"), LONG).toCompletableFuture();

        forwarding.close();
        open.countDown();

        assertThatThrownBy(() -> result(sent)).hasMessageContaining("stopping");
        assertThatThrownBy(() -> forward(2, "a topic", LONG)).hasMessageContaining("stopping");
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await(60, TimeUnit.SECONDS);
        } catch (InterruptedException over) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void theRequestOfAClientSaysWhoItIsAndThatOfTheBrokerSaysNobody() throws Exception {
        answer(request -> decided("decided"));
        Requester alice = new Requester(Principal.user("alice"), InetAddress.getByName("10.0.0.7"));

        result(forwarding.forward(2, Optional.of(alice), bytes("a topic"), LONG));
        result(forwarding.forward(2, bytes("ids"), LONG));

        List<EnvelopeRequestData> requests = controller.requests(EnvelopeRequestData.class);
        assertThat(requests.get(0).requestPrincipal()).isEqualTo(bytes("User:alice"));
        assertThat(requests.get(0).clientHostAddress()).containsExactly(10, 0, 0, 7);
        assertThat(requests.get(1).requestPrincipal()).isNullOrEmpty();
        assertThat(requests.get(1).clientHostAddress()).isEmpty();
    }

    @Test
    void aPrincipalThatIsTooLongIsRefusedBeforeItIsSent() {
        Requester longer = new Requester(
                Principal.user("a".repeat(ForwardedRequests.LONGEST_PRINCIPAL)), InetAddress.getLoopbackAddress());

        CompletionStage<byte[]> answer = forwarding.forward(2, Optional.of(longer), bytes("a topic"), LONG);

        assertThatThrownBy(() -> result(answer))
                .extracting(FeliceException::codeOf)
                .isEqualTo(ErrorCode.INVALID_REQUEST);
        assertThat(controller.requests(EnvelopeRequestData.class)).isEmpty();
    }
}
