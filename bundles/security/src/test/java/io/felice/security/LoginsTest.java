package io.felice.security;

import static io.felice.api.security.ScramMechanism.SCRAM_SHA_256;
import static io.felice.api.security.ScramMechanism.SCRAM_SHA_512;
import static io.felice.security.Fakes.utf8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.security.Authentication;
import io.felice.api.security.Authenticator;
import io.felice.api.security.Authenticator.Authenticated;
import io.felice.api.security.Authenticator.Challenge;
import io.felice.api.security.Authenticator.Reply;
import io.felice.api.security.CredentialStore;
import io.felice.api.security.Principal;
import io.felice.api.security.ScramMechanism;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.CallbackHandler;
import javax.security.auth.callback.NameCallback;
import javax.security.auth.callback.PasswordCallback;
import javax.security.sasl.Sasl;
import javax.security.sasl.SaslClient;
import org.apache.kafka.common.security.scram.ScramExtensionsCallback;
import org.apache.kafka.common.security.scram.internals.ScramSaslClient;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The clients of Kafka and of the JDK log in to the users of the cluster. */
class LoginsTest {
    private final Fakes.Metadata metadata = new Fakes.Metadata();
    private final Map<String, Object> values = new HashMap<>(Map.of("connection_failed_authentication_delay_ms", 1));
    private final List<String> audited = Collections.synchronizedList(new ArrayList<>());
    private CredentialStores stores;
    private AuthenticationService logins;

    @BeforeEach
    void start() {
        SecuritySettings settings = Fakes.settings(values);
        stores = new CredentialStores(settings);
        Fakes.bindStore(stores, new FeliceCredentialStore(metadata), Map.of(CredentialStore.NAME, "felice"));
        logins = new AuthenticationService(new Audit(System::nanoTime, audited::add), settings);
        Fakes.bindAuthenticator(logins, new PlainAuthenticator(stores), Map.of(Authenticator.MECHANISM, "PLAIN"));
        Fakes.bindAuthenticator(
                logins, new ScramSha256Authenticator(stores), Map.of(Authenticator.MECHANISM, "SCRAM-SHA-256"));
        Fakes.bindAuthenticator(
                logins, new ScramSha512Authenticator(stores), Map.of(Authenticator.MECHANISM, "SCRAM-SHA-512"));
        metadata.addUser("alice", "secret");
        metadata.addUser("a,b=c", "with, and =");
        metadata.addUser("Zoë", "pässword");
    }

    @AfterEach
    void stop() {
        logins.close();
        stores.close();
    }

    private Authentication.Login begin(String mechanism) {
        return logins.begin(mechanism, Fakes.client("10.0.0.1"));
    }

    private static Reply answer(Authentication.Login login, byte[] message) {
        try {
            return login.respond(message)
                    .toCompletableFuture()
                    .orTimeout(60, TimeUnit.SECONDS)
                    .join();
        } catch (CompletionException failed) {
            throw (RuntimeException) failed.getCause();
        }
    }

    private Reply plain(String message) {
        return answer(begin("PLAIN"), utf8(message));
    }

    private static void assertRefused(ThrowingLogin login) {
        assertThatThrownBy(login::run)
                .isInstanceOfSatisfying(FeliceException.class, refusal -> assertThat(refusal.code())
                        .isEqualTo(ErrorCode.SASL_AUTHENTICATION_FAILED));
    }

    private interface ThrowingLogin {
        void run() throws Exception;
    }

    private static CallbackHandler user(String name, String password, Map<String, String> extensions) {
        return callbacks -> {
            for (Callback callback : callbacks) {
                if (callback instanceof NameCallback asked) {
                    asked.setName(name);
                } else if (callback instanceof PasswordCallback asked) {
                    asked.setPassword(password.toCharArray());
                } else if (callback instanceof ScramExtensionsCallback asked) {
                    asked.extensions(extensions);
                }
            }
        };
    }

    private Authenticated scram(ScramMechanism mechanism, String name, String password) throws Exception {
        return scram(mechanism, user(name, password, Map.of()));
    }

    private Authenticated scram(ScramMechanism mechanism, CallbackHandler user) throws Exception {
        SaslClient client = new ScramSaslClient(
                org.apache.kafka.common.security.scram.internals.ScramMechanism.forMechanismName(mechanism.mechanism()),
                user);
        Authentication.Login login = begin(mechanism.mechanism());
        Reply reply = answer(login, client.evaluateChallenge(new byte[0]));
        while (reply instanceof Challenge challenge) {
            reply = answer(login, client.evaluateChallenge(challenge.message()));
        }
        client.evaluateChallenge(reply.message());
        assertThat(client.isComplete()).isTrue();
        return (Authenticated) reply;
    }

    // ---- PLAIN

    @Test
    void loginsAreInTheAuditLogAndRefusalsWithoutTheName() throws Exception {
        assertThat(plain("\0alice\0secret")).isInstanceOf(Authenticated.class);
        scram(SCRAM_SHA_512, "alice", "secret");
        assertRefused(() -> plain("\0alice\0wrong"));

        assertThat(audited)
                .containsExactly(
                        "login principal=User:alice host=10.0.0.1 listener=SASL mechanism=PLAIN times=1",
                        "login principal=User:alice host=10.0.0.1 listener=SASL mechanism=SCRAM-SHA-512 times=1",
                        "login-refused host=10.0.0.1 listener=SASL mechanism=PLAIN times=1");
    }

    @Test
    void theJdksClientLogsInWithPlain() throws Exception {
        SaslClient client = Sasl.createSaslClient(
                new String[] {"PLAIN"}, null, "kafka", "node", Map.of(), user("alice", "secret", Map.of()));

        Reply reply = answer(begin("PLAIN"), client.evaluateChallenge(new byte[0]));

        assertThat(((Authenticated) reply).principal()).isEqualTo(Principal.user("alice"));
        assertThat(((Authenticated) reply).validUntil()).isEqualTo(Optional.empty());
    }

    @Test
    void anAuthorizationIdIsTheUserOrNothing() {
        assertThat(((Authenticated) plain("alice\0alice\0secret")).principal()).isEqualTo(Principal.user("alice"));
        assertRefused(() -> plain("admin\0alice\0secret"));
        assertRefused(() -> plain("Alice\0alice\0secret"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "\0",
                "\0\0",
                "\0\0\0",
                "alice",
                "\0alice",
                "\0alice\0",
                "\0\0secret",
                "\0alice\0secre",
                "\0alice\0secret ",
                "\0alice\0secret\0",
                "\0alice\0Secret",
                "\0Alice\0secret",
                "\0nobody\0secret",
                "\0alice\0secret\0alice\0secret",
                "\0a,b=c\0secret"
            })
    void whoHasNotThePasswordIsRefused(String message) {
        assertRefused(() -> plain(message));
    }

    @Test
    void bytesThatAreNoTextAndLongMessagesAreRefused() {
        assertRefused(() -> answer(begin("PLAIN"), new byte[] {0, (byte) 0xC3, 0, 's'}));
        assertRefused(() -> answer(begin("PLAIN"), new byte[PlainAuthenticator.MOST_BYTES + 1]));
        assertRefused(() -> answer(begin("SCRAM-SHA-256"), new byte[ScramConversation.MOST_BYTES + 1]));
        assertRefused(() -> answer(begin("SCRAM-SHA-256"), new byte[] {(byte) 0xFF}));
    }

    @Test
    void theAnswerDoesNotSayWhetherThereIsTheUser() {
        String wrong = message(() -> plain("\0alice\0wrong"));
        assertThat(message(() -> plain("\0nobody\0wrong"))).isEqualTo(wrong);
        assertThat(message(() -> scram(SCRAM_SHA_256, "nobody", "wrong")))
                .isEqualTo(message(() -> scram(SCRAM_SHA_256, "alice", "wrong")));
    }

    private static String message(ThrowingLogin login) {
        try {
            login.run();
        } catch (Exception failed) {
            return failed.getMessage();
        }
        throw new AssertionError("let in");
    }

    @Test
    void aPasswordWithOneMechanismIsEnoughForPlain() {
        metadata.add(new MetadataRecord.CredentialSet(
                "only512", SCRAM_SHA_512, Fakes.credential(SCRAM_SHA_512, "secret", 4096)));
        assertThat(((Authenticated) plain("\0only512\0secret")).principal()).isEqualTo(Principal.user("only512"));
        assertRefused(() -> scram(SCRAM_SHA_256, "only512", "secret"));
    }

    // ---- SCRAM

    @ParameterizedTest
    @EnumSource(ScramMechanism.class)
    void kafkasClientLogsInWithScram(ScramMechanism mechanism) throws Exception {
        assertThat(scram(mechanism, "alice", "secret").principal()).isEqualTo(Principal.user("alice"));
        assertThat(scram(mechanism, "a,b=c", "with, and =").principal()).isEqualTo(Principal.user("a,b=c"));
        assertThat(scram(mechanism, "Zoë", "pässword").principal()).isEqualTo(Principal.user("Zoë"));
        assertRefused(() -> scram(mechanism, "alice", "Secret"));
        assertRefused(() -> scram(mechanism, "Alice", "secret"));
        assertRefused(() -> scram(mechanism, "nobody", "secret"));
    }

    @Test
    void aDelegationTokenIsRefused() {
        assertRefused(() -> scram(SCRAM_SHA_256, user("alice", "secret", Map.of("tokenauth", "true"))));
    }

    @Test
    void aUserWhoHasGoneIsRefusedAtOnce() throws Exception {
        scram(SCRAM_SHA_256, "alice", "secret");

        metadata.add(new MetadataRecord.CredentialSet("alice", SCRAM_SHA_256, null));
        assertRefused(() -> scram(SCRAM_SHA_256, "alice", "secret"));
        metadata.add(new MetadataRecord.CredentialSet("alice", SCRAM_SHA_512, null));
        assertRefused(() -> plain("\0alice\0secret"));
    }

    @Test
    void aLoginThatHasEndedGivesNoSecondAnswer() {
        Authentication.Login login = begin("PLAIN");
        answer(login, utf8("\0alice\0secret"));
        assertRefused(() -> answer(login, utf8("\0alice\0secret")));
    }
}
