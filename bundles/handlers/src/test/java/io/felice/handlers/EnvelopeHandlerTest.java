package io.felice.handlers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.cluster.ForwardedRequests;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
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
        handler.bindController(request -> CompletableFuture.completedFuture(
                ("decided " + new String(request, StandardCharsets.UTF_8)).getBytes(StandardCharsets.UTF_8)));

        EnvelopeResponseData answer = answer("a topic");

        assertThat(answer.errorCode()).isEqualTo(ErrorCode.NONE.code());
        assertThat(text(answer.responseData())).isEqualTo("decided a topic");
    }

    @Test
    void theErrorOfTheControllerAndItsSentenceAreTheAnswer() {
        handler.bindController(request ->
                CompletableFuture.failedFuture(ErrorCode.NOT_CONTROLLER.because("Broker 7 is the controller")));

        EnvelopeResponseData answer = answer("a topic");

        assertThat(answer.errorCode()).isEqualTo(ErrorCode.NOT_CONTROLLER.code());
        assertThat(text(answer.responseData())).isEqualTo("Broker 7 is the controller");
    }

    @Test
    void withoutAControllerTheBrokerIsToldToAskAnotherOne() {
        ForwardedRequests controller = request -> CompletableFuture.completedFuture(request);
        handler.bindController(controller);
        handler.unbindController(controller);

        assertThat(answer("a topic").errorCode()).isEqualTo(ErrorCode.NOT_CONTROLLER.code());
    }

    @Test
    void whoMayNotActForTheClusterReachesNoController() {
        authorization.allow(action -> false);
        handler.bindController(request -> {
            throw new AssertionError("reached");
        });

        assertThatThrownBy(() -> answer("a topic"))
                .isInstanceOf(CompletionException.class)
                .extracting(FeliceException::codeOf)
                .isEqualTo(ErrorCode.CLUSTER_AUTHORIZATION_FAILED);
    }
}
