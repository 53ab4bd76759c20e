package io.felice.network;

import static io.felice.network.TestTls.beat;
import static io.felice.network.TestTls.heartbeat;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.felice.api.security.AuditLog;
import io.felice.api.security.Principal;
import io.felice.api.security.PrincipalMapping;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import javax.net.ssl.SSLContext;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.HeartbeatResponseData;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.osgi.framework.ServiceReference;
import org.osgi.service.component.ComponentServiceObjects;

/** The certificate of a client says who it is. */
@Timeout(90)
class ClientCertificatesTest {
    @TempDir
    static Path directory;

    private static TestCertificates.Key ofNode;
    private static TestCertificates.Key alice;
    private static SSLContext withCertificate;
    private static SSLContext withUnknownCertificate;
    private static SSLContext withoutCertificate;
    private static Path trusted;

    private TestNode node;
    private volatile Principal seen;

    @BeforeAll
    static void makeKeys() throws Exception {
        ofNode = TestCertificates.make(directory, "CN=node");
        alice = TestCertificates.make(directory, "CN=Alice,OU=Users,O=Felice");
        TestCertificates.Key stranger = TestCertificates.make(directory, "CN=Alice,OU=Users,O=Felice");
        trusted = alice.certificatePem(directory.resolve("trusted.pem"));
        withCertificate = TestCertificates.client(alice, ofNode.certificate());
        withUnknownCertificate = TestCertificates.client(stranger, ofNode.certificate());
        withoutCertificate = TestCertificates.client(null, ofNode.certificate());
    }

    @AfterEach
    void close() {
        node.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void aCertificateIsRequired(String version) throws Exception {
        node = node(Map.of("ssl_client_auth", "required"));
        try (TestClient client = TestTls.connect(withCertificate, version, node.port())) {
            beat(client);
        }
        assertThat(seen).isEqualTo(Principal.user("CN=Alice,OU=Users,O=Felice"));
        assertRefused(withoutCertificate, version);
        assertRefused(withUnknownCertificate, version);
        node.awaitNumber("network.connections", "SSL", "tls.failed", 2);
        TestTls.awaitNothingKept(node);
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void aCertificateIsRequested(String version) throws Exception {
        node = node(Map.of("ssl_client_auth", "requested"));
        try (TestClient client = TestTls.connect(withCertificate, version, node.port())) {
            beat(client);
        }
        assertThat(seen).isEqualTo(Principal.user("CN=Alice,OU=Users,O=Felice"));
        try (TestClient client = TestTls.connect(withoutCertificate, version, node.port())) {
            beat(client);
        }
        assertThat(seen).isEqualTo(Principal.ANONYMOUS);
    }

    @Test
    void theAuditLogHasWhoLoggedInWithACertificateAndWhoWasRefused() throws Exception {
        List<String> lines = new CopyOnWriteArrayList<>();
        node = node(Map.of("ssl_client_auth", "required", "ssl_principal_mapping_rules", "RULE:^CN=(Alice),.*$/$1/L"));
        node.network().bindAudit(new Lines(lines));
        try (TestClient client = TestTls.connect(withCertificate, "TLSv1.3", node.port())) {
            beat(client);
        }
        assertThat(lines).containsExactly("User:alice 127.0.0.1 SSL certificate");
        node.change("ssl_principal_mapping_rules", "RULE:^CN=(Bob),.*$/$1/L");
        await().atMost(Duration.ofSeconds(60)).untilAsserted(() -> {
            assertRefused(withCertificate, "TLSv1.3");
            assertThat(lines).contains("refused 127.0.0.1 SSL certificate");
        });
    }

    private record Lines(List<String> lines) implements AuditLog {
        @Override
        public void loggedIn(Principal principal, InetAddress host, String listener, String mechanism) {
            lines.add(principal + " " + host.getHostAddress() + " " + listener + " " + mechanism);
        }

        @Override
        public void refused(InetAddress host, String listener, String mechanism) {
            lines.add("refused " + host.getHostAddress() + " " + listener + " " + mechanism);
        }

        @Override
        public void changed(String by, String change) {
            lines.add(by + " " + change);
        }
    }

    @Test
    void aCertificateIsNotAskedFor() throws Exception {
        node = node(Map.of("ssl_client_auth", "none"));
        try (TestClient client = TestTls.connect(withCertificate, "TLSv1.3", node.port())) {
            beat(client);
        }
        assertThat(seen).isEqualTo(Principal.ANONYMOUS);
    }

    @Test
    void aChangedSettingAppliesToNewConnectionsAndOpenOnesStay() throws Exception {
        node = node(Map.of("ssl_client_auth", "none"));
        try (TestClient open = TestTls.connect(withoutCertificate, "TLSv1.3", node.port())) {
            beat(open);

            node.change("ssl_client_auth", "required");

            await().atMost(Duration.ofSeconds(60)).untilAsserted(() -> assertRefused(withoutCertificate, "TLSv1.3"));
            beat(open);
        }
    }

    @Test
    void withSaslTheLoginSaysWhoAClientIsAndNoCertificateIsAskedFor() throws Exception {
        Map<String, Object> settings = new HashMap<>(TestTls.settings(ofNode, Map.of("ssl_client_auth", "required")));
        settings.put("ssl_truststore_location", trusted.toString());
        settings.put("listeners", new String[] {"SAFE://127.0.0.1:0"});
        settings.put("listener_security_protocol_map", new String[] {"SAFE:SASL_SSL"});
        SaslNode sasl = new SaslNode(settings);
        node = sasl.node;
        try (TestClient client = TestTls.connect(withCertificate, "TLSv1.3", node.port("SAFE"));
                TestClient other = TestTls.connect(withoutCertificate, "TLSv1.3", node.port("SAFE"))) {
            SaslNode.logIn(client, "bob");
            beat(client);
            SaslNode.logIn(other, "carol");
            beat(other);

            assertThat(sasl.principals).containsExactly("User:bob", "User:carol");
            assertThat(sasl.strangers).hasValue(0);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void aResumedSessionHasThePrincipalOfItsCertificate(String version) throws Exception {
        node = node(Map.of("ssl_client_auth", "required", "ssl_principal_mapping_rules", "RULE:^CN=(.*?),.*$/$1/L"));
        for (int i = 0; i < 3; i++) {
            seen = null;
            try (TestClient client = TestTls.connect(withCertificate, version, node.port())) {
                beat(client);
            }
            assertThat(seen).isEqualTo(Principal.user("alice"));
        }
    }

    @Test
    void aSubjectThatNoRuleMatchesIsRefused() throws Exception {
        node = node(Map.of("ssl_client_auth", "required", "ssl_principal_mapping_rules", "RULE:^CN=bob$/bob/"));

        assertRefused(withCertificate, "TLSv1.3");

        assertThat(seen).isNull();
        node.awaitNumber("network.connections", "SSL", "tls.failed", 1);
    }

    private static ComponentServiceObjects<PrincipalMapping> offered(PrincipalMapping mapping) {
        return new Offered(mapping);
    }

    /** A service as Declarative Services offers it. */
    private record Offered(PrincipalMapping getService) implements ComponentServiceObjects<PrincipalMapping> {
        @Override
        public void ungetService(PrincipalMapping given) {}

        @Override
        public ServiceReference<PrincipalMapping> getServiceReference() {
            throw new UnsupportedOperationException("there is no framework here, and so no reference");
        }
    }

    @Test
    void aServiceMakesThePrincipalInPlaceOfTheRules() throws Exception {
        node = node(Map.of("ssl_client_auth", "required", "ssl_principal_mapping", "mine"));
        PrincipalMapping mapping = chain -> new Principal(
                "Certificate", chain.get(0).getSubjectX500Principal().getName());
        node.mappings().bind(offered(mapping), Map.of(PrincipalMapping.NAME, "mine"));

        try (TestClient client = TestTls.connect(withCertificate, "TLSv1.3", node.port())) {
            beat(client);
        }

        assertThat(seen).isEqualTo(new Principal("Certificate", "CN=Alice,OU=Users,O=Felice"));
        node.mappings().unbind(offered(mapping));
        assertRefused(withCertificate, "TLSv1.3");
    }

    @Test
    void aMappingThatThrowsOrGivesNobodyRefusesTheClient() throws Exception {
        node = node(Map.of("ssl_client_auth", "required", "ssl_principal_mapping", "mine"));
        PrincipalMapping throwing = chain -> {
            throw new IllegalStateException("on purpose");
        };
        node.mappings().bind(offered(throwing), Map.of(PrincipalMapping.NAME, "mine"));
        assertRefused(withCertificate, "TLSv1.3");
        node.mappings().unbind(offered(throwing));
        node.mappings().bind(offered(chain -> null), Map.of(PrincipalMapping.NAME, "mine"));

        assertRefused(withCertificate, "TLSv1.3");

        assertThat(seen).isNull();
        node.awaitNumber("network.connections", "SSL", "tls.failed", 2);
    }

    @Test
    void aMappingThatHangsHoldsUpOnlyClientsWithCertificates() throws Exception {
        node = node(Map.of(
                "ssl_client_auth", "requested", "ssl_principal_mapping", "mine", "ssl_handshake_timeout_ms", 1_000L));
        CountDownLatch over = new CountDownLatch(1);
        PrincipalMapping hanging = chain -> {
            try {
                over.await();
            } catch (InterruptedException interrupted) {
                throw new IllegalStateException(interrupted);
            }
            return Principal.user("late");
        };
        node.mappings().bind(offered(hanging), Map.of(PrincipalMapping.NAME, "mine"));
        try {
            for (int i = 0; i < 6; i++) {
                assertRefused(withCertificate, "TLSv1.3");
            }
            try (TestClient client = TestTls.connect(withoutCertificate, "TLSv1.3", node.port())) {
                beat(client);
            }

            assertThat(seen).isEqualTo(Principal.ANONYMOUS);
            node.awaitNumber("network.connections", "SSL", "tls.late", 6);
        } finally {
            over.countDown();
        }
        TestTls.awaitNothingKept(node);
    }

    private TestNode node(Map<String, ?> others) {
        Map<String, Object> settings = new HashMap<>(TestTls.settings(ofNode, others));
        settings.put("ssl_truststore_location", trusted.toString());
        TestNode made = new TestNode(settings);
        made.bindNow(Apis.HEARTBEAT, 0, 4, (HeartbeatRequestData request, RequestContext context) -> {
            seen = context.requester().principal();
            return new HeartbeatResponseData();
        });
        return made;
    }

    private void assertRefused(SSLContext context, String version) {
        assertThatThrownBy(() -> {
                    // In TLS 1.3 a client learns only after its handshake that it is refused.
                    try (TestClient client = TestTls.connect(context, version, node.port())) {
                        client.send(Apis.HEARTBEAT, 4, 1, heartbeat());
                        client.receive();
                    }
                })
                .isInstanceOf(IOException.class);
    }
}
