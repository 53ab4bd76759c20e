package io.felice.broker.partition;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * A hash table from keys to latest offsets, with 24 bytes per slot: 128 bits of SHA-256 stand for the key. Refuses new
 * keys above a limit. For one thread.
 */
final class LatestOffsets {
    private static final int WORDS = 3;
    private static final int FIRST_SLOTS = 1024;
    /** The table grows when more than {@code USED} of {@code OF} slots are used. */
    private static final int USED = 3;

    private static final int OF = 4;

    private final MessageDigest digest = sha256();
    private final int mostKeys;
    /** Each slot has two words of the hash, and the offset + 1; the third word of an empty slot is 0. */
    private long[] slots = new long[FIRST_SLOTS * WORDS];

    private int count;

    // The hash of the key that was hashed last.
    private long high;
    private long low;

    LatestOffsets(int mostKeys) {
        this.mostKeys = mostKeys;
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
        int at = slotOf(slots);
        if (slots[at + 2] == 0) {
            if (count == mostKeys) {
                return false;
            }
            at = taken(at);
        }
        slots[at + 2] = Math.max(slots[at + 2], offset + 1);
        return true;
    }

    /** The latest offset of a key; -1 if it is not known. */
    long get(ByteBuffer key) {
        hash(key);
        return slots[slotOf(slots) + 2] - 1;
    }

    private void hash(ByteBuffer key) {
        digest.update(key.duplicate());
        ByteBuffer hash = ByteBuffer.wrap(digest.digest());
        high = hash.getLong();
        low = hash.getLong();
    }

    /** The slot of the hashed key, or the empty slot for it. */
    private int slotOf(long[] table) {
        int mask = table.length / WORDS - 1;
        int slot = (int) high & mask;
        while (!isHashedKeyOrEmpty(table, slot * WORDS)) {
            slot = (slot + 1) & mask;
        }
        return slot * WORDS;
    }

    private boolean isHashedKeyOrEmpty(long[] table, int at) {
        return table[at + 2] == 0 || (table[at] == high && table[at + 1] == low);
    }

    /** Stores the hash; returns its slot, which is another one if the table had to grow. */
    private int taken(int empty) {
        int at = empty;
        count++;
        if ((long) count * OF * WORDS > (long) slots.length * USED) {
            grow();
            at = slotOf(slots);
        }
        slots[at] = high;
        slots[at + 1] = low;
        return at;
    }

    private void grow() {
        long[] larger = new long[slots.length * 2];
        long newHigh = high;
        long newLow = low;
        for (int at = 0; at < slots.length; at += WORDS) {
            if (slots[at + 2] != 0) {
                high = slots[at];
                low = slots[at + 1];
                System.arraycopy(slots, at, larger, slotOf(larger), WORDS);
            }
        }
        high = newHigh;
        low = newLow;
        slots = larger;
    }
}
