package io.felice.records;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.RecordBatch;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Batches that kafka-clients has built, read through {@link RecordBatch}; damaged batches are refused. */
class BatchesTest {
    @Test
    void theViewReadsTheFieldsOfABatchThatKafkaClientsHasBuilt() {
        MemoryRecords kafkas = MemoryRecords.withIdempotentRecords(
                7L,
                Compression.NONE,
                42L,
                (short) 3,
                5,
                1,
                new SimpleRecord(100L, "a".getBytes(StandardCharsets.UTF_8)),
                new SimpleRecord(200L, "b".getBytes(StandardCharsets.UTF_8)));

        RecordBatch batch = Batches.split(kafkas.buffer()).get(0);

        assertThat(batch.baseOffset()).isEqualTo(7L);
        assertThat(batch.nextOffset()).isEqualTo(9L);
        assertThat(batch.producerId()).isEqualTo(42L);
        assertThat(batch.producerEpoch()).isEqualTo((short) 3);
        assertThat(batch.baseSequence()).isEqualTo(5);
        assertThat(batch.lastSequence()).isEqualTo(6);
        assertThat(batch.maxTimestamp()).isEqualTo(200L);
        assertThat(batch.recordCount()).isEqualTo(2);
        assertThat(batch.sizeInBytes()).isEqualTo(kafkas.sizeInBytes());
        Batches.check(batch);
    }

    @ParameterizedTest
    @EnumSource(CompressionType.class)
    void recordsOfEveryCodecAreRead(CompressionType codec) {
        MemoryRecords kafkas = MemoryRecords.withRecords(
                Compression.of(codec).build(), new SimpleRecord(1L, "k".getBytes(StandardCharsets.UTF_8), null));
        List<String> keys = new ArrayList<>();

        RecordReader.readAll(kafkas.buffer(), (offset, timestamp, key, value) -> {
            keys.add(StandardCharsets.UTF_8.decode(key.duplicate()) + " " + value);
            return true;
        });

        assertThat(keys).containsExactly("k null");
    }

    @Test
    void stampingOffsetAndLeaderEpochKeepsTheChecksumRight() {
        RecordBatch batch = new BatchBuilder().add(1L, null, new byte[10]).build();

        batch.stamp(1_000_000L, 17);

        assertThat(batch.baseOffset()).isEqualTo(1_000_000L);
        assertThat(batch.leaderEpoch()).isEqualTo(17);
        Batches.check(batch);
    }

    @Test
    void stampingTheAppendTimeComputesTheChecksumAgain() {
        RecordBatch batch = new BatchBuilder().add(1L, null, new byte[10]).build();

        Batches.stampAppendTime(batch, 123_456L);

        Batches.check(batch);
        assertThat(batch.isLogAppendTime()).isTrue();
        assertThat(batch.maxTimestamp()).isEqualTo(123_456L);
    }

    @Test
    void aBatchWithAChangedByteIsCorrupt() {
        RecordBatch batch = new BatchBuilder().add(1L, null, new byte[10]).build();
        ByteBuffer bytes = batch.bytes();
        bytes.put(bytes.limit() - 3, (byte) 1);

        assertThatThrownBy(() -> Batches.check(batch)).satisfies(codeIs(ErrorCode.CORRUPT_MESSAGE));
    }

    @Test
    void aBatchWhoseLengthExceedsTheBytesIsCorrupt() {
        ByteBuffer bytes =
                new BatchBuilder().add(1L, null, new byte[10]).build().bytes();
        bytes.putInt(RecordBatch.LENGTH_AT, Integer.MAX_VALUE);

        assertThatThrownBy(() -> Batches.split(bytes)).satisfies(codeIs(ErrorCode.CORRUPT_MESSAGE));
    }

    @Test
    void anUnknownCodecIsRefusedWithTheErrorCodeThatKafkaUses() {
        RecordBatch batch = new BatchBuilder().add(1L, null, new byte[10]).build();
        batch.bytes().putShort(RecordBatch.ATTRIBUTES_AT, (short) 5);
        batch.bytes().putInt(RecordBatch.CRC_AT, (int) Batches.crcOf(batch));

        assertThatThrownBy(() -> Batches.check(batch))
                .satisfies(codeIs(ErrorCode.UNKNOWN_SERVER_ERROR))
                .hasMessageContaining("codec 5");
    }

    @Test
    void aBatchOfAnOldMagicIsRefusedAsInvalidRecord() {
        ByteBuffer bytes =
                new BatchBuilder().add(1L, null, new byte[10]).build().bytes();
        bytes.put(RecordBatch.MAGIC_AT, (byte) 1);

        assertThatThrownBy(() -> Batches.split(bytes)).satisfies(codeIs(ErrorCode.INVALID_RECORD));
    }

    private static java.util.function.Consumer<Throwable> codeIs(ErrorCode code) {
        return failure -> assertThat(FeliceException.codeOf(failure)).isEqualTo(code);
    }
}
