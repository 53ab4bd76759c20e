package io.felice.storage.log;

import io.felice.api.RecordBatch;
import io.felice.api.storage.Segment;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One segment: how far it reaches, its {@link SharedFile file}, and its sparse index, loaded when it is needed.
 *
 * <p>What grows with an append is changed under the log's monitor, the rest by who holds the log's {@code settling};
 * anybody who has entered the file may look up in it. This object's monitor is held while the index is loaded.
 */
final class SegmentFile {
    private static final Logger LOG = LoggerFactory.getLogger(SegmentFile.class);
    static final String CLEANED = ".log.cleaned";
    private static final int WINDOW_BYTES = 4096;
    private static final int GATHER_BYTES = 64 << 10;
    private static final long UNKNOWN_TIMESTAMP = -2;

    final long baseOffset;
    final long createdAt;
    final SharedFile file;
    final Preallocation preallocation;

    private final LogResources shared;
    private final Supplier<Path> directory;

    private volatile long size;
    private volatile boolean sealed;
    /** Of a sealed segment. */
    private volatile long sealedEnd;

    private volatile SparseIndex index;
    /** The index files, if they are there, hold all of the index. */
    private volatile boolean indexOnDisk;
    /** There may be index files. */
    private volatile boolean indexFilesExist;

    private volatile SegmentTally tally;
    /** Everything below survives a power cut. */
    private volatile long forcedBytes;

    private SegmentFile(
            LogResources shared, Supplier<Path> directory, long baseOffset, long size, long createdAt, boolean sealed) {
        this.shared = shared;
        this.directory = directory;
        this.baseOffset = baseOffset;
        this.size = size;
        this.createdAt = createdAt;
        this.sealed = sealed;
        this.tally = new SegmentTally(baseOffset);
        this.file = new SharedFile(shared, this::logFile);
        this.preallocation = new Preallocation(shared);
    }

    /** A new active segment; its file is made with the first write. */
    static SegmentFile begin(LogResources shared, Supplier<Path> directory, long baseOffset) {
        SegmentFile segment =
                new SegmentFile(shared, directory, baseOffset, 0, shared.clock().millis(), false);
        segment.index = new SparseIndex(baseOffset);
        return segment;
    }

    /** A segment found on disk, sealed; it knows its timestamps once its index is loaded. */
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

    /** A new file of batches for the place of {@code old}, sealed and flushed, under a name that recovery ignores. */
    static SegmentFile compacted(SegmentFile old, Iterator<RecordBatch> batches) throws IOException {
        SegmentFile fresh = new SegmentFile(old.shared, old.directory, old.baseOffset, 0, old.createdAt, false);
        fresh.index = new SparseIndex(old.baseOffset);
        fresh.file.enter();
        try {
            fresh.file.openAt(fresh.path(CLEANED), true);
            fresh.writeAll(batches, old.sealedEnd);
        } catch (IOException | RuntimeException failure) {
            fresh.file.retire();
            throw failure;
        } finally {
            fresh.file.leave();
        }
        return fresh;
    }

    private void writeAll(Iterator<RecordBatch> batches, long end) throws IOException {
        FileChannel channel = file.channel(false);
        shared.files().truncate(channel, 0);
        ByteBuffer gathered = ByteBuffer.allocate(GATHER_BYTES);
        long next = baseOffset;
        while (batches.hasNext()) {
            RecordBatch batch = batches.next();
            if (batch.baseOffset() < next || batch.nextOffset() > end) {
                throw new IllegalArgumentException(batch + " is not in " + next + ".." + end);
            }
            int bytes = batch.sizeInBytes();
            if (bytes > gathered.remaining()) {
                writeOut(channel, gathered);
            }
            if (bytes > gathered.capacity()) {
                shared.files().write(channel, batch.bytes(), size);
                shared.counters().bytesWritten.add(bytes);
            } else {
                batch.copyTo(gathered, gathered.position());
                gathered.position(gathered.position() + bytes);
            }
            added(batch, bytes, IndexRebuild.INTERVAL_BYTES);
            next = batch.nextOffset();
        }
        writeOut(channel, gathered);
        shared.files().force(channel);
        shared.counters().fsyncs.increment();
        forcedBytes = size;
        seal(end);
    }

    /** Writes the gathered bytes, which end where the segment does. */
    private void writeOut(FileChannel channel, ByteBuffer gathered) throws IOException {
        gathered.flip();
        shared.counters().bytesWritten.add(gathered.remaining());
        shared.files().write(channel, gathered, size - gathered.remaining());
        gathered.clear();
    }

    /** Takes the place of the file of the same offsets. A stale index beside new batches would be wrong, so it goes first. */
    void takePlaceOf(SegmentFile old) throws IOException {
        old.deleteIndexFiles();
        shared.files().syncDirectory(directory.get());
        shared.files().rename(path(CLEANED), logFile());
        shared.files().syncDirectory(directory.get());
    }

    static String nameOf(long baseOffset, String suffix) {
        return String.format("%020d%s", baseOffset, suffix);
    }

    private Path path(String suffix) {
        return directory.get().resolve(nameOf(baseOffset, suffix));
    }

    Path logFile() {
        return path(".log");
    }

    long size() {
        return size;
    }

    boolean isSealed() {
        return sealed;
    }

    /** The offset after a sealed segment's last. */
    long sealedEnd() {
        return sealedEnd;
    }

    long forcedBytes() {
        return forcedBytes;
    }

    void forcedTo(long bytes) {
        forcedBytes = bytes;
    }

    /** Its timestamps have been asked for before. */
    Segment describe(long end) {
        return new Segment(baseOffset, sealed ? sealedEnd : end, size, tally.maxTimestamp(), createdAt, sealed);
    }

    long maxTimestamp() throws IOException {
        if (tally.maxTimestamp() == UNKNOWN_TIMESTAMP) {
            index();
        }
        return tally.maxTimestamp();
    }

    // Growth, by the owner

    /** Notes a batch that was put at the end. */
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

    /** Makes a segment the active one again, as it was up to a cut. */
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

    /** True if nothing was written since the index files were: a clean stop leaves them, growth removes them. */
    boolean hasItsIndexFiles() {
        return size == 0 || indexFiles().exist();
    }

    /** Becomes the active segment as it is; fails if its file does not end with a whole batch. */
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
     * Reads the whole file, makes the index anew, and ends before the first batch that is not whole, not in order or, from
     * the offset {@code trusted} on, fails its CRC. {@link #cutOffRest} has to follow.
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

    /** Follows the batches that recovery reads, and knows the offset that the next one has at least. */
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

    /** True if what recovery left of a file of {@code fileBytes} was only made ahead of batches to come. */
    boolean endsWithZeros(long fileBytes) throws IOException {
        return Preallocation.isOnlyZeros(shared.files(), file.channel(false), size, fileBytes);
    }

    /** Shortens a file of {@code fileBytes} to what recovery found whole. */
    void cutOffRest(long fileBytes) throws IOException {
        if (size < fileBytes) {
            shared.files().truncate(file.channel(false), size);
            shared.files().force(file.channel(false));
        }
    }

    /** Writes what is above an offset once more, as it is read, and forces it; also what is no whole batch. */
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
     * Pins the file from now on.
     *
     * @param readable bytes of the file that may be read
     * @param next the offset after the batches in them
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

    /** Removes the files, the log's first: without it the others mean nothing. */
    void delete() throws IOException {
        shared.files().delete(logFile());
        deleteIndexFiles();
    }

    void deleteIndexFiles() throws IOException {
        indexOnDisk = false;
        indexFiles().delete();
        indexFilesExist = false;
    }

    /**
     * Before the file grows, the index files that a clean stop left go: after a kill they would be taken for those of the
     * longer segment, and its newest timestamp would not be in them. True if there may have been some.
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

    SparseIndex indexIfLoaded() {
        return index;
    }

    /** The index, loaded or made anew from the file if need be. */
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

    /** Null if there is none that can be used. */
    private SparseIndex readIndex() {
        try {
            return indexFiles().read(baseOffset, size);
        } catch (IOException unreadable) {
            LOG.warn("The index of {} cannot be read: {}", logFile(), unreadable.toString());
            return null;
        }
    }

    private SparseIndex rebuildIndex() throws IOException {
        if (size > 0) {
            LOG.info("Making the index of {} anew", logFile());
        }
        IndexRebuild rebuilt = new IndexRebuild(baseOffset).read(scan(), size, batch -> true);
        rebuilt.tally().finish(rebuilt.index());
        tally = rebuilt.tally();
        return rebuilt.index();
    }

    boolean needsIndexFiles() {
        return sealed && !indexOnDisk && index != null;
    }

    /** Writes the index files of a sealed segment, if they are not there. An index can be made anew: failing is no harm. */
    void persistIndex() {
        SparseIndex sealedIndex = index;
        if (needsIndexFiles() && !isRetired() && sealedIndex != null) {
            writeIndexFiles(sealedIndex, true);
        }
    }

    /** Writes the index files of the active segment at a clean stop; a power cut may take them, they are made anew then. */
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

    /** Lets go of what a sealed segment that nobody used since the last rest does not need. */
    void releaseIfIdle() {
        if (sealed && file.closeIfIdle() && indexOnDisk) {
            index = null;
        }
    }

    // Lookups in the file; the caller has entered

    BatchScan scan() throws IOException {
        return new BatchScan(shared.files(), file.channel(false), ByteBuffer.allocate(WINDOW_BYTES));
    }

    /** Position of the first batch whose last offset is at least {@code offset}; {@code readable} if there is none. */
    long find(BatchScan scan, long offset, long readable) throws IOException {
        long at = index().positionAtOrBelowOffset(offset);
        while (at < readable) {
            mustBeWhole(scan, at, readable);
            if (scan.lastOffset() >= offset) {
                return at;
            }
            at += scan.size();
        }
        return readable;
    }

    /**
     * Bytes of the whole batches from {@code from} on that are below {@code limit} and fit into {@code maxBytes}. If these are
     * not all, the scan has stopped at the batch after them.
     */
    int bytesBelow(BatchScan scan, long limit, long from, int maxBytes, boolean atLeastOne, long readable)
            throws IOException {
        SparseIndex loaded = index();
        long byBytes = loaded.positionAtOrBelow(Math.min(readable, from + maxBytes));
        long byOffset = loaded.positionAtOrBelowOffset(limit - 1);
        long at = Math.max(from, Math.min(byBytes, byOffset));
        while (at < readable) {
            mustBeWhole(scan, at, readable);
            boolean full = at + scan.size() - from > maxBytes && !(atLeastOne && at == from);
            if (full || scan.lastOffset() >= limit) {
                break;
            }
            at += scan.size();
        }
        return (int) (at - from);
    }

    /** Where to cut so that nothing at or above {@code offset} is left. */
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
            throw new Damaged("no whole batch at position " + at + " of " + logFile());
        }
    }

    /** The file was read, but its bytes are not what was written. */
    static final class Damaged extends IOException {
        private static final long serialVersionUID = 1L;

        private Damaged(String message) {
            super(message);
        }
    }

    /**
     * A place between two batches.
     *
     * @param end the offset after the batch before it
     * @param maxTimestamp of all batches before it
     */
    record Cut(long position, long end, long maxTimestamp, long offsetOfMaxTimestamp) {}
}
