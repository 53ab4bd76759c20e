package io.felice.api.security;

/** A SCRAM mechanism (RFC 5802, RFC 7677), with Kafka's number and its limits of iterations. */
public enum ScramMechanism {
    SCRAM_SHA_256(1, "SCRAM-SHA-256", "SHA-256", "HmacSHA256"),
    SCRAM_SHA_512(2, "SCRAM-SHA-512", "SHA-512", "HmacSHA512");

    public static final int LEAST_ITERATIONS = 4_096;
    public static final int MOST_ITERATIONS = 16_384;

    private final byte code;
    private final String mechanism;
    private final String hash;
    private final String mac;

    ScramMechanism(int code, String mechanism, String hash, String mac) {
        this.code = (byte) code;
        this.mechanism = mechanism;
        this.hash = hash;
        this.mac = mac;
    }

    /** The number on the wire. */
    public byte code() {
        return code;
    }

    /** The name in SASL. */
    public String mechanism() {
        return mechanism;
    }

    /** The name of the hash function for {@link java.security.MessageDigest}. */
    public String hash() {
        return hash;
    }

    /** The name of the HMAC for {@link javax.crypto.Mac}. */
    public String mac() {
        return mac;
    }
}
