package io.felice.storage.log;

import java.util.concurrent.locks.ReentrantLock;

/**
 * The locks of one log that are held while the disk is slow, taken in this order; the monitor of {@link LogState} comes
 * last.
 *
 * @param settling held by whoever writes to the files or changes which there are
 * @param flushing held during fsyncs, and by who changes which files there are
 */
record LogLocks(ReentrantLock settling, ReentrantLock flushing) {
    LogLocks() {
        this(new ReentrantLock(), new ReentrantLock());
    }
}
