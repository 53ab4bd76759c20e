package io.felice.storage.log;

import io.felice.api.RecordBatch;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Writes to a log's files: the batches of the tail, and one change of the owner at a time. {@link #settle},
 * {@link #cutOffZerosWhenSettled} and {@link #change} take the lock {@code settling}. All other methods except
 * {@link #hasZeros} are called by a thread that holds that lock.
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

    /**
     * Runs a change if {@code lease} is the newest lease. No newer lease is given out meanwhile. If the change fails,
     * the log is offline until it is opened again.
     */
    void change(long lease, FileChange change) {
        run(() -> state.mustOwn(lease), change);
    }

    /** On return all batches appended before the call are in the files. */
    void settle() {
        if (state.mustSettle()) {
            whileUsable(this::settleAll);
        }
    }

    /** Settles, then cuts off the zeros behind the last batch. */
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

    /** Appends a batch to the file without the tail; all earlier batches are settled. */
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

    /** True if zeros may follow the last batch in the active segment's file. Any thread. */
    boolean hasZeros() {
        return state.active().preallocation.hasZeros();
    }

    /** Cuts off the zeros behind the last batch; all batches are settled. */
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

    /** Creates the active segment's file if it is missing, durably: its name tells recovery where the log ends. */
    void makeActiveFile() throws IOException {
        createActiveFile();
        directory.makeDurable();
    }

    /** As {@link #makeActiveFile}, but a power cut may take the file. */
    void createActiveFile() throws IOException {
        directory.make();
        SegmentFile active = state.active();
        active.file.enter();
        try {
            active.file.channel(true);
        } finally {
            active.file.leave();
        }
        directory.markNamesChanged();
    }
}
