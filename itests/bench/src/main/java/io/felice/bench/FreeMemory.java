package io.felice.bench;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/**
 * Makes sure that a sample begins with enough free memory that was in use recently, as on a busy server.
 *
 * <p>On a virtual machine, the kernel gives large free blocks of memory back to the host (free page reporting). Memory
 * that was not touched for a long time may be gone as well. The first access to such memory costs more processor time
 * than the broker's own work on it. Which of two brokers pays that cost depends on the sizes of its writes, not on its
 * work. The kernel uses small free blocks before it splits large ones, so it is enough that all small blocks were in
 * use recently.
 */
final class FreeMemory implements AutoCloseable {
    private static final long BYTES_PER_SECOND = 1L << 30;
    private static final int PIECE_BYTES = 512 << 10;

    /** One of so many pieces stays in use, so that freed pieces do not merge into blocks that are given back. */
    private static final int PIECES_TOGETHER = 3;

    /** The most bytes in small free blocks that need not be touched. */
    private static final long COLD_BYTES = 64L << 20;

    private static final long MOST_BYTES = 8L << 30;
    private static final Path BUDDIES = Path.of("/proc/buddyinfo");
    private static final int PAGE_BYTES = 4096;
    /** Free blocks of 2^9 pages and more are given back to the host. */
    private static final int GIVEN_BACK_ORDER = 9;

    /** Memory that was not touched for this long counts as cold. */
    private static final long COLD_AFTER_NANOS = TimeUnit.SECONDS.toNanos(60);

    private final long bytes;
    private final Holes freed;
    private final Holes staying;
    private long allWarmAt = System.nanoTime() - COLD_AFTER_NANOS;

    /**
     * @param directory must be on a file system with sparse files that are read through the page cache
     * @param seconds how long a sample writes
     */
    FreeMemory(Path directory, int seconds) throws IOException {
        bytes = seconds * BYTES_PER_SECOND;
        freed = new Holes(directory.resolve("holes-freed"));
        staying = new Holes(directory.resolve("holes-staying"));
    }

    /**
     * Uses as much free memory as a sample needs and frees it, without writing to a disk. Every {@link
     * #COLD_AFTER_NANOS} it uses all small free blocks as well.
     */
    void warm() throws IOException {
        boolean all = System.nanoTime() - allWarmAt >= COLD_AFTER_NANOS;
        if (all) {
            allWarmAt = System.nanoTime();
        }
        staying.drop();
        for (long used = 0; used < bytes || all && used < MOST_BYTES && bytesInSmallPieces() > COLD_BYTES; ) {
            for (int i = 0; i < 64; i++) {
                freed.readOn();
                if (i % PIECES_TOGETHER == 0) {
                    staying.readOn();
                }
                used += PIECE_BYTES;
            }
        }
        freed.drop();
    }

    /**
     * Reads {@code /proc/buddyinfo}. Each line has the numbers of free blocks of 1, 2, 4 ... pages in one memory zone.
     */
    private static long bytesInSmallPieces() throws IOException {
        long pages = 0;
        for (String zone : Files.readAllLines(BUDDIES)) {
            String[] pieces = zone.substring(zone.indexOf("zone")).split("\\s+");
            for (int order = 0; order < GIVEN_BACK_ORDER; order++) {
                pages += Long.parseLong(pieces[2 + order]) << order;
            }
        }
        return pages * PAGE_BYTES;
    }

    @Override
    public void close() throws IOException {
        freed.close();
        staying.close();
    }

    /** A sparse file without data. Reading it fills the page cache and reads nothing from a disk. */
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

        /** Reads another piece into the page cache. Goes backwards, so that the kernel does not read ahead. */
        void readOn() throws IOException {
            begin -= PIECE_BYTES;
            buffer.clear();
            while (buffer.hasRemaining()) {
                file.getChannel().read(buffer, begin + buffer.position());
            }
        }

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
