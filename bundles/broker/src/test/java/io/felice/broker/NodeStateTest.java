package io.felice.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.api.TopicPartition;
import io.felice.api.storage.LogId;
import io.felice.broker.partition.Epochs;
import io.felice.broker.partition.PartitionFiles;
import io.felice.broker.partition.Producers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NodeStateTest {
    @TempDir
    Path directory;

    private final Clock clock = Clock.fixed(Instant.ofEpochMilli(5_000), ZoneOffset.UTC);

    private NodeState open() throws NodeState.Refused {
        return NodeState.open(directory, 4, clock);
    }

    @Test
    void theStoreIdSurvivesARestart() throws Exception {
        UUID first;
        try (NodeState state = open()) {
            first = state.storeId();
            state.belongTo("one");
        }

        try (NodeState state = open()) {
            assertThat(state.storeId()).isEqualTo(first);
        }
    }

    @Test
    void everyLeaseIsGreaterThanTheLastEvenIfTheClockStandsStill() throws Exception {
        long first;
        try (NodeState state = open()) {
            first = state.lease();
            state.belongTo("one");
        }

        try (NodeState state = open()) {
            assertThat(state.lease()).isGreaterThan(first);
        }
    }

    @Test
    void aNodeThatNoClusterAdmittedWritesNoIds() throws Exception {
        try (NodeState state = open()) {
            state.checkCluster("one");
        }

        try (NodeState state = NodeState.open(directory, 5, clock)) {
            state.belongTo("two");
        }

        assertThat(directory.resolve("felice.properties")).content().contains("node.id=5", "cluster.id=two");
    }

    @Test
    void anotherNodesDirectoryIsRefused() throws Exception {
        try (NodeState state = open()) {
            state.belongTo("one");
        }

        assertThatThrownBy(() -> NodeState.open(directory, 5, clock))
                .isInstanceOf(NodeState.Refused.class)
                .hasMessageContaining("belongs to node 4, but broker.id is 5");
    }

    @Test
    void anotherClustersDirectoryIsRefused() throws Exception {
        try (NodeState state = open()) {
            state.belongTo("one");
        }

        try (NodeState state = open()) {
            state.belongTo("one");
            assertThatThrownBy(() -> state.belongTo("two"))
                    .isInstanceOf(NodeState.Refused.class)
                    .hasMessageContaining("belongs to cluster one, but the cluster found is two");
        }
    }

    @Test
    void aNewerFormatIsRefused() throws Exception {
        try (NodeState state = open()) {
            state.belongTo("one");
        }
        Path file = directory.resolve("felice.properties");
        Files.writeString(file, Files.readString(file).replace("format.version=1", "format.version=2"));

        assertThatThrownBy(this::open)
                .isInstanceOf(NodeState.Refused.class)
                .hasMessageContaining("has format version 2, this Felice reads up to 1");
    }

    @Test
    void aKnownNodeStartsWhereNothingCanBeWrittenAndANewOneDoesNot() throws Exception {
        makeTheDraftImpossible();
        try (NodeState state = open()) {
            assertThatThrownBy(() -> state.belongTo("one"))
                    .isInstanceOf(NodeState.Refused.class)
                    .hasMessageContaining("cannot be written");
        }
        Files.delete(directory.resolve("felice.properties.draft"));
        long first;
        try (NodeState state = open()) {
            first = state.lease();
            state.belongTo("one");
        }
        makeTheDraftImpossible();

        try (NodeState state = open()) {
            state.belongTo("one");

            assertThat(state.lease()).isGreaterThan(first);
        }
    }

    private void makeTheDraftImpossible() throws Exception {
        Files.createDirectories(directory.resolve("felice.properties.draft"));
    }

    @Test
    void highWatermarksAreKeptInKafkasFormat() throws Exception {
        Map<TopicPartition, Long> watermarks = Map.of(new TopicPartition("orders", 3), 17L);
        try (NodeState state = open()) {
            state.writeHighWatermarks(watermarks);

            assertThat(directory.resolve("replication-offset-checkpoint")).hasContent("0\n1\norders 3 17\n");
            assertThat(state.highWatermarks()).isEqualTo(watermarks);
        }
    }

    @Test
    void aDamagedHighWatermarkCheckpointIsIgnored() throws Exception {
        try (NodeState state = open()) {
            Files.writeString(directory.resolve("replication-offset-checkpoint"), "0\n2\norders 3 17\n");

            assertThat(state.highWatermarks()).isEmpty();
        }
    }

    @Test
    void theEngineOfALogIsKnownFromItsFiles() throws Exception {
        LogId id = new LogId(UUID.randomUUID(), 3, "orders");
        try (NodeState state = open()) {
            state.files(id, "mvstore").writeEpochs(List.of(new Epochs.Entry(0, 0)));
        }

        try (NodeState state = open()) {
            assertThat(state.engineOf(id)).contains("mvstore");
            state.forget(id);
            assertThat(state.engineOf(id)).isEmpty();
        }
        try (NodeState state = open()) {
            assertThat(state.engineOf(id)).isEmpty();
        }
    }

    @Test
    void producerSnapshotsAboveTheLogEndAreDeletedAndDamagedSnapshotsAreSkipped() throws Exception {
        PartitionFiles files = new PartitionFiles(directory.resolve("p"));
        Producers producers = new Producers();
        producers.appended(
                io.felice.testkit.TestBatches.batch(2).producer(9, 1, 4).at(0), 77, 10);
        files.writeSnapshot(10, producers.snapshot());
        files.writeSnapshot(20, producers.snapshot());
        assertThat(files.newestSnapshot(20).orElseThrow().offset()).isEqualTo(20);

        assertThat(files.newestSnapshot(19).orElseThrow().offset()).isEqualTo(10);

        assertThat(directory.resolve("p")).isDirectoryNotContaining("glob:**00020.snapshot");
        Files.write(directory.resolve("p").resolve(String.format("%020d.snapshot", 15)), new byte[30]);
        PartitionFiles.Snapshot found = files.newestSnapshot(19).orElseThrow();
        assertThat(found.offset()).isEqualTo(10);
        assertThat(found.producers().count()).isEqualTo(1);
    }

    @Test
    void aCopyIsTheLogOnlyFromTheRenameOfItsFilesOn() throws Exception {
        LogId id = new LogId(UUID.randomUUID(), 3, "orders");
        try (NodeState state = open()) {
            state.files(id, "log").writeEpochs(List.of(new Epochs.Entry(0, 0)));
            state.writtenIn(id, "log", Optional.empty());
            state.beginCopy(id, "mvstore");
            state.copyFiles(id, "mvstore").writeEpochs(List.of(new Epochs.Entry(0, 0)));
        }
        try (NodeState state = open()) {
            assertThat(state.engineOf(id)).contains("log");
            assertThat(state.copies()).containsEntry(id, "mvstore");
            assertThat(state.isCopyUntouched(id, "mvstore")).isTrue();
            assertThat(state.isKnown(id, "mvstore")).isTrue();
            state.copyMayTakeOver(id, "log", Optional.empty());
        }

        try (NodeState state = open()) {
            assertThat(state.engineOf(id)).contains("log");
            state.copyTakesOver(id, state.copyFiles(id, "mvstore"), "log");
            state.flushTakeOver(id);
            assertThat(state.engineOf(id)).contains("mvstore");
        }
        try (NodeState state = open()) {
            assertThat(state.engineOf(id)).contains("mvstore");
            assertThat(state.copies()).isEmpty();
            assertThat(state.left()).containsEntry(id, "log");
            state.forgetLeft(id);
        }
        try (NodeState state = open()) {
            assertThat(state.engineOf(id)).contains("mvstore");
            assertThat(state.left()).isEmpty();
            assertThat(state.files(id, "mvstore").epochs()).isPresent();
        }
    }

    private Path copyOf(LogId id) {
        return directory.resolve("copies/mvstore/" + id.topicId() + "-" + id.partition());
    }

    @Test
    void aCancelledCopyIsKnownAsSuchAfterARestart() throws Exception {
        LogId id = new LogId(UUID.randomUUID(), 3, "orders");
        try (NodeState state = open()) {
            state.beginCopy(id, "mvstore");
            state.cancelCopy(id);
        }

        try (NodeState state = open()) {
            assertThat(state.isCopyCancelled(id, "mvstore")).isTrue();
            state.dropCopy(id);
            assertThat(state.copies()).isEmpty();
        }
        assertThat(copyOf(id)).doesNotExist();
    }
}
