package io.felice.itests.clients;

import java.util.Locale;

/** A way in which a client says who it is. Each has a principal of its own, and topics of its own. */
enum Login {
    PLAIN("SASL_SSL", "pete"),
    SCRAM_SHA_256("SASL_SSL", "sue"),
    SCRAM_SHA_512("SASL_SSL", "sam"),
    OAUTHBEARER("SASL_SSL", "olga"),
    NO_CERTIFICATE("SSL", "ANONYMOUS"),
    CERTIFICATE("SSL", "CN=carl,OU=Users");

    private final String protocol;
    private final String user;

    Login(String protocol, String user) {
        this.protocol = protocol;
        this.user = user;
    }

    /** The protocol of the listener, which is the listener's name too. */
    String protocol() {
        return protocol;
    }

    String user() {
        return user;
    }

    String password() {
        return "password of " + user;
    }

    boolean hasPassword() {
        return this == PLAIN || this == SCRAM_SHA_256 || this == SCRAM_SHA_512;
    }

    /** The name of the SASL mechanism. */
    String mechanism() {
        return name().replace('_', '-');
    }

    /** The access of a client that logs in like this. The key of {@link #CERTIFICATE} has that name. */
    Access of(Access access, Keys keys, Tokens tokens) {
        return switch (this) {
            case PLAIN, SCRAM_SHA_256, SCRAM_SHA_512 -> access.with("mechanism", mechanism())
                    .with("user", user)
                    .with("password", password());
            case OAUTHBEARER -> access.with("mechanism", mechanism()).with("token", tokens.tokenOf(user, 60));
            case NO_CERTIFICATE -> access;
            case CERTIFICATE -> access.with(
                            "certificate", keys.certificate(name()).toString())
                    .with("key", keys.privateKey(name()).toString());
        };
    }

    /** The prefix of the topics and groups that only this login's principal may use. */
    String prefix() {
        return "of-" + mechanism().toLowerCase(Locale.ROOT) + "-";
    }
}
