package io.felice.broker.partition;

import io.felice.api.config.TopicConfig;
import io.felice.api.storage.SegmentSizes;
import io.felice.records.Codec;
import java.time.Duration;

/**
 * The values of a topic's configuration that its partitions need, parsed once.
 *
 * @param checksBodies false if the records inside a batch are not checked
 * @param isCompacted true if the topic is compacted, so that every record needs a key
 * @param deleteDelay how long the files of dropped segments are kept
 * @param codec how batches are stored; null if they stay as the producer compressed them
 */
record TopicRules(
        TopicConfig config,
        int maxBatchBytes,
        int maxRecordBytes,
        boolean checksBodies,
        boolean isCompacted,
        Codec codec,
        SegmentSizes sizes,
        Duration deleteDelay,
        boolean stampsAppendTime,
        long beforeMaxMs,
        long afterMaxMs,
        int minInsyncReplicas,
        Durability durability,
        long segmentMs,
        long segmentJitterMs,
        long flushMessages,
        long flushMs) {
    static TopicRules of(TopicConfig config) {
        return new TopicRules(
                config,
                config.getInt(TopicConfig.MAX_MESSAGE_BYTES),
                config.getInt(TopicConfig.MAX_DECOMPRESSED_MESSAGE_BYTES),
                config.get(TopicConfig.RECORD_VALIDATION).equals("all"),
                config.getList(TopicConfig.CLEANUP_POLICY).contains("compact"),
                codec(config),
                new SegmentSizes(
                        config.segmentBytes(),
                        config.getInt(TopicConfig.INDEX_INTERVAL_BYTES),
                        config.getInt(TopicConfig.SEGMENT_INDEX_BYTES)),
                Duration.ofMillis(config.getLong(TopicConfig.FILE_DELETE_DELAY_MS)),
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

    private static Codec codec(TopicConfig config) {
        String name = config.get(TopicConfig.COMPRESSION_TYPE);
        return switch (name) {
            case "producer" -> null;
            case "gzip" -> Codec.of(name, config.getInt(TopicConfig.COMPRESSION_GZIP_LEVEL));
            case "lz4" -> Codec.of(name, config.getInt(TopicConfig.COMPRESSION_LZ4_LEVEL));
            case "zstd" -> Codec.of(name, config.getInt(TopicConfig.COMPRESSION_ZSTD_LEVEL));
            default -> Codec.of(name, 0);
        };
    }

    /** True if a batch that is compressed this way is compressed anew before it is stored. */
    boolean recompress(int codecOfBatch) {
        return codec != null && codec.id() != codecOfBatch;
    }

    /**
     * The active segment is not compacted, so a compacted topic rolls it before {@code max.compaction.lag.ms} is over.
     */
    private static long segmentMs(TopicConfig config) {
        long segmentMs = config.getLong(TopicConfig.SEGMENT_MS);
        return config.getList(TopicConfig.CLEANUP_POLICY).contains("compact")
                ? Math.min(segmentMs, config.getLong(TopicConfig.MAX_COMPACTION_LAG_MS))
                : segmentMs;
    }
}
