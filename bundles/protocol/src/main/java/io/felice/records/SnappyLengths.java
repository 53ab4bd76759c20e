package io.felice.records;

import static io.felice.api.ErrorCode.INVALID_RECORD;

import io.felice.api.FeliceException;
import java.nio.ByteBuffer;

/**
 * Checks the lengths in a snappy body before the library allocates memory for them. Without this check, a body of a few
 * bytes could make the library allocate two gigabytes. A body is one raw snappy block, or in the framing of xerial's
 * snappy-java a header and chunks:
 *
 * <pre>
 *  byte 0  0x82 "SNAPPY" 0  int64   marks xerial's framing
 *       8  version          int32
 *      12  compatible       int32
 *      16  length           int32   of the first chunk; each chunk is a raw block
 *      20  block            starts with the decompressed length, an unsigned varint
 * </pre>
 */
final class SnappyLengths {
    private static final long FRAMED = 0x82534e4150505900L;
    private static final int HEADER_BYTES = 16;
    private static final int VARINT_BITS = 35;

    /** The most decompressed bytes per compressed byte: a copy element of three bytes gives at most 64 bytes. */
    private static final int MOST_EXPANSION = 22;

    private SnappyLengths() {}

    /** @throws FeliceException INVALID_RECORD if a length is impossible */
    static void check(ByteBuffer body) {
        int at = body.position();
        int end = body.limit();
        boolean framed = end - at >= HEADER_BYTES && body.getLong(at) == FRAMED;
        if (!framed) {
            checkBlock(body, at, end);
            return;
        }
        at += HEADER_BYTES;
        while (at < end) {
            int length = end - at < Integer.BYTES ? -1 : body.getInt(at);
            at += Integer.BYTES;
            if (length < 0 || length > end - at) {
                throw impossible("a chunk of " + length + " bytes where there are " + Math.max(0, end - at));
            }
            checkBlock(body, at, at + length);
            at += length;
        }
    }

    private static void checkBlock(ByteBuffer body, int from, int end) {
        long claimed = 0;
        for (int at = from, shift = 0; at < end && shift < VARINT_BITS; at++, shift += 7) {
            byte next = body.get(at);
            claimed |= (long) (next & 0x7f) << shift;
            if (next >= 0) {
                break;
            }
        }
        if (claimed > (long) MOST_EXPANSION * (end - from)) {
            throw impossible(
                    "a block of " + (end - from) + " bytes that claims to become " + claimed + " when decompressed");
        }
    }

    private static FeliceException impossible(String what) {
        return INVALID_RECORD.because("The batch's snappy body has " + what);
    }
}
