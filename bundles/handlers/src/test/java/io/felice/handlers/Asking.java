package io.felice.handlers;

import io.felice.api.Turn;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import java.net.InetSocketAddress;
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
        InetSocketAddress remote = new InetSocketAddress("127.0.0.1", 50_000);
        RequestContext.Connection connection = new RequestContext.Connection(1, listener, "User:ANONYMOUS", remote);
        return new RequestContext(request.apiKey(), (short) version, 1, "client", connection, Turn.IMMEDIATE);
    }

    static <Q extends ApiMessage, R extends ApiMessage> R ask(RequestHandler<Q, R> handler, Q request, int version)
            throws Exception {
        return handler.handle(request, context(request, version))
                .toCompletableFuture()
                .get(PATIENCE_S, TimeUnit.SECONDS);
    }
}
