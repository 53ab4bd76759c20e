package io.felice.security;

import io.felice.api.security.Authenticator;
import io.felice.api.security.ScramCredential;
import io.felice.api.security.ScramMechanism;
import java.math.BigInteger;
import java.security.SecureRandom;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A mechanism of SCRAM (RFC 5802, RFC 7677) as Kafka speaks it: without channel binding and without extensions. */
abstract class ScramAuthenticator implements Authenticator {
    private static final Logger log = LoggerFactory.getLogger(ScramAuthenticator.class);
    private static final int SECRET_BYTES = 32;
    private static final int NONCE_BITS = 130;
    private static final int NONCE_RADIX = 36;
    private static final int MOST_WARNINGS = 100;

    private final ScramMechanism mechanism;
    private final CredentialStores stores;
    private final SecureRandom random = new SecureRandom();
    private final byte[] secret = new byte[SECRET_BYTES];
    private final Supplier<String> nonces;
    /** Users about whose credentials a line was logged. */
    private final Set<String> warned = ConcurrentHashMap.newKeySet();

    ScramAuthenticator(ScramMechanism mechanism, CredentialStores stores) {
        this.mechanism = mechanism;
        this.stores = stores;
        this.nonces = () -> new BigInteger(NONCE_BITS, random).toString(NONCE_RADIX);
        random.nextBytes(secret);
    }

    @Override
    public final Conversation begin(Client client) {
        return new ScramConversation(mechanism, this::shown, nonces);
    }

    /** What the client is shown of a user: the credential, or one that nobody has. */
    private ScramConversation.Shown shown(String user) {
        return stores.scram(user, mechanism)
                .filter(credential -> isUsable(user, credential))
                .map(credential -> new ScramConversation.Shown(credential, true))
                .orElseGet(() -> new ScramConversation.Shown(nobodys(user), false));
    }

    private boolean isUsable(String user, ScramCredential credential) {
        int keyBytes = ScramKeys.keyBytes(mechanism);
        boolean isUsable = credential.iterations() >= ScramMechanism.LEAST_ITERATIONS
                && credential.salt().length > 0
                && credential.storedKey().length == keyBytes
                && credential.serverKey().length == keyBytes;
        if (!isUsable && warned.size() < MOST_WARNINGS && warned.add(user)) {
            log.warn(
                    "User {} cannot log in with {}: the credential has {} iterations, fewer than {}, or keys of a wrong"
                            + " length",
                    user,
                    mechanism.mechanism(),
                    credential.iterations(),
                    ScramMechanism.LEAST_ITERATIONS);
        }
        return isUsable;
    }

    private ScramCredential nobodys(String user) {
        byte[] noKey = new byte[ScramKeys.keyBytes(mechanism)];
        return new ScramCredential(ScramKeys.saltOf(user, secret), noKey, noKey, stores.usualIterations(mechanism));
    }
}
