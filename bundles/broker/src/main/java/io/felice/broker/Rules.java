package io.felice.broker;

import static io.felice.api.ErrorCode.INVALID_RECORD;
import static io.felice.api.ErrorCode.INVALID_TIMESTAMP;
import static io.felice.api.ErrorCode.INVALID_TXN_STATE;
import static io.felice.api.ErrorCode.MESSAGE_TOO_LARGE;
import static io.felice.api.ErrorCode.RECORD_LIST_TOO_LARGE;

import io.felice.api.RecordBatch;
import io.felice.api.config.TopicConfig;
import io.felice.api.partition.Partition.Origin;
import io.felice.api.storage.SegmentSizes;
import io.felice.records.Batches;
import io.felice.records.RecordReader;
import java.util.List;

/** What a topic's configuration means for its partitions, taken out of the text once. */
record Rules(
        TopicConfig config,
        int maxBatchBytes,
        SegmentSizes sizes,
        boolean stampsAppendTime,
        long beforeMaxMs,
        long afterMaxMs,
        int minInsyncReplicas,
        Durability durability,
        long segmentMs,
        long segmentJitterMs,
        long flushMessages,
        long flushMs) {
    private static final long NEVER = Long.MAX_VALUE;

    static Rules of(TopicConfig config) {
        return new Rules(
                config,
                config.getInt(TopicConfig.MAX_MESSAGE_BYTES),
                new SegmentSizes(
                        config.getInt(TopicConfig.SEGMENT_BYTES), config.getInt(TopicConfig.INDEX_INTERVAL_BYTES)),
                config.get(TopicConfig.MESSAGE_TIMESTAMP_TYPE).equals("LogAppendTime"),
                config.getLong(TopicConfig.MESSAGE_TIMESTAMP_BEFORE_MAX_MS),
                config.getLong(TopicConfig.MESSAGE_TIMESTAMP_AFTER_MAX_MS),
                config.getInt(TopicConfig.MIN_INSYNC_REPLICAS),
                Durability.of(config),
                segmentMs(config),
                config.getLong(TopicConfig.SEGMENT_JITTER_MS),
                config.getLong(TopicConfig.FLUSH_MESSAGES),
                config.getLong(TopicConfig.FLUSH_MS));
    }

    /** What waits for compaction waits in the active segment, too. */
    private static long segmentMs(TopicConfig config) {
        long segmentMs = config.getLong(TopicConfig.SEGMENT_MS);
        return config.getList(TopicConfig.CLEANUP_POLICY).contains("compact")
                ? Math.min(segmentMs, config.getLong(TopicConfig.MAX_COMPACTION_LAG_MS))
                : segmentMs;
    }

    /**
     * Checks what can be checked of a batch without knowing the log, in Kafka's order.
     *
     * @param now milliseconds since the epoch
     * @throws io.felice.api.FeliceException what a produce request is answered with
     */
    void check(List<RecordBatch> batches, Origin origin, long now) {
        if (origin == Origin.CLIENT) {
            if (batches.size() != 1) {
                throw INVALID_RECORD.because(
                        "A produce request has exactly one batch per partition, not " + batches.size());
            }
            checkProduced(batches.get(0), now);
        } else {
            batches.forEach(this::checkSize);
        }
    }

    private void checkProduced(RecordBatch batch, long now) {
        if (batch.baseOffset() != 0) {
            throw INVALID_RECORD.because("A produced batch begins at offset 0, not " + batch.baseOffset());
        }
        checkSize(batch);
        Batches.check(batch);
        if (batch.isControl()) {
            throw INVALID_RECORD.because("Clients must not write control batches");
        }
        if (batch.hasProducerId() && batch.baseSequence() < 0) {
            throw INVALID_RECORD.because("Sequence " + batch.baseSequence() + " of producer " + batch.producerId());
        }
        if (batch.isTransactional()) {
            throw INVALID_TXN_STATE.because("Producer " + batch.producerId() + " has no open transaction here");
        }
        if (batch.isLogAppendTime()) {
            throw INVALID_TIMESTAMP.because("Producers must not set the timestamp type to LogAppendTime");
        }
        if (!stampsAppendTime) {
            checkTimestamps(batch, now);
        }
    }

    private void checkSize(RecordBatch batch) {
        if (batch.sizeInBytes() > maxBatchBytes) {
            throw MESSAGE_TOO_LARGE.because(
                    "The batch has " + batch.sizeInBytes() + " bytes, max.message.bytes is " + maxBatchBytes);
        }
        if (batch.sizeInBytes() > sizes.segmentBytes()) {
            throw RECORD_LIST_TOO_LARGE.because(
                    "The batch has " + batch.sizeInBytes() + " bytes, segment.bytes is " + sizes.segmentBytes());
        }
    }

    /** The header settles the newest record; how old the oldest is must be looked up if there is a limit. */
    private void checkTimestamps(RecordBatch batch, long now) {
        if (beforeMaxMs == NEVER && afterMaxMs == NEVER) {
            return;
        }
        checkTimestamp(batch.maxTimestamp(), now);
        if (beforeMaxMs < NEVER && batch.recordCount() > 1) {
            RecordReader.read(batch, (offset, timestamp, key, value) -> {
                checkTimestamp(timestamp, now);
                return true;
            });
        }
    }

    private void checkTimestamp(long timestamp, long now) {
        if (timestamp == RecordBatch.NO_TIMESTAMP) {
            return;
        }
        if (now - timestamp > beforeMaxMs || timestamp - now > afterMaxMs) {
            throw INVALID_TIMESTAMP.because("Timestamp " + timestamp + " is too far from the broker's, " + now
                    + ": at most " + beforeMaxMs + " ms before and " + afterMaxMs + " ms after are accepted");
        }
    }
}
