package io.felice.security;

import static io.felice.api.security.Decision.ALLOW;
import static io.felice.api.security.Decision.DENY;
import static io.felice.api.security.Decision.NO_OPINION;
import static io.felice.api.security.Operation.READ;
import static io.felice.api.security.Operation.WRITE;
import static io.felice.api.security.ResourceType.TOPIC;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.felice.api.extension.WatchedCalls;
import io.felice.api.security.Action;
import io.felice.api.security.Authorization.Allowed;
import io.felice.api.security.Authorizer;
import io.felice.api.security.Decision;
import io.felice.api.security.Principal;
import io.felice.api.security.Requester;
import io.felice.api.status.Trouble;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** An authorizer of a plugin decides; whatever it does wrong allows nothing. */
class PluginAuthorizationTest {
    private static final Requester ALICE = new Requester(Principal.user("alice"), Fakes.address("10.0.0.1"));
    private static final Requester ROOT = new Requester(Principal.user("root"), Fakes.address("10.0.0.1"));
    private static final Action READ_A = new Action(READ, TOPIC, "a");
    private static final Action READ_B = new Action(READ, TOPIC, "b");
    private static final Action WRITE_A = new Action(WRITE, TOPIC, "a");

    private final Map<String, Object> values = new HashMap<>(Map.of(
            "authorizer",
            "rules",
            "super_users",
            "User:root",
            "allow_everyone_if_no_acl_found",
            true,
            "authorizer_wait_ms",
            30_000,
            "plugin_timeout_ms",
            60_000));
    private final AtomicLong now = new AtomicLong();
    private final CountDownLatch end = new CountDownLatch(1);
    private final List<List<Action>> asked = Collections.synchronizedList(new ArrayList<>());
    private AuthorizationService authorization;

    @BeforeEach
    void start() {
        authorization = new AuthorizationService(
                new Fakes.Metadata(), new Audit(), Fakes.settings(values), SecurityTimer.started(), now::get);
    }

    @AfterEach
    void stop() {
        end.countDown();
        authorization.close();
    }

    private void settings(String key, Object value) {
        values.put(key, value);
        authorization.modified(Fakes.settings(values));
    }

    private Authorizer bind(Authorizer authorizer) {
        Fakes.bindAuthorizer(authorization, authorizer, Map.of(Authorizer.NAME, "rules"));
        return authorizer;
    }

    /** Allows to read, denies to write a. */
    private CompletionStage<List<Decision>> rules(Requester requester, List<Action> actions) {
        asked.add(actions);
        return CompletableFuture.completedFuture(actions.stream()
                .map(action -> action.operation() == READ ? ALLOW : action.equals(WRITE_A) ? DENY : NO_OPINION)
                .toList());
    }

    private Allowed ask(Requester requester, Action... actions) {
        return authorization
                .ask(requester, List.of(actions))
                .toCompletableFuture()
                .orTimeout(60, TimeUnit.SECONDS)
                .join();
    }

    private void assertNothingIsAllowed() {
        Allowed allowed = ask(ALICE, READ_A, READ_B);
        assertThat(allowed.has(READ_A) || allowed.has(READ_B)).isFalse();
    }

    @Test
    void thePluginDecidesEachAction() {
        bind(this::rules);
        Allowed allowed = ask(ALICE, READ_A, WRITE_A, new Action(WRITE, TOPIC, "b"));
        assertThat(allowed.has(READ_A)).isTrue();
        assertThat(allowed.has(WRITE_A)).isFalse();
        assertThat(allowed.has(WRITE, TOPIC, "b")).isFalse();
        assertThat(allowed.has(READ_B)).isFalse();
    }

    @Test
    void superUsersAreNotAskedFor() {
        bind((requester, actions) -> {
            throw new IllegalStateException("asked for " + requester);
        });
        assertThat(ask(ROOT, WRITE_A).has(WRITE_A)).isTrue();
        assertThat(authorization.askAny(ROOT, WRITE, TOPIC).toCompletableFuture())
                .isCompletedWithValue(true);
        assertNothingIsAllowed();
    }

    @Test
    void whatIsNoAnswerAllowsNothing() {
        List<Authorizer> evil = List.of(
                (requester, actions) -> null,
                (requester, actions) -> {
                    throw new IllegalStateException("broken");
                },
                (requester, actions) -> {
                    throw new NoClassDefFoundError("missing");
                },
                (requester, actions) -> CompletableFuture.failedFuture(new IllegalStateException("broken")),
                (requester, actions) -> CompletableFuture.completedFuture(null),
                (requester, actions) -> CompletableFuture.completedFuture(List.of()),
                (requester, actions) -> CompletableFuture.completedFuture(List.of(ALLOW)),
                (requester, actions) -> CompletableFuture.completedFuture(List.of(ALLOW, ALLOW, ALLOW)),
                (requester, actions) -> CompletableFuture.completedFuture(Arrays.asList(ALLOW, null)),
                (requester, actions) -> CompletableFuture.completedFuture(List.of(NO_OPINION, NO_OPINION)));
        for (Authorizer authorizer : evil) {
            bind(authorizer);
            assertNothingIsAllowed();
            assertThat(authorization
                            .askAny(ALICE, WRITE, TOPIC)
                            .toCompletableFuture()
                            .join())
                    .isFalse();
            Fakes.unbindAuthorizer(authorization, authorizer);
        }
    }

    @Test
    void anAuthorizerThatHangsOrIsLateAllowsNothing() {
        settings("plugin_timeout_ms", 300);
        Authorizer hanging = bind((requester, actions) -> {
            try {
                end.await();
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
            }
            return CompletableFuture.completedFuture(List.of(ALLOW, ALLOW));
        });
        assertNothingIsAllowed();
        Fakes.unbindAuthorizer(authorization, hanging);

        CompletableFuture<List<Decision>> late = new CompletableFuture<>();
        bind((requester, actions) -> late);
        assertNothingIsAllowed();
        late.complete(List.of(ALLOW, ALLOW));
        Allowed later = ask(ALICE, READ_A, READ_B);
        assertThat(later.has(READ_A)).isTrue();
    }

    @Test
    void decisionsAreRememberedForALimitedTimeAndForOneRequester() {
        bind(this::rules);
        ask(ALICE, READ_A, WRITE_A);
        Allowed again = ask(ALICE, READ_A, WRITE_A, READ_B);
        assertThat(again.has(READ_A)).isTrue();
        assertThat(again.has(WRITE_A)).isFalse();
        assertThat(again.has(READ_B)).isTrue();
        ask(new Requester(ALICE.principal(), Fakes.address("10.0.0.2")), READ_A);
        ask(new Requester(Principal.user("bob"), ALICE.host()), READ_A);
        assertThat(asked).containsExactly(List.of(READ_A, WRITE_A), List.of(READ_B), List.of(READ_A), List.of(READ_A));

        now.addAndGet(TimeUnit.SECONDS.toNanos(5));
        ask(ALICE, READ_A);
        assertThat(asked).hasSize(5);

        settings("authorizer_cache_ms", 0);
        now.addAndGet(TimeUnit.SECONDS.toNanos(5));
        ask(ALICE, READ_A);
        ask(ALICE, READ_A);
        assertThat(asked).hasSize(7);
    }

    @Test
    void manyDecisionsAreForgottenAndNeverConfused() {
        bind(this::rules);
        for (int i = 0; i < 3 * RememberedDecisions.MOST_IN_A_GENERATION; i += 1_000) {
            List<Action> many = new ArrayList<>();
            for (int j = i; j < i + 1_000; j++) {
                many.add(new Action(j % 2 == 0 ? READ : WRITE, TOPIC, "t" + j));
            }
            Allowed allowed = ask(ALICE, many.toArray(Action[]::new));
            assertThat(many).allMatch(action -> allowed.has(action) == (action.operation() == READ));
        }
        int before = asked.size();
        ask(ALICE, new Action(READ, TOPIC, "t0"));
        assertThat(asked).hasSize(before + 1);
    }

    @Test
    void aNewRegistrationDoesNotInheritDecisions() {
        Authorizer first = bind(this::rules);
        assertThat(ask(ALICE, READ_A).has(READ_A)).isTrue();

        Fakes.unbindAuthorizer(authorization, first);
        bind((requester, actions) -> CompletableFuture.completedFuture(List.of(DENY)));

        assertThat(ask(ALICE, READ_A).has(READ_A)).isFalse();
    }

    @Test
    void requestsWaitForAnAuthorizerThatIsAway() {
        CompletableFuture<Allowed> request =
                authorization.ask(ALICE, List.of(READ_A)).toCompletableFuture();
        CompletableFuture<Boolean> any =
                authorization.askAny(ALICE, WRITE, TOPIC).toCompletableFuture();
        assertThat(request).isNotDone();
        assertThat(authorization.troubles())
                .extracting(Trouble::reason)
                .anyMatch(reason -> reason.contains("the authorizer rules"));

        bind(this::rules);

        assertThat(request.orTimeout(60, TimeUnit.SECONDS).join().has(READ_A)).isTrue();
        assertThat(any.orTimeout(60, TimeUnit.SECONDS).join()).isFalse();
        assertThat(authorization.troubles()).isEmpty();
    }

    @Test
    void requestsThatWaitedAreRefusedAndOnlySoManyWait() {
        List<CompletableFuture<Allowed>> waiting = new ArrayList<>();
        for (int i = 0; i < PluginAuthorization.MOST_WAITING; i++) {
            waiting.add(authorization.ask(ALICE, List.of(READ_A)).toCompletableFuture());
        }
        assertThat(waiting).noneMatch(CompletableFuture::isDone);

        CompletableFuture<Allowed> oneMore =
                authorization.ask(ALICE, List.of(READ_A)).toCompletableFuture();
        assertThat(oneMore).isDone();
        assertThat(oneMore.join().has(READ_A)).isFalse();

        authorization.close();
        assertThat(waiting).allMatch(request -> !request.join().has(READ_A));
    }

    @Test
    void aRequestWaitsNoLongerThanTheSettingSays() {
        settings("authorizer_wait_ms", 1);
        assertNothingIsAllowed();
    }

    @Test
    void anUnknownValueIsNeverNoAuthorizer() {
        settings("authorizer_wait_ms", 1);
        for (String value : List.of("", "NONE", "None", "acls", "ACL", "*", "rulez")) {
            settings("authorizer", value);
            assertThat(authorization.isEnforced()).as(value).isTrue();
            assertNothingIsAllowed();
        }
    }

    @Test
    void anAuthorizerMaySayThatAnyResourceIsAllowed() {
        bind(new Authorizer() {
            @Override
            public CompletionStage<List<Decision>> authorize(Requester requester, List<Action> actions) {
                return rules(requester, actions);
            }

            @Override
            public CompletionStage<Decision> authorizeAny(
                    Requester requester,
                    io.felice.api.security.Operation operation,
                    io.felice.api.security.ResourceType type) {
                return CompletableFuture.completedFuture(operation == WRITE ? ALLOW : DENY);
            }
        });
        assertThat(authorization
                        .askAny(ALICE, WRITE, TOPIC)
                        .toCompletableFuture()
                        .join())
                .isTrue();
        assertThat(authorization
                        .askAny(ALICE, READ, TOPIC)
                        .toCompletableFuture()
                        .join())
                .isFalse();
    }

    @Test
    void anAuthorizerThatIsBrokenIsNotAskedForAWhile() {
        bind((requester, actions) -> {
            asked.add(actions);
            throw new IllegalStateException("broken");
        });
        for (int i = 0; i < WatchedCalls.FAILURES_IN_A_ROW + 5; i++) {
            assertNothingIsAllowed();
        }
        assertThat(asked).hasSize(WatchedCalls.FAILURES_IN_A_ROW);
        assertThat(authorization.troubles()).hasSize(1);

        now.addAndGet(TimeUnit.MILLISECONDS.toNanos(WatchedCalls.PAUSE_MS));
        assertNothingIsAllowed();
        assertThat(asked).hasSize(WatchedCalls.FAILURES_IN_A_ROW + 1);
        await().untilAsserted(() -> assertThat(authorization.troubles()).hasSize(1));
    }
}
