package io.felice.coordinator;

import static io.felice.api.cluster.InternalTopics.CONSUMER_OFFSETS;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.cluster.MetadataRecord.PartitionChanged;
import io.felice.api.cluster.PartitionState;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;

/** The coordinator of a group is found; the offsets topic is created if it does not exist. */
class CoordinatorOfTest {
    private final Stage stage = new Stage(0);

    private CompletableFuture<Integer> find(String groupId) {
        return stage.groups.coordinatorOf(groupId).toCompletableFuture();
    }

    private static ErrorCode failureOf(CompletableFuture<Integer> found) {
        assertThat(found).isCompletedExceptionally();
        try {
            found.join();
            throw new AssertionError("it did not fail");
        } catch (CompletionException failure) {
            return FeliceException.codeOf(failure);
        }
    }

    @Test
    void groupsAreWhereKafkaPutsThem() {
        assertThat(OffsetsTopic.partitionOf("orders", 50)).isEqualTo(Math.abs("orders".hashCode()) % 50);
        assertThat("polygenelubricants".hashCode()).isEqualTo(Integer.MIN_VALUE);
        assertThat(OffsetsTopic.partitionOf("polygenelubricants", 50)).isZero();
    }

    @Test
    void theFirstSearchMakesTheTopic() {
        CompletableFuture<Integer> found = find("g");

        assertThat(found).isCompletedWithValue(FakeBroker.ID);
        assertThat(stage.broker.admin.created).singleElement().satisfies(topic -> {
            assertThat(topic.name()).isEqualTo(CONSUMER_OFFSETS);
            assertThat(topic.partitions()).isEqualTo(4);
            assertThat(topic.replicationFactor()).isEqualTo(1);
            assertThat(topic.configs())
                    .containsEntry("cleanup.policy", "compact")
                    .containsEntry("segment.bytes", "8388608")
                    .containsEntry("compression.type", "producer");
        });
    }

    @Test
    void theTopicHasAsManyReplicasAsThereAreBrokersUpToThree() {
        List<Integer> replicas = new ArrayList<>();
        for (int brokers = 1; brokers <= 4; brokers++) {
            Stage cluster = new Stage(0);
            for (int id = 2; id <= brokers; id++) {
                cluster.broker.joins(id);
            }
            cluster.groups.coordinatorOf("g");
            replicas.add(cluster.broker.admin.created.get(0).replicationFactor());
        }

        assertThat(replicas).containsExactly(1, 2, 3, 3);
    }

    @Test
    void manySearchesAtOnceMakeItOnce() {
        stage.broker.admin.slow = true;
        List<CompletableFuture<Integer>> searches = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            searches.add(find("group-" + i));
        }
        assertThat(searches).noneMatch(CompletableFuture::isDone);

        stage.broker.admin.finish();

        assertThat(searches).allSatisfy(found -> assertThat(found).isCompletedWithValue(FakeBroker.ID));
        assertThat(stage.broker.admin.created).hasSize(1);
    }

    @Test
    void aTopicThatCannotBeMadeIsTriedAgainByTheNextSearch() {
        stage.broker.admin.refusing = ErrorCode.INVALID_REPLICATION_FACTOR;
        assertThat(failureOf(find("g"))).isEqualTo(ErrorCode.COORDINATOR_NOT_AVAILABLE);
        stage.broker.admin.refusing = null;

        assertThat(find("g")).isCompletedWithValue(FakeBroker.ID);
    }

    @Test
    void aTopicThatItsEngineCannotKeepIsNotAskedForOfTheController() {
        stage.broker.unfit = ErrorCode.INVALID_CONFIG;

        assertThat(failureOf(find("g"))).isEqualTo(ErrorCode.COORDINATOR_NOT_AVAILABLE);
        assertThat(stage.broker.admin.created).isEmpty();
    }

    @Test
    void withoutAControllerThereIsNoCoordinatorYet() {
        stage.groups.unbindAdmin(stage.broker.admin);

        assertThat(failureOf(find("g"))).isEqualTo(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    }

    @Test
    void aSearchWaitsForALeaderAndNotForEver() {
        find("g");
        UUID id = stage.broker.view().topic(CONSUMER_OFFSETS).orElseThrow().topicId();
        int partition = OffsetsTopic.partitionOf("g", 4);
        PartitionState state = PartitionState.created(List.of(1), List.of(1), 1);
        stage.broker.apply(List.of(new PartitionChanged(id, partition, state.ledBy(-1, List.of(1)))));
        CompletableFuture<Integer> patient = find("g");
        CompletableFuture<Integer> impatient = find("g");
        assertThat(patient).isNotDone();

        stage.time.advance(GroupLimits.LEADER_TIMEOUT);

        assertThat(failureOf(impatient)).isEqualTo(ErrorCode.COORDINATOR_NOT_AVAILABLE);
        CompletableFuture<Integer> third = find("g");
        stage.broker.apply(List.of(new PartitionChanged(id, partition, state)));
        assertThat(third).isCompletedWithValue(1);
    }

    @Test
    void aGroupIdThatIsTooLongHasNoCoordinator() {
        assertThat(failureOf(find("g".repeat(40_000)))).isEqualTo(ErrorCode.INVALID_GROUP_ID);
    }
}
