package io.felice.security;

import static io.felice.security.Fakes.utf8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.extension.WatchedCalls;
import io.felice.api.security.Authentication;
import io.felice.api.security.Authenticator;
import io.felice.api.security.Authenticator.Authenticated;
import io.felice.api.security.Authenticator.Challenge;
import io.felice.api.security.Authenticator.Conversation;
import io.felice.api.security.Authenticator.Reply;
import io.felice.api.security.CredentialStore;
import io.felice.api.security.Principal;
import io.felice.api.status.StatusTable;
import io.felice.api.status.Trouble;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.osgi.framework.ServiceReference;
import org.osgi.service.component.ComponentServiceObjects;

/** Authenticators and credential stores that throw, lie, hang or are away let nobody in and slow no other mechanism. */
class HostilePluginsTest {
    private static final byte[] NOTHING = {};
    private static final int PLENTY_MS = 60_000;
    private static final int LITTLE_MS = 400;
    private static final int MORE_MS = 3_000;
    private static final Authenticated EVE = new Authenticated(NOTHING, Principal.user("eve"), Optional.empty());

    private final Fakes.Metadata metadata = new Fakes.Metadata();
    private final CountDownLatch end = new CountDownLatch(1);
    private final Map<String, Object> values =
            new HashMap<>(Map.of("plugin_timeout_ms", 400, "connection_failed_authentication_delay_ms", 1));
    private CredentialStores stores;
    private AuthenticationService logins;

    @BeforeEach
    void start() {
        metadata.addUser("alice", "secret");
        stores = new CredentialStores(Fakes.settings(values));
        Fakes.bindStore(
                stores, new FeliceCredentialStore(metadata), Map.of(CredentialStore.NAME, "felice", "service.id", 1L));
        logins = new AuthenticationService(new Audit(), Fakes.settings(values));
        Fakes.bindAuthenticator(
                logins,
                new PlainAuthenticator(stores),
                Map.of(Authenticator.MECHANISM, "PLAIN", "service.id", 2L, "component.name", "org.example.Plain"));
    }

    @AfterEach
    void stop() {
        end.countDown();
        logins.close();
        stores.close();
    }

    private void bind(String mechanism, Authenticator authenticator) {
        Fakes.bindAuthenticator(logins, authenticator, Map.of(Authenticator.MECHANISM, mechanism));
    }

    private void bindAnswering(Function<byte[], Reply> answer) {
        bind("EVIL", client -> answer::apply);
    }

    private <T> T hang() {
        try {
            end.await();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
        throw new IllegalStateException("released");
    }

    /** The limit of the calls that begin from now on. */
    private void limit(int ms) {
        values.put("plugin_timeout_ms", ms);
    }

    private CompletableFuture<Reply> login(String mechanism, String message) {
        return logins.begin(mechanism, Fakes.client("10.0.0.1"))
                .respond(utf8(message))
                .toCompletableFuture();
    }

    private static FeliceException refusal(CompletableFuture<Reply> login) {
        try {
            Reply reply = login.orTimeout(60, TimeUnit.SECONDS).join();
            throw new AssertionError("answered with " + reply);
        } catch (CompletionException failed) {
            assertThat(failed.getCause()).isInstanceOf(FeliceException.class);
            return (FeliceException) failed.getCause();
        }
    }

    private static void assertRefused(ErrorCode code, CompletableFuture<Reply> login) {
        FeliceException refusal = refusal(login);
        assertThat(refusal.code()).as(refusal.getMessage()).isEqualTo(code);
    }

    private void assertAliceLogsIn() {
        Reply reply = login("PLAIN", "\0alice\0secret")
                .orTimeout(60, TimeUnit.SECONDS)
                .join();
        assertThat(((Authenticated) reply).principal()).isEqualTo(Principal.user("alice"));
    }

    // ---- authenticators

    @Test
    void whatIsNoAnswerLetsNobodyIn() {
        List<Function<byte[], Reply>> answers = List.of(
                message -> null,
                message -> {
                    throw new IllegalStateException("broken");
                },
                message -> {
                    throw new StackOverflowError();
                },
                message -> {
                    throw new NoClassDefFoundError("missing");
                },
                message -> {
                    throw ErrorCode.NONE.because("fine");
                },
                message -> new Challenge(null),
                message -> new Authenticated(null, Principal.user("eve"), Optional.empty()),
                message -> new Authenticated(NOTHING, null, Optional.empty()),
                message -> new Authenticated(NOTHING, Principal.user(""), Optional.empty()),
                message -> new Authenticated(NOTHING, Principal.user("eve"), null),
                message -> new Authenticated(
                        NOTHING,
                        Principal.user("eve"),
                        Optional.of(Instant.now().minusSeconds(1))));
        for (Function<byte[], Reply> answer : answers) {
            AtomicInteger closed = new AtomicInteger();
            Authenticator authenticator = client -> new Conversation() {
                @Override
                public Reply respond(byte[] message) {
                    return answer.apply(message);
                }

                @Override
                public void close() {
                    closed.incrementAndGet();
                }
            };
            bind("EVIL", authenticator);

            assertRefused(ErrorCode.SASL_AUTHENTICATION_FAILED, login("EVIL", "x"));
            await().atMost(Duration.ofSeconds(60))
                    .untilAsserted(() -> assertThat(closed).hasValue(1));
            Fakes.unbindAuthenticator(logins, authenticator);
        }
        assertAliceLogsIn();
    }

    @Test
    void anAuthenticatorThatBeginsNothingLetsNobodyIn() {
        bind("EVIL", client -> null);
        assertRefused(ErrorCode.SASL_AUTHENTICATION_FAILED, login("EVIL", "x"));
    }

    @Test
    void anAuthenticatorThatHangsDoesNotSlowAnotherMechanism() {
        bindAnswering(message -> hang());
        List<CompletableFuture<Reply>> hanging = new ArrayList<>();
        limit(LITTLE_MS);
        for (int i = 0; i < 200; i++) {
            hanging.add(login("EVIL", "x"));
        }
        limit(PLENTY_MS);

        assertAliceLogsIn();

        for (CompletableFuture<Reply> login : hanging) {
            assertRefused(ErrorCode.REQUEST_TIMED_OUT, login);
        }
        assertAliceLogsIn();
    }

    @Test
    void anAuthenticatorIsNotAskedWhileTooManyCallsAreOpenOrTooManyHaveFailed() {
        AtomicInteger asked = new AtomicInteger();
        bindAnswering(message -> {
            asked.incrementAndGet();
            throw new IllegalStateException("broken");
        });
        for (int i = 0; i < WatchedCalls.FAILURES_IN_A_ROW; i++) {
            assertRefused(ErrorCode.SASL_AUTHENTICATION_FAILED, login("EVIL", "x"));
        }

        assertRefused(ErrorCode.REQUEST_TIMED_OUT, login("EVIL", "x"));

        assertThat(asked).hasValue(WatchedCalls.FAILURES_IN_A_ROW);
        assertThat(logins.troubles())
                .extracting(Trouble::reason)
                .anyMatch(reason -> reason.contains("EVIL") && reason.contains("has failed too often"));
    }

    @Test
    void aLateAnswerLetsNobodyIn() throws Exception {
        CountDownLatch isAsked = new CountDownLatch(1);
        CountDownLatch mayAnswer = new CountDownLatch(1);
        AtomicInteger closed = new AtomicInteger();
        bind("EVIL", client -> new Conversation() {
            @Override
            public Reply respond(byte[] message) {
                isAsked.countDown();
                try {
                    mayAnswer.await();
                } catch (InterruptedException interrupted) {
                    Thread.currentThread().interrupt();
                }
                return EVE;
            }

            @Override
            public void close() {
                closed.incrementAndGet();
            }
        });
        limit(MORE_MS);
        Authentication.Login login = logins.begin("EVIL", Fakes.client("10.0.0.1"));
        CompletableFuture<Reply> answer = login.respond(NOTHING).toCompletableFuture();
        isAsked.await();
        assertRefused(ErrorCode.REQUEST_TIMED_OUT, answer);

        mayAnswer.countDown();

        await().atMost(Duration.ofSeconds(60))
                .untilAsserted(() -> assertThat(closed).hasValue(1));
        assertRefused(
                ErrorCode.SASL_AUTHENTICATION_FAILED, login.respond(NOTHING).toCompletableFuture());
    }

    @Test
    void aConversationIsNeverUsedByTwoThreads() {
        AtomicInteger inside = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        AtomicInteger closed = new AtomicInteger();
        bind("EVIL", client -> new Conversation() {
            @Override
            public Reply respond(byte[] message) {
                most.accumulateAndGet(inside.incrementAndGet(), Math::max);
                sleep();
                inside.decrementAndGet();
                return new Challenge(NOTHING);
            }

            @Override
            public void close() {
                most.accumulateAndGet(inside.incrementAndGet(), Math::max);
                inside.decrementAndGet();
                closed.incrementAndGet();
            }
        });
        Authentication.Login login = logins.begin("EVIL", Fakes.client("10.0.0.1"));

        login.respond(NOTHING);
        login.close();
        login.close();

        await().atMost(Duration.ofSeconds(60))
                .untilAsserted(() -> assertThat(closed.get()).isLessThanOrEqualTo(1));
        assertRefused(
                ErrorCode.SASL_AUTHENTICATION_FAILED, login.respond(NOTHING).toCompletableFuture());
        assertThat(most.get()).isLessThanOrEqualTo(1);
    }

    private static void sleep() {
        try {
            Thread.sleep(20);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void anAuthenticatorThatGoesRefusesItsLogins() {
        Authenticator evil = client -> message -> hang();
        bind("EVIL", evil);
        CompletableFuture<Reply> login = login("EVIL", "x");

        Fakes.unbindAuthenticator(logins, evil);

        assertRefused(ErrorCode.REQUEST_TIMED_OUT, login);
        assertThat(logins.mechanisms()).containsExactly("PLAIN");
    }

    @Test
    void aMechanismWithoutAnAuthenticatorIsATrouble() {
        try {
            login("GONE", "x");
            throw new AssertionError("begun");
        } catch (FeliceException unsupported) {
            assertThat(unsupported.code()).isEqualTo(ErrorCode.UNSUPPORTED_SASL_MECHANISM);
        }
        assertThat(logins.troubles()).extracting(Trouble::reason).anyMatch(reason -> reason.contains("GONE"));

        bind("GONE", client -> message -> EVE);

        assertThat(logins.troubles()).isEmpty();
    }

    // ---- plugins that cannot be activated

    /** A service whose component cannot be activated, as Declarative Services offers it. */
    private record Inactive<T>(Supplier<T> getting) implements ComponentServiceObjects<T> {
        @Override
        public T getService() {
            return getting.get();
        }

        @Override
        public void ungetService(T given) {}

        @Override
        public ServiceReference<T> getServiceReference() {
            return null;
        }
    }

    @Test
    void aPluginWhoseActivationFailsLetsNobodyIn() {
        limit(PLENTY_MS);
        logins.bindAuthenticator(new Inactive<>(() -> null), Map.of(Authenticator.MECHANISM, "FAILING"));

        assertRefused(ErrorCode.SASL_AUTHENTICATION_FAILED, login("FAILING", "hello"));
        assertAliceLogsIn();
    }

    @Test
    void aPluginWhoseActivationHangsHoldsUpOnlyItsOwnLogins() {
        Inactive<Authenticator> hanging = new Inactive<>(() -> {
            hang();
            return null;
        });
        logins.bindAuthenticator(hanging, Map.of(Authenticator.MECHANISM, "HANGING"));

        assertRefused(ErrorCode.REQUEST_TIMED_OUT, login("HANGING", "hello"));
        limit(PLENTY_MS);
        assertAliceLogsIn();
        logins.unbindAuthenticator(hanging);
    }

    @Test
    void aPluginIsActivatedOnce() {
        limit(PLENTY_MS);
        AtomicInteger times = new AtomicInteger();
        logins.bindAuthenticator(
                new Inactive<>(() -> {
                    times.incrementAndGet();
                    return client -> message -> EVE;
                }),
                Map.of(Authenticator.MECHANISM, "ONCE"));
        assertThat(times).hasValue(0);

        login("ONCE", "hello").join();
        login("ONCE", "hello").join();

        assertThat(times).hasValue(1);
    }

    // ---- two with one name

    @Test
    void aSecondAuthenticatorForAMechanismIsRefusedWhateverItsRank() {
        Authenticator second = client -> message -> EVE;
        Fakes.bindAuthenticator(
                logins,
                second,
                Map.of(
                        Authenticator.MECHANISM,
                        "PLAIN",
                        "component.name",
                        "org.example.Evil",
                        "service.bundleid",
                        42L,
                        "service.id",
                        1_000L,
                        "service.ranking",
                        Integer.MAX_VALUE));

        assertAliceLogsIn();
        assertRefused(ErrorCode.SASL_AUTHENTICATION_FAILED, login("PLAIN", "\0alice\0wrong"));
        assertThat(logins.troubles())
                .extracting(Trouble::reason)
                .anyMatch(reason -> reason.contains("org.example.Evil of bundle 42")
                        && reason.contains("org.example.Plain is used"));
    }

    @Test
    void anAuthenticatorWithoutANameIsNotUsed() {
        Fakes.bindAuthenticator(logins, client -> message -> EVE, Map.of());
        assertThat(logins.mechanisms()).containsExactly("PLAIN");
    }

    // ---- failed logins

    @Test
    void failuresAreCountedPerAddress() {
        refusal(login("PLAIN", "\0alice\0wrong"));
        refusal(login("PLAIN", "\0alice\0wrong"));
        assertAliceLogsIn();
        refusal(logins.begin("PLAIN", Fakes.client("10.0.0.2"))
                .respond(utf8("\0bob\0wrong"))
                .toCompletableFuture());

        StatusTable failures = logins.tables().get(1);
        assertThat(failures.name()).isEqualTo("security.failures");
        assertThat(failures.cell("10.0.0.1", "failures")).contains(2L);
        assertThat(failures.cell("10.0.0.2", "failures.of.minute")).contains(1L);
        assertThat(failures.rows().toString()).doesNotContain("wrong", "alice");
    }

    // ---- credential stores

    private void useStore(CredentialStore store) {
        values.put("credential_store", "evil");
        Fakes.bindStore(stores, store, Map.of(CredentialStore.NAME, "evil"));
    }

    @Test
    void aStoreThatThrowsOrHangsOrIsAwayLetsNobodyInAndNoOtherStoreIsAsked() {
        values.put("credential_store", "evil");
        assertRefused(ErrorCode.REQUEST_TIMED_OUT, login("PLAIN", "\0alice\0secret"));
        assertThat(stores.troubles())
                .extracting(Trouble::reason)
                .anyMatch(reason -> reason.contains("the credential store evil"));

        CredentialStore throwing = (user, password) -> {
            throw new NoClassDefFoundError("missing");
        };
        useStore(throwing);
        assertRefused(ErrorCode.REQUEST_TIMED_OUT, login("PLAIN", "\0alice\0secret"));

        Fakes.unbindStore(stores, throwing);
        limit(LITTLE_MS);
        useStore((user, password) -> hang());
        assertRefused(ErrorCode.REQUEST_TIMED_OUT, login("PLAIN", "\0alice\0secret"));
    }

    @Test
    void aStoreThatHangsDoesNotSlowAMechanismThatDoesNotUseIt() {
        useStore((user, password) -> hang());
        bindAnswering(message -> EVE);
        List<CompletableFuture<Reply>> hanging = new ArrayList<>();
        limit(LITTLE_MS);
        for (int i = 0; i < 100; i++) {
            hanging.add(login("PLAIN", "\0alice\0secret"));
        }

        limit(MORE_MS);
        assertThat(login("EVIL", "x").orTimeout(60, TimeUnit.SECONDS).join()).isEqualTo(EVE);

        hanging.forEach(login -> assertRefused(ErrorCode.REQUEST_TIMED_OUT, login));
        values.put("credential_store", "felice");
        await().atMost(Duration.ofSeconds(60)).ignoreExceptions().untilAsserted(this::assertAliceLogsIn);
    }

    @Test
    void aStoreOfAPluginCannotTakeTheNameOfTheBuiltInOne() {
        Fakes.bindStore(stores, (user, password) -> true, Map.of(CredentialStore.NAME, "felice", "service.id", 1_000L));
        assertRefused(ErrorCode.SASL_AUTHENTICATION_FAILED, login("PLAIN", "\0alice\0wrong"));
    }

    @Test
    void aStoreThatGivesNullForScramLetsNobodyIn() {
        useStore(new CredentialStore() {
            @Override
            public boolean hasPassword(String user, byte[] password) {
                return false;
            }

            @Override
            public Optional<io.felice.api.security.ScramCredential> scram(
                    String user, io.felice.api.security.ScramMechanism mechanism) {
                return null;
            }
        });
        bind("SCRAM-SHA-256", new ScramSha256Authenticator(stores));
        assertRefused(ErrorCode.REQUEST_TIMED_OUT, login("SCRAM-SHA-256", "n,,n=alice,r=abc"));
    }

    @Test
    void thePasswordIsClearedAfterTheCall() {
        List<byte[]> kept = new ArrayList<>();
        useStore((user, password) -> kept.add(password) && false);
        refusal(login("PLAIN", "\0alice\0secret"));
        assertThat(kept.get(0)).containsOnly(0);
    }
}
