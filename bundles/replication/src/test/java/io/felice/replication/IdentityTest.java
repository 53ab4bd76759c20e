package io.felice.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.Subscription;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.ClusterView;
import io.felice.api.security.Users;
import io.felice.replication.TestKeys.KeyFiles;
import io.felice.testkit.FeliceNode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Who a broker is for the other brokers, on listeners with TLS and logins, and what is said if it is refused. */
class IdentityTest {
    private static final Duration LONG = Duration.ofSeconds(30);

    @TempDir
    static Path directory;

    private static KeyFiles keyOfNode;
    private static KeyFiles keyOfBroker;
    private static FeliceNode node;
    private Forwarding forwarding;

    @BeforeAll
    static void startNode() throws Exception {
        keyOfNode = TestKeys.make(directory, "node", "CN=localhost");
        keyOfBroker = TestKeys.make(directory, "broker", "CN=broker-9");
        node = FeliceNode.inMemory()
                .config("io.felice.network", "listeners", "SASL_SSL://127.0.0.1:0,SSL://127.0.0.1:0")
                .config("io.felice.network", "sasl.enabled.mechanisms", "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512")
                .config("io.felice.network", "ssl.client.auth", "required")
                .config(
                        "io.felice.network",
                        "ssl.keystore.location",
                        keyOfNode.pem().toString())
                .config(
                        "io.felice.network",
                        "ssl.truststore.location",
                        keyOfBroker.certificate().toString())
                .config("io.felice.security", "authorizer", "acl")
                .config("io.felice.security", "super.users", "User:brokers;User:CN=broker-9")
                .config("io.felice.security", "connection.failed.authentication.delay.ms", 0)
                .start();
        setPassword("brokers", "a \"secret\\ of brokers");
        setPassword("somebody", "something");
    }

    private static void setPassword(String user, String password) {
        node.service(Users.class)
                .setPassword(user, password.getBytes(StandardCharsets.UTF_8))
                .toCompletableFuture()
                .join();
    }

    @AfterAll
    static void stopNode() {
        node.close();
    }

    @AfterEach
    void close() {
        if (forwarding != null) {
            forwarding.close();
        }
    }

    private static Path password(String text) throws Exception {
        return Files.writeString(Files.createTempFile(directory, "password", ""), text + "\n");
    }

    private static PeerSettings login(String mechanism, String user, Path password) {
        return new PeerSettings(
                "SASL_SSL",
                mechanism,
                user,
                password.toString(),
                keyOfNode.certificate().toString(),
                "",
                "",
                "",
                "",
                true);
    }

    private static PeerSettings certificate(Path trust, Path key, String password) {
        return new PeerSettings("SSL", "PLAIN", "", "", trust.toString(), "", key.toString(), password, "", true);
    }

    private void start(PeerSettings settings) {
        CurrentIdentity identity = new CurrentIdentity(settings);
        ClusterMetadata metadata = new Neighbour(node.service(ClusterMetadata.class));
        forwarding = new Forwarding(new PeerAddresses(metadata, identity::settings), identity);
        forwarding.start();
    }

    /** What the controller of the node answers to a byte that is the version of no request. */
    private ErrorCode answer() {
        try {
            forwarding
                    .forward(0, new byte[] {127}, LONG)
                    .toCompletableFuture()
                    .orTimeout(20, TimeUnit.SECONDS)
                    .join();
            return ErrorCode.NONE;
        } catch (CompletionException failure) {
            return FeliceException.codeOf(failure);
        }
    }

    private void assertReachesTheController() {
        assertThat(answer()).isEqualTo(ErrorCode.UNSUPPORTED_VERSION);
    }

    private void assertRefused(String reason) {
        assertThat(answer()).isEqualTo(ErrorCode.BROKER_NOT_AVAILABLE);
        PeerStatus peer = forwarding.statuses().iterator().next();
        assertThat(peer.state()).isEqualTo(PeerStatus.State.REFUSED);
        assertThat(peer.lastError()).contains(reason);
    }

    @ParameterizedTest
    @ValueSource(strings = {"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"})
    void aBrokerLogsInWithAPassword(String mechanism) throws Exception {
        start(login(mechanism, "brokers", password("a \"secret\\ of brokers")));

        assertReachesTheController();
    }

    @Test
    void aBrokerShowsItsCertificateFromPem() {
        start(certificate(keyOfNode.certificate(), keyOfBroker.pem(), ""));

        assertReachesTheController();
    }

    @Test
    void aBrokerShowsItsCertificateFromPkcs12() throws Exception {
        start(certificate(keyOfNode.certificate(), keyOfBroker.p12(), "file:" + password(TestKeys.PASSWORD)));

        assertReachesTheController();
    }

    @Test
    void aWrongPasswordIsSaidWithTheReasonAndWithoutThePassword() throws Exception {
        start(login("SCRAM-SHA-512", "brokers", password("wrong-secret")));

        assertRefused("Authentication failed");
        assertThat(forwarding.statuses().iterator().next().lastError()).doesNotContain("wrong-secret");
    }

    @Test
    void aCorrectedPasswordFileIsReadWithoutARestart() throws Exception {
        Path file = password("wrong");
        start(login("SCRAM-SHA-512", "brokers", file));
        assertRefused("Authentication failed");

        Files.writeString(file, "a \"secret\\ of brokers");
        Files.setLastModifiedTime(file, FileTime.fromMillis(1));

        await().atMost(Duration.ofSeconds(60)).untilAsserted(this::assertReachesTheController);
    }

    @Test
    void aMissingPasswordFileIsSaid() {
        start(login("PLAIN", "brokers", directory.resolve("missing")));

        assertRefused("There is no file " + directory.resolve("missing"));
    }

    @Test
    void aListenerWithLoginsNeedsAUser() {
        start(login("PLAIN", "", directory.resolve("missing")));

        assertRefused("inter.broker.user");
    }

    @Test
    void aBrokerThatIsNotTrustedIsSaid() {
        start(certificate(keyOfBroker.certificate(), keyOfBroker.pem(), ""));

        assertRefused("unable to find valid certification path");
    }

    @Test
    void aUserWithoutTheRightToActForTheClusterReachesNoController() throws Exception {
        start(login("PLAIN", "somebody", password("something")));

        assertThat(answer()).isEqualTo(ErrorCode.CLUSTER_AUTHORIZATION_FAILED);
    }

    @Test
    void anUnknownMechanismIsRefusedWithTheSettings() {
        assertThatThrownBy(() -> login("GSSAPI", "brokers", directory))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("GSSAPI");
    }

    @Test
    void settingsAsTextHaveNoPassword() {
        assertThat(certificate(keyOfNode.certificate(), keyOfBroker.p12(), TestKeys.PASSWORD)
                        .toString())
                .doesNotContain(TestKeys.PASSWORD);
    }

    /** The view of the node, as broker 9 sees it. */
    private record Neighbour(ClusterMetadata other) implements ClusterMetadata {
        @Override
        public ClusterView view() {
            return other.view();
        }

        @Override
        public int brokerId() {
            return 9;
        }

        @Override
        public CompletionStage<ClusterView> reached(long version) {
            return other.reached(version);
        }

        @Override
        public CompletionStage<ClusterView> replayed(long version) {
            return other.replayed(version);
        }

        @Override
        public Subscription listen(Consumer<ClusterView> listener) {
            return other.listen(listener);
        }
    }
}
