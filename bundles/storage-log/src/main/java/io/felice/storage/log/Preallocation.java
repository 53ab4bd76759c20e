package io.felice.storage.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps zeros behind the last batch of a segment file that grows quickly. The file grows in pieces of
 * {@link #PIECE_BYTES}: the write that begins a piece also fills the rest of the piece with zeros, and later writes
 * overwrite the zeros. Without the zeros every write makes the file longer by a few pages, which takes the kernel up to
 * twice the time of the write, and twice the time of a later read (docs/decisions/0009).
 *
 * <p>A file that grows slowly gets no zeros, nor does any file while the volume has little free space. An idle log's
 * zeros are cut off. After a kill, recovery finds zeros where the next batch would begin, and cuts them off.
 *
 * <p>The caller holds the log's lock {@code settling}; {@link #hasZeros} is called from any thread.
 */
final class Preallocation {
    /**
     * The file's length becomes a multiple of this, 32 KB. Larger pieces were slower when measured: the kernel keeps
     * freed memory of up to 32 KB at hand for each processor, and larger pieces may no longer be in the processor's
     * cache.
     */
    static final int PIECE_BYTES = 32 << 10;

    private static final Logger LOG = LoggerFactory.getLogger(Preallocation.class);
    private static final ByteBuffer ZEROS =
            ByteBuffer.allocateDirect(PIECE_BYTES).asReadOnlyBuffer();

    /** A file grows quickly if less than this passed since its last piece began. */
    private static final long QUICK_MS = 250;

    private final LogResources shared;

    /** Position in the file; 0 before the first write. */
    private long pieceEnd;

    private long pieceBeganMs;
    /** Position in the file; 0 if there are no zeros. */
    private volatile long zerosEnd;

    Preallocation(LogResources shared) {
        this.shared = shared;
    }

    /** Writes the remaining bytes of the buffer at the end of the batches. No space for zeros is not a failure. */
    void write(FileChannel channel, ByteBuffer bytes, long position) throws IOException {
        if (beginsPieceWithZeros(position + bytes.remaining())) {
            int zeros = (int) (pieceEnd - position - bytes.remaining());
            zerosEnd = pieceEnd;
            if (!shared.files().write(channel, bytes, ZEROS.duplicate().limit(zeros), position)) {
                shared.volumeSpace().pauseZeros();
                LOG.debug("There is no space for zeros behind the last batch");
            }
        } else {
            shared.files().write(channel, bytes, position);
        }
    }

    /** True if a write that ends at {@code needed} begins a piece, and zeros should fill the rest of the piece. */
    private boolean beginsPieceWithZeros(long needed) {
        if (needed <= pieceEnd) {
            return false;
        }
        long now = shared.clock().millis();
        boolean quick = pieceEnd > 0 && now - pieceBeganMs < QUICK_MS;
        pieceBeganMs = now;
        pieceEnd = (needed + PIECE_BYTES - 1) / PIECE_BYTES * PIECE_BYTES;
        return quick && shared.volumeSpace().isPlenty();
    }

    /** Removes the zeros behind {@code size}, the position after the last batch. */
    void cutOff(FileChannel channel, long size) throws IOException {
        if (zerosEnd > size) {
            shared.files().truncate(channel, size);
        }
        forget();
    }

    boolean hasZeros() {
        return zerosEnd > 0;
    }

    /** Called after the file was truncated: there are no zeros then. */
    void forget() {
        pieceEnd = 0;
        zerosEnd = 0;
    }

    /** True if the file has only zeros between two positions, and no more of them than this class may have written. */
    static boolean isOnlyZeros(DiskFiles files, FileChannel channel, long from, long to) throws IOException {
        if (to - from > 2 * PIECE_BYTES) {
            return false;
        }
        ByteBuffer rest = ByteBuffer.allocate((int) (to - from));
        files.read(channel, rest, from);
        rest.flip();
        for (int at = 0; at < rest.limit(); at += PIECE_BYTES) {
            int length = Math.min(PIECE_BYTES, rest.limit() - at);
            if (!rest.slice(at, length).equals(ZEROS.slice(0, length))) {
                return false;
            }
        }
        return true;
    }
}
