package io.felice.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.security.Acl;
import io.felice.api.security.Action;
import io.felice.api.security.Authorizer;
import io.felice.api.security.Decision;
import io.felice.api.security.Operation;
import io.felice.api.security.Principal;
import io.felice.api.security.Requester;
import io.felice.api.security.ResourceType;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/**
 * The tests that every authorizer must pass. Each test checks a promise of {@link Authorizer}. A subclass makes an authorizer
 * with the rights that the test names.
 */
public abstract class AuthorizerContract {
    private static final int LIMIT_SECONDS = 60;
    private static final int MANY = 1_000;
    private static final int ROUNDS = 50;

    private static final Requester ALICE = from("alice", "10.0.0.1");
    private static final Requester BOB = from("bob", "10.0.0.1");
    private static final Action READ = new Action(Operation.READ, ResourceType.TOPIC, "orders");
    private static final Action WRITE = new Action(Operation.WRITE, ResourceType.TOPIC, "orders");
    private static final Action DELETE = new Action(Operation.DELETE, ResourceType.TOPIC, "orders");

    private static final List<Acl> RIGHTS = List.of(
            right("User:alice", READ, true),
            right("User:alice", WRITE, true),
            right("User:bob", READ, true),
            right("User:alice", new Action(Operation.READ, ResourceType.GROUP, "billing"), true));

    /** A fresh authorizer with these rights and no others. Their patterns are LITERAL, and they hold for all hosts. */
    protected abstract Authorizer authorizer(List<Acl> rights);

    /** False if the authorizer cannot be told what a principal must not do. */
    protected boolean knowsDenials() {
        return true;
    }

    private static Acl right(String principal, Action action, boolean allows) {
        return new Acl(
                action.type(), action.name(), Acl.Pattern.LITERAL, principal, Acl.ANY, action.operation(), allows);
    }

    private static Requester from(String user, String host) {
        return new Requester(Principal.user(user), address(host));
    }

    private static InetAddress address(String host) {
        try {
            return InetAddress.getByName(host);
        } catch (UnknownHostException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private static List<Decision> ask(Authorizer authorizer, Requester requester, List<Action> actions) {
        List<Decision> decisions = authorizer
                .authorize(requester, actions)
                .toCompletableFuture()
                .orTimeout(LIMIT_SECONDS, TimeUnit.SECONDS)
                .join();
        assertThat(decisions).as("decisions").hasSameSizeAs(actions).doesNotContainNull();
        return decisions;
    }

    private static boolean isAllowed(Authorizer authorizer, Requester requester, Action action) {
        return ask(authorizer, requester, List.of(action)).get(0) == Decision.ALLOW;
    }

    @Test
    void whatIsGrantedIsAllowed() {
        Authorizer authorizer = authorizer(RIGHTS);
        assertThat(isAllowed(authorizer, ALICE, READ)).isTrue();
        assertThat(isAllowed(authorizer, ALICE, WRITE)).isTrue();
        assertThat(isAllowed(authorizer, BOB, READ)).isTrue();
        assertThat(isAllowed(authorizer, from("alice", "fe80::1"), READ)).isTrue();
    }

    @Test
    void anotherOperationIsNotAllowed() {
        Authorizer authorizer = authorizer(RIGHTS);
        assertThat(isAllowed(authorizer, BOB, WRITE)).isFalse();
        assertThat(isAllowed(authorizer, ALICE, DELETE)).isFalse();
        assertThat(isAllowed(authorizer, BOB, new Action(Operation.ALL, ResourceType.TOPIC, "orders")))
                .isFalse();
    }

    @Test
    void anotherTypeOfResourceIsNotAllowed() {
        Authorizer authorizer = authorizer(RIGHTS);
        assertThat(isAllowed(authorizer, ALICE, new Action(Operation.READ, ResourceType.GROUP, "orders")))
                .isFalse();
        assertThat(isAllowed(authorizer, ALICE, new Action(Operation.READ, ResourceType.TOPIC, "billing")))
                .isFalse();
        assertThat(isAllowed(authorizer, ALICE, Action.onCluster(Operation.CREATE)))
                .isFalse();
    }

    @Test
    void namesOfResourcesAreComparedExactly() {
        Authorizer authorizer = authorizer(RIGHTS);
        for (String name : List.of(
                "order",
                "o",
                "",
                "orders2",
                "orders ",
                " orders",
                "Orders",
                "ORDERS",
                "orders\0",
                "*",
                "o*",
                "orders,x",
                "x")) {
            assertThat(isAllowed(authorizer, ALICE, new Action(Operation.READ, ResourceType.TOPIC, name)))
                    .as(name)
                    .isFalse();
        }
    }

    @Test
    void namesOfPrincipalsAreComparedExactly() {
        Authorizer authorizer = authorizer(RIGHTS);
        for (String name :
                List.of("Alice", "ALICE", "alic", "alice2", "alice ", " alice", "", "*", "ANONYMOUS", "User:alice")) {
            assertThat(isAllowed(authorizer, from(name, "10.0.0.1"), READ))
                    .as(name)
                    .isFalse();
        }
    }

    @Test
    void aPrincipalOfAnotherTypeIsSomebodyElse() {
        Requester group = new Requester(new Principal("Group", "alice"), ALICE.host());
        assertThat(isAllowed(authorizer(RIGHTS), group, READ)).isFalse();
    }

    @Test
    void aDenialWins() {
        if (!knowsDenials()) {
            return;
        }
        List<Acl> rights = new ArrayList<>(RIGHTS);
        rights.add(right("User:alice", WRITE, false));
        for (int i = 0; i < 2; i++) {
            Authorizer authorizer = authorizer(rights);
            assertThat(isAllowed(authorizer, ALICE, WRITE)).isFalse();
            assertThat(isAllowed(authorizer, ALICE, READ)).isTrue();
            assertThat(isAllowed(authorizer, BOB, READ)).isTrue();
            Collections.reverse(rights);
        }
    }

    @Test
    void withoutRightsNothingIsAllowed() {
        Authorizer authorizer = authorizer(List.of());
        for (Action action : List.of(READ, WRITE, DELETE, Action.onCluster(Operation.DESCRIBE))) {
            assertThat(isAllowed(authorizer, ALICE, action)).isFalse();
            assertThat(isAllowed(authorizer, from("admin", "127.0.0.1"), action))
                    .isFalse();
            assertThat(isAllowed(authorizer, new Requester(Principal.ANONYMOUS, ALICE.host()), action))
                    .isFalse();
        }
    }

    @Test
    void decisionsAreInTheOrderOfTheActions() {
        Authorizer authorizer = authorizer(RIGHTS);
        List<Decision> decisions = ask(authorizer, BOB, List.of(WRITE, READ, DELETE, DELETE, READ, READ));
        assertThat(decisions)
                .extracting(decision -> decision == Decision.ALLOW)
                .containsExactly(false, true, false, false, true, true);
    }

    @Test
    void aRequestMayHaveNoActionsOrMany() {
        Authorizer authorizer = authorizer(RIGHTS);
        assertThat(ask(authorizer, ALICE, List.of())).isEmpty();
        List<Action> many = new ArrayList<>();
        for (int i = 0; i < MANY; i++) {
            many.add(i % 2 == 0 ? READ : new Action(Operation.READ, ResourceType.TOPIC, "topic" + i));
        }
        List<Decision> decisions = ask(authorizer, ALICE, many);
        for (int i = 0; i < MANY; i++) {
            assertThat(decisions.get(i) == Decision.ALLOW).isEqualTo(i % 2 == 0);
        }
    }

    @Test
    void aDecisionIsAboutThisRequest() {
        Authorizer authorizer = authorizer(RIGHTS);
        for (int i = 0; i < 3; i++) {
            assertThat(isAllowed(authorizer, ALICE, WRITE)).isTrue();
            assertThat(isAllowed(authorizer, BOB, WRITE)).isFalse();
            assertThat(isAllowed(authorizer, ALICE, DELETE)).isFalse();
            assertThat(isAllowed(authorizer, from("carol", "10.0.0.1"), READ)).isFalse();
            assertThat(isAllowed(authorizer, BOB, READ)).isTrue();
        }
    }

    @Test
    void requestsAtTheSameTimeDoNotMixUp() throws Exception {
        Authorizer authorizer = authorizer(RIGHTS);
        List<Callable<Void>> requests = new ArrayList<>();
        for (Requester requester : List.of(ALICE, BOB, ALICE, BOB)) {
            requests.add(() -> {
                for (int i = 0; i < ROUNDS; i++) {
                    List<Decision> decisions = ask(authorizer, requester, List.of(READ, WRITE, DELETE));
                    assertThat(decisions)
                            .extracting(decision -> decision == Decision.ALLOW)
                            .containsExactly(true, requester == ALICE, false);
                }
                return null;
            });
        }
        AtTheSameTime.run(requests);
    }

    @Test
    void nothingIsAllowedOnAnyResourceWithoutARight() {
        Authorizer none = authorizer(List.of());
        Authorizer some = authorizer(RIGHTS);
        assertThat(any(none, ALICE, Operation.WRITE)).isFalse();
        assertThat(any(some, BOB, Operation.WRITE)).isFalse();
        assertThat(any(some, ALICE, Operation.DELETE)).isFalse();
        assertThat(any(some, from("carol", "10.0.0.1"), Operation.READ)).isFalse();
    }

    private static boolean any(Authorizer authorizer, Requester requester, Operation operation) {
        return authorizer
                        .authorizeAny(requester, operation, ResourceType.TOPIC)
                        .toCompletableFuture()
                        .orTimeout(LIMIT_SECONDS, TimeUnit.SECONDS)
                        .join()
                == Decision.ALLOW;
    }
}
