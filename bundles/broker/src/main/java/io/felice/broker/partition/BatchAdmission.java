package io.felice.broker.partition;

import static io.felice.api.ErrorCode.INVALID_RECORD;
import static io.felice.api.ErrorCode.INVALID_TIMESTAMP;
import static io.felice.api.ErrorCode.INVALID_TXN_STATE;
import static io.felice.api.ErrorCode.MESSAGE_TOO_LARGE;
import static io.felice.api.ErrorCode.RECORD_LIST_TOO_LARGE;
import static io.felice.api.ErrorCode.UNSUPPORTED_COMPRESSION_TYPE;

import io.felice.api.ErrorCode;
import io.felice.api.RecordBatch;
import io.felice.api.RecordError;
import io.felice.api.partition.Partition.Origin;
import io.felice.records.Batches;
import io.felice.records.Recompression;
import io.felice.records.RecordWalk;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/**
 * Checks batches before they are appended. All checks that need nothing but the batch and the topic's configuration are
 * here: first length and format, then size, checksum, header, and every record of the body. A batch whose codec is not
 * the topic's {@code compression.type} is compressed anew. Any thread; never blocks.
 *
 * <p>The coordinator makes its batches in this process, so only their size is checked.
 */
public final class BatchAdmission implements AutoCloseable {
    /** Larger batches are compressed anew on {@link #recompression}, smaller ones on the caller's thread. */
    static final int LARGE_BYTES = 4 << 10;

    private static final int ZSTD = 4;
    private static final long IDLE_SECONDS = 10;
    private static final long NEVER = Long.MAX_VALUE;
    /** The most refused records of one batch that the answer names. */
    private static final int MOST_RECORD_ERRORS = 1_000;

    /** Idle walks, to be used again; never more than the threads that appended at the same time. */
    private final Queue<RecordWalk> walks = new ConcurrentLinkedQueue<>();
    /** As many threads as processors; what is given to it after {@link #close} runs on the caller's thread. */
    private final ThreadPoolExecutor recompression;

    private final LongAdder recompressed = new LongAdder();

    public BatchAdmission() {
        int threads = Runtime.getRuntime().availableProcessors();
        AtomicInteger number = new AtomicInteger();
        recompression = new ThreadPoolExecutor(
                threads, threads, IDLE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> {
                    Thread thread = new Thread(task, "felice-recompression-" + number.incrementAndGet());
                    thread.setDaemon(true);
                    return thread;
                });
        recompression.allowCoreThreadTimeOut(true);
        recompression.setRejectedExecutionHandler((task, closed) -> task.run());
    }

    Executor recompression() {
        return recompression;
    }

    /** Batches that were compressed anew. */
    public long recompressed() {
        return recompressed.sum();
    }

    /** Partitions with batches that wait to be compressed anew, or are now. */
    public long waiting() {
        return recompression.getQueue().size() + recompression.getActiveCount();
    }

    /** True if {@link #admit} would take long enough to keep an I/O thread from its other connections. */
    static boolean takesLong(ByteBuffer bytes, Origin origin, TopicRules rules) {
        return origin != Origin.COORDINATOR
                && bytes.remaining() > LARGE_BYTES
                && rules.recompress(RecordBatch.at(bytes).codec());
    }

    /** The waiting batches are still appended. */
    @Override
    public void close() {
        recompression.shutdown();
    }

    /**
     * @param bytes the batches to append, from position to limit
     * @param now milliseconds since the epoch
     * @return at least one batch; views over {@code bytes}, or a batch with bytes of its own that was compressed anew
     * @throws io.felice.api.FeliceException with the error code of the produce response
     */
    List<RecordBatch> admit(ByteBuffer bytes, Origin origin, TopicRules rules, long now) {
        if (origin != Origin.COORDINATOR) {
            mustBeWhole(bytes);
        }
        List<RecordBatch> batches = Batches.split(bytes);
        if (batches.isEmpty()) {
            throw INVALID_RECORD.because("There is no record batch to append");
        }
        if (origin == Origin.COORDINATOR) {
            batches.forEach(batch -> checkSize(batch, rules));
            return batches;
        }
        if (batches.size() != 1) {
            throw INVALID_RECORD.because(
                    "A produce request has exactly one batch per partition, not " + batches.size());
        }
        checkHeader(batches.get(0), origin, rules);
        return List.of(withCheckedBody(batches.get(0), rules, now));
    }

    /** A truncated batch gets an error that clients do not retry, because a retry would send the same bytes. */
    private static void mustBeWhole(ByteBuffer bytes) {
        if (bytes.remaining() < RecordBatch.HEADER_BYTES
                || bytes.get(bytes.position() + RecordBatch.MAGIC_AT) != RecordBatch.MAGIC) {
            return;
        }
        long size = RecordBatch.LENGTH_PREFIX_BYTES + (long) bytes.getInt(bytes.position() + RecordBatch.LENGTH_AT);
        if (size > bytes.remaining()) {
            throw INVALID_RECORD.because(
                    "The batch says it has " + size + " bytes, but the request has only " + bytes.remaining());
        }
    }

    private static void checkHeader(RecordBatch batch, Origin origin, TopicRules rules) {
        if (origin == Origin.CLIENT_BEFORE_ZSTD && batch.codec() == ZSTD) {
            throw UNSUPPORTED_COMPRESSION_TYPE.because("Produce requests below version 7 must not use zstd");
        }
        if (batch.isTransactional()) {
            throw INVALID_TXN_STATE.because("Producer " + batch.producerId() + " has no open transaction here");
        }
        if (batch.baseOffset() != 0) {
            throw INVALID_RECORD.because("A produced batch begins at offset 0, not " + batch.baseOffset());
        }
        checkSize(batch, rules);
        Batches.check(batch);
        if (batch.isControl()) {
            throw INVALID_RECORD.because("Clients must not write control batches");
        }
        if (batch.hasProducerId() && batch.baseSequence() < 0) {
            throw INVALID_RECORD.because("A batch of producer " + batch.producerId()
                    + " has the negative base sequence " + batch.baseSequence());
        }
        if (batch.isLogAppendTime()) {
            throw INVALID_TIMESTAMP.because("Producers must not set the timestamp type to LogAppendTime");
        }
    }

    private static void checkSize(RecordBatch batch, TopicRules rules) {
        if (batch.sizeInBytes() > rules.maxBatchBytes()) {
            throw MESSAGE_TOO_LARGE.because(
                    "The batch has " + batch.sizeInBytes() + " bytes, max.message.bytes is " + rules.maxBatchBytes());
        }
        if (batch.sizeInBytes() > rules.sizes().segmentBytes()) {
            throw RECORD_LIST_TOO_LARGE.because("The batch has " + batch.sizeInBytes() + " bytes, segment.bytes is "
                    + rules.sizes().segmentBytes());
        }
    }

    private RecordBatch withCheckedBody(RecordBatch batch, TopicRules rules, long now) {
        if (!rules.checksBodies()) {
            checkNewestTimestamp(batch, rules, now);
            return rules.recompress(batch.codec()) ? walked(batch, rules, (index, timestamp, hasKey) -> {}) : batch;
        }
        BodyCheck check = new BodyCheck(rules, now);
        RecordBatch stored = walked(batch, rules, check);
        check.mustBeWell();
        if (!rules.stampsAppendTime() && check.maxTimestamp != stored.maxTimestamp()) {
            Batches.correctMaxTimestamp(stored, check.maxTimestamp);
        }
        return stored;
    }

    private static void checkNewestTimestamp(RecordBatch batch, TopicRules rules, long now) {
        if (!rules.stampsAppendTime() && isTooFar(batch.maxTimestamp(), rules, now)) {
            throw INVALID_TIMESTAMP.because(tooFar(batch.maxTimestamp(), rules, now));
        }
    }

    /** Visits the records, and compresses the batch anew if the topic's codec is another one. */
    private RecordBatch walked(RecordBatch batch, TopicRules rules, RecordWalk.Visitor visitor) {
        RecordWalk walk = walks.poll();
        walk = walk == null ? new RecordWalk() : walk;
        try {
            if (rules.recompress(batch.codec())) {
                recompressed.increment();
                int most = Math.min(rules.maxBatchBytes(), rules.sizes().segmentBytes());
                return Recompression.of(batch, rules.codec(), walk, rules.maxRecordBytes(), most, visitor);
            }
            walk.walk(batch, rules.maxRecordBytes(), visitor);
            return batch;
        } finally {
            walks.add(walk);
        }
    }

    /** Checks the records of one batch and finds their largest timestamp. */
    private static final class BodyCheck implements RecordWalk.Visitor {
        private final TopicRules rules;
        private final long now;
        private long maxTimestamp = RecordBatch.NO_TIMESTAMP;
        private ErrorCode code = ErrorCode.NONE;
        private List<RecordError> refused = List.of();

        BodyCheck(TopicRules rules, long now) {
            this.rules = rules;
            this.now = now;
        }

        @Override
        public void record(int index, long timestamp, boolean hasKey) {
            maxTimestamp = Math.max(maxTimestamp, timestamp);
            if (rules.isCompacted() && !hasKey) {
                refuse(INVALID_RECORD, index, "A record of a compacted topic must have a key");
            } else if (!rules.stampsAppendTime() && isTooFar(timestamp, rules, now)) {
                refuse(INVALID_TIMESTAMP, index, tooFar(timestamp, rules, now));
            }
        }

        private void refuse(ErrorCode why, int index, String message) {
            if (refused.isEmpty()) {
                refused = new ArrayList<>();
                code = why;
            }
            if (refused.size() < MOST_RECORD_ERRORS) {
                refused.add(new RecordError(index, message));
            }
        }

        void mustBeWell() {
            if (!refused.isEmpty()) {
                throw code.because(
                        refused.get(0).message() + " (record " + refused.get(0).batchIndex() + ")", refused);
            }
        }
    }

    private static boolean isTooFar(long timestamp, TopicRules rules, long now) {
        return timestamp != RecordBatch.NO_TIMESTAMP
                && (rules.beforeMaxMs() < NEVER && now - timestamp > rules.beforeMaxMs()
                        || rules.afterMaxMs() < NEVER && timestamp - now > rules.afterMaxMs());
    }

    private static String tooFar(long timestamp, TopicRules rules, long now) {
        return "Timestamp " + timestamp + " is too far from the broker's, " + now + ": at most " + rules.beforeMaxMs()
                + " ms before and " + rules.afterMaxMs() + " ms after are accepted";
    }
}
