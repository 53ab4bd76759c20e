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
 * Limits the number of open segment files: if too many are open, the least recently used ones are closed.
 *
 * <p>The limit is the setting {@code open.files}, or less if the process may open only few files: a reserve stays free
 * for connections, ZooKeeper and the node's small files. If the process may open at least {@value #AMPLE_FACTOR} times
 * the setting, the limit is not adjusted.
 */
final class OpenFiles {
    private static final Logger LOG = LoggerFactory.getLogger(OpenFiles.class);
    /** Over the limit, an additional 1/16 of the limit is closed. */
    private static final int OVER_LIMIT_DIVISOR = 16;
    /** If the system refuses to open a file, 1/4 of the files is closed, so that it does not refuse the next one. */
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
     * @param processLimit how many files and connections the process may open; {@link FileDescriptors#PLENTY} if
     *     unknown
     * @param free how many more the process may open now
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

    /** How many files may be open now; files in use stay open even if there are more. */
    int limit() {
        return limit;
    }

    /** A number that grows with every opened file: a clock for finding the least recently used files. */
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

    /** Called at the first file and every half second: new connections may need the descriptors of idle files. */
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

    /** Called if the system refused to open a file because too many are open. True if this closed some files. */
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
                    "This process may have {} files and connections open, too few for open.files = {}. Idle segment"
                            + " files are closed, and opened again when they are used, which takes time. To avoid this,"
                            + " raise the limit (ulimit -n, or LimitNOFILE of a systemd service)",
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
