package io.felice.broker;

import static io.felice.broker.partition.Bench.ORDERS;
import static io.felice.broker.partition.Bench.TOPIC_ID;
import static io.felice.broker.partition.Bench.get;
import static io.felice.broker.partition.Bench.produce;
import static io.felice.testkit.TestBatches.batch;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.Turn;
import io.felice.api.partition.Partition;
import io.felice.api.partition.Partition.Acks;
import io.felice.api.partition.Partition.Appended;
import io.felice.api.partition.Partition.Origin;
import io.felice.broker.partition.Bench;
import io.felice.broker.partition.LeaderPartition;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AwaitedPartitionTest {
    @TempDir
    Path directory;

    private Bench bench;
    private LeaderPartition partition;
    private final AwaitedPartition awaited = new AwaitedPartition(ORDERS, TOPIC_ID, 0);
    private final AtomicInteger published = new AtomicInteger();

    @BeforeEach
    void setUp() {
        bench = new Bench(directory);
        partition = bench.open(0);
        get(produce(partition, batch(1)));
    }

    @AfterEach
    void tearDown() {
        bench.close();
    }

    private CompletionStage<Appended> ask() {
        return ask(awaited);
    }

    private static CompletionStage<Appended> ask(Partition asked) {
        return asked.append(batch(1).at(0).bytes(), Acks.ALL, Origin.CLIENT, Duration.ofSeconds(30), Turn.IMMEDIATE);
    }

    @Test
    void newCallsDoNotBlockWhileTheWaitingCallsArePassedOn() throws Exception {
        CountDownLatch beginning = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        CompletionStage<Appended> early = ask();
        bench.engine.onAppend = () -> {
            beginning.countDown();
            waitFor(goOn);
        };
        Thread opener = new Thread(() -> awaited.open(partition, published::incrementAndGet, bench.mounted));
        opener.start();
        try {
            waitFor(beginning);

            CompletionStage<Appended> meanwhile =
                    CompletableFuture.supplyAsync(this::ask).get(60, TimeUnit.SECONDS);

            assertThat(meanwhile.toCompletableFuture()).isNotDone();
            assertThat(published).hasValue(0);
            goOn.countDown();
            assertThat(get(early).baseOffset()).isEqualTo(1);
            assertThat(get(meanwhile).baseOffset()).isEqualTo(2);
        } finally {
            goOn.countDown();
            opener.join();
        }
        assertThat(published).hasValue(1);
    }

    private static void waitFor(CountDownLatch latch) {
        try {
            assertThat(latch.await(30, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException interrupted) {
            throw new IllegalStateException(interrupted);
        }
    }

    @Test
    void openingEndsAlsoIfNewCallsKeepArriving() {
        List<CompletionStage<Appended>> answers = new ArrayList<>();
        answers.add(ask());
        bench.engine.onAppend = () -> {
            if (answers.size() < 2 * AwaitedPartition.MOST_ROUNDS) {
                answers.add(ask());
            }
        };

        awaited.open(partition, published::incrementAndGet, bench.mounted);

        assertThat(published).hasValue(1);
        for (int i = 0; i < answers.size(); i++) {
            assertThat(get(answers.get(i)).baseOffset()).isEqualTo(i + 1);
        }
    }

    @Test
    void openingDoesNotWaitForAHangingDevice() {
        CountDownLatch goOn = new CountDownLatch(1);
        CompletionStage<Appended> early = ask();
        bench.engine.onSettle = () -> waitFor(goOn);
        try {
            awaited.open(partition, published::incrementAndGet, bench.mounted);

            assertThat(published).hasValue(1);
            assertThat(early.toCompletableFuture()).isNotDone();
        } finally {
            goOn.countDown();
        }
        assertThat(get(early).baseOffset()).isEqualTo(1);
    }

    @Test
    void callsAfterTheOpeningGoToThePartitionDirectly() {
        awaited.open(partition, published::incrementAndGet, bench.mounted);

        assertThat(get(ask()).baseOffset()).isEqualTo(1);
        assertThat(get(ask(partition)).baseOffset()).isEqualTo(2);
    }
}
