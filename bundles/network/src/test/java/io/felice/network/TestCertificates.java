package io.felice.network;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** Keys with self-signed certificates, made by the JDK's keytool. */
final class TestCertificates {
    static final String PASSWORD = "secret-of-the-test";

    /**
     * A key with its certificate.
     *
     * @param p12 the file, PKCS#12 with {@link #PASSWORD}
     */
    record Key(Path p12, PrivateKey key, Certificate certificate) {
        /** Writes the key and the certificate to a PEM file. */
        Path pem(Path file) throws IOException, GeneralSecurityException {
            return Files.writeString(file, pem("PRIVATE KEY", key.getEncoded()) + certificatePem());
        }

        /** Writes the certificate to a PEM file. */
        Path certificatePem(Path file) throws IOException, GeneralSecurityException {
            return Files.writeString(file, certificatePem());
        }

        String certificatePem() throws GeneralSecurityException {
            return pem("CERTIFICATE", certificate.getEncoded());
        }

        static String pem(String type, byte[] content) {
            String text = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(content);
            return "-----BEGIN " + type + "-----\n" + text + "\n-----END " + type + "-----\n";
        }
    }

    private TestCertificates() {}

    /** An elliptic-curve key with a certificate for a year. */
    static Key make(Path directory, String subject) throws Exception {
        return make(directory, subject, "-keyalg", "EC", "-groupname", "secp256r1", "-validity", "365");
    }

    /** @param options of keytool -genkeypair */
    static Key make(Path directory, String subject, String... options) throws Exception {
        Path file = Files.createTempDirectory(directory, "key").resolve("key.p12");
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-J-XX:TieredStopAtLevel=1",
                "-J-XX:+UseSerialGC",
                "-genkeypair"));
        command.addAll(List.of("-alias", "key", "-dname", subject, "-storetype", "PKCS12"));
        command.addAll(List.of("-keystore", file.toString(), "-storepass", PASSWORD));
        command.addAll(List.of("-ext", "san=ip:127.0.0.1,dns:localhost"));
        command.addAll(List.of(options));
        run(command);
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(file)) {
            store.load(in, PASSWORD.toCharArray());
        }
        return new Key(file, (PrivateKey) store.getKey("key", PASSWORD.toCharArray()), store.getCertificate("key"));
    }

    private static void run(List<String> command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (!process.waitFor(60, TimeUnit.SECONDS) || process.exitValue() != 0) {
            throw new IllegalStateException(command + ": " + output);
        }
    }

    /** What a client needs that trusts these certificates. It shows the key's certificate; null for none. */
    static SSLContext client(Key key, Certificate... trusted) throws GeneralSecurityException, IOException {
        KeyStore trust = KeyStore.getInstance("PKCS12");
        trust.load(null, null);
        for (int i = 0; i < trusted.length; i++) {
            trust.setCertificateEntry("trusted-" + i, trusted[i]);
        }
        TrustManagerFactory trusts = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trusts.init(trust);
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        KeyStore own = KeyStore.getInstance("PKCS12");
        own.load(null, null);
        if (key != null) {
            own.setKeyEntry("own", key.key, PASSWORD.toCharArray(), new Certificate[] {key.certificate});
        }
        keys.init(own, PASSWORD.toCharArray());
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trusts.getTrustManagers(), null);
        return context;
    }
}
