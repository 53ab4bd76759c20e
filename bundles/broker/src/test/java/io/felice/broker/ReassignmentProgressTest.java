package io.felice.broker;

import static io.felice.broker.partition.Bench.get;
import static io.felice.testkit.TestBatches.batch;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.Turn;
import io.felice.api.cluster.PartitionState;
import io.felice.api.partition.Partition.Acks;
import io.felice.api.partition.Partition.Origin;
import io.felice.broker.partition.AloneHost;
import io.felice.broker.partition.BatchAdmission;
import io.felice.broker.partition.Bench;
import io.felice.broker.partition.LeaderPartition;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReassignmentProgressTest {
    private static final int ADDED = 2;
    private static final int RECORDS = 100;

    @TempDir
    Path directory;

    private Bench bench;
    private ReassignmentProgress progress;
    private LeaderPartition leader;

    @BeforeEach
    void setUp() {
        bench = new Bench(directory);
        progress = new ReassignmentProgress(bench.nanos::get);
        LeaderPartition opened = bench.open(3);
        leader = get(opened.log().become(() -> opened.log()
                .lead(
                        new PartitionState(List.of(0, ADDED), List.of(0), List.of(ADDED), List.of(), 0, 4, 4, false),
                        new BatchAdmission(),
                        new AloneHost())));
        for (int i = 0; i < RECORDS; i++) {
            get(leader.append(
                    batch(1).at(0).bytes(), Acks.LEADER, Origin.CLIENT, Duration.ofSeconds(30), Turn.IMMEDIATE));
        }
    }

    @AfterEach
    void tearDown() {
        bench.close();
    }

    private Object cell(String column) {
        Optional<Object> found = progress.table().rows().stream()
                .findFirst()
                .map(row -> row.get(progress.table().schema().columns().stream()
                        .map(one -> one.name())
                        .toList()
                        .indexOf(column)));
        return found.orElse("no row");
    }

    @Test
    void anAddedReplicaIsShownWithWhatIsLeftAndHowLongThatTakes() {
        progress.tick(List.of(leader));
        assertThat(cell("left.records")).isEqualTo((long) RECORDS);
        assertThat(cell("left.ms")).isEqualTo(-1L);

        for (int second = 1; second <= 4; second++) {
            bench.pass(1_000);
            leader.fetchedBy(ADDED, 100, second * 10L, 0);
            progress.tick(List.of(leader));
        }

        long bytes = leader.sizeInBytes();
        assertThat(cell("left.records")).isEqualTo(60L);
        assertThat((Long) cell("left.bytes")).isBetween(bytes * 59 / 100, bytes * 61 / 100);
        assertThat((Long) cell("rate.bytes")).isBetween(bytes * 9 / 100, bytes * 11 / 100);
        assertThat((Long) cell("left.ms")).isBetween(5_500L, 6_500L);
    }

    @Test
    void aReassignmentThatHasEndedIsShownNoMore() {
        progress.tick(List.of(leader));
        leader.update(new PartitionState(List.of(0, ADDED), List.of(0), List.of(), List.of(), 0, 4, 5, false));

        progress.tick(List.of(leader));

        assertThat(progress.table().rows()).isEmpty();
    }
}
