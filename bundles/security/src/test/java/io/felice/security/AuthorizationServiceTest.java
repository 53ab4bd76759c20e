package io.felice.security;

import static io.felice.api.security.Operation.CREATE;
import static io.felice.api.security.Operation.DELETE;
import static io.felice.api.security.Operation.DESCRIBE;
import static io.felice.api.security.ResourceType.TOPIC;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.cluster.MetadataRecord;
import io.felice.api.security.Acl;
import io.felice.api.security.Action;
import io.felice.api.security.Authorization.Allowed;
import io.felice.api.security.Principal;
import io.felice.api.security.Requester;
import io.felice.api.status.Trouble;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What the settings and the audit log have to do with decisions. */
class AuthorizationServiceTest {
    private static final Action LOOK = new Action(DESCRIBE, TOPIC, "orders");
    private static final Action DROP = new Action(DELETE, TOPIC, "orders");
    private static final Action CREATE_ANY = Action.onCluster(CREATE);
    private static final Action CREATE_THIS = new Action(CREATE, TOPIC, "orders");

    private final List<String> audited = new ArrayList<>();
    private final Fakes.Metadata metadata = new Fakes.Metadata();
    private final Map<String, Object> values = new HashMap<>(Map.of("authorizer", "acl", "super_users", "User:root"));
    private final AuthorizationService authorization = started();

    private AuthorizationService started() {
        return new AuthorizationService(
                metadata,
                new Audit(System::nanoTime, audited::add),
                Fakes.settings(values),
                SecurityTimer.started(),
                System::nanoTime);
    }

    @AfterEach
    void stop() {
        authorization.close();
    }

    private Allowed ask(String user, Action... actions) {
        Requester requester = new Requester(Principal.user(user), Fakes.address("10.0.0.1"));
        return authorization
                .ask(requester, List.of(actions))
                .toCompletableFuture()
                .join();
    }

    private void allow(String user, Action action) {
        metadata.add(new MetadataRecord.AclAdded(new Acl(
                action.type(), action.name(), Acl.Pattern.LITERAL, "User:" + user, Acl.ANY, action.operation(), true)));
    }

    @Test
    void whatIsOnlyAskedIsNotWrittenToTheAuditLog() {
        allow("alice", DROP);

        Allowed allowed = ask("alice", DROP, CREATE_ANY);

        assertThat(allowed.has(DROP)).isTrue();
        assertThat(allowed.has(CREATE_ANY)).isFalse();
        assertThat(ask("root", DROP).has(DROP)).isTrue();
        assertThat(audited).isEmpty();
    }

    @Test
    void whatIsRefusedIsWrittenAndWhatIsChanged() {
        allow("alice", DROP);

        assertThat(ask("alice", DROP).permits(DROP)).isTrue();
        assertThat(ask("bob", LOOK).permits(LOOK)).isFalse();
        assertThat(ask("root", DROP).permits(DROP)).isTrue();

        assertThat(audited)
                .containsExactly(
                        "allowed principal=User:alice host=10.0.0.1 operation=DELETE resource=TOPIC:orders",
                        "denied principal=User:bob host=10.0.0.1 operation=DESCRIBE resource=TOPIC:orders times=1",
                        "allowed principal=User:root host=10.0.0.1 operation=DELETE resource=TOPIC:orders");
    }

    @Test
    void ofAlternativesTheOneThatCountsIsWritten() {
        allow("alice", CREATE_THIS);

        assertThat(ask("alice", CREATE_ANY, CREATE_THIS).permits(CREATE_ANY, CREATE_THIS))
                .isTrue();
        assertThat(ask("bob", CREATE_ANY, CREATE_THIS).permits(CREATE_ANY, CREATE_THIS))
                .isFalse();

        assertThat(audited)
                .containsExactly(
                        "allowed principal=User:alice host=10.0.0.1 operation=CREATE resource=TOPIC:orders",
                        "denied principal=User:bob host=10.0.0.1 operation=CREATE resource=TOPIC:orders times=1");
    }

    @Test
    void aSuperUserThatIsNoPrincipalIsIgnoredAndTheOtherSettingsApply() {
        values.put("authorizer", "none");
        AuthorizationService open = started();
        assertThat(open.isEnforced()).isFalse();

        values.putAll(Map.of("authorizer", "acl", "super_users", "admin; User:ops ;;"));
        open.modified(Fakes.settings(values));
        authorization.modified(Fakes.settings(values));

        assertThat(open.isEnforced()).isTrue();
        open.close();
        assertThat(ask("ops", DROP).has(DROP)).isTrue();
        assertThat(ask("admin", DROP).has(DROP)).isFalse();
        assertThat(ask("root", DROP).has(DROP)).isFalse();
        assertThat(authorization.troubles())
                .extracting(Trouble::reason)
                .singleElement()
                .asString()
                .contains("super.users: \"admin\" is no principal");
    }

    @Test
    void aRunningNodeDoesNotStopAskingForRights() {
        values.remove("authorizer");
        authorization.modified(Fakes.settings(values));
        authorization.modified(Fakes.settings(values));

        assertThat(authorization.isEnforced()).isTrue();
        assertThat(ask("alice", DROP).has(DROP)).isFalse();
        assertThat(authorization.troubles())
                .extracting(Trouble::reason)
                .containsExactly("authorizer is none, but acl decides until this node is restarted; then everybody may"
                        + " do everything");

        values.put("authorizer", "acl");
        authorization.modified(Fakes.settings(values));

        assertThat(authorization.isEnforced()).isTrue();
        assertThat(authorization.troubles()).isEmpty();
    }
}
