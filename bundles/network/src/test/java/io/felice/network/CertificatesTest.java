package io.felice.network;

import static io.felice.network.TestTls.beat;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.felice.api.Launch;
import io.felice.api.status.Trouble;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import javax.crypto.Cipher;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The files with the node's key and certificates are read, and read again when they change. */
@Timeout(90)
class CertificatesTest {
    @TempDir
    static Path keys;

    @TempDir
    Path directory;

    private static TestCertificates.Key first;
    private static TestCertificates.Key second;
    private static TestCertificates.Key expired;
    private static SSLContext client;

    private Path file;
    private TestNode node;

    @BeforeAll
    static void makeKeys() throws Exception {
        first = TestCertificates.make(keys, "CN=first");
        second = TestCertificates.make(keys, "CN=second", "-keyalg", "RSA", "-keysize", "2048", "-validity", "10");
        expired = TestCertificates.make(keys, "CN=old", "-keyalg", "EC", "-startdate", "-10d", "-validity", "5");
        client = TestCertificates.client(null, first.certificate(), second.certificate());
    }

    @BeforeEach
    void nameFile() {
        file = directory.resolve("node.pem");
    }

    @AfterEach
    void close() {
        System.clearProperty(Launch.FATAL_FILE);
        if (node != null) {
            node.close();
        }
    }

    @Test
    void aChangedFileIsUsedForNewConnectionsAndOpenOnesStay() throws Exception {
        first.pem(file);
        node = TestTls.heartbeats(settings(Map.of()));
        try (TestClient open = connect()) {
            beat(open);
            assertThat(subjectShownTo(open)).isEqualTo("CN=first");

            replace(second.pem(directory.resolve("new.pem")));

            await().atMost(Duration.ofSeconds(60)).untilAsserted(() -> {
                try (TestClient later = connect()) {
                    beat(later);
                    assertThat(subjectShownTo(later)).isEqualTo("CN=second");
                }
            });
            beat(open);
            assertThat(node.number("network.certificate", "ssl.keystore.location", "subject"))
                    .isEqualTo("CN=second");
            assertThat((long) node.number("network.certificate", "ssl.keystore.location", "left.days"))
                    .isBetween(8L, 10L);
            assertThat(node.network().troubles()).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"expired", "mismatched", "garbage", "missing"})
    void aFileThatCannotBeUsedLeavesTheOldCertificateAndIsTold(String kind) throws Exception {
        first.pem(file);
        node = TestTls.heartbeats(settings(Map.of()));
        try (TestClient open = connect()) {
            spoil(kind);

            await().atMost(Duration.ofSeconds(60))
                    .untilAsserted(() -> assertThat(node.network().troubles()).hasSize(1));

            assertThat(node.network().troubles().get(0).extent()).isEqualTo(Trouble.Extent.PART);
            assertThat(node.network().troubles().get(0).reason())
                    .startsWith("New TLS connections get an old certificate. ssl.keystore.location: " + file)
                    .contains(sentence(kind));
            beat(open);
            try (TestClient later = connect()) {
                beat(later);
                assertThat(subjectShownTo(later)).isEqualTo("CN=first");
            }
            replace(second.pem(directory.resolve("new.pem")));
            await().atMost(Duration.ofSeconds(60))
                    .untilAsserted(() -> assertThat(node.network().troubles()).isEmpty());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"expired", "mismatched", "garbage", "missing"})
    void aListenerWhoseFileCannotBeUsedIsNotOpenedUntilItCan(String kind) throws Exception {
        spoil(kind);
        node = TestTls.heartbeats(
                settings(Map.of("listeners", new String[] {"SSL://127.0.0.1:0", "PLAINTEXT://localhost:0"})));
        node.awaitOpen();

        assertThat(node.endpoints().endpoints())
                .extracting(endpoint -> endpoint.listener())
                .containsExactly("PLAINTEXT");
        assertThat(node.network().troubles()).extracting(Trouble::extent).containsExactly(Trouble.Extent.PART);
        assertThat(node.network().troubles().get(0).reason())
                .startsWith("The listeners that use TLS are not open. ssl.keystore.location: " + file)
                .contains(sentence(kind));
        first.pem(file);
        await().atMost(Duration.ofSeconds(60))
                .untilAsserted(() -> assertThat(node.endpoints().endpoints()).hasSize(2));
        try (TestClient later = TestTls.connect(client, "TLSv1.3", node.port("SSL"))) {
            beat(later);
        }
        assertThat(node.network().troubles()).isEmpty();
    }

    @Test
    void aNodeWhoseOnlyListenerCannotBeOpenedServesNobodyAndHasNoPlainListener() throws Exception {
        node = TestTls.heartbeats(settings(Map.of()));
        await().untilAsserted(() -> assertThat(node.network().troubles())
                .extracting(Trouble::reason)
                .containsExactly("No listener is open. ssl.keystore.location: " + file
                        + " cannot be read: there is no file " + file));

        assertThat(node.network().troubles().get(0).extent()).isEqualTo(Trouble.Extent.NODE);
        assertThat(node.endpoints()).isNull();
    }

    private void spoil(String kind) throws Exception {
        switch (kind) {
            case "expired" -> replace(expired.pem(directory.resolve("new.pem")));
            case "mismatched" -> replace(Files.writeString(
                    directory.resolve("new.pem"),
                    TestCertificates.Key.pem("PRIVATE KEY", first.key().getEncoded()) + expired.certificatePem()));
            case "garbage" -> replace(Files.writeString(directory.resolve("new.pem"), "garbage"));
            default -> Files.deleteIfExists(file);
        }
    }

    private static String sentence(String kind) {
        return switch (kind) {
            case "expired" -> "has a certificate that expired at ";
            case "mismatched" -> "has a certificate that does not match the private key";
            case "garbage" -> "is neither PEM nor PKCS#12";
            default -> "cannot be read: there is no file ";
        };
    }

    @Test
    void anEncryptedKeyInAPemFileIsDecrypted() throws Exception {
        Files.writeString(
                file, TestCertificates.Key.pem("ENCRYPTED PRIVATE KEY", encrypted(first)) + first.certificatePem());
        Path password = Files.writeString(directory.resolve("password"), TestCertificates.PASSWORD + "\n");
        node = TestTls.heartbeats(settings(Map.of("ssl_key_password", "file:" + password)));

        try (TestClient client = connect()) {
            beat(client);
        }
    }

    private static byte[] encrypted(TestCertificates.Key key) throws Exception {
        String algorithm = "PBEWithHmacSHA256AndAES_256";
        SecretKeyFactory factory = SecretKeyFactory.getInstance(algorithm);
        Cipher cipher = Cipher.getInstance(algorithm);
        cipher.init(
                Cipher.ENCRYPT_MODE, factory.generateSecret(new PBEKeySpec(TestCertificates.PASSWORD.toCharArray())));
        byte[] pbes2 = HexFormat.of().parseHex("06092a864886f70d01050d");
        byte[] encryption = der(0x30, pbes2, cipher.getParameters().getEncoded());
        return der(0x30, encryption, der(0x04, cipher.doFinal(key.key().getEncoded())));
    }

    /** A DER value with a short or two-byte length, whose content is these parts. */
    private static byte[] der(int tag, byte[]... parts) {
        int length = Arrays.stream(parts).mapToInt(part -> part.length).sum();
        ByteBuffer value = ByteBuffer.allocate(4 + length).put((byte) tag);
        value = length < 128 ? value.put((byte) length) : value.put((byte) 0x82).putShort((short) length);
        for (byte[] part : parts) {
            value.put(part);
        }
        return Arrays.copyOf(value.array(), value.position());
    }

    @Test
    void thePasswordIsInNoLogStatusOrText() throws Exception {
        PrintStream before = System.err;
        ByteArrayOutputStream lines = new ByteArrayOutputStream();
        System.setErr(new PrintStream(lines, true, StandardCharsets.UTF_8));
        String wrong = "a-wrong-password";
        try {
            Files.copy(first.p12(), file);
            node = TestTls.heartbeats(settings(Map.of("ssl_keystore_password", wrong)));
            await().untilAsserted(() -> assertThat(node.network().troubles())
                    .extracting(Trouble::reason)
                    .anyMatch(reason -> reason.contains(
                            "cannot be decrypted: ssl.keystore.password or ssl.key.password is wrong")));

            assertThat(lines.toString(StandardCharsets.UTF_8))
                    .doesNotContain(wrong)
                    .contains("cannot be decrypted");
            assertThat(node.network().tables().toString()).doesNotContain(wrong);
            assertThat(new Secret(wrong).toString()).doesNotContain(wrong);
        } finally {
            System.setErr(before);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ssl_keystore_location=|listener SSL wants SSL, but ssl.keystore.location names no file",
                "ssl_client_auth=maybe|ssl.client.auth: \"maybe\" is none of none, requested, required",
                "ssl_client_auth=required|ssl.client.auth is required, but ssl.truststore.location names no file",
                "ssl_enabled_protocols=SSLv3|ssl.enabled.protocols: [SSLv3]; some of [TLSv1.2, TLSv1.3] are possible",
                "ssl_keystore_type=DER|ssl.keystore.type: \"DER\" is none of PEM, PKCS12, JKS",
                "ssl_principal_mapping_rules=nonsense|ssl.principal.mapping.rules: \"nonsense\" cannot be read",
            })
    void aSettingThatIsWrongIsReportedInOneSentence(String line) throws Exception {
        Path fatal = directory.resolve("fatal");
        System.setProperty(Launch.FATAL_FILE, fatal.toString());
        first.pem(file);
        String name = line.substring(0, line.indexOf('='));
        String value = line.substring(line.indexOf('=') + 1, line.indexOf('|'));
        node = TestTls.heartbeats(
                settings(Map.of(name, name.equals("ssl_enabled_protocols") ? (Object) new String[] {value} : value)));

        await().until(() -> Files.exists(fatal));

        assertThat(Files.readString(fatal)).startsWith(line.substring(line.indexOf('|') + 1));
        assertThat(node.endpoints()).isNull();
    }

    private Map<String, Object> settings(Map<String, ?> others) {
        Map<String, Object> settings = new HashMap<>(TestTls.settings(first, Map.of()));
        settings.put("ssl_keystore_location", file.toString());
        settings.put("ssl_keystore_password", "");
        settings.putAll(others);
        return settings;
    }

    private void replace(Path with) throws Exception {
        Files.move(with, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    }

    private TestClient connect() throws Exception {
        return TestTls.connect(client, "TLSv1.3", node.port());
    }

    private static String subjectShownTo(TestClient client) throws Exception {
        List<Certificate> chain =
                List.of(((SSLSocket) client.socket).getSession().getPeerCertificates());
        return ((X509Certificate) chain.get(0)).getSubjectX500Principal().getName();
    }
}
