package io.felice.itests.clients;

import static org.apache.kafka.common.acl.AclOperation.ALTER;
import static org.apache.kafka.common.acl.AclOperation.DESCRIBE;
import static org.apache.kafka.common.acl.AclOperation.READ;
import static org.apache.kafka.common.acl.AclOperation.WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.itests.rig.Java;
import io.felice.testkit.FeliceNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.DescribeClusterOptions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.ScramCredentialInfo;
import org.apache.kafka.clients.admin.ScramMechanism;
import org.apache.kafka.clients.admin.UserScramCredentialDeletion;
import org.apache.kafka.clients.admin.UserScramCredentialUpsertion;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AccessControlEntryFilter;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.errors.ClusterAuthorizationException;
import org.apache.kafka.common.errors.DuplicateResourceException;
import org.apache.kafka.common.errors.GroupAuthorizationException;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.errors.ResourceNotFoundException;
import org.apache.kafka.common.errors.SecurityDisabledException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.errors.UnacceptableCredentialException;
import org.apache.kafka.common.quota.ClientQuotaAlteration;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.apache.kafka.common.quota.ClientQuotaFilter;
import org.apache.kafka.common.quota.ClientQuotaFilterComponent;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourcePatternFilter;
import org.apache.kafka.common.resource.ResourceType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Kafka's Java clients on a node with ACLs. The node authenticates nobody: all clients are User:ANONYMOUS. */
@Timeout(120)
class AuthorizationTest {
    private static final Map<String, Object> OPEN =
            Map.of("authorizer", "acl", "super.users", "User:ops;User:ANONYMOUS");
    private static final Map<String, Object> CLOSED = Map.of("authorizer", "acl", "super.users", "User:ops");

    private static FeliceNode start(Map<String, Object> security) {
        FeliceNode.Builder builder = FeliceNode.inMemory();
        security.forEach((key, value) -> builder.config("io.felice.security", key, value));
        return builder.start();
    }

    private static AclBinding allow(ResourceType type, String name, AclOperation operation) {
        return new AclBinding(
                new ResourcePattern(type, name, PatternType.LITERAL),
                new AccessControlEntry("User:ANONYMOUS", "*", operation, AclPermissionType.ALLOW));
    }

    @Test
    void aclsAreCreatedListedAndDeleted() {
        try (FeliceNode node = start(OPEN);
                Admin admin = Java.admin(node.bootstrap())) {
            AclBinding orders = allow(ResourceType.TOPIC, "orders", READ);
            AclBinding prefixed = new AclBinding(
                    new ResourcePattern(ResourceType.TOPIC, "ord", PatternType.PREFIXED),
                    new AccessControlEntry("User:bob", "10.0.0.1", WRITE, AclPermissionType.DENY));
            AclBinding cluster = allow(ResourceType.CLUSTER, "kafka-cluster", ALTER);

            Java.get(admin.createAcls(List.of(orders, prefixed, cluster)).all());

            assertThat(Java.get(admin.describeAcls(AclBindingFilter.ANY).values()))
                    .containsExactlyInAnyOrder(orders, prefixed, cluster);
            AclBindingFilter covering = new AclBindingFilter(
                    new ResourcePatternFilter(ResourceType.TOPIC, "orders", PatternType.MATCH),
                    AccessControlEntryFilter.ANY);
            assertThat(Java.get(admin.describeAcls(covering).values())).containsExactlyInAnyOrder(orders, prefixed);
            assertThat(Java.get(admin.deleteAcls(List.of(covering)).all())).containsExactlyInAnyOrder(orders, prefixed);
            assertThat(Java.get(admin.describeAcls(AclBindingFilter.ANY).values()))
                    .containsExactly(cluster);
            AclBinding wrong = allow(ResourceType.CLUSTER, "orders", ALTER);
            assertThat(Java.failureOf(admin.createAcls(List.of(wrong)).all()))
                    .isInstanceOf(InvalidRequestException.class)
                    .hasMessageContaining("The only valid name for the CLUSTER resource is kafka-cluster");
        }
    }

    @Test
    void withoutAnAuthorizerAclsAreRefusedAsByKafka() {
        try (FeliceNode node = FeliceNode.inMemory().start();
                Admin admin = Java.admin(node.bootstrap())) {
            assertThat(Java.failureOf(admin.describeAcls(AclBindingFilter.ANY).values()))
                    .isInstanceOf(SecurityDisabledException.class)
                    .hasMessageContaining("No Authorizer is configured on the broker");
            AclBinding acl = allow(ResourceType.TOPIC, "orders", READ);
            assertThat(Java.failureOf(admin.createAcls(List.of(acl)).all()))
                    .isInstanceOf(SecurityDisabledException.class);
        }
    }

    @Test
    void usersAreCreatedDescribedAndDeleted() {
        try (FeliceNode node = start(OPEN);
                Admin admin = Java.admin(node.bootstrap())) {
            ScramCredentialInfo small = new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 4096);
            ScramCredentialInfo large = new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 8192);

            Java.get(admin.alterUserScramCredentials(List.of(
                            new UserScramCredentialUpsertion("alice", small, "secret of alice"),
                            new UserScramCredentialUpsertion("alice", large, "secret of alice"),
                            new UserScramCredentialUpsertion("bob", small, "secret of bob")))
                    .all());

            assertThat(Java.get(admin.describeUserScramCredentials().all())
                            .get("alice")
                            .credentialInfos())
                    .containsExactlyInAnyOrder(small, large);
            assertThat(Java.get(admin.describeUserScramCredentials().users()))
                    .containsExactlyInAnyOrder("alice", "bob");
            Java.get(admin.alterUserScramCredentials(
                            List.of(new UserScramCredentialDeletion("bob", ScramMechanism.SCRAM_SHA_256)))
                    .all());
            assertThat(Java.get(admin.describeUserScramCredentials().users())).containsExactly("alice");
            assertThat(Java.failureOf(
                            admin.describeUserScramCredentials(List.of("bob")).description("bob")))
                    .isInstanceOf(ResourceNotFoundException.class);
            ScramCredentialInfo weak = new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 4095);
            assertThat(Java.failureOf(admin.alterUserScramCredentials(
                                    List.of(new UserScramCredentialUpsertion("carol", weak, "secret of carol")))
                            .all()))
                    .isInstanceOf(UnacceptableCredentialException.class)
                    .hasMessageContaining("Too few iterations");
            assertThat(Java.failureOf(admin.alterUserScramCredentials(List.of(
                                    new UserScramCredentialUpsertion("alice", small, "secret of alice"),
                                    new UserScramCredentialDeletion("alice", ScramMechanism.SCRAM_SHA_256)))
                            .all()))
                    .isInstanceOf(DuplicateResourceException.class);
        }
    }

    @Test
    void quotasAreSetFoundAndRemoved() {
        try (FeliceNode node = start(OPEN);
                Admin admin = Java.admin(node.bootstrap())) {
            ClientQuotaEntity alice = new ClientQuotaEntity(Map.of(ClientQuotaEntity.USER, "alice"));
            Map<String, String> noName = new HashMap<>();
            noName.put(ClientQuotaEntity.USER, null);
            ClientQuotaEntity everybody = new ClientQuotaEntity(noName);

            Java.get(admin.alterClientQuotas(List.of(
                            set(alice, "producer_byte_rate", 1_000.0), set(everybody, "request_percentage", 50.0)))
                    .all());

            assertThat(Java.get(
                            admin.describeClientQuotas(ClientQuotaFilter.all()).entities()))
                    .isEqualTo(Map.of(
                            alice, Map.of("producer_byte_rate", 1_000.0),
                            everybody, Map.of("request_percentage", 50.0)));
            ClientQuotaFilter ofDefault = ClientQuotaFilter.containsOnly(
                    List.of(ClientQuotaFilterComponent.ofDefaultEntity(ClientQuotaEntity.USER)));
            assertThat(Java.get(admin.describeClientQuotas(ofDefault).entities()))
                    .containsOnlyKeys(everybody);
            Java.get(admin.alterClientQuotas(List.of(set(alice, "producer_byte_rate", null)))
                    .all());
            assertThat(Java.get(
                            admin.describeClientQuotas(ClientQuotaFilter.all()).entities()))
                    .containsOnlyKeys(everybody);
            assertThat(Java.failureOf(admin.alterClientQuotas(List.of(set(alice, "speed", 1.0)))
                            .all()))
                    .isInstanceOf(InvalidRequestException.class);
        }
    }

    private static ClientQuotaAlteration set(ClientQuotaEntity entity, String key, Double value) {
        return new ClientQuotaAlteration(entity, List.of(new ClientQuotaAlteration.Op(key, value)));
    }

    @Test
    void aClientSeesAndDoesOnlyWhatAclsAllow() {
        try (FeliceNode node = start(OPEN);
                Admin admin = Java.admin(node.bootstrap())) {
            Java.get(admin.createTopics(
                            List.of(new NewTopic("orders", 1, (short) 1), new NewTopic("bills", 1, (short) 1)))
                    .all());

            node.configure("io.felice.security", CLOSED);

            assertThat(Java.get(admin.listTopics().names())).isEmpty();
            assertThat(Java.failureOf(admin.describeTopics(List.of("orders")).allTopicNames()))
                    .isInstanceOf(TopicAuthorizationException.class);
            assertThat(Java.failureOf(admin.createTopics(List.of(new NewTopic("more", 1, (short) 1)))
                            .all()))
                    .isInstanceOf(TopicAuthorizationException.class);
            assertThat(Java.failureOf(admin.deleteTopics(List.of("orders")).all()))
                    .isInstanceOf(TopicAuthorizationException.class);
            assertThat(Java.failureOf(admin.describeAcls(AclBindingFilter.ANY).values()))
                    .isInstanceOf(ClusterAuthorizationException.class);
            assertThat(Java.failureOf(admin.describeUserScramCredentials().all()))
                    .isInstanceOf(ClusterAuthorizationException.class);
            assertThat(Java.get(admin.describeCluster(new DescribeClusterOptions().includeAuthorizedOperations(true))
                            .authorizedOperations()))
                    .isEmpty();
            assertThatThrownBy(() -> produce(node.bootstrap(), "orders"))
                    .rootCause()
                    .isInstanceOfAny(TopicAuthorizationException.class, ClusterAuthorizationException.class);
            assertThatThrownBy(() -> consume(node.bootstrap(), "orders"))
                    .isInstanceOfAny(TopicAuthorizationException.class, GroupAuthorizationException.class);

            node.configure("io.felice.security", OPEN);
            Java.get(admin.createAcls(List.of(
                            allow(ResourceType.TOPIC, "orders", WRITE),
                            allow(ResourceType.TOPIC, "orders", READ),
                            allow(ResourceType.GROUP, "readers", READ),
                            allow(ResourceType.CLUSTER, "kafka-cluster", DESCRIBE)))
                    .all());
            node.configure("io.felice.security", CLOSED);

            assertThat(Java.get(admin.listTopics().names())).containsExactly("orders");
            produce(node.bootstrap(), "orders");
            assertThat(consume(node.bootstrap(), "orders")).containsExactly("value");
            assertThatThrownBy(() -> produce(node.bootstrap(), "bills"))
                    .hasRootCauseInstanceOf(TopicAuthorizationException.class);
            assertThat(Java.get(admin.describeCluster(new DescribeClusterOptions().includeAuthorizedOperations(true))
                            .authorizedOperations()))
                    .containsExactly(DESCRIBE);
            assertThat(Java.failureOf(admin.createAcls(List.of(allow(ResourceType.TOPIC, "bills", READ)))
                            .all()))
                    .isInstanceOf(ClusterAuthorizationException.class);
        }
    }

    private static void produce(String bootstrap, String topic) {
        try (KafkaProducer<String, String> producer = Java.textProducer(bootstrap, Map.of())) {
            Java.get(producer.send(new ProducerRecord<>(topic, "value")));
        }
    }

    private static List<String> consume(String bootstrap, String topic) {
        Map<String, Object> settings = Map.of("group.id", "readers", "auto.offset.reset", "earliest");
        List<String> values = new ArrayList<>();
        try (KafkaConsumer<String, String> consumer = Java.textConsumer(bootstrap, settings)) {
            consumer.subscribe(List.of(topic));
            Java.await("records of " + topic, () -> {
                consumer.poll(Duration.ofMillis(200)).forEach(record -> values.add(record.value()));
                return !values.isEmpty();
            });
            consumer.commitSync();
        }
        return values;
    }
}
