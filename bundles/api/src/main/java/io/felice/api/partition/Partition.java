package io.felice.api.partition;

import io.felice.api.TopicPartition;
import io.felice.api.Turn;
import io.felice.api.storage.Records;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ProviderType;

/**
 * A partition that this node leads. From any thread; nothing blocks. When the leadership ends or the log fails, every call
 * fails with NOT_LEADER_OR_FOLLOWER or KAFKA_STORAGE_ERROR; ask {@link Partitions} for the partition again.
 */
@ProviderType
public interface Partition {
    TopicPartition id();

    UUID topicId();

    int leaderEpoch();

    /** The first offset of the log. Log start offset &le; last stable offset &le; high watermark &le; log end offset. */
    long logStartOffset();

    /** Consumers read records below this offset; with {@code read_committed}, below {@link #lastStableOffset}. */
    long highWatermark();

    /** The first offset of the earliest open transaction; the high watermark if no transaction is open. */
    long lastStableOffset();

    long logEndOffset();

    /** Bytes of all batches in the log. */
    long sizeInBytes();

    /**
     * Fails unless {@code epoch} is the current leader epoch, or -1 if the client does not know the epoch (KIP-320).
     *
     * @throws io.felice.api.FeliceException FENCED_LEADER_EPOCH if lower, UNKNOWN_LEADER_EPOCH if higher
     */
    void checkEpoch(int epoch);

    /**
     * Appends the batches of one produce request to the log: checks them, assigns offsets and writes these into the batches.
     *
     * <p>The stage completes when the batches are as safe as {@code acks} and the topic's {@code storage.durability}
     * demand, at the end of {@code turn} at the earliest. It fails with CORRUPT_MESSAGE,
     * INVALID_RECORD, UNSUPPORTED_FOR_MESSAGE_FORMAT, UNSUPPORTED_COMPRESSION_TYPE, MESSAGE_TOO_LARGE,
     * INVALID_TIMESTAMP, OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_PRODUCER_EPOCH, NOT_ENOUGH_REPLICAS,
     * NOT_ENOUGH_REPLICAS_AFTER_APPEND, REQUEST_TIMED_OUT, KAFKA_STORAGE_ERROR, NOT_LEADER_OR_FOLLOWER. If an idempotent
     * producer sends a batch again, and the batch is one of its last five, the stage completes with the offsets that the
     * batch got the first time.
     *
     * @param batches one or more v2 batches (from clients exactly one); written to (offset, epoch, timestamp type) and
     *     not used any more once the stage is complete
     * @param turn the I/O round of the caller, or {@link Turn#IMMEDIATE}
     */
    CompletionStage<Appended> append(ByteBuffer batches, Acks acks, Origin origin, Duration timeout, Turn turn);

    /**
     * Reads from the log without waiting for new records. Completes on a pool thread if the records are not in memory.
     *
     * @param limit the offset below which records may be read
     * @return whole batches, at least one if there is any, even if it is larger than {@code maxBytes}; fails with
     *     OFFSET_OUT_OF_RANGE
     */
    CompletionStage<Records> read(long from, int maxBytes, ReadLimit limit);

    /** The end offset of the largest leader epoch that is not above {@code epoch} (KIP-101, KIP-279). */
    EpochEnd endOfEpoch(int epoch);

    /**
     * The first record below {@code limit} whose timestamp is at least {@code timestamp}. Completes on a pool thread.
     *
     * @param timestamp milliseconds since the epoch
     * @return empty if there is none
     */
    CompletionStage<Optional<TimestampedOffset>> offsetFor(long timestamp, ReadLimit limit);

    /** The record with the largest timestamp, the first of several (KIP-734); empty if the log is empty. */
    CompletionStage<Optional<TimestampedOffset>> offsetOfMaxTimestamp();

    /** The leader epoch of the record at this offset; -1 if it is unknown. */
    int epochOf(long offset);

    /**
     * Moves the log start offset to {@code before}, or to the high watermark if {@code before} is -1. The move survives a
     * crash once the stage has completed.
     *
     * @return the new log start offset; fails with OFFSET_OUT_OF_RANGE above the high watermark, POLICY_VIOLATION for a
     *     topic that is only compacted
     */
    CompletionStage<Long> deleteRecords(long before);

    /** How many replicas must have an append before it is answered. */
    enum Acks {
        /** The append is answered when the leader has it (acks 0 and 1). */
        LEADER,
        /**
         * The append is answered when every in-sync replica has it, and fails if these are fewer than
         * {@code min.insync.replicas} (acks -1).
         */
        ALL
    }

    /** The source of an append. */
    enum Origin {
        /** A producer: batches, sequence numbers and all limits are checked. */
        CLIENT,
        /** A producer that sends Produce below version 7: as {@link #CLIENT}, but zstd is refused (KIP-110). */
        CLIENT_BEFORE_ZSTD,
        /** The coordinator of this broker: it may append to internal topics, and several batches at once. */
        COORDINATOR
    }

    /** The offset below which a reader may read records. */
    enum ReadLimit {
        LOG_END,
        HIGH_WATERMARK,
        LAST_STABLE_OFFSET
    }

    /**
     * The offsets of an append.
     *
     * @param baseOffset the offset of the first record
     * @param lastOffset the offset of the last record
     * @param logAppendTime milliseconds since the epoch; -1 unless the topic has {@code message.timestamp.type=LogAppendTime}
     */
    record Appended(long baseOffset, long lastOffset, long logAppendTime, long logStartOffset) {}

    /** The end offset of a leader epoch; epoch -1 and offset -1 if the log has no epoch that is old enough. */
    record EpochEnd(int epoch, long endOffset) {
        public static final EpochEnd UNKNOWN = new EpochEnd(-1, -1L);
    }

    /** An offset, with the timestamp (milliseconds since the epoch) and the leader epoch of its record. */
    record TimestampedOffset(long offset, long timestamp, int leaderEpoch) {}
}
