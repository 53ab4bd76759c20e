package io.felice.records;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.RecordBatch;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Batches that kafka-clients compressed, compressed anew, and read by kafka-clients. */
class RecompressionTest {
    private static final int NO_LIMIT = Integer.MAX_VALUE;
    private static final RecordWalk.Visitor IGNORED = (index, timestamp, hasKey) -> {};

    private final RecordWalk walk = new RecordWalk();

    static Stream<Arguments> pairsOfCodecs() {
        return Stream.of(CompressionType.values())
                .flatMap(from -> Stream.of(CompressionType.values()).map(to -> Arguments.of(from, to)));
    }

    @ParameterizedTest
    @MethodSource("pairsOfCodecs")
    void recordsAndHeaderStayWhateverTheCodecs(CompressionType from, CompressionType to) {
        long seed = new Random().nextLong();
        System.out.println("RecompressionTest seed " + seed);
        Random random = new Random(seed);
        for (int round = 0; round < 10; round++) {
            RecordBatch batch = batch(from, random);
            batch.stamp(random.nextInt(1_000_000), 7);
            byte[] before = bytesOf(batch);

            RecordBatch after = recompressed(batch, new Codec(to.id, level(to)), NO_LIMIT);

            assertThat(bytesOf(batch)).as("the produced bytes, seed %s", seed).isEqualTo(before);
            assertThat(after.codec()).isEqualTo(to.id);
            Batches.check(after);
            assertThat(headerOf(after)).as("seed %s", seed).isEqualTo(headerOf(batch));
            assertThat(recordsOf(after)).as("seed %s", seed).isEqualTo(recordsOf(batch));
        }
    }

    @Test
    void aHigherLevelCompressesMore() {
        StringBuilder text = new StringBuilder();
        Random random = new Random(1);
        while (text.length() < 200_000) {
            text.append("order ")
                    .append(random.nextInt(5_000))
                    .append(" of customer ")
                    .append(random.nextInt(300));
        }
        RecordBatch batch =
                of(CompressionType.NONE, new SimpleRecord(text.toString().getBytes()));

        for (CompressionType type : List.of(CompressionType.GZIP, CompressionType.LZ4, CompressionType.ZSTD)) {
            int least = recompressed(batch, new Codec(type.id, 1), NO_LIMIT).sizeInBytes();
            int most = recompressed(batch, new Codec(type.id, type == CompressionType.LZ4 ? 17 : 9), NO_LIMIT)
                    .sizeInBytes();

            assertThat(most).as(type.name).isLessThan(least);
        }
    }

    @Test
    void aBatchThatBecomesLargerThanTheLimitIsRefusedBeforeItsMemoryIsTaken() {
        RecordBatch zeros = of(CompressionType.ZSTD, new SimpleRecord(new byte[100_000_000]));
        assertThat(zeros.sizeInBytes()).isLessThan(20_000);

        refused(ErrorCode.MESSAGE_TOO_LARGE, () -> recompressed(zeros, new Codec(0, 0), 1_000_000));
        refused(ErrorCode.MESSAGE_TOO_LARGE, () -> recompressed(zeros, new Codec(3, 9), 100_000));
    }

    @Test
    void aBatchOfExactlyTheLimitIsWrittenAndOneByteLessRefusesIt() {
        RecordBatch batch = of(CompressionType.GZIP, new SimpleRecord(new byte[50_000]));
        int size = recompressed(batch, new Codec(0, 0), NO_LIMIT).sizeInBytes();

        assertThat(recompressed(batch, new Codec(0, 0), size).sizeInBytes()).isEqualTo(size);
        refused(ErrorCode.MESSAGE_TOO_LARGE, () -> recompressed(batch, new Codec(0, 0), size - 1));
    }

    @ParameterizedTest
    @MethodSource("pairsOfCodecs")
    void aDamagedBodyIsRefused(CompressionType from, CompressionType to) {
        RecordBatch batch = of(from, new SimpleRecord(new byte[30_000]), new SimpleRecord("last".getBytes()));
        ByteBuffer cut = ByteBuffer.wrap(bytesOf(batch));
        cut.limit(cut.limit() - 3).putInt(RecordBatch.LENGTH_AT, cut.limit() - RecordBatch.LENGTH_PREFIX_BYTES);

        refused(
                ErrorCode.INVALID_RECORD,
                () -> recompressed(RecordBatch.at(cut), new Codec(to.id, level(to)), NO_LIMIT));
    }

    @Test
    void aRecordLargerThanTheLimitIsRefused() {
        RecordBatch batch = of(CompressionType.ZSTD, new SimpleRecord(new byte[5_000]));

        assertThatThrownBy(() -> Recompression.of(batch, new Codec(1, 1), walk, 4_999, NO_LIMIT, IGNORED))
                .isInstanceOf(FeliceException.class);
    }

    private RecordBatch recompressed(RecordBatch batch, Codec codec, int mostBytes) {
        return Recompression.of(batch, codec, walk, NO_LIMIT, mostBytes, IGNORED);
    }

    private static void refused(ErrorCode code, org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOf(FeliceException.class)
                .extracting(FeliceException::codeOf)
                .isEqualTo(code);
    }

    private static int level(CompressionType type) {
        return type == CompressionType.NONE || type == CompressionType.SNAPPY ? 0 : 2;
    }

    private static RecordBatch of(CompressionType type, SimpleRecord... records) {
        return RecordBatch.at(
                MemoryRecords.withRecords(Compression.of(type).build(), records).buffer());
    }

    private static RecordBatch batch(CompressionType type, Random random) {
        MemoryRecordsBuilder builder = MemoryRecords.builder(
                ByteBuffer.allocate(1024),
                RecordBatch.MAGIC,
                Compression.of(type).build(),
                TimestampType.CREATE_TIME,
                0L,
                RecordBatch.NO_TIMESTAMP,
                random.nextInt(100),
                (short) random.nextInt(100),
                random.nextInt(100),
                false,
                -1);
        for (int count = 1 + random.nextInt(200); count > 0; count--) {
            builder.append(new SimpleRecord(
                    random.nextInt(1_000_000), bytes(random, 20), bytes(random, 2_000), headers(random)));
        }
        return RecordBatch.at(builder.build().buffer());
    }

    private static Header[] headers(Random random) {
        Header[] headers = new Header[random.nextInt(3)];
        for (int i = 0; i < headers.length; i++) {
            headers[i] = new RecordHeader("header " + i, bytes(random, 30));
        }
        return headers;
    }

    private static byte[] bytes(Random random, int most) {
        if (random.nextInt(5) == 0) {
            return null;
        }
        byte[] bytes = new byte[random.nextInt(most)];
        random.nextBytes(bytes);
        return bytes;
    }

    private static byte[] bytesOf(RecordBatch batch) {
        byte[] bytes = new byte[batch.sizeInBytes()];
        batch.copyTo(ByteBuffer.wrap(bytes), 0);
        return bytes;
    }

    private static List<Object> headerOf(RecordBatch batch) {
        return List.of(
                batch.baseOffset(),
                batch.lastOffset(),
                batch.leaderEpoch(),
                batch.attributes() - batch.codec(),
                batch.baseTimestamp(),
                batch.maxTimestamp(),
                batch.producerId(),
                batch.producerEpoch(),
                batch.baseSequence(),
                batch.recordCount());
    }

    private static List<String> recordsOf(RecordBatch batch) {
        List<String> records = new ArrayList<>();
        for (Record record : MemoryRecords.readableRecords(batch.bytes()).records()) {
            records.add(record.offset() + " " + record.timestamp() + " " + text(record.key()) + " "
                    + text(record.value()) + " " + List.of(record.headers()));
        }
        return records;
    }

    private static String text(ByteBuffer bytes) {
        return bytes == null ? "none" : bytes.remaining() + ":" + bytes.hashCode();
    }
}
