package io.felice.storage.mvstore;

import io.felice.api.storage.LogId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.UUID;

/**
 * What a store file says of a log.
 *
 * <pre>
 *  byte  0  format     int8    1
 *        1  topicId    int64 x 2
 *       17  partition  int32
 *       21  flags      int8    bit 0: set aside
 *       22  start      int64   the log start offset
 *       30  name       int16 length, UTF-8
 *           crc        int32   of all before
 * </pre>
 */
record LogEntry(LogId id, long start, boolean setAside) {
    private static final byte FORMAT = 1;
    private static final int FIXED_BYTES = 32;

    ByteBuffer encode() {
        byte[] name = id.topic().getBytes(StandardCharsets.UTF_8);
        ByteBuffer bytes = ByteBuffer.allocate(FIXED_BYTES + name.length + Checked.BYTES);
        bytes.put(FORMAT);
        bytes.putLong(id.topicId().getMostSignificantBits());
        bytes.putLong(id.topicId().getLeastSignificantBits());
        bytes.putInt(id.partition());
        bytes.put((byte) (setAside ? 1 : 0));
        bytes.putLong(start);
        bytes.putShort((short) name.length);
        bytes.put(name);
        return Checked.close(bytes);
    }

    static LogEntry decode(ByteBuffer value) throws IOException {
        ByteBuffer bytes = Checked.open(value, FORMAT, FIXED_BYTES - 1);
        UUID topicId = new UUID(bytes.getLong(), bytes.getLong());
        int partition = bytes.getInt();
        boolean setAside = (bytes.get() & 1) != 0;
        long start = bytes.getLong();
        byte[] name = new byte[bytes.getShort() & 0xFFFF];
        if (name.length != bytes.remaining() || partition < 0) {
            throw new IOException("the entry of a log is damaged");
        }
        bytes.get(name);
        return new LogEntry(new LogId(topicId, partition, new String(name, StandardCharsets.UTF_8)), start, setAside);
    }
}
