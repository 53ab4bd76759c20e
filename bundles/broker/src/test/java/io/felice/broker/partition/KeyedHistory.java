package io.felice.broker.partition;

import static io.felice.broker.partition.Bench.get;
import static io.felice.broker.partition.Bench.produce;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.RecordBatch;
import io.felice.api.partition.Partition.ReadLimit;
import io.felice.api.storage.Records;
import io.felice.records.Batches;
import io.felice.records.RecordReader;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;

/** Random records that were written to a partition, and what compaction may leave of them: a simple model. */
final class KeyedHistory {
    static final int DAY_MS = 86_400_000;
    private static final int KEYS = 25;
    private static final int READ_BYTES = 300;

    record Found(long offset, long timestamp, String key, String value) {
        @Override
        public String toString() {
            return offset + ":" + key + "=" + value;
        }
    }

    private final Random random;
    private final TreeMap<Long, Found> written = new TreeMap<>();

    KeyedHistory(Random random) {
        this.random = random;
    }

    /** Produces a batch of one to eight records; some are tombstones. */
    void write(LeaderPartition partition, long nowMs) {
        SimpleRecord[] records = new SimpleRecord[1 + random.nextInt(8)];
        for (int i = 0; i < records.length; i++) {
            byte[] key = ("k" + random.nextInt(KEYS)).getBytes(UTF_8);
            byte[] value = random.nextInt(5) == 0 ? null : ("v" + random.nextInt(1_000)).getBytes(UTF_8);
            records[i] = new SimpleRecord(nowMs + random.nextInt(100), key, value);
        }
        CompressionType[] codecs = CompressionType.values();
        ByteBuffer batch = MemoryRecords.withRecords(
                        RecordBatch.MAGIC,
                        0,
                        Compression.of(codecs[random.nextInt(codecs.length)]).build(),
                        TimestampType.CREATE_TIME,
                        records)
                .buffer();
        long offset = get(produce(partition, batch)).baseOffset();
        for (SimpleRecord record : records) {
            written.put(offset, new Found(offset, record.timestamp(), text(record.key()), text(record.value())));
            offset++;
        }
    }

    /** The offset after the last record. */
    long end() {
        return written.lastKey() + 1;
    }

    /** Records are as written; a missing one has a later one of its key, or was an old tombstone. */
    void check(LeaderPartition partition, long nowMs) {
        List<Found> left = records(partition, 0);
        assertThat(left).isSubsetOf(written.values());
        assertThat(left).extracting(Found::offset).isSorted().doesNotHaveDuplicates();
        assertThat(replay(left)).isEqualTo(replay(written.values()));
        Map<String, Found> latest = new HashMap<>();
        written.values().forEach(record -> latest.put(record.key(), record));
        for (Found record : latest.values()) {
            boolean isYoung = nowMs - record.timestamp() < DAY_MS;
            assertThat((record.value() == null && !isYoung) || left.contains(record))
                    .as("%s stays", record)
                    .isTrue();
        }
        for (long offset = 0; offset < partition.logEndOffset(); offset += 97) {
            long from = offset;
            assertThat(records(partition, from))
                    .isEqualTo(left.stream()
                            .filter(record -> record.offset() >= from)
                            .toList());
        }
    }

    /** Below an offset no key has two records. */
    static void mustHaveEachKeyOnce(LeaderPartition partition, long below) {
        Map<String, Long> once = new HashMap<>();
        records(partition, 0).stream().filter(record -> record.offset() < below).forEach(record -> assertThat(
                        once.put(record.key(), record.offset()))
                .as("an earlier one of %s", record)
                .isNull());
    }

    static Map<String, String> replay(Iterable<Found> records) {
        Map<String, String> values = new HashMap<>();
        for (Found record : records) {
            if (record.value() == null) {
                values.remove(record.key());
            } else {
                values.put(record.key(), record.value());
            }
        }
        return values;
    }

    static List<RecordBatch> batches(LeaderPartition partition, long from) {
        List<RecordBatch> batches = new ArrayList<>();
        long next = from;
        while (true) {
            try (Records records = get(partition.read(next, READ_BYTES, ReadLimit.HIGH_WATERMARK))) {
                if (records.sizeInBytes() == 0) {
                    return batches;
                }
                for (ByteBuffer bytes : LogScan.buffersOf(records)) {
                    for (RecordBatch batch : Batches.split(bytes)) {
                        Batches.checkCrc(batch);
                        assertThat(batch.lastOffset()).isGreaterThanOrEqualTo(next);
                        batches.add(batch);
                        next = batch.nextOffset();
                    }
                }
            }
        }
    }

    static List<Found> records(LeaderPartition partition, long from) {
        List<Found> found = new ArrayList<>();
        for (RecordBatch batch : batches(partition, from)) {
            RecordReader.read(batch, (offset, timestamp, key, value) -> {
                if (offset >= from) {
                    found.add(new Found(offset, timestamp, text(key), text(value)));
                }
                return true;
            });
        }
        return found;
    }

    private static String text(ByteBuffer bytes) {
        return bytes == null ? null : UTF_8.decode(bytes).toString();
    }
}
