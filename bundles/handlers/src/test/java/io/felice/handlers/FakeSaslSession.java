package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.security.Authentication;
import io.felice.api.security.Authenticator;
import io.felice.api.security.Principal;
import io.felice.protocol.SaslSession;
import java.net.InetAddress;
import java.util.List;
import java.util.Optional;

/** The login of a client that is offered PLAIN and ABSENT. Remembers what the handlers tell it. */
final class FakeSaslSession implements SaslSession {
    static final long LIFETIME_MS = 1234;

    private Authentication.Login login;
    private Principal principal;
    boolean isRaw;
    boolean hasFailed;

    @Override
    public List<String> mechanisms() {
        return List.of("PLAIN", "ABSENT");
    }

    @Override
    public Authenticator.Client client() {
        return new Authenticator.Client(InetAddress.getLoopbackAddress(), "SAFE", false);
    }

    @Override
    public boolean mayBegin() {
        return login == null && principal == null;
    }

    @Override
    public boolean isLoggedIn() {
        return login == null && principal != null;
    }

    @Override
    public void begun(String mechanism, Authentication.Login begun, boolean raw) {
        login = begun;
        isRaw = raw;
    }

    @Override
    public Optional<Authentication.Login> login() {
        return Optional.ofNullable(login);
    }

    @Override
    public long succeeded(Authenticator.Authenticated as) {
        if (as.principal().name().isEmpty()) {
            throw ErrorCode.SASL_AUTHENTICATION_FAILED.because("another principal");
        }
        login = null;
        principal = as.principal();
        return LIFETIME_MS;
    }

    @Override
    public void failed() {
        login = null;
        hasFailed = true;
    }
}
