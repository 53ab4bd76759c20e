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
 * A partition that this node leads. From any thread; nothing blocks. Once leadership or the log is lost every call fails
 * with NOT_LEADER_OR_FOLLOWER or KAFKA_STORAGE_ERROR; get it anew from {@link Partitions}.
 */
@ProviderType
public interface Partition {
    TopicPartition id();

    UUID topicId();

    int leaderEpoch();

    /** log start offset &le; last stable offset &le; high watermark &le; log end offset. */
    long logStartOffset();

    /** Consumers read below it; for {@code read_committed}, below {@link #lastStableOffset}. */
    long highWatermark();

    /** The first offset of the earliest open transaction, else the high watermark. */
    long lastStableOffset();

    long logEndOffset();

    /** Bytes of all batches in the log. */
    long sizeInBytes();

    /**
     * Fails unless {@code epoch} is the current leader epoch, or -1 for a client that does not know (KIP-320).
     *
     * @throws io.felice.api.FeliceException FENCED_LEADER_EPOCH if lower, UNKNOWN_LEADER_EPOCH if higher
     */
    void checkEpoch(int epoch);

    /**
     * Appends the batches of one produce request to the log: checks them, assigns offsets, stamps them in place.
     *
     * <p>The stage completes when the level of {@code acks} is reached, inside {@code turn}'s end at the earliest, and
     * never before what is answered would survive as the topic's durability says. It fails with CORRUPT_MESSAGE,
     * INVALID_RECORD, UNSUPPORTED_FOR_MESSAGE_FORMAT, UNSUPPORTED_COMPRESSION_TYPE, MESSAGE_TOO_LARGE,
     * INVALID_TIMESTAMP, OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_PRODUCER_EPOCH, NOT_ENOUGH_REPLICAS,
     * NOT_ENOUGH_REPLICAS_AFTER_APPEND, REQUEST_TIMED_OUT, KAFKA_STORAGE_ERROR, NOT_LEADER_OR_FOLLOWER. A duplicate of a
     * batch still remembered completes with the offsets it got the first time.
     *
     * @param batches one or more v2 batches (from clients exactly one); written to (offset, epoch, timestamp type) and
     *     not used any more once the stage is complete
     * @param turn the I/O round of the caller, or {@link Turn#IMMEDIATE}
     */
    CompletionStage<Appended> append(ByteBuffer batches, Acks acks, Origin origin, Duration timeout, Turn turn);

    /**
     * Reads what is there, without waiting for more; may complete on a pool thread if a disk is involved.
     *
     * @param limit which records may be seen
     * @return whole batches, at least one if there is any; fails with OFFSET_OUT_OF_RANGE
     */
    CompletionStage<Records> read(long from, int maxBytes, ReadLimit limit);

    /** The end offset of the largest leader epoch that is not above {@code epoch} (KIP-101, KIP-279). */
    EpochEnd endOfEpoch(int epoch);

    /**
     * The first record whose time is at least {@code timestamp}, below {@code limit}. Completes on a pool thread.
     *
     * @param timestamp milliseconds since the epoch
     * @return empty if there is none
     */
    CompletionStage<Optional<TimestampedOffset>> offsetFor(long timestamp, ReadLimit limit);

    /** The record with the largest timestamp (KIP-734), the first if there are several; empty if the log is. */
    CompletionStage<Optional<TimestampedOffset>> offsetOfMaxTimestamp();

    /** The leader epoch of this offset, -1 if it is not known. */
    int epochOf(long offset);

    /**
     * Moves the start of the log to {@code before}, or to the high watermark if -1; durable when the stage completes.
     *
     * @return the new log start offset; fails with OFFSET_OUT_OF_RANGE above the high watermark, POLICY_VIOLATION for a
     *     topic that is only compacted
     */
    CompletionStage<Long> deleteRecords(long before);

    /** How safe an append must be before it is answered. */
    enum Acks {
        /** In the leader's log, as its durability says (acks 0 and 1). */
        LEADER,
        /** On every in-sync replica, and at least {@code min.insync.replicas} of them (acks -1). */
        ALL
    }

    /** Who appends. */
    enum Origin {
        /** A producer: its batches, sequence numbers and every limit are checked. */
        CLIENT,
        /** A producer that sends Produce below version 7: as {@link #CLIENT}, but zstd is refused (KIP-110). */
        CLIENT_BEFORE_ZSTD,
        /** The coordinator in this broker: internal topics, several batches at once. */
        COORDINATOR
    }

    /** Which records a reader may see. */
    enum ReadLimit {
        LOG_END,
        HIGH_WATERMARK,
        LAST_STABLE_OFFSET
    }

    /**
     * What became of an append.
     *
     * @param baseOffset of the first record
     * @param lastOffset of the last record
     * @param logAppendTime milliseconds since the epoch if the topic stamps them, else -1
     */
    record Appended(long baseOffset, long lastOffset, long logAppendTime, long logStartOffset) {}

    /** Where an epoch ends; epoch -1 and offset -1 if the log knows none so old. */
    record EpochEnd(int epoch, long endOffset) {
        public static final EpochEnd UNKNOWN = new EpochEnd(-1, -1L);
    }

    /** An offset with the time (milliseconds) and leader epoch of its record. */
    record TimestampedOffset(long offset, long timestamp, int leaderEpoch) {}
}
