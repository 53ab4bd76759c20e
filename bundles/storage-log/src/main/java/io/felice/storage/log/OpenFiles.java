package io.felice.storage.log;

import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** Keeps the number of open files bounded: when there are too many, those unused for the longest time are closed. */
final class OpenFiles {
    private static final int CLOSED_AT_ONCE = 16;

    private final int limit;
    private final Set<SharedFile> open = ConcurrentHashMap.newKeySet();
    private final AtomicInteger count = new AtomicInteger();
    private final AtomicLong uses = new AtomicLong();

    OpenFiles(int limit) {
        this.limit = limit;
    }

    int count() {
        return count.get();
    }

    /** A number that grows with every opened file: a clock for who was used last. */
    long now() {
        return uses.get();
    }

    void opened(SharedFile file) {
        uses.incrementAndGet();
        open.add(file);
        if (count.incrementAndGet() > limit) {
            closeTheOldest();
        }
    }

    void closed(SharedFile file) {
        if (open.remove(file)) {
            count.decrementAndGet();
        }
    }

    private void closeTheOldest() {
        List<Candidate> oldest = open.stream()
                .map(file -> new Candidate(file, file.lastUsed()))
                .sorted(Comparator.comparingLong(Candidate::lastUsed))
                .limit(1 + limit / CLOSED_AT_ONCE)
                .toList();
        oldest.forEach(candidate -> candidate.file().closeIfUnused());
    }

    private record Candidate(SharedFile file, long lastUsed) {}
}
