package io.felice.security;

import io.felice.api.security.Authenticator;
import io.felice.api.security.ScramMechanism;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** The mechanism SCRAM-SHA-512. */
@Component(service = Authenticator.class, property = Authenticator.MECHANISM + "=SCRAM-SHA-512")
public final class ScramSha512Authenticator extends ScramAuthenticator {
    @Activate
    public ScramSha512Authenticator(@Reference CredentialStores stores) {
        super(ScramMechanism.SCRAM_SHA_512, stores);
    }
}
