package io.felice.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.api.ErrorCode;
import io.felice.api.cluster.Admin.AppliedVersion;
import io.felice.api.cluster.Admin.CreatedTopic;
import io.felice.api.cluster.Admin.Decided;
import io.felice.api.cluster.PartitionState;
import io.felice.itests.rig.Java;
import io.felice.testkit.FeliceCluster;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitionReassignment;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What operators ask of the controller, while brokers go and while the controller goes. */
@Timeout(60)
class ControllerOfAClusterTest {
    private static FeliceCluster cluster;

    @BeforeAll
    static void start() {
        cluster = FeliceCluster.of(3).start();
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @AfterEach
    void bringEverybodyBack() {
        for (int id = 1; id <= 3; id++) {
            if (!cluster.running().contains(id)) {
                cluster.start(id);
            }
        }
        cluster.awaitInSync();
    }

    @Test
    void topicsAreMadeAtOtherBrokersWhileTheControllerIsKilled() {
        int controller = cluster.controller();
        int other = controller % 3 + 1;
        try (Admin admin = Clients.admin(cluster.bootstrap(other))) {
            Java.get(admin.createTopics(List.of(new NewTopic("before", 1, (short) 2)))
                    .all());
            cluster.kill(controller);

            Java.get(admin.createTopics(List.of(new NewTopic("after", 1, (short) 2)))
                    .all());

            assertThat(Java.get(admin.listTopics().names())).contains("before", "after");
        }
        assertThat(cluster.controller()).isNotEqualTo(controller);
    }

    @Test
    void aStoppedBrokerLeadsNothingBeforeItIsGoneAndStaysOutOfTheInSyncSets() {
        create("handed-over", List.of(2, 3));
        Clients.write(cluster.bootstrap(), "handed-over", Java.numbered("record", 100));

        cluster.stop(2);

        assertThat(state("handed-over").leader()).isEqualTo(3);
        assertThat(state("handed-over").isr()).containsExactly(3);
        assertThat(state("handed-over").recovering()).isFalse();
        assertThat(Java.values(cluster.bootstrap(), "handed-over", 0)).isEqualTo(Java.numbered("record", 100));
    }

    @Test
    void aDrainedBrokerIsRemovedAndItsTopicsHaveAllTheirRecords() throws Exception {
        create("drained", List.of(3, 1));
        Clients.write(cluster.bootstrap(), "drained", Java.numbered("record", 200));
        try (Admin admin = Clients.admin(cluster.bootstrap(1))) {
            assertThatThrownBy(() -> Java.get(admin.unregisterBroker(3).all()))
                    .hasStackTraceContaining("Broker 3 runs");

            drain(3, true);
            Java.await("broker 3 has no replicas", () -> cluster.view().topics().stream()
                    .flatMap(topic -> topic.partitions().values().stream())
                    .noneMatch(state -> state.replicas().contains(3)));
            cluster.stop(3);
            Java.get(admin.unregisterBroker(3).all());

            assertThat(cluster.view().lastRegistration(3)).isEmpty();
        }
        assertThat(state("drained").replicas()).containsExactly(2, 1);
        assertThat(Java.values(cluster.bootstrap(), "drained", 0)).isEqualTo(Java.numbered("record", 200));
        cluster.start(3);
        drain(3, false);
    }

    @Test
    void aMoveToABrokerThatIsAwayIsListedAndCancelled() {
        create("stuck", List.of(1));
        TopicPartition partition = new TopicPartition("stuck", 0);
        create("elsewhere", List.of(3));
        try (Admin admin = Clients.admin(cluster.bootstrap())) {
            Java.get(admin.alterPartitionReassignments(
                            Map.of(partition, Optional.of(new NewPartitionReassignment(List.of(1, 2, 3)))))
                    .all());
            cluster.stop(3);
            Java.get(admin.alterPartitionReassignments(
                            Map.of(partition, Optional.of(new NewPartitionReassignment(List.of(3, 2)))))
                    .all());
            assertThat(Java.get(admin.listPartitionReassignments().reassignments())
                            .get(partition)
                            .removingReplicas())
                    .containsExactly(1);

            Java.get(admin.alterPartitionReassignments(Map.of(partition, Optional.empty()))
                    .all());

            assertThat(Java.get(
                            admin.listPartitionReassignments(Set.of(partition)).reassignments()))
                    .isEmpty();
        }
        assertThat(state("stuck").replicas()).contains(1);
        assertThat(state("stuck").leader()).isIn(1, 2);
    }

    @Test
    void aControllerThatHasLostItsSessionAnswersNothingFromWhatItKnewThen() {
        int former = cluster.controller();
        io.felice.api.cluster.Admin cutOff = cluster.node(former).service(io.felice.api.cluster.Admin.class);
        cluster.cutOff(former);
        create(cluster.bootstrap(former % 3 + 1), "made-elsewhere", List.of(former % 3 + 1));

        CompletableFuture<Decided<String, CreatedTopic>> asked = cutOff.createTopics(
                        List.of(new io.felice.api.cluster.Admin.NewTopic("made-elsewhere", 1, 1, Map.of(), Map.of())),
                        true)
                .toCompletableFuture();
        assertThat(cluster.controller()).isNotEqualTo(former);
        cluster.rejoin(former);

        assertThat(asked.join().outcomes().get("made-elsewhere").error()).isEqualTo(ErrorCode.TOPIC_ALREADY_EXISTS);
    }

    @Test
    void everyNodeKnowsWhichMetadataEachBrokerHasApplied() {
        long version = cluster.view().version();
        cluster.running().forEach(id -> report(id, version));

        cluster.running().forEach(id -> {
            Decided<Integer, AppliedVersion> all = report(id, version);
            assertThat(all.outcomes()).containsOnlyKeys(1, 2, 3);
            assertThat(all.outcomes().get(id).value().version()).isEqualTo(version);
        });
    }

    private static Decided<Integer, AppliedVersion> report(int broker, long version) {
        return cluster.node(broker)
                .service(io.felice.api.cluster.Admin.class)
                .reportApplied(broker, version)
                .toCompletableFuture()
                .join();
    }

    private static void drain(int broker, boolean begin) throws Exception {
        assertThat(cluster.node(1)
                        .service(io.felice.api.cluster.Admin.class)
                        .drain(broker, begin)
                        .toCompletableFuture()
                        .get()
                        .outcomes()
                        .get(broker)
                        .value())
                .isZero();
    }

    private static void create(String topic, List<Integer> replicas) {
        create(cluster.bootstrap(), topic, replicas);
    }

    private static void create(String bootstrap, String topic, List<Integer> replicas) {
        try (Admin admin = Clients.admin(bootstrap)) {
            Java.get(admin.createTopics(List.of(new NewTopic(topic, Map.of(0, replicas))))
                    .all());
        }
    }

    private static PartitionState state(String topic) {
        return cluster.view().topic(topic).orElseThrow().partitions().get(0);
    }
}
