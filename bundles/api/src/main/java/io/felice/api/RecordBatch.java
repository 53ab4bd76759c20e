package io.felice.api;

import java.nio.ByteBuffer;

/**
 * One batch of records in Kafka's format v2, as a view over its bytes. The bytes are the same on the wire, in memory
 * and on disk.
 *
 * <pre>
 *  byte  0  baseOffset            int64   stamped by the leader, outside the checksum
 *        8  batchLength           int32   bytes after this field
 *       12  partitionLeaderEpoch  int32   stamped by the leader, outside the checksum
 *       16  magic                 int8    2
 *       17  crc                   uint32  CRC-32C of everything from byte 21 on
 *       21  attributes            int16   bits 0-2 codec, 3 timestamp type, 4 transactional, 5 control, 6 delete horizon
 *       23  lastOffsetDelta       int32
 *       27  baseTimestamp         int64   milliseconds; the delete horizon if bit 6 is set
 *       35  maxTimestamp          int64   milliseconds
 *       43  producerId            int64   -1 if none
 *       51  producerEpoch         int16
 *       53  baseSequence          int32
 *       57  recordCount           int32
 *       61  records               compressed by the codec
 * </pre>
 *
 * <p>The view neither copies nor checks the bytes. If the bytes come from outside, the caller checks length, magic and
 * CRC first (see {@code io.felice.records}). {@link #stamp} is not thread-safe. All other methods may run on any thread
 * as long as nobody changes the bytes.
 *
 * <p>Source: Kafka protocol guide, "Record Batch" (KIP-98; delete horizon: KIP-534).
 */
public final class RecordBatch {
    public static final int HEADER_BYTES = 61;
    /** Bytes before the part that {@code batchLength} counts. */
    public static final int LENGTH_PREFIX_BYTES = 12;

    public static final byte MAGIC = 2;

    public static final int BASE_OFFSET_AT = 0;
    public static final int LENGTH_AT = 8;
    public static final int LEADER_EPOCH_AT = 12;
    public static final int MAGIC_AT = 16;
    public static final int CRC_AT = 17;
    public static final int ATTRIBUTES_AT = 21;
    public static final int LAST_OFFSET_DELTA_AT = 23;
    public static final int BASE_TIMESTAMP_AT = 27;
    public static final int MAX_TIMESTAMP_AT = 35;
    public static final int PRODUCER_ID_AT = 43;
    public static final int PRODUCER_EPOCH_AT = 51;
    public static final int BASE_SEQUENCE_AT = 53;
    public static final int RECORD_COUNT_AT = 57;

    public static final long NO_PRODUCER_ID = -1L;
    public static final long NO_TIMESTAMP = -1L;

    private static final int CODEC_MASK = 0x07;
    private static final int LOG_APPEND_TIME_BIT = 0x08;
    private static final int TRANSACTIONAL_BIT = 0x10;
    private static final int CONTROL_BIT = 0x20;

    private final ByteBuffer bytes;
    private final int at;

    /** A view of the batch at index {@code at} of {@code bytes}. The buffer's position and limit are ignored. */
    public RecordBatch(ByteBuffer bytes, int at) {
        this.bytes = bytes;
        this.at = at;
    }

    /** A view of the batch that starts at the buffer's position. */
    public static RecordBatch at(ByteBuffer bytes) {
        return new RecordBatch(bytes, bytes.position());
    }

    /** All bytes of the batch, as a new buffer over the same memory, with position 0. */
    public ByteBuffer bytes() {
        return bytes.slice(at, sizeInBytes());
    }

    /** Copies all bytes of the batch to index {@code targetAt} of {@code target}, without moving a position. */
    public void copyTo(ByteBuffer target, int targetAt) {
        target.put(targetAt, bytes, at, sizeInBytes());
    }

    public int sizeInBytes() {
        return LENGTH_PREFIX_BYTES + bytes.getInt(at + LENGTH_AT);
    }

    public long baseOffset() {
        return bytes.getLong(at + BASE_OFFSET_AT);
    }

    /** The offset of the last record. Compaction does not change it, even if it removes that record. */
    public long lastOffset() {
        return baseOffset() + lastOffsetDelta();
    }

    public long nextOffset() {
        return lastOffset() + 1;
    }

    public int lastOffsetDelta() {
        return bytes.getInt(at + LAST_OFFSET_DELTA_AT);
    }

    public int leaderEpoch() {
        return bytes.getInt(at + LEADER_EPOCH_AT);
    }

    public byte magic() {
        return bytes.get(at + MAGIC_AT);
    }

    /** The stored CRC-32C as an unsigned number. */
    public long crc() {
        return bytes.getInt(at + CRC_AT) & 0xFFFF_FFFFL;
    }

    public short attributes() {
        return bytes.getShort(at + ATTRIBUTES_AT);
    }

    /** 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd; 5 to 7 are undefined. */
    public int codec() {
        return attributes() & CODEC_MASK;
    }

    public boolean isLogAppendTime() {
        return (attributes() & LOG_APPEND_TIME_BIT) != 0;
    }

    public boolean isTransactional() {
        return (attributes() & TRANSACTIONAL_BIT) != 0;
    }

    public boolean isControl() {
        return (attributes() & CONTROL_BIT) != 0;
    }

    /**
     * Milliseconds since the epoch. A record's timestamp is the sum of this value and the record's delta. If bit 6 of
     * the attributes is set, this value is also the delete horizon: the time from which compaction may delete the
     * tombstones.
     */
    public long baseTimestamp() {
        return bytes.getLong(at + BASE_TIMESTAMP_AT);
    }

    /** The largest timestamp of the records, in milliseconds since the epoch; {@link #NO_TIMESTAMP} if none has one. */
    public long maxTimestamp() {
        return bytes.getLong(at + MAX_TIMESTAMP_AT);
    }

    public long producerId() {
        return bytes.getLong(at + PRODUCER_ID_AT);
    }

    public boolean hasProducerId() {
        return producerId() > NO_PRODUCER_ID;
    }

    public short producerEpoch() {
        return bytes.getShort(at + PRODUCER_EPOCH_AT);
    }

    public int baseSequence() {
        return bytes.getInt(at + BASE_SEQUENCE_AT);
    }

    /** The sequence number of the last record. Sequence numbers wrap from 2^31-1 to 0. */
    public int lastSequence() {
        return (int) ((baseSequence() + (long) lastOffsetDelta()) & Integer.MAX_VALUE);
    }

    /**
     * The number of records according to the header. The body may have another number; {@code RecordWalk} checks it.
     */
    public int recordCount() {
        return bytes.getInt(at + RECORD_COUNT_AT);
    }

    /** Writes the base offset and the leader epoch into the batch; the checksum covers neither. */
    public void stamp(long baseOffset, int leaderEpoch) {
        bytes.putLong(at + BASE_OFFSET_AT, baseOffset);
        bytes.putInt(at + LEADER_EPOCH_AT, leaderEpoch);
    }

    @Override
    public String toString() {
        return "RecordBatch[" + baseOffset() + ".." + lastOffset() + " epoch=" + leaderEpoch() + " bytes="
                + sizeInBytes() + "]";
    }
}
