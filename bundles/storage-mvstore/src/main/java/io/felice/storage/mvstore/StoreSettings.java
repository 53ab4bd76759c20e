package io.felice.storage.mvstore;

/**
 * The engine's sizes.
 *
 * @param shards how many sets of store files a new directory gets; a directory keeps the number it was made with
 * @param fileBytes a store file that is larger gets a successor
 * @param recentBytes most memory for the newest settled batches of one log that somebody reads
 * @param memoryBytes memory for batches of all logs together; appends wait while batches that are not committed fill it
 * @param cacheBytes memory for the pages of all newest store files together
 * @param flushThreads threads that fsync
 */
record StoreSettings(int shards, long fileBytes, int recentBytes, long memoryBytes, long cacheBytes, int flushThreads) {
    static final StoreSettings DEFAULT = new StoreSettings(4, 256 << 20, 256 << 10, 64 << 20, 64 << 20, 2);

    StoreSettings {
        if (shards < 1 || fileBytes < 1 || recentBytes < 0 || memoryBytes < 1 || cacheBytes < 0 || flushThreads < 1) {
            throw new IllegalArgumentException("shards " + shards + ", fileBytes " + fileBytes + ", recentBytes "
                    + recentBytes + ", memoryBytes " + memoryBytes + ", cacheBytes " + cacheBytes + ", flushThreads "
                    + flushThreads);
        }
    }
}
