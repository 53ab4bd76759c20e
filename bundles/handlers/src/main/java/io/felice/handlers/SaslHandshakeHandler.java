package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.security.Authentication;
import io.felice.protocol.Apis;
import io.felice.protocol.CloseConnection;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.SaslSession;
import io.felice.protocol.Serves;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.SaslHandshakeRequestData;
import org.apache.kafka.common.message.SaslHandshakeResponseData;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Begins a login with the mechanism that the client chooses (KIP-43). */
@Component
@Serves(key = Apis.SASL_HANDSHAKE)
public final class SaslHandshakeHandler implements RequestHandler<SaslHandshakeRequestData, SaslHandshakeResponseData> {
    private static final short FIRST_WITH_SASL_AUTHENTICATE = 1;

    private final Authentication authentication;

    @Activate
    public SaslHandshakeHandler(@Reference Authentication authentication) {
        this.authentication = authentication;
    }

    @Override
    public CompletionStage<SaslHandshakeResponseData> handle(SaslHandshakeRequestData request, RequestContext context) {
        boolean isRaw = context.apiVersion() < FIRST_WITH_SASL_AUTHENTICATE;
        ErrorCode error = context.connection()
                .sasl()
                .map(session -> begin(session, request.mechanism(), isRaw))
                .orElse(ErrorCode.ILLEGAL_SASL_STATE);
        SaslHandshakeResponseData response = new SaslHandshakeResponseData().setErrorCode(error.code());
        if (error != ErrorCode.ILLEGAL_SASL_STATE) {
            context.connection().sasl().ifPresent(session -> response.setMechanisms(session.mechanisms()));
        }
        return CompletableFuture.completedFuture(response);
    }

    private ErrorCode begin(SaslSession session, String mechanism, boolean isRaw) {
        if (!session.mayBegin()) {
            if (!session.isLoggedIn()) {
                session.failed();
            }
            return ErrorCode.ILLEGAL_SASL_STATE;
        }
        if (!session.mechanisms().contains(mechanism)) {
            session.failed();
            return ErrorCode.UNSUPPORTED_SASL_MECHANISM;
        }
        session.begun(mechanism, loginWith(mechanism, session), isRaw);
        return ErrorCode.NONE;
    }

    /** Clients take an error as final, but the bundle of an authenticator may only be being replaced. */
    private Authentication.Login loginWith(String mechanism, SaslSession session) {
        try {
            return authentication.begin(mechanism, session.client());
        } catch (FeliceException absent) {
            if (absent.code() != ErrorCode.UNSUPPORTED_SASL_MECHANISM) {
                throw absent;
            }
            throw new CloseConnection("no bundle authenticates with " + mechanism + ", which listener "
                    + session.client().listener() + " offers");
        }
    }
}
