package io.felice.itests.clients;

import io.felice.itests.rig.Programs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/** Makes private keys with self-signed certificates, as files of a directory. Each is valid for 127.0.0.1. */
final class Keys {
    /** The password of all PKCS#12 files. */
    static final String PASSWORD = "secret-of-the-test";

    private static final String ALIAS = "key";
    private static final Base64.Encoder LINES = Base64.getMimeEncoder(64, new byte[] {'\n'});

    private final Path directory;

    Keys(Path directory) {
        this.directory = directory;
    }

    /** Makes a key, if the directory has none of that name, and returns its PKCS#12 file. */
    Path make(String name, String subject) {
        if (!Files.exists(store(name))) {
            keytool(name, subject);
        }
        return store(name);
    }

    /** The certificate of a key, as a PEM file. */
    Path certificate(String name) {
        try {
            byte[] certificate = open(name).getCertificate(ALIAS).getEncoded();
            return write(directory.resolve(name + ".pem"), "CERTIFICATE", certificate);
        } catch (GeneralSecurityException failure) {
            throw new AssertionError(failure);
        }
    }

    /** The private key, not encrypted, as a PEM file. */
    Path privateKey(String name) {
        try {
            byte[] key = open(name).getKey(ALIAS, PASSWORD.toCharArray()).getEncoded();
            return write(directory.resolve(name + "-key.pem"), "PRIVATE KEY", key);
        } catch (GeneralSecurityException failure) {
            throw new AssertionError(failure);
        }
    }

    private static Path write(Path file, String what, byte[] bytes) {
        String border = "-----%s " + what + "-----\n";
        String text = LINES.encodeToString(bytes) + "\n";
        try {
            return Files.writeString(file, border.formatted("BEGIN") + text + border.formatted("END"));
        } catch (IOException failure) {
            throw new AssertionError(failure);
        }
    }

    private KeyStore open(String name) throws GeneralSecurityException {
        try {
            return KeyStore.getInstance(store(name).toFile(), PASSWORD.toCharArray());
        } catch (IOException failure) {
            throw new AssertionError(failure);
        }
    }

    private Path store(String name) {
        return directory.resolve(name + ".p12");
    }

    private void keytool(String name, String subject) {
        Path program = Path.of(System.getProperty("java.home"), "bin", "keytool");
        List<String> command = new ArrayList<>(List.of(program.toString(), "-genkeypair", "-alias", ALIAS));
        command.addAll(List.of("-keyalg", "EC", "-groupname", "secp256r1"));
        command.addAll(List.of("-dname", subject, "-ext", "san=ip:127.0.0.1"));
        command.addAll(List.of("-storetype", "PKCS12", "-keystore", store(name).toString(), "-storepass", PASSWORD));
        Programs.run(command, directory);
    }
}
