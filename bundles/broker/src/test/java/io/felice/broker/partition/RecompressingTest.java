package io.felice.broker.partition;

import static io.felice.broker.partition.Bench.get;
import static io.felice.broker.partition.Bench.produce;
import static io.felice.broker.partition.Bench.refused;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.ErrorCode;
import io.felice.api.RecordBatch;
import io.felice.api.Turn;
import io.felice.api.config.TopicConfig;
import io.felice.api.partition.Partition.Acks;
import io.felice.api.partition.Partition.Appended;
import io.felice.api.partition.Partition.Origin;
import io.felice.api.partition.Partition.ReadLimit;
import io.felice.api.storage.Records;
import io.felice.records.Batches;
import io.felice.records.RecordReader;
import io.felice.testkit.TestBatches;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Topics whose {@code compression.type} is not that of their producers. */
class RecompressingTest {
    private static final int LARGE = 100_000;

    @TempDir
    private Path directory;

    private Bench bench;

    @BeforeEach
    void setUp() {
        bench = new Bench(directory);
    }

    @AfterEach
    void tearDown() {
        bench.close();
    }

    @ParameterizedTest
    @CsvSource({"producer,0", "uncompressed,0", "gzip,1", "snappy,2", "lz4,3", "zstd,4"})
    void batchesAreStoredAsTheTopicSays(String type, int codec) {
        LeaderPartition partition =
                bench.with(TopicConfig.COMPRESSION_TYPE, type).open(0);

        get(produce(partition, TestBatches.batch(3).values("small")));
        get(produce(partition, TestBatches.batch(2).valueBytes(LARGE)));

        List<RecordBatch> stored = stored(partition);
        assertThat(stored).extracting(RecordBatch::codec).containsExactly(codec, codec);
        assertThat(stored).extracting(RecordBatch::baseOffset).containsExactly(0L, 3L);
        stored.forEach(Batches::check);
        assertThat(values(stored)).containsExactly("small", "small", "small", "v".repeat(LARGE), "v".repeat(LARGE));
    }

    @ParameterizedTest
    @CsvSource({"gzip,1,9", "lz4,1,17", "zstd,1,19"})
    void theTopicsLevelSaysHowMuchIsCompressed(String type, int least, int most) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; text.length() < LARGE; i++) {
            text.append("order ")
                    .append(i * 7919 % 5_000)
                    .append(" of customer ")
                    .append(i * 31 % 300);
        }
        bench.with(TopicConfig.COMPRESSION_TYPE, type);

        bench.with("compression." + type + ".level", least);
        get(produce(bench.open(0), TestBatches.batch(1).values(text.toString())));
        bench.with("compression." + type + ".level", most);
        LeaderPartition partition = bench.open(1);
        get(produce(partition, TestBatches.batch(1).values(text.toString())));

        List<RecordBatch> stored = stored(partition);
        assertThat(stored.get(1).sizeInBytes()).isLessThan(stored.get(0).sizeInBytes());
    }

    @Test
    void aBatchThatHasTheCodecAlreadyIsStoredAsItIs() {
        LeaderPartition gzip = bench.with(TopicConfig.COMPRESSION_TYPE, "gzip").open(0);
        get(produce(gzip, TestBatches.batch(2).valueBytes(LARGE)));
        ByteBuffer compressed = copyOf(stored(gzip).get(0));

        get(produce(gzip, copyOf(stored(gzip).get(0))));

        ByteBuffer again = copyOf(stored(gzip).get(1)).putLong(RecordBatch.BASE_OFFSET_AT, 0);
        assertThat(again).isEqualTo(compressed);
    }

    @Test
    void smallBatchesBehindALargeOneStayBehindIt() throws InterruptedException {
        LeaderPartition partition =
                bench.with(TopicConfig.COMPRESSION_TYPE, "zstd").open(0);
        CountDownLatch busy = blockTheThreads();

        CompletionStage<Appended> large =
                produce(partition, TestBatches.batch(1).valueBytes(LARGE));
        CompletionStage<Appended> small = produce(partition, TestBatches.batch(1));
        assertThat(large.toCompletableFuture()).as("the caller is not kept").isNotDone();
        assertThat(small.toCompletableFuture()).isNotDone();
        busy.countDown();

        assertThat(get(large).baseOffset()).isZero();
        assertThat(get(small).baseOffset()).isEqualTo(1);
    }

    @Test
    void smallBatchesAloneDoNotWaitForAThread() throws InterruptedException {
        LeaderPartition partition =
                bench.with(TopicConfig.COMPRESSION_TYPE, "zstd").open(0);
        CountDownLatch busy = blockTheThreads();

        assertThat(get(produce(partition, TestBatches.batch(1))).baseOffset()).isZero();

        busy.countDown();
    }

    @Test
    void theSequenceOfAnIdempotentProducerIsKept() {
        LeaderPartition partition =
                bench.with(TopicConfig.COMPRESSION_TYPE, "lz4").open(0);

        get(produce(partition, TestBatches.batch(2).valueBytes(LARGE).producer(9, 0, 0)));
        Appended again =
                get(produce(partition, TestBatches.batch(2).valueBytes(LARGE).producer(9, 0, 0)));
        get(produce(partition, TestBatches.batch(1).producer(9, 0, 2)));

        assertThat(again.baseOffset()).isZero();
        refused(
                ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
                () -> get(produce(
                        partition, TestBatches.batch(1).valueBytes(LARGE).producer(9, 0, 7))));
        assertThat(stored(partition)).extracting(RecordBatch::baseSequence).containsExactly(0, 2);
    }

    @Test
    void aBatchThatBecomesTooLargeIsRefusedAndTheNextOneIsTaken() {
        LeaderPartition gzip = bench.with(TopicConfig.COMPRESSION_TYPE, "gzip").open(0);
        get(produce(gzip, TestBatches.batch(1).valueBytes(900_000)));
        ByteBuffer compressed = copyOf(stored(gzip).get(0));
        bench.with(TopicConfig.COMPRESSION_TYPE, "uncompressed").with(TopicConfig.MAX_MESSAGE_BYTES, 800_000);
        LeaderPartition plain = bench.open(1);

        refused(ErrorCode.MESSAGE_TOO_LARGE, () -> get(produce(plain, compressed.duplicate())));

        assertThat(get(produce(plain, TestBatches.batch(1))).baseOffset()).isEqualTo(1);
    }

    @Test
    void theBrokersTimeIsStampedOnABatchThatIsCompressedAnew() {
        LeaderPartition partition = bench.with(TopicConfig.COMPRESSION_TYPE, "snappy")
                .with(TopicConfig.MESSAGE_TIMESTAMP_TYPE, "LogAppendTime")
                .open(0);

        get(produce(partition, TestBatches.batch(2).valueBytes(LARGE)));

        RecordBatch stored = stored(partition).get(0);
        Batches.check(stored);
        assertThat(stored.isLogAppendTime()).isTrue();
        assertThat(stored.maxTimestamp()).isEqualTo(Bench.START_MS);
    }

    @Test
    void whatTheCoordinatorWritesStaysAsItIs() {
        LeaderPartition partition =
                bench.with(TopicConfig.COMPRESSION_TYPE, "gzip").open(0);

        get(partition.append(
                TestBatches.batch(2).valueBytes(LARGE).at(0).bytes(),
                Acks.ALL,
                Origin.COORDINATOR,
                Duration.ofSeconds(30),
                Turn.IMMEDIATE));

        assertThat(stored(partition).get(0).codec()).isZero();
    }

    @Test
    void aBatchThatWaitedForAThreadIsRefusedWhenTheLeadershipHasEnded() throws InterruptedException {
        LeaderPartition partition =
                bench.with(TopicConfig.COMPRESSION_TYPE, "zstd").open(0);
        CountDownLatch busy = blockTheThreads();
        CompletionStage<Appended> large =
                produce(partition, TestBatches.batch(1).valueBytes(LARGE));

        partition.resign();
        busy.countDown();

        refused(ErrorCode.NOT_LEADER_OR_FOLLOWER, () -> get(large));
    }

    /** The threads are busy until the latch is counted down. */
    private CountDownLatch blockTheThreads() throws InterruptedException {
        int threads = Runtime.getRuntime().availableProcessors();
        CountDownLatch busy = new CountDownLatch(1);
        CountDownLatch begun = new CountDownLatch(threads);
        for (int i = 0; i < threads; i++) {
            bench.admission.recompression().execute(() -> {
                begun.countDown();
                try {
                    busy.await();
                } catch (InterruptedException interrupted) {
                    Thread.currentThread().interrupt();
                }
            });
        }
        begun.await();
        return busy;
    }

    private static ByteBuffer copyOf(RecordBatch batch) {
        return ByteBuffer.wrap(TestBatches.copyOf(batch)).putLong(RecordBatch.BASE_OFFSET_AT, 0);
    }

    private static List<RecordBatch> stored(LeaderPartition partition) {
        List<RecordBatch> batches = new ArrayList<>();
        try (Records records = get(partition.read(0, 10_000_000, ReadLimit.HIGH_WATERMARK))) {
            for (ByteBuffer bytes : LogScan.buffersOf(records)) {
                batches.addAll(Batches.split(bytes));
            }
        }
        return batches;
    }

    private static List<String> values(List<RecordBatch> batches) {
        List<String> values = new ArrayList<>();
        batches.forEach(batch -> RecordReader.read(batch, (offset, timestamp, key, value) -> {
            values.add(StandardCharsets.UTF_8.decode(value.duplicate()).toString());
            return true;
        }));
        return values;
    }
}
