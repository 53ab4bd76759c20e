package io.felice.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.felice.api.RecordBatch;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.zip.CRC32C;

/**
 * Makes batches for tests: {@code batch(10).values("a").at(20)} is a batch of ten uncompressed records from offset 20
 * on, with a correct CRC.
 */
public final class TestBatches {
    private static final int CRC_FROM = RecordBatch.ATTRIBUTES_AT;

    private final int records;
    private String value = "value";
    private long timestamp = 1_000;
    private int leaderEpoch;
    private long producerId = RecordBatch.NO_PRODUCER_ID;
    private short producerEpoch = -1;
    private int baseSequence = -1;

    private TestBatches(int records) {
        this.records = records;
    }

    /** A batch of {@code records} records, at least one. */
    public static TestBatches batch(int records) {
        return new TestBatches(records);
    }

    /** The value of every record. */
    public TestBatches values(String value) {
        this.value = value;
        return this;
    }

    /** Gives every record a value of {@code bytes} bytes. */
    public TestBatches valueBytes(int bytes) {
        return values("v".repeat(bytes));
    }

    /** The timestamp of every record, in milliseconds since the epoch. */
    public TestBatches timestamp(long timestamp) {
        this.timestamp = timestamp;
        return this;
    }

    public TestBatches leaderEpoch(int leaderEpoch) {
        this.leaderEpoch = leaderEpoch;
        return this;
    }

    /** The producer id, producer epoch and base sequence, as an idempotent producer sets them. */
    public TestBatches producer(long producerId, int producerEpoch, int baseSequence) {
        this.producerId = producerId;
        this.producerEpoch = (short) producerEpoch;
        this.baseSequence = baseSequence;
        return this;
    }

    /** The batch with this base offset, in a new heap buffer. */
    public RecordBatch at(long baseOffset) {
        byte[] body = body();
        ByteBuffer bytes = ByteBuffer.allocate(RecordBatch.HEADER_BYTES + body.length);
        bytes.putLong(baseOffset);
        bytes.putInt(bytes.capacity() - RecordBatch.LENGTH_PREFIX_BYTES);
        bytes.putInt(leaderEpoch).put(RecordBatch.MAGIC).putInt(0).putShort((short) 0);
        bytes.putInt(records - 1).putLong(timestamp).putLong(timestamp);
        bytes.putLong(producerId).putShort(producerEpoch).putInt(baseSequence).putInt(records);
        bytes.put(body);
        bytes.putInt(RecordBatch.CRC_AT, (int) crcOf(bytes));
        return new RecordBatch(bytes, 0);
    }

    /** The CRC-32C that the batch at the start of {@code bytes} should have. */
    public static long crcOf(ByteBuffer bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes.duplicate().position(CRC_FROM).limit(new RecordBatch(bytes, 0).sizeInBytes()));
        return crc.getValue();
    }

    private byte[] body() {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        byte[] bytes = value.getBytes(UTF_8);
        for (int i = 0; i < records; i++) {
            byte[] record = record(i, bytes);
            varint(body, record.length);
            body.writeBytes(record);
        }
        return body.toByteArray();
    }

    /** Layout: attributes, timestamp delta 0, offset delta, no key, the value, no headers. */
    private static byte[] record(int offsetDelta, byte[] value) {
        ByteArrayOutputStream record = new ByteArrayOutputStream(value.length + 16);
        record.write(0);
        varint(record, 0);
        varint(record, offsetDelta);
        varint(record, -1);
        varint(record, value.length);
        record.write(value, 0, value.length);
        varint(record, 0);
        return record.toByteArray();
    }

    private static void varint(ByteArrayOutputStream out, int value) {
        int zigzag = (value << 1) ^ (value >> 31);
        while ((zigzag & ~0x7F) != 0) {
            out.write((zigzag & 0x7F) | 0x80);
            zigzag >>>= 7;
        }
        out.write(zigzag);
    }

    /** A copy of the bytes of a batch. */
    public static byte[] copyOf(RecordBatch batch) {
        byte[] copy = new byte[batch.sizeInBytes()];
        batch.copyTo(ByteBuffer.wrap(copy), 0);
        return copy;
    }

    /** The bytes of {@code first}, then those of {@code more}. */
    public static byte[] concat(byte[] first, byte[] more) {
        byte[] all = Arrays.copyOf(first, first.length + more.length);
        System.arraycopy(more, 0, all, first.length, more.length);
        return all;
    }
}
