package io.felice.broker.partition;

import static io.felice.broker.partition.Bench.refused;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.RecordBatch;
import io.felice.api.RecordError;
import io.felice.api.config.TopicConfig;
import io.felice.api.partition.Partition.Origin;
import io.felice.records.Batches;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Batches whose body does not match their header, and records that a topic refuses. */
class BatchAdmissionTest {
    private static final long NOW = 1_700_000_000_000L;

    private final BatchAdmission admission = new BatchAdmission();
    private final Map<String, String> config = new HashMap<>();

    private List<RecordBatch> admit(ByteBuffer bytes) {
        return admission.admit(bytes, Origin.CLIENT, TopicRules.of(TopicConfig.with(config)), NOW);
    }

    private static ByteBuffer batch(CompressionType codec, int records) {
        SimpleRecord[] all = new SimpleRecord[records];
        for (int i = 0; i < records; i++) {
            all[i] = new SimpleRecord(
                    NOW + i, ("key" + i).getBytes(), "value".repeat(i % 50).getBytes());
        }
        return copy(
                MemoryRecords.withRecords(Compression.of(codec).build(), all).buffer());
    }

    private static ByteBuffer copy(ByteBuffer bytes) {
        byte[] copy = new byte[bytes.remaining()];
        bytes.duplicate().get(copy);
        return ByteBuffer.wrap(copy);
    }

    /** The header with another body, and with the length and checksum of that body. */
    private static ByteBuffer withBody(ByteBuffer batch, byte[] body) {
        ByteBuffer changed = ByteBuffer.allocate(RecordBatch.HEADER_BYTES + body.length);
        changed.put(batch.array(), 0, RecordBatch.HEADER_BYTES).put(body).flip();
        changed.putInt(RecordBatch.LENGTH_AT, changed.limit() - RecordBatch.LENGTH_PREFIX_BYTES);
        return signed(changed);
    }

    private static ByteBuffer signed(ByteBuffer batch) {
        batch.putInt(RecordBatch.CRC_AT, (int) Batches.crcOf(RecordBatch.at(batch)));
        return batch;
    }

    private static byte[] bodyOf(ByteBuffer batch) {
        return Arrays.copyOfRange(batch.array(), RecordBatch.HEADER_BYTES, batch.limit());
    }

    @ParameterizedTest
    @EnumSource(CompressionType.class)
    void aValidBatchOfAnyCodecIsAdmittedUnchanged(CompressionType codec) {
        ByteBuffer bytes = batch(codec, 500);
        ByteBuffer before = copy(bytes);

        List<RecordBatch> admitted = admit(bytes);

        assertThat(admitted).hasSize(1);
        assertThat(bytes).isEqualTo(before);
    }

    @ParameterizedTest
    @EnumSource(
            value = CompressionType.class,
            names = {"NONE"},
            mode = EnumSource.Mode.EXCLUDE)
    void uncompressedBytesWithACodecInTheHeaderAreRefused(CompressionType codec) {
        ByteBuffer plain = batch(CompressionType.NONE, 3);
        plain.putShort(RecordBatch.ATTRIBUTES_AT, (short) codec.id);

        refused(ErrorCode.INVALID_RECORD, () -> admit(signed(plain)));
    }

    @ParameterizedTest
    @EnumSource(CompressionType.class)
    void aTruncatedBodyIsRefused(CompressionType codec) {
        ByteBuffer whole = batch(codec, 200);
        byte[] body = bodyOf(whole);

        refused(ErrorCode.INVALID_RECORD, () -> admit(withBody(whole, Arrays.copyOf(body, body.length / 2))));
    }

    @ParameterizedTest
    @EnumSource(CompressionType.class)
    void moreRecordsInTheHeaderThanInTheBodyAreRefused(CompressionType codec) {
        ByteBuffer one = batch(codec, 1);
        one.putInt(RecordBatch.RECORD_COUNT_AT, 3).putInt(RecordBatch.LAST_OFFSET_DELTA_AT, 2);

        refused(ErrorCode.INVALID_RECORD, () -> admit(signed(one)));
    }

    @ParameterizedTest
    @EnumSource(CompressionType.class)
    void fewerRecordsInTheHeaderThanInTheBodyAreRefused(CompressionType codec) {
        ByteBuffer three = batch(codec, 3);
        three.putInt(RecordBatch.RECORD_COUNT_AT, 1).putInt(RecordBatch.LAST_OFFSET_DELTA_AT, 0);

        refused(ErrorCode.INVALID_RECORD, () -> admit(signed(three)));
    }

    @Test
    void theLargestPossibleRecordCountIsRefused() {
        ByteBuffer one = batch(CompressionType.NONE, 1);
        one.putInt(RecordBatch.RECORD_COUNT_AT, Integer.MAX_VALUE)
                .putInt(RecordBatch.LAST_OFFSET_DELTA_AT, Integer.MAX_VALUE - 1);

        refused(ErrorCode.INVALID_RECORD, () -> admit(signed(one)));
    }

    @Test
    void bodiesAreNotReadIfTheTopicDoesNotCheckThem() {
        config.put(TopicConfig.RECORD_VALIDATION, "header");
        ByteBuffer plain = batch(CompressionType.NONE, 3);
        plain.putShort(RecordBatch.ATTRIBUTES_AT, (short) CompressionType.GZIP.id);

        assertThat(admit(signed(plain))).hasSize(1);
    }

    @Test
    void aRecordAboveTheTopicsLimitIsRefusedBeforeItIsDecompressed() {
        config.put(TopicConfig.MAX_DECOMPRESSED_MESSAGE_BYTES, "1000");
        ByteBuffer large = copy(MemoryRecords.withRecords(
                        Compression.of(CompressionType.ZSTD).build(), new SimpleRecord(NOW, null, new byte[1 << 20]))
                .buffer());

        refused(ErrorCode.INVALID_RECORD, () -> admit(large));
    }

    @Test
    void aSnappyBlockWithAnImpossibleSizeIsRefusedBeforeItIsDecompressed() {
        byte[] twoGigabytes = {(byte) 0xff, (byte) 0xff, (byte) 0xff, (byte) 0xff, 7, 0, 0};
        ByteBuffer batch = batch(CompressionType.SNAPPY, 1);

        refused(ErrorCode.INVALID_RECORD, () -> admit(withBody(batch, twoGigabytes)));
    }

    @Test
    void recordsWithATimestampOutOfBoundsAreNamedInTheAnswer() {
        config.put(TopicConfig.MESSAGE_TIMESTAMP_AFTER_MAX_MS, "1000");
        ByteBuffer bytes = copy(MemoryRecords.withRecords(
                        Compression.NONE,
                        new SimpleRecord(NOW + 5_000, "a".getBytes()),
                        new SimpleRecord(NOW, "b".getBytes()),
                        new SimpleRecord(NOW + 6_000, "c".getBytes()))
                .buffer());

        FeliceException why = catchThrowableOfType(FeliceException.class, () -> admit(bytes));

        assertThat(why.code()).isEqualTo(ErrorCode.INVALID_TIMESTAMP);
        assertThat(why.recordErrors()).extracting(RecordError::batchIndex).containsExactly(0, 2);
    }

    @Test
    void aCompactedTopicRefusesRecordsWithoutAKey() {
        config.put(TopicConfig.CLEANUP_POLICY, "compact");
        ByteBuffer bytes = copy(MemoryRecords.withRecords(
                        Compression.NONE,
                        new SimpleRecord(NOW, "k".getBytes(), "v".getBytes()),
                        new SimpleRecord(NOW, null, "v".getBytes()))
                .buffer());

        FeliceException why = catchThrowableOfType(FeliceException.class, () -> admit(bytes));

        assertThat(why.code()).isEqualTo(ErrorCode.INVALID_RECORD);
        assertThat(why.recordErrors()).extracting(RecordError::batchIndex).containsExactly(1);
    }

    @Test
    void aMaxTimestampAboveTheRecordsTimestampsIsCorrected() {
        ByteBuffer bytes = batch(CompressionType.LZ4, 3);
        bytes.putLong(RecordBatch.MAX_TIMESTAMP_AT, NOW * 2);

        RecordBatch admitted = admit(signed(bytes)).get(0);

        assertThat(admitted.maxTimestamp()).isEqualTo(NOW + 2);
        Batches.check(admitted);
    }

    @Test
    void aBatchThatIsLongerThanTheRequestGetsAnErrorWithoutRetries() {
        for (int length : new int[] {1_000, 1 << 30, Integer.MAX_VALUE}) {
            ByteBuffer bytes = batch(CompressionType.NONE, 1).putInt(RecordBatch.LENGTH_AT, length);

            FeliceException why = catchThrowableOfType(FeliceException.class, () -> admit(bytes));

            assertThat(why.code()).isEqualTo(ErrorCode.INVALID_RECORD);
            assertThat(why).hasMessageContaining("The batch says it has");
        }
    }

    @Test
    void anEmptyRequestIsRefused() {
        refused(ErrorCode.INVALID_RECORD, () -> admit(ByteBuffer.allocate(0)));
    }

    @Test
    void zstdIsRefusedInOldProduceVersions() {
        ByteBuffer bytes = batch(CompressionType.ZSTD, 3);

        refused(
                ErrorCode.UNSUPPORTED_COMPRESSION_TYPE,
                () -> admission.admit(bytes, Origin.CLIENT_BEFORE_ZSTD, TopicRules.of(TopicConfig.defaults()), NOW));
    }
}
