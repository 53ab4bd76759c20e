package io.felice.broker.partition;

import static io.felice.broker.partition.Bench.eventually;
import static io.felice.broker.partition.Bench.get;
import static io.felice.broker.partition.Bench.produce;
import static io.felice.broker.partition.Bench.refused;
import static io.felice.testkit.TestBatches.batch;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.ErrorCode;
import io.felice.api.partition.Partition.Appended;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An engine that settles on a thread of its own, after {@code settle} has returned. */
class LateSettleTest {
    @TempDir
    Path directory;

    private Bench bench;
    private LeaderPartition partition;

    @BeforeEach
    void setUp() {
        bench = new Bench(directory);
        partition = bench.open(0);
        get(produce(partition, batch(1)));
        bench.engine.settlesAtOnce = false;
    }

    @AfterEach
    void tearDown() {
        bench.close();
    }

    private CompletableFuture<Void> nextSettle() {
        return bench.engine.pendingSettles.remove();
    }

    private static boolean isAnswered(CompletionStage<Appended> append) {
        return append.toCompletableFuture().isDone();
    }

    @Test
    void anAppendIsAnsweredAndVisibleWhenItsSettleEnds() {
        CompletionStage<Appended> append = produce(partition, batch(2));
        assertThat(isAnswered(append)).isFalse();
        assertThat(partition.highWatermark()).isEqualTo(1);

        nextSettle().complete(null);

        assertThat(get(append).baseOffset()).isEqualTo(1);
        assertThat(partition.highWatermark()).isEqualTo(3);
    }

    @Test
    void whatIsAppendedDuringASettleWaitsForOneMore() {
        CompletionStage<Appended> first = produce(partition, batch(1));
        List<CompletionStage<Appended>> meanwhile = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            meanwhile.add(produce(partition, batch(1)));
        }
        assertThat(bench.engine.pendingSettles).hasSize(1);

        nextSettle().complete(null);

        assertThat(isAnswered(first)).isTrue();
        assertThat(meanwhile).noneMatch(LateSettleTest::isAnswered);
        assertThat(bench.engine.pendingSettles).hasSize(1);
        nextSettle().complete(null);
        assertThat(meanwhile).allMatch(LateSettleTest::isAnswered);
        assertThat(bench.engine.pendingSettles).isEmpty();
    }

    @Test
    void aSettleThatFailsEndsTheLogAndFailsEveryWaitingAppend() {
        CompletionStage<Appended> first = produce(partition, batch(1));
        CompletionStage<Appended> second = produce(partition, batch(1));

        nextSettle().completeExceptionally(new IOException("said by a test"));

        refused(ErrorCode.KAFKA_STORAGE_ERROR, () -> get(first));
        refused(ErrorCode.KAFKA_STORAGE_ERROR, () -> get(second));
        assertThat(partition.highWatermark()).isEqualTo(1);
        assertThat(bench.dead).containsExactly(partition.log());
    }

    @Test
    void aSettleThatWasAskedForBeforeATruncationDoesNotCountAfterIt() {
        produce(partition, batch(9));
        OpenedLog log = partition.log();
        partition.resign();
        log.become(() -> {
            log.truncateTo(1);
            return log.follow(Bench.state(0));
        });
        eventually(() -> assertThat(log.endOffset()).isEqualTo(1));

        nextSettle().complete(null);

        LeaderPartition again = get(log.become(() -> log.lead(Bench.state(1), new BatchAdmission(), new AloneHost())));
        assertThat(again.highWatermark()).isEqualTo(1);
        CompletionStage<Appended> append = produce(again, batch(1));
        eventually(() -> assertThat(bench.engine.pendingSettles).hasSize(1));
        assertThat(isAnswered(append)).isFalse();
        nextSettle().complete(null);
        assertThat(get(append).baseOffset()).isEqualTo(1);
    }

    @Test
    void closingWaitsForTheSettleAndAnswersTheAppends() {
        CompletionStage<Appended> append = produce(partition, batch(1));
        CompletionStage<Void> closed = partition.log().close();
        eventually(() -> assertThat(bench.engine.pendingSettles).hasSize(2));
        assertThat(closed.toCompletableFuture()).isNotDone();

        nextSettle().complete(null);
        nextSettle().complete(null);

        get(closed);
        assertThat(get(append).baseOffset()).isEqualTo(1);
    }
}
