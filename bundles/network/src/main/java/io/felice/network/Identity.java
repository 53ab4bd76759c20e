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
    private final Optional<SaslSession> sasl;
    private Requester requester;

    Identity(long id, String listener, InetSocketAddress remote, Optional<SaslSession> sasl) {
        this.id = id;
        this.listener = listener;
        this.remote = remote;
        this.sasl = sasl;
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
        return sasl;
    }

    /** Who asks in the requests that begin now. I/O thread only. */
    Requester requester() {
        return requester;
    }

    /** The client has shown that it is this principal. I/O thread only. */
    void authenticated(Principal as) {
        requester = new Requester(as, remote.getAddress());
    }

    @Override
    public String toString() {
        return remote + " on " + listener;
    }
}
