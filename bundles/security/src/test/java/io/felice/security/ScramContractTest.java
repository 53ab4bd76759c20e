package io.felice.security;

import io.felice.api.security.Authenticator;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.CallbackHandler;
import javax.security.auth.callback.NameCallback;
import javax.security.auth.callback.PasswordCallback;
import javax.security.sasl.SaslClient;
import javax.security.sasl.SaslException;
import org.apache.kafka.common.security.scram.internals.ScramMechanism;
import org.apache.kafka.common.security.scram.internals.ScramSaslClient;

class ScramContractTest extends PlainContractTest {
    @Override
    protected Authenticator authenticator() {
        return new ScramSha256Authenticator(stores());
    }

    ScramMechanism mechanism() {
        return ScramMechanism.SCRAM_SHA_256;
    }

    @Override
    protected boolean isSafeFromReplay() {
        return true;
    }

    @Override
    protected ClientSide client(String user, String secretOf) {
        SaslClient client = client(callbacks -> {
            for (Callback callback : callbacks) {
                if (callback instanceof NameCallback asked) {
                    asked.setName(user);
                } else if (callback instanceof PasswordCallback asked) {
                    asked.setPassword(secret(secretOf).toCharArray());
                }
            }
        });
        return challenge -> {
            try {
                return client.evaluateChallenge(challenge);
            } catch (SaslException refused) {
                throw new AssertionError("the client refuses the server", refused);
            }
        };
    }

    private SaslClient client(CallbackHandler callbacks) {
        try {
            return new ScramSaslClient(mechanism(), callbacks);
        } catch (java.security.NoSuchAlgorithmException missing) {
            throw new AssertionError(missing);
        }
    }
}
