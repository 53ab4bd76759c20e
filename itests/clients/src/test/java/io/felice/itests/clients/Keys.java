package io.felice.itests.clients;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Key;
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

    /** Makes a key and returns its PKCS#12 file. */
    Path make(String name, String subject) {
        keytool(
                name,
                "-genkeypair",
                "-keyalg",
                "EC",
                "-groupname",
                "secp256r1",
                "-dname",
                subject,
                "-ext",
                "san=ip:127.0.0.1");
        return store(name);
    }

    /** The certificate of a key, as a PEM file. */
    Path certificate(String name) {
        Path file = directory.resolve(name + ".pem");
        if (!Files.exists(file)) {
            keytool(name, "-exportcert", "-rfc", "-file", file.toString());
        }
        return file;
    }

    /** The private key, not encrypted, as a PEM file. */
    Path privateKey(String name) {
        try (InputStream stored = Files.newInputStream(store(name))) {
            KeyStore store = KeyStore.getInstance("PKCS12");
            store.load(stored, PASSWORD.toCharArray());
            Key key = store.getKey(ALIAS, PASSWORD.toCharArray());
            String text = LINES.encodeToString(key.getEncoded());
            return Files.writeString(
                    directory.resolve(name + "-key.pem"),
                    "-----BEGIN PRIVATE KEY-----\n" + text + "\n-----END PRIVATE KEY-----\n",
                    US_ASCII);
        } catch (IOException | GeneralSecurityException failure) {
            throw new AssertionError(failure);
        }
    }

    private Path store(String name) {
        return directory.resolve(name + ".p12");
    }

    private void keytool(String name, String... arguments) {
        Path program = Path.of(System.getProperty("java.home"), "bin", "keytool");
        List<String> command = new ArrayList<>(List.of(program.toString()));
        command.addAll(List.of(arguments));
        command.addAll(List.of("-alias", ALIAS, "-storetype", "PKCS12"));
        command.addAll(List.of("-keystore", store(name).toString(), "-storepass", PASSWORD));
        Programs.run(command, directory);
    }
}
