package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.security.Authentication;
import io.felice.api.security.Authenticator;
import io.felice.protocol.Apis;
import io.felice.protocol.CloseConnection;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.SaslSession;
import io.felice.protocol.Serves;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.SaslAuthenticateRequestData;
import org.apache.kafka.common.message.SaslAuthenticateResponseData;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Passes the messages of a mechanism between the client and the login (KIP-152, KIP-368). */
@Component
@Serves(key = Apis.SASL_AUTHENTICATE)
public final class SaslAuthenticateHandler
        implements RequestHandler<SaslAuthenticateRequestData, SaslAuthenticateResponseData> {

    /** @param authentication makes the logins; when it is replaced, the network closes the connections that use them */
    @Activate
    public SaslAuthenticateHandler(@Reference Authentication authentication) {}

    @Override
    public CompletionStage<SaslAuthenticateResponseData> handle(
            SaslAuthenticateRequestData request, RequestContext context) {
        Optional<SaslSession> sasl = context.connection().sasl();
        if (sasl.isEmpty()) {
            return illegal("This listener has no SASL");
        }
        SaslSession session = sasl.get();
        return session.login()
                .map(login -> respond(login, request.authBytes(), session))
                .orElseGet(() -> unexpected(session));
    }

    private static CompletionStage<SaslAuthenticateResponseData> respond(
            Authentication.Login login, byte[] message, SaslSession session) {
        return login.respond(message).thenApply(reply -> answer(reply, session)).exceptionally(failure -> {
            session.failed();
            return refusal(FeliceException.unwrap(failure));
        });
    }

    private static SaslAuthenticateResponseData answer(Authenticator.Reply reply, SaslSession session) {
        long lifetimeMs =
                reply instanceof Authenticator.Authenticated authenticated ? session.succeeded(authenticated) : 0;
        return new SaslAuthenticateResponseData().setAuthBytes(reply.message()).setSessionLifetimeMs(lifetimeMs);
    }

    /** If nobody can decide now, the client may try again; most clients take every error as final. */
    private static SaslAuthenticateResponseData refusal(Throwable failure) {
        if (failure instanceof FeliceException refused && refused.code() == ErrorCode.SASL_AUTHENTICATION_FAILED) {
            return error(refused.code(), refused.getMessage());
        }
        if (FeliceException.codeOf(failure) == ErrorCode.REQUEST_TIMED_OUT) {
            throw new CloseConnection(failure.getMessage());
        }
        throw new CompletionException(failure);
    }

    private static CompletionStage<SaslAuthenticateResponseData> unexpected(SaslSession session) {
        if (session.isLoggedIn()) {
            return illegal("The client has logged in; to do it again, it has to send SaslHandshake first");
        }
        session.failed();
        return illegal("The client has to send SaslHandshake first");
    }

    private static CompletionStage<SaslAuthenticateResponseData> illegal(String why) {
        return CompletableFuture.completedFuture(error(ErrorCode.ILLEGAL_SASL_STATE, why));
    }

    private static SaslAuthenticateResponseData error(ErrorCode error, String why) {
        return new SaslAuthenticateResponseData().setErrorCode(error.code()).setErrorMessage(why);
    }
}
