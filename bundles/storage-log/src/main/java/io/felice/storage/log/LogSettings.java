package io.felice.storage.log;

/**
 * The engine's sizes.
 *
 * @param tailBytes most memory for the tail of one partition; half of it is its largest buffer, and a batch larger than
 *     that goes straight to the file
 * @param tailBudgetBytes memory for the tails of all partitions together
 * @param openFiles files kept open at most, besides those that are in use
 * @param flushThreads threads that fsync
 */
public record LogSettings(int tailBytes, long tailBudgetBytes, int openFiles, int flushThreads) {
    public static final LogSettings DEFAULT = new LogSettings(512 << 10, 64L << 20, 8_000, 2);

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
