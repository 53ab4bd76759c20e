package org.example.felice;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.api.security.CredentialStore;
import io.felice.testkit.CredentialStoreContract;
import io.felice.testkit.TestSettings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PasswordFileTest extends CredentialStoreContract {
    /** Few, so that the contract does not compute for minutes. */
    private static final int ITERATIONS = 1_000;

    @TempDir
    Path directory;

    /** The file of the last store. */
    private Path file;

    @Override
    protected CredentialStore store(Map<String, String> users) {
        return store(lines(users));
    }

    private CredentialStore store(List<String> lines) {
        try {
            file = Files.createTempFile(directory, "passwords", "");
            Files.write(file, lines);
            return new PasswordFile(TestSettings.of(PasswordFile.Config.class, Map.of("file", file)));
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private static List<String> lines(Map<String, String> users) {
        return users.entrySet().stream()
                .map(user -> PasswordFile.line(user.getKey(), user.getValue().toCharArray(), ITERATIONS))
                .toList();
    }

    private static boolean ask(CredentialStore store, String user, String password) {
        return store.hasPassword(user, password.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void aChangedFileIsReadAgain() throws Exception {
        CredentialStore store = store(Map.of("alice", "wonderland"));
        assertThat(ask(store, "alice", "wonderland")).isTrue();

        Files.write(file, lines(Map.of("alice", "looking-glass", "bob", "builder")));

        assertThat(ask(store, "alice", "wonderland")).isFalse();
        assertThat(ask(store, "alice", "looking-glass")).isTrue();
        assertThat(ask(store, "bob", "builder")).isTrue();
    }

    @Test
    void whileTheFileIsMissingNobodyIsLetIn() throws Exception {
        Map<String, String> users = Map.of("alice", "wonderland");
        CredentialStore store = store(users);
        assertThat(ask(store, "alice", "wonderland")).isTrue();

        Files.delete(file);
        assertThatThrownBy(() -> ask(store, "alice", "wonderland")).hasMessageContaining(file.toString());

        Files.write(file, lines(users));
        assertThat(ask(store, "alice", "wonderland")).isTrue();
    }

    @Test
    void aFileWithAWrongLineLetsNobodyIn() {
        String good = lines(Map.of("alice", "wonderland")).get(0);
        String salt = "A".repeat(22) + "==";
        for (String wrong : List.of(
                "bob",
                "bob:builder",
                "bob:1000::",
                "bob:1000:" + salt + ":",
                "bob:1000:" + salt + ":AAAA",
                "bob:1:" + salt + ":" + "A".repeat(86) + "==",
                "bob:1000:AAAA:" + "A".repeat(86) + "==",
                "bob:1000:?:?",
                good)) {
            CredentialStore store = store(List.of("# the users", "", good, wrong));
            for (int i = 0; i < 2; i++) {
                assertThatThrownBy(() -> ask(store, "alice", "wonderland"))
                        .as(wrong)
                        .hasRootCauseInstanceOf(IllegalArgumentException.class);
            }
        }
    }

    @Test
    void bytesThatAreNoTextAreNoPassword() {
        CredentialStore store = store(Map.of("alice", "\0", "bob", "\ufffd"));
        assertThat(store.hasPassword("alice", new byte[] {0})).isFalse();
        assertThat(store.hasPassword("alice", new byte[] {(byte) 0xFF})).isFalse();
        assertThat(store.hasPassword("bob", new byte[] {(byte) 0xFF})).isFalse();
    }
}
