package io.felice.handlers;

import io.felice.api.Turn;
import io.felice.api.security.Principal;
import io.felice.api.security.Requester;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.SaslSession;
import java.net.InetSocketAddress;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.protocol.ApiMessage;

/** Requests of a client that is connected to the listener PLAINTEXT. */
final class Asking {
    private static final long PATIENCE_S = 10;

    private Asking() {}

    static RequestContext context(ApiMessage request, int version) {
        return context(request, version, "PLAINTEXT");
    }

    static RequestContext context(ApiMessage request, int version, String listener) {
        return context(request, version, new FakeConnection(listener, Optional.empty()));
    }

    static RequestContext context(ApiMessage request, int version, FakeConnection connection) {
        return by(Principal.ANONYMOUS, request, version, connection);
    }

    static RequestContext by(Principal principal, ApiMessage request, int version) {
        return by(principal, request, version, new FakeConnection("PLAINTEXT", Optional.empty()));
    }

    private static RequestContext by(Principal principal, ApiMessage request, int version, FakeConnection connection) {
        Requester requester = new Requester(principal, connection.remote().getAddress());
        return new RequestContext(
                request.apiKey(), (short) version, 1, "client", requester, connection, Turn.IMMEDIATE);
    }

    /** A connection of a client on this machine. */
    record FakeConnection(String listener, Optional<SaslSession> sasl) implements RequestContext.Connection {
        @Override
        public long id() {
            return 1;
        }

        @Override
        public InetSocketAddress remote() {
            return new InetSocketAddress("127.0.0.1", 50_000);
        }
    }

    static <Q extends ApiMessage, R extends ApiMessage> R ask(RequestHandler<Q, R> handler, Q request, int version)
            throws Exception {
        return handler.handle(request, context(request, version))
                .toCompletableFuture()
                .get(PATIENCE_S, TimeUnit.SECONDS);
    }
}
