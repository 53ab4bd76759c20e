package io.felice.api.storage;

import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Whole batches out of a log, as they will be sent: in memory, or a range of a file. They stay as they are (pinned)
 * until {@link #close}, which the receiver calls exactly when the last byte is sent or will never be; closing twice does
 * no harm. May be closed from any thread.
 */
@ProviderType
public sealed interface Records extends AutoCloseable permits Records.InMemory, Records.InFile {
    /** Nothing; it has no {@link #nextOffset}. */
    Records EMPTY = new InMemory(List.of(), -1, () -> {});

    int sizeInBytes();

    /**
     * Where to read on: above the last record here, with no record between. Below the limit of the read if there is more
     * that was not given.
     */
    long nextOffset();

    /** Gives the pin back; never throws. */
    @Override
    void close();

    /** Batches in memory; each buffer's remaining bytes are whole batches. The receiver must not write to them. */
    final class InMemory implements Records {
        private final List<ByteBuffer> buffers;
        private final int sizeInBytes;
        private final long nextOffset;
        private final Pin pin;

        public InMemory(List<ByteBuffer> buffers, long nextOffset, Runnable release) {
            this.buffers = List.copyOf(buffers);
            this.nextOffset = nextOffset;
            this.sizeInBytes =
                    this.buffers.stream().mapToInt(ByteBuffer::remaining).sum();
            this.pin = new Pin(release);
        }

        /** The buffers, in order; take a duplicate before moving a position. */
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

    /** Batches in a file, which stays open and unchanged in this range until released. */
    final class InFile implements Records {
        private final FileChannel channel;
        private final long position;
        private final int sizeInBytes;
        private final long nextOffset;
        private final Pin pin;

        public InFile(FileChannel channel, long position, int sizeInBytes, long nextOffset, Runnable release) {
            this.channel = channel;
            this.position = position;
            this.sizeInBytes = sizeInBytes;
            this.nextOffset = nextOffset;
            this.pin = new Pin(release);
        }

        /** For positional reads and transfers only; never closed or moved by the receiver. */
        public FileChannel channel() {
            return channel;
        }

        /** The first byte's position in the file. */
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

    /** Runs its release once, whoever closes first. */
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
