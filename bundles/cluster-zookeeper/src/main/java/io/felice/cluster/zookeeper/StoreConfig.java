package io.felice.cluster.zookeeper;

import java.lang.annotation.Annotation;

/** Settings of a store that no file has: of a store that a command of the launcher opens. */
record StoreConfig(
        String connect,
        int session_timeout_ms,
        String root,
        String secret_file,
        String session_file,
        Encryption encryption)
        implements ZooKeeperStore.Config {
    @Override
    public boolean ssl() {
        return encryption.isOn();
    }

    @Override
    public String ssl_truststore_location() {
        return encryption.trustStore();
    }

    @Override
    public String ssl_truststore_password_file() {
        return encryption.trustStorePasswordFile();
    }

    @Override
    public String ssl_keystore_location() {
        return encryption.keyStore();
    }

    @Override
    public String ssl_keystore_password_file() {
        return encryption.keyStorePasswordFile();
    }

    @Override
    public boolean ssl_hostname_verification() {
        return encryption.checksHost();
    }

    @Override
    public Class<? extends Annotation> annotationType() {
        return ZooKeeperStore.Config.class;
    }
}
