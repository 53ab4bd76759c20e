package io.felice.handlers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.cluster.Admin.UserMechanism;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.security.Acl;
import io.felice.api.security.AclFilter;
import io.felice.api.security.Operation;
import io.felice.api.security.QuotaEntity;
import io.felice.api.security.ResourceType;
import io.felice.api.security.ScramCredential;
import io.felice.api.security.ScramMechanism;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.common.message.AlterClientQuotasRequestData;
import org.apache.kafka.common.message.AlterClientQuotasResponseData;
import org.apache.kafka.common.message.AlterUserScramCredentialsRequestData;
import org.apache.kafka.common.message.AlterUserScramCredentialsRequestData.ScramCredentialDeletion;
import org.apache.kafka.common.message.AlterUserScramCredentialsRequestData.ScramCredentialUpsertion;
import org.apache.kafka.common.message.AlterUserScramCredentialsResponseData;
import org.apache.kafka.common.message.CreateAclsRequestData;
import org.apache.kafka.common.message.CreateAclsResponseData;
import org.apache.kafka.common.message.DeleteAclsRequestData;
import org.apache.kafka.common.message.DeleteAclsRequestData.DeleteAclsFilter;
import org.apache.kafka.common.message.DeleteAclsResponseData;
import org.apache.kafka.common.message.DescribeAclsRequestData;
import org.apache.kafka.common.message.DescribeAclsResponseData;
import org.apache.kafka.common.message.DescribeClientQuotasRequestData;
import org.apache.kafka.common.message.DescribeClientQuotasRequestData.ComponentData;
import org.apache.kafka.common.message.DescribeClientQuotasResponseData;
import org.apache.kafka.common.message.DescribeUserScramCredentialsRequestData;
import org.apache.kafka.common.message.DescribeUserScramCredentialsRequestData.UserName;
import org.apache.kafka.common.message.DescribeUserScramCredentialsResponseData;
import org.junit.jupiter.api.Test;

/** ACLs, quotas and users over Kafka's APIs. */
class SecurityHandlersTest {
    private static final byte ANY = 1;
    private static final byte MATCH = 2;
    private static final byte SHA_256 = 1;
    private static final byte SHA_512 = 2;

    private final FakeCluster cluster = new FakeCluster();
    private final FakeAdmin admin = new FakeAdmin(cluster);
    private final Rights enforced = new Rights(new FakeAuthorization().allow(action -> true));

    private static Acl acl(String name, Acl.Pattern pattern, String user) {
        return new Acl(ResourceType.TOPIC, name, pattern, "User:" + user, "*", Operation.READ, true);
    }

    // ---- ACLs

    private DescribeAclsResponseData describe(String name, byte pattern) throws Exception {
        DescribeAclsRequestData request = new DescribeAclsRequestData()
                .setResourceTypeFilter((byte) 2)
                .setResourceNameFilter(name)
                .setPatternTypeFilter(pattern)
                .setPrincipalFilter(null)
                .setHostFilter(null)
                .setOperation(ANY)
                .setPermissionType(ANY);
        return Asking.ask(new DescribeAclsHandler(cluster, enforced), request, 3);
    }

    @Test
    void aFilterFindsAclsByNameByPatternOrByTheResourceThatTheyCover() throws Exception {
        cluster.apply(
                new MetadataRecord.AclAdded(acl("orders", Acl.Pattern.LITERAL, "alice")),
                new MetadataRecord.AclAdded(acl("orders", Acl.Pattern.LITERAL, "bob")),
                new MetadataRecord.AclAdded(acl("ord", Acl.Pattern.PREFIXED, "carol")),
                new MetadataRecord.AclAdded(acl("*", Acl.Pattern.LITERAL, "dave")),
                new MetadataRecord.AclAdded(acl("bills", Acl.Pattern.LITERAL, "alice")));

        assertThat(users(describe("orders", ANY))).containsExactly("User:alice", "User:bob");
        assertThat(users(describe("orders", MATCH)))
                .containsExactlyInAnyOrder("User:alice", "User:bob", "User:carol", "User:dave");
        assertThat(users(describe("orders", Acl.Pattern.PREFIXED.code()))).isEmpty();
        assertThat(describe(null, ANY).resources()).hasSize(4);
    }

    private static List<String> users(DescribeAclsResponseData response) {
        return response.resources().stream()
                .flatMap(resource -> resource.acls().stream())
                .map(DescribeAclsResponseData.AclDescription::principal)
                .toList();
    }

    @Test
    void anAclThatIsWrongDoesNotFailTheOthers() throws Exception {
        CreateAclsRequestData request = new CreateAclsRequestData()
                .setCreations(List.of(
                        ValidSecurityRequests.acl(),
                        ValidSecurityRequests.acl().setOperation((byte) 99),
                        ValidSecurityRequests.acl().setResourceName(""),
                        ValidSecurityRequests.acl().setResourcePatternType(MATCH),
                        ValidSecurityRequests.acl().setPermissionType(ANY)));

        CreateAclsResponseData response = Asking.ask(new CreateAclsHandler(admin, cluster, enforced), request, 3);

        assertThat(response.results())
                .extracting(result -> ErrorCode.of(result.errorCode()))
                .containsExactly(
                        ErrorCode.NONE,
                        ErrorCode.INVALID_REQUEST,
                        ErrorCode.INVALID_REQUEST,
                        ErrorCode.INVALID_REQUEST,
                        ErrorCode.INVALID_REQUEST);
        assertThat(admin.asked).containsExactly(acl("t", Acl.Pattern.LITERAL, "alice"));
    }

    @Test
    void eachFilterNamesWhatItRemoved() throws Exception {
        cluster.apply(new MetadataRecord.AclAdded(acl("orders", Acl.Pattern.LITERAL, "alice")));
        DeleteAclsFilter filter = new DeleteAclsFilter()
                .setResourceTypeFilter((byte) 2)
                .setPatternTypeFilter(ANY)
                .setResourceNameFilter(null)
                .setPrincipalFilter(null)
                .setHostFilter(null)
                .setOperation(ANY)
                .setPermissionType(ANY);
        DeleteAclsRequestData request = new DeleteAclsRequestData()
                .setFilters(
                        List.of(filter, filter.duplicate(), filter.duplicate().setOperation((byte) 99)));

        DeleteAclsResponseData response = Asking.ask(new DeleteAclsHandler(admin, cluster, enforced), request, 3);

        assertThat(response.filterResults())
                .extracting(result -> result.matchingAcls().size())
                .containsExactly(1, 1, 0);
        assertThat(response.filterResults().get(2).errorCode()).isEqualTo(ErrorCode.INVALID_REQUEST.code());
        assertThat(admin.asked)
                .containsExactly(new AclFilter(ResourceType.TOPIC, null, AclFilter.Match.ANY, null, null, null, null));
    }

    @Test
    void withoutAnAuthorizerAclsAreRefused() {
        Rights open = FakeAuthorization.open();
        CreateAclsRequestData create = new CreateAclsRequestData().setCreations(List.of(ValidSecurityRequests.acl()));

        assertThatThrownBy(() -> Asking.ask(new CreateAclsHandler(admin, cluster, open), create, 3))
                .hasMessageContaining("No Authorizer is configured on the broker");
        assertThatThrownBy(() -> Asking.ask(new DescribeAclsHandler(cluster, open), new DescribeAclsRequestData(), 3))
                .hasMessageContaining("No Authorizer is configured on the broker");
        assertThatThrownBy(
                        () -> Asking.ask(new DeleteAclsHandler(admin, cluster, open), new DeleteAclsRequestData(), 3))
                .hasMessageContaining("No Authorizer is configured on the broker");
        assertThat(admin.asked).isEmpty();
    }

    // ---- quotas

    private static ComponentData component(String type, int match, String name) {
        return new ComponentData()
                .setEntityType(type)
                .setMatchType((byte) match)
                .setMatch(name);
    }

    private List<String> quotas(boolean strict, ComponentData... components) throws Exception {
        DescribeClientQuotasRequestData request =
                new DescribeClientQuotasRequestData().setStrict(strict).setComponents(List.of(components));
        DescribeClientQuotasResponseData response =
                Asking.ask(new DescribeClientQuotasHandler(cluster, enforced), request, 1);
        return response.entries().stream()
                .map(entry -> entry.entity().stream()
                        .map(part -> part.entityType() + "=" + part.entityName())
                        .toList()
                        .toString())
                .toList();
    }

    private void quotasOfAliceAndOthers() {
        for (QuotaEntity entity : List.of(
                new QuotaEntity("alice", null, null),
                new QuotaEntity("alice", "app", null),
                new QuotaEntity(QuotaEntity.DEFAULT, null, null),
                new QuotaEntity(null, "app", null),
                new QuotaEntity(null, null, "10.0.0.1"))) {
            cluster.apply(new MetadataRecord.QuotaSet(entity, "producer_byte_rate", 1000.0));
        }
    }

    @Test
    void quotasAreFoundByExactNameByDefaultAndByType() throws Exception {
        quotasOfAliceAndOthers();

        assertThat(quotas(false, component("user", 0, "alice")))
                .containsExactlyInAnyOrder("[user=alice]", "[client-id=app, user=alice]");
        assertThat(quotas(true, component("user", 0, "alice"))).containsExactly("[user=alice]");
        assertThat(quotas(false, component("user", 1, null))).containsExactly("[user=null]");
        assertThat(quotas(true, component("user", 2, null))).containsExactlyInAnyOrder("[user=alice]", "[user=null]");
        assertThat(quotas(false, component("ip", 2, null))).containsExactly("[ip=10.0.0.1]");
        assertThat(quotas(false)).hasSize(5);
        assertThat(quotas(true)).isEmpty();
    }

    @Test
    void aFilterThatMakesNoSenseIsRefused() {
        List<List<ComponentData>> wrong = List.of(
                List.of(component("user", 0, null)),
                List.of(component("user", 1, "alice")),
                List.of(component("user", 9, null)),
                List.of(component("role", 2, null)),
                List.of(component("user", 2, null), component("user", 1, null)),
                List.of(component("user", 2, null), component("ip", 2, null)));

        for (List<ComponentData> components : wrong) {
            assertThatThrownBy(() -> quotas(false, components.toArray(ComponentData[]::new)))
                    .as(components.toString())
                    .satisfies(refused ->
                            assertThat(FeliceException.codeOf(refused)).isEqualTo(ErrorCode.INVALID_REQUEST));
        }
    }

    private static AlterClientQuotasRequestData.EntryData change(String user, String... keys) {
        return new AlterClientQuotasRequestData.EntryData()
                .setEntity(List.of(new AlterClientQuotasRequestData.EntityData()
                        .setEntityType("user")
                        .setEntityName(user)))
                .setOps(Arrays.stream(keys)
                        .map(key -> new AlterClientQuotasRequestData.OpData()
                                .setKey(key)
                                .setValue(1000)
                                .setRemove(key.startsWith("consumer")))
                        .toList());
    }

    @Test
    void quotasAreSetAndRemovedAndAWrongEntityDoesNotFailTheOthers() throws Exception {
        AlterClientQuotasRequestData request = new AlterClientQuotasRequestData()
                .setEntries(List.of(
                        change("alice", "producer_byte_rate", "consumer_byte_rate"),
                        change(null, "request_percentage"),
                        change("bob", "request_percentage", "request_percentage"),
                        change(QuotaEntity.DEFAULT, "request_percentage")));

        AlterClientQuotasResponseData response =
                Asking.ask(new AlterClientQuotasHandler(admin, cluster, enforced), request, 1);

        assertThat(response.entries())
                .extracting(entry -> ErrorCode.of(entry.errorCode()))
                .containsExactly(ErrorCode.NONE, ErrorCode.NONE, ErrorCode.INVALID_REQUEST, ErrorCode.INVALID_REQUEST);
        assertThat(admin.asked.get(0))
                .isEqualTo(Map.of(
                        new QuotaEntity("alice", null, null),
                        Map.of("producer_byte_rate", Optional.of(1000.0), "consumer_byte_rate", Optional.empty()),
                        new QuotaEntity(QuotaEntity.DEFAULT, null, null),
                        Map.of("request_percentage", Optional.of(1000.0))));
    }

    // ---- users

    /** The example of RFC 7677: user "user", password "pencil". */
    private static ScramCredentialUpsertion pencil() {
        return new ScramCredentialUpsertion()
                .setName("user")
                .setMechanism(SHA_256)
                .setIterations(4096)
                .setSalt(Base64.getDecoder().decode("W22ZaJ0SNY7soEsUEjb6gQ=="))
                .setSaltedPassword(
                        HexFormat.of().parseHex("c4a49510323ab4f952cac1fa99441939e78ea74d6be81ddf7096e87513dc615d"));
    }

    private AlterUserScramCredentialsResponseData alter(
            List<ScramCredentialUpsertion> upsertions, List<ScramCredentialDeletion> deletions) throws Exception {
        AlterUserScramCredentialsRequestData request = new AlterUserScramCredentialsRequestData()
                .setUpsertions(upsertions)
                .setDeletions(deletions);
        return Asking.ask(new AlterUserScramCredentialsHandler(admin, cluster, enforced), request, 0);
    }

    @Test
    void theClusterKeepsTheKeysOfThePasswordAndTheSaltedPasswordIsWiped() throws Exception {
        ScramCredentialUpsertion pencil = pencil();

        alter(List.of(pencil), List.of());

        Map<?, ?> changes = (Map<?, ?>) admin.asked.get(0);
        ScramCredential kept = (ScramCredential)
                ((Optional<?>) changes.get(new UserMechanism("user", ScramMechanism.SCRAM_SHA_256))).orElseThrow();
        assertThat(HexFormat.of().formatHex(kept.storedKey()))
                .isEqualTo("586e5df283e6dceb5c3e791d8b8528ec191e664045ce971792e2e6b5bb13e2a6");
        assertThat(HexFormat.of().formatHex(kept.serverKey()))
                .isEqualTo("c1f3cbc1c13a9d35a14c0990eed97629ea225863e566a4314ab99f3f00e5d9d5");
        assertThat(kept.iterations()).isEqualTo(4096);
        assertThat(pencil.saltedPassword()).containsOnly(0);
    }

    @Test
    void aUserIsChangedOncePerMechanismAndAWrongChangeLeavesTheUserAsItIs() throws Exception {
        AlterUserScramCredentialsResponseData response = alter(
                List.of(
                        ValidSecurityRequests.password("twice"),
                        ValidSecurityRequests.password("both"),
                        ValidSecurityRequests.password("both")
                                .setMechanism(SHA_512)
                                .setSaltedPassword(new byte[64]),
                        ValidSecurityRequests.password("half"),
                        ValidSecurityRequests.password("half").setMechanism((byte) 9),
                        ValidSecurityRequests.password("short").setSaltedPassword(new byte[3]),
                        ValidSecurityRequests.password("")),
                List.of(new ScramCredentialDeletion().setName("twice").setMechanism(SHA_256)));

        Map<String, ErrorCode> errors = new HashMap<>();
        response.results().forEach(result -> errors.put(result.user(), ErrorCode.of(result.errorCode())));
        assertThat(errors)
                .isEqualTo(Map.of(
                        "twice", ErrorCode.DUPLICATE_RESOURCE,
                        "both", ErrorCode.NONE,
                        "half", ErrorCode.UNSUPPORTED_SASL_MECHANISM,
                        "short", ErrorCode.UNACCEPTABLE_CREDENTIAL,
                        "", ErrorCode.UNACCEPTABLE_CREDENTIAL));
        assertThat(((Map<?, ?>) admin.asked.get(0)).keySet())
                .isEqualTo(Set.of(
                        new UserMechanism("both", ScramMechanism.SCRAM_SHA_256),
                        new UserMechanism("both", ScramMechanism.SCRAM_SHA_512)));
    }

    @Test
    void aUserIsDescribedByItsMechanismsAndIterationsOnly() throws Exception {
        cluster.apply(new MetadataRecord.CredentialSet(
                "alice",
                ScramMechanism.SCRAM_SHA_512,
                new ScramCredential(new byte[] {7}, new byte[] {8}, new byte[] {9}, 8192)));

        DescribeUserScramCredentialsResponseData all = describeUsers(null);
        DescribeUserScramCredentialsResponseData some = describeUsers(List.of("alice", "bob", "carol", "carol"));

        assertThat(all.results()).singleElement().satisfies(result -> {
            assertThat(result.user()).isEqualTo("alice");
            assertThat(result.credentialInfos()).singleElement().satisfies(info -> {
                assertThat(info.mechanism()).isEqualTo(SHA_512);
                assertThat(info.iterations()).isEqualTo(8192);
            });
        });
        assertThat(some.results())
                .extracting(result -> ErrorCode.of(result.errorCode()))
                .containsExactly(ErrorCode.NONE, ErrorCode.RESOURCE_NOT_FOUND, ErrorCode.DUPLICATE_RESOURCE);
    }

    private DescribeUserScramCredentialsResponseData describeUsers(List<String> names) throws Exception {
        DescribeUserScramCredentialsRequestData request = new DescribeUserScramCredentialsRequestData()
                .setUsers(
                        names == null
                                ? null
                                : names.stream()
                                        .map(name -> new UserName().setName(name))
                                        .toList());
        return Asking.ask(new DescribeUserScramCredentialsHandler(cluster, enforced), request, 0);
    }
}
