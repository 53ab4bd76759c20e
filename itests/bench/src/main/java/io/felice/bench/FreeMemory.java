package io.felice.bench;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Lets a sample begin with as much free memory as it will write to, all of which was in use a moment ago, as what a busy
 * server frees and uses again.
 *
 * <p>The other memory is a virtual machine's: pages that lie free in large pieces are given back to the host (free page
 * reporting), and so in effect are those that nobody has touched for long. The first touch after that costs more than
 * everything a broker does to them. Which of two brokers meets them depends on how large the pieces are that it writes,
 * not on its work. The kernel takes small pieces before it breaks large ones, so it is enough that there are some.
 */
final class FreeMemory implements AutoCloseable {
    private static final long BYTES_PER_SECOND = 1L << 30;
    private static final int PIECE_BYTES = 512 << 10;

    /** After so many pieces one stays in use, so that no free ones grow together to what is given back. */
    private static final int PIECES_TOGETHER = 3;

    private final long bytes;
    private final Holes freed;
    private final Holes staying;

    /**
     * @param directory on a file system that has files with holes and reads them through the page cache
     * @param seconds for which a sample writes
     */
    FreeMemory(Path directory, int seconds) throws IOException {
        bytes = seconds * BYTES_PER_SECOND;
        freed = new Holes(directory.resolve("holes-freed"));
        staying = new Holes(directory.resolve("holes-staying"));
    }

    /** Uses memory and frees it, without a disk. */
    void warm() throws IOException {
        staying.drop();
        for (long i = 0; i < bytes / PIECE_BYTES; i++) {
            freed.readOn();
            if (i % PIECES_TOGETHER == 0) {
                staying.readOn();
            }
        }
        freed.drop();
    }

    @Override
    public void close() throws IOException {
        freed.close();
        staying.close();
    }

    /** A file of nothing but holes: what is read of it is in memory, and nowhere else. */
    private static final class Holes {
        private static final long LENGTH = 1L << 40;

        private final Path path;
        private final RandomAccessFile file;
        private final ByteBuffer buffer = ByteBuffer.allocateDirect(PIECE_BYTES);
        private long begin = LENGTH;

        Holes(Path path) throws IOException {
            this.path = path;
            this.file = new RandomAccessFile(path.toFile(), "rw");
            file.setLength(LENGTH);
        }

        /** Brings another piece into memory: backwards, so that the kernel does not read ahead. */
        void readOn() throws IOException {
            begin -= PIECE_BYTES;
            buffer.clear();
            while (buffer.hasRemaining()) {
                file.getChannel().read(buffer, begin + buffer.position());
            }
        }

        /** Frees the memory. */
        void drop() throws IOException {
            file.setLength(0);
            file.setLength(LENGTH);
            begin = LENGTH;
        }

        void close() throws IOException {
            file.close();
            Files.deleteIfExists(path);
        }
    }
}
