package io.felice.cluster.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.felice.api.cluster.ClusterStore.Term;
import io.felice.api.cluster.MetadataRecord;
import io.felice.testkit.RecordingCandidate;
import io.felice.testkit.RecordingFollower;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The metadata log over TLS: a real server behind a proxy that decrypts, and asks for a certificate if a test wants. */
@Timeout(120)
class EncryptionTest {
    private static final String PASSWORD = "changeit";
    private static final int SESSION_MS = 4_000;

    @TempDir
    Path directory;

    @TempDir
    static Path keys;

    private static Path servers;
    private static Path nodes;
    private static Path passwordFile;

    private TestEnsemble ensemble;

    @BeforeAll
    static void makeKeys() throws Exception {
        servers = keyStore("server", "ip:127.0.0.1,dns:localhost");
        nodes = keyStore("node", "dns:node");
        passwordFile = Files.writeString(keys.resolve("password"), PASSWORD);
    }

    @BeforeEach
    void start() throws Exception {
        ensemble = new TestEnsemble(directory);
    }

    @AfterEach
    void stop() {
        ensemble.close();
    }

    /** A PKCS#12 file with a key and a certificate, and beside it one with the certificate alone, as one who trusts. */
    private static Path keyStore(String name, String hosts) throws Exception {
        Path file = keys.resolve(name + ".p12");
        Path certificate = keys.resolve(name + ".crt");
        String stores = "-storetype PKCS12 -storepass " + PASSWORD;
        keytool("-genkeypair -alias a -keyalg EC -dname CN=" + name + " -ext san=" + hosts + " -keystore " + file + " "
                + stores);
        keytool("-exportcert -alias a -keystore " + file + " -file " + certificate + " " + stores);
        keytool("-importcert -noprompt -alias a -file " + certificate + " -keystore " + trusted(file) + " " + stores);
        return file;
    }

    private static Path trusted(Path keyStore) {
        return keyStore.resolveSibling("trusted-" + keyStore.getFileName());
    }

    private static void keytool(String arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString()));
        command.addAll(List.of(arguments.split(" ")));
        Process tool = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(tool.getInputStream().readAllBytes());
        assertThat(tool.waitFor()).as(output).isZero();
    }

    private Encryption trusting(Path trustStore, Path keyStore, boolean checksHost) {
        return new Encryption(
                true,
                trusted(trustStore).toString(),
                passwordFile.toString(),
                keyStore == null ? "" : keyStore.toString(),
                keyStore == null ? "" : passwordFile.toString(),
                checksHost);
    }

    /** Forwards what it decrypts to the server. */
    private final class Proxy implements AutoCloseable {
        private final SSLServerSocket listener;
        private final AtomicInteger connections = new AtomicInteger();
        private final AtomicInteger handshakes = new AtomicInteger();

        Proxy(Path keyStore, Path trustStore) throws Exception {
            KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            keys.init(KeyStore.getInstance(keyStore.toFile(), PASSWORD.toCharArray()), PASSWORD.toCharArray());
            TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(KeyStore.getInstance(
                    trusted(trustStore == null ? keyStore : trustStore).toFile(), PASSWORD.toCharArray()));
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
            listener = (SSLServerSocket)
                    context.getServerSocketFactory().createServerSocket(0, 50, InetAddress.getLoopbackAddress());
            listener.setNeedClientAuth(trustStore != null);
            start(this::accept);
        }

        String connectString() {
            return "127.0.0.1:" + listener.getLocalPort();
        }

        private void accept() throws IOException {
            while (true) {
                SSLSocket client = (SSLSocket) listener.accept();
                start(() -> forward(client));
            }
        }

        private void forward(SSLSocket client) throws IOException {
            connections.incrementAndGet();
            client.startHandshake();
            handshakes.incrementAndGet();
            String[] server = ensemble.connectString().split(":");
            Socket plain = new Socket(server[0], Integer.parseInt(server[1]));
            start(() -> pump(client, plain));
            pump(plain, client);
        }

        private void pump(Socket from, Socket to) throws IOException {
            try (from;
                    to;
                    InputStream in = from.getInputStream()) {
                in.transferTo(to.getOutputStream());
            }
        }

        private void start(Forwarding forwarding) {
            Thread thread = new Thread(() -> {
                try {
                    forwarding.run();
                } catch (IOException ended) {
                    return;
                }
            });
            thread.setDaemon(true);
            thread.start();
        }

        @Override
        public void close() throws IOException {
            listener.close();
        }
    }

    private interface Forwarding {
        void run() throws IOException;
    }

    private void mustWork(Proxy proxy, Encryption encryption) throws Exception {
        ZooKeeperStore store = ensemble.encryptedStore(proxy.connectString(), SESSION_MS, encryption);
        RecordingFollower follower = new RecordingFollower();
        store.follow(follower);
        RecordingCandidate candidate = new RecordingCandidate();
        store.campaign(candidate);
        await().atMost(Duration.ofSeconds(30)).until(() -> candidate.term() != null);
        Term term = candidate.term();
        term.append(List.of(new MetadataRecord.ClusterNamed("encrypted")))
                .toCompletableFuture()
                .get(30, TimeUnit.SECONDS);
        await().atMost(Duration.ofSeconds(30))
                .untilAsserted(() -> assertThat(follower.view().clusterId()).contains("encrypted"));
        assertThat(proxy.handshakes).hasPositiveValue();
    }

    @Test
    void theMetadataLogIsWrittenAndReadOverTls() throws Exception {
        try (Proxy proxy = new Proxy(servers, null)) {
            mustWork(proxy, trusting(servers, null, true));
        }
    }

    @Test
    void aServerThatAsksForACertificateGetsTheNodesOwn() throws Exception {
        try (Proxy proxy = new Proxy(servers, nodes)) {
            mustWork(proxy, trusting(servers, nodes, true));
        }
    }

    @Test
    void aServerWithAnUnknownCertificateIsNotConnectedTo() throws Exception {
        mustNotConnect(new Proxy(servers, null), trusting(nodes, null, false));
    }

    @Test
    void aServerWhoseCertificateHasAnotherNameIsNotConnectedTo() throws Exception {
        mustNotConnect(new Proxy(nodes, null), trusting(nodes, null, true));
    }

    private void mustNotConnect(Proxy proxy, Encryption encryption) throws Exception {
        try (proxy) {
            ZooKeeperStore store = ensemble.encryptedStore(proxy.connectString(), SESSION_MS, encryption);
            await().atMost(Duration.ofSeconds(30)).until(() -> proxy.connections.get() > 1);
            assertThat(store.isConnected()).isFalse();
        }
    }

    @Test
    void aFileThatIsNotThereIsNamed() throws Exception {
        Encryption nowhere = trusting(directory.resolve("nowhere.p12"), null, true);
        Files.writeString(keys.resolve("trusted-password"), "no store");
        assertThatThrownBy(nowhere::check)
                .hasMessageStartingWith("ssl.truststore.location = ")
                .hasMessageEndingWith("nowhere.p12 cannot be read");
        assertThatThrownBy(trusting(passwordFile, null, true)::check)
                .hasMessageContaining("the ending of its name says what it is: .jks, .p12 or .pem");
        assertThatThrownBy(new Encryption(true, "", "", "", "", true)::check)
                .hasMessage("ssl = true needs ssl.truststore.location");
    }
}
