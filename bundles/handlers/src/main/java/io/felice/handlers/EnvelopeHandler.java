package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.cluster.ForwardedRequests;
import io.felice.api.security.Operation;
import io.felice.api.security.Principal;
import io.felice.api.security.Requester;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.Serves;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.EnvelopeRequestData;
import org.apache.kafka.common.message.EnvelopeResponseData;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;

/**
 * Passes the requests that other brokers forward to the controller of this node. If the controller refuses one, the
 * answer has the error code, and its sentence in place of the data.
 */
@Component
@Serves(key = Apis.ENVELOPE)
public final class EnvelopeHandler implements RequestHandler<EnvelopeRequestData, EnvelopeResponseData> {
    private static final int LONGEST_SENTENCE = 2000;

    private final Rights rights;
    private volatile ForwardedRequests controller;

    @Activate
    public EnvelopeHandler(@Reference Rights rights) {
        this.rights = rights;
    }

    @Reference(
            name = "controller",
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            unbind = "unbindController")
    public void bindController(ForwardedRequests arrived) {
        controller = arrived;
    }

    public void unbindController(ForwardedRequests left) {
        if (controller == left) {
            controller = null;
        }
    }

    @Override
    public CompletionStage<EnvelopeResponseData> handle(EnvelopeRequestData request, RequestContext context) {
        return rights.requireOnCluster(context, Operation.CLUSTER_ACTION, now -> decide(request, now));
    }

    private CompletionStage<EnvelopeResponseData> decide(EnvelopeRequestData request, RequestContext context) {
        return decision(request, context)
                .handle((answer, failure) -> failure == null
                        ? new EnvelopeResponseData().setResponseData(ByteBuffer.wrap(answer))
                        : refusal(failure, context));
    }

    private CompletionStage<byte[]> decision(EnvelopeRequestData request, RequestContext context) {
        ByteBuffer data = request.requestData();
        ForwardedRequests present = controller;
        if (present == null) {
            return failed(ErrorCode.NOT_CONTROLLER.because("The controller of this broker is not running"));
        }
        if (data.remaining() > ForwardedRequests.LONGEST) {
            return failed(ErrorCode.INVALID_REQUEST.because("A request of " + data.remaining()
                    + " bytes is longer than " + ForwardedRequests.LONGEST + " bytes"));
        }
        byte[] bytes = new byte[data.remaining()];
        data.duplicate().get(bytes);
        try {
            return present.decide(client(request, context), bytes);
        } catch (FeliceException malformed) {
            return failed(malformed);
        }
    }

    /**
     * The client of the broker that forwards. What a connection says about its client is believed only if it has proved that
     * it is one of a broker: it has logged in, and an authorizer has allowed it to act for the cluster.
     *
     * @throws FeliceException INVALID_REQUEST if it is no principal with an address
     */
    private Optional<Requester> client(EnvelopeRequestData request, RequestContext context) {
        byte[] principal = request.requestPrincipal() == null ? new byte[0] : request.requestPrincipal();
        if (principal.length > ForwardedRequests.LONGEST_PRINCIPAL) {
            throw ErrorCode.INVALID_REQUEST.because("The principal of a forwarded request has " + principal.length
                    + " bytes; at most " + ForwardedRequests.LONGEST_PRINCIPAL + " are taken");
        }
        boolean isProved = rights.areEnforced()
                && !Principal.ANONYMOUS.equals(context.requester().principal());
        if (principal.length == 0 || !isProved) {
            return Optional.empty();
        }
        try {
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(principal))
                    .toString();
            return Optional.of(
                    new Requester(Principal.parse(text), InetAddress.getByAddress(request.clientHostAddress())));
        } catch (CharacterCodingException | UnknownHostException unreadable) {
            throw ErrorCode.INVALID_REQUEST.because(
                    "The client of a forwarded request is no principal with an address", unreadable);
        }
    }

    private static CompletionStage<byte[]> failed(FeliceException why) {
        return CompletableFuture.failedFuture(why);
    }

    private static EnvelopeResponseData refusal(Throwable failure, RequestContext context) {
        EnvelopeResponseData refusal = new EnvelopeResponseData()
                .setErrorCode(Failures.codeOf(failure, context).code());
        String sentence =
                FeliceException.unwrap(failure) instanceof FeliceException expected && expected.getMessage() != null
                        ? expected.getMessage()
                        : "";
        String shortened = sentence.substring(0, Math.min(sentence.length(), LONGEST_SENTENCE));
        return refusal.setResponseData(ByteBuffer.wrap(shortened.getBytes(StandardCharsets.UTF_8)));
    }
}
