package io.felice.handlers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.cluster.ForwardedRequests;
import io.felice.api.security.Principal;
import io.felice.api.security.Requester;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.apache.kafka.common.message.EnvelopeRequestData;
import org.apache.kafka.common.message.EnvelopeResponseData;
import org.junit.jupiter.api.Test;

class EnvelopeHandlerTest {
    private final FakeAuthorization authorization = new FakeAuthorization().allow(action -> true);
    private final EnvelopeHandler handler = new EnvelopeHandler(new Rights(authorization));

    private EnvelopeResponseData answer(String request) {
        EnvelopeRequestData asked = new EnvelopeRequestData()
                .setRequestData(ByteBuffer.wrap(request.getBytes(StandardCharsets.UTF_8)))
                .setClientHostAddress(new byte[0]);
        return handler.handle(asked, Asking.context(asked, 0))
                .toCompletableFuture()
                .join();
    }

    private static String text(ByteBuffer bytes) {
        return StandardCharsets.UTF_8.decode(bytes.duplicate()).toString();
    }

    @Test
    void theControllerDecidesWhatABrokerForwards() {
        handler.bindController((client, request) -> CompletableFuture.completedFuture(
                ("decided " + new String(request, StandardCharsets.UTF_8)).getBytes(StandardCharsets.UTF_8)));

        EnvelopeResponseData answer = answer("a topic");

        assertThat(answer.errorCode()).isEqualTo(ErrorCode.NONE.code());
        assertThat(text(answer.responseData())).isEqualTo("decided a topic");
    }

    @Test
    void theErrorOfTheControllerAndItsSentenceAreTheAnswer() {
        handler.bindController((client, request) ->
                CompletableFuture.failedFuture(ErrorCode.NOT_CONTROLLER.because("Broker 7 is the controller")));

        EnvelopeResponseData answer = answer("a topic");

        assertThat(answer.errorCode()).isEqualTo(ErrorCode.NOT_CONTROLLER.code());
        assertThat(text(answer.responseData())).isEqualTo("Broker 7 is the controller");
    }

    @Test
    void withoutAControllerTheBrokerIsToldToAskAnotherOne() {
        ForwardedRequests controller = (client, request) -> CompletableFuture.completedFuture(request);
        handler.bindController(controller);
        handler.unbindController(controller);

        assertThat(answer("a topic").errorCode()).isEqualTo(ErrorCode.NOT_CONTROLLER.code());
    }

    @Test
    void whoMayNotActForTheClusterReachesNoController() {
        authorization.allow(action -> false);
        handler.bindController((client, request) -> {
            throw new AssertionError("reached");
        });

        assertThatThrownBy(() -> answer("a topic"))
                .isInstanceOf(CompletionException.class)
                .extracting(FeliceException::codeOf)
                .isEqualTo(ErrorCode.CLUSTER_AUTHORIZATION_FAILED);
    }

    // ---- who asks

    private final List<Optional<Requester>> clients = new ArrayList<>();

    private EnvelopeResponseData forwarded(Principal peer, byte[] principal, byte... host) {
        handler.bindController((client, request) -> {
            clients.add(client);
            return CompletableFuture.completedFuture(request);
        });
        EnvelopeRequestData asked = new EnvelopeRequestData()
                .setRequestData(ByteBuffer.allocate(1))
                .setRequestPrincipal(principal)
                .setClientHostAddress(host);
        return handler.handle(asked, Asking.by(peer, asked, 0))
                .toCompletableFuture()
                .join();
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static final Principal BROKER = Principal.user("broker-2");

    @Test
    void theControllerKnowsTheClientOfABrokerThatHasProvedThatItIsOne() throws Exception {
        assertThat(forwarded(BROKER, utf8("User:alice"), (byte) 10, (byte) 0, (byte) 0, (byte) 7)
                        .errorCode())
                .isEqualTo(ErrorCode.NONE.code());

        assertThat(clients)
                .containsExactly(
                        Optional.of(new Requester(Principal.user("alice"), InetAddress.getByName("10.0.0.7"))));
    }

    @Test
    void whatABrokerAsksByItselfHasNoClient() {
        forwarded(BROKER, null);
        forwarded(BROKER, new byte[0]);

        assertThat(clients).containsExactly(Optional.empty(), Optional.empty());
    }

    @Test
    void aConnectionThatHasNotLoggedInIsNotBelievedEvenIfItMayActForTheCluster() {
        forwarded(Principal.ANONYMOUS, utf8("User:admin"), (byte) 10, (byte) 0, (byte) 0, (byte) 7);

        assertThat(clients).containsExactly(Optional.empty());
    }

    @Test
    void withoutAnAuthorizerNobodyIsBelieved() {
        EnvelopeHandler open = new EnvelopeHandler(FakeAuthorization.open());
        open.bindController((client, request) -> {
            clients.add(client);
            return CompletableFuture.completedFuture(request);
        });
        EnvelopeRequestData forged = new EnvelopeRequestData()
                .setRequestData(ByteBuffer.allocate(1))
                .setRequestPrincipal(utf8("User:admin"))
                .setClientHostAddress(new byte[] {10, 0, 0, 7});

        open.handle(forged, Asking.by(Principal.user("mallory"), forged, 0));

        assertThat(clients).containsExactly(Optional.empty());
    }

    @Test
    void aClientThatIsNoBrokerReachesNoControllerWhoeverItSaysItIs() {
        authorization.allow(action -> false);

        assertThatThrownBy(() -> forwarded(
                        Principal.user("mallory"), utf8("User:admin"), (byte) 10, (byte) 0, (byte) 0, (byte) 7))
                .extracting(FeliceException::codeOf)
                .isEqualTo(ErrorCode.CLUSTER_AUTHORIZATION_FAILED);

        assertThat(clients).isEmpty();
    }

    @Test
    void aClientThatIsNoneIsRefusedAndNothingIsDecided() {
        byte[] address = {10, 0, 0, 7};
        byte[] longest = utf8("User:" + "a".repeat(ForwardedRequests.LONGEST_PRINCIPAL - 5));
        byte[] tooLong = utf8("User:" + "a".repeat(ForwardedRequests.LONGEST_PRINCIPAL - 4));

        assertThat(forwarded(BROKER, longest, address).errorCode()).isEqualTo(ErrorCode.NONE.code());
        assertThat(clients).hasSize(1);
        assertThat(List.of(
                        forwarded(BROKER, tooLong, address),
                        forwarded(BROKER, utf8("alice"), address),
                        forwarded(BROKER, utf8(":alice"), address),
                        forwarded(BROKER, new byte[] {'U', ':', (byte) 0xff}, address),
                        forwarded(BROKER, utf8("User:alice")),
                        forwarded(BROKER, utf8("User:alice"), new byte[5])))
                .extracting(EnvelopeResponseData::errorCode)
                .containsOnly(ErrorCode.INVALID_REQUEST.code());
        assertThat(clients).hasSize(1);
    }
}
