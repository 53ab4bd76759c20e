package io.felice.shell;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.cluster.Admin.AppliedVersion;
import io.felice.api.cluster.BrokerRegistration;
import io.felice.api.cluster.BrokerRegistration.Endpoint;
import io.felice.api.cluster.BrokerRegistration.LastEnd;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.cluster.MetadataRecord.BrokerGone;
import io.felice.api.cluster.MetadataRecord.BrokerRegistered;
import io.felice.api.cluster.MetadataRecord.PartitionChanged;
import io.felice.api.cluster.MetadataRecord.TopicCreated;
import io.felice.api.cluster.Outcome;
import io.felice.api.cluster.PartitionState;
import io.felice.api.status.StatusTable;
import io.felice.api.status.TableSchema;
import io.felice.shell.text.Listing;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class ClusterTextTest {
    private static final UUID TOPIC = new UUID(1, 1);
    private static final ReplicaLags NO_LAGS = ReplicaLags.of(Stream.empty());

    private final List<MetadataRecord> records = new ArrayList<>(List.of(
            new BrokerRegistered(broker(1), 10),
            new BrokerRegistered(broker(2), 11),
            new BrokerRegistered(broker(3), 12)));

    private static BrokerRegistration broker(int id) {
        Endpoint endpoint = new Endpoint("PLAINTEXT", "PLAINTEXT", "host" + id, 9092);
        return new BrokerRegistration(
                id,
                new UUID(2, id),
                new UUID(3, id),
                List.of(endpoint),
                "r" + id,
                Map.of("log", Set.of(), "memory", Set.of()),
                LastEnd.STOPPED,
                Map.of("log", "1.2.0"));
    }

    private void topic(PartitionState... partitions) {
        records.add(new TopicCreated(TOPIC, "t"));
        for (int partition = 0; partition < partitions.length; partition++) {
            records.add(new PartitionChanged(TOPIC, partition, partitions[partition]));
        }
    }

    private ClusterView view() {
        return ClusterView.EMPTY.after(1, records);
    }

    private static String text(Listing listing) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        KarafTable.print(listing, new PrintStream(bytes, true, StandardCharsets.UTF_8), false, "(nothing)");
        return bytes.toString(StandardCharsets.UTF_8);
    }

    @Test
    void brokersAreShownWithWhatTheyLeadAndTheControllerIsNamed() throws IOException {
        topic(
                PartitionState.created(List.of(1, 2, 3), List.of(1, 2), 1),
                PartitionState.created(List.of(2, 3, 1), List.of(2, 3, 1), 2));
        records.add(new BrokerGone(3, 12));

        Map<Integer, Outcome<AppliedVersion>> applied =
                Map.of(1, Outcome.of(new AppliedVersion(77, 20)), 2, Outcome.of(new AppliedVersion(78, 0)));
        String[] lines =
                text(ClusterText.brokers(view(), Optional.of(2), applied)).split("\n");

        assertThat(lines[2].split("[^\\w:.]+"))
                .containsExactly("1", "live", "host1:9092", "r1", "1", "2", "0", "77", "log", "1.2.0", "memory");
        assertThat(lines[3]).contains("controller", "host2:9092");
        assertThat(lines[4].split("[^\\w:.]+"))
                .containsExactly("3", "absent", "host3:9092", "r3", "0", "2", "1", "log", "1.2.0", "memory");
    }

    @Test
    void theControllerIsShownWithTheTimeOfItsElectionIfThatIsKnown() {
        Instant elected = Instant.parse("2026-02-03T10:00:00.123Z");

        assertThat(ClusterText.controller(Optional.of(2), Optional.of(elected)))
                .isEqualTo("broker 2 is the controller since 2026-02-03T10:00:00Z");
        assertThat(ClusterText.controller(Optional.of(2), Optional.empty())).isEqualTo("broker 2 is the controller");
        assertThat(ClusterText.controller(Optional.empty(), Optional.empty())).isEqualTo("no controller is known");
    }

    @Test
    void partitionsWithoutTroubleAreNotShown() throws IOException {
        topic(PartitionState.created(List.of(1, 2), List.of(2, 1), 1));

        assertThat(text(ClusterText.attention(view(), topic -> 2, NO_LAGS))).contains("(nothing)");
        assertThat(ClusterText.summary(view())).contains("1 topics, 1 partitions, all replicas are in sync");
    }

    @Test
    void whatThisNodeKnowsOfLagsAndReassignmentsIsShownWithThePartition() throws IOException {
        topic(PartitionState.created(List.of(1, 2, 3), List.of(1), 1));
        StatusTable followers = TableSchema.of("broker.followers", "Followers")
                .label("partition", "The partition")
                .label("follower", "The follower")
                .gauge("lag", "Records")
                .gauge("lag.ms", "Time")
                .rows(List.of(
                        List.of("t-0", "2", 1500L, 12_340L),
                        List.of("t-0", "3", -1L, -1L),
                        List.of("t-1", "2", 0L, 0L)));
        StatusTable reassignments = TableSchema.of("broker.reassignments", "Reassignments")
                .label("partition", "The partition")
                .label("adding", "The broker")
                .gauge("left.bytes", "Bytes")
                .gauge("rate.bytes", "Bytes")
                .gauge("left.ms", "Time")
                .rows(List.of(List.of("t-0", "4", 12_300_000L, 1_000_000L, 12_300L)));

        ReplicaLags lags = ReplicaLags.of(Stream.of(followers, reassignments));

        assertThat(lags.of("t-0"))
                .isEqualTo("2: 1500 records, 12.3 s; 3: has not fetched; adding 4: 12.3 MB left at 1.0 MB/s, 12.3 s");
        assertThat(lags.of("t-1")).isEmpty();
        assertThat(text(ClusterText.attention(view(), topic -> 2, lags))).contains("1500 records");
    }

    @Test
    void theWorstThatCanBeSaidOfAPartitionIsShown() throws IOException {
        topic(
                PartitionState.created(List.of(1, 2, 3), List.of(1, 2), 1),
                PartitionState.created(List.of(1, 2, 3), List.of(1), 1),
                PartitionState.created(List.of(1, 2, 3), List.of(1), PartitionState.NO_LEADER));

        String[] lines =
                text(ClusterText.attention(view(), topic -> 2, NO_LAGS)).split("\n");

        assertThat(lines[2]).contains("t-0", "under-replicated");
        assertThat(lines[3]).contains("t-1", "under min.insync.replicas");
        assertThat(lines[4]).contains("t-2", "offline", "none");
        assertThat(ClusterText.summary(view())).contains("1 without a leader, 3 with fewer replicas in sync");
    }
}
