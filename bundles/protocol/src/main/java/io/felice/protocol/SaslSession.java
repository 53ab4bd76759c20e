package io.felice.protocol;

import io.felice.api.security.Authentication;
import io.felice.api.security.Authenticator;
import java.util.List;
import java.util.Optional;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Who the client of one connection says that it is, and whether that is true: the state of SASL on a connection (KIP-43,
 * KIP-152, KIP-368). While a request about it is being handled, the connection begins no other request. Any thread; does not
 * block.
 */
@ProviderType
public interface SaslSession {
    /** The mechanisms that the listener offers, in the order of its configuration. */
    List<String> mechanisms();

    /** The client as authenticators see it. */
    Authenticator.Client client();

    /**
     * True if the client may choose a mechanism now. It may once to log in. After that it may only if its session ends,
     * and at most once a second.
     */
    boolean mayBegin();

    /** True if the client has logged in, and has not chosen a mechanism since. */
    boolean isLoggedIn();

    /**
     * The client has chosen a mechanism. Ends a login that goes on.
     *
     * @param isRaw true if the client sends the messages of the mechanism without a Kafka header (after SaslHandshake
     *     v0)
     */
    void begun(String mechanism, Authentication.Login login, boolean isRaw);

    /** The login that goes on; empty if the client has chosen no mechanism since its last login. */
    Optional<Authentication.Login> login();

    /**
     * The client is authenticated: the requests that begin from now on have this principal.
     *
     * @return after how many milliseconds the client has to log in again; 0 if it has not
     * @throws io.felice.api.FeliceException SASL_AUTHENTICATION_FAILED if the client has logged in as somebody else or
     *     with another mechanism before, or if what it has shown has expired
     */
    long succeeded(Authenticator.Authenticated as);

    /** The client is refused: the connection is closed when the answer is sent. */
    void failed();
}
