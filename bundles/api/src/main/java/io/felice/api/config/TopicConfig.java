package io.felice.api.config;

import static io.felice.api.config.ConfigKey.Type.BOOLEAN;
import static io.felice.api.config.ConfigKey.Type.DOUBLE;
import static io.felice.api.config.ConfigKey.Type.INT;
import static io.felice.api.config.ConfigKey.Type.LIST;
import static io.felice.api.config.ConfigKey.Type.LONG;
import static io.felice.api.config.ConfigKey.Type.STRING;

import java.util.List;
import java.util.Map;

/**
 * The configuration of one topic. Immutable.
 *
 * <p>The keys, defaults and ranges are those of Apache Kafka 4.4; {@code storage.*} and {@code record.validation} are
 * Felice's. A key of something that Felice does not have can only be set to its default. The documentation of a key
 * that is accepted and has no effect says so.
 */
public final class TopicConfig extends ConfigValues {
    public static final String CLEANUP_POLICY = "cleanup.policy";
    public static final String RETENTION_MS = "retention.ms";
    public static final String RETENTION_BYTES = "retention.bytes";
    public static final String SEGMENT_BYTES = "segment.bytes";
    public static final String SEGMENT_MS = "segment.ms";
    public static final String SEGMENT_JITTER_MS = "segment.jitter.ms";
    public static final String MIN_INSYNC_REPLICAS = "min.insync.replicas";
    public static final String UNCLEAN_LEADER_ELECTION = "unclean.leader.election.enable";
    public static final String MAX_MESSAGE_BYTES = "max.message.bytes";
    public static final String MAX_DECOMPRESSED_MESSAGE_BYTES = "max.decompressed.message.bytes";
    public static final String RECORD_VALIDATION = "record.validation";
    public static final String MESSAGE_TIMESTAMP_TYPE = "message.timestamp.type";
    public static final String MESSAGE_TIMESTAMP_BEFORE_MAX_MS = "message.timestamp.before.max.ms";
    public static final String MESSAGE_TIMESTAMP_AFTER_MAX_MS = "message.timestamp.after.max.ms";
    public static final String DELETE_RETENTION_MS = "delete.retention.ms";
    public static final String MIN_COMPACTION_LAG_MS = "min.compaction.lag.ms";
    public static final String MAX_COMPACTION_LAG_MS = "max.compaction.lag.ms";
    public static final String MIN_CLEANABLE_DIRTY_RATIO = "min.cleanable.dirty.ratio";
    public static final String COMPRESSION_TYPE = "compression.type";
    public static final String COMPRESSION_GZIP_LEVEL = "compression.gzip.level";
    public static final String COMPRESSION_LZ4_LEVEL = "compression.lz4.level";
    public static final String COMPRESSION_ZSTD_LEVEL = "compression.zstd.level";
    public static final String LEADER_THROTTLED_REPLICAS = "leader.replication.throttled.replicas";
    public static final String FOLLOWER_THROTTLED_REPLICAS = "follower.replication.throttled.replicas";
    public static final String INTERNAL_SEGMENT_BYTES = "internal.segment.bytes";
    public static final String SEGMENT_INDEX_BYTES = "segment.index.bytes";
    public static final String FILE_DELETE_DELAY_MS = "file.delete.delay.ms";
    public static final String FLUSH_MESSAGES = "flush.messages";
    public static final String FLUSH_MS = "flush.ms";
    public static final String INDEX_INTERVAL_BYTES = "index.interval.bytes";
    public static final String PREALLOCATE = "preallocate";
    public static final String REMOTE_STORAGE_ENABLE = "remote.storage.enable";
    public static final String REMOTE_LOG_COPY_DISABLE = "remote.log.copy.disable";
    public static final String REMOTE_LOG_DELETE_ON_DISABLE = "remote.log.delete.on.disable";
    public static final String REMOTE_COPY_LAG_MS = "remote.copy.lag.ms";
    public static final String REMOTE_COPY_LAG_BYTES = "remote.copy.lag.bytes";
    public static final String LOCAL_RETENTION_MS = "local.retention.ms";
    public static final String LOCAL_RETENTION_BYTES = "local.retention.bytes";
    public static final String DEAD_LETTER_QUEUE_GROUP_ENABLE = "errors.deadletterqueue.group.enable";
    public static final String STORAGE_ENGINE = "storage.engine";
    public static final String STORAGE_DURABILITY = "storage.durability";

    private static final long NEVER = Long.MAX_VALUE;
    private static final int SMALLEST_SEGMENT_BYTES = 14;
    private static final List<String> ANY = List.of();
    private static final String UNTIERED =
            "There is no tiered storage: the storage engine of the topic keeps all segments.";
    /** The length of the largest array of a JVM. */
    private static final int LARGEST_RECORD = Integer.MAX_VALUE - 8;

    private static final String REPLICAS = "\\*|([0-9]+:[0-9]+)?";

    /** All keys by name. */
    public static final Map<String, ConfigKey> KEYS = byName(
            List.of(
                    words(
                            CLEANUP_POLICY,
                            LIST,
                            "delete",
                            List.of("delete", "compact"),
                            "log.cleanup.policy",
                            "delete: old segments are deleted by time and size; compact: the last value of each key is kept; empty:"
                                    + " records are deleted by DeleteRecords only."),
                    number(
                            RETENTION_MS,
                            LONG,
                            "604800000",
                            -1,
                            NEVER,
                            "log.retention.ms",
                            "A segment is deleted so many milliseconds after the timestamp of its newest record; -1: never."),
                    number(
                            RETENTION_BYTES,
                            LONG,
                            "-1",
                            Long.MIN_VALUE,
                            NEVER,
                            "log.retention.bytes",
                            "The oldest segments of a partition are deleted as long as so many bytes remain; below 0: never."),
                    number(
                            SEGMENT_BYTES,
                            INT,
                            "1073741824",
                            SMALLEST_SEGMENT_BYTES,
                            Integer.MAX_VALUE,
                            "log.segment.bytes",
                            "The largest size of a segment, in bytes."),
                    number(
                            INTERNAL_SEGMENT_BYTES,
                            INT,
                            null,
                            SMALLEST_SEGMENT_BYTES,
                            Integer.MAX_VALUE,
                            null,
                            "The largest size of a segment, in bytes, in place of segment.bytes. Kafka's tests set it."),
                    number(
                            SEGMENT_INDEX_BYTES,
                            INT,
                            "10485760",
                            4,
                            Integer.MAX_VALUE,
                            "log.index.size.max.bytes",
                            "The size of a segment's offset index, in bytes, at which the segment is sealed. An entry has 8 bytes."),
                    number(
                            SEGMENT_MS,
                            LONG,
                            "604800000",
                            1,
                            NEVER,
                            "log.roll.ms",
                            "The age at which a segment is sealed even if it is not full, in milliseconds, by the broker's clock."
                                    + " Kafka compares the timestamps of the records instead."),
                    number(
                            SEGMENT_JITTER_MS,
                            LONG,
                            "0",
                            0,
                            NEVER,
                            "log.roll.jitter.ms",
                            "The most milliseconds that are subtracted at random from segment.ms, so that the segments of many"
                                    + " partitions are not sealed at the same time."),
                    number(
                            MIN_INSYNC_REPLICAS,
                            INT,
                            "1",
                            1,
                            Integer.MAX_VALUE,
                            "min.insync.replicas",
                            "A write with acks=all is refused if the partition has fewer in-sync replicas."),
                    flag(
                            UNCLEAN_LEADER_ELECTION,
                            "false",
                            "unclean.leader.election.enable",
                            "Whether a replica that is not in sync may become leader if no in-sync replica is alive. The"
                                    + " records that it does not have are lost. Has no effect for a partition with one replica,"
                                    + " which is always in sync."),
                    number(
                            MAX_MESSAGE_BYTES,
                            INT,
                            "1048588",
                            0,
                            Integer.MAX_VALUE,
                            "message.max.bytes",
                            "The size of the largest record batch that is accepted, in bytes, as compressed by the producer."),
                    number(
                            MAX_DECOMPRESSED_MESSAGE_BYTES,
                            INT,
                            Integer.toString(LARGEST_RECORD),
                            1,
                            LARGEST_RECORD,
                            MAX_DECOMPRESSED_MESSAGE_BYTES,
                            "The size of the largest record that is accepted, in bytes, after decompression."),
                    words(
                            RECORD_VALIDATION,
                            STRING,
                            "all",
                            List.of("all", "header"),
                            null,
                            "all: the records in a batch are checked before the batch is accepted; for that, a compressed"
                                    + " batch is decompressed. header: only the batch's header and checksum are checked. That"
                                    + " costs less, but a producer can store batches that no consumer can read."),
                    words(
                            MESSAGE_TIMESTAMP_TYPE,
                            STRING,
                            "CreateTime",
                            List.of("CreateTime", "LogAppendTime"),
                            "log.message.timestamp.type",
                            "CreateTime: records keep the producer's timestamps; LogAppendTime: they get the broker's time."),
                    number(
                            MESSAGE_TIMESTAMP_BEFORE_MAX_MS,
                            LONG,
                            Long.toString(NEVER),
                            0,
                            NEVER,
                            "log.message.timestamp.before.max.ms",
                            "A record is refused if its timestamp is more than so many milliseconds before the broker's time;"
                                    + " ignored for LogAppendTime."),
                    number(
                            MESSAGE_TIMESTAMP_AFTER_MAX_MS,
                            LONG,
                            Long.toString(NEVER),
                            0,
                            NEVER,
                            "log.message.timestamp.after.max.ms",
                            "A record is refused if its timestamp is more than so many milliseconds after the broker's time;"
                                    + " ignored for LogAppendTime."),
                    number(
                            DELETE_RETENTION_MS,
                            LONG,
                            "86400000",
                            0,
                            NEVER,
                            "log.cleaner.delete.retention.ms",
                            "The shortest time for which a compacted topic keeps a tombstone, in milliseconds."),
                    number(
                            MIN_COMPACTION_LAG_MS,
                            LONG,
                            "0",
                            0,
                            NEVER,
                            "log.cleaner.min.compaction.lag.ms",
                            "The shortest time before a record may be compacted, in milliseconds."),
                    number(
                            MAX_COMPACTION_LAG_MS,
                            LONG,
                            Long.toString(NEVER),
                            1,
                            NEVER,
                            "log.cleaner.max.compaction.lag.ms",
                            "The longest time before a record is compacted, in milliseconds."),
                    number(
                            MIN_CLEANABLE_DIRTY_RATIO,
                            DOUBLE,
                            "0.5",
                            0,
                            1,
                            "log.cleaner.min.cleanable.ratio",
                            "A log is compacted when this share of its bytes is not compacted, from 0 to 1."),
                    words(
                            COMPRESSION_TYPE,
                            STRING,
                            "producer",
                            List.of("uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"),
                            "compression.type",
                            "The codec of the stored batches; producer: the codec of the producer. The broker decompresses a batch"
                                    + " with another codec and compresses it again."),
                    new ConfigKey(
                            COMPRESSION_GZIP_LEVEL,
                            INT,
                            "-1",
                            -1,
                            9,
                            ANY,
                            "-1|[1-9]",
                            true,
                            COMPRESSION_GZIP_LEVEL,
                            "The level at which the broker compresses, if compression.type is gzip; -1 for gzip's default."),
                    number(
                            COMPRESSION_LZ4_LEVEL,
                            INT,
                            "9",
                            1,
                            17,
                            COMPRESSION_LZ4_LEVEL,
                            "The level at which the broker compresses, if compression.type is lz4. As in Kafka, 9 stands for lz4's"
                                    + " fast algorithm."),
                    number(
                            COMPRESSION_ZSTD_LEVEL,
                            INT,
                            "3",
                            -131072,
                            22,
                            COMPRESSION_ZSTD_LEVEL,
                            "The level at which the broker compresses, if compression.type is zstd."),
                    replicas(
                            LEADER_THROTTLED_REPLICAS,
                            "The replicas of which leader.replication.throttled.rate limits what followers get that are not in sync."),
                    replicas(
                            FOLLOWER_THROTTLED_REPLICAS,
                            "The replicas that follower.replication.throttled.rate holds for while they are not in sync."),
                    number(
                            FILE_DELETE_DELAY_MS,
                            LONG,
                            "0",
                            0,
                            NEVER,
                            "log.segment.delete.delay.ms",
                            "After how many milliseconds the files of a deleted segment are deleted. Until then they have another"
                                    + " name. If the disk is full, they are deleted at once."),
                    number(
                            FLUSH_MESSAGES,
                            LONG,
                            Long.toString(NEVER),
                            1,
                            NEVER,
                            "log.flush.interval.messages",
                            "The log is flushed to the disk after so many records."),
                    number(
                            FLUSH_MS,
                            LONG,
                            Long.toString(NEVER),
                            0,
                            NEVER,
                            "log.flush.interval.ms",
                            "The log is flushed to the disk after so many milliseconds."),
                    number(
                            INDEX_INTERVAL_BYTES,
                            INT,
                            "4096",
                            0,
                            Integer.MAX_VALUE,
                            "log.index.interval.bytes",
                            "The bytes of batches between two entries of the offset index."),
                    flag(
                            PREALLOCATE,
                            "false",
                            "log.preallocate",
                            "Has no effect: segment files grow with the batches, and if they grow quickly, in pieces ahead of them."),
                    only("false", REMOTE_STORAGE_ENABLE, BOOLEAN, null, UNTIERED),
                    only("false", REMOTE_LOG_COPY_DISABLE, BOOLEAN, null, UNTIERED),
                    only("false", REMOTE_LOG_DELETE_ON_DISABLE, BOOLEAN, null, UNTIERED),
                    only("0", REMOTE_COPY_LAG_MS, LONG, "log.remote.copy.lag.ms", UNTIERED),
                    only("-1", REMOTE_COPY_LAG_BYTES, LONG, "log.remote.copy.lag.bytes", UNTIERED),
                    only("-2", LOCAL_RETENTION_MS, LONG, "log.local.retention.ms", UNTIERED),
                    only("-2", LOCAL_RETENTION_BYTES, LONG, "log.local.retention.bytes", UNTIERED),
                    only(
                            "false",
                            DEAD_LETTER_QUEUE_GROUP_ENABLE,
                            BOOLEAN,
                            null,
                            "There are no share groups, so that there are no dead letters."),
                    new ConfigKey(
                            STORAGE_ENGINE,
                            STRING,
                            "",
                            0,
                            0,
                            ANY,
                            null,
                            true,
                            null,
                            "The storage engine that keeps the topic; empty: the one that storage.placement gave it when it was created."),
                    words(
                            STORAGE_DURABILITY,
                            STRING,
                            "kill",
                            List.of("kill", "power", "none"),
                            null,
                            "What an acknowledged record survives. kill: kill -9 of the broker; power: also a power cut; none:"
                                    + " neither. The default is none if the records of the topic's engine do not survive kill -9.")));

    /** @param values a checked value for every key of {@link #KEYS} that has a default */
    public TopicConfig(Map<String, String> values) {
        super(KEYS, values);
    }

    /** The built-in defaults. */
    public static TopicConfig defaults() {
        return with(Map.of());
    }

    /** The built-in defaults, replaced by {@code overrides} where they have a value. */
    public static TopicConfig with(Map<String, String> overrides) {
        return new TopicConfig(defaults(KEYS, overrides));
    }

    /** The largest size of a segment: {@code internal.segment.bytes} if it is set, else {@code segment.bytes}. */
    public int segmentBytes() {
        return getInt(get(INTERNAL_SEGMENT_BYTES) == null ? SEGMENT_BYTES : INTERNAL_SEGMENT_BYTES);
    }

    /** A key of something that Felice does not have. It can only be set to its default, and {@code why} says why. */
    private static ConfigKey only(String value, String name, ConfigKey.Type type, String brokerKey, String why) {
        return words(name, type, value, List.of(value), brokerKey, why);
    }

    private static ConfigKey replicas(String name, String documentation) {
        return new ConfigKey(
                name, LIST, "", 0, 0, ANY, REPLICAS, true, null, documentation + " * or partition:broker pairs.");
    }

    private static ConfigKey number(
            String name,
            ConfigKey.Type type,
            String value,
            long min,
            long max,
            String brokerKey,
            String documentation) {
        return new ConfigKey(name, type, value, min, max, ANY, null, true, brokerKey, documentation);
    }

    private static ConfigKey words(
            String name,
            ConfigKey.Type type,
            String value,
            List<String> allowed,
            String brokerKey,
            String documentation) {
        return new ConfigKey(name, type, value, 0, 0, allowed, null, true, brokerKey, documentation);
    }

    private static ConfigKey flag(String name, String value, String brokerKey, String documentation) {
        return new ConfigKey(name, BOOLEAN, value, 0, 0, ANY, null, true, brokerKey, documentation);
    }
}
