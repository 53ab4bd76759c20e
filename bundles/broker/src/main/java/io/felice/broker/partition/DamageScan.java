package io.felice.broker.partition;

import io.felice.api.RecordBatch;
import io.felice.records.Batches;
import java.nio.ByteBuffer;

/**
 * Finds what is no sound batch among the bytes of a log. A batch is sound if its checksum is right and if the fields that
 * the checksum does not cover agree with the batches around it: offsets ascend, leader epochs do not descend. Behind bytes
 * that are no sound batch, the next sound one is searched for. One thread.
 */
final class DamageScan {
    /** Is told the offsets from {@code from} up to {@code to} in which there is no sound batch. */
    interface Findings {
        void damaged(long from, long to, String what);
    }

    private final long limit;
    private final Epochs epochs;
    private final Findings findings;
    /** What is known before the next batch, and what was known before the last one. */
    private Passed now;

    private Passed before;
    private RecordBatch last;

    /** The least base offset and the least leader epoch that the next batch has. */
    private record Passed(long offset, int epoch) {}

    /**
     * @param from where the first batch is expected at the earliest
     * @param limit the end of the log, above all of its batches
     * @param epochs of the log
     */
    DamageScan(long from, long limit, Epochs epochs, Findings findings) {
        this.limit = limit;
        this.epochs = epochs;
        this.findings = findings;
        this.now = new Passed(from, 0);
    }

    /**
     * Scans bytes that begin with a batch.
     *
     * @param end the offset to which the bytes reach, if the batches do not say so
     */
    void scan(ByteBuffer bytes, long end) {
        int at = bytes.position();
        while (at < bytes.limit()) {
            String wrong = wrongAt(bytes, at, now);
            if (wrong != null && isLastSuspect() && wrongAt(bytes, at, before) == null) {
                long base = new RecordBatch(bytes, at).baseOffset();
                findings.damaged(before.offset(), base, "a batch claims " + fieldsOf(last));
                wrong = null;
            }
            at = wrong == null ? passed(bytes, at) : skipped(bytes, at, wrong, end);
        }
    }

    /** The last sound batch; null if none was read, or if damaged bytes came behind it. */
    RecordBatch last() {
        return last;
    }

    /** The least base offset that {@link #last} could have. */
    long leastOffsetOfLast() {
        return before.offset();
    }

    /** True if the last batch, rather than the present one, may have a wrong offset or epoch. */
    private boolean isLastSuspect() {
        return last != null
                && (last.baseOffset() > before.offset() || epochs.of(last.baseOffset()) != last.leaderEpoch());
    }

    private int passed(ByteBuffer bytes, int at) {
        last = new RecordBatch(bytes, at);
        before = now;
        now = new Passed(last.nextOffset(), last.leaderEpoch());
        return at + last.sizeInBytes();
    }

    private int skipped(ByteBuffer bytes, int at, String wrong, long end) {
        int next = nextSound(bytes, at);
        long to = next < bytes.limit() ? new RecordBatch(bytes, next).baseOffset() : Math.max(end, now.offset() + 1);
        findings.damaged(now.offset(), to, wrong);
        last = null;
        now = new Passed(to, now.epoch());
        return next;
    }

    /** The limit if there is none. */
    private int nextSound(ByteBuffer bytes, int at) {
        Passed least = new Passed(now.offset() + 1, now.epoch());
        long claimed = at + sizeAt(bytes, at);
        if (claimed > at && claimed < bytes.limit() && wrongAt(bytes, (int) claimed, least) == null) {
            return (int) claimed;
        }
        for (int next = at + 1; next <= bytes.limit() - RecordBatch.HEADER_BYTES; next++) {
            if (wrongAt(bytes, next, least) == null) {
                return next;
            }
        }
        return bytes.limit();
    }

    private static long sizeAt(ByteBuffer bytes, int at) {
        return bytes.limit() - at < RecordBatch.HEADER_BYTES
                ? -1
                : RecordBatch.LENGTH_PREFIX_BYTES + (long) bytes.getInt(at + RecordBatch.LENGTH_AT);
    }

    /** Null if there is a sound batch. */
    private String wrongAt(ByteBuffer bytes, int at, Passed least) {
        long size = sizeAt(bytes, at);
        if (size < RecordBatch.HEADER_BYTES || size > bytes.limit() - at) {
            return "a batch claims a size of " + size + " bytes";
        }
        RecordBatch batch = new RecordBatch(bytes, at);
        if (batch.magic() != RecordBatch.MAGIC) {
            return "a batch claims the magic " + batch.magic();
        }
        boolean fits = batch.baseOffset() >= least.offset()
                && batch.lastOffsetDelta() >= 0
                && batch.nextOffset() <= limit
                && batch.leaderEpoch() >= least.epoch()
                && (epochs.latest() < 0 || batch.leaderEpoch() <= epochs.latest());
        if (!fits) {
            return "a batch claims " + fieldsOf(batch);
        }
        return Batches.crcOf(batch) == batch.crc() ? null : "the checksum of a batch is wrong";
    }

    static String fieldsOf(RecordBatch batch) {
        return "the offsets from " + batch.baseOffset() + " on and the leader epoch " + batch.leaderEpoch();
    }
}
