package io.felice.storage.log;

import io.felice.api.RecordBatch;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Writes to a log's files: one change of an owner at a time, and what the tail holds. {@link #settle} and {@link #change}
 * take the lock {@code settling}; the rest is for who is in a change.
 */
final class LogWriter {
    private final LogResources shared;
    private final LogState state;
    private final PartitionDirectory directory;
    private final ReentrantLock settling;

    LogWriter(LogResources shared, LogState state, PartitionDirectory directory, LogLocks locks) {
        this.shared = shared;
        this.state = state;
        this.directory = directory;
        this.settling = locks.settling();
    }

    /** Runs a change of the owner of {@code lease}; the lease cannot grow meanwhile, and a failure kills the log. */
    void change(long lease, FileChange change) {
        run(() -> state.mustOwn(lease), change);
    }

    /** On return everything appended before the call is in the files. */
    void settle() {
        if (state.mustSettle()) {
            whileUsable(this::settleAll);
        }
    }

    /** As {@link #settle}; and if nobody appends meanwhile, the last file ends with the last batch. */
    void cutOffZerosWhenSettled() {
        whileUsable(() -> {
            settleAll();
            cutOffZeros();
        });
    }

    private void whileUsable(FileChange change) {
        run(state::mustBeUsable, change);
    }

    private void run(Runnable condition, FileChange change) {
        settling.lock();
        try {
            condition.run();
            change.run();
        } catch (IOException failure) {
            throw state.fail(failure);
        } catch (UncheckedIOException failure) {
            throw state.fail(failure.getCause());
        } finally {
            settling.unlock();
        }
    }

    void settleAll() throws IOException {
        long target = state.end();
        while (state.settled() < target) {
            TailBuffer buffer = state.beginSettling();
            if (buffer == null) {
                return;
            }
            write(buffer.segment, buffer.settling(), buffer.settlingPosition());
            state.endSettling(buffer);
        }
    }

    /** Appends a batch that does not fit into the tail; everything before it is settled. */
    void writeThrough(RecordBatch batch, int size) throws IOException {
        SegmentFile segment = state.active();
        write(segment, batch.bytes(), segment.size());
        state.appendedToFile(batch, size);
    }

    private void write(SegmentFile segment, ByteBuffer bytes, long position) throws IOException {
        int count = bytes.remaining();
        directory.make();
        segment.file.enter();
        try {
            if (segment.dropIndexFilesBeforeGrowth()) {
                directory.markNamesChanged();
            }
            FileChannel channel = segment.file.channel(true);
            segment.preallocation.write(channel, bytes, position);
        } finally {
            segment.file.leave();
        }
        if (position == 0) {
            directory.markNamesChanged();
        }
        shared.counters().settles.increment();
        shared.counters().bytesWritten.add(count);
    }

    /** True if the active segment's file is longer than its batches; from any thread. */
    boolean hasZeros() {
        return state.active().preallocation.hasZeros();
    }

    /** Lets the active segment's file end with its last batch; for who is in a change, when all is settled. */
    void cutOffZeros() throws IOException {
        SegmentFile active = state.active();
        if (active.preallocation.hasZeros()) {
            active.file.enter();
            try {
                active.preallocation.cutOff(active.file.channel(false), active.size());
            } finally {
                active.file.leave();
            }
        }
    }

    /** Makes the active segment's file if it is not there, so that the log's end can be seen on disk. */
    void makeActiveFile() throws IOException {
        directory.make();
        SegmentFile active = state.active();
        active.file.enter();
        try {
            active.file.channel(true);
        } finally {
            active.file.leave();
        }
        directory.markNamesChanged();
        directory.makeDurable();
    }
}
