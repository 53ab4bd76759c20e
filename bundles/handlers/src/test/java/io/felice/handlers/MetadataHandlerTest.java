package io.felice.handlers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.api.ErrorCode;
import io.felice.api.cluster.Admin;
import io.felice.api.cluster.PartitionState;
import io.felice.api.config.ConfigResource;
import io.felice.api.security.Action;
import io.felice.api.security.Operation;
import io.felice.api.security.ResourceType;
import java.util.List;
import java.util.UUID;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.message.MetadataRequestData.MetadataRequestTopic;
import org.apache.kafka.common.message.MetadataResponseData;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponsePartition;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponseTopic;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class MetadataHandlerTest {
    private static final int LATEST = 12;

    private final FakeCluster cluster = new FakeCluster();
    private final FakeAdmin admin = new FakeAdmin(cluster);
    private final FakeConfigs configs = new FakeConfigs(cluster);
    private final Deadlines deadlines = new Deadlines();
    private final MetadataHandler handler =
            new MetadataHandler(cluster, admin, configs, deadlines, FakeAuthorization.open());

    @AfterEach
    void stopDeadlines() {
        deadlines.close();
    }

    @Test
    void aClientThatListsTopicsIsNotDeniedTheOnesThatItDoesNotSee() throws Exception {
        cluster.topic("visible", 1);
        cluster.topic("hidden", 1);
        FakeAuthorization authorization =
                FakeAuthorization.allowing(new Action(Operation.DESCRIBE, ResourceType.TOPIC, "visible"));
        MetadataHandler asking = new MetadataHandler(cluster, admin, configs, deadlines, new Rights(authorization));
        MetadataRequestData all = new MetadataRequestData().setTopics(null).setIncludeTopicAuthorizedOperations(true);

        MetadataResponseData listed = Asking.ask(asking, all, LATEST);

        assertThat(listed.topics()).extracting(MetadataResponseTopic::name).containsExactly("visible");
        assertThat(authorization.denied).isEmpty();
        assertThat(authorization.permitted).isEmpty();

        MetadataRequestData named = new MetadataRequestData()
                .setTopics(List.of(new MetadataRequestTopic().setName("hidden")))
                .setIncludeTopicAuthorizedOperations(true);
        Asking.ask(asking, named, LATEST);

        assertThat(authorization.denied).containsExactly(new Action(Operation.DESCRIBE, ResourceType.TOPIC, "hidden"));
    }

    @Test
    void brokersAreToldWithTheListenerTheClientCameThrough() throws Exception {
        MetadataRequestData request = new MetadataRequestData().setTopics(null);

        MetadataResponseData inside = Asking.ask(handler, request, LATEST);
        MetadataResponseData outside = handler.handle(request, Asking.context(request, LATEST, "EXTERNAL"))
                .toCompletableFuture()
                .get();

        assertThat(inside.brokers().find(FakeCluster.BROKER).host()).isEqualTo("inside");
        assertThat(outside.brokers().find(FakeCluster.BROKER).host()).isEqualTo("outside");
        assertThat(inside.controllerId()).isEqualTo(FakeCluster.BROKER);
        assertThat(inside.clusterId()).isEqualTo("cluster");
        assertThat(inside.brokers().find(FakeCluster.BROKER).rack()).isEqualTo("rack7");
    }

    @Test
    void noListOfTopicsMeansAllAndAnEmptyOneNoneButForVersionZero() throws Exception {
        cluster.topic("a", 1);
        cluster.topic("b", 2);
        MetadataRequestData none = new MetadataRequestData();

        assertThat(Asking.ask(handler, new MetadataRequestData().setTopics(null), LATEST)
                        .topics())
                .hasSize(2);
        assertThat(Asking.ask(handler, none, 1).topics()).isEmpty();
        assertThat(Asking.ask(handler, none, 0).topics()).hasSize(2);
    }

    @Test
    void aTopicIsToldWithItsPartitions() throws Exception {
        UUID id = cluster.topic("t", 2);

        MetadataResponseTopic topic = only(ask("t"));

        assertThat(topic.errorCode()).isZero();
        assertThat(topic.topicId()).isEqualTo(TopicIds.of(id));
        assertThat(topic.isInternal()).isFalse();
        assertThat(topic.partitions()).hasSize(2).allSatisfy(partition -> {
            assertThat(partition.leaderId()).isEqualTo(FakeCluster.BROKER);
            assertThat(partition.replicaNodes()).containsExactly(FakeCluster.BROKER);
            assertThat(partition.isrNodes()).containsExactly(FakeCluster.BROKER);
            assertThat(partition.offlineReplicas()).isEmpty();
        });
    }

    @Test
    void aTopicIsFoundByItsId() throws Exception {
        UUID id = cluster.topic("t", 1);
        MetadataRequestData request = new MetadataRequestData();
        request.topics().add(new MetadataRequestTopic().setName(null).setTopicId(TopicIds.of(id)));
        request.topics().add(new MetadataRequestTopic().setName(null).setTopicId(new Uuid(5, 5)));
        request.topics().add(new MetadataRequestTopic().setName(null).setTopicId(new Uuid(6, 6)));

        MetadataResponseData response = Asking.ask(handler, request, LATEST);

        assertThat(response.topics())
                .extracting(topic -> ErrorCode.of(topic.errorCode()))
                .containsExactly(ErrorCode.NONE, ErrorCode.UNKNOWN_TOPIC_ID, ErrorCode.UNKNOWN_TOPIC_ID);
        assertThat(response.topics()).extracting(MetadataResponseTopic::name).containsExactly("t", null, null);
    }

    @Test
    void idsBeforeVersionTwelveAreAnInvalidRequest() {
        MetadataRequestData request = new MetadataRequestData();
        request.topics().add(new MetadataRequestTopic().setName("t").setTopicId(new Uuid(5, 5)));

        assertThatThrownBy(() -> Asking.ask(handler, request, 11)).hasMessageContaining("Topic IDs are not supported");
    }

    @Test
    void aMissingTopicIsMadeWithTheBrokersDefaults() throws Exception {
        configs.with("num.partitions", "3");

        MetadataResponseTopic topic = only(ask("new"));

        assertThat(topic.errorCode()).isZero();
        assertThat(topic.partitions()).hasSize(3);
        assertThat(admin.asked).contains(new Admin.NewTopic("new", 3, 1, java.util.Map.of(), java.util.Map.of()));
    }

    @Test
    void aTopicThatCannotBeWhatTheBrokersDefaultsSayIsNotMade() throws Exception {
        configs.refuse(ConfigResource.topic("unkept"));

        MetadataResponseTopic topic = only(ask("unkept"));

        assertThat(error(topic)).isEqualTo(ErrorCode.INVALID_CONFIG);
        assertThat(admin.asked).isEmpty();
    }

    @Test
    void nothingIsMadeIfTheBrokerOrTheClientDoesNotWantIt() throws Exception {
        MetadataRequestData unwanted = request("new").setAllowAutoTopicCreation(false);
        assertThat(error(only(Asking.ask(handler, unwanted, LATEST)))).isEqualTo(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);

        configs.with("auto.create.topics.enable", "false");
        assertThat(error(only(ask("new")))).isEqualTo(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);

        assertThat(admin.asked).isEmpty();
    }

    @Test
    void internalTopicsAreNotMadeForClients() throws Exception {
        MetadataResponseTopic topic = only(ask("__consumer_offsets"));

        assertThat(error(topic)).isEqualTo(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
        assertThat(topic.isInternal()).isTrue();
        assertThat(admin.asked).isEmpty();
    }

    @Test
    void whileNothingIsCertainTheClientAsksAgain() throws Exception {
        admin.fail(ErrorCode.NOT_CONTROLLER);

        assertThat(error(only(ask("new")))).isEqualTo(ErrorCode.LEADER_NOT_AVAILABLE);
    }

    @Test
    void aTopicThatCannotBeMadeSaysWhy() throws Exception {
        admin.refuse("new", ErrorCode.INVALID_REPLICATION_FACTOR, "too few brokers");

        assertThat(error(only(ask("new")))).isEqualTo(ErrorCode.INVALID_REPLICATION_FACTOR);
    }

    @Test
    void anImpossibleNameIsNotMade() throws Exception {
        for (String name : List.of("", ".", "..", "with space", "ä", "x".repeat(250))) {
            assertThat(error(only(ask(name)))).as(name).isEqualTo(ErrorCode.INVALID_TOPIC_EXCEPTION);
        }
        assertThat(admin.asked).isEmpty();
    }

    @Test
    void aTopicAskedForTwiceIsToldOnce() throws Exception {
        cluster.topic("t", 1);
        MetadataRequestData request = request("t");
        request.topics().add(new MetadataRequestTopic().setName("t"));

        assertThat(Asking.ask(handler, request, LATEST).topics()).hasSize(1);
    }

    @Test
    void withoutALeaderThePartitionIsNotAvailable() throws Exception {
        cluster.topic(
                "t",
                1,
                PartitionState.created(List.of(7, 8), List.of(7), 7).ledBy(PartitionState.NO_LEADER, List.of(7)));

        MetadataResponsePartition partition = only(ask("t")).partitions().get(0);

        assertThat(ErrorCode.of(partition.errorCode())).isEqualTo(ErrorCode.LEADER_NOT_AVAILABLE);
        assertThat(partition.leaderId()).isEqualTo(-1);
        assertThat(partition.leaderEpoch()).isOne();
        assertThat(partition.offlineReplicas()).containsExactly(8);
    }

    @Test
    void aLeaderWithoutTheClientsListenerIsNotToBeReached() throws Exception {
        cluster.topic("t", 1);
        MetadataRequestData request = request("t");

        MetadataResponseData response = handler.handle(request, Asking.context(request, LATEST, "OTHER"))
                .toCompletableFuture()
                .get();

        assertThat(response.brokers()).isEmpty();
        assertThat(ErrorCode.of(only(response).partitions().get(0).errorCode()))
                .isEqualTo(ErrorCode.LISTENER_NOT_FOUND);
    }

    @Test
    void withoutAnAuthorizerEverythingIsAllowed() throws Exception {
        cluster.topic("t", 1);
        MetadataRequestData request =
                request("t").setIncludeTopicAuthorizedOperations(true).setIncludeClusterAuthorizedOperations(true);

        MetadataResponseData response = Asking.ask(handler, request, 8);
        MetadataResponseData unasked = Asking.ask(handler, request("t"), 8);

        assertThat(only(response).topicAuthorizedOperations()).isEqualTo(0b1101_1111_1000);
        assertThat(response.clusterAuthorizedOperations()).isEqualTo(0b1_1111_1010_0000);
        assertThat(only(unasked).topicAuthorizedOperations()).isEqualTo(Integer.MIN_VALUE);
        assertThat(unasked.clusterAuthorizedOperations()).isEqualTo(Integer.MIN_VALUE);
    }

    private MetadataResponseData ask(String topic) throws Exception {
        return Asking.ask(handler, request(topic), LATEST);
    }

    private static MetadataRequestData request(String topic) {
        MetadataRequestData request = new MetadataRequestData();
        request.topics().add(new MetadataRequestTopic().setName(topic));
        return request;
    }

    private static MetadataResponseTopic only(MetadataResponseData response) {
        assertThat(response.topics()).hasSize(1);
        return response.topics().iterator().next();
    }

    private static ErrorCode error(MetadataResponseTopic topic) {
        return ErrorCode.of(topic.errorCode());
    }
}
