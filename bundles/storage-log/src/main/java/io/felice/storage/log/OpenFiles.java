package io.felice.storage.log;

import io.felice.api.FileDescriptors;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the number of open files bounded: if there are too many, those unused for the longest time are closed.
 *
 * <p>The bound is the setting, or less where the process may not have that much open: a reserve stays free for connections,
 * for ZooKeeper, and for the small files of the node. A process that may open many times the setting is not looked at again.
 */
final class OpenFiles {
    private static final Logger LOG = LoggerFactory.getLogger(OpenFiles.class);
    private static final int OVER_LIMIT_DIVISOR = 16;
    /** A shortage closes a larger part, so that the next one is not at the next file. */
    private static final int SHORTAGE_DIVISOR = 4;

    private static final int SMALLEST_LIMIT = 8;
    private static final int AMPLE_FACTOR = 4;
    private static final int RESERVE_DIVISOR = 8;
    private static final long LARGEST_RESERVE = 256;

    private final int setting;
    private final long processLimit;
    private final LongSupplier free;
    private final boolean isTight;
    private final Set<SharedFile> open = ConcurrentHashMap.newKeySet();
    private final AtomicInteger count = new AtomicInteger();
    private final AtomicLong uses = new AtomicLong();
    private final AtomicBoolean warned = new AtomicBoolean();
    private volatile int limit;

    OpenFiles(int setting) {
        this(setting, FileDescriptors.limit(), FileDescriptors::free);
    }

    /**
     * @param processLimit what the process may have open; {@link FileDescriptors#PLENTY} if that is not known
     * @param free how much more it may open now
     */
    OpenFiles(int setting, long processLimit, LongSupplier free) {
        this.setting = setting;
        this.processLimit = processLimit;
        this.free = free;
        this.isTight = processLimit / AMPLE_FACTOR < setting;
        this.limit = setting;
    }

    int count() {
        return count.get();
    }

    /** The most files that are kept open just now, besides those in use. */
    int limit() {
        return limit;
    }

    /** A number that grows with every opened file: a clock for who was used last. */
    long now() {
        return uses.get();
    }

    void opened(SharedFile file) {
        long number = uses.incrementAndGet();
        open.add(file);
        int now = count.incrementAndGet();
        if (number == 1) {
            adjustLimit();
        }
        if (now > limit) {
            closeLeastRecentlyUsed(1 + limit / OVER_LIMIT_DIVISOR);
        }
    }

    void closed(SharedFile file) {
        if (open.remove(file)) {
            count.decrementAndGet();
        }
    }

    /** At the first file and every half second: connections may have come that need what idle files have. */
    void adjustLimit() {
        if (!isTight) {
            return;
        }
        int now = count.get();
        long spare = free.getAsLong() - Math.min(LARGEST_RESERVE, processLimit / RESERVE_DIVISOR);
        limit = (int) Math.max(SMALLEST_LIMIT, Math.min(setting, now + spare));
        if (now > limit) {
            warnOnce();
            closeLeastRecentlyUsed(now - limit + limit / OVER_LIMIT_DIVISOR);
        }
    }

    /** A file could not be opened because the process has too much open. True if some were closed since. */
    boolean closeSome() {
        int before = count.get();
        closeLeastRecentlyUsed(1 + before / SHORTAGE_DIVISOR);
        int now = count.get();
        limit = Math.max(SMALLEST_LIMIT, Math.min(limit, now));
        warnOnce();
        return now < before;
    }

    private void warnOnce() {
        if (warned.compareAndSet(false, true)) {
            LOG.warn(
                    "This process may have {} files and connections open, too few for open.files = {}. Idle files of the"
                            + " log are closed, and opened again when they are used. Raise the limit (ulimit -n, or"
                            + " LimitNOFILE of a systemd service) if that is too slow",
                    processLimit == FileDescriptors.PLENTY ? "few" : processLimit,
                    setting);
        }
    }

    private void closeLeastRecentlyUsed(int number) {
        List<Candidate> oldest = open.stream()
                .map(file -> new Candidate(file, file.lastUsed()))
                .sorted(Comparator.comparingLong(Candidate::lastUsed))
                .limit(number)
                .toList();
        oldest.forEach(candidate -> candidate.file().closeIfUnused());
    }

    private record Candidate(SharedFile file, long lastUsed) {}
}
