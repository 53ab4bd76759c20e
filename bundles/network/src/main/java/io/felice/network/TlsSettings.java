package io.felice.network;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The settings of the listeners that use TLS, checked and parsed. The files that they name are read elsewhere.
 *
 * @param keyStore the file with the key of this node and its certificates; empty if no listener uses TLS
 * @param keyPassword the password of the key, if it is not the password of the file
 * @param trustStore the file with the certificates that sign those of clients
 * @param cipherSuites empty for those of the JDK
 * @param mappingRules rules that make the principal of a certificate's subject, see {@link PrincipalRules}
 * @param mapping the name of the service that makes the principal in place of the rules; empty for the rules
 * @param handshake how long a handshake may take, with the principal's mapping
 */
record TlsSettings(
        Optional<StoreFile> keyStore,
        Secret keyPassword,
        Optional<StoreFile> trustStore,
        ClientAuth clientAuth,
        List<String> protocols,
        List<String> cipherSuites,
        String mappingRules,
        String mapping,
        Duration handshake) {
    private static final List<String> PROTOCOLS = List.of("TLSv1.2", "TLSv1.3");

    /** Whether a listener of the protocol SSL asks clients for certificates. */
    enum ClientAuth {
        NONE,
        REQUESTED,
        REQUIRED
    }

    /**
     * A file with keys or certificates.
     *
     * @param type PEM, PKCS12 or JKS; empty if the contents say it
     */
    record StoreFile(String setting, Path path, Secret password, String type) {}

    TlsSettings {
        protocols = List.copyOf(protocols);
        cipherSuites = List.copyOf(cipherSuites);
    }

    /** @throws IllegalArgumentException with a sentence for the operator */
    static TlsSettings of(NetworkServer.Config config, List<Listener> listeners) {
        TlsSettings settings = new TlsSettings(
                file(
                        "ssl.keystore.location",
                        config.ssl_keystore_location(),
                        config.ssl_keystore_password(),
                        config.ssl_keystore_type()),
                new Secret(config.ssl_key_password()),
                file("ssl.truststore.location", config.ssl_truststore_location(), config.ssl_truststore_password(), ""),
                clientAuth(config.ssl_client_auth()),
                protocols(NetworkSettings.split(config.ssl_enabled_protocols())),
                NetworkSettings.split(config.ssl_cipher_suites()),
                config.ssl_principal_mapping_rules(),
                config.ssl_principal_mapping(),
                Duration.ofMillis(config.ssl_handshake_timeout_ms()));
        PrincipalRules.parse(settings.mappingRules);
        listeners.stream().filter(Listener::isEncrypted).forEach(settings::requireFor);
        return settings;
    }

    private void requireFor(Listener listener) {
        if (keyStore.isEmpty()) {
            throw new IllegalArgumentException("listener " + listener.name() + " wants " + listener.securityProtocol()
                    + ", but ssl.keystore.location names no file with a key and a certificate");
        }
        if (listener.asksForCertificates() && clientAuth != ClientAuth.NONE && trustStore.isEmpty()) {
            throw new IllegalArgumentException(
                    "ssl.client.auth is "
                            + clientAuth.name().toLowerCase(Locale.ROOT)
                            + ", but ssl.truststore.location names no file with the certificates that clients' are signed with");
        }
    }

    /** All files whose changes matter. */
    List<Path> files() {
        return Stream.concat(
                        Stream.of(keyStore, trustStore)
                                .flatMap(Optional::stream)
                                .map(StoreFile::path),
                        Stream.concat(
                                        Stream.of(keyPassword),
                                        Stream.of(keyStore, trustStore)
                                                .flatMap(Optional::stream)
                                                .map(StoreFile::password))
                                .flatMap(secret -> secret.file().stream()))
                .toList();
    }

    private static Optional<StoreFile> file(String setting, String path, String password, String type) {
        String known = type.toUpperCase(Locale.ROOT);
        if (!Set.of("", "PEM", "PKCS12", "JKS").contains(known)) {
            throw new IllegalArgumentException("ssl.keystore.type: \"" + type + "\" is none of PEM, PKCS12, JKS");
        }
        return path.isBlank()
                ? Optional.empty()
                : Optional.of(new StoreFile(setting, Path.of(path.trim()), new Secret(password), known));
    }

    private static ClientAuth clientAuth(String text) {
        try {
            return ClientAuth.valueOf(text.trim().toUpperCase(Locale.ROOT));
        } catch (IllegalArgumentException unknown) {
            throw new IllegalArgumentException(
                    "ssl.client.auth: \"" + text + "\" is none of none, requested, required", unknown);
        }
    }

    private static List<String> protocols(List<String> names) {
        if (names.isEmpty() || !PROTOCOLS.containsAll(names)) {
            throw new IllegalArgumentException(
                    "ssl.enabled.protocols: " + names + "; some of " + PROTOCOLS + " are possible, at least one");
        }
        return names;
    }
}
