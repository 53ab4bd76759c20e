package io.felice.storage.log;

import java.util.concurrent.locks.ReentrantLock;

/**
 * The locks of one log that may be held during disk operations. A thread that needs both takes {@code settling} first;
 * the monitor of {@link LogState} is taken last.
 *
 * @param replacing held while the files of replaced segments are removed, and while the directory is renamed
 * @param settling held while batches are written to the files, and while the list of segments or the directory's name
 *     changes
 * @param flushing held during fsyncs, and while segments are removed or replaced or the directory is renamed
 */
record LogLocks(ReentrantLock replacing, ReentrantLock settling, ReentrantLock flushing) {
    LogLocks() {
        this(new ReentrantLock(), new ReentrantLock(), new ReentrantLock());
    }
}
