package io.felice.security;

import static io.felice.security.Fakes.utf8;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.cluster.Admin;
import io.felice.api.cluster.Admin.Decided;
import io.felice.api.cluster.Admin.UserMechanism;
import io.felice.api.cluster.BrokerRegistration;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.cluster.Outcome;
import io.felice.api.security.Acl;
import io.felice.api.security.Action;
import io.felice.api.security.Operation;
import io.felice.api.security.Principal;
import io.felice.api.security.Requester;
import io.felice.api.security.ResourceType;
import io.felice.api.security.ScramCredential;
import io.felice.api.security.ScramMechanism;
import io.felice.api.security.Users.User;
import io.felice.testkit.RefusingAdmin;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Users are made, changed and removed; the first one by a code that works once. */
class ClusterUsersTest {
    private final Fakes.Metadata metadata = new Fakes.Metadata();
    private final Map<String, Object> values = new HashMap<>(Map.of("authorizer", "acl"));
    private final List<String> logged = new ArrayList<>();
    private ErrorCode aclError = ErrorCode.NONE;
    private ErrorCode userError = ErrorCode.NONE;
    private ClusterUsers users;

    @BeforeEach
    void start() {
        users = new ClusterUsers(metadata, controller(), Fakes.settings(values), SecurityTimer.started(), logged::add);
    }

    @AfterEach
    void stop() {
        users.close();
    }

    /** Puts what it is asked for into the metadata. */
    private Admin controller() {
        return new RefusingAdmin("ClusterUsers") {
            @Override
            public CompletionStage<Decided<UserMechanism, Void>> alterUsers(
                    Map<UserMechanism, Optional<ScramCredential>> changes) {
                return decided(
                        changes.keySet(),
                        userError,
                        item -> new MetadataRecord.CredentialSet(
                                item.user(), item.mechanism(), changes.get(item).orElse(null)));
            }

            @Override
            public CompletionStage<Decided<Acl, Void>> createAcls(List<Acl> acls) {
                return decided(acls, aclError, MetadataRecord.AclAdded::new);
            }
        };
    }

    private <K> CompletionStage<Decided<K, Void>> decided(
            Iterable<K> items, ErrorCode error, Function<K, MetadataRecord> record) {
        Map<K, Outcome<Void>> outcomes = new HashMap<>();
        for (K item : items) {
            if (error == ErrorCode.NONE) {
                metadata.add(record.apply(item));
                outcomes.put(item, Outcome.of(null));
            } else {
                outcomes.put(item, Outcome.failed(error, "refused"));
            }
        }
        return CompletableFuture.completedFuture(new Decided<>(metadata.view().version(), outcomes));
    }

    private static ErrorCode outcome(CompletionStage<Void> stage) {
        try {
            stage.toCompletableFuture().orTimeout(60, TimeUnit.SECONDS).join();
            return ErrorCode.NONE;
        } catch (CompletionException failed) {
            return FeliceException.codeOf(failed);
        }
    }

    private boolean hasPassword(String user, String password) {
        return new FeliceCredentialStore(metadata).hasPassword(user, utf8(password));
    }

    // ---- users

    @Test
    void aUserGetsAPasswordForAllMechanismsAndAnotherOne() {
        byte[] password = utf8("first");
        assertThat(outcome(users.setPassword("alice", password))).isEqualTo(ErrorCode.NONE);
        assertThat(password).containsOnly(0);
        assertThat(hasPassword("alice", "first")).isTrue();

        assertThat(outcome(users.setPassword("alice", utf8("second")))).isEqualTo(ErrorCode.NONE);

        assertThat(hasPassword("alice", "first")).isFalse();
        assertThat(hasPassword("alice", "second")).isTrue();
        assertThat(users.list())
                .containsExactly(new User(
                        "alice",
                        Map.of(
                                ScramMechanism.SCRAM_SHA_256, ScramKeys.ITERATIONS,
                                ScramMechanism.SCRAM_SHA_512, ScramKeys.ITERATIONS)));
    }

    @Test
    void aPasswordThatIsEmptyOrTooLongOrHasANulIsRefused() {
        assertThat(outcome(users.setPassword("alice", utf8("a\0b")))).isEqualTo(ErrorCode.UNACCEPTABLE_CREDENTIAL);
        assertThat(outcome(users.setPassword("alice", utf8("")))).isEqualTo(ErrorCode.UNACCEPTABLE_CREDENTIAL);
        assertThat(outcome(users.setPassword("alice", new byte[1_025]))).isEqualTo(ErrorCode.UNACCEPTABLE_CREDENTIAL);
        assertThat(users.list()).isEmpty();
    }

    @Test
    void whatTheControllerRefusesFails() {
        userError = ErrorCode.INVALID_REQUEST;
        assertThat(outcome(users.setPassword("alice", utf8("secret")))).isEqualTo(ErrorCode.INVALID_REQUEST);
    }

    @Test
    void aUserIsRemoved() {
        users.setPassword("alice", utf8("secret"));
        assertThat(outcome(users.delete("bob"))).isEqualTo(ErrorCode.RESOURCE_NOT_FOUND);
        assertThat(outcome(users.delete("alice"))).isEqualTo(ErrorCode.NONE);
        assertThat(users.list()).isEmpty();
        assertThat(hasPassword("alice", "secret")).isFalse();
    }

    // ---- the first administrator

    private void register() {
        metadata.add(new MetadataRecord.BrokerRegistered(
                new BrokerRegistration(metadata.brokerId(), UUID.randomUUID(), UUID.randomUUID(), List.of(), null), 1));
    }

    /** The code as a person reads it in the log. */
    private String code() {
        assertThat(logged).hasSize(1);
        return logged.get(0);
    }

    @Test
    void thereIsNoCodeBeforeTheMetadataIsReadNorWithAPluginThatDecides() {
        assertThat(users.hasSetupCode()).isFalse();
        assertThat(logged).isEmpty();
        values.put("authorizer", "plugin");
        users.modified(Fakes.settings(values));
        register();
        assertThat(users.hasSetupCode()).isFalse();
        assertThat(users.setupCode()).isEmpty();
    }

    @Test
    void withoutRightsTheCodeIsForTheConsoleAloneAndIsLoggedOnceAclsDecide() {
        values.put("authorizer", "none");
        users.modified(Fakes.settings(values));
        register();
        assertThat(users.setupCode()).isPresent();
        assertThat(logged).isEmpty();

        values.put("authorizer", "acl");
        users.modified(Fakes.settings(values));

        assertThat(users.setupCode()).contains(code());
        assertThat(code()).matches("([0-9A-Z]{5}-){5}[0-9A-Z]");
    }

    @Test
    void theCodeMakesOneAdministratorWhoMayDoEverything() {
        register();
        String typed =
                code().toLowerCase(java.util.Locale.ROOT).replace("-", " ").replace('0', 'o');

        assertThat(outcome(users.redeem(typed, "root", utf8("secret")))).isEqualTo(ErrorCode.NONE);

        assertThat(hasPassword("root", "secret")).isTrue();
        assertThat(metadata.view().security().acls())
                .filteredOn(acl -> acl.type() == ResourceType.CLUSTER)
                .as("the name that felice:acl-remove and kafka-acls look for")
                .allMatch(acl -> acl.name().equals(ResourceType.CLUSTER_NAME));
        AuthorizationService rights = new AuthorizationService(metadata, new Audit(), Fakes.settings(values));
        Requester root = new Requester(Principal.user("root"), Fakes.address("10.0.0.1"));
        for (ResourceType type : ResourceType.values()) {
            for (Operation operation : type.operations()) {
                Action action =
                        new Action(operation, type, type == ResourceType.CLUSTER ? ResourceType.CLUSTER_NAME : "x");
                assertThat(rights.ask(root, List.of(action))
                                .toCompletableFuture()
                                .join()
                                .has(action))
                        .as(action.toString())
                        .isTrue();
            }
        }
        rights.close();
        assertThat(users.hasSetupCode()).isFalse();
        assertThat(outcome(users.redeem(code(), "eve", utf8("secret")))).isEqualTo(ErrorCode.INVALID_REQUEST);
        assertThat(users.list()).hasSize(1);
    }

    @Test
    void theCodeIsNoGoodWhenThereAreUsersOrAcls() {
        register();
        metadata.addUser("alice", "secret");
        assertThat(outcome(users.redeem(code(), "eve", utf8("secret")))).isEqualTo(ErrorCode.INVALID_REQUEST);

        users.delete("alice");
        assertThat(users.hasSetupCode()).isTrue();
        metadata.add(new MetadataRecord.AclAdded(
                new Acl(ResourceType.TOPIC, "t", Acl.Pattern.LITERAL, "User:bob", Acl.ANY, Operation.READ, true)));
        assertThat(outcome(users.redeem(code(), "eve", utf8("secret")))).isEqualTo(ErrorCode.INVALID_REQUEST);
    }

    @Test
    void aCodeWorksAgainAfterAFailedChange() {
        register();
        assertThat(outcome(users.redeem(code(), "root", utf8("")))).isEqualTo(ErrorCode.UNACCEPTABLE_CREDENTIAL);
        aclError = ErrorCode.REQUEST_TIMED_OUT;
        assertThat(outcome(users.redeem(code(), "root", utf8("secret")))).isEqualTo(ErrorCode.REQUEST_TIMED_OUT);
        aclError = ErrorCode.NONE;
        userError = ErrorCode.REQUEST_TIMED_OUT;
        assertThat(outcome(users.redeem(code(), "root", utf8("secret")))).isEqualTo(ErrorCode.REQUEST_TIMED_OUT);
        userError = ErrorCode.NONE;

        assertThat(outcome(users.redeem(code(), "root", utf8("secret")))).isEqualTo(ErrorCode.NONE);
    }

    @Test
    void wrongCodesAreDelayedAndOneIsCheckedAtATime() {
        register();
        CompletableFuture<Void> wrong =
                users.redeem("AAAAA", "eve", utf8("secret")).toCompletableFuture();
        assertThat(wrong).isNotDone();

        assertThat(outcome(users.redeem(code(), "eve", utf8("secret")))).isEqualTo(ErrorCode.THROTTLING_QUOTA_EXCEEDED);
        assertThat(outcome(wrong)).isEqualTo(ErrorCode.CLUSTER_AUTHORIZATION_FAILED);
        assertThat(users.list()).isEmpty();
        assertThat(outcome(users.redeem(code(), "root", utf8("secret")))).isEqualTo(ErrorCode.NONE);
    }

    @Test
    void afterManyWrongGuessesNoCodeIsRight() {
        SetupCode code = new SetupCode(new java.security.SecureRandom());
        for (int i = 0; i < SetupCode.MOST_WRONG; i++) {
            assertThat(code.is("")).isFalse();
        }
        assertThat(code.isExhausted()).isTrue();
        assertThat(code.is(code.text())).isFalse();
        assertThat(code.toString()).doesNotContain(code.text());
    }
}
