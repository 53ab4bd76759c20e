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
 * <p>The keys, defaults and ranges are Kafka's; {@code storage.*} is ours. Some keys are accepted and kept because
 * provisioning tools set them, and change nothing here; their documentation says so.
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
    public static final String LOCAL_RETENTION_MS = "local.retention.ms";
    public static final String LOCAL_RETENTION_BYTES = "local.retention.bytes";
    public static final String STORAGE_ENGINE = "storage.engine";
    public static final String STORAGE_DURABILITY = "storage.durability";

    private static final long NEVER = Long.MAX_VALUE;
    private static final int SMALLEST_SEGMENT_BYTES = 14;
    private static final List<String> ANY = List.of();
    private static final String UNTIERED = "Kept, and changes nothing: there is no tiered storage.";
    private static final String REPLICAS = "\\*|([0-9]+:[0-9]+)?";

    /** Every key there is, by name. */
    public static final Map<String, ConfigKey> KEYS = byName(List.of(
            words(
                    CLEANUP_POLICY,
                    LIST,
                    "delete",
                    List.of("delete", "compact"),
                    "log.cleanup.policy",
                    "delete: old segments are dropped by time and size; compact: the last value of each key is kept."),
            number(
                    RETENTION_MS,
                    LONG,
                    "604800000",
                    -1,
                    NEVER,
                    "log.retention.ms",
                    "How long a segment is kept after its newest record, in milliseconds; -1 for ever."),
            number(
                    RETENTION_BYTES,
                    LONG,
                    "-1",
                    -1,
                    NEVER,
                    "log.retention.bytes",
                    "How many bytes a partition may keep before its oldest segments are dropped; -1 for no limit."),
            number(
                    SEGMENT_BYTES,
                    INT,
                    "1073741824",
                    SMALLEST_SEGMENT_BYTES,
                    Integer.MAX_VALUE,
                    "log.segment.bytes",
                    "The size at which a new segment is started, in bytes."),
            number(
                    INTERNAL_SEGMENT_BYTES,
                    INT,
                    null,
                    SMALLEST_SEGMENT_BYTES,
                    Integer.MAX_VALUE,
                    null,
                    "The size at which a new segment is started, in bytes, in place of segment.bytes. Kafka's tests set it."),
            number(
                    SEGMENT_INDEX_BYTES,
                    INT,
                    "10485760",
                    4,
                    Integer.MAX_VALUE,
                    "log.index.size.max.bytes",
                    "Kept, and changes nothing: an index grows as it is written and has no limit of its own."),
            number(
                    SEGMENT_MS,
                    LONG,
                    "604800000",
                    1,
                    NEVER,
                    "log.roll.ms",
                    "The age at which a new segment is started even if the active one is not full, in milliseconds."),
            number(
                    SEGMENT_JITTER_MS,
                    LONG,
                    "0",
                    0,
                    NEVER,
                    "log.roll.jitter.ms",
                    "The most that is subtracted at random from segment.ms, so that segments do not roll all at once."),
            number(
                    MIN_INSYNC_REPLICAS,
                    INT,
                    "1",
                    1,
                    Integer.MAX_VALUE,
                    "min.insync.replicas",
                    "How many replicas must be in sync for a write with acks=all to be accepted."),
            flag(
                    UNCLEAN_LEADER_ELECTION,
                    "false",
                    "unclean.leader.election.enable",
                    "Whether a replica that is not in sync may lead when no other is left, losing what it has not got. It changes"
                            + " nothing for a partition with one replica, which is always in sync."),
            number(
                    MAX_MESSAGE_BYTES,
                    INT,
                    "1048588",
                    0,
                    Integer.MAX_VALUE,
                    "message.max.bytes",
                    "The largest record batch that is accepted, in bytes, after compression."),
            number(
                    MAX_DECOMPRESSED_MESSAGE_BYTES,
                    INT,
                    Integer.toString(Integer.MAX_VALUE),
                    1,
                    Integer.MAX_VALUE,
                    null,
                    "The largest record that is accepted, in bytes, without compression."),
            words(
                    RECORD_VALIDATION,
                    STRING,
                    "all",
                    List.of("all", "header"),
                    null,
                    "all: the records inside a batch are read before the batch is accepted; a compressed batch is"
                            + " decompressed for that. header: the batch's header and checksum are checked alone, which costs"
                            + " less, and a producer can store batches that no consumer can read."),
            words(
                    MESSAGE_TIMESTAMP_TYPE,
                    STRING,
                    "CreateTime",
                    List.of("CreateTime", "LogAppendTime"),
                    "log.message.timestamp.type",
                    "Whether records keep the producer's time or get the broker's."),
            number(
                    MESSAGE_TIMESTAMP_BEFORE_MAX_MS,
                    LONG,
                    Long.toString(NEVER),
                    0,
                    NEVER,
                    "log.message.timestamp.before.max.ms",
                    "How far a record's time may lie before the broker's, in milliseconds; ignored for LogAppendTime."),
            number(
                    MESSAGE_TIMESTAMP_AFTER_MAX_MS,
                    LONG,
                    Long.toString(NEVER),
                    0,
                    NEVER,
                    "log.message.timestamp.after.max.ms",
                    "How far a record's time may lie after the broker's, in milliseconds; ignored for LogAppendTime."),
            number(
                    DELETE_RETENTION_MS,
                    LONG,
                    "86400000",
                    0,
                    NEVER,
                    "log.cleaner.delete.retention.ms",
                    "How long a tombstone of a compacted topic is kept, in milliseconds."),
            number(
                    MIN_COMPACTION_LAG_MS,
                    LONG,
                    "0",
                    0,
                    NEVER,
                    "log.cleaner.min.compaction.lag.ms",
                    "How long a record stays uncompacted at least, in milliseconds."),
            number(
                    MAX_COMPACTION_LAG_MS,
                    LONG,
                    Long.toString(NEVER),
                    1,
                    NEVER,
                    "log.cleaner.max.compaction.lag.ms",
                    "How long a record stays uncompacted at most, in milliseconds."),
            number(
                    MIN_CLEANABLE_DIRTY_RATIO,
                    DOUBLE,
                    "0.5",
                    0,
                    1,
                    "log.cleaner.min.cleanable.ratio",
                    "How much of a log must be uncompacted before it is compacted, from 0 to 1."),
            words(
                    COMPRESSION_TYPE,
                    STRING,
                    "producer",
                    List.of("uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"),
                    "compression.type",
                    "Kept, and changes nothing: batches stay as the producer compressed them, whatever is set."),
            number(
                    COMPRESSION_GZIP_LEVEL,
                    INT,
                    "-1",
                    -1,
                    9,
                    COMPRESSION_GZIP_LEVEL,
                    "Kept, and changes nothing: the broker compresses no batch."),
            number(
                    COMPRESSION_LZ4_LEVEL,
                    INT,
                    "9",
                    1,
                    17,
                    COMPRESSION_LZ4_LEVEL,
                    "Kept, and changes nothing: the broker compresses no batch."),
            number(
                    COMPRESSION_ZSTD_LEVEL,
                    INT,
                    "3",
                    -131072,
                    22,
                    COMPRESSION_ZSTD_LEVEL,
                    "Kept, and changes nothing: the broker compresses no batch."),
            replicas(LEADER_THROTTLED_REPLICAS),
            replicas(FOLLOWER_THROTTLED_REPLICAS),
            number(
                    FILE_DELETE_DELAY_MS,
                    LONG,
                    "0",
                    0,
                    NEVER,
                    "log.segment.delete.delay.ms",
                    "Kept, and changes nothing: files of a dropped segment go as soon as nobody reads them."),
            number(
                    FLUSH_MESSAGES,
                    LONG,
                    Long.toString(NEVER),
                    1,
                    NEVER,
                    "log.flush.interval.messages",
                    "After how many records the log is flushed to the disk."),
            number(
                    FLUSH_MS,
                    LONG,
                    Long.toString(NEVER),
                    0,
                    NEVER,
                    "log.flush.interval.ms",
                    "After how many milliseconds the log is flushed to the disk."),
            number(
                    INDEX_INTERVAL_BYTES,
                    INT,
                    "4096",
                    0,
                    Integer.MAX_VALUE,
                    "log.index.interval.bytes",
                    "How many bytes lie between two entries of the offset index."),
            words(
                    PREALLOCATE,
                    BOOLEAN,
                    "false",
                    List.of("false"),
                    "log.preallocate",
                    "Segment files grow as they are written and are not made in their full length before."),
            words(
                    REMOTE_STORAGE_ENABLE,
                    BOOLEAN,
                    "false",
                    List.of("false"),
                    null,
                    "There is no tiered storage: all segments are kept by the storage engine of the topic."),
            untiered(REMOTE_LOG_COPY_DISABLE),
            untiered(REMOTE_LOG_DELETE_ON_DISABLE),
            number(LOCAL_RETENTION_MS, LONG, "-2", -2, NEVER, "log.local.retention.ms", UNTIERED),
            number(LOCAL_RETENTION_BYTES, LONG, "-2", -2, NEVER, "log.local.retention.bytes", UNTIERED),
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
                    "The storage engine that keeps the topic; empty: as the placement rule of the broker says."),
            words(
                    STORAGE_DURABILITY,
                    STRING,
                    "kill",
                    List.of("kill", "power", "none"),
                    null,
                    "What an acknowledged record survives: kill -9 of the broker, a power cut, or nothing.")));

    /** @param values a value for every key of {@link #KEYS} that has a default, each checked already */
    public TopicConfig(Map<String, String> values) {
        super(KEYS, values);
    }

    /** The built-in defaults. */
    public static TopicConfig defaults() {
        return with(Map.of());
    }

    /** The built-in defaults, with some values in place of them. */
    public static TopicConfig with(Map<String, String> overrides) {
        return new TopicConfig(defaults(KEYS, overrides));
    }

    /** The size at which a segment is full: {@code internal.segment.bytes} where it is set, else {@code segment.bytes}. */
    public int segmentBytes() {
        return getInt(get(INTERNAL_SEGMENT_BYTES) == null ? SEGMENT_BYTES : INTERNAL_SEGMENT_BYTES);
    }

    private static ConfigKey untiered(String name) {
        return flag(name, "false", null, UNTIERED);
    }

    private static ConfigKey replicas(String name) {
        return new ConfigKey(
                name,
                LIST,
                "",
                0,
                0,
                ANY,
                REPLICAS,
                true,
                null,
                "Kept, and changes nothing: * or partition:broker pairs of replicas whose replication is throttled.");
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
