package io.felice.storage.mvstore;

import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Moves the segments that are used out of store files that are mostly not, into the newest file of the shard, so that the
 * files are deleted. Logs go on meanwhile: the batches are copied beside them, some at a time, and then one commit says that
 * the segment is elsewhere.
 */
final class StoreCompaction {
    /** So many bytes are copied in one commit; the shard's logs wait for it. */
    private static final long COMMIT_BYTES = 1 << 19;

    /** A file that is smaller is not worth the work. */
    private static final long SMALL_FILE_BYTES = 1 << 17;

    /** What stays free on the volume. */
    private static final long LEAST_FREE_BYTES = 8 << 20;

    private static final int PERCENT = 100;

    private final StoreShard shard;
    private final StoreResources shared;
    private final int usedPercent;
    private final long pauseMs;

    /**
     * @param usedPercent files are emptied of which no more is used
     * @param pauseMs between two commits
     */
    StoreCompaction(StoreShard shard, StoreResources shared, int usedPercent, long pauseMs) {
        this.shard = shard;
        this.shared = shared;
        this.usedPercent = usedPercent;
        this.pauseMs = pauseMs;
    }

    /** A segment that a log has in a file. */
    private record Used(StoredLog log, StoredSegment segment) {}

    /** True if there is a file to be emptied; the newest does not count. */
    boolean isWorthIt() {
        return !mostlyUnused().isEmpty();
    }

    private List<StoreFile> mostlyUnused() {
        List<StoreFile> older = shard.olderFiles();
        if (older.isEmpty()) {
            return older;
        }
        Map<StoreFile, Long> used = usedBytes();
        return older.stream().filter(file -> isMostlyUnused(file, used)).toList();
    }

    private boolean isMostlyUnused(StoreFile file, Map<StoreFile, Long> used) {
        long size = file.sizeInBytes();
        return size > SMALL_FILE_BYTES && used.getOrDefault(file, 0L) * PERCENT <= size * usedPercent;
    }

    private Map<StoreFile, Long> usedBytes() {
        Map<StoreFile, Long> used = new HashMap<>();
        for (StoredLog log : shard.all()) {
            log.storedSegments().forEach(segment -> used.merge(segment.file(), segment.storedBytes(), Long::sum));
        }
        return used;
    }

    /** True if so much of the newest file is not used that it is worth a new one. */
    boolean isNewestWorthIt() {
        StoreFile newest = shard.newestFile();
        return newest != null && isMostlyUnused(newest, usedBytes());
    }

    private List<Used> usedIn(StoreFile file) {
        List<Used> used = new ArrayList<>();
        for (StoredLog log : shard.all()) {
            log.storedSegments().stream()
                    .filter(segment -> segment.file() == file)
                    .forEach(segment -> used.add(new Used(log, segment)));
        }
        return used;
    }

    /** Empties the files one after the other. Blocks; any thread but the shard's. */
    void run(StoreWork work) throws IOException {
        List<StoreFile> files = mostlyUnused();
        Map<StoreFile, Long> bytes = usedBytes();
        files.forEach(file -> work.expect(bytes.getOrDefault(file, 0L)));
        for (StoreFile file : files) {
            for (Used used : usedIn(file)) {
                work.mustGoOn();
                mustHaveRoomFor(used.segment().storedBytes());
                move(used, file, work);
            }
        }
    }

    private void mustHaveRoomFor(long bytes) {
        long usable = shared.volume().get().usableBytes();
        if (usable >= 0 && usable < bytes + LEAST_FREE_BYTES) {
            throw KAFKA_STORAGE_ERROR.because(
                    "a segment of " + bytes + " bytes cannot be moved while " + usable + " bytes are free");
        }
    }

    private void move(Used used, StoreFile from, StoreWork work) throws IOException {
        StoreFile to = shard.enterNewest();
        try {
            copy(used, from, to, work);
            to.sync();
            shard.commits().change(used.log(), null, newest -> moved(used, from, to, newest));
        } finally {
            shard.leave(to);
        }
    }

    private void copy(Used used, StoreFile from, StoreFile to, StoreWork work) throws IOException {
        if (!from.enter()) {
            return;
        }
        StoredSegment segment = used.segment();
        List<Long> keys = new ArrayList<>();
        List<ByteBuffer> batches = new ArrayList<>();
        long[] waiting = {0};
        try {
            from.forEachBatch(segment.keyOf(segment.base()), segment.keyOf(segment.storedNext()), (key, batch) -> {
                Checked.mustBeSound(batch);
                keys.add(key);
                batches.add(batch);
                waiting[0] += batch.remaining();
                if (waiting[0] >= COMMIT_BYTES) {
                    put(used, keys, batches, to);
                    work.add(waiting[0]);
                    work.mustGoOn();
                    waiting[0] = 0;
                }
                return true;
            });
            put(used, keys, batches, to);
            work.add(waiting[0]);
        } finally {
            from.leave();
        }
    }

    private void put(Used used, List<Long> keys, List<ByteBuffer> batches, StoreFile to) {
        if (keys.isEmpty()) {
            return;
        }
        shard.commits().write(used.log(), to, () -> {
            for (int i = 0; i < keys.size(); i++) {
                to.putBatch(keys.get(i), batches.get(i));
            }
        });
        keys.clear();
        batches.clear();
        pause();
    }

    private void pause() {
        if (pauseMs > 0) {
            LockSupport.parkNanos(this, TimeUnit.MILLISECONDS.toNanos(pauseMs));
        }
    }

    /** A segment that was cut, replaced or trimmed meanwhile stays where it is. */
    private static Runnable moved(Used used, StoreFile from, StoreFile to, StoreFile newest) throws IOException {
        StoredSegment segment = used.segment();
        if (segment.file() != from || !used.log().segmentsNow().contains(segment)) {
            return () -> {};
        }
        newest.putSegment(segment.number(), segment.entry(used.log().number()).movedTo(to.generation()));
        return () -> segment.movedTo(to);
    }
}
