package io.felice.storage.log;

import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;

import io.felice.api.FeliceException;
import io.felice.api.RecordBatch;
import io.felice.api.storage.Replacement;
import io.felice.api.storage.Segment;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Puts new segments in the place of old ones. The file of a new segment has three names, one after the other:
 *
 * <pre>
 *  00000000000000000000.7.cleaned                     while it is written; the number is another one each time
 *  00000000000000000000.00000000000000000300.swap     from the commit on: first offset, and the offset after the last
 *  00000000000000000000.log                           when the files of the old segments are gone
 * </pre>
 *
 * <p>The rename to {@code .swap} is the commit. The name says which segments the new one covers, whatever batches are left
 * in it; {@link SwapFile} lets a start end what was begun. Only the commit takes the lock {@code settling}; what comes after
 * it, with its fsyncs, is done under {@code replacing}.
 */
final class LogReplacements {
    private static final String CLEANED = ".cleaned";
    private static final int GATHER_BYTES = 64 << 10;
    /** Two owners of a log, an old one and a new one, never write to the same file. */
    private static final AtomicLong NUMBERS = new AtomicLong();

    private final LogResources shared;
    private final LogState state;
    private final PartitionDirectory directory;
    private final LogWriter writer;
    private final ReentrantLock replacing;
    private final ReentrantLock settling;
    private final ReentrantLock flushing;

    /** Committed, but the files of its old segments may be there. */
    private volatile InFile unfinished;

    LogReplacements(
            LogResources shared, LogState state, PartitionDirectory directory, LogWriter writer, LogLocks locks) {
        this.shared = shared;
        this.state = state;
        this.directory = directory;
        this.writer = writer;
        this.replacing = locks.replacing();
        this.settling = locks.settling();
        this.flushing = locks.flushing();
    }

    Replacement begin(List<Segment> described, long lease) {
        if (described.isEmpty()) {
            throw new IllegalArgumentException("no segments to replace");
        }
        finish();
        InFile begun;
        synchronized (state) {
            state.mustOwn(lease);
            begun = new InFile(state.filesOf(described), state.truncations(), lease);
        }
        showEnd(lease);
        begun.open();
        return begun;
    }

    /** The file of the active segment shows where the log ends, also if the new segment loses its last batch. */
    private void showEnd(long lease) {
        settling.lock();
        try {
            state.mustOwn(lease);
            if (state.active().size() > 0) {
                return;
            }
            writer.createActiveFile();
        } catch (IOException failure) {
            throw failed(failure);
        } finally {
            settling.unlock();
        }
        flushing.lock();
        try {
            directory.makeDurable();
        } catch (IOException failure) {
            throw state.fail(failure);
        } finally {
            flushing.unlock();
        }
    }

    private FeliceException failed(IOException failure) {
        return KAFKA_STORAGE_ERROR.because(
                "a segment of " + directory + " cannot be replaced: " + failure.getMessage(), failure);
    }

    /** On return no file of a replaced segment is there any more; does nothing if the log has failed. */
    void finish() {
        replacing.lock();
        try {
            InFile last = unfinished;
            if (last != null && state.reasonUnusable() == null) {
                last.removeOld();
                unfinished = null;
            }
        } catch (IOException failure) {
            throw state.fail(failure);
        } finally {
            replacing.unlock();
        }
    }

    /** One replacement, written to a file of its own. */
    private final class InFile implements Replacement {
        private final List<SegmentFile> old;
        private final long truncations;
        private final long lease;
        private final long end;
        private final SegmentFile fresh;

        private final ByteBuffer gathered = ByteBuffer.allocate(GATHER_BYTES);
        private long next;
        private boolean prepared;
        private volatile boolean committed;
        private boolean closed;

        InFile(List<SegmentFile> old, long truncations, long lease) {
            SegmentFile last = old.get(old.size() - 1);
            this.old = old;
            this.truncations = truncations;
            this.lease = lease;
            this.end = last.sealedEnd();
            this.next = old.get(0).baseOffset;
            String name = SegmentFile.nameOf(next, "." + NUMBERS.incrementAndGet() + CLEANED);
            this.fresh = SegmentFile.beside(shared, directory::path, next, last.createdAt, name);
        }

        void open() {
            fresh.file.enter();
            try {
                fresh.file.channel(true);
            } catch (IOException failure) {
                close();
                throw failed(failure);
            }
        }

        @Override
        public void append(RecordBatch batch) {
            state.mustOwn(lease);
            if (batch.baseOffset() < next
                    || batch.nextOffset() > end
                    || batch.lastOffset() - fresh.baseOffset > Integer.MAX_VALUE) {
                throw new IllegalArgumentException(batch + " is not in " + next + ".." + end);
            }
            try {
                write(batch);
            } catch (IOException failure) {
                throw failed(failure);
            }
            next = batch.nextOffset();
        }

        private void write(RecordBatch batch) throws IOException {
            int bytes = batch.sizeInBytes();
            if (bytes > gathered.remaining()) {
                writeOut();
            }
            if (bytes > gathered.capacity()) {
                shared.files().write(channel(), batch.bytes(), fresh.size());
                shared.counters().bytesWritten.add(bytes);
            } else {
                batch.copyTo(gathered, gathered.position());
                gathered.position(gathered.position() + bytes);
            }
            fresh.added(batch, bytes, IndexRebuild.INTERVAL_BYTES);
        }

        /** Writes the gathered bytes, which end where the segment does. */
        private void writeOut() throws IOException {
            gathered.flip();
            shared.counters().bytesWritten.add(gathered.remaining());
            shared.files().write(channel(), gathered, fresh.size() - gathered.remaining());
            gathered.clear();
        }

        private FileChannel channel() throws IOException {
            return fresh.file.channel(false);
        }

        @Override
        public void prepare() {
            try {
                writeOut();
                shared.files().force(channel());
            } catch (IOException failure) {
                throw failed(failure);
            }
            shared.counters().fsyncs.increment();
            fresh.forcedTo(fresh.size());
            fresh.seal(end);
            prepared = true;
        }

        @Override
        public void commit() {
            if (!prepared || committed || closed) {
                throw new IllegalStateException("a replacement is committed once, after it was prepared");
            }
            finish();
            writer.change(lease, () -> {
                state.mustStillHave(old, truncations);
                fresh.renameTo(SwapFile.nameOf(fresh.baseOffset, end));
                state.replace(old, fresh);
                old.forEach(SegmentFile::retire);
                committed = true;
                unfinished = this;
            });
        }

        /** With each fsync the next step cannot reach the disk before the one before it. */
        private void removeOld() throws IOException {
            syncNames();
            withoutFlushes(() -> {
                for (SegmentFile one : old) {
                    one.deleteIndexFiles();
                }
            });
            for (SegmentFile one : old) {
                shared.files().delete(one.logFile());
            }
            syncNames();
            fresh.renameTo(SegmentFile.nameOf(fresh.baseOffset));
            syncNames();
            withoutFlushes(fresh::persistIndex);
        }

        private void syncNames() throws IOException {
            directory.sync(() -> shared.files().syncDirectory(directory.path()));
        }

        /** A flush that began before the commit may be about to write the index of an old segment. */
        private void withoutFlushes(FileChange change) throws IOException {
            flushing.lock();
            try {
                change.run();
            } finally {
                flushing.unlock();
            }
        }

        @Override
        public void close() {
            if (closed) {
                return;
            }
            closed = true;
            try {
                if (committed) {
                    finish();
                    state.mustBeUsable();
                } else {
                    fresh.retire();
                    shared.files().delete(fresh.logFile());
                }
            } catch (IOException failure) {
                throw failed(failure);
            } finally {
                fresh.file.leave();
            }
        }
    }
}
