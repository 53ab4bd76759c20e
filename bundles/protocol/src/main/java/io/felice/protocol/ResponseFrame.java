package io.felice.protocol;

import io.felice.api.storage.Records;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Writable;
import org.apache.kafka.common.record.internal.BaseRecords;
import org.apache.kafka.common.record.internal.MemoryRecords;

/**
 * A response as it is sent, including its length field: buffers and file ranges in order. The sender closes the frame
 * when the last byte is sent, or when it knows that the frame will not be sent; that releases the pinned records. Any
 * thread may close the frame, more than once.
 */
public final class ResponseFrame implements AutoCloseable {
    /** Records of up to so many bytes are copied into the buffer of the other fields: one write instead of three. */
    private static final int COPIED_UP_TO = 8 * 1024;

    private final List<Object> parts;
    private final List<Records> pins;
    private final long sizeInBytes;

    private ResponseFrame(List<Object> parts, List<Records> pins, long sizeInBytes) {
        this.parts = parts;
        this.pins = pins;
        this.sizeInBytes = sizeInBytes;
    }

    /** The parts in order. Each is a {@link ByteBuffer}, from position to limit, or a {@link Records.InFile}. */
    public List<Object> parts() {
        return parts;
    }

    /** The bytes of all parts, including the four of the length field. */
    public long sizeInBytes() {
        return sizeInBytes;
    }

    /** The number of {@link Records} that the frame pins until it is closed. */
    public int pins() {
        return pins.size();
    }

    @Override
    public void close() {
        pins.forEach(Records::close);
    }

    /**
     * Writes a response as a list of buffers and files. Fields and small record sets are copied into one shared buffer. A
     * large record set is not copied: its buffers, or its range of a file, get their own place in the list.
     */
    static final class Collector implements Writable {
        private final List<Object> parts = new ArrayList<>(1);
        private final List<Records> pins = new ArrayList<>(0);
        private final ByteBuffer buffer;
        private final ByteBufferAccessor text;
        private int from;

        /** @param plainBytes the bytes of the length field, the header, all other fields and the small records */
        Collector(int plainBytes) {
            buffer = ByteBuffer.allocate(plainBytes);
            text = new ByteBufferAccessor(buffer);
        }

        ResponseFrame frame() {
            cut();
            long size = 0;
            for (Object part : parts) {
                size += part instanceof ByteBuffer bytes ? bytes.remaining() : ((Records.InFile) part).sizeInBytes();
            }
            ((ByteBuffer) parts.get(0)).putInt(0, Math.toIntExact(size - Integer.BYTES));
            return new ResponseFrame(parts, pins, size);
        }

        private void cut() {
            if (buffer.position() > from) {
                parts.add(buffer.slice(from, buffer.position() - from));
                from = buffer.position();
            }
        }

        @Override
        public void writeRecords(BaseRecords records) {
            if (records instanceof PinnedRecords pinned) {
                write(pinned.records());
            } else if (records instanceof MemoryRecords memory) {
                text.writeByteBuffer(memory.buffer());
            } else {
                throw new IllegalArgumentException("cannot send records of " + records.getClass());
            }
        }

        private void write(Records records) {
            pins.add(records);
            if (records instanceof Records.InMemory memory) {
                boolean small = fitsBeside(memory);
                for (ByteBuffer part : memory.buffers()) {
                    if (small) {
                        buffer.put(part.duplicate());
                    } else {
                        cut();
                        parts.add(part.duplicate());
                    }
                }
            } else if (records.sizeInBytes() > 0) {
                cut();
                parts.add(records);
            }
        }

        static boolean fitsBeside(Records records) {
            return records instanceof Records.InMemory && records.sizeInBytes() <= COPIED_UP_TO;
        }

        @Override
        public void writeByte(byte value) {
            text.writeByte(value);
        }

        @Override
        public void writeShort(short value) {
            text.writeShort(value);
        }

        @Override
        public void writeInt(int value) {
            text.writeInt(value);
        }

        @Override
        public void writeLong(long value) {
            text.writeLong(value);
        }

        @Override
        public void writeDouble(double value) {
            text.writeDouble(value);
        }

        @Override
        public void writeByteArray(byte[] value) {
            text.writeByteArray(value);
        }

        @Override
        public void writeUnsignedVarint(int value) {
            text.writeUnsignedVarint(value);
        }

        @Override
        public void writeByteBuffer(ByteBuffer value) {
            text.writeByteBuffer(value);
        }

        @Override
        public void writeVarint(int value) {
            text.writeVarint(value);
        }

        @Override
        public void writeVarlong(long value) {
            text.writeVarlong(value);
        }
    }
}
