package io.felice.storage.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Zeros behind the last batch of a file that grows quickly, so that it grows in whole pieces: the write that needs another
 * piece takes zeros along up to its end, and the next ones go over them. Writes that make a file longer by a few pages, or
 * begin in the middle of one, cost the kernel more than twice as much, and as much again when the file is read
 * (docs/decisions/0009). A file that does not grow quickly has no zeros, nor has one that is not written to any more, and
 * where space is short no file has any.
 *
 * <p>It belongs to who holds the log's {@code settling}. After a kill recovery finds zeros where a batch would begin, and
 * cuts them off.
 */
final class Preallocation {
    /** Made at a time, and up to a multiple of it: the largest piece of memory that the kernel keeps for each processor. */
    static final int BYTES = 32 << 10;

    private static final Logger LOG = LoggerFactory.getLogger(Preallocation.class);
    private static final ByteBuffer ZEROS = ByteBuffer.allocateDirect(BYTES).asReadOnlyBuffer();

    /** A file grows quickly if it needs no longer for a piece. */
    private static final long QUICK_MS = 250;

    private final LogResources shared;

    /** Where the next piece begins, and when the last one did; 0 before the first write. */
    private long next;

    private long began;
    /** The end of the zeros; 0 if there are none. Looked at by others. */
    private volatile long end;

    Preallocation(LogResources shared) {
        this.shared = shared;
    }

    /** Writes what remains in the buffer at the end of the file. That there is no space for zeros is no failure. */
    void write(FileChannel channel, ByteBuffer bytes, long position) throws IOException {
        if (isPieceWanted(position + bytes.remaining())) {
            int zeros = (int) (next - position - bytes.remaining());
            end = next;
            if (!shared.files().write(channel, bytes, ZEROS.duplicate().limit(zeros), position)) {
                shared.volumeSpace().ranOut();
                LOG.debug("There is no space for zeros ahead of the batches");
            }
        } else {
            shared.files().write(channel, bytes, position);
        }
    }

    private boolean isPieceWanted(long needed) {
        if (needed <= next) {
            return false;
        }
        long now = shared.clock().millis();
        boolean quick = next > 0 && now - began < QUICK_MS;
        began = now;
        next = (needed + BYTES - 1) / BYTES * BYTES;
        return quick && shared.volumeSpace().isThere();
    }

    /** Shortens the file to its {@code size} if it is longer. */
    void giveBack(FileChannel channel, long size) throws IOException {
        if (end > size) {
            shared.files().truncate(channel, size);
        }
        forget();
    }

    boolean isMade() {
        return end > 0;
    }

    /** Somebody has shortened the file. */
    void forget() {
        next = 0;
        end = 0;
    }

    /** True if nothing but zeros, and no more than what is made ahead, is in the file from {@code from} to {@code to}. */
    static boolean isAll(DiskFiles files, FileChannel channel, long from, long to) throws IOException {
        if (to - from > 2 * BYTES) {
            return false;
        }
        ByteBuffer rest = ByteBuffer.allocate((int) (to - from));
        files.read(channel, rest, from);
        rest.flip();
        for (int at = 0; at < rest.limit(); at += BYTES) {
            int length = Math.min(BYTES, rest.limit() - at);
            if (!rest.slice(at, length).equals(ZEROS.slice(0, length))) {
                return false;
            }
        }
        return true;
    }
}
