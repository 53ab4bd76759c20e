package io.felice.handlers;

import static io.felice.api.ErrorCode.CLUSTER_AUTHORIZATION_FAILED;
import static io.felice.api.ErrorCode.GROUP_AUTHORIZATION_FAILED;
import static io.felice.api.ErrorCode.NONE;
import static io.felice.api.ErrorCode.TOPIC_AUTHORIZATION_FAILED;
import static io.felice.api.security.Operation.ALTER;
import static io.felice.api.security.Operation.ALTER_CONFIGS;
import static io.felice.api.security.Operation.CREATE;
import static io.felice.api.security.Operation.DELETE;
import static io.felice.api.security.Operation.DESCRIBE;
import static io.felice.api.security.Operation.DESCRIBE_CONFIGS;
import static io.felice.api.security.Operation.IDEMPOTENT_WRITE;
import static io.felice.api.security.Operation.READ;
import static io.felice.api.security.Operation.WRITE;
import static io.felice.api.security.ResourceType.CLUSTER;
import static io.felice.api.security.ResourceType.GROUP;
import static io.felice.api.security.ResourceType.TOPIC;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.cluster.Admin;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.config.Configs;
import io.felice.api.group.Groups;
import io.felice.api.partition.Partitions;
import io.felice.api.security.Acl;
import io.felice.api.security.Action;
import io.felice.api.security.Operation;
import io.felice.api.security.QuotaEntity;
import io.felice.api.security.ResourceType;
import io.felice.api.security.ScramCredential;
import io.felice.api.security.ScramMechanism;
import io.felice.protocol.Api;
import io.felice.protocol.Apis;
import io.felice.protocol.KafkaMessages;
import io.felice.protocol.Request;
import io.felice.protocol.ServedApis;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.protocol.ApiMessage;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The rights that each API needs, in one table, and every version of every API with no rights, some and all. */
class EveryRightTest {
    /** @param without the error without the right; NONE if what the client may not see is left out */
    private record Right(Operation operation, ResourceType type, ErrorCode without) {
        boolean is(Action action) {
            return action.operation() == operation && action.type() == type;
        }
    }

    private record Row(short key, List<Right> rights) {}

    private static Row row(short key, Right... rights) {
        return new Row(key, List.of(rights));
    }

    private static Right topic(Operation operation) {
        return new Right(operation, TOPIC, TOPIC_AUTHORIZATION_FAILED);
    }

    private static Right group(Operation operation) {
        return new Right(operation, GROUP, GROUP_AUTHORIZATION_FAILED);
    }

    private static Right cluster(Operation operation) {
        return new Right(operation, CLUSTER, CLUSTER_AUTHORIZATION_FAILED);
    }

    /** What a client needs to get all of its request. A right to the cluster that replaces them has its own test. */
    private static final List<Row> TABLE = List.of(
            row(Apis.PRODUCE, topic(WRITE)),
            row(Apis.FETCH, topic(READ)),
            row(Apis.LIST_OFFSETS, topic(DESCRIBE)),
            row(Apis.METADATA, topic(DESCRIBE), topic(CREATE)),
            row(Apis.OFFSET_COMMIT, group(READ), topic(READ)),
            row(Apis.OFFSET_FETCH, group(DESCRIBE), topic(DESCRIBE)),
            row(Apis.FIND_COORDINATOR, group(DESCRIBE)),
            row(Apis.JOIN_GROUP, group(READ)),
            row(Apis.HEARTBEAT, group(READ)),
            row(Apis.LEAVE_GROUP, group(READ)),
            row(Apis.SYNC_GROUP, group(READ)),
            row(Apis.DESCRIBE_GROUPS, group(DESCRIBE)),
            row(Apis.LIST_GROUPS, new Right(DESCRIBE, GROUP, NONE)),
            row(Apis.API_VERSIONS),
            row(Apis.CREATE_TOPICS, topic(CREATE), new Right(DESCRIBE_CONFIGS, TOPIC, NONE)),
            row(Apis.DELETE_TOPICS, topic(DELETE), new Right(DESCRIBE, TOPIC, NONE)),
            row(Apis.DELETE_RECORDS, topic(DELETE)),
            row(Apis.INIT_PRODUCER_ID, cluster(IDEMPOTENT_WRITE)),
            row(Apis.OFFSET_FOR_LEADER_EPOCH, topic(DESCRIBE)),
            row(Apis.DESCRIBE_ACLS, cluster(DESCRIBE)),
            row(Apis.CREATE_ACLS, cluster(ALTER)),
            row(Apis.DELETE_ACLS, cluster(ALTER)),
            row(Apis.DESCRIBE_CONFIGS, topic(DESCRIBE_CONFIGS), cluster(DESCRIBE_CONFIGS)),
            row(Apis.ALTER_CONFIGS, topic(ALTER_CONFIGS)),
            row(Apis.ALTER_REPLICA_LOG_DIRS, cluster(ALTER)),
            row(Apis.DESCRIBE_LOG_DIRS, cluster(DESCRIBE)),
            row(Apis.CREATE_PARTITIONS, topic(ALTER)),
            row(Apis.DELETE_GROUPS, group(DELETE)),
            row(Apis.ELECT_LEADERS, cluster(ALTER)),
            row(Apis.INCREMENTAL_ALTER_CONFIGS, topic(ALTER_CONFIGS)),
            row(Apis.ALTER_PARTITION_REASSIGNMENTS, cluster(ALTER)),
            row(Apis.LIST_PARTITION_REASSIGNMENTS, cluster(DESCRIBE)),
            row(Apis.OFFSET_DELETE, group(DELETE), topic(READ)),
            row(Apis.DESCRIBE_CLIENT_QUOTAS, cluster(DESCRIBE_CONFIGS)),
            row(Apis.ALTER_CLIENT_QUOTAS, cluster(ALTER_CONFIGS)),
            row(Apis.DESCRIBE_USER_SCRAM_CREDENTIALS, cluster(DESCRIBE)),
            row(Apis.ALTER_USER_SCRAM_CREDENTIALS, cluster(ALTER)),
            row(Apis.UPDATE_FEATURES, cluster(ALTER)),
            row(Apis.ENVELOPE, cluster(Operation.CLUSTER_ACTION)),
            row(Apis.DESCRIBE_CLUSTER),
            row(Apis.DESCRIBE_PRODUCERS, topic(READ)),
            row(Apis.UNREGISTER_BROKER, cluster(ALTER)),
            row(Apis.LIST_CONFIG_RESOURCES, cluster(DESCRIBE_CONFIGS)),
            row(Apis.DESCRIBE_TOPIC_PARTITIONS, topic(DESCRIBE)));

    /** Who logs in has no rights yet, and needs none. */
    private static final Set<Short> LOGIN = Set.of(Apis.SASL_HANDSHAKE, Apis.SASL_AUTHENTICATE);

    /** APIs that show which operations the client may do. */
    private static final Set<Short> OPERATIONS =
            Set.of(Apis.METADATA, Apis.DESCRIBE_GROUPS, Apis.DESCRIBE_CLUSTER, Apis.DESCRIBE_TOPIC_PARTITIONS);

    /** Rights to the cluster that stand for rights to its topics. */
    private static final Set<Action> STAND_FOR_OTHERS = Set.of(
            Action.onCluster(CREATE), Action.onCluster(Operation.CLUSTER_ACTION), Action.onCluster(IDEMPOTENT_WRITE));

    /** Calls that change nothing, and of whose outcome a client without rights gets nothing. */
    private static final Set<String> HARMLESS = Set.of("controllerId", "broker", "list", "repeatedFetch");

    private static final String HIDDEN = "hidden";
    private static final Pattern ERROR = Pattern.compile("[eE]rrorCode=(-?\\d+)");

    @Test
    void everyApiIsInTheTable() {
        assertThat(TABLE)
                .extracting(Row::key)
                .containsExactlyElementsOf(Apis.all().stream()
                        .filter(api -> api.expected() || api.ofBrokers())
                        .map(Api::key)
                        .filter(key -> !LOGIN.contains(key))
                        .toList());
    }

    @TestFactory
    List<DynamicTest> withoutRightsNothingIsDoneOrShown() {
        return forEveryVersion((row, version, node) -> {
            ApiMessage request = node.request(row, version);
            node.authorization.allow(action -> false);

            String answer = node.answer(row, request, version);

            if (!row.rights().isEmpty() && row.rights().get(0).without() != NONE) {
                assertThat(errors(answer)).contains(row.rights().get(0).without());
            }
            assertThat(node.calls()).isSubsetOf(HARMLESS);
            assertThat(answer).doesNotContain("secret", HIDDEN, "'Stable'", "connect", node.hiddenId());
        });
    }

    @TestFactory
    List<DynamicTest> theAuditLogHasADenialIfAndOnlyIfTheClientIsRefused() {
        return forEveryVersion((row, version, node) -> {
            node.authorization.allow(action -> false);

            Set<ErrorCode> errors = errors(node.answer(row, node.request(row, version), version));

            boolean isRefused = errors.stream().anyMatch(error -> error.name().endsWith("AUTHORIZATION_FAILED"));
            assertThat(!node.authorization.denied.isEmpty()).isEqualTo(isRefused);
        });
    }

    @TestFactory
    List<DynamicTest> theAuditLogHasNoChangeIfTheClientOnlyLooks() {
        return forEveryVersion((row, version, node) -> {
            node.authorization.allow(action -> true);

            node.answer(row, node.request(row, version), version);

            assertThat(node.authorization.denied).isEmpty();
            assertThat(node.authorization.permitted)
                    .allMatch(action -> granting(row).test(action) || STAND_FOR_OTHERS.contains(action));
        });
    }

    @TestFactory
    List<DynamicTest> withAllRightsARequestIsAnsweredAsWithoutAnAuthorizer() {
        return forEveryVersion((row, version, node) -> {
            try (Node open = new Node()) {
                String wanted = open.answer(row, open.request(row, version), version);
                node.authorization.allow(granting(row));

                String answer = node.answer(row, node.request(row, version), version);

                if (!needsAnAuthorizer(row)) {
                    assertThat(comparable(answer)).isEqualTo(comparable(wanted));
                    assertThat(node.deeds()).isEqualTo(open.deeds());
                }
                assertThat(errors(answer)).noneMatch(error -> error.name().endsWith("AUTHORIZATION_FAILED"));
                assertThat(node.authorization.asked).allMatch(action -> isInTheTable(row, action));
            }
        });
    }

    @TestFactory
    List<DynamicTest> whatTheControllerIsAskedForIsAskedByTheClient() {
        Set<String> ofController = Arrays.stream(Admin.class.getMethods())
                .filter(method -> method.getReturnType() == CompletionStage.class)
                .map(Method::getName)
                .filter(method -> !isOfGroupsToo(method))
                .collect(Collectors.toSet());
        return forEveryVersion((row, version, node) -> {
            node.authorization.allow(action -> true);

            node.answer(row, node.request(row, version), version);

            long asked = node.calls().stream().filter(ofController::contains).count();
            assertThat(node.admin.requesters).hasSize((int) asked);
        });
    }

    private static boolean isOfGroupsToo(String method) {
        return Arrays.stream(Groups.class.getMethods()).map(Method::getName).anyMatch(method::equals);
    }

    @TestFactory
    List<DynamicTest> withoutOneOfItsRightsARequestGetsTheErrorOfThatRight() {
        return forEveryVersion((row, version, unused) -> {
            for (Right missing : row.rights()) {
                try (Node node = new Node()) {
                    ApiMessage request = node.request(row, version);
                    node.authorization.allow(granting(row).and(action -> !missing.is(action)));

                    String answer = node.answer(row, request, version);

                    if (missing.without() != NONE && node.wasAsked(missing)) {
                        assertThat(errors(answer)).contains(missing.without());
                    }
                }
            }
        });
    }

    @TestFactory
    List<DynamicTest> aForbiddenTopicOrGroupDoesNotFailTheOthers() {
        return forEveryVersion((row, version, node) -> {
            ApiMessage twice = TwiceRequest.of(node.request(row, version), node::renamed);
            Predicate<Action> onlyVisible = action -> !action.name().startsWith(HIDDEN);
            node.authorization.allow(granting(row).and(onlyVisible));

            String answer = node.answer(row, twice, version);

            try (Node alone = new Node()) {
                alone.answer(row, alone.request(row, version), version);
                if (!needsAnAuthorizer(row)) {
                    assertThat(node.calls()).containsAll(alone.calls());
                }
            }
            boolean isOfCluster = row.rights().stream().allMatch(right -> right.type() == CLUSTER);
            if (!isOfCluster) {
                assertThat(node.recording.calls.toString()).doesNotContain(HIDDEN);
            }
            if (node.authorization.asked.stream().anyMatch(onlyVisible.negate())) {
                assertThat(errors(answer))
                        .containsAnyElementsOf(
                                row.rights().stream().map(Right::without).toList());
            }
        });
    }

    // ---- what is allowed, and what is answered

    private static Predicate<Action> granting(Row row) {
        return action -> row.rights().stream().anyMatch(right -> right.is(action));
    }

    /** The bit fields of authorized operations ask about everything; one right to the cluster may stand for others. */
    private static boolean isInTheTable(Row row, Action action) {
        boolean ofBits = OPERATIONS.contains(row.key());
        return ofBits || action.type() == CLUSTER || granting(row).test(action);
    }

    private static boolean needsAnAuthorizer(Row row) {
        return Set.of(Apis.DESCRIBE_ACLS, Apis.CREATE_ACLS, Apis.DELETE_ACLS).contains(row.key());
    }

    private static Set<ErrorCode> errors(String answer) {
        Set<ErrorCode> errors = new HashSet<>();
        Matcher matcher = ERROR.matcher(answer);
        while (matcher.find()) {
            errors.add(ErrorCode.of(Short.parseShort(matcher.group(1))));
        }
        return errors;
    }

    private static String comparable(String answer) {
        return answer.replaceAll("[aA]uthorizedOperations=-?\\d+", "").replaceAll("sessionId=\\d+|records=[^,)]*", "");
    }

    private interface Walk {
        void at(Row row, int version, Node node) throws Exception;
    }

    private static List<DynamicTest> forEveryVersion(Walk walk) {
        List<DynamicTest> tests = new ArrayList<>();
        for (Row row : TABLE) {
            Api api = Apis.find(row.key()).orElseThrow();
            for (int version = api.from(); version <= api.to(); version++) {
                int asked = version;
                String name = ApiMessageType.fromApiKey(row.key()).name + " v" + version;
                tests.add(DynamicTest.dynamicTest(name, () -> {
                    try (Node node = new Node()) {
                        walk.at(row, asked, node);
                    }
                }));
            }
        }
        return tests;
    }

    /** The handlers over fakes with two topics, an ACL, a quota and a user; calls of the fakes are recorded. */
    private static final class Node implements AutoCloseable {
        final Recording recording = new Recording();
        final FakeAuthorization authorization = new FakeAuthorization();
        private final FakeCluster cluster = new FakeCluster();
        final FakeAdmin admin = new FakeAdmin(cluster);
        private final FakePartitions partitions = new FakePartitions();
        private final Deadlines deadlines = new Deadlines();
        private final UUID visible = cluster.topic("t", 2);
        private final UUID hidden = cluster.topic(HIDDEN, 2);

        Node() {
            partitions.lead("t", 0);
            partitions.put("t", 0, new byte[] {1, 2, 3}, 25);
            cluster.apply(
                    new MetadataRecord.AclAdded(
                            new Acl(TOPIC, "secret", Acl.Pattern.LITERAL, "User:secret", "*", READ, true)),
                    new MetadataRecord.QuotaSet(new QuotaEntity("alice", null, null), "secret", 5.0),
                    new MetadataRecord.CredentialSet(
                            "secret",
                            ScramMechanism.SCRAM_SHA_256,
                            new ScramCredential(new byte[16], new byte[32], new byte[32], 4096)));
        }

        ApiMessage request(Row row, int version) {
            return ValidRequests.of(row.key(), version, visible);
        }

        Object renamed(Object value) {
            if (TopicIds.of(visible).equals(value)) {
                return TopicIds.of(hidden);
            }
            boolean isName = Set.of("t", "g", "new", "created").contains(value);
            return isName ? HIDDEN + (value.equals("t") ? "" : "-" + value) : value;
        }

        String hiddenId() {
            return TopicIds.of(hidden).toString();
        }

        boolean wasAsked(Right right) {
            return authorization.asked.stream().anyMatch(right::is);
        }

        List<String> calls() {
            return recording.calls.stream().map(Recording.Call::method).toList();
        }

        List<String> deeds() {
            return calls().stream().filter(call -> !HARMLESS.contains(call)).toList();
        }

        /** As the client gets it: a request that fails as a whole gets the error in the form of its API. */
        String answer(Row row, ApiMessage request, int version) throws Exception {
            ServedApis served = () -> List.of(new ServedApis.Range((short) 0, (short) 0, (short) 11));
            Served api = Served.all(
                            cluster,
                            recording.of(Admin.class, admin),
                            recording.of(Partitions.class, partitions),
                            recording.of(Groups.class, new FakeGroups()),
                            recording.of(Configs.class, new FakeConfigs(cluster)),
                            deadlines,
                            served,
                            new FakeAuthentication(),
                            FakeQuotas.none(),
                            new Rights(authorization))
                    .stream()
                    .filter(one -> one.key() == row.key())
                    .findFirst()
                    .orElseThrow();
            try {
                return api.handler()
                        .handle(request, Asking.context(request, version))
                        .toCompletableFuture()
                        .orTimeout(10, TimeUnit.SECONDS)
                        .join()
                        .toString();
            } catch (CompletionException | FeliceException failure) {
                Request asked = new Request(row.key(), (short) version, 1, "client", request, 100);
                ErrorCode error = FeliceException.codeOf(failure);
                return KafkaMessages.failure(asked, error, "refused").toString();
            }
        }

        @Override
        public void close() {
            deadlines.close();
        }
    }
}
