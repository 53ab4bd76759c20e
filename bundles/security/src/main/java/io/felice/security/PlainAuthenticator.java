package io.felice.security;

import static io.felice.api.ErrorCode.SASL_AUTHENTICATION_FAILED;

import io.felice.api.security.Authenticator;
import io.felice.api.security.Principal;
import java.util.Arrays;
import java.util.Optional;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** The mechanism PLAIN (RFC 4616): {@code [authzid] NUL user NUL password} in UTF-8. */
@Component(property = Authenticator.MECHANISM + "=PLAIN")
public final class PlainAuthenticator implements Authenticator {
    /** The longest message. */
    static final int MOST_BYTES = 8_192;

    private static final byte[] NOTHING = {};

    private final CredentialStores stores;

    @Activate
    public PlainAuthenticator(@Reference CredentialStores stores) {
        this.stores = stores;
    }

    @Override
    public Conversation begin(Client client) {
        return this::respond;
    }

    private Reply respond(byte[] message) {
        if (message.length > MOST_BYTES) {
            throw SASL_AUTHENTICATION_FAILED.because(
                    "Authentication failed: a message of PLAIN has at most " + MOST_BYTES + " bytes");
        }
        int first = indexOfNul(message, 0);
        int second = indexOfNul(message, first + 1);
        if (first == message.length || second == message.length || indexOfNul(message, second + 1) < message.length) {
            throw SASL_AUTHENTICATION_FAILED.because(
                    "Invalid SASL/PLAIN response: expected an authorization id, a user and a password");
        }
        String authorizationId = SaslText.utf8(message, 0, first);
        String user = SaslText.utf8(message, first + 1, second);
        byte[] password = Arrays.copyOfRange(message, second + 1, message.length);
        return answer(authorizationId, user, password);
    }

    private static int indexOfNul(byte[] bytes, int from) {
        int at = Math.min(from, bytes.length);
        while (at < bytes.length && bytes[at] != 0) {
            at++;
        }
        return at;
    }

    private Reply answer(String authorizationId, String user, byte[] password) {
        if (user.isEmpty()) {
            throw SASL_AUTHENTICATION_FAILED.because("Authentication failed: username not specified");
        } else if (password.length == 0) {
            throw SASL_AUTHENTICATION_FAILED.because("Authentication failed: password not specified");
        }
        SaslText.checkAuthorizationId(authorizationId, user);
        if (!stores.hasPassword(user, password)) {
            throw SASL_AUTHENTICATION_FAILED.because("Authentication failed: Invalid username or password");
        }
        return new Authenticated(NOTHING, Principal.user(user), Optional.empty());
    }
}
