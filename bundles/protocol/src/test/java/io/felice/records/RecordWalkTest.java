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
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Walks over batches that kafka-clients has built. */
class RecordWalkTest {
    private final RecordWalk walk = new RecordWalk();

    @ParameterizedTest
    @EnumSource(CompressionType.class)
    void everyRecordThatKafkaClientsWritesIsVisited(CompressionType codec) {
        long seed = new Random().nextLong();
        System.out.println("RecordWalkTest seed " + seed);
        Random random = new Random(seed);
        for (int round = 0; round < 50; round++) {
            List<SimpleRecord> records = randomRecords(random);
            List<String> wanted = new ArrayList<>();
            records.forEach(record -> wanted.add(record.timestamp() + " " + (record.key() != null)));
            List<String> visited = new ArrayList<>();

            walk.walk(batch(codec, records), Integer.MAX_VALUE, (index, timestamp, hasKey) -> {
                assertThat(index).isEqualTo(visited.size());
                visited.add(timestamp + " " + hasKey);
            });

            assertThat(visited).as("seed %s", seed).isEqualTo(wanted);
        }
    }

    @ParameterizedTest
    @EnumSource(CompressionType.class)
    void aDamagedBodyIsReadOrRefusedAsAnInvalidRecord(CompressionType codec) {
        long seed = new Random().nextLong();
        System.out.println("RecordWalkTest seed " + seed);
        Random random = new Random(seed);
        for (int round = 0; round < 400; round++) {
            RecordBatch batch = batch(codec, randomRecords(random));
            ByteBuffer bytes = batch.bytes();
            for (int damage = 1 + random.nextInt(3); damage > 0; damage--) {
                int at = RecordBatch.HEADER_BYTES + random.nextInt(bytes.limit() - RecordBatch.HEADER_BYTES);
                bytes.put(at, (byte) random.nextInt(256));
            }

            try {
                walk.walk(batch, 1 << 20, (index, timestamp, hasKey) -> {});
            } catch (FeliceException refused) {
                assertThat(refused.code()).as("seed %s", seed).isEqualTo(ErrorCode.INVALID_RECORD);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(CompressionType.class)
    void anExceptionOfTheVisitorIsThrownToTheCaller(CompressionType codec) {
        RecordBatch batch = batch(codec, List.of(new SimpleRecord(1L, new byte[1])));

        assertThatThrownBy(() -> walk.walk(batch, 100, (index, timestamp, hasKey) -> {
                    throw ErrorCode.INVALID_TIMESTAMP.because("the visitor refuses");
                }))
                .isInstanceOf(FeliceException.class)
                .hasMessage("the visitor refuses");
    }

    private static RecordBatch batch(CompressionType codec, List<SimpleRecord> records) {
        return RecordBatch.at(
                MemoryRecords.withRecords(Compression.of(codec).build(), records.toArray(SimpleRecord[]::new))
                        .buffer());
    }

    private static List<SimpleRecord> randomRecords(Random random) {
        List<SimpleRecord> records = new ArrayList<>();
        for (int count = 1 + random.nextInt(200); count > 0; count--) {
            Header[] headers = new Header[random.nextInt(3)];
            for (int i = 0; i < headers.length; i++) {
                headers[i] = new RecordHeader("h" + i, bytes(random, 20));
            }
            records.add(new SimpleRecord(
                    1_000_000L + random.nextInt(100_000) - 50_000, bytes(random, 50), bytes(random, 3_000), headers));
        }
        return records;
    }

    private static byte[] bytes(Random random, int most) {
        if (random.nextInt(5) == 0) {
            return null;
        }
        byte[] bytes = new byte[random.nextInt(most)];
        random.nextBytes(bytes);
        return bytes;
    }
}
