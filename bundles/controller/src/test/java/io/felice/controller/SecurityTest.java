package io.felice.controller;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.ErrorCode;
import io.felice.api.cluster.Admin.UserMechanism;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.cluster.Outcome;
import io.felice.api.security.Acl;
import io.felice.api.security.AclFilter;
import io.felice.api.security.Operation;
import io.felice.api.security.QuotaEntity;
import io.felice.api.security.ResourceType;
import io.felice.api.security.ScramCredential;
import io.felice.api.security.ScramMechanism;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What the controller decides about users, ACLs and quotas. */
class SecurityTest {
    private static final ScramMechanism SHA_256 = ScramMechanism.SCRAM_SHA_256;
    private static final ScramMechanism SHA_512 = ScramMechanism.SCRAM_SHA_512;

    private ClusterView view = ClusterView.EMPTY;

    private <K, V> Outcome<V> make(ControllerResult<K, V> result, K item) {
        view = view.after(view.version() + 1, result.records());
        return result.outcomes().get(item);
    }

    // ---- users

    private static ScramCredential credential(int keyBytes, int saltBytes, int iterations) {
        return new ScramCredential(new byte[saltBytes], new byte[keyBytes], new byte[keyBytes], iterations);
    }

    private Outcome<Void> set(String user, ScramMechanism mechanism, ScramCredential credential) {
        UserMechanism item = new UserMechanism(user, mechanism);
        return make(Security.alterUsers(view, Map.of(item, Optional.ofNullable(credential))), item);
    }

    @Test
    void aUserGetsAPasswordForEachMechanismAndIsGoneWithTheLast() {
        set("alice", SHA_256, credential(32, 16, 4_096));
        set("alice", SHA_512, credential(64, 16, 16_384));
        assertThat(view.security().users().get("alice")).containsOnlyKeys(SHA_256, SHA_512);

        set("alice", SHA_256, null);
        assertThat(view.security().users().get("alice")).containsOnlyKeys(SHA_512);

        set("alice", SHA_512, null);
        assertThat(view.security().users()).isEmpty();
    }

    @Test
    void aPasswordThatIsNotThereCannotBeRemoved() {
        set("alice", SHA_256, credential(32, 16, 4_096));

        assertThat(set("alice", SHA_512, null).error()).isEqualTo(ErrorCode.RESOURCE_NOT_FOUND);
        assertThat(set("bob", SHA_256, null).error()).isEqualTo(ErrorCode.RESOURCE_NOT_FOUND);
    }

    @Test
    void aCredentialThatIsWeakOrOfAWrongSizeIsRefused() {
        Map<String, Outcome<Void>> outcomes = new HashMap<>();
        outcomes.put("few", set("few", SHA_256, credential(32, 16, 4_095)));
        outcomes.put("many", set("many", SHA_256, credential(32, 16, 16_385)));
        outcomes.put("short key", set("short key", SHA_512, credential(32, 16, 4_096)));
        outcomes.put("short salt", set("short salt", SHA_256, credential(32, 7, 4_096)));
        outcomes.put("long salt", set("long salt", SHA_256, credential(32, 257, 4_096)));
        outcomes.put("", set("", SHA_256, credential(32, 16, 4_096)));

        assertThat(outcomes.values()).allMatch(outcome -> outcome.error() == ErrorCode.UNACCEPTABLE_CREDENTIAL);
        assertThat(outcomes.get("few").message()).isEqualTo("Too few iterations");
        assertThat(view.security().users()).isEmpty();
    }

    @Test
    void allChangesOfAUserAreMadeOrNoneAndOtherUsersAreNotAffected() {
        UserMechanism good = new UserMechanism("alice", SHA_256);
        UserMechanism bad = new UserMechanism("alice", SHA_512);
        UserMechanism other = new UserMechanism("bob", SHA_256);
        Optional<ScramCredential> fine = Optional.of(credential(32, 16, 4_096));

        ControllerResult<UserMechanism, Void> result =
                Security.alterUsers(view, Map.of(good, fine, bad, Optional.empty(), other, fine));
        make(result, good);

        assertThat(result.outcomes().get(good).error()).isEqualTo(ErrorCode.RESOURCE_NOT_FOUND);
        assertThat(result.outcomes().get(bad).error()).isEqualTo(ErrorCode.RESOURCE_NOT_FOUND);
        assertThat(result.outcomes().get(other).error()).isEqualTo(ErrorCode.NONE);
        assertThat(view.security().users()).containsOnlyKeys("bob");
    }

    // ---- ACLs

    private static Acl acl(ResourceType type, String name, Operation operation) {
        return new Acl(type, name, Acl.Pattern.LITERAL, "User:alice", "*", operation, true);
    }

    private Outcome<Void> add(Acl acl) {
        return make(Security.createAcls(view, List.of(acl)), acl);
    }

    @Test
    void anAclThatIsThereAlreadyChangesNothing() {
        Acl read = acl(ResourceType.TOPIC, "orders", Operation.READ);
        add(read);

        ControllerResult<Acl, Void> again = Security.createAcls(view, List.of(read, read));

        assertThat(again.records()).isEmpty();
        assertThat(again.outcomes().get(read).error()).isEqualTo(ErrorCode.NONE);
        assertThat(view.security().acls()).containsExactly(read);
    }

    @Test
    void anAclThatMakesNoSenseIsRefused() {
        for (Acl wrong : List.of(
                acl(ResourceType.TOPIC, "orders", Operation.IDEMPOTENT_WRITE),
                acl(ResourceType.CLUSTER, "orders", Operation.CREATE),
                acl(ResourceType.TOPIC, "", Operation.READ),
                acl(ResourceType.TOPIC, "o".repeat(DynamicConfigs.MAX_NAME_LENGTH + 1), Operation.READ),
                new Acl(ResourceType.TOPIC, "t", Acl.Pattern.LITERAL, "alice", "*", Operation.READ, true))) {
            assertThat(add(wrong).error()).as(wrong.toString()).isEqualTo(ErrorCode.INVALID_REQUEST);
        }
        assertThat(view.security().acls()).isEmpty();
        assertThat(add(acl(ResourceType.CLUSTER, "kafka-cluster", Operation.ALL))
                        .error())
                .isEqualTo(ErrorCode.NONE);
    }

    @Test
    void aFilterRemovesWhatItFindsAndSaysWhat() {
        Acl orders = acl(ResourceType.TOPIC, "orders", Operation.READ);
        Acl bills = acl(ResourceType.TOPIC, "bills", Operation.READ);
        Acl group = acl(ResourceType.GROUP, "g", Operation.READ);
        List.of(orders, bills, group).forEach(this::add);
        AclFilter byName = new AclFilter(ResourceType.TOPIC, "orders", AclFilter.Match.LITERAL, null, null, null, null);
        AclFilter topics = new AclFilter(ResourceType.TOPIC, null, AclFilter.Match.ANY, null, null, null, null);

        ControllerResult<AclFilter, Set<Acl>> result = Security.deleteAcls(view, List.of(byName, topics));
        make(result, byName);

        assertThat(result.outcomes().get(byName).value()).containsExactly(orders);
        assertThat(result.outcomes().get(topics).value()).contains(bills);
        assertThat(result.records().stream().distinct()).hasSameSizeAs(result.records());
        assertThat(view.security().acls()).containsExactly(group);
    }

    // ---- quotas

    private Outcome<Void> quota(QuotaEntity entity, String key, Double value) {
        Map<String, Optional<Double>> values = Map.of(key, Optional.ofNullable(value));
        return make(Security.alterQuotas(view, Map.of(entity, values), false), entity);
    }

    @Test
    void aQuotaIsSetChangedAndRemoved() {
        QuotaEntity alice = new QuotaEntity("alice", null, null);
        quota(alice, "producer_byte_rate", 1_000.0);
        quota(alice, "producer_byte_rate", 2_000.0);
        assertThat(view.security().quotas()).isEqualTo(Map.of(alice, Map.of("producer_byte_rate", 2_000.0)));

        quota(alice, "producer_byte_rate", null);

        assertThat(view.security().quotas()).isEmpty();
        assertThat(quota(alice, "producer_byte_rate", null).error()).isEqualTo(ErrorCode.NONE);
    }

    @Test
    void aQuotaThatMakesNoSenseIsRefused() {
        QuotaEntity alice = new QuotaEntity("alice", null, null);
        QuotaEntity address = new QuotaEntity(null, null, "10.0.0.1");

        assertThat(List.of(
                        quota(alice, "connection_creation_rate", 5.0),
                        quota(address, "producer_byte_rate", 5.0),
                        quota(alice, "producer_byte_rate", 0.0),
                        quota(alice, "producer_byte_rate", -1.0),
                        quota(alice, "producer_byte_rate", Double.NaN),
                        quota(alice, "producer_byte_rate", Double.POSITIVE_INFINITY),
                        quota(alice, "producer_byte_rate", 1.5),
                        quota(new QuotaEntity("alice", null, "10.0.0.1"), "producer_byte_rate", 5.0),
                        quota(new QuotaEntity(null, null, "example"), "connection_creation_rate", 5.0),
                        quota(new QuotaEntity(null, null, "999.0.0.1"), "connection_creation_rate", 5.0),
                        quota(new QuotaEntity(null, null, "10.1"), "connection_creation_rate", 5.0),
                        quota(new QuotaEntity(null, null, "1::2::3"), "connection_creation_rate", 5.0),
                        quota(new QuotaEntity("", null, null), "producer_byte_rate", 5.0)))
                .allMatch(outcome -> outcome.error() == ErrorCode.INVALID_REQUEST);
        assertThat(quota(alice, "request_percentage", 1.5).error()).isEqualTo(ErrorCode.NONE);
        assertThat(quota(address, "connection_creation_rate", 5.0).error()).isEqualTo(ErrorCode.NONE);
        assertThat(quota(new QuotaEntity(null, null, "fe80::1"), "connection_creation_rate", 5.0)
                        .error())
                .isEqualTo(ErrorCode.NONE);
    }

    @Test
    void aWrongKeyLeavesAllQuotasOfTheEntityAsTheyAre() {
        QuotaEntity alice = new QuotaEntity("alice", null, null);
        Map<String, Optional<Double>> values =
                Map.of("producer_byte_rate", Optional.of(5.0), "speed", Optional.of(5.0));

        assertThat(make(Security.alterQuotas(view, Map.of(alice, values), false), alice)
                        .error())
                .isEqualTo(ErrorCode.INVALID_REQUEST);
        assertThat(view.security().quotas()).isEmpty();
    }

    @Test
    void aValidationChangesNothing() {
        QuotaEntity alice = new QuotaEntity("alice", null, null);
        Map<String, Optional<Double>> values = Map.of("producer_byte_rate", Optional.of(5.0));

        ControllerResult<QuotaEntity, Void> result = Security.alterQuotas(view, Map.of(alice, values), true);

        assertThat(result.records()).isEqualTo(List.<MetadataRecord>of());
        assertThat(result.outcomes().get(alice).error()).isEqualTo(ErrorCode.NONE);
    }
}
