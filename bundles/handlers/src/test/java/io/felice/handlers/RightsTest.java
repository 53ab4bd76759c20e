package io.felice.handlers;

import static io.felice.api.security.Operation.CLUSTER_ACTION;
import static io.felice.api.security.Operation.CREATE;
import static io.felice.api.security.Operation.DELETE;
import static io.felice.api.security.Operation.DESCRIBE;
import static io.felice.api.security.Operation.READ;
import static io.felice.api.security.Operation.WRITE;
import static io.felice.api.security.ResourceType.GROUP;
import static io.felice.api.security.ResourceType.TOPIC;
import static io.felice.api.security.ResourceType.TRANSACTIONAL_ID;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.Turn;
import io.felice.api.security.Action;
import io.felice.api.security.Operation;
import io.felice.protocol.RequestContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopic;
import org.apache.kafka.common.message.CreateTopicsResponseData.CreatableTopicResult;
import org.apache.kafka.common.message.DeleteTopicsRequestData;
import org.apache.kafka.common.message.DeleteTopicsRequestData.DeleteTopicState;
import org.apache.kafka.common.message.DeleteTopicsResponseData.DeletableTopicResult;
import org.apache.kafka.common.message.DescribeClusterRequestData;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchRequestData.FetchTopic;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.InitProducerIdRequestData;
import org.apache.kafka.common.message.ListGroupsRequestData;
import org.apache.kafka.common.message.ListGroupsResponseData.ListedGroup;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.message.MetadataRequestData.MetadataRequestTopic;
import org.apache.kafka.common.message.MetadataResponseData;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponseTopic;
import org.apache.kafka.common.message.OffsetFetchRequestData;
import org.apache.kafka.common.message.OffsetFetchResponseData;
import org.apache.kafka.common.message.ProduceRequestData;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What clients see and may do with some rights, and requests whose decisions come late. */
class RightsTest {
    private final FakeCluster cluster = new FakeCluster();
    private final FakeAdmin admin = new FakeAdmin(cluster);
    private final FakePartitions partitions = new FakePartitions();
    private final FakeGroups groups = new FakeGroups();
    private final FakeConfigs configs = new FakeConfigs(cluster);
    private final Deadlines deadlines = new Deadlines();
    private final UUID orders = cluster.topic("orders", 1);
    private final UUID bills = cluster.topic("bills", 1);

    @AfterEach
    void stopDeadlines() {
        deadlines.close();
    }

    private static Rights allowing(Action... actions) {
        return new Rights(FakeAuthorization.allowing(actions));
    }

    private static Action topic(io.felice.api.security.Operation operation, String name) {
        return new Action(operation, TOPIC, name);
    }

    // ---- late decisions

    @Test
    void whileADecisionIsOutLaterRequestsOfTheConnectionWaitBehindIt() {
        FakeAuthorization authorization = FakeAuthorization.allowing(new Action(READ, GROUP, "g"));
        Rights rights = new Rights(authorization);
        RequestContext context = Asking.context(new HeartbeatRequestData(), 4);
        CompletableFuture<Void> first = new CompletableFuture<>();
        List<String> answered = new ArrayList<>();

        authorization.waitFor(first);
        note(rights, context, "first", answered);
        authorization.waitFor(CompletableFuture.completedFuture(null));
        note(rights, context, "second", answered);
        note(rights, Asking.context(new HeartbeatRequestData(), 4, "EXTERNAL"), "of another connection", answered);
        first.complete(null);
        note(rights, context, "third", answered);

        assertThat(answered).containsExactly("of another connection", "first", "second", "third");
    }

    private static void note(Rights rights, RequestContext context, String name, List<String> answered) {
        rights.require(context, READ, GROUP, "g", now -> {
            answered.add(name);
            return CompletableFuture.completedFuture(null);
        });
    }

    @Test
    void aRequestIsAnsweredInItsRoundOnlyIfTheDecisionIsThereAtOnce() {
        FakeAuthorization authorization = FakeAuthorization.allowing(new Action(READ, GROUP, "g"));
        Rights rights = new Rights(authorization);
        Turn round = action -> {};
        RequestContext asked = Asking.context(new HeartbeatRequestData(), 4);
        RequestContext context =
                new RequestContext((short) 12, (short) 4, 1, "c", asked.requester(), asked.connection(), round);
        List<Turn> turns = new ArrayList<>();
        CompletableFuture<Void> gate = new CompletableFuture<>();

        rights.require(context, READ, GROUP, "g", now -> noted(turns, now.turn()));
        authorization.waitFor(gate);
        rights.require(context, READ, GROUP, "g", now -> noted(turns, now.turn()));
        gate.complete(null);

        assertThat(turns).containsExactly(round, Turn.IMMEDIATE);
    }

    private static CompletableFuture<Void> noted(List<Turn> turns, Turn turn) {
        turns.add(turn);
        return CompletableFuture.completedFuture(null);
    }

    @Test
    void aRequestThatFailsDoesNotHoldBackTheNext() {
        FakeAuthorization authorization = FakeAuthorization.allowing(new Action(READ, GROUP, "g"));
        Rights rights = new Rights(authorization);
        RequestContext context = Asking.context(new HeartbeatRequestData(), 4);
        CompletableFuture<Void> gate = new CompletableFuture<>();
        List<String> answered = new ArrayList<>();

        authorization.waitFor(gate);
        CompletableFuture<Object> broken = rights.require(context, READ, GROUP, "g", now -> {
                    throw new IllegalStateException("an accident");
                })
                .toCompletableFuture();
        note(rights, context, "second", answered);
        gate.complete(null);

        assertThat(broken).isCompletedExceptionally();
        assertThat(answered).containsExactly("second");
    }

    // ---- what clients see

    private MetadataResponseData describe(Rights rights, MetadataRequestTopic... topics) throws Exception {
        MetadataRequestData request = new MetadataRequestData()
                .setAllowAutoTopicCreation(true)
                .setTopics(topics.length == 0 ? null : List.of(topics))
                .setIncludeTopicAuthorizedOperations(true);
        return Asking.ask(new MetadataHandler(cluster, admin, configs, deadlines, rights), request, 12);
    }

    @Test
    void metadataOfAllTopicsLeavesOutWhatMayNotBeDescribed() throws Exception {
        MetadataResponseData response = describe(allowing(topic(DESCRIBE, "orders"), topic(READ, "orders")));

        assertThat(response.topics()).singleElement().satisfies(topic -> {
            assertThat(topic.name()).isEqualTo("orders");
            assertThat(topic.topicAuthorizedOperations()).isEqualTo(1 << DESCRIBE.code() | 1 << READ.code());
        });
    }

    @Test
    void metadataDoesNotSayWhetherAForbiddenTopicExists() throws Exception {
        Rights rights = allowing();

        MetadataResponseTopic there = describe(rights, new MetadataRequestTopic().setName("bills"))
                .topics()
                .find("bills");
        MetadataResponseTopic missing = describe(rights, new MetadataRequestTopic().setName("none"))
                .topics()
                .find("none");

        assertThat(missing.duplicate().setName("bills")).isEqualTo(there);
        assertThat(there.errorCode()).isEqualTo(ErrorCode.TOPIC_AUTHORIZATION_FAILED.code());
        assertThat(admin.asked).isEmpty();
    }

    @Test
    void metadataByIdDoesNotNameAForbiddenTopic() throws Exception {
        MetadataRequestTopic byId = new MetadataRequestTopic().setName(null).setTopicId(TopicIds.of(bills));

        MetadataResponseData response = describe(allowing(topic(DESCRIBE, "orders")), byId);

        assertThat(response.topics()).singleElement().satisfies(topic -> {
            assertThat(topic.name()).isNull();
            assertThat(topic.errorCode()).isEqualTo(ErrorCode.TOPIC_AUTHORIZATION_FAILED.code());
            assertThat(topic.partitions()).isEmpty();
        });
    }

    @Test
    void metadataCreatesATopicForWhomMayCreateItOrEveryTopic() throws Exception {
        MetadataRequestTopic wanted = new MetadataRequestTopic().setName("new");

        MetadataResponseData refused = describe(allowing(topic(DESCRIBE, "new")), wanted);
        assertThat(refused.topics().find("new").errorCode()).isEqualTo(ErrorCode.TOPIC_AUTHORIZATION_FAILED.code());
        assertThat(admin.asked).isEmpty();

        describe(allowing(topic(DESCRIBE, "new"), topic(CREATE, "new")), wanted);
        describe(
                allowing(topic(DESCRIBE, "new2"), Action.onCluster(CREATE)),
                wanted.duplicate().setName("new2"));

        assertThat(admin.asked).contains("new", "new2");
    }

    @Test
    void theOperationsOnTheClusterAreShownToWhomMayDescribeIt() throws Exception {
        DescribeClusterRequestData request =
                new DescribeClusterRequestData().setIncludeClusterAuthorizedOperations(true);
        Rights both = allowing(Action.onCluster(DESCRIBE), Action.onCluster(CREATE));
        Rights one = allowing(Action.onCluster(CREATE));

        assertThat(Asking.ask(new DescribeClusterHandler(cluster, admin, both), request, 1)
                        .clusterAuthorizedOperations())
                .isEqualTo(1 << DESCRIBE.code() | 1 << CREATE.code());
        assertThat(Asking.ask(new DescribeClusterHandler(cluster, admin, one), request, 1)
                        .clusterAuthorizedOperations())
                .isZero();
    }

    @Test
    void aClientSeesTheGroupsThatItMayDescribeAndAllIfItMayDescribeTheCluster() throws Exception {
        assertThat(groupsSeen(allowing(new Action(DESCRIBE, GROUP, "connect")))).containsExactly("connect");
        assertThat(groupsSeen(allowing(Action.onCluster(DESCRIBE)))).containsExactly("g", "connect");
    }

    private List<String> groupsSeen(Rights rights) throws Exception {
        return Asking.ask(new ListGroupsHandler(groups, rights), new ListGroupsRequestData(), 4).groups().stream()
                .map(ListedGroup::groupId)
                .toList();
    }

    @Test
    void allOffsetsOfAGroupAreThoseOfTopicsThatMayBeDescribed() throws Exception {
        OffsetFetchRequestData request =
                new OffsetFetchRequestData().setGroupId("g").setTopics(null);
        Action group = new Action(DESCRIBE, GROUP, "g");

        OffsetFetchResponseData without =
                Asking.ask(new OffsetFetchHandler(groups, cluster, allowing(group)), request, 7);
        OffsetFetchResponseData with =
                Asking.ask(new OffsetFetchHandler(groups, cluster, allowing(group, topic(DESCRIBE, "t"))), request, 7);

        assertThat(without.topics()).isEmpty();
        assertThat(with.topics()).hasSize(1);
    }

    // ---- changes

    @Test
    void whoMayNotDescribeConfigsCreatesATopicAndSeesNoConfigs() throws Exception {
        CreateTopicsRequestData request = new CreateTopicsRequestData().setTimeoutMs(1000);
        request.topics()
                .add(new CreatableTopic().setName("new").setNumPartitions(3).setReplicationFactor((short) 1));
        CreatableTopicResult result = create(request, allowing(Action.onCluster(CREATE)));

        assertThat(result.errorCode()).isZero();
        assertThat(result.topicConfigErrorCode()).isEqualTo(ErrorCode.TOPIC_AUTHORIZATION_FAILED.code());
        assertThat(result.configs()).isEmpty();
        assertThat(result.numPartitions()).isEqualTo(-1);

        Rights both = allowing(Action.onCluster(CREATE), topic(Operation.DESCRIBE_CONFIGS, "new"));
        assertThat(create(request, both).topicConfigErrorCode()).isZero();
        assertThat(create(request, both).numPartitions()).isEqualTo(3);
    }

    private CreatableTopicResult create(CreateTopicsRequestData request, Rights rights) throws Exception {
        return Asking.ask(
                        new CreateTopicsHandler(admin, cluster, configs, deadlines, rights, FakeQuotas.none()),
                        request,
                        7)
                .topics()
                .find("new");
    }

    @Test
    void aTopicThatMayNotBeDeletedIsNamedOnlyToWhomMayDescribeIt() throws Exception {
        assertThat(delete(allowing(), bills)).satisfies(result -> {
            assertThat(result.name()).isNull();
            assertThat(result.errorCode()).isEqualTo(ErrorCode.TOPIC_AUTHORIZATION_FAILED.code());
        });
        assertThat(delete(allowing(topic(DESCRIBE, "bills")), bills).name()).isEqualTo("bills");
        assertThat(delete(allowing(topic(DELETE, "bills")), bills).name()).isNull();
        assertThat(admin.asked).isEmpty();
        assertThat(delete(allowing(topic(DELETE, "bills"), topic(DESCRIBE, "bills")), bills)
                        .errorCode())
                .isZero();
    }

    private DeletableTopicResult delete(Rights rights, UUID id) throws Exception {
        DeleteTopicsRequestData request = new DeleteTopicsRequestData()
                .setTimeoutMs(1000)
                .setTopics(List.of(new DeleteTopicState().setName(null).setTopicId(TopicIds.of(id))));
        return Asking.ask(
                        new DeleteTopicsHandler(admin, cluster, configs, deadlines, rights, FakeQuotas.none()),
                        request,
                        6)
                .responses()
                .iterator()
                .next();
    }

    @Test
    void whoMayWriteToSomeTopicGetsAProducerId() throws Exception {
        InitProducerIdRequestData request = new InitProducerIdRequestData().setTransactionalId(null);

        assertThat(Asking.ask(new InitProducerIdHandler(partitions, allowing(topic(WRITE, "*"))), request, 4)
                        .errorCode())
                .isZero();
        assertThat(Asking.ask(new InitProducerIdHandler(partitions, allowing(topic(READ, "*"))), request, 4)
                        .errorCode())
                .isEqualTo(ErrorCode.CLUSTER_AUTHORIZATION_FAILED.code());
    }

    @Test
    void aTransactionalProducerNeedsTheRightToItsId() {
        ProduceRequestData request =
                new ProduceRequestData().setAcks((short) -1).setTransactionalId("tx");
        ProduceHandler handler = new ProduceHandler(partitions, cluster, allowing());

        assertThatThrownBy(() -> handler.handle(request, Asking.context(request, 11)))
                .isInstanceOfSatisfying(FeliceException.class, refused -> assertThat(refused.code())
                        .isEqualTo(ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED));
        assertThat(new ProduceHandler(partitions, cluster, allowing(new Action(WRITE, TRANSACTIONAL_ID, "tx")))
                        .handle(request, Asking.context(request, 11)))
                .isCompleted();
    }

    @Test
    void aFollowerFetchesEveryTopicByOneRightAndNothingWithout() throws Exception {
        partitions.lead("orders", 0);

        assertThat(fetchAsFollower(allowing(Action.onCluster(CLUSTER_ACTION)))).isZero();
        assertThat(fetchAsFollower(allowing(topic(READ, "orders"))))
                .isEqualTo(ErrorCode.TOPIC_AUTHORIZATION_FAILED.code());
    }

    private short fetchAsFollower(Rights rights) throws Exception {
        FetchRequestData request = new FetchRequestData().setReplicaId(3).setMaxWaitMs(0);
        request.topics()
                .add(new FetchTopic().setTopic("orders").setPartitions(List.of(ValidRequests.fetchPartition(0))));
        FetchSessions sessions = new FetchSessions(new FetchSessions.Limits(1, 1, 1), () -> 0, () -> 1);
        return Asking.ask(new FetchHandler(partitions, cluster, configs, rights, sessions), request, 12)
                .responses()
                .get(0)
                .partitions()
                .get(0)
                .errorCode();
    }

    @Test
    void aTopicThatAppearsWhileADecisionIsOutIsNotShown() {
        FakeAuthorization authorization = new FakeAuthorization().allow(action -> true);
        CompletableFuture<Void> gate = new CompletableFuture<>();
        authorization.waitFor(gate);
        MetadataHandler handler = new MetadataHandler(cluster, admin, configs, deadlines, new Rights(authorization));
        MetadataRequestData all = new MetadataRequestData().setTopics(null);

        CompletableFuture<MetadataResponseData> answer =
                handler.handle(all, Asking.context(all, 12)).toCompletableFuture();
        cluster.topic("new", 1);
        gate.complete(null);

        assertThat(Optional.ofNullable(answer.join().topics().find("new"))).isEmpty();
        assertThat(answer.join().topics().find("orders").topicId()).isEqualTo(TopicIds.of(orders));
    }
}
