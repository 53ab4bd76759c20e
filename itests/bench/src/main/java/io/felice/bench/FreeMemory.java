package io.felice.bench;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/**
 * Lets a sample begin with as much free memory as it will write to, all of which was in use a moment ago, as what a busy
 * server frees and uses again.
 *
 * <p>The other memory is a virtual machine's: pages that lie free in large pieces are given back to the host (free page
 * reporting), and so in effect are those that nobody has touched for long. The first touch after that costs more than
 * everything a broker does to them. Which of two brokers meets them depends on how large the pieces are that it writes,
 * not on its work. The kernel takes small pieces before it breaks those that it may give back, so it is enough that all
 * the small ones were in use.
 */
final class FreeMemory implements AutoCloseable {
    private static final long BYTES_PER_SECOND = 1L << 30;
    private static final int PIECE_BYTES = 512 << 10;

    /** After so many pieces one stays in use, so that no free ones grow together to what is given back. */
    private static final int PIECES_TOGETHER = 3;

    /** Free memory that may be left cold. */
    private static final long COLD_BYTES = 64L << 20;

    private static final long MOST_BYTES = 8L << 30;
    private static final Path BUDDIES = Path.of("/proc/buddyinfo");
    private static final int PAGE_BYTES = 4096;
    /** From here on pieces are given back: 2^9 pages. */
    private static final int GIVEN_BACK_ORDER = 9;

    /** After so long what nobody used is taken for cold. */
    private static final long COLD_AFTER_NANOS = TimeUnit.SECONDS.toNanos(60);

    private final long bytes;
    private final Holes freed;
    private final Holes staying;
    private long allWarmAt = System.nanoTime() - COLD_AFTER_NANOS;

    /**
     * @param directory on a file system that has files with holes and reads them through the page cache
     * @param seconds for which a sample writes
     */
    FreeMemory(Path directory, int seconds) throws IOException {
        bytes = seconds * BYTES_PER_SECOND;
        freed = new Holes(directory.resolve("holes-freed"));
        staying = new Holes(directory.resolve("holes-staying"));
    }

    /**
     * Uses as much free memory as a sample needs, and frees it, without a disk; and with it now and then all that lies in
     * small pieces.
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

    /** Each line of {@code /proc/buddyinfo} has the numbers of free pieces of 1, 2, 4 ... pages in one zone of memory. */
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
