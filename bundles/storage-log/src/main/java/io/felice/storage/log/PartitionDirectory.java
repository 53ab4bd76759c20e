package io.felice.storage.log;

import io.felice.api.storage.LogId;
import java.io.IOException;
import java.nio.file.Path;

/**
 * The directory of one log, and the log's entries in the checkpoints. The first write creates the directory.
 *
 * <p>Callers hold the log's lock {@code settling}; for methods that say so, the lock {@code flushing} is enough. Any
 * thread may call {@link #path}.
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

    /** Null until the log has files. */
    Path path() {
        return path;
    }

    void make() throws IOException {
        if (path == null) {
            path = all.create(id);
        }
    }

    /** Renames the directory to that of a stray log; the log can still be used. The caller holds both locks. */
    void moveAside() throws IOException {
        if (path != null && !all.isStray(id)) {
            path = all.makeStray(id);
        }
    }

    // What survives a power cut

    /** Notes that the directory survives a power cut: a log that was flushed before was flushed with its directory. */
    void markDurable() {
        isDurable = true;
    }

    void markNamesChanged() {
        namesAreDurable = false;
    }

    /** On return the directory and the file names in it survive a power cut. The lock {@code flushing} is enough. */
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

    /** Runs an fsync. A failure is noted: then nothing written since the last fsync is certain to be on the disk. */
    void sync(FileChange fsync) throws IOException {
        try {
            fsync.run();
        } catch (IOException failure) {
            all.noteFailedFsync(id);
            throw failure;
        }
    }

    // Checkpoints

    /** Sets the offset below which recovery does not scan the log. The lock {@code flushing} is enough. */
    void noteRecoveryPoint(long flushed) {
        if (path != null) {
            all.recoveryPoints().put(key(), flushed);
        }
    }

    /**
     * Lowers the recovery point to {@code to}, also on disk. Called before batches from {@code to} on are removed or
     * written, so that after a crash no recovery point is above what was flushed.
     */
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

    /** Writes a log start offset that is inside a segment to the checkpoint. If that fails, the old one stays. */
    void noteStart(long start) throws IOException {
        all.logStarts().putOnDisk(key(), start);
    }

    /** Removes the log start offset from the checkpoint in memory: the log starts where its first segment does. */
    void forgetStart() {
        all.logStarts().remove(key());
    }

    /**
     * Removes a log start offset above {@code offset} from the checkpoint on disk. Called before a log is emptied and
     * continues at {@code offset}, so that after a crash its start is not above its end.
     */
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
