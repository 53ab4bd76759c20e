package io.felice.storage.log;

import io.felice.api.storage.LogId;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Where one log's files are, made with the first write, and what the checkpoints say of the log.
 *
 * <p>Changed by who holds the log's {@code settling} or, as far as it says so, {@code flushing}; anybody may ask for the
 * {@link #path}.
 */
final class PartitionDirectory {
    private final LogId id;
    private final DiskFiles files;
    private final LogDirectory all;

    private volatile Path path;
    private volatile boolean isDurable;
    private volatile boolean namesAreDurable;

    PartitionDirectory(LogId id, DiskFiles files, LogDirectory all) {
        this.id = id;
        this.files = files;
        this.all = all;
        this.path = all.placeOf(id);
    }

    /** Null until there are files. */
    Path path() {
        return path;
    }

    void make() throws IOException {
        if (path == null) {
            path = all.create(id);
        }
    }

    /** Gives the directory the name of one that was set aside; the log goes on in it. Both locks are held. */
    void moveAside() throws IOException {
        if (path != null && !all.isStray(id)) {
            path = all.makeStray(id);
        }
    }

    // What survives a power cut

    /** What was flushed before was flushed with the directory. */
    void isKnownDurable() {
        isDurable = true;
    }

    void namesHaveChanged() {
        namesAreDurable = false;
    }

    /** On return the directory and the names in it survive a power cut; {@code flushing} will do. */
    void makeDurable() throws IOException {
        sync(() -> {
            Path now = path;
            if (!isDurable) {
                all.sync(now);
                isDurable = true;
            }
            if (!namesAreDurable) {
                namesAreDurable = true;
                files.syncDirectory(now);
            }
        });
    }

    /** Runs an fsync; if it fails, nothing that was written since the last one may be on the disk. */
    void sync(FileChange fsync) throws IOException {
        try {
            fsync.run();
        } catch (IOException failure) {
            all.doubt(id);
            throw failure;
        }
    }

    // Checkpoints

    /** Below its recovery point a log is not scanned; {@code flushing} will do. */
    void noteRecoveryPoint(long flushed) {
        if (path != null) {
            all.recoveryPoints().put(key(), flushed);
        }
    }

    /** Before batches from {@code to} on go or come, so that no crash leaves a recovery point above what was flushed. */
    void lowerRecoveryPoint(long to) throws IOException {
        if (path == null) {
            return;
        }
        OffsetCheckpoint points = all.recoveryPoints();
        String key = key();
        if (points.get(key, 0) > to) {
            points.put(key, to);
        }
        if (points.onDisk(key) > to) {
            points.write();
        }
    }

    /** A start within a segment is known from the checkpoint only; if this fails, the one that was known is still. */
    void noteStart(long start) throws IOException {
        all.logStarts().putOnDisk(key(), start);
    }

    /** A start that is a segment's start needs no checkpoint: that the files below are gone says it. */
    void forgetStart() {
        all.logStarts().remove(key());
    }

    /** Before a log starts again below where it started: no crash must leave a start above its end. */
    void forgetStartAbove(long offset) throws IOException {
        OffsetCheckpoint starts = all.logStarts();
        String key = key();
        if (starts.onDisk(key) > offset) {
            starts.remove(key);
            starts.write();
        }
    }

    @Override
    public String toString() {
        return id.toString();
    }

    private String key() {
        return LogDirectory.keyOf(path);
    }
}
