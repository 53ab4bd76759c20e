package io.felice.storage.log;

/**
 * The settings of the engine.
 *
 * @param tailBytes most memory for the tail of one partition, in bytes. The tail's largest buffer has half of it; a
 *     larger batch is written to the file directly
 * @param tailBudgetBytes memory for the tails of all partitions together, in bytes
 * @param openFiles most files that stay open without being in use
 * @param flushThreads number of threads that call fsync
 */
public record LogSettings(int tailBytes, long tailBudgetBytes, int openFiles, int flushThreads) {
    public static final LogSettings DEFAULT = new LogSettings(512 << 10, 64L << 20, 8_000, 16);

    public LogSettings {
        if (tailBytes < 2 * TailBuffers.SMALLEST || tailBudgetBytes < 0 || openFiles < 1 || flushThreads < 1) {
            throw new IllegalArgumentException("tailBytes must be " + 2 * TailBuffers.SMALLEST
                    + " or more, openFiles and flushThreads 1 or more: " + tailBytes + ", " + openFiles + ", "
                    + flushThreads);
        }
    }

    int largestTailBuffer() {
        return Integer.highestOneBit(tailBytes / 2);
    }
}
