package io.felice.itests.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.itests.rig.Java;
import io.felice.itests.rig.Programs;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every client that can log in in a way produces and consumes as the principal of that login, over TLS. */
class SecuredClientsTest {
    private static final List<String> VALUES = Java.numbered("value", 5);

    @TempDir
    static Path directory;

    private static SecuredNode node;

    @BeforeAll
    static void start() {
        node = SecuredNode.start(directory, 0);
        List<String> topics = new ArrayList<>();
        for (Login login : Login.values()) {
            if (login.hasPassword()) {
                node.setPassword(login.user(), login.password());
            }
            node.allow(login.user(), login.prefix());
            Arrays.stream(SecuredClient.values()).forEach(client -> topics.add(topic(login, client)));
        }
        node.createTopics(topics);
    }

    @AfterAll
    static void stop() {
        node.close();
    }

    private static String topic(Login login, SecuredClient client) {
        return login.prefix() + client.name().toLowerCase(Locale.ROOT);
    }

    static Stream<Arguments> cells() {
        return Arrays.stream(SecuredClient.values())
                .flatMap(client ->
                        Arrays.stream(Login.values()).filter(client::can).map(login -> Arguments.of(client, login)));
    }

    @ParameterizedTest(name = "{0} over {1}")
    @MethodSource("cells")
    void aClientThatLogsInWritesAndReadsItsOwnTopic(SecuredClient client, Login login) {
        List<String> read = client.roundTrip(node.access(login), topic(login, client), VALUES);

        assertThat(read).isEqualTo(VALUES);
    }

    @Test
    void theTopicsOfOneLoginAreClosedToTheOthers() {
        for (Login login : Login.values()) {
            Login other = Login.values()[(login.ordinal() + 1) % Login.values().length];

            assertThatThrownBy(() -> SecuredClient.JAVA.roundTrip(
                            node.access(login), topic(other, SecuredClient.JAVA), List.of("one")))
                    .as("%s writes a topic of %s", login, other)
                    .hasRootCauseInstanceOf(TopicAuthorizationException.class);
        }
    }

    /** The login is sent as it was before SaslAuthenticate: without the frames of requests. */
    @Test
    void kcatLogsInAsToABrokerOfVersion0_10() {
        List<String> old = List.of(
                "-X", "api.version.request=false", "-X", "broker.version.fallback=0.10.0", "-L", "-t", "of-plain-java");

        String listed = Programs.run(SecuredClient.kcat(node.access(Login.PLAIN), old), Path.of("."));

        assertThat(listed).contains("topic \"of-plain-java\" with 1 partitions");
    }
}
