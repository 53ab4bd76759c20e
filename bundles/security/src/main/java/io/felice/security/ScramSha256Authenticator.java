package io.felice.security;

import io.felice.api.security.Authenticator;
import io.felice.api.security.ScramMechanism;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** The mechanism SCRAM-SHA-256. */
@Component(service = Authenticator.class, property = Authenticator.MECHANISM + "=SCRAM-SHA-256")
public final class ScramSha256Authenticator extends ScramAuthenticator {
    @Activate
    public ScramSha256Authenticator(@Reference CredentialStores stores) {
        super(ScramMechanism.SCRAM_SHA_256, stores);
    }
}
