package org.example.felice;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.api.security.Acl;
import io.felice.api.security.Action;
import io.felice.api.security.Authorizer;
import io.felice.api.security.Decision;
import io.felice.api.security.Operation;
import io.felice.api.security.Principal;
import io.felice.api.security.Requester;
import io.felice.api.security.ResourceType;
import io.felice.testkit.AuthorizerContract;
import io.felice.testkit.TestSettings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RulesFileTest extends AuthorizerContract {
    private static final Requester ALICE = new Requester(Principal.user("alice"), InetAddress.getLoopbackAddress());

    @TempDir
    Path directory;

    /** The file of the last authorizer. */
    private Path file;

    @Override
    protected Authorizer authorizer(List<Acl> rights) {
        return authorizer(rights.stream()
                .map(right -> String.join(
                        " ",
                        right.allows() ? "allow" : "deny",
                        right.principal(),
                        right.operation().toString(),
                        right.type().toString(),
                        right.name()))
                .toArray(String[]::new));
    }

    private Authorizer authorizer(String... lines) {
        try {
            file = Files.createTempFile(directory, "rules", "");
            Files.write(file, List.of(lines));
            return new RulesFile(TestSettings.of(RulesFile.Config.class, Map.of("file", file)));
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private static Decision decide(Authorizer authorizer, Operation operation, String topic) {
        return authorizer
                .authorize(ALICE, List.of(new Action(operation, ResourceType.TOPIC, topic)))
                .toCompletableFuture()
                .join()
                .get(0);
    }

    private static Decision decideAny(Authorizer authorizer) {
        return authorizer
                .authorizeAny(ALICE, Operation.WRITE, ResourceType.TOPIC)
                .toCompletableFuture()
                .join();
    }

    @Test
    void aRuleMayBeAboutAPrefixAndSeveralOperations() {
        Authorizer authorizer =
                authorizer("allow User:alice read,describe topic orders-*", "deny * all topic orders-x*");
        assertThat(decide(authorizer, Operation.READ, "orders-1")).isEqualTo(Decision.ALLOW);
        assertThat(decide(authorizer, Operation.DESCRIBE, "orders-1")).isEqualTo(Decision.ALLOW);
        assertThat(decide(authorizer, Operation.READ, "orders-x1")).isEqualTo(Decision.DENY);
        assertThat(decide(authorizer, Operation.READ, "orders")).isEqualTo(Decision.NO_OPINION);
        assertThat(decide(authorizer, Operation.WRITE, "orders-1")).isEqualTo(Decision.NO_OPINION);
    }

    @Test
    void whoMayWriteToSomeTopicMayWriteToAny() {
        assertThat(decideAny(authorizer("allow User:alice write topic orders-*")))
                .isEqualTo(Decision.ALLOW);
        assertThat(decideAny(authorizer("allow * write topic a", "deny * write topic b")))
                .isEqualTo(Decision.ALLOW);
        assertThat(decideAny(authorizer("allow User:alice write group orders"))).isEqualTo(Decision.NO_OPINION);
        assertThat(decideAny(authorizer("allow * write topic orders", "deny User:alice write topic o*")))
                .isEqualTo(Decision.NO_OPINION);
    }

    @Test
    void aChangedFileIsReadAgain() throws Exception {
        Authorizer authorizer = authorizer("allow User:alice read topic orders");
        assertThat(decide(authorizer, Operation.READ, "orders")).isEqualTo(Decision.ALLOW);

        Files.write(file, List.of("allow User:alice read topic payments"));

        assertThat(decide(authorizer, Operation.READ, "orders")).isEqualTo(Decision.NO_OPINION);
        assertThat(decide(authorizer, Operation.READ, "payments")).isEqualTo(Decision.ALLOW);
    }

    @Test
    void whileTheFileIsMissingNothingIsAllowed() throws Exception {
        Authorizer authorizer = authorizer("allow * all topic *");
        assertThat(decide(authorizer, Operation.READ, "orders")).isEqualTo(Decision.ALLOW);

        Files.delete(file);
        assertThatThrownBy(() -> decide(authorizer, Operation.READ, "orders")).hasMessageContaining(file.toString());
        assertThatThrownBy(() -> decideAny(authorizer)).isInstanceOf(IllegalStateException.class);

        Files.write(file, List.of("allow * all topic *"));
        assertThat(decide(authorizer, Operation.READ, "orders")).isEqualTo(Decision.ALLOW);
    }

    @Test
    void aFileWithAWrongLineAllowsNothing() {
        for (String wrong : List.of(
                "allow",
                "permit * read topic x",
                "allow * read topic",
                "allow * read topic a b",
                "allow alice read topic x",
                "deny * reed topic x",
                "deny * read, topic x",
                "deny * read topics x")) {
            Authorizer authorizer = authorizer("allow * all topic *", wrong);
            for (int i = 0; i < 2; i++) {
                assertThatThrownBy(() -> decide(authorizer, Operation.READ, "orders"))
                        .as(wrong)
                        .cause()
                        .hasMessageStartingWith("line 2 is wrong: ");
            }
        }
    }
}
