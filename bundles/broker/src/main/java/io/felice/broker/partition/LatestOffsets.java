package io.felice.broker.partition;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * For each of many keys the latest offset, in 24 bytes a slot: 128 bits of the key's SHA-256 stand for the key. Grows up
 * to a limit and then takes no more keys. For one thread.
 */
final class LatestOffsets {
    private static final int WORDS = 3;
    private static final int FIRST_SLOTS = 1024;
    /** Slots for each four that are to be found quickly: three of them are used. */
    private static final int USED = 3;

    private static final int OF = 4;

    private final MessageDigest digest = sha256();
    private final int mostKeys;
    /** Two words of hash and the offset + 1; an offset word of 0 is an empty slot. */
    private long[] slots = new long[FIRST_SLOTS * WORDS];

    private int count;

    // Of the key that was hashed last.
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

    /** Notes an offset of a key, unless a later one is known; false if the key is new and there are too many. */
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

    /** The hashed key's slot, or the empty one where it belongs. */
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

    /** Gives an empty slot to the hashed key; there may be another table afterwards. */
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
