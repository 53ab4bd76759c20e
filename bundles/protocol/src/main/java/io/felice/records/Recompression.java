package io.felice.records;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.RecordBatch;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import org.apache.kafka.common.utils.internals.ByteBufferOutputStream;

/**
 * Compresses the records of a batch with another codec. The encoding of the records does not depend on the codec, so
 * their bytes are copied from one stream into the other, and no object is made for a record. Of the header only the
 * length, the codec and the checksum change: offsets, timestamps, the producer's id, epoch and sequence stay.
 *
 * <p>Stateless; any thread.
 */
public final class Recompression {
    private static final int FIRST_BYTES = 4 << 10;

    private Recompression() {}

    /**
     * @param batch its header and checksum were checked
     * @param walk checks the records while they are copied; one call at a time
     * @param maxRecordBytes the largest record that is let through, decompressed
     * @param mostBytes the largest batch that may come out; no more memory is taken for it
     * @return a batch with bytes of its own
     * @throws FeliceException MESSAGE_TOO_LARGE if the batch would have more than {@code mostBytes}; and as
     *     {@link RecordWalk#walk}
     */
    public static RecordBatch of(
            RecordBatch batch,
            Codec codec,
            RecordWalk walk,
            int maxRecordBytes,
            int mostBytes,
            RecordWalk.Visitor visitor) {
        Output output = new Output(Math.min(mostBytes, firstBytes(batch, codec)), mostBytes, codec);
        output.write(batch.bytes().limit(RecordBatch.HEADER_BYTES));
        try (OutputStream records = codec.compression().wrapForOutput(output, RecordBatch.MAGIC)) {
            walk.walk(batch, maxRecordBytes, visitor, records);
        } catch (IOException failure) {
            throw new IllegalStateException("a batch cannot be compressed in memory", failure);
        }
        return finished(output.buffer().flip(), batch, codec);
    }

    private static int firstBytes(RecordBatch batch, Codec codec) {
        long bytes = codec.id() == 0 ? 4L * batch.sizeInBytes() : batch.sizeInBytes();
        return (int) Math.min(Integer.MAX_VALUE, Math.max(FIRST_BYTES, bytes));
    }

    private static RecordBatch finished(ByteBuffer bytes, RecordBatch before, Codec codec) {
        bytes.putInt(RecordBatch.LENGTH_AT, bytes.limit() - RecordBatch.LENGTH_PREFIX_BYTES);
        short attributes = (short) (before.attributes() - before.codec() + codec.id());
        bytes.putShort(RecordBatch.ATTRIBUTES_AT, attributes);
        RecordBatch after = new RecordBatch(bytes, 0);
        bytes.putInt(RecordBatch.CRC_AT, (int) Batches.crcOf(after));
        return after;
    }

    /** Grows to twice its size, up to the limit. */
    private static final class Output extends ByteBufferOutputStream {
        private final int mostBytes;
        private final Codec codec;

        Output(int firstBytes, int mostBytes, Codec codec) {
            super(firstBytes);
            this.mostBytes = mostBytes;
            this.codec = codec;
        }

        @Override
        public void write(int single) {
            makeRoomFor(1);
            super.write(single);
        }

        @Override
        public void write(byte[] bytes, int from, int length) {
            makeRoomFor(length);
            super.write(bytes, from, length);
        }

        @Override
        public void write(ByteBuffer bytes) {
            makeRoomFor(bytes.remaining());
            super.write(bytes);
        }

        private void makeRoomFor(int more) {
            if (more > mostBytes - position()) {
                throw ErrorCode.MESSAGE_TOO_LARGE.because("The batch has more than " + mostBytes
                        + " bytes when its records are " + (codec.id() == 0 ? "" : "compressed with ") + codec.name());
            }
            if (more > remaining()) {
                ensureRemaining(Math.min(mostBytes - position(), Math.max(more, position())));
            }
        }
    }
}
