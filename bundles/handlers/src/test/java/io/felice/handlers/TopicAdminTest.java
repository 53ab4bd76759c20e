package io.felice.handlers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.Admin.NewPartitions;
import io.felice.api.cluster.Admin.NewTopic;
import io.felice.api.cluster.PartitionState;
import io.felice.api.config.ConfigResource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.AlterPartitionReassignmentsRequestData;
import org.apache.kafka.common.message.AlterPartitionReassignmentsResponseData;
import org.apache.kafka.common.message.CreatePartitionsRequestData;
import org.apache.kafka.common.message.CreatePartitionsRequestData.CreatePartitionsAssignment;
import org.apache.kafka.common.message.CreatePartitionsRequestData.CreatePartitionsTopic;
import org.apache.kafka.common.message.CreatePartitionsResponseData;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableReplicaAssignment;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopic;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopicConfig;
import org.apache.kafka.common.message.CreateTopicsResponseData;
import org.apache.kafka.common.message.CreateTopicsResponseData.CreatableTopicConfigs;
import org.apache.kafka.common.message.CreateTopicsResponseData.CreatableTopicResult;
import org.apache.kafka.common.message.DeleteTopicsRequestData;
import org.apache.kafka.common.message.DeleteTopicsRequestData.DeleteTopicState;
import org.apache.kafka.common.message.DeleteTopicsResponseData;
import org.apache.kafka.common.message.DeleteTopicsResponseData.DeletableTopicResult;
import org.apache.kafka.common.message.ElectLeadersRequestData;
import org.apache.kafka.common.message.ElectLeadersResponseData;
import org.apache.kafka.common.message.ListPartitionReassignmentsRequestData;
import org.apache.kafka.common.message.ListPartitionReassignmentsResponseData;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** CreateTopics, DeleteTopics, CreatePartitions and the reassignment of partitions. */
class TopicAdminTest {
    private static final int LATEST_CREATE = 7;
    private static final int LATEST_DELETE = 6;
    private static final int SHORT_MS = 50;

    private final FakeCluster cluster = new FakeCluster();
    private final FakeAdmin admin = new FakeAdmin(cluster);
    private final FakeConfigs configs = new FakeConfigs(cluster);
    private final Deadlines deadlines = new Deadlines();
    private final CreateTopicsHandler create =
            new CreateTopicsHandler(admin, cluster, configs, deadlines, FakeAuthorization.open(), FakeQuotas.none());
    private final DeleteTopicsHandler delete =
            new DeleteTopicsHandler(admin, cluster, configs, deadlines, FakeAuthorization.open(), FakeQuotas.none());
    private final CreatePartitionsHandler enlarge =
            new CreatePartitionsHandler(admin, cluster, deadlines, FakeAuthorization.open(), FakeQuotas.none());

    @AfterEach
    void stopDeadlines() {
        deadlines.close();
    }

    @Test
    void aTopicIsMadeAsAskedAndThenSeen() throws Exception {
        CreatableTopic topic = topic("t", 4, 1);
        topic.configs().add(new CreatableTopicConfig().setName("retention.ms").setValue("1000"));

        CreatableTopicResult result = only(create(topic));

        assertThat(admin.asked).contains(new NewTopic("t", 4, 1, Map.of(), Map.of("retention.ms", "1000")));
        assertThat(result.errorCode()).isZero();
        assertThat(result.errorMessage()).isNull();
        assertThat(result.numPartitions()).isEqualTo(4);
        assertThat(result.replicationFactor()).isEqualTo((short) 1);
        assertThat(result.topicId())
                .isEqualTo(TopicIds.of(cluster.view().topic("t").orElseThrow().topicId()));
        assertThat(result.configs())
                .extracting(
                        CreatableTopicConfigs::name, CreatableTopicConfigs::value, CreatableTopicConfigs::configSource)
                .contains(tuple("retention.ms", "1000", (byte) 1), tuple("segment.bytes", "1073741824", (byte) 5));
    }

    @Test
    void whatIsLeftOpenIsTheBrokersDefault() throws Exception {
        configs.with("num.partitions", "6").with("default.replication.factor", "2");

        create(topic("t", -1, -1));

        assertThat(admin.asked).contains(new NewTopic("t", 6, 2, Map.of(), Map.of()));
    }

    @Test
    void assignmentsTakeThePlaceOfNumbers() throws Exception {
        CreatableTopic topic = topic("t", -1, -1);
        topic.assignments()
                .add(new CreatableReplicaAssignment().setPartitionIndex(0).setBrokerIds(List.of(7)));
        CreatableTopic both = topic("both", 1, -1);
        both.assignments()
                .add(new CreatableReplicaAssignment().setPartitionIndex(0).setBrokerIds(List.of(7)));

        CreateTopicsResponseData response = create(topic, both);

        assertThat(errors(response)).containsExactly(ErrorCode.NONE, ErrorCode.INVALID_REQUEST);
        assertThat(admin.asked).contains(new NewTopic("t", 1, 1, Map.of(0, List.of(7)), Map.of()));
    }

    // ---- quotas

    @Test
    void whoIsOverTheQuotaOfChangesIsRefusedAndToldHowLongToWait() throws Exception {
        CreateTopicsHandler limited =
                new CreateTopicsHandler(admin, cluster, configs, deadlines, FakeAuthorization.open(), FakeQuotas.of(3));
        CreateTopicsRequestData request = new CreateTopicsRequestData().setTimeoutMs(1000);
        request.topics().add(topic("within", 4, 1));
        request.topics().add(topic("over", 1, 1));

        CreateTopicsResponseData response = Asking.ask(limited, request, LATEST_CREATE);

        assertThat(errors(response)).containsExactly(ErrorCode.NONE, ErrorCode.THROTTLING_QUOTA_EXCEEDED);
        assertThat(response.throttleTimeMs()).isEqualTo(FakeQuotas.WAIT_MS);
        assertThat(cluster.view().topic("over")).isEmpty();
    }

    @Test
    void aClientThatDoesNotKnowThatErrorWaitsAfterItsChange() throws Exception {
        CreateTopicsHandler limited =
                new CreateTopicsHandler(admin, cluster, configs, deadlines, FakeAuthorization.open(), FakeQuotas.of(0));
        CreateTopicsRequestData request = new CreateTopicsRequestData().setTimeoutMs(1000);
        request.topics().add(topic("old", 4, 1));

        CreateTopicsResponseData response = Asking.ask(limited, request, 5);

        assertThat(errors(response)).containsExactly(ErrorCode.NONE);
        assertThat(response.throttleTimeMs()).isEqualTo(FakeQuotas.WAIT_MS);
        assertThat(cluster.view().topic("old")).isPresent();
    }

    @Test
    void deletionsAndAddedPartitionsCountToo() throws Exception {
        UUID id = cluster.topic("t", 2);
        Mutations spent = FakeQuotas.of(-1);
        DeleteTopicsRequestData deletion = new DeleteTopicsRequestData()
                .setTimeoutMs(1000)
                .setTopics(List.of(new DeleteTopicState().setName("t").setTopicId(Uuid.ZERO_UUID)));
        CreatePartitionsRequestData addition = new CreatePartitionsRequestData().setTimeoutMs(1000);
        addition.topics()
                .add(new CreatePartitionsTopic().setName("t").setCount(3).setAssignments(null));

        assertThat(Asking.ask(
                                new DeleteTopicsHandler(
                                        admin, cluster, configs, deadlines, FakeAuthorization.open(), spent),
                                deletion,
                                LATEST_DELETE)
                        .responses()
                        .find("t")
                        .errorCode())
                .isEqualTo(ErrorCode.THROTTLING_QUOTA_EXCEEDED.code());
        assertThat(Asking.ask(
                                new CreatePartitionsHandler(admin, cluster, deadlines, FakeAuthorization.open(), spent),
                                addition,
                                3)
                        .results()
                        .get(0)
                        .errorCode())
                .isEqualTo(ErrorCode.THROTTLING_QUOTA_EXCEEDED.code());
        assertThat(cluster.view().topic(id)).isPresent();
    }

    @Test
    void oneTopicsMistakeIsItsOwn() throws Exception {
        CreatableTopic unknownConfig = topic("b", 1, 1);
        unknownConfig
                .configs()
                .add(new CreatableTopicConfig().setName("no.such").setValue("1"));
        CreatableTopic badValue = topic("c", 1, 1);
        badValue.configs()
                .add(new CreatableTopicConfig().setName("segment.bytes").setValue("many"));
        CreatableTopic nullValue = topic("d", 1, 1);
        nullValue
                .configs()
                .add(new CreatableTopicConfig().setName("segment.bytes").setValue(null));
        admin.refuse("e", ErrorCode.TOPIC_ALREADY_EXISTS, "Topic 'e' already exists.");

        CreateTopicsResponseData response = create(
                topic("a", 1, 1), unknownConfig, badValue, nullValue, topic("e", 1, 1), topic("not/valid", 1, 1));

        assertThat(errors(response))
                .containsExactly(
                        ErrorCode.NONE,
                        ErrorCode.INVALID_CONFIG,
                        ErrorCode.INVALID_CONFIG,
                        ErrorCode.INVALID_CONFIG,
                        ErrorCode.TOPIC_ALREADY_EXISTS,
                        ErrorCode.INVALID_TOPIC_EXCEPTION);
        assertThat(response.topics().find("e").errorMessage()).isEqualTo("Topic 'e' already exists.");
    }

    @Test
    void valuesThatDoNotGoTogetherAreRefused() throws Exception {
        CreatableTopic topic = topic("t", 1, 1);
        topic.configs()
                .add(new CreatableTopicConfig().setName("storage.durability").setValue("power"));
        topic.configs().add(new CreatableTopicConfig().setName("storage.engine").setValue("memory"));

        CreatableTopicResult result = only(create(topic));

        assertThat(ErrorCode.of(result.errorCode())).isEqualTo(ErrorCode.INVALID_CONFIG);
        assertThat(result.errorMessage()).isEqualTo("What is in memory does not survive a power cut");
        assertThat(admin.asked).isEmpty();
    }

    @Test
    void aTopicThatExistsIsSaidToExistWhateverElseWouldBeWrong() throws Exception {
        cluster.topic("t", 1);
        configs.refuse(ConfigResource.topic("t"));
        admin.refuse("t", ErrorCode.TOPIC_ALREADY_EXISTS, "Topic 't' already exists.");

        CreateTopicsResponseData response = create(topic("t", 1, 1));

        assertThat(errors(response)).containsExactly(ErrorCode.TOPIC_ALREADY_EXISTS);
    }

    @Test
    void aTopicNamedTwiceIsRefusedOnce() throws Exception {
        CreateTopicsResponseData response = create(topic("t", 1, 1), topic("t", 2, 1));

        assertThat(errors(response)).containsExactly(ErrorCode.INVALID_REQUEST);
        assertThat(admin.asked).isEmpty();
    }

    @Test
    void aTopicThatIsOnlyCheckedIsNotMade() throws Exception {
        CreateTopicsRequestData request = request(topic("t", 2, 1)).setValidateOnly(true);

        CreatableTopicResult result = only(Asking.ask(create, request, LATEST_CREATE));

        assertThat(result.errorCode()).isZero();
        assertThat(result.topicId()).isEqualTo(Uuid.ZERO_UUID);
        assertThat(cluster.view().topic("t")).isEmpty();
    }

    @Test
    void whatIsNotCertainInTimeHasTimedOut() throws Exception {
        admin.hang();
        UUID id = cluster.topic("t", 1);

        assertThat(errors(create(topic("new", 1, 1)))).containsExactly(ErrorCode.REQUEST_TIMED_OUT);
        assertThat(deleteErrors(delete(new DeleteTopicState().setTopicId(TopicIds.of(id)))))
                .containsExactly(ErrorCode.REQUEST_TIMED_OUT);
    }

    @Test
    void withoutAControllerClientsLookForAnother() throws Exception {
        admin.fail(ErrorCode.COORDINATOR_NOT_AVAILABLE);

        assertThat(errors(create(topic("new", 1, 1)))).containsExactly(ErrorCode.NOT_CONTROLLER);
    }

    @Test
    void topicsAreDeletedByNameOrId() throws Exception {
        UUID byId = cluster.topic("a", 1);
        cluster.topic("b", 1);

        DeleteTopicsResponseData response = delete(
                new DeleteTopicState().setTopicId(TopicIds.of(byId)),
                new DeleteTopicState().setName("b"),
                new DeleteTopicState().setName("c"),
                new DeleteTopicState().setTopicId(new Uuid(5, 5)));

        assertThat(deleteErrors(response))
                .containsExactly(
                        ErrorCode.NONE,
                        ErrorCode.NONE,
                        ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
                        ErrorCode.UNKNOWN_TOPIC_ID);
        assertThat(response.responses()).extracting(DeletableTopicResult::name).containsExactly("a", "b", "c", null);
        assertThat(cluster.view().topics()).isEmpty();
    }

    @Test
    void aTopicDeletedMeanwhileIsUnknownByTheWordItWasAskedFor() throws Exception {
        UUID id = cluster.topic("t", 1);
        admin.refuse(id, ErrorCode.UNKNOWN_TOPIC_ID, "gone");

        assertThat(deleteErrors(delete(new DeleteTopicState().setName("t"))))
                .containsExactly(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
        assertThat(deleteErrors(delete(new DeleteTopicState().setTopicId(TopicIds.of(id)))))
                .containsExactly(ErrorCode.UNKNOWN_TOPIC_ID);
    }

    @Test
    void nameAndIdTogetherAreAnInvalidRequest() {
        assertThatThrownBy(() -> delete(new DeleteTopicState().setName("t").setTopicId(new Uuid(5, 5))))
                .hasMessageContaining("can not both be specified");
    }

    @Test
    void whereDeletingIsForbiddenNothingIsDeleted() throws Exception {
        configs.with("delete.topic.enable", "false");
        cluster.topic("t", 1);
        DeleteTopicsRequestData old = new DeleteTopicsRequestData().setTopicNames(List.of("t"));

        assertThat(deleteErrors(delete(new DeleteTopicState().setName("t"))))
                .containsExactly(ErrorCode.TOPIC_DELETION_DISABLED);
        assertThat(deleteErrors(Asking.ask(delete, old, 2))).containsExactly(ErrorCode.INVALID_REQUEST);
        assertThat(cluster.view().topic("t")).isPresent();
    }

    @Test
    void topicsGetMorePartitions() throws Exception {
        cluster.topic("a", 1);
        cluster.topic("b", 1);
        CreatePartitionsRequestData request = new CreatePartitionsRequestData().setTimeoutMs(SHORT_MS);
        request.topics()
                .add(new CreatePartitionsTopic().setName("a").setCount(3).setAssignments(null));
        request.topics()
                .add(new CreatePartitionsTopic()
                        .setName("b")
                        .setCount(2)
                        .setAssignments(List.of(new CreatePartitionsAssignment().setBrokerIds(List.of(7)))));
        request.topics()
                .add(new CreatePartitionsTopic().setName("c").setCount(2).setAssignments(null));

        CreatePartitionsResponseData response = Asking.ask(enlarge, request, 3);

        assertThat(response.results())
                .extracting(result -> ErrorCode.of(result.errorCode()))
                .containsExactly(ErrorCode.NONE, ErrorCode.NONE, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
        assertThat(admin.asked)
                .contains(Map.of("a", new NewPartitions(3, List.of()), "b", new NewPartitions(2, List.of(List.of(7)))));
    }

    @Test
    void aTopicEnlargedTwiceOrWithoutAssignmentsIsRefused() throws Exception {
        cluster.topic("a", 1);
        cluster.topic("b", 1);
        CreatePartitionsRequestData request = new CreatePartitionsRequestData();
        for (int i = 0; i < 2; i++) {
            request.topics()
                    .add(new CreatePartitionsTopic().setName("a").setCount(3).setAssignments(null));
        }
        request.topics()
                .add(new CreatePartitionsTopic().setName("b").setCount(3).setAssignments(List.of()));

        assertThat(Asking.ask(enlarge, request, 3).results())
                .extracting(result -> ErrorCode.of(result.errorCode()))
                .containsExactly(ErrorCode.INVALID_REQUEST, ErrorCode.INVALID_REPLICA_ASSIGNMENT);
        assertThat(Asking.ask(enlarge, request, 3).results())
                .extracting(CreatePartitionsResponseData.CreatePartitionsTopicResult::errorMessage)
                .containsExactly(
                        "Duplicate topic name.",
                        "Attempted to add 2 additional partition(s), but only 0 assignment(s) were specified.");
    }

    @Test
    void leadersAreElectedWhereAsked() throws Exception {
        ElectLeadersHandler elect = new ElectLeadersHandler(admin, cluster, deadlines, FakeAuthorization.open());
        admin.refuse(new TopicPartition("t", 1), ErrorCode.ELECTION_NOT_NEEDED, "leads already");
        ElectLeadersRequestData request = new ElectLeadersRequestData()
                .setTopicPartitions(new ElectLeadersRequestData.TopicPartitionsCollection());
        request.topicPartitions()
                .add(new ElectLeadersRequestData.TopicPartitions().setTopic("t").setPartitions(List.of(0, 1)));

        ElectLeadersResponseData some = Asking.ask(elect, request, 2);
        ElectLeadersResponseData all = Asking.ask(elect, new ElectLeadersRequestData().setTopicPartitions(null), 2);

        assertThat(some.replicaElectionResults().get(0).partitionResult())
                .extracting(result -> result.partitionId(), result -> ErrorCode.of(result.errorCode()))
                .containsExactlyInAnyOrder(tuple(0, ErrorCode.NONE), tuple(1, ErrorCode.ELECTION_NOT_NEEDED));
        assertThat(all.replicaElectionResults().get(0).partitionResult())
                .extracting(result -> result.partitionId())
                .containsExactly(0);
    }

    @Test
    void reassignmentsAreHandedOnAndAnsweredOneByOne() throws Exception {
        AlterPartitionReassignmentsHandler reassign =
                new AlterPartitionReassignmentsHandler(admin, cluster, deadlines, FakeAuthorization.open());
        admin.refuse(new TopicPartition("t", 1), ErrorCode.NO_REASSIGNMENT_IN_PROGRESS, "none");
        AlterPartitionReassignmentsRequestData request = new AlterPartitionReassignmentsRequestData()
                .setTopics(List.of(new AlterPartitionReassignmentsRequestData.ReassignableTopic()
                        .setName("t")
                        .setPartitions(List.of(
                                new AlterPartitionReassignmentsRequestData.ReassignablePartition()
                                        .setPartitionIndex(0)
                                        .setReplicas(List.of(7)),
                                new AlterPartitionReassignmentsRequestData.ReassignablePartition()
                                        .setPartitionIndex(1)
                                        .setReplicas(null)))));

        AlterPartitionReassignmentsResponseData response = Asking.ask(reassign, request, 0);

        assertThat(response.errorCode()).isZero();
        assertThat(response.responses().get(0).partitions())
                .extracting(result -> ErrorCode.of(result.errorCode()))
                .containsExactly(ErrorCode.NONE, ErrorCode.NO_REASSIGNMENT_IN_PROGRESS);
        assertThat(admin.asked)
                .contains(Map.of(
                        new TopicPartition("t", 0), Optional.of(List.of(7)),
                        new TopicPartition("t", 1), Optional.empty()));
    }

    @Test
    void onlyPartitionsOnTheMoveAreListed() throws Exception {
        ListPartitionReassignmentsHandler list =
                new ListPartitionReassignmentsHandler(cluster, FakeAuthorization.open());
        cluster.topic("still", 1);
        cluster.topic(
                "moving", 1, new PartitionState(List.of(7, 8), List.of(7), List.of(8), List.of(7), 7, 0, 1, false));

        ListPartitionReassignmentsResponseData response =
                Asking.ask(list, new ListPartitionReassignmentsRequestData().setTopics(null), 0);

        assertThat(response.topics()).hasSize(1);
        assertThat(response.topics().get(0).name()).isEqualTo("moving");
        assertThat(response.topics().get(0).partitions().get(0).addingReplicas())
                .containsExactly(8);
    }

    private CreateTopicsResponseData create(CreatableTopic... topics) throws Exception {
        return Asking.ask(create, request(topics), LATEST_CREATE);
    }

    private static CreateTopicsRequestData request(CreatableTopic... topics) {
        CreateTopicsRequestData request = new CreateTopicsRequestData().setTimeoutMs(SHORT_MS);
        for (CreatableTopic topic : topics) {
            request.topics().add(topic);
        }
        return request;
    }

    private static CreatableTopic topic(String name, int partitions, int replicationFactor) {
        return new CreatableTopic().setName(name).setNumPartitions(partitions).setReplicationFactor((short)
                replicationFactor);
    }

    private DeleteTopicsResponseData delete(DeleteTopicState... topics) throws Exception {
        DeleteTopicsRequestData request =
                new DeleteTopicsRequestData().setTimeoutMs(SHORT_MS).setTopics(List.of(topics));
        return Asking.ask(delete, request, LATEST_DELETE);
    }

    private static CreatableTopicResult only(CreateTopicsResponseData response) {
        assertThat(response.topics()).hasSize(1);
        return response.topics().iterator().next();
    }

    private static List<ErrorCode> errors(CreateTopicsResponseData response) {
        List<ErrorCode> errors = new ArrayList<>();
        response.topics().forEach(topic -> errors.add(ErrorCode.of(topic.errorCode())));
        return errors;
    }

    private static List<ErrorCode> deleteErrors(DeleteTopicsResponseData response) {
        List<ErrorCode> errors = new ArrayList<>();
        response.responses().forEach(topic -> errors.add(ErrorCode.of(topic.errorCode())));
        return errors;
    }
}
