package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.security.Authentication;
import io.felice.api.security.Authenticator;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Logins whose answers a test decides. There is an authenticator for PLAIN only. */
final class FakeAuthentication implements Authentication {
    private CompletionStage<Authenticator.Reply> next =
            CompletableFuture.failedFuture(ErrorCode.SASL_AUTHENTICATION_FAILED.because("the sentence for the client"));

    void answer(Authenticator.Reply reply) {
        next = CompletableFuture.completedFuture(reply);
    }

    void fail(Throwable failure) {
        next = CompletableFuture.failedFuture(failure);
    }

    @Override
    public Set<String> mechanisms() {
        return Set.of("PLAIN");
    }

    @Override
    public Login begin(String mechanism, Authenticator.Client client) {
        if (!mechanisms().contains(mechanism)) {
            throw ErrorCode.UNSUPPORTED_SASL_MECHANISM.because("no " + mechanism);
        }
        return new Login() {
            @Override
            public CompletionStage<Authenticator.Reply> respond(byte[] message) {
                return next;
            }

            @Override
            public void close() {}
        };
    }
}
