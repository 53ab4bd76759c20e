package io.felice.records;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.RecordBatch;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class BatchFilterTest {
    private static final long NOW = 1_000_000;
    private static final long RETENTION = 5_000;

    private static BatchFilter filter(BatchFilter.Rule rule) {
        return new BatchFilter(NOW, RETENTION, rule);
    }

    private static RecordBatch batch(String... keysAndValues) {
        BatchBuilder batch = new BatchBuilder(9, (short) 2, 40);
        for (int i = 0; i < keysAndValues.length; i += 2) {
            batch.add(100 + i, bytes(keysAndValues[i]), bytes(keysAndValues[i + 1]));
        }
        RecordBatch built = batch.build();
        built.stamp(1_000, 7);
        return built;
    }

    private static byte[] bytes(String text) {
        return text == null ? null : text.getBytes(UTF_8);
    }

    private static List<String> records(RecordBatch batch) {
        List<String> records = new ArrayList<>();
        RecordReader.read(
                batch,
                (offset, timestamp, key, value) ->
                        records.add(offset + "@" + timestamp + ":" + text(key) + "=" + text(value)));
        return records;
    }

    private static String text(ByteBuffer bytes) {
        return bytes == null ? null : UTF_8.decode(bytes.duplicate()).toString();
    }

    @Test
    void aBatchThatKeepsAllRecordsIsReturnedUnchanged() {
        RecordBatch batch = batch("a", "1", null, "2");

        assertThat(filter((offset, key, expired) -> true).filter(batch, false)).containsSame(batch);
    }

    @Test
    void keptRecordsKeepTheirOffsetsAndTheBatchKeepsItsHeaderFields() {
        RecordBatch batch = batch("a", "1", "b", "2", "c", "3");

        RecordBatch left = filter((offset, key, expired) -> offset == 1_001)
                .filter(batch, false)
                .orElseThrow();

        assertThat(records(left)).containsExactly("1001@102:b=2");
        assertThat(left.baseOffset()).isEqualTo(1_000);
        assertThat(left.lastOffset()).isEqualTo(1_002);
        assertThat(left.leaderEpoch()).isEqualTo(7);
        assertThat(left.producerId()).isEqualTo(9);
        assertThat(left.baseSequence()).isEqualTo(40);
        assertThat(left.lastSequence()).isEqualTo(42);
        assertThat(left.maxTimestamp()).isEqualTo(102);
        Batches.checkCrc(left);
    }

    @Test
    void aBatchWithoutKeptRecordsIsRemovedOrReducedToItsHeader() {
        RecordBatch batch = batch("a", "1", "b", "2");
        BatchFilter nothing = filter((offset, key, expired) -> false);

        assertThat(nothing.filter(batch, false)).isEmpty();
        RecordBatch header = nothing.filter(batch, true).orElseThrow();

        assertThat(header.sizeInBytes()).isEqualTo(RecordBatch.HEADER_BYTES);
        assertThat(header.lastOffset()).isEqualTo(1_001);
        assertThat(header.lastSequence()).isEqualTo(41);
        assertThat(records(header)).isEmpty();
        Batches.checkCrc(header);
        assertThat(nothing.filter(header, true)).containsSame(header);
        assertThat(nothing.filter(header, false)).isEmpty();
    }

    @Test
    void aTombstoneIsExpiredFromTheDeleteHorizonOfItsBatchOn() {
        RecordBatch batch = batch("a", null, "b", "2");
        BatchFilter.Rule untilExpired = (offset, key, expired) -> !expired;

        RecordBatch met = filter(untilExpired).filter(batch, false).orElseThrow();

        assertThat(met).isNotSameAs(batch);
        assertThat(records(met)).isEqualTo(records(batch));
        BatchFilter before = new BatchFilter(NOW + RETENTION - 1, RETENTION, untilExpired);
        assertThat(before.filter(met, false)).containsSame(met);
        BatchFilter after = new BatchFilter(NOW + RETENTION, RETENTION, untilExpired);
        assertThat(records(after.filter(met, false).orElseThrow())).containsExactly("1001@102:b=2");
    }

    @Test
    void anUnlimitedDeleteRetentionDoesNotOverflow() {
        BatchFilter filter = new BatchFilter(NOW, Long.MAX_VALUE, (offset, key, expired) -> !expired);

        RecordBatch met = filter.filter(batch("a", null), false).orElseThrow();

        assertThat(filter.filter(met, false)).containsSame(met);
        assertThat(records(met)).containsExactly("1000@100:a=null");
    }

    @ParameterizedTest
    @EnumSource(CompressionType.class)
    void aFilteredBatchKeepsItsCodec(CompressionType codec) {
        RecordBatch batch = RecordBatch.at(MemoryRecords.withRecords(
                        Compression.of(codec).build(),
                        new SimpleRecord(1, bytes("a"), bytes("1".repeat(1_000))),
                        new SimpleRecord(2, bytes("b"), bytes("2".repeat(1_000))))
                .buffer());

        RecordBatch left = filter((offset, key, expired) -> text(key).equals("b"))
                .filter(batch, false)
                .orElseThrow();

        assertThat(left.codec()).isEqualTo(codec.id);
        assertThat(records(left)).containsExactly("1@2:b=" + "2".repeat(1_000));
    }

    @Test
    void controlBatchesAreNotFiltered() {
        RecordBatch marker = RecordBatch.at(MemoryRecords.withEndTransactionMarker(
                        9, (short) 0, new EndTransactionMarker(ControlRecordType.COMMIT, 1))
                .buffer());

        assertThat(filter((offset, key, expired) -> false).filter(marker, false))
                .containsSame(marker);
    }

    @Test
    void aDamagedBatchIsRefusedAndDoesNotGetANewChecksum() {
        RecordBatch batch = batch("a", "1", "b", "2");
        batch.bytes().put(RecordBatch.HEADER_BYTES + 8, (byte) 99);

        assertThatThrownBy(
                        () -> filter((offset, key, expired) -> offset == 1_001).filter(batch, false))
                .isInstanceOf(FeliceException.class)
                .extracting(failure -> FeliceException.codeOf((Throwable) failure))
                .isEqualTo(ErrorCode.CORRUPT_MESSAGE);
    }
}
