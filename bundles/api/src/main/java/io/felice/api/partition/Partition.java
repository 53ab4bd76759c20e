package io.felice.api.partition;

import io.felice.api.TopicPartition;
import io.felice.api.Turn;
import io.felice.api.storage.Records;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ProviderType;

/**
 * A partition that this node leads in one leader epoch. Any thread may call the methods; they do not block.
 *
 * <p>When the leadership has ended, every call that reads or appends fails with NOT_LEADER_OR_FOLLOWER; when the log
 * has failed, with KAFKA_STORAGE_ERROR. The caller then gets the partition from {@link Partitions} again.
 */
@ProviderType
public interface Partition {
    TopicPartition id();

    UUID topicId();

    int leaderEpoch();

    /** The lowest offset. Log start offset &le; last stable offset &le; high watermark &le; log end offset. */
    long logStartOffset();

    /** Consumers read records below this offset; with {@code read_committed}, below {@link #lastStableOffset}. */
    long highWatermark();

    /** The first offset of the earliest open transaction; the high watermark if no transaction is open. */
    long lastStableOffset();

    long logEndOffset();

    /**
     * The offset below which a reader may read, as the answer to "where does the partition end".
     *
     * @throws io.felice.api.FeliceException OFFSET_NOT_AVAILABLE if this leader is new and does not know yet how far the
     *     partition is committed, so that the offset might be lower than one that was told before (KIP-207)
     */
    default long latestOffset(ReadLimit limit) {
        return switch (limit) {
            case LOG_END -> logEndOffset();
            case HIGH_WATERMARK -> highWatermark();
            case LAST_STABLE_OFFSET -> lastStableOffset();
        };
    }

    /** Bytes of all batches in the log. */
    long sizeInBytes();

    /**
     * Compares a client's leader epoch with the current one (KIP-320).
     *
     * @param epoch -1 if the client knows no epoch; then the method does nothing
     * @throws io.felice.api.FeliceException FENCED_LEADER_EPOCH if {@code epoch} is lower than the current leader
     *     epoch, UNKNOWN_LEADER_EPOCH if it is higher
     */
    void checkEpoch(int epoch);

    /**
     * Appends the batches of one produce request to the log: checks them, assigns offsets, and writes the offsets into
     * the batches.
     *
     * <p>The stage completes when {@code acks} and the topic's {@code storage.durability} are fulfilled, at the end of
     * {@code turn} at the earliest. It fails with CORRUPT_MESSAGE, INVALID_RECORD, UNSUPPORTED_FOR_MESSAGE_FORMAT,
     * UNSUPPORTED_COMPRESSION_TYPE, MESSAGE_TOO_LARGE, INVALID_TIMESTAMP, OUT_OF_ORDER_SEQUENCE_NUMBER,
     * INVALID_PRODUCER_EPOCH, NOT_ENOUGH_REPLICAS, NOT_ENOUGH_REPLICAS_AFTER_APPEND, REQUEST_TIMED_OUT,
     * KAFKA_STORAGE_ERROR or NOT_LEADER_OR_FOLLOWER. If an idempotent producer sends one of its last five batches
     * again, the stage completes with the offsets of the first time (KIP-98).
     *
     * @param batches one or more batches of format v2; exactly one from a client. The partition writes the offset, the
     *     leader epoch and the timestamp type into them. The caller may reuse the bytes when the stage is complete
     * @param timeout the longest wait for the in-sync replicas, with {@link Acks#ALL}
     * @param turn the I/O round of the caller, or {@link Turn#IMMEDIATE}
     */
    CompletionStage<Appended> append(ByteBuffer batches, Acks acks, Origin origin, Duration timeout, Turn turn);

    /**
     * Reads from the log without waiting for new records. Completes on a pool thread if the records are not in memory.
     *
     * @return whole batches, which the caller closes. If there are records, there is at least one batch, even if that
     *     batch is larger than {@code maxBytes}. Fails with OFFSET_OUT_OF_RANGE
     */
    CompletionStage<Records> read(long from, int maxBytes, ReadLimit limit);

    /** The highest leader epoch of the log that is not above {@code epoch}, with its end offset (KIP-101, KIP-279). */
    EpochEnd endOfEpoch(int epoch);

    /**
     * The first record below {@code limit} whose timestamp is at least {@code timestamp}. Completes on a pool thread.
     *
     * @param timestamp milliseconds since the epoch
     * @return empty if there is none; fails with OFFSET_NOT_AVAILABLE as {@link #latestOffset} does
     */
    CompletionStage<Optional<TimestampedOffset>> offsetFor(long timestamp, ReadLimit limit);

    /** The first record with the largest timestamp of the log (KIP-734); empty if the log is empty. */
    CompletionStage<Optional<TimestampedOffset>> offsetOfMaxTimestamp();

    /** The idempotent producers that the partition remembers, in no order. Fails as a read. */
    CompletionStage<List<KnownProducer>> producers();

    /**
     * An idempotent producer, as its last batch shows it.
     *
     * @param timestamp when that batch was appended, in milliseconds since the epoch
     */
    record KnownProducer(long producerId, short epoch, int lastSequence, long timestamp) {}

    /** The leader epoch of the record at this offset; -1 if the epoch is unknown. */
    int epochOf(long offset);

    /**
     * Deletes the records below {@code before}, or below the high watermark if {@code before} is -1 (KIP-107). Once the
     * stage has completed, all in-sync replicas have deleted them, and the new log start offset survives a crash.
     *
     * @return the smallest log start offset of the in-sync replicas; fails with REQUEST_TIMED_OUT if a follower does not
     *     delete the records in time, and with OFFSET_OUT_OF_RANGE if {@code before} is above the high watermark,
     *     POLICY_VIOLATION if the topic's {@code cleanup.policy} is only {@code compact}
     */
    CompletionStage<Long> deleteRecords(long before);

    /** The replicas that must have an append before the append completes. */
    enum Acks {
        /** The leader must have the append (acks 0 and 1 of Produce). */
        LEADER,
        /**
         * All in-sync replicas must have the append (acks -1 of Produce). The append fails if there are fewer in-sync
         * replicas than {@code min.insync.replicas}.
         */
        ALL
    }

    /** The source of an append. */
    enum Origin {
        /** A producer: batches, sequence numbers and all limits are checked. */
        CLIENT,
        /**
         * A producer that uses Produce below version 7. As {@link #CLIENT}, but a batch with zstd is refused (KIP-110).
         */
        CLIENT_BEFORE_ZSTD,
        /** The group coordinator of this broker. It may append to internal topics, and several batches at once. */
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
     * @param logAppendTime the broker's time in milliseconds since the epoch if the topic has
     *     {@code message.timestamp.type=LogAppendTime}, else -1
     */
    record Appended(long baseOffset, long lastOffset, long logAppendTime, long logStartOffset) {}

    /**
     * A leader epoch and its end offset: the offset after its last record. {@link #UNKNOWN} if there is no such epoch.
     */
    record EpochEnd(int epoch, long endOffset) {
        public static final EpochEnd UNKNOWN = new EpochEnd(-1, -1L);
    }

    /** An offset, with the timestamp (milliseconds since the epoch) and the leader epoch of its record. */
    record TimestampedOffset(long offset, long timestamp, int leaderEpoch) {}
}
