package io.felice.cluster.zookeeper;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.zookeeper.ClientCnxnSocketNetty;
import org.apache.zookeeper.client.ZKClientConfig;
import org.apache.zookeeper.common.ClientX509Util;
import org.apache.zookeeper.common.X509Util;

/**
 * Whether, and how, connections to ZooKeeper are encrypted. The passwords are in files, which ZooKeeper's client reads. An
 * empty text stands for nothing.
 *
 * @param trustStore the certificates that ZooKeeper's servers are checked against, in a file .jks, .p12 or .pem
 * @param keyStore this node's own certificate, if the servers ask for one
 * @param checksHost whether a server's certificate must have the host name that was connected to
 */
record Encryption(
        boolean isOn,
        String trustStore,
        String trustStorePasswordFile,
        String keyStore,
        String keyStorePasswordFile,
        boolean checksHost) {
    private static final List<String> ENDINGS = List.of(".jks", ".p12", ".pem");

    static final Encryption NONE = new Encryption(false, "", "", "", "", true);

    static Encryption of(ZooKeeperStore.Config config) {
        return new Encryption(
                config.ssl(),
                config.ssl_truststore_location().trim(),
                config.ssl_truststore_password_file().trim(),
                config.ssl_keystore_location().trim(),
                config.ssl_keystore_password_file().trim(),
                config.ssl_hostname_verification());
    }

    static Encryption of(CfgFile cfg) {
        return new Encryption(
                Boolean.parseBoolean(cfg.get("ssl", "false")),
                cfg.get("ssl.truststore.location", "").trim(),
                cfg.get("ssl.truststore.password.file", "").trim(),
                cfg.get("ssl.keystore.location", "").trim(),
                cfg.get("ssl.keystore.password.file", "").trim(),
                Boolean.parseBoolean(cfg.get("ssl.hostname.verification", "true")));
    }

    /** @throws IllegalArgumentException if a file is not there; the message is a sentence for the operator */
    void check() {
        if (!isOn) {
            return;
        }
        if (trustStore.isEmpty()) {
            throw new IllegalArgumentException("ssl = true needs ssl.truststore.location");
        }
        mustBeStore("ssl.truststore.location", trustStore);
        mustExist("ssl.truststore.password.file", trustStorePasswordFile);
        mustBeStore("ssl.keystore.location", keyStore);
        mustExist("ssl.keystore.password.file", keyStorePasswordFile);
    }

    private static void mustBeStore(String key, String file) {
        mustExist(key, file);
        if (!file.isEmpty() && ENDINGS.stream().noneMatch(file::endsWith)) {
            throw new IllegalArgumentException(
                    key + " = " + file + ": the ending of its name says what it is: .jks, .p12 or .pem");
        }
    }

    private static void mustExist(String key, String file) {
        if (!file.isEmpty() && !Files.isReadable(Path.of(file))) {
            throw new IllegalArgumentException(key + " = " + file + " cannot be read");
        }
    }

    /** Tells ZooKeeper's client. Only its Netty socket can encrypt. */
    void applyTo(ZKClientConfig config) {
        if (!isOn) {
            return;
        }
        config.setProperty(ZKClientConfig.SECURE_CLIENT, "true");
        config.setProperty(ZKClientConfig.ZOOKEEPER_CLIENT_CNXN_SOCKET, ClientCnxnSocketNetty.class.getName());
        try (X509Util names = new ClientX509Util()) {
            set(config, names.getSslTruststoreLocationProperty(), trustStore);
            set(config, names.getSslTruststorePasswdPathProperty(), trustStorePasswordFile);
            set(config, names.getSslKeystoreLocationProperty(), keyStore);
            set(config, names.getSslKeystorePasswdPathProperty(), keyStorePasswordFile);
            set(config, names.getSslHostnameVerificationEnabledProperty(), Boolean.toString(checksHost));
        }
    }

    private static void set(ZKClientConfig config, String property, String value) {
        if (!value.isEmpty()) {
            config.setProperty(property, value);
        }
    }
}
