package io.felice.security;

import io.felice.api.security.ScramCredential;
import io.felice.api.security.ScramMechanism;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import javax.crypto.Mac;
import javax.crypto.ShortBufferException;
import javax.crypto.spec.SecretKeySpec;

/**
 * The computations of SCRAM (RFC 5802, section 3). Like Kafka, it takes the password as it is, in UTF-8, and does not
 * prepare it with SASLprep. Stateless.
 */
final class ScramKeys {
    /**
     * The iterations of new passwords: twice Kafka's default, and half of what Kafka allows. They cost a thief of the
     * metadata twice as much, and each login with PLAIN some milliseconds of this node.
     */
    static final int ITERATIONS = 8_192;

    private static final int SALT_BITS = 130;
    private static final int SALT_RADIX = 36;
    private static final byte[] FIRST_BLOCK = {0, 0, 0, 1};
    private static final byte[] CLIENT_KEY = "Client Key".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] SERVER_KEY = "Server Key".getBytes(StandardCharsets.US_ASCII);

    private ScramKeys() {}

    /** @param password not empty */
    static ScramCredential credential(ScramMechanism mechanism, byte[] password, byte[] salt, int iterations) {
        byte[] salted = salted(mechanism, password, salt, iterations);
        return new ScramCredential(
                salt,
                hash(mechanism, hmac(mechanism, salted, CLIENT_KEY)),
                hmac(mechanism, salted, SERVER_KEY),
                iterations);
    }

    /** True if the credential was made of this password, which is not empty. Takes as long if it was not. */
    static boolean isMadeOf(ScramMechanism mechanism, ScramCredential credential, byte[] password) {
        byte[] salted = salted(mechanism, password, credential.salt(), credential.iterations());
        byte[] stored = hash(mechanism, hmac(mechanism, salted, CLIENT_KEY));
        return MessageDigest.isEqual(stored, credential.storedKey());
    }

    /** True if the client has proved, about the messages of the login, that it knows the password. */
    static boolean isProof(ScramMechanism mechanism, ScramCredential credential, byte[] messages, byte[] proof) {
        byte[] clientKey = hmac(mechanism, credential.storedKey(), messages);
        if (proof.length != clientKey.length) {
            return false;
        }
        for (int i = 0; i < clientKey.length; i++) {
            clientKey[i] ^= proof[i];
        }
        return MessageDigest.isEqual(hash(mechanism, clientKey), credential.storedKey());
    }

    static byte[] serverSignature(ScramMechanism mechanism, ScramCredential credential, byte[] messages) {
        return hmac(mechanism, credential.serverKey(), messages);
    }

    /** The number of bytes of a key. */
    static int keyBytes(ScramMechanism mechanism) {
        return mechanism == ScramMechanism.SCRAM_SHA_256 ? 32 : 64;
    }

    /** In the form of Kafka's tools, so that salts do not show what made them. */
    static byte[] randomSalt(SecureRandom random) {
        return new BigInteger(SALT_BITS, random).toString(SALT_RADIX).getBytes(StandardCharsets.US_ASCII);
    }

    /** A salt that nobody can tell from a random one, the same for each user name. */
    static byte[] saltOf(String user, byte[] secret) {
        byte[] bytes = hmac(ScramMechanism.SCRAM_SHA_256, secret, user.getBytes(StandardCharsets.UTF_8));
        return new BigInteger(1, bytes)
                .shiftRight(Byte.SIZE * bytes.length - SALT_BITS)
                .toString(SALT_RADIX)
                .getBytes(StandardCharsets.US_ASCII);
    }

    /** {@code Hi} of RFC 5802, which is PBKDF2 with one block of output. */
    static byte[] salted(ScramMechanism mechanism, byte[] password, byte[] salt, int iterations) {
        try {
            Mac mac = mac(mechanism, password);
            mac.update(salt);
            byte[] block = mac.doFinal(FIRST_BLOCK);
            byte[] result = block.clone();
            for (int i = 1; i < iterations; i++) {
                mac.update(block);
                mac.doFinal(block, 0);
                for (int j = 0; j < result.length; j++) {
                    result[j] ^= block[j];
                }
            }
            return result;
        } catch (ShortBufferException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    static byte[] hash(ScramMechanism mechanism, byte[] bytes) {
        try {
            return MessageDigest.getInstance(mechanism.hash()).digest(bytes);
        } catch (GeneralSecurityException missing) {
            throw new IllegalStateException("This JVM has no " + mechanism.hash(), missing);
        }
    }

    static byte[] hmac(ScramMechanism mechanism, byte[] key, byte[] bytes) {
        return mac(mechanism, key).doFinal(bytes);
    }

    private static Mac mac(ScramMechanism mechanism, byte[] key) {
        try {
            Mac mac = Mac.getInstance(mechanism.mac());
            mac.init(new SecretKeySpec(key, mechanism.mac()));
            return mac;
        } catch (GeneralSecurityException missing) {
            throw new IllegalStateException("This JVM has no " + mechanism.mac(), missing);
        }
    }
}
