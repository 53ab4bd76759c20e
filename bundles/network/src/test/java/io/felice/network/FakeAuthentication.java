package io.felice.network;

import io.felice.api.ErrorCode;
import io.felice.api.security.Authentication;
import io.felice.api.security.Authenticator;
import io.felice.api.security.Principal;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Believes clients. A message is a word and a name: {@code challenge x} is answered with a challenge, {@code user x}
 * authenticates x, {@code refuse x} is refused, {@code fail x} fails, {@code wait x} is not answered before
 * {@link #answerWaiting}. All other messages are refused.
 */
final class FakeAuthentication implements Authentication {
    static final String SECRET = "s3cr3t-of-the-client";

    final AtomicInteger begun = new AtomicInteger();
    final AtomicInteger closed = new AtomicInteger();
    volatile Optional<Instant> validUntil = Optional.empty();
    volatile Set<String> mechanisms = Set.of("PLAIN", "OTHER");
    private volatile CompletableFuture<Authenticator.Reply> waiting = new CompletableFuture<>();

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public Set<String> mechanisms() {
        return mechanisms;
    }

    @Override
    public Login begin(String mechanism, Authenticator.Client client) {
        if (!mechanisms.contains(mechanism)) {
            throw ErrorCode.UNSUPPORTED_SASL_MECHANISM.because("no " + mechanism);
        }
        begun.incrementAndGet();
        return new Believing();
    }

    /** Completes the answers to all messages {@code wait x}. */
    void answerWaiting(String principal) {
        waiting.complete(authenticated(principal));
        waiting = new CompletableFuture<>();
    }

    private Authenticator.Reply authenticated(String name) {
        return new Authenticator.Authenticated(bytes("welcome " + name), Principal.user(name), validUntil);
    }

    private final class Believing implements Login {
        private boolean over;

        @Override
        public CompletionStage<Authenticator.Reply> respond(byte[] message) {
            String[] words = new String(message, StandardCharsets.UTF_8).split(" ", 2);
            String name = words.length == 2 ? words[1] : "";
            return switch (words[0]) {
                case "challenge" -> CompletableFuture.completedFuture(
                        new Authenticator.Challenge(bytes("challenge " + name)));
                case "user" -> CompletableFuture.completedFuture(authenticated(name));
                case "wait" -> waiting;
                case "fail" -> CompletableFuture.failedFuture(new IllegalStateException("on purpose"));
                default -> CompletableFuture.failedFuture(
                        ErrorCode.SASL_AUTHENTICATION_FAILED.because("the sentence for the client"));
            };
        }

        @Override
        public synchronized void close() {
            if (!over) {
                over = true;
                closed.incrementAndGet();
            }
        }
    }
}
