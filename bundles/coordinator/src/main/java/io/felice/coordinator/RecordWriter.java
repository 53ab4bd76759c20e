package io.felice.coordinator;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;

/** Writes the primitive types of Kafka's record format into a growing buffer. Not thread-safe. */
final class RecordWriter {
    private static final int INITIAL_BYTES = 96;

    private ByteBuffer out = ByteBuffer.allocate(INITIAL_BYTES);

    RecordWriter int16(int value) {
        reserve(Short.BYTES).putShort((short) value);
        return this;
    }

    RecordWriter int32(int value) {
        reserve(Integer.BYTES).putInt(value);
        return this;
    }

    RecordWriter int64(long value) {
        reserve(Long.BYTES).putLong(value);
        return this;
    }

    /** Null is written as length -1. The caller has checked that the text fits into {@code MAX_STRING_BYTES}. */
    RecordWriter string(String text) {
        if (text == null) {
            return int16(-1);
        }
        byte[] bytes = text.getBytes(UTF_8);
        if (bytes.length > GroupLimits.MAX_STRING_BYTES) {
            throw new IllegalStateException("a string of " + bytes.length + " bytes does not fit into a record");
        }
        int16(bytes.length);
        reserve(bytes.length).put(bytes);
        return this;
    }

    RecordWriter bytes(byte[] bytes) {
        int32(bytes.length);
        reserve(bytes.length).put(bytes);
        return this;
    }

    byte[] toBytes() {
        byte[] bytes = new byte[out.position()];
        out.get(0, bytes);
        return bytes;
    }

    private ByteBuffer reserve(int bytes) {
        if (out.remaining() < bytes) {
            ByteBuffer larger = ByteBuffer.allocate(Math.max(out.capacity() * 2, out.position() + bytes));
            out = larger.put(out.flip());
        }
        return out;
    }
}
