package io.felice.storage.log;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Iterator;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The files of segments that a log has dropped, until their delay is over ({@code file.delete.delay.ms}). Meanwhile they
 * are named {@code *.log.deleted}. A start of the engine deletes them, and so does a lack of free space. Any thread.
 */
final class DeletedSegments {
    private static final Logger LOG = LoggerFactory.getLogger(DeletedSegments.class);

    private final LogResources shared;
    private final Supplier<Path> directory;
    private final Queue<Kept> kept = new ConcurrentLinkedQueue<>();
    private volatile long delayNanos;

    /** A file, and the time of the monotonic clock at which it is deleted. */
    private record Kept(String name, long until) {}

    DeletedSegments(LogResources shared, Supplier<Path> directory) {
        this.shared = shared;
        this.directory = directory;
    }

    void delay(Duration delay) {
        delayNanos = delay.compareTo(Duration.ofNanos(Long.MAX_VALUE / 2)) > 0 ? Long.MAX_VALUE / 2 : delay.toNanos();
    }

    /** Deletes the segment's files, or renames the log file to be deleted later. */
    void take(SegmentFile segment) throws IOException {
        long delay = delayNanos;
        if (delay == 0 || segment.size() == 0 || shared.volumeSpace().isNearlyFull()) {
            segment.delete();
        } else {
            kept.add(new Kept(segment.renameToDeleted(), System.nanoTime() + delay));
        }
    }

    /** How many files wait to be deleted. */
    int waiting() {
        return kept.size();
    }

    void deleteDue() {
        boolean all = !kept.isEmpty() && shared.volumeSpace().isNearlyFull();
        for (Iterator<Kept> files = kept.iterator(); files.hasNext(); ) {
            Kept file = files.next();
            if (all || System.nanoTime() - file.until() >= 0) {
                files.remove();
                delete(file);
            }
        }
    }

    private void delete(Kept file) {
        try {
            shared.files().delete(directory.get().resolve(file.name()));
        } catch (IOException failure) {
            LOG.warn("{} in {} is deleted by the next start: {}", file.name(), directory.get(), failure.toString());
        }
    }
}
