package io.felice.records;

import static io.felice.api.ErrorCode.CORRUPT_MESSAGE;
import static io.felice.api.ErrorCode.INVALID_RECORD;
import static io.felice.api.ErrorCode.UNKNOWN_SERVER_ERROR;

import io.felice.api.ErrorCode;
import io.felice.api.RecordBatch;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.DefaultRecordBatch;

/**
 * Finds and checks the batches in bytes from clients, and corrects batch headers. {@link #split} checks lengths and
 * formats; {@link #check} then checks the checksum and the rest of the header. Stateless; any thread.
 */
public final class Batches {
    private static final int MAX_CODEC = 4;
    private static final short LOG_APPEND_TIME_BIT = 0x08;
    private static final short NO_PRODUCER = -1;

    private Batches() {}

    /**
     * The batches in {@code bytes}, from its position to its limit, as views. Checks the length and the magic of each
     * batch.
     *
     * @throws io.felice.api.FeliceException CORRUPT_MESSAGE if a length does not fit or the magic is above 2 or below
     *     0, INVALID_RECORD for the old formats of magic 0 and 1
     */
    public static List<RecordBatch> split(ByteBuffer bytes) {
        List<RecordBatch> batches = new ArrayList<>(1);
        int at = bytes.position();
        while (at < bytes.limit()) {
            RecordBatch batch = batchAt(bytes, at);
            batches.add(batch);
            at += batch.sizeInBytes();
        }
        return batches;
    }

    /**
     * As {@link #split}, of bytes that may end within a batch, as the answer to a fetch does: that batch is left out.
     *
     * @throws io.felice.api.FeliceException also CORRUPT_MESSAGE if there is no whole batch
     */
    public static List<RecordBatch> splitWhole(ByteBuffer bytes) {
        List<RecordBatch> batches = new ArrayList<>();
        int at = bytes.position();
        while (at < bytes.limit() && (batches.isEmpty() || isWhole(bytes, at))) {
            RecordBatch batch = batchAt(bytes, at);
            batches.add(batch);
            at += batch.sizeInBytes();
        }
        return batches;
    }

    private static boolean isWhole(ByteBuffer bytes, int at) {
        int room = bytes.limit() - at - RecordBatch.LENGTH_PREFIX_BYTES;
        return room >= 0 && bytes.getInt(at + RecordBatch.LENGTH_AT) <= room;
    }

    private static RecordBatch batchAt(ByteBuffer bytes, int at) {
        int room = bytes.limit() - at;
        if (room > RecordBatch.MAGIC_AT && bytes.get(at + RecordBatch.MAGIC_AT) != RecordBatch.MAGIC) {
            byte magic = bytes.get(at + RecordBatch.MAGIC_AT);
            ErrorCode code = magic == 0 || magic == 1 ? INVALID_RECORD : CORRUPT_MESSAGE;
            throw code.because("Batches of magic " + magic + " are not accepted, only of magic " + RecordBatch.MAGIC);
        }
        if (room < RecordBatch.HEADER_BYTES) {
            throw CORRUPT_MESSAGE.because(room + " bytes are too few for a batch header");
        }
        long size = RecordBatch.LENGTH_PREFIX_BYTES + (long) bytes.getInt(at + RecordBatch.LENGTH_AT);
        if (size < RecordBatch.HEADER_BYTES || size > room) {
            throw CORRUPT_MESSAGE.because("A batch says it has " + size + " bytes where there are " + room);
        }
        return new RecordBatch(bytes, at);
    }

    /**
     * A batch without records that covers the offsets from {@code base} to {@code last}, as compaction leaves one of a
     * batch whose records it removes.
     */
    public static ByteBuffer empty(long base, long last, int leaderEpoch) {
        ByteBuffer bytes = ByteBuffer.allocate(RecordBatch.HEADER_BYTES);
        DefaultRecordBatch.writeEmptyHeader(
                bytes,
                RecordBatch.MAGIC,
                NO_PRODUCER,
                NO_PRODUCER,
                NO_PRODUCER,
                base,
                last,
                leaderEpoch,
                TimestampType.CREATE_TIME,
                RecordBatch.NO_TIMESTAMP,
                false,
                false);
        return bytes.flip();
    }

    /**
     * Checks the checksum, the codec, and the numbers of records and offsets of a batch from {@link #split}.
     *
     * @throws io.felice.api.FeliceException CORRUPT_MESSAGE if the checksum is wrong; INVALID_RECORD if there are no
     *     records or the last offset delta does not match their number; UNKNOWN_SERVER_ERROR for an undefined codec, as
     *     in Kafka
     */
    public static void check(RecordBatch batch) {
        checkCrc(batch);
        if (batch.codec() > MAX_CODEC) {
            throw UNKNOWN_SERVER_ERROR.because("The batch is compressed with codec " + batch.codec()
                    + "; there are 0 (none), 1 (gzip), 2 (snappy), 3 (lz4) and 4 (zstd)");
        }
        if (batch.recordCount() <= 0 || batch.lastOffsetDelta() != batch.recordCount() - 1) {
            throw INVALID_RECORD.because("The batch says it has " + batch.recordCount()
                    + " records and a last offset delta of " + batch.lastOffsetDelta());
        }
    }

    /**
     * Checks only the checksum, for example of a compacted batch, which may have fewer records than offsets.
     *
     * @throws io.felice.api.FeliceException CORRUPT_MESSAGE if the checksum is wrong
     */
    public static void checkCrc(RecordBatch batch) {
        long crc = crcOf(batch);
        if (crc != batch.crc()) {
            throw CORRUPT_MESSAGE.because("The batch's CRC is " + batch.crc() + ", its contents have " + crc);
        }
    }

    /** Computes the CRC-32C of the bytes that the checksum covers, which start with the attributes. */
    public static long crcOf(RecordBatch batch) {
        ByteBuffer covered = batch.bytes();
        covered.position(RecordBatch.ATTRIBUTES_AT);
        CRC32C crc = new CRC32C();
        crc.update(covered);
        return crc.getValue();
    }

    /**
     * Sets the broker's time as the timestamp of all records of the batch (LogAppendTime, KIP-32), and computes the
     * checksum again.
     *
     * @param now the broker's time, in milliseconds since the epoch
     */
    public static void stampAppendTime(RecordBatch batch, long now) {
        ByteBuffer bytes = batch.bytes();
        short attributes = (short) (batch.attributes() | LOG_APPEND_TIME_BIT);
        bytes.putShort(RecordBatch.ATTRIBUTES_AT, attributes);
        bytes.putLong(RecordBatch.MAX_TIMESTAMP_AT, now);
        bytes.putInt(RecordBatch.CRC_AT, (int) crcOf(batch));
    }

    /**
     * Sets the max timestamp in the header of a batch whose header had a wrong one, and computes the checksum again.
     *
     * @param newest the largest timestamp of the records, in milliseconds since the epoch
     */
    public static void correctMaxTimestamp(RecordBatch batch, long newest) {
        ByteBuffer bytes = batch.bytes();
        bytes.putLong(RecordBatch.MAX_TIMESTAMP_AT, newest);
        bytes.putInt(RecordBatch.CRC_AT, (int) crcOf(batch));
    }
}
