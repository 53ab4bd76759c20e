package io.felice.security;

import io.felice.api.ErrorCode;
import io.felice.api.security.Authentication;
import io.felice.api.security.Authenticator;
import java.util.Set;
import org.osgi.service.component.annotations.Component;

/** Authenticates nobody: there is no mechanism yet. */
@Component
public final class AuthenticationService implements Authentication {
    @Override
    public Set<String> mechanisms() {
        return Set.of();
    }

    @Override
    public Login begin(String mechanism, Authenticator.Client client) {
        throw ErrorCode.UNSUPPORTED_SASL_MECHANISM.because("No bundle authenticates with " + mechanism);
    }
}
