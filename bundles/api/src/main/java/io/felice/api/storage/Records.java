package io.felice.api.storage;

import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Whole batches that were read from a log: buffers in memory, or a range of a file.
 *
 * <p>The records are pinned until {@link #close}: the log neither changes nor frees their bytes. The receiver closes
 * them when it has sent the last byte, or when it knows that it will not send them. Any thread may close them. Every
 * call of {@code close} after the first does nothing.
 */
@ProviderType
public sealed interface Records extends AutoCloseable permits Records.InMemory, Records.InFile {
    /** No batches. Its {@link #nextOffset} is -1. */
    Records EMPTY = new InMemory(List.of(), -1, () -> {});

    int sizeInBytes();

    /**
     * The offset from which to continue reading. No record lies between the last record here and this offset. If the
     * offset is below the limit of the read, the log has more records below that limit.
     */
    long nextOffset();

    /** Releases the pin. Never throws. */
    @Override
    void close();

    /**
     * Batches in memory. The remaining bytes of each buffer are whole batches. The receiver must not write to the
     * buffers.
     */
    final class InMemory implements Records {
        private final List<ByteBuffer> buffers;
        private final int sizeInBytes;
        private final long nextOffset;
        private final Pin pin;

        /** @param release runs once, on the thread that calls {@link #close} first */
        public InMemory(List<ByteBuffer> buffers, long nextOffset, Runnable release) {
            this.buffers = List.copyOf(buffers);
            this.nextOffset = nextOffset;
            this.sizeInBytes =
                    this.buffers.stream().mapToInt(ByteBuffer::remaining).sum();
            this.pin = new Pin(release);
        }

        /** The buffers in order of their offsets. A receiver that moves a position must do so in a duplicate. */
        public List<ByteBuffer> buffers() {
            return buffers;
        }

        @Override
        public int sizeInBytes() {
            return sizeInBytes;
        }

        @Override
        public long nextOffset() {
            return nextOffset;
        }

        @Override
        public void close() {
            pin.release();
        }
    }

    /** Batches in a range of a file. Until {@link #close} the file stays open and this range does not change. */
    final class InFile implements Records {
        private final FileChannel channel;
        private final long position;
        private final int sizeInBytes;
        private final long nextOffset;
        private final Pin pin;

        /** @param release runs once, on the thread that calls {@link #close} first */
        public InFile(FileChannel channel, long position, int sizeInBytes, long nextOffset, Runnable release) {
            this.channel = channel;
            this.position = position;
            this.sizeInBytes = sizeInBytes;
            this.nextOffset = nextOffset;
            this.pin = new Pin(release);
        }

        /**
         * The file. The receiver reads at absolute positions only; it neither closes the channel nor moves its
         * position.
         */
        public FileChannel channel() {
            return channel;
        }

        /** The position of the first batch in the file, in bytes. */
        public long position() {
            return position;
        }

        @Override
        public int sizeInBytes() {
            return sizeInBytes;
        }

        @Override
        public long nextOffset() {
            return nextOffset;
        }

        @Override
        public void close() {
            pin.release();
        }
    }

    /** Runs the release once, however often and on however many threads the records are closed. */
    final class Pin {
        private final AtomicBoolean released = new AtomicBoolean();
        private final Runnable release;

        private Pin(Runnable release) {
            this.release = release;
        }

        private void release() {
            if (released.compareAndSet(false, true)) {
                release.run();
            }
        }
    }
}
