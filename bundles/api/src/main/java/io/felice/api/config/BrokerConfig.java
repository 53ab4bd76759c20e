package io.felice.api.config;

import static io.felice.api.config.ConfigKey.Type.BOOLEAN;
import static io.felice.api.config.ConfigKey.Type.DOUBLE;
import static io.felice.api.config.ConfigKey.Type.INT;
import static io.felice.api.config.ConfigKey.Type.LIST;
import static io.felice.api.config.ConfigKey.Type.LONG;
import static io.felice.api.config.ConfigKey.Type.STRING;
import static io.felice.api.config.ConfigKey.Type.UNKNOWN;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The configuration of one broker that Kafka's tools can show and change. Every key has a value. Immutable.
 *
 * <p>The keys are the defaults of topic configs (under the names of {@link ConfigKey#brokerKey}) and those that are
 * declared here. Settings of a single bundle (listeners, directories, buffers) are in the bundle's file; Kafka's tools
 * show some of them, the {@link #NODE_KEYS}, but cannot change them.
 */
public final class BrokerConfig extends ConfigValues {
    public static final String AUTO_CREATE_TOPICS = "auto.create.topics.enable";
    public static final String DELETE_TOPIC_ENABLE = "delete.topic.enable";
    public static final String NUM_PARTITIONS = "num.partitions";
    public static final String DEFAULT_REPLICATION_FACTOR = "default.replication.factor";
    public static final String FETCH_MAX_BYTES = "fetch.max.bytes";
    public static final String PRODUCER_ID_EXPIRATION_MS = "producer.id.expiration.ms";
    public static final String MAX_PRODUCER_IDS_PER_PARTITION = "producer.ids.per.partition.max";
    public static final String MAX_PRODUCER_IDS = "producer.ids.max";
    public static final String LOG_RETENTION_CHECK_INTERVAL_MS = "log.retention.check.interval.ms";
    public static final String LOG_CLEANER_THREADS = "log.cleaner.threads";
    public static final String LOG_CLEANER_DEDUPE_BUFFER_SIZE = "log.cleaner.dedupe.buffer.size";
    public static final String LOG_CLEANER_IO_MAX_BYTES_PER_SECOND = "log.cleaner.io.max.bytes.per.second";
    public static final String LOG_CLEANER_BACKOFF_MS = "log.cleaner.backoff.ms";
    public static final String OFFSETS_TOPIC_PARTITIONS = "offsets.topic.num.partitions";
    public static final String OFFSETS_TOPIC_REPLICATION_FACTOR = "offsets.topic.replication.factor";
    public static final String OFFSETS_RETENTION_MINUTES = "offsets.retention.minutes";
    public static final String OFFSETS_RETENTION_CHECK_INTERVAL_MS = "offsets.retention.check.interval.ms";
    public static final String OFFSET_METADATA_MAX_BYTES = "offset.metadata.max.bytes";
    public static final String GROUP_MIN_SESSION_TIMEOUT_MS = "group.min.session.timeout.ms";
    public static final String GROUP_MAX_SESSION_TIMEOUT_MS = "group.max.session.timeout.ms";
    public static final String GROUP_INITIAL_REBALANCE_DELAY_MS = "group.initial.rebalance.delay.ms";
    public static final String GROUP_MAX_SIZE = "group.max.size";
    public static final String GROUPS_MAX = "groups.max";
    public static final String REPLICA_LAG_TIME_MAX_MS = "replica.lag.time.max.ms";
    public static final String REPLICA_SELECTOR_CLASS = "replica.selector.class";
    /** The value of {@link #REPLICA_SELECTOR_CLASS} with which consumers read from a replica in their rack. */
    public static final String RACK_AWARE_SELECTOR = "org.apache.kafka.common.replica.RackAwareReplicaSelector";

    public static final String LEADER_THROTTLED_RATE = "leader.replication.throttled.rate";
    public static final String FOLLOWER_THROTTLED_RATE = "follower.replication.throttled.rate";
    public static final String ALTER_LOG_DIRS_THROTTLED_RATE = "replica.alter.log.dirs.io.max.bytes.per.second";
    public static final String NODE_ID = "node.id";
    public static final String BROKER_ID = "broker.id";
    public static final String BROKER_RACK = "broker.rack";
    public static final String LOG_DIRS = "log.dirs";
    public static final String LISTENERS = "listeners";
    public static final String ADVERTISED_LISTENERS = "advertised.listeners";
    public static final String LISTENER_SECURITY_PROTOCOL_MAP = "listener.security.protocol.map";
    public static final String NUM_NETWORK_THREADS = "num.network.threads";
    public static final String SOCKET_REQUEST_MAX_BYTES = "socket.request.max.bytes";
    public static final String MAX_CONNECTIONS = "max.connections";
    public static final String MAX_CONNECTIONS_PER_IP = "max.connections.per.ip";
    public static final String MAX_CONNECTIONS_PER_IP_OVERRIDES = "max.connections.per.ip.overrides";
    public static final String MAX_CONNECTION_CREATION_RATE = "max.connection.creation.rate";
    public static final String CONNECTIONS_MAX_IDLE_MS = "connections.max.idle.ms";
    public static final String AUTO_LEADER_REBALANCE = "auto.leader.rebalance.enable";
    public static final String LEADER_IMBALANCE_CHECK_INTERVAL = "leader.imbalance.check.interval.seconds";
    public static final String LEADER_IMBALANCE_PERCENTAGE = "leader.imbalance.per.broker.percentage";
    public static final String BROKER_DRAINED = "broker.drained";
    public static final String STORAGE_PLACEMENT = "storage.placement";
    public static final String STORAGE_SCRUB_INTERVAL_MS = "storage.scrub.interval.ms";
    public static final String STORAGE_SCRUB_MAX_BYTES_PER_SECOND = "storage.scrub.io.max.bytes.per.second";

    /** The prefix of a setting of one listener; the listener's name in lower case and a dot follow. */
    public static final String OF_LISTENER = "listener.name.";

    private static final Set<String> EACH_LISTENER_HAS = Set.of(MAX_CONNECTIONS, MAX_CONNECTION_CREATION_RATE);

    private static final long NEVER = Long.MAX_VALUE;
    private static final int MAX = Integer.MAX_VALUE;

    /** All keys by name, including the defaults of topic configs. */
    public static final Map<String, ConfigKey> KEYS = keys();

    /**
     * Keys of one node. Their values come from the files of the bundles that they belong to. Kafka's tools can change the
     * dynamic ones, and these values win over the file.
     */
    public static final Map<String, ConfigKey> NODE_KEYS = byName(List.of(
            shown(NODE_ID, INT, "The node's id, different on every node of a cluster."),
            shown(BROKER_ID, INT, "The node's id under its older name."),
            shown(BROKER_RACK, STRING, "The rack or zone of this node."),
            shown(LOG_DIRS, LIST, "The log directories of the storage engines, as in kafka-log-dirs."),
            shown(LISTENERS, LIST, "The addresses at which the node listens."),
            shown(ADVERTISED_LISTENERS, LIST, "The addresses to which clients connect."),
            shown(LISTENER_SECURITY_PROTOCOL_MAP, STRING, "The security protocol of each listener."),
            shown(NUM_NETWORK_THREADS, INT, "The number of I/O threads."),
            shown(SOCKET_REQUEST_MAX_BYTES, INT, "The size of the largest request, in bytes."),
            limit(MAX_CONNECTIONS, 1, "The most open connections of all clients; further clients wait."),
            limit(MAX_CONNECTIONS_PER_IP, 0, "The most open connections of one IP address."),
            new ConfigKey(
                    MAX_CONNECTIONS_PER_IP_OVERRIDES,
                    STRING,
                    null,
                    0,
                    0,
                    List.of(),
                    "(\\s*[^,\\s]+:\\d{1,9}\\s*(,\\s*[^,\\s]+:\\d{1,9}\\s*)*)?",
                    true,
                    null,
                    "The most open connections of single addresses: ADDRESS:NUMBER, separated by commas."),
            limit(MAX_CONNECTION_CREATION_RATE, 1, "The most connections that are accepted in a second."),
            shown(CONNECTIONS_MAX_IDLE_MS, LONG, "A connection that is idle for so many milliseconds is closed.")));

    /** @param values a checked value for every key of {@link #KEYS} */
    public BrokerConfig(Map<String, String> values) {
        super(KEYS, values);
    }

    /** The built-in defaults, replaced by {@code overrides} where they have a value. */
    public static BrokerConfig with(Map<String, String> overrides) {
        return new BrokerConfig(defaults(KEYS, overrides));
    }

    /**
     * The key with this name. A name that neither Felice nor Apache Kafka declares can be set to any text, as in Apache
     * Kafka, because plugins and tools keep their own values in such names.
     */
    public static ConfigKey key(String name) {
        ConfigKey key = KEYS.getOrDefault(name, NODE_KEYS.get(name));
        if (key == null && name.startsWith(OF_LISTENER)) {
            key = ofListener(name);
        }
        return key == null ? undeclared(name, !ReadOnlyBrokerConfigs.contains(name)) : key;
    }

    private static ConfigKey ofListener(String name) {
        int end = name.indexOf('.', OF_LISTENER.length());
        String setting = name.substring(end + 1);
        if (end <= OF_LISTENER.length() || !EACH_LISTENER_HAS.contains(setting)) {
            return null;
        }
        return limit(name, 1, NODE_KEYS.get(setting).documentation() + " Of this listener.");
    }

    /** True if the value belongs to the network: it is a dynamic key of {@link #NODE_KEYS}, or a listener's. */
    public static boolean isOfNetwork(String name) {
        return NODE_KEYS.containsKey(name) || name.startsWith(OF_LISTENER);
    }

    private static ConfigKey undeclared(String name, boolean dynamic) {
        return new ConfigKey(name, UNKNOWN, null, 0, 0, List.of(), null, dynamic, null, null);
    }

    private static ConfigKey limit(String name, int min, String documentation) {
        return new ConfigKey(name, INT, null, min, MAX, List.of(), null, true, null, documentation);
    }

    private static ConfigKey shown(String name, ConfigKey.Type type, String documentation) {
        return new ConfigKey(name, type, null, 0, 0, List.of(), null, false, null, documentation);
    }

    private static Map<String, ConfigKey> keys() {
        Map<String, ConfigKey> keys = new TreeMap<>();
        for (ConfigKey key : TopicConfig.KEYS.values()) {
            if (key.brokerKey() != null) {
                keys.put(
                        key.brokerKey(),
                        new ConfigKey(
                                key.brokerKey(),
                                key.type(),
                                key.defaultValue(),
                                key.min(),
                                key.max(),
                                key.allowed(),
                                key.pattern(),
                                true,
                                null,
                                key.documentation()));
            }
        }
        for (ConfigKey key : List.of(
                flag(
                        AUTO_CREATE_TOPICS,
                        "true",
                        true,
                        "Whether a topic is created when a client asks for its metadata."),
                flag(DELETE_TOPIC_ENABLE, "true", false, "Whether topics can be deleted."),
                flag(
                        AUTO_LEADER_REBALANCE,
                        "true",
                        true,
                        "Whether the controller gives partitions back to their preferred leaders."),
                number(
                        LEADER_IMBALANCE_CHECK_INTERVAL,
                        LONG,
                        "300",
                        1,
                        1_000_000_000,
                        true,
                        "How often the controller looks for partitions that their preferred leader does not lead, in"
                                + " seconds."),
                number(
                        LEADER_IMBALANCE_PERCENTAGE,
                        INT,
                        "10",
                        0,
                        100,
                        true,
                        "A broker gets its partitions back if others lead more than so many percent of those that it is the"
                                + " preferred leader of."),
                flag(
                        BROKER_DRAINED,
                        "false",
                        true,
                        "Whether the broker gets no new replicas. felice:broker-drain sets it for one broker and moves its"
                                + " replicas away."),
                number(
                        NUM_PARTITIONS,
                        INT,
                        "1",
                        1,
                        MAX,
                        true,
                        "The number of partitions of a new topic if the request has none."),
                number(
                        DEFAULT_REPLICATION_FACTOR,
                        INT,
                        "1",
                        1,
                        Short.MAX_VALUE,
                        true,
                        "The replication factor of a new topic if the request has none."),
                number(FETCH_MAX_BYTES, INT, "57671680", 1024, MAX, true, "The most bytes in one fetch response."),
                number(
                        PRODUCER_ID_EXPIRATION_MS,
                        INT,
                        "86400000",
                        1,
                        MAX,
                        true,
                        "The sequence numbers of a producer are forgotten after so many milliseconds without a batch."),
                number(
                        MAX_PRODUCER_IDS_PER_PARTITION,
                        INT,
                        "100000",
                        1,
                        MAX,
                        true,
                        "The most producers that a partition remembers; the one idle for longest is forgotten first."),
                number(
                        MAX_PRODUCER_IDS,
                        INT,
                        "0",
                        0,
                        MAX,
                        true,
                        "How many producers all partitions of a node remember together; the longest idle of a partition"
                                + " go first. 0: as many as fit into a quarter of the heap."),
                number(
                        LOG_RETENTION_CHECK_INTERVAL_MS,
                        LONG,
                        "300000",
                        1,
                        NEVER,
                        true,
                        "The interval of the search for segments that retention deletes, in milliseconds."),
                number(
                        LOG_CLEANER_THREADS,
                        INT,
                        "1",
                        0,
                        MAX,
                        true,
                        "How many logs of a storage engine are compacted at a time; 0 for none."),
                number(
                        LOG_CLEANER_DEDUPE_BUFFER_SIZE,
                        LONG,
                        "134217728",
                        1 << 20,
                        NEVER,
                        true,
                        "The most memory for the keys of all logs that are compacted at a time, in bytes; never more than"
                                + " a quarter of the heap. A log with more keys is compacted in several runs."),
                number(
                        LOG_CLEANER_IO_MAX_BYTES_PER_SECOND,
                        DOUBLE,
                        Double.toString(Double.MAX_VALUE),
                        1,
                        NEVER,
                        true,
                        "How much compaction reads and writes, in bytes per second."),
                number(
                        LOG_CLEANER_BACKOFF_MS,
                        LONG,
                        "15000",
                        0,
                        NEVER,
                        true,
                        "How long compaction waits when it has found nothing to do, in milliseconds."),
                number(OFFSETS_TOPIC_PARTITIONS, INT, "50", 1, MAX, false, "The partitions of __consumer_offsets."),
                number(
                        OFFSETS_TOPIC_REPLICATION_FACTOR,
                        INT,
                        "-1",
                        -1,
                        Short.MAX_VALUE,
                        false,
                        "The replication factor with which __consumer_offsets is created; -1 for as many replicas as"
                                + " there are brokers, at most 3."),
                number(
                        OFFSETS_RETENTION_MINUTES,
                        INT,
                        "10080",
                        1,
                        MAX,
                        true,
                        "The committed offsets of a group are deleted when the group was empty for so many minutes."),
                number(
                        OFFSETS_RETENTION_CHECK_INTERVAL_MS,
                        LONG,
                        "600000",
                        1,
                        NEVER,
                        true,
                        "The interval of the search for expired offsets, in milliseconds."),
                number(
                        OFFSET_METADATA_MAX_BYTES,
                        INT,
                        "4096",
                        0,
                        MAX,
                        true,
                        "The size of the largest metadata of a committed offset, in bytes."),
                number(
                        GROUP_MIN_SESSION_TIMEOUT_MS,
                        INT,
                        "6000",
                        1,
                        MAX,
                        true,
                        "The shortest session timeout that a group member may request, in milliseconds."),
                number(
                        GROUP_MAX_SESSION_TIMEOUT_MS,
                        INT,
                        "1800000",
                        1,
                        MAX,
                        true,
                        "The longest session timeout that a group member may request, in milliseconds."),
                number(
                        GROUP_INITIAL_REBALANCE_DELAY_MS,
                        INT,
                        "3000",
                        0,
                        MAX,
                        true,
                        "The first rebalance of an empty group waits for more members, for so many milliseconds."),
                number(GROUP_MAX_SIZE, INT, Integer.toString(MAX), 1, MAX, true, "The most members of a group."),
                number(
                        STORAGE_SCRUB_INTERVAL_MS,
                        LONG,
                        "604800000",
                        1,
                        NEVER,
                        true,
                        "All records are read from the disk and their checksums compared once in so many milliseconds. A"
                                + " client that reads damaged records then gets an error."),
                number(
                        STORAGE_SCRUB_MAX_BYTES_PER_SECOND,
                        LONG,
                        "10485760",
                        0,
                        NEVER,
                        true,
                        "The most bytes that each storage engine reads per second to compare checksums; 0: none."),
                number(
                        GROUPS_MAX,
                        INT,
                        "100000",
                        1,
                        MAX,
                        true,
                        "The most groups that a node coordinates; no client can make a further one."),
                number(
                        REPLICA_LAG_TIME_MAX_MS,
                        LONG,
                        "30000",
                        1,
                        NEVER,
                        true,
                        "A follower that has not had all records of the leader for so many milliseconds is not in sync any"
                                + " more."),
                new ConfigKey(
                        REPLICA_SELECTOR_CLASS,
                        STRING,
                        "",
                        0,
                        0,
                        List.of("", RACK_AWARE_SELECTOR),
                        null,
                        false,
                        null,
                        "Where consumers with a client.rack read: empty, from the leader; " + RACK_AWARE_SELECTOR
                                + ", from a replica in their rack."),
                throttle(
                        LEADER_THROTTLED_RATE,
                        "How many bytes per second this broker gives to followers that are not in sync, of all replicas"
                                + " that leader.replication.throttled.replicas names."),
                throttle(
                        FOLLOWER_THROTTLED_RATE,
                        "How many bytes per second this broker fetches of all replicas that"
                                + " follower.replication.throttled.replicas names and that are not in sync."),
                number(
                        ALTER_LOG_DIRS_THROTTLED_RATE,
                        LONG,
                        Long.toString(NEVER),
                        0,
                        NEVER,
                        true,
                        "How much is copied when logs are moved to other storage engines, in bytes per second."),
                new ConfigKey(
                        STORAGE_PLACEMENT,
                        STRING,
                        "*:log",
                        0,
                        0,
                        List.of(),
                        null,
                        true,
                        null,
                        "The storage engine of topics without storage.engine: pattern:engine pairs. The first pair"
                                + " whose pattern matches the topic's name applies."))) {
            keys.put(key.name(), key);
        }
        return Collections.unmodifiableMap(keys);
    }

    private static ConfigKey number(
            String name, ConfigKey.Type type, String value, long min, long max, boolean dynamic, String documentation) {
        return new ConfigKey(name, type, value, min, max, List.of(), null, dynamic, null, documentation);
    }

    private static ConfigKey throttle(String name, String documentation) {
        return number(name, LONG, Long.toString(NEVER), 0, NEVER, true, documentation);
    }

    private static ConfigKey flag(String name, String value, boolean dynamic, String documentation) {
        return new ConfigKey(name, BOOLEAN, value, 0, 0, List.of(), null, dynamic, null, documentation);
    }
}
