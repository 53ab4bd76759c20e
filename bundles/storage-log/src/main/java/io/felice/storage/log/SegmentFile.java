package io.felice.storage.log;

import io.felice.api.RecordBatch;
import io.felice.api.storage.Segment;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One segment of a log: its size, its {@link SharedFile file}, and its sparse index, which is loaded when it is needed.
 *
 * <p>An append changes the size, the tally and the index under the log's monitor. A flush makes its changes under the
 * lock {@code flushing}; all other changes are made under {@code settling}. Any thread that has entered the file may
 * look up batches. This object's monitor is held while the index is loaded.
 */
final class SegmentFile {
    private static final Logger LOG = LoggerFactory.getLogger(SegmentFile.class);
    /** The file of a segment that is no part of the log any more, until it is deleted. */
    static final String DELETED = ".log.deleted";

    private static final String LOG_SUFFIX = ".log";
    private static final int WINDOW_BYTES = 4096;
    private static final long UNKNOWN_TIMESTAMP = -2;

    final long baseOffset;
    final long createdAt;
    final SharedFile file;
    final Preallocation preallocation;

    private final LogResources shared;
    private final Supplier<Path> directory;
    /** What the file is called; another name than that of a segment while it is to take the place of others. */
    private volatile String name;

    private volatile long size;
    private volatile boolean sealed;
    private volatile long sealedEnd;

    private volatile SparseIndex index;
    /** True if the index files, if they exist, are complete. */
    private volatile boolean indexOnDisk;
    /** True if index files may exist. */
    private volatile boolean indexFilesExist;

    private volatile SegmentTally tally;
    /** Bytes below this position survive a power cut. */
    private volatile long forcedBytes;

    private SegmentFile(
            LogResources shared, Supplier<Path> directory, long baseOffset, long size, long createdAt, boolean sealed) {
        this.shared = shared;
        this.directory = directory;
        this.name = nameOf(baseOffset, LOG_SUFFIX);
        this.baseOffset = baseOffset;
        this.size = size;
        this.createdAt = createdAt;
        this.sealed = sealed;
        this.tally = new SegmentTally(baseOffset);
        this.file = new SharedFile(shared, this::logFile);
        this.preallocation = new Preallocation(shared);
    }

    /** A new active segment; the first write creates its file. */
    static SegmentFile begin(LogResources shared, Supplier<Path> directory, long baseOffset) {
        SegmentFile segment =
                new SegmentFile(shared, directory, baseOffset, 0, shared.clock().millis(), false);
        segment.index = new SparseIndex(baseOffset);
        return segment;
    }

    /** A sealed segment found on disk. Its largest timestamp is unknown until its index is loaded. */
    static SegmentFile found(
            LogResources shared, Supplier<Path> directory, long baseOffset, long end, long size, long createdAt) {
        SegmentFile segment = new SegmentFile(shared, directory, baseOffset, size, createdAt, true);
        segment.sealedEnd = end;
        segment.tally.set(UNKNOWN_TIMESTAMP, baseOffset);
        segment.indexOnDisk = true;
        segment.indexFilesExist = true;
        segment.forcedBytes = size;
        return segment;
    }

    /** A segment that is to take the place of others, in a new file of another name; {@link #renameTo} follows. */
    static SegmentFile beside(
            LogResources shared, Supplier<Path> directory, long baseOffset, long createdAt, String name) {
        SegmentFile segment = new SegmentFile(shared, directory, baseOffset, 0, createdAt, false);
        segment.index = new SparseIndex(baseOffset);
        segment.name = name;
        return segment;
    }

    void renameTo(String newName) throws IOException {
        file.rename(() -> {
            shared.files().rename(logFile(), directory.get().resolve(newName));
            name = newName;
        });
    }

    private boolean hasItsName() {
        return name.endsWith(LOG_SUFFIX);
    }

    static String nameOf(long baseOffset, String suffix) {
        return String.format("%020d%s", baseOffset, suffix);
    }

    /** The name of the file of a segment. */
    static String nameOf(long baseOffset) {
        return nameOf(baseOffset, LOG_SUFFIX);
    }

    Path logFile() {
        return directory.get().resolve(name);
    }

    long size() {
        return size;
    }

    boolean isSealed() {
        return sealed;
    }

    /** The offset after the last batch; only of a sealed segment. */
    long sealedEnd() {
        return sealedEnd;
    }

    long forcedBytes() {
        return forcedBytes;
    }

    void forcedTo(long bytes) {
        forcedBytes = bytes;
    }

    /** The caller has called {@link #maxTimestamp}, which loads the timestamp; {@code end} is the log's end offset. */
    Segment describe(long end) {
        return new Segment(baseOffset, sealed ? sealedEnd : end, size, tally.maxTimestamp(), createdAt, sealed);
    }

    long maxTimestamp() throws IOException {
        if (tally.maxTimestamp() == UNKNOWN_TIMESTAMP) {
            index();
        }
        return tally.maxTimestamp();
    }

    // Appends and truncation

    /** Notes a batch that was appended. */
    void added(RecordBatch batch, int bytes, int indexIntervalBytes) {
        tally.note(index, size, batch.lastOffset(), batch.maxTimestamp(), bytes, indexIntervalBytes);
        size += bytes;
        if (indexOnDisk) {
            indexOnDisk = false;
        }
    }

    void seal(long end) {
        sealedEnd = end;
        tally.finish(index);
        sealed = true;
    }

    /** Makes the segment the active one again, without the batches behind the cut. */
    void reopenAt(Cut cut) {
        index.truncateTo(cut.position(), cut.end());
        size = cut.position();
        tally.set(cut.maxTimestamp(), cut.offsetOfMaxTimestamp());
        forcedBytes = Math.min(forcedBytes, size);
        indexOnDisk = false;
        sealed = false;
        preallocation.forget();
    }

    // Recovery

    /** True if the index files exist. A clean stop writes them, and the first write to the segment deletes them. */
    boolean hasItsIndexFiles() {
        return size == 0 || indexFiles().exist();
    }

    /**
     * Makes the segment the active one again; fails if its file does not end with a whole batch. Returns the end
     * offset.
     */
    long resume() throws IOException {
        Cut cut = cutAt(Long.MAX_VALUE);
        if (cut.position() != size) {
            throw new IOException(logFile() + " ends at " + size + ", its batches at " + cut.position());
        }
        boolean current = indexOnDisk;
        reopenAt(cut);
        indexOnDisk = current;
        return cut.end();
    }

    /**
     * Reads the whole file and rebuilds the index. The segment ends before the first batch that is incomplete, out of
     * order or, from the offset {@code trusted} on, has a wrong CRC. The caller calls {@link #cutOffRest} afterwards.
     *
     * @return the offset after the last batch
     */
    long recover(ByteBuffer window, long trusted) throws IOException {
        deleteIndexFiles();
        BatchScan scan = new BatchScan(shared.files(), file.channel(false), window);
        NextOffset next = new NextOffset();
        IndexRebuild rebuilt = new IndexRebuild(baseOffset).read(scan, size, batch -> next.isRight(batch, trusted));
        index = rebuilt.index();
        tally = rebuilt.tally();
        size = rebuilt.bytes();
        shared.counters().scannedBytes.add(size);
        sealed = false;
        return next.offset;
    }

    /** The lowest offset that the next batch may have, while recovery reads the segment. */
    private final class NextOffset {
        private long offset = baseOffset;

        private boolean isRight(BatchScan batch, long trusted) throws IOException {
            boolean right = batch.baseOffset() >= offset
                    && batch.lastOffset() - baseOffset <= Integer.MAX_VALUE
                    && (batch.nextOffset() <= trusted || batch.crcIsRight());
            offset = right ? batch.nextOffset() : offset;
            return right;
        }
    }

    /** True if only zeros of {@link Preallocation} follow the recovered batches in a file of {@code fileBytes}. */
    boolean endsWithZeros(long fileBytes) throws IOException {
        return Preallocation.isOnlyZeros(shared.files(), file.channel(false), size, fileBytes);
    }

    /** Cuts off the bytes behind the recovered batches in a file of {@code fileBytes}. */
    void cutOffRest(long fileBytes) throws IOException {
        if (size < fileBytes) {
            shared.files().truncate(file.channel(false), size);
            shared.files().force(file.channel(false));
        }
    }

    /** Reads the bytes above an offset, writes them again and flushes them, also bytes that are not a whole batch. */
    void writeAgain(ByteBuffer window, long offset) throws IOException {
        FileChannel channel = file.channel(false);
        BatchScan scan = new BatchScan(shared.files(), channel, window);
        long at = 0;
        while (at < size && scan.header(at, size) && scan.nextOffset() <= offset) {
            at += scan.size();
        }
        while (at < size) {
            window.clear().limit((int) Math.min(window.capacity(), size - at));
            shared.files().read(channel, window, at);
            if (window.flip().limit() == 0) {
                throw new IOException(logFile() + " ends at " + at + ", not at " + size);
            }
            int bytes = window.remaining();
            shared.files().write(channel, window, at);
            shared.counters().bytesWritten.add(bytes);
            at += bytes;
        }
        shared.files().force(channel);
        shared.counters().fsyncs.increment();
    }

    // The file

    /**
     * Pins the file.
     *
     * @param readable how many bytes of the file may be read
     * @param next the offset after the last batch in those bytes
     */
    SharedFile.Pin pin(long readable, long next) {
        SharedFile.Pin pin = new SharedFile.Pin(this, readable, next);
        file.enter(pin);
        return pin;
    }

    /** True once the segment is no longer part of the log. */
    boolean isRetired() {
        return file.isRetired();
    }

    void retire() {
        file.retire();
    }

    /** Deletes the files, first the batches: recovery deletes index files without batches. */
    void delete() throws IOException {
        shared.files().delete(logFile());
        deleteIndexFiles();
    }

    /**
     * Renames the log file and deletes the index files.
     *
     * @return the new name of the log file in its directory
     */
    String renameToDeleted() throws IOException {
        shared.files().rename(logFile(), directory.get().resolve(nameOf(baseOffset, DELETED)));
        deleteIndexFiles();
        return nameOf(baseOffset, DELETED);
    }

    void deleteIndexFiles() throws IOException {
        indexOnDisk = false;
        indexFiles().delete();
        indexFilesExist = false;
    }

    /**
     * Deletes the index files that a clean stop wrote, before the first write to the segment: after a kill, recovery
     * would take them for complete, although they lack the newest timestamp. True if there may have been index files.
     */
    boolean dropIndexFilesBeforeGrowth() throws IOException {
        boolean mayExist = indexFilesExist;
        if (mayExist) {
            deleteIndexFiles();
        }
        return mayExist;
    }

    // The index

    private IndexFiles indexFiles() {
        return new IndexFiles(shared.files(), directory.get(), baseOffset);
    }

    /** Size of the active segment's offset index, which is in memory. */
    int indexBytes() {
        SparseIndex loaded = index;
        return loaded == null ? 0 : loaded.sizeInBytes();
    }

    SparseIndex indexIfLoaded() {
        return index;
    }

    /** The index; loads it or rebuilds it from the batches if it is not in memory. */
    SparseIndex index() throws IOException {
        SparseIndex loaded = index;
        return loaded != null ? loaded : loadIndex();
    }

    private SparseIndex loadIndex() throws IOException {
        file.enter();
        try {
            synchronized (this) {
                SparseIndex loaded = index;
                if (loaded == null) {
                    loaded = readOrRebuildIndex();
                    index = loaded;
                }
                return loaded;
            }
        } finally {
            file.leave();
        }
    }

    private SparseIndex readOrRebuildIndex() throws IOException {
        SparseIndex read = readIndex();
        if (read == null) {
            indexOnDisk = false;
            return rebuildIndex();
        }
        tally.set(read.timestampAtOrBelow(Long.MAX_VALUE), read.timedOffsetAtOrBelow(Long.MAX_VALUE));
        return read;
    }

    /** Null if the index files are missing, unreadable or wrong. */
    private SparseIndex readIndex() {
        try {
            return indexFiles().read(baseOffset, size);
        } catch (IOException unreadable) {
            LOG.warn("The index of {} cannot be read and is rebuilt: {}", logFile(), unreadable.toString());
            return null;
        }
    }

    private SparseIndex rebuildIndex() throws IOException {
        if (size > 0) {
            LOG.info("Rebuilding the index of {}", logFile());
        }
        IndexRebuild rebuilt = new IndexRebuild(baseOffset).read(scan(), size, batch -> true);
        rebuilt.tally().finish(rebuilt.index());
        tally = rebuilt.tally();
        return rebuilt.index();
    }

    boolean needsIndexFiles() {
        return sealed && !indexOnDisk && index != null && hasItsName();
    }

    /** Writes the missing index files of a sealed segment. A failure is only logged: an index can be rebuilt. */
    void persistIndex() {
        SparseIndex sealedIndex = index;
        if (needsIndexFiles() && !isRetired() && sealedIndex != null) {
            writeIndexFiles(sealedIndex, true);
        }
    }

    /**
     * Writes the index files of the active segment at a clean stop, without fsync: after a power cut they are rebuilt.
     */
    void persistActiveIndex() {
        SparseIndex activeIndex = index;
        if (size == 0 || activeIndex == null || indexOnDisk) {
            return;
        }
        tally.finish(activeIndex);
        writeIndexFiles(activeIndex, false);
    }

    private void writeIndexFiles(SparseIndex from, boolean force) {
        indexFilesExist = true;
        indexOnDisk = indexFiles().write(from, force);
    }

    /** Closes the file and drops the index of a sealed segment that nobody used since the last call. */
    void releaseIfIdle() {
        if (sealed && file.closeIfIdle() && indexOnDisk) {
            index = null;
        }
    }

    // Lookups in the file; the caller has entered it

    BatchScan scan() throws IOException {
        return new BatchScan(shared.files(), file.channel(false), ByteBuffer.allocate(WINDOW_BYTES));
    }

    /**
     * Position of the first batch whose last offset is at least {@code offset}; {@code readable} if there is none. What
     * lies between a damaged header and the next entry of the index is passed over.
     *
     * @param next the offset after the batches in the readable bytes
     * @throws Damaged if {@code offset} may be in what is passed over
     */
    long find(BatchScan scan, long offset, long readable, long next) throws IOException {
        SparseIndex loaded = index();
        HeaderWalk walk = new HeaderWalk(scan, readable, next);
        long at = loaded.positionAtOrBelowOffset(offset);
        walk.begin(loaded.lastOffsetOfEntryAt(at));
        while (at < readable) {
            if (!walk.isSoundAt(at)) {
                at = loaded.positionAbove(at);
                walk.begin(loaded.lastOffsetOfEntryAt(at));
                if (at < 0 || !walk.isSoundAt(at) || offset < scan.baseOffset()) {
                    throw damaged(walk.damage);
                }
            }
            if (scan.lastOffset() >= offset) {
                return at;
            }
            at += scan.size();
        }
        return readable;
    }

    /**
     * The whole batches from {@code from} on that are below {@code limit} and fit into {@code maxBytes}. A damaged header
     * ends them.
     *
     * @param next the offset after the batches in the readable bytes
     * @throws Damaged if the first header is damaged
     */
    Stretch stretch(BatchScan scan, long limit, long from, int maxBytes, boolean atLeastOne, long readable, long next)
            throws IOException {
        SparseIndex loaded = index();
        long byBytes = loaded.positionAtOrBelow(Math.min(readable, from + maxBytes));
        long byOffset = loaded.positionAtOrBelowOffset(limit - 1);
        HeaderWalk walk = new HeaderWalk(scan, readable, next);
        long at = Math.max(from, Math.min(byBytes, byOffset));
        walk.begin(loaded.lastOffsetOfEntryAt(at));
        boolean sound = at < readable && walk.isSoundAt(at);
        if (!sound && at < readable && at > from) {
            at = from;
            sound = walk.isSoundAt(at);
        }
        while (at < readable) {
            if (!sound && at == from) {
                throw damaged(at);
            }
            if (!sound) {
                return new Stretch((int) (at - from), walk.least);
            }
            boolean full = at + scan.size() - from > maxBytes && !(atLeastOne && at == from);
            if (full || scan.lastOffset() >= limit) {
                return new Stretch((int) (at - from), scan.baseOffset());
            }
            at += scan.size();
            sound = at < readable && walk.isSoundAt(at);
        }
        return new Stretch((int) (at - from), next);
    }

    /**
     * Bytes of a file that are whole batches.
     *
     * @param next where to read on
     */
    record Stretch(int bytes, long next) {}

    /** Looks at one header after the other, whether its offsets fit to those before and behind it. */
    private final class HeaderWalk {
        private final BatchScan scan;
        private final long readable;
        private final long next;
        private long least = baseOffset;
        private long indexedLast;
        /** Where the last damaged header is. */
        private long damage;

        HeaderWalk(BatchScan scan, long readable, long next) {
            this.scan = scan;
            this.readable = readable;
            this.next = next;
        }

        /** @param lastOffset the last offset of the next batch by the index; -1 if that does not say it */
        void begin(long lastOffset) {
            indexedLast = lastOffset;
        }

        /** If it is true, the scan is at this header. */
        boolean isSoundAt(long at) throws IOException {
            boolean sound = scan.header(at, readable)
                    && scan.baseOffset() >= least
                    && scan.nextOffset() <= next
                    && (indexedLast < 0 ? hasNotMovedUp(at) : indexedLast == scan.lastOffset());
            if (sound) {
                least = scan.nextOffset();
            } else {
                damage = at;
            }
            indexedLast = -1;
            return sound;
        }

        /** Where offsets are missing before a batch, the next header says whether this one has another base offset than before. */
        private boolean hasNotMovedUp(long at) throws IOException {
            long behind = at + scan.size();
            if (scan.baseOffset() == least || behind == readable) {
                return true;
            }
            long end = scan.nextOffset();
            boolean fits = scan.header(behind, readable) && scan.baseOffset() >= end;
            return scan.header(at, readable) && fits;
        }
    }

    /** The end of the last batch whose offsets are all below {@code offset}. */
    Cut cutAt(long offset) throws IOException {
        SparseIndex loaded = index();
        long at = loaded.positionAtOrBelowOffset(offset - 1);
        long indexed = at == 0 ? -1 : loaded.lastOffsetAtOrBelow(at);
        long timestamp = loaded.timestampAtOrBelow(indexed);
        long timed = loaded.timedOffsetAtOrBelow(indexed);
        long end = baseOffset;
        BatchScan scan = scan();
        while (at < size) {
            mustBeWhole(scan, at, size);
            if (scan.lastOffset() >= offset) {
                break;
            }
            if (scan.maxTimestamp() > timestamp) {
                timestamp = scan.maxTimestamp();
                timed = scan.lastOffset();
            }
            end = scan.nextOffset();
            at += scan.size();
        }
        return new Cut(at, end, timestamp, timed);
    }

    private void mustBeWhole(BatchScan scan, long at, long end) throws IOException {
        if (!scan.header(at, end)) {
            throw damaged(at);
        }
    }

    private Damaged damaged(long at) {
        return new Damaged("no whole batch at position " + at + " of " + logFile());
    }

    /** The file was read, but its bytes are not what was written. */
    static final class Damaged extends IOException {
        private static final long serialVersionUID = 1L;

        private Damaged(String message) {
            super(message);
        }
    }

    /**
     * The place between two batches at which a segment is truncated.
     *
     * @param end the offset after the last batch that stays
     * @param maxTimestamp the largest timestamp of the batches that stay
     */
    record Cut(long position, long end, long maxTimestamp, long offsetOfMaxTimestamp) {}
}
