package io.felice.itests.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.itests.rig.DistributionNode;
import io.felice.itests.rig.Java;
import io.felice.itests.rig.KafkaTools;
import io.felice.itests.rig.Programs;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Kafka's own tools administer and use a node of the distribution that has TLS, logins and ACLs. */
class SecuredToolsTest {
    private static final String ADMIN = "admin";
    private static final String PREFIX = "console-";

    @TempDir
    static Path directory;

    private static final Tokens tokens = new Tokens();
    private static final int ofCertificates = DistributionNode.freePort();
    private static Keys keys;
    private static DistributionNode node;

    @BeforeAll
    static void start() throws IOException {
        keys = new Keys(directory);
        Path ofNode = keys.make("node", "CN=localhost");
        keys.make(Login.CERTIFICATE.name(), Login.CERTIFICATE.user());
        node = DistributionNode.in(directory);
        node.configure(
                "io.felice.network",
                Map.of(
                        "listeners",
                        "SASL_SSL://" + node.bootstrap() + ",SSL://127.0.0.1:" + ofCertificates,
                        "sasl.enabled.mechanisms",
                        "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
                        "ssl.client.auth",
                        "required",
                        "ssl.keystore.location",
                        ofNode.toString(),
                        "ssl.keystore.password",
                        Keys.PASSWORD,
                        "ssl.truststore.location",
                        keys.certificate(Login.CERTIFICATE.name()).toString()));
        node.configure(
                "io.felice.security",
                Map.of(
                        "authorizer",
                        "acl",
                        "super.users",
                        "User:" + ADMIN,
                        "oauth.jwks",
                        tokens.writeKeySet(directory.resolve("jwks.json")).toString()));
        node.start();
        Path password = Files.writeString(directory.resolve("admin.password"), passwordOf(ADMIN) + "\n");
        node.exec("felice:user-set --password-file " + password + " " + ADMIN);
        makeUsers();
        KafkaTools.TOPICS.run(admin("--create", "--topic", "of-nobody", "--partitions", "1"));
    }

    @AfterAll
    static void stop() {
        node.close();
    }

    /** A user for each login with a password, and rights for all logins. */
    private static void makeUsers() throws IOException {
        List<String> rights = new ArrayList<>(List.of("--add", "--producer", "--consumer"));
        rights.addAll(List.of("--topic", PREFIX, "--group", PREFIX, "--resource-pattern-type", "prefixed"));
        for (Login login : Login.values()) {
            rights.addAll(List.of("--allow-principal", "User:" + login.user()));
            if (login.hasPassword()) {
                addPassword(login.user(), login.password());
            }
        }
        KafkaTools.ACLS.run(admin(rights.toArray(String[]::new)));
    }

    private static void addPassword(String user, String password) throws IOException {
        KafkaTools.CONFIGS.run(admin(
                "--alter",
                "--entity-type",
                "users",
                "--entity-name",
                user,
                "--add-config",
                "SCRAM-SHA-256=[iterations=8192,password=" + password + "],SCRAM-SHA-512=[password=" + password + "]"));
    }

    /** The first record of each makes its topic. */
    @ParameterizedTest(name = "{0}")
    @EnumSource(value = Login.class, mode = EnumSource.Mode.EXCLUDE, names = "NO_CERTIFICATE")
    void theConsoleProducersRecordsReachTheConsoleConsumer(Login login) throws IOException {
        List<String> lines = Java.numbered("line of " + login, 3);
        Path input = Files.write(directory.resolve(login + ".txt"), lines);
        String topic = PREFIX + login;
        KafkaTools.CONSOLE_PRODUCER.feed(input, as(login, "--topic", topic));

        String read = KafkaTools.CONSOLE_CONSUMER.run(as(
                login,
                "--topic",
                topic,
                "--group",
                topic,
                "--from-beginning",
                "--max-messages",
                "3",
                "--timeout-ms",
                "60000"));

        assertThat(read.lines().filter(line -> line.startsWith("line of " + login)))
                .containsExactlyElementsOf(lines);
    }

    @Test
    void usersAreShownWithTheirMechanismsAndDeletedOnesCannotLogIn() throws IOException {
        addPassword("tom", passwordOf("tom"));
        String shown = KafkaTools.CONFIGS.run(admin("--describe", "--entity-type", "users", "--entity-name", "tom"));
        String listed = KafkaTools.TOPICS.run(with(ofTom(), "--list"));

        KafkaTools.CONFIGS.run(admin(
                "--alter",
                "--entity-type",
                "users",
                "--entity-name",
                "tom",
                "--delete-config",
                "SCRAM-SHA-256,SCRAM-SHA-512"));

        assertThat(shown)
                .contains("SCRAM credential configs for user-principal 'tom' are")
                .contains("SCRAM-SHA-256=iterations=8192")
                .contains("SCRAM-SHA-512=iterations=");
        assertThat(listed).doesNotContain("of-nobody");
        assertThatThrownBy(() -> KafkaTools.TOPICS.run(with(ofTom(), "--list")))
                .hasMessageContaining("SaslAuthenticationException");
    }

    private static Access ofTom() {
        return sasl().with("mechanism", "SCRAM-SHA-256").with("user", "tom").with("password", passwordOf("tom"));
    }

    @Test
    void aclsAreAddedListedAndRemoved() throws IOException {
        KafkaTools.ACLS.run(admin(
                "--add",
                "--deny-principal",
                "User:eve",
                "--deny-host",
                "127.0.0.1",
                "--operation",
                "Write",
                "--topic",
                "bills"));

        String listed = KafkaTools.ACLS.run(admin("--list", "--topic", "bills"));
        KafkaTools.ACLS.run(admin("--remove", "--force", "--topic", "bills"));

        assertThat(listed)
                .contains("ResourcePattern(resourceType=TOPIC, name=bills, patternType=LITERAL)")
                .contains("(principal=User:eve, host=127.0.0.1, operation=WRITE, permissionType=DENY)");
        assertThat(KafkaTools.ACLS.run(admin("--list", "--topic", "bills"))).doesNotContain("User:eve");
    }

    @Test
    void quotasAreSetShownAndRemoved() throws IOException {
        String[] user = {"--entity-type", "users", "--entity-name", "ann"};
        KafkaTools.CONFIGS.run(admin(together(user, "--alter", "--add-config", "producer_byte_rate=1024")));

        String shown = KafkaTools.CONFIGS.run(admin(together(user, "--describe")));
        KafkaTools.CONFIGS.run(admin(together(user, "--alter", "--delete-config", "producer_byte_rate")));

        assertThat(shown).contains("Quota configs for user-principal 'ann' are producer_byte_rate=1024.0");
        assertThat(KafkaTools.CONFIGS.run(admin(together(user, "--describe")))).doesNotContain("producer_byte_rate");
    }

    private static String passwordOf(String user) {
        return "password of " + user;
    }

    private static Access sasl() {
        return Access.to(node.bootstrap(), "SASL_SSL", keys.certificate("node"));
    }

    private static String[] admin(String... arguments) throws IOException {
        Access admin = sasl().with("mechanism", "PLAIN").with("user", ADMIN).with("password", passwordOf(ADMIN));
        return with(admin, arguments);
    }

    private static String[] as(Login login, String... arguments) throws IOException {
        Access encrypted = Access.to("127.0.0.1:" + ofCertificates, "SSL", keys.certificate("node"));
        return with(login.of(login == Login.CERTIFICATE ? encrypted : sasl(), keys, tokens), arguments);
    }

    private static String[] with(Access access, String... arguments) throws IOException {
        Properties settings = new Properties();
        settings.putAll(access.ofJava());
        Path file = Programs.temporary("client");
        try (OutputStream out = Files.newOutputStream(file)) {
            settings.store(out, null);
        }
        String[] server = {"--bootstrap-server", access.word("bootstrap"), "--command-config", file.toString()};
        return together(server, arguments);
    }

    private static String[] together(String[] first, String... second) {
        return Stream.concat(Stream.of(first), Stream.of(second)).toArray(String[]::new);
    }
}
