package io.felice.shell;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.api.TopicPartition;
import io.felice.api.cluster.BrokerRegistration;
import io.felice.api.cluster.BrokerRegistration.Endpoint;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.cluster.MetadataRecord.BrokerRegistered;
import io.felice.api.cluster.MetadataRecord.PartitionChanged;
import io.felice.api.cluster.MetadataRecord.TopicCreated;
import io.felice.api.cluster.PartitionState;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class ReplicaTargetsTest {
    private static final UUID TOPIC = new UUID(1, 1);

    private final List<MetadataRecord> records = new ArrayList<>();

    @Test
    void whatWasOnOneBrokerIsSpreadEvenlyOverTheOthersToo() {
        brokers("", "", "", "");
        Stream.generate(() -> PartitionState.created(List.of(1), List.of(1), 1))
                .limit(6)
                .forEach(this::partition);

        Map<TopicPartition, Optional<List<Integer>>> targets = targets(3);

        assertThat(targets).hasSize(6).allSatisfy((partition, target) -> assertThat(target.orElseThrow())
                .startsWith(1)
                .doesNotHaveDuplicates()
                .hasSize(3));
        for (int broker = 2; broker <= 4; broker++) {
            int id = broker;
            assertThat(targets.values())
                    .filteredOn(target -> target.orElseThrow().contains(id))
                    .hasSize(4);
        }
    }

    @Test
    void anotherRackComesFirst() {
        brokers("a", "a", "b");
        partition(PartitionState.created(List.of(1), List.of(1), 1));

        assertThat(targets(2)).containsValue(Optional.of(List.of(1, 3)));
    }

    @Test
    void inSyncReplicasStayAndTheirOrderToo() {
        brokers("", "", "");
        partition(PartitionState.created(List.of(3, 1, 2), List.of(1, 2), 1));

        assertThat(targets(2)).containsValue(Optional.of(List.of(1, 2)));
    }

    @Test
    void partitionsThatHaveSoManyAreLeftAlone() {
        brokers("", "");
        partition(PartitionState.created(List.of(2, 1), List.of(2), 2));

        assertThat(targets(2)).isEmpty();
    }

    @Test
    void moreReplicasThanBrokersAreRefused() {
        brokers("", "");
        partition(PartitionState.created(List.of(1), List.of(1), 1));

        assertThatThrownBy(() -> targets(3)).hasMessageContaining("1 to 2 replicas");
    }

    private void brokers(String... racks) {
        for (int i = 0; i < racks.length; i++) {
            int id = i + 1;
            Endpoint endpoint = new Endpoint("PLAINTEXT", "PLAINTEXT", "host" + id, 9092);
            String rack = racks[i].isEmpty() ? null : racks[i];
            records.add(new BrokerRegistered(
                    new BrokerRegistration(id, new UUID(2, id), new UUID(3, id), List.of(endpoint), rack), id));
        }
        records.add(new TopicCreated(TOPIC, "t"));
    }

    private void partition(PartitionState state) {
        long present =
                records.stream().filter(PartitionChanged.class::isInstance).count();
        records.add(new PartitionChanged(TOPIC, (int) present, state));
    }

    private Map<TopicPartition, Optional<List<Integer>>> targets(int count) {
        ClusterView view = ClusterView.EMPTY.after(1, records);
        return ReplicaTargets.of(view, view.topics(), count);
    }
}
