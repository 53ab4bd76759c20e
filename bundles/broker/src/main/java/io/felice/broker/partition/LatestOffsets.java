package io.felice.broker.partition;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * A hash table from keys to latest offsets, with 24 bytes per slot: 128 bits of SHA-256 stand for the key. Its size is
 * fixed; it refuses new keys when three quarters of the slots are used. Its memory is in pieces, as a small heap may have no
 * room for one large array. For one thread.
 */
final class LatestOffsets {
    private static final int WORDS = 3;
    private static final int SLOT_BYTES = WORDS * Long.BYTES;
    private static final int PIECE_BITS = 13;
    private static final int PIECE_SLOTS = 1 << PIECE_BITS;
    /** {@code USED} of {@code OF} slots may be used. */
    private static final int USED = 3;

    private static final int OF = 4;
    private static final long UNSIGNED_INT = 0xFFFF_FFFFL;

    private final MessageDigest digest = sha256();
    /** Each slot has two words of the hash, and the offset + 1; the third word of an empty slot is 0. */
    private final long[][] pieces;

    private final int slots;
    private final int mostKeys;
    private int count;

    // The hash of the key that was hashed last.
    private long high;
    private long low;

    /** @param bytes the most memory to use; two slots at least */
    LatestOffsets(long bytes) {
        slots = (int) Math.max(2, Math.min(Integer.MAX_VALUE - PIECE_SLOTS, bytes / SLOT_BYTES));
        mostKeys = Math.max(1, (int) ((long) slots * USED / OF));
        pieces = new long[(slots + PIECE_SLOTS - 1) >> PIECE_BITS][];
        for (int i = 0; i < pieces.length; i++) {
            pieces[i] = new long[Math.min(PIECE_SLOTS, slots - (i << PIECE_BITS)) * WORDS];
        }
    }

    /** The memory that is needed for so many keys. */
    static long bytesFor(long keys) {
        return keys > Integer.MAX_VALUE ? Long.MAX_VALUE : (keys * OF + USED - 1) / USED * SLOT_BYTES;
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException everyJavaHasIt) {
            throw new IllegalStateException(everyJavaHasIt);
        }
    }

    int count() {
        return count;
    }

    /** Keeps the later offset; false if the key is new and the limit is reached. */
    boolean put(ByteBuffer key, long offset) {
        hash(key);
        int slot = slotOfHash();
        long[] piece = pieces[slot >> PIECE_BITS];
        int at = indexOf(slot);
        if (piece[at + 2] == 0) {
            if (count == mostKeys) {
                return false;
            }
            count++;
            piece[at] = high;
            piece[at + 1] = low;
        }
        piece[at + 2] = Math.max(piece[at + 2], offset + 1);
        return true;
    }

    /** The latest offset of a key; -1 if it is not known. */
    long get(ByteBuffer key) {
        hash(key);
        int slot = slotOfHash();
        return pieces[slot >> PIECE_BITS][indexOf(slot) + 2] - 1;
    }

    private void hash(ByteBuffer key) {
        digest.update(key.duplicate());
        ByteBuffer hash = ByteBuffer.wrap(digest.digest());
        high = hash.getLong();
        low = hash.getLong();
    }

    private static int indexOf(int slot) {
        return (slot & (PIECE_SLOTS - 1)) * WORDS;
    }

    /** The slot of the hashed key, or the empty slot for it. */
    private int slotOfHash() {
        int slot = (int) ((high & UNSIGNED_INT) * slots >>> Integer.SIZE);
        while (!isHashedKeyOrEmpty(pieces[slot >> PIECE_BITS], indexOf(slot))) {
            slot = slot + 1 == slots ? 0 : slot + 1;
        }
        return slot;
    }

    private boolean isHashedKeyOrEmpty(long[] piece, int at) {
        return piece[at + 2] == 0 || (piece[at] == high && piece[at + 1] == low);
    }
}
