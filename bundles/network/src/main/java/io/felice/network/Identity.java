package io.felice.network;

import io.felice.api.security.Principal;
import io.felice.api.security.Requester;
import io.felice.protocol.RequestContext;
import io.felice.protocol.SaslSession;
import java.net.InetSocketAddress;
import java.util.Optional;

/** Who is at the other end of a connection. */
final class Identity implements RequestContext.Connection {
    private final long id;
    private final String listener;
    private final InetSocketAddress remote;
    private final Requester requester;

    Identity(long id, String listener, InetSocketAddress remote) {
        this.id = id;
        this.listener = listener;
        this.remote = remote;
        this.requester = new Requester(Principal.ANONYMOUS, remote.getAddress());
    }

    @Override
    public long id() {
        return id;
    }

    @Override
    public String listener() {
        return listener;
    }

    @Override
    public InetSocketAddress remote() {
        return remote;
    }

    @Override
    public Optional<SaslSession> sasl() {
        return Optional.empty();
    }

    /** Who asks in the requests that begin now. */
    Requester requester() {
        return requester;
    }

    @Override
    public String toString() {
        return remote + " on " + listener;
    }
}
