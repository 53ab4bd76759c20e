package io.felice.broker.partition;

import static io.felice.broker.partition.Bench.get;
import static io.felice.broker.partition.Bench.produce;
import static io.felice.broker.partition.Bench.refused;
import static io.felice.testkit.TestBatches.batch;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.config.BrokerConfig;
import io.felice.api.config.TopicConfig;
import io.felice.api.partition.Partition.Appended;
import io.felice.api.partition.Partition.KnownProducer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IdempotenceTest {
    @TempDir
    Path directory;

    private Bench bench;

    @BeforeEach
    void setUp() {
        bench = new Bench(directory);
    }

    @AfterEach
    void tearDown() {
        bench.close();
    }

    @Test
    void aDuplicateIsAnsweredWithItsFirstOffsets() {
        LeaderPartition partition = bench.open(0);
        get(produce(partition, batch(2)));
        Appended first = get(produce(partition, batch(5).producer(7, 0, 0)));
        get(produce(partition, batch(2)));

        Appended second = get(produce(partition, batch(5).producer(7, 0, 0)));

        assertThat(second).isEqualTo(first);
        assertThat(partition.logEndOffset()).isEqualTo(9);
    }

    @Test
    void theProducersAreThoseOfTheRememberedBatches() {
        LeaderPartition partition = bench.open(0);
        get(produce(partition, batch(5).producer(7, 1, 0)));
        get(produce(partition, batch(2).producer(7, 1, 5)));
        get(produce(partition, batch(2)));

        assertThat(get(partition.producers())).containsExactly(new KnownProducer(7, (short) 1, 6, bench.nowMs.get()));
    }

    @Test
    void aSnapshotThatWaitedWhileTheLogFailedIsNotWritten() throws IOException {
        List<Runnable> waiting = new ArrayList<>();
        bench.background = waiting::add;
        LeaderPartition partition = bench.with(TopicConfig.SEGMENT_BYTES, 2_000).open(0);
        for (int i = 0; waiting.isEmpty(); i++) {
            get(produce(partition, batch(1).producer(7, 0, i)));
        }
        bench.engine.failing.add(Bench.ID);
        assertThat(failureOf(partition, 8, 0, 0)).isEqualTo(ErrorCode.KAFKA_STORAGE_ERROR);

        waiting.forEach(Runnable::run);

        assertThat(snapshots()).isEmpty();
    }

    @Test
    void aSnapshotOfLostRecordsIsRemoved() throws IOException {
        LeaderPartition partition = bench.open(0);
        get(produce(partition, batch(1).producer(7, 0, 0)));
        get(partition.log().close());
        Path state = directory.resolve(Bench.TOPIC_ID + "-0");
        Files.delete(state.resolve("leader-epoch-checkpoint"));
        Files.copy(snapshots().get(0), state.resolve("00000000000000000099.snapshot"));

        bench.open(1);

        assertThat(snapshots())
                .extracting(path -> path.getFileName().toString())
                .containsExactly("00000000000000000001.snapshot");
    }

    private List<Path> snapshots() throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            return files.filter(file -> file.toString().endsWith(".snapshot")).toList();
        }
    }

    @Test
    void onlyTheLastFiveBatchesAreRemembered() {
        LeaderPartition partition = bench.open(0);
        for (int i = 0; i < 6; i++) {
            get(produce(partition, batch(1).producer(7, 0, i)));
        }

        assertThat(get(produce(partition, batch(1).producer(7, 0, 1))).baseOffset())
                .isEqualTo(1);
        refused(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, () -> get(produce(partition, batch(1).producer(7, 0, 0))));
    }

    @Test
    void aGapIsOutOfOrder() {
        LeaderPartition partition = bench.open(0);
        get(produce(partition, batch(5).producer(7, 0, 0)));

        refused(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, () -> get(produce(partition, batch(5).producer(7, 0, 6))));
        refused(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, () -> get(produce(partition, batch(4).producer(7, 0, 0))));
        assertThat(get(produce(partition, batch(5).producer(7, 0, 5))).baseOffset())
                .isEqualTo(5);
    }

    @Test
    void anOlderEpochIsRefusedAndANewOneBeginsAtZero() {
        LeaderPartition partition = bench.open(0);
        get(produce(partition, batch(1).producer(7, 3, 0)));

        refused(ErrorCode.INVALID_PRODUCER_EPOCH, () -> get(produce(partition, batch(1).producer(7, 2, 1))));
        refused(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, () -> get(produce(partition, batch(1).producer(7, 4, 1))));
        assertThat(get(produce(partition, batch(1).producer(7, 4, 0))).baseOffset())
                .isEqualTo(1);
    }

    @Test
    void anUnknownProducerMayBeginAnywhere() {
        LeaderPartition partition = bench.open(0);

        assertThat(get(produce(partition, batch(1).producer(7, 0, 1234))).baseOffset())
                .isZero();
        refused(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, () -> get(produce(partition, batch(1).producer(7, 0, 1236))));
    }

    @Test
    void sequencesWrapToZero() {
        LeaderPartition partition = bench.open(0);
        get(produce(partition, batch(3).producer(7, 0, Integer.MAX_VALUE - 2)));
        assertThat(get(produce(partition, batch(1).producer(7, 0, 0))).baseOffset())
                .isEqualTo(3);
        get(produce(partition, batch(2).producer(8, 0, Integer.MAX_VALUE - 4)));

        Appended wrapping = get(produce(partition, batch(5).producer(8, 0, Integer.MAX_VALUE - 2)));

        assertThat(get(produce(partition, batch(5).producer(8, 0, Integer.MAX_VALUE - 2))))
                .isEqualTo(wrapping);
        assertThat(get(produce(partition, batch(1).producer(8, 0, 2))).baseOffset())
                .isEqualTo(11);
    }

    @Test
    void anIdleProducerExpires() {
        bench.brokerConfig.put(BrokerConfig.PRODUCER_ID_EXPIRATION_MS, "1000");
        LeaderPartition partition = bench.open(0);
        get(produce(partition, batch(1).producer(7, 0, 0)));
        bench.pass(600);
        get(produce(partition, batch(1).producer(8, 0, 0)));
        bench.pass(600);

        partition.retain();

        Bench.eventually(() -> assertThat(partition.log().producerCount()).isEqualTo(1));
        refused(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, () -> get(produce(partition, batch(1).producer(8, 0, 9))));
        assertThat(get(produce(partition, batch(1).producer(7, 0, 9))).baseOffset())
                .isEqualTo(2);
    }

    @Test
    void theLongestIdleProducersAreRemovedFirstAboveTheLimit() {
        bench.brokerConfig.put(BrokerConfig.MAX_PRODUCER_IDS_PER_PARTITION, "10");
        LeaderPartition partition = bench.open(0);
        for (int id = 0; id < 20; id++) {
            get(produce(partition, batch(1).producer(id, 0, 0)));
            get(produce(partition, batch(1).producer(0, 0, id + 1)));
        }

        assertThat(partition.log().producerCount()).isEqualTo(10);
        refused(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, () -> get(produce(partition, batch(1).producer(0, 0, 99))));
    }

    @Test
    void aNodeWithTooManyProducersGetsANewOneOnlyInThePlaceOfAnother() {
        bench.brokerConfig.put(BrokerConfig.MAX_PRODUCER_IDS, "5");
        LeaderPartition partition = bench.open(0);
        for (int id = 0; id < 7; id++) {
            get(produce(partition, batch(1).producer(id, 0, 0)));
        }
        bench.producerLimits.remembered(7);

        get(produce(partition, batch(1).producer(7, 0, 0)));
        get(produce(partition, batch(1).producer(8, 0, 0)));

        assertThat(partition.log().producerCount()).isEqualTo(7);
        assertThat(bench.producerLimits.forgotten()).isEqualTo(2);
        refused(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, () -> get(produce(partition, batch(1).producer(2, 0, 9))));
        bench.producerLimits.remembered(4);
        get(produce(partition, batch(1).producer(9, 0, 0)));
        assertThat(partition.log().producerCount()).isEqualTo(8);
    }

    @Test
    void allFiveBatchesAreKnownAfterACleanRestartWithoutReadingTheLog() {
        LeaderPartition partition = bench.open(0);
        List<Appended> answers = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            answers.add(get(produce(partition, batch(1).producer(7, 0, i))));
        }
        get(partition.log().close());

        LeaderPartition again = bench.open(1);

        for (int i = 0; i < 5; i++) {
            assertThat(get(produce(again, batch(1).producer(7, 0, i)))).isEqualTo(answers.get(i));
        }
        assertThat(new PartitionFiles(directory.resolve(Bench.TOPIC_ID + "-0"))
                        .newestSnapshot(5)
                        .orElseThrow()
                        .offset())
                .isEqualTo(5);
    }

    @Test
    void producersOfDeletedRecordsAreStillKnownAfterAKill() {
        LeaderPartition partition = bench.open(0);
        for (int i = 0; i < 10; i++) {
            get(produce(partition, batch(1).producer(7, 0, i)));
        }
        get(partition.deleteRecords(-1));

        LeaderPartition again = bench.open(1);

        refused(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, () -> get(produce(again, batch(1).producer(7, 0, 11))));
        assertThat(get(produce(again, batch(1).producer(7, 0, 10))).baseOffset())
                .isEqualTo(10);
    }

    @Test
    void aDuplicateIsNotAnsweredBeforeTheFirstIsDurable() {
        LeaderPartition partition =
                bench.with(TopicConfig.STORAGE_DURABILITY, "power").open(0);
        get(produce(partition, batch(1)));
        bench.engine.flushesAtOnce = false;
        var first = produce(partition, batch(1).producer(7, 0, 0));

        var second = produce(partition, batch(1).producer(7, 0, 0));

        assertThat(second.toCompletableFuture()).isNotDone();
        bench.engine.flushes.poll().complete(null);
        assertThat(get(second)).isEqualTo(get(first));
    }

    /** The expected state of a producer, with which the partition is compared. */
    private static final class Model {
        private int epoch;
        private int next;
        private final Deque<int[]> sent = new ArrayDeque<>();
        private final Map<Integer, Long> offsets = new HashMap<>();
    }

    @Test
    void everyBatchOfRandomProducersIsWrittenOnceDespiteKillsAndRestarts() {
        long seed = System.nanoTime();
        System.out.println("IdempotenceTest seed " + seed);
        Random random = new Random(seed);
        bench.with(TopicConfig.SEGMENT_BYTES, 4_000);
        int epoch = 0;
        LeaderPartition partition = bench.open(epoch);
        Map<Integer, Model> models = new HashMap<>();
        long end = 0;
        for (int step = 0; step < 3_000; step++) {
            int id = random.nextInt(8);
            Model model = models.computeIfAbsent(id, unused -> new Model());
            int dice = random.nextInt(100);
            if (dice < 55) {
                int count = 1 + random.nextInt(4);
                Appended appended = get(produce(partition, batch(count).producer(id, model.epoch, model.next)));
                assertThat(appended.baseOffset())
                        .as("seed %d step %d", seed, step)
                        .isEqualTo(end);
                model.sent.addLast(new int[] {model.next, count});
                model.offsets.put(model.next, end);
                if (model.sent.size() > Producers.REMEMBERED_BATCHES) {
                    model.sent.removeFirst();
                }
                model.next += count;
                end += count;
            } else if (dice < 80 && !model.sent.isEmpty()) {
                int[] again = new ArrayList<>(model.sent).get(random.nextInt(model.sent.size()));
                Appended appended = get(produce(partition, batch(again[1]).producer(id, model.epoch, again[0])));
                assertThat(appended.baseOffset())
                        .as("seed %d step %d", seed, step)
                        .isEqualTo(model.offsets.get(again[0]));
            } else if (dice < 90 && !model.sent.isEmpty()) {
                ErrorCode code = failureOf(partition, id, model.epoch, model.next + 1 + random.nextInt(5));
                assertThat(code).as("seed %d step %d", seed, step).isEqualTo(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER);
            } else if (dice < 93 && !model.sent.isEmpty()) {
                model.epoch++;
                model.next = 0;
                model.sent.clear();
                model.offsets.clear();
                Appended appended = get(produce(partition, batch(1).producer(id, model.epoch, 0)));
                model.sent.addLast(new int[] {0, 1});
                model.offsets.put(0, appended.baseOffset());
                model.next = 1;
                end++;
                assertThat(failureOf(partition, id, model.epoch - 1, 0)).isEqualTo(ErrorCode.INVALID_PRODUCER_EPOCH);
            } else if (dice < 96) {
                partition = bench.open(++epoch);
            } else if (dice < 98) {
                get(partition.log().close());
                partition = bench.open(++epoch);
            }
            assertThat(partition.logEndOffset())
                    .as("seed %d step %d", seed, step)
                    .isEqualTo(end);
        }
    }

    private static ErrorCode failureOf(LeaderPartition partition, int id, int epoch, int sequence) {
        try {
            get(produce(partition, batch(1).producer(id, epoch, sequence)));
            return ErrorCode.NONE;
        } catch (FeliceException refused) {
            return refused.code();
        }
    }
}
