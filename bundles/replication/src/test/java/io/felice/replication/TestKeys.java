package io.felice.replication;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Makes keys with certificates, with the JDK's keytool. */
final class TestKeys {
    static final String PASSWORD = "secret-of-the-test";

    /** The files of a key: PKCS#12 with {@link #PASSWORD}, the certificate as PEM, the key and the certificate as PEM. */
    record KeyFiles(Path p12, Path certificate, Path pem) {}

    private TestKeys() {}

    static KeyFiles make(Path directory, String name, String subject) throws Exception {
        Path file = directory.resolve(name + ".p12");
        run(List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                "key",
                "-dname",
                subject,
                "-storetype",
                "PKCS12",
                "-keyalg",
                "EC",
                "-groupname",
                "secp256r1",
                "-validity",
                "365",
                "-ext",
                "san=ip:127.0.0.1,dns:localhost",
                "-keystore",
                file.toString(),
                "-storepass",
                PASSWORD));
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(file)) {
            store.load(in, PASSWORD.toCharArray());
        }
        String certificate = pem("CERTIFICATE", store.getCertificate("key").getEncoded());
        String key =
                pem("PRIVATE KEY", store.getKey("key", PASSWORD.toCharArray()).getEncoded());
        return new KeyFiles(
                file,
                Files.writeString(directory.resolve(name + ".crt"), certificate),
                Files.writeString(directory.resolve(name + ".pem"), key + certificate));
    }

    private static String pem(String type, byte[] content) {
        String text = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(content);
        return "-----BEGIN " + type + "-----\n" + text + "\n-----END " + type + "-----\n";
    }

    private static void run(List<String> command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (!process.waitFor(60, TimeUnit.SECONDS) || process.exitValue() != 0) {
            throw new IllegalStateException(command + ": " + output);
        }
    }
}
