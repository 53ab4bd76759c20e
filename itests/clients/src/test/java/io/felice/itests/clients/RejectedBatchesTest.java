package io.felice.itests.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.rig.Java;
import io.felice.itests.rig.Wire;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.zip.CRC32C;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.message.ListOffsetsRequestData;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsPartition;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsTopic;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceDataCollection;
import org.apache.kafka.common.message.ProduceResponseData.PartitionProduceResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.requests.ListOffsetsResponse;
import org.apache.kafka.common.requests.ProduceResponse;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** An invalid batch is refused with Kafka's error code and changes nothing. */
class RejectedBatchesTest {
    private static final int LENGTH_AT = 8;
    private static final int MAGIC_AT = 16;
    private static final int CRC_AT = 17;
    private static final int ATTRIBUTES_AT = 21;
    private static final int LAST_OFFSET_DELTA_AT = 23;
    private static final int PRODUCER_ID_AT = 43;
    private static final int PRODUCER_EPOCH_AT = 51;
    private static final int BASE_SEQUENCE_AT = 53;
    private static final int COUNT_AT = 57;
    private static final String TOPIC = "rejected";
    private static final int VERSION = 9;
    /** Kafka answers UNKNOWN_SERVER_ERROR, which says nothing about the batch (see docs/decisions/0010). */
    private static final Errors UNREADABLE = Node.isOracle() ? Errors.UNKNOWN_SERVER_ERROR : Errors.INVALID_RECORD;

    private static Node node;

    @BeforeAll
    static void start() {
        node = Node.inMemory();
        Java.createTopic(node.bootstrap(), TOPIC, 1, Map.of("max.message.bytes", "2000"));
    }

    @AfterAll
    static void stop() {
        node.close();
    }

    /**
     * Makes a valid batch of three records invalid. The error is the answer of Apache Kafka 3.9.2, except for a length
     * of two gigabytes, where Kafka has an overflow (see docs/decisions/0010).
     */
    enum Flaw {
        WRONG_CHECKSUM(Errors.CORRUPT_MESSAGE, batch -> batch.putInt(CRC_AT, batch.getInt(CRC_AT) + 1)),
        FLIPPED_BIT(Errors.CORRUPT_MESSAGE, batch -> batch.put(70, (byte) (batch.get(70) ^ 1))),
        UNKNOWN_CODEC(Errors.UNKNOWN_SERVER_ERROR, sealed(batch -> batch.putShort(ATTRIBUTES_AT, (short) 7))),
        MAGIC_3(Errors.CORRUPT_MESSAGE, batch -> batch.put(MAGIC_AT, (byte) 3)),
        MAGIC_1(Errors.INVALID_RECORD, batch -> batch.put(MAGIC_AT, (byte) 1)),
        MAGIC_0(Errors.INVALID_RECORD, batch -> batch.put(MAGIC_AT, (byte) 0)),
        LONGER_THAN_IT_IS(Errors.INVALID_RECORD, batch -> batch.putInt(LENGTH_AT, batch.getInt(LENGTH_AT) + 10)),
        SHORTER_THAN_A_HEADER(Errors.CORRUPT_MESSAGE, batch -> batch.putInt(LENGTH_AT, 10)),
        NEGATIVE_LENGTH(Errors.CORRUPT_MESSAGE, batch -> batch.putInt(LENGTH_AT, -1)),
        CLAIMS_A_GIGABYTE(Errors.INVALID_RECORD, batch -> batch.putInt(LENGTH_AT, 1 << 30)),
        CLAIMS_TWO_GIGABYTES(
                Node.isOracle() ? Errors.UNKNOWN_SERVER_ERROR : Errors.INVALID_RECORD,
                batch -> batch.putInt(LENGTH_AT, Integer.MAX_VALUE)),
        FEWER_RECORDS_THAN_COUNTED(Errors.INVALID_RECORD, sealed(batch -> batch.putInt(COUNT_AT, 4))),
        COUNT_OF_ZERO(Errors.INVALID_RECORD, sealed(batch -> batch.putInt(COUNT_AT, 0))),
        NEGATIVE_COUNT(Errors.INVALID_RECORD, sealed(batch -> batch.putInt(COUNT_AT, -3))),
        WRONG_LAST_OFFSET(Errors.INVALID_RECORD, sealed(batch -> batch.putInt(LAST_OFFSET_DELTA_AT, 7))),
        CONTROL_BATCH(Errors.INVALID_RECORD, sealed(batch -> batch.putShort(ATTRIBUTES_AT, (short) 0x20))),
        PRODUCER_WITHOUT_SEQUENCE(Errors.INVALID_RECORD, sealed(batch -> batch.putLong(PRODUCER_ID_AT, 5)
                .putShort(PRODUCER_EPOCH_AT, (short) 0))),
        ONE_RECORD_TOO_MANY_COUNTED(
                Errors.INVALID_RECORD, sealed(batch -> batch.putInt(COUNT_AT, 4).putInt(LAST_OFFSET_DELTA_AT, 3))),
        ONE_RECORD_NOT_COUNTED(
                Errors.INVALID_RECORD, sealed(batch -> batch.putInt(COUNT_AT, 2).putInt(LAST_OFFSET_DELTA_AT, 1))),
        TWO_BILLION_RECORDS_COUNTED(Errors.INVALID_RECORD, sealed(batch -> batch.putInt(COUNT_AT, Integer.MAX_VALUE)
                .putInt(LAST_OFFSET_DELTA_AT, Integer.MAX_VALUE - 1))),
        A_RECORD_LENGTH_BEYOND_THE_BATCH(Errors.INVALID_RECORD, sealed(batch -> batch.put(61, (byte) 0x7e))),
        PLAIN_BYTES_UNDER_GZIP(UNREADABLE, sealed(batch -> batch.putShort(ATTRIBUTES_AT, (short) 1))),
        PLAIN_BYTES_UNDER_SNAPPY(UNREADABLE, sealed(batch -> batch.putShort(ATTRIBUTES_AT, (short) 2))),
        PLAIN_BYTES_UNDER_LZ4(UNREADABLE, sealed(batch -> batch.putShort(ATTRIBUTES_AT, (short) 3))),
        PLAIN_BYTES_UNDER_ZSTD(UNREADABLE, sealed(batch -> batch.putShort(ATTRIBUTES_AT, (short) 4))),
        NO_BATCH_AT_ALL(Errors.INVALID_RECORD, batch -> batch.limit(0));

        final Errors answer;
        final Consumer<ByteBuffer> damage;

        Flaw(Errors answer, Consumer<ByteBuffer> damage) {
            this.answer = answer;
            this.damage = damage;
        }

        private static Consumer<ByteBuffer> sealed(Consumer<ByteBuffer> damage) {
            return batch -> {
                damage.accept(batch);
                CRC32C checksum = new CRC32C();
                checksum.update(batch.duplicate().position(ATTRIBUTES_AT));
                batch.putInt(CRC_AT, (int) checksum.getValue());
            };
        }
    }

    @ParameterizedTest
    @EnumSource(Flaw.class)
    void isRefused(Flaw flaw) throws IOException {
        long before = end();
        ByteBuffer batch = sound(100);
        flaw.damage.accept(batch);

        PartitionProduceResponse response = produce(batch);

        assertThat(Errors.forCode(response.errorCode())).isEqualTo(flaw.answer);
        assertThat(Node.isOracle() || !response.errorMessage().isBlank())
                .as("the error message describes the flaw")
                .isTrue();
        assertThat(end()).isEqualTo(before);
    }

    @Test
    void aBatchAboveTheTopicsLimitIsTooLarge() throws IOException {
        assertThat(Errors.forCode(produce(sound(1000)).errorCode())).isEqualTo(Errors.MESSAGE_TOO_LARGE);
    }

    @Test
    void twoBatchesInOneRequestAreRefused() throws IOException {
        ByteBuffer one = sound(10);
        ByteBuffer two = ByteBuffer.allocate(2 * one.remaining())
                .put(one.duplicate())
                .put(one.duplicate())
                .flip();

        assertThat(Errors.forCode(produce(two).errorCode())).isEqualTo(Errors.INVALID_RECORD);
    }

    @Test
    void theSameRequestWithAValidBatchIsAccepted() throws IOException {
        assertThat(Errors.forCode(produce(sound(100)).errorCode())).isEqualTo(Errors.NONE);
    }

    @Test
    void sequenceNumbersAreAnsweredLikeInKafka() throws IOException {
        long id = 1_000_000 + System.nanoTime() % 1_000_000;

        assertThat(send(id, 0, 0)).isEqualTo(Errors.NONE);
        assertThat(send(id, 0, 3)).isEqualTo(Errors.NONE);
        assertThat(send(id, 0, 9)).isEqualTo(Errors.OUT_OF_ORDER_SEQUENCE_NUMBER);
        assertThat(send(id, 0, 0)).as("a duplicate is acknowledged again").isEqualTo(Errors.NONE);
        assertThat(send(id, 2, 3)).as("a new epoch begins with 0").isEqualTo(Errors.OUT_OF_ORDER_SEQUENCE_NUMBER);
        assertThat(send(id, 2, 0)).isEqualTo(Errors.NONE);
        assertThat(send(id, 1, 0)).as("an old epoch").isEqualTo(Errors.INVALID_PRODUCER_EPOCH);
        for (int sequence = 3; sequence < 30; sequence += 3) {
            assertThat(send(id, 2, sequence)).isEqualTo(Errors.NONE);
        }
        assertThat(send(id, 2, 15))
                .as("a duplicate of one of the last five batches")
                .isEqualTo(Errors.NONE);
        assertThat(send(id, 2, 3)).as("a duplicate of an older batch").isEqualTo(Errors.OUT_OF_ORDER_SEQUENCE_NUMBER);
    }

    private static Errors send(long producerId, int epoch, int sequence) throws IOException {
        MemoryRecords records =
                MemoryRecords.withIdempotentRecords(Compression.NONE, producerId, (short) epoch, sequence, records(10));
        return Errors.forCode(produce(records.buffer()).errorCode());
    }

    private static ByteBuffer sound(int valueBytes) {
        ByteBuffer buffer =
                MemoryRecords.withRecords(Compression.NONE, records(valueBytes)).buffer();
        return ByteBuffer.allocate(buffer.remaining()).put(buffer.duplicate()).flip();
    }

    private static SimpleRecord[] records(int valueBytes) {
        SimpleRecord record = new SimpleRecord(System.currentTimeMillis(), new byte[valueBytes]);
        return new SimpleRecord[] {record, record, record};
    }

    private static PartitionProduceResponse produce(ByteBuffer records) throws IOException {
        ProduceRequestData request = new ProduceRequestData()
                .setAcks((short) -1)
                .setTimeoutMs(10_000)
                .setTopicData(new TopicProduceDataCollection(List.of(new TopicProduceData()
                                .setName(TOPIC)
                                .setPartitionData(List.of(
                                        new PartitionProduceData().setRecords(MemoryRecords.readableRecords(records)))))
                        .iterator()));
        try (Wire wire = new Wire(node.bootstrap())) {
            ProduceResponse response = (ProduceResponse) wire.ask(ApiKeys.PRODUCE, VERSION, request);
            return response.data()
                    .responses()
                    .iterator()
                    .next()
                    .partitionResponses()
                    .get(0);
        }
    }

    private static long end() throws IOException {
        ListOffsetsRequestData request = new ListOffsetsRequestData()
                .setReplicaId(-1)
                .setTopics(List.of(new ListOffsetsTopic()
                        .setName(TOPIC)
                        .setPartitions(List.of(new ListOffsetsPartition().setTimestamp(-1)))));
        try (Wire wire = new Wire(node.bootstrap())) {
            ListOffsetsResponse response = (ListOffsetsResponse) wire.ask(ApiKeys.LIST_OFFSETS, 6, request);
            return response.topics().get(0).partitions().get(0).offset();
        }
    }
}
