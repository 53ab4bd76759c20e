package io.felice.bench;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.stream.Stream;

/**
 * Keeps the machine's memory full of file pages, as it is on any server that has run for a while, so that what a broker
 * writes goes into pages that are used again.
 *
 * <p>The other memory is a virtual machine's: pages that lie free in large pieces are given back to the host (free page
 * reporting), and the first touch after that costs more than everything a broker does to them. Which of two brokers
 * meets them depends on how large the pieces are that it writes, not on its work.
 */
final class PageCache implements AutoCloseable {
    private static final long LEFT_FREE_MEGABYTES = 300;
    private static final int PIECE_BYTES = 16 << 20;

    private final Path holes;
    private final FileChannel channel;
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(PIECE_BYTES);
    private long position;

    /** @param directory on a file system that has files with holes and reads them through the page cache */
    PageCache(Path directory) throws IOException {
        holes = directory.resolve("holes");
        channel = FileChannel.open(holes, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    }

    /** Reads on in a file of nothing but holes, which costs memory and no disk, until little memory is free. */
    void fill() throws IOException {
        while (freeMegabytes() > LEFT_FREE_MEGABYTES) {
            long end = position + PIECE_BYTES;
            channel.write(ByteBuffer.wrap(new byte[1]), end);
            while (position < end) {
                buffer.clear().limit((int) Math.min(PIECE_BYTES, end - position));
                position += channel.read(buffer, position);
            }
        }
    }

    private static long freeMegabytes() throws IOException {
        try (Stream<String> lines = Files.lines(Path.of("/proc/meminfo"))) {
            return lines.filter(line -> line.startsWith("MemFree:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D+", "")) / 1024)
                    .findFirst()
                    .orElseThrow();
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
        Files.deleteIfExists(holes);
    }
}
