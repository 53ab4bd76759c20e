package io.felice.replication;

import java.util.Locale;
import java.util.Set;

/**
 * How this broker reaches other brokers, and what it shows them of itself. The files that the settings name are read
 * elsewhere.
 *
 * @param listener the name of the listener that brokers use among themselves; empty for the first one of this broker with
 *     the protocol PLAINTEXT, or if there is none, for its first one
 * @param user the user as which this broker logs in where the listener has SASL
 * @param passwordFile the file whose first line is the user's password
 * @param hostNames whether the certificate of a broker must be for the host name to which this broker connects
 */
record PeerSettings(
        String listener,
        String mechanism,
        String user,
        String passwordFile,
        String trustStore,
        String trustStorePassword,
        String keyStore,
        String keyStorePassword,
        String keyPassword,
        boolean hostNames) {
    private static final Set<String> MECHANISMS = Set.of("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512");

    PeerSettings {
        listener = listener.trim();
        mechanism = mechanism.trim().toUpperCase(Locale.ROOT);
        if (!MECHANISMS.contains(mechanism)) {
            throw new IllegalArgumentException("sasl.mechanism.inter.broker.protocol: \"" + mechanism
                    + "\" is none of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512");
        }
    }

    static PeerSettings of(Replication.Config config) {
        return new PeerSettings(
                config.inter_broker_listener_name(),
                config.sasl_mechanism_inter_broker_protocol(),
                config.inter_broker_user(),
                config.inter_broker_password_file(),
                config.ssl_truststore_location(),
                config.ssl_truststore_password(),
                config.ssl_keystore_location(),
                config.ssl_keystore_password(),
                config.ssl_key_password(),
                config.ssl_host_names());
    }

    /** Without the passwords. */
    @Override
    public String toString() {
        return "listener " + listener + ", " + mechanism + " as " + user;
    }
}
