package io.felice.broker;

import static io.felice.broker.partition.Bench.refused;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.tuple;

import io.felice.api.ErrorCode;
import io.felice.api.cluster.BrokerRegistration;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.Endpoints;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.cluster.MetadataRecord.ConfigSet;
import io.felice.api.cluster.PartitionState;
import io.felice.api.config.BrokerConfig;
import io.felice.api.config.ConfigEntry;
import io.felice.api.config.ConfigEntry.Source;
import io.felice.api.config.ConfigEntry.Synonym;
import io.felice.api.config.ConfigResource;
import io.felice.api.config.TopicConfig;
import io.felice.api.storage.EngineTrait;
import io.felice.api.storage.StorageEngine;
import io.felice.broker.engine.Engines;
import io.felice.broker.engine.OfferedEngine;
import io.felice.broker.partition.ScriptedEngine;
import io.felice.storage.memory.MemoryStorageEngine;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class NodeConfigsTest {
    private static final ConfigResource ORDERS = ConfigResource.topic("orders");
    private static final ConfigResource OWN = ConfigResource.broker(0);
    private static final ConfigResource ALL = ConfigResource.allBrokers();
    private static final ConfigResource M_1 = ConfigResource.topic("m-1");
    private static final UUID ID = UUID.randomUUID();

    private final Engines engines = new Engines();
    private final Map<String, List<String>> kept = new HashMap<>();
    private ClusterView view = ClusterView.EMPTY;
    private NodeConfigs configs;

    private void mount(String name, StorageEngine engine) {
        engines.mount(OfferedEngine.mounted(name, engine, 1, System::nanoTime));
    }

    @BeforeEach
    void setUp() {
        mount("scripted", new ScriptedEngine(Clock.systemUTC()));
        mount("memory", new MemoryStorageEngine(1000, Clock.systemUTC()));
        configs = new NodeConfigs(
                0,
                Map.of("storage.placement", "m-*:memory,*:scripted", "log.retention.ms", "5000"),
                engines,
                topic -> kept.getOrDefault(topic.name(), List.of()).stream());
        replay(
                new MetadataRecord.TopicCreated(ID, "orders"),
                new MetadataRecord.PartitionChanged(ID, 0, PartitionState.created(List.of(0), List.of(0), 0)));
    }

    private void replay(MetadataRecord... records) {
        view = view.after(view.version() + 1, List.of(records));
        configs.update(view);
    }

    private ConfigEntry described(ConfigResource resource, String key) {
        return configs.describe(resource).stream()
                .filter(entry -> entry.key().name().equals(key))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void clusterValuesOverrideTheFileAndTopicValuesOverrideBrokerValues() {
        assertThat(configs.topic("orders").getLong(TopicConfig.RETENTION_MS)).isEqualTo(5000);

        replay(new ConfigSet(ALL, "log.retention.ms", "6000"));
        assertThat(configs.topic("orders").getLong(TopicConfig.RETENTION_MS)).isEqualTo(6000);
        replay(new ConfigSet(OWN, "log.retention.ms", "7000"));
        assertThat(configs.topic("orders").getLong(TopicConfig.RETENTION_MS)).isEqualTo(7000);
        replay(new ConfigSet(ORDERS, TopicConfig.RETENTION_MS, "8000"));
        assertThat(configs.topic("orders").getLong(TopicConfig.RETENTION_MS)).isEqualTo(8000);
        assertThat(configs.topic("others").getLong(TopicConfig.RETENTION_MS)).isEqualTo(7000);
    }

    @Test
    void aTopicsKeyIsDescribedWithAllItsSynonyms() {
        replay(new ConfigSet(ORDERS, TopicConfig.RETENTION_MS, "8000"), new ConfigSet(ALL, "log.retention.ms", "6000"));

        ConfigEntry entry = described(ORDERS, TopicConfig.RETENTION_MS);

        assertThat(entry.value()).isEqualTo("8000");
        assertThat(entry.source()).isEqualTo(Source.DYNAMIC_TOPIC);
        assertThat(entry.synonyms())
                .containsExactly(
                        new Synonym(TopicConfig.RETENTION_MS, "8000", Source.DYNAMIC_TOPIC),
                        new Synonym("log.retention.ms", "6000", Source.DYNAMIC_DEFAULT_BROKER),
                        new Synonym("log.retention.ms", "5000", Source.STATIC_BROKER),
                        new Synonym("log.retention.ms", "604800000", Source.DEFAULT));
        assertThat(described(ORDERS, TopicConfig.SEGMENT_BYTES).isDefault()).isTrue();
    }

    @Test
    void aNewTopicIsDescribedAsItWillBeAfterItsCreation() {
        replay(new ConfigSet(ALL, "log.retention.ms", "6000"));
        Map<String, String> own = Map.of(TopicConfig.SEGMENT_BYTES, "4000");

        List<ConfigEntry> promised = configs.describeTopic("orders", own);
        replay(new ConfigSet(ORDERS, TopicConfig.SEGMENT_BYTES, "4000"));

        assertThat(promised).isEqualTo(configs.describe(ORDERS));
        assertThat(promised)
                .extracting(entry -> entry.key().name(), ConfigEntry::value, ConfigEntry::source)
                .contains(
                        tuple(TopicConfig.SEGMENT_BYTES, "4000", Source.DYNAMIC_TOPIC),
                        tuple(TopicConfig.RETENTION_MS, "6000", Source.DYNAMIC_DEFAULT_BROKER));
    }

    @Test
    void aBrokerDescribesOnlyItself() {
        replay(new ConfigSet(OWN, BrokerConfig.NUM_PARTITIONS, "7"));

        assertThat(described(OWN, BrokerConfig.NUM_PARTITIONS).source()).isEqualTo(Source.DYNAMIC_BROKER);
        assertThat(configs.describe(OWN))
                .extracting(entry -> entry.key().name())
                .containsAll(BrokerConfig.KEYS.keySet());
        refused(ErrorCode.INVALID_REQUEST, () -> configs.describe(ConfigResource.broker(1)));
        refused(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, () -> configs.describe(ConfigResource.topic("nothing")));
    }

    @Test
    void theDefaultOfAllBrokersIsDescribedWithTheKeysThatAreSet() {
        replay(new ConfigSet(ALL, BrokerConfig.NUM_PARTITIONS, "7"));

        assertThat(configs.describe(ALL)).singleElement().satisfies(entry -> {
            assertThat(entry.value()).isEqualTo("7");
            assertThat(entry.source()).isEqualTo(Source.DYNAMIC_DEFAULT_BROKER);
        });
    }

    @Test
    void valuesAreCheckedAgainstTheKeysDefinition() {
        refused(ErrorCode.INVALID_CONFIG, () -> configs.check(ORDERS, "no.such.key", "1"));
        refused(ErrorCode.INVALID_CONFIG, () -> configs.check(ORDERS, TopicConfig.SEGMENT_BYTES, "2"));
        refused(ErrorCode.INVALID_REQUEST, () -> configs.check(OWN, BrokerConfig.OFFSETS_TOPIC_PARTITIONS, "2"));
        configs.check(ORDERS, TopicConfig.SEGMENT_BYTES, "2000");
        configs.check(OWN, BrokerConfig.NUM_PARTITIONS, "2");
    }

    @Test
    void aBrokerKeyThatOnlyAFileCanSetIsRefusedWithKafkasMessage() {
        for (String key : List.of("log.dirs", "node.id", "process.roles", "listeners")) {
            refused(ErrorCode.INVALID_REQUEST, () -> configs.check(OWN, key, "x"));
        }
        assertThat(catchThrowable(() -> configs.check(ALL, "broker.heartbeat.interval.ms", "1")))
                .hasMessage("Cannot update these configs dynamically: [broker.heartbeat.interval.ms]");
    }

    @Test
    void unknownBrokerKeysAreStoredAndTreatedAsSensitive() {
        configs.check(OWN, "num.io.threads", "16");
        configs.check(ALL, "my.plugin.colour", "red");

        replay(new ConfigSet(OWN, "num.io.threads", "16"), new ConfigSet(ALL, "my.plugin.colour", "red"));

        assertThat(described(OWN, "num.io.threads").source()).isEqualTo(Source.DYNAMIC_BROKER);
        assertThat(described(OWN, "my.plugin.colour").source()).isEqualTo(Source.DYNAMIC_DEFAULT_BROKER);
        assertThat(described(ALL, "my.plugin.colour").key().isSensitive()).isTrue();
    }

    @Test
    void tlsAndSaslKeysAreRefused() {
        for (String key :
                List.of("ssl.keystore.location", "sasl.jaas.config", "listener.name.external.ssl.keystore.password")) {
            refused(ErrorCode.INVALID_REQUEST, () -> configs.check(OWN, key, "x"));
        }
    }

    @Test
    void brokersAndTopicsAcceptReplicationThrottles() {
        configs.check(OWN, BrokerConfig.LEADER_THROTTLED_RATE, "1000000");
        for (String list : List.of("*", "", "0:1", "0:1,3:0")) {
            configs.check(ORDERS, TopicConfig.LEADER_THROTTLED_REPLICAS, list);
        }
        refused(ErrorCode.INVALID_CONFIG, () -> configs.check(ORDERS, TopicConfig.FOLLOWER_THROTTLED_REPLICAS, "0-1"));
        refused(ErrorCode.INVALID_CONFIG, () -> configs.check(OWN, BrokerConfig.FOLLOWER_THROTTLED_RATE, "fast"));
    }

    @Test
    void topicKeysThatProvisioningToolsSetAreAccepted() {
        configs.check(ORDERS, TopicConfig.COMPRESSION_TYPE, "zstd");
        configs.check(ORDERS, TopicConfig.COMPRESSION_ZSTD_LEVEL, "-5");
        configs.check(ORDERS, TopicConfig.FILE_DELETE_DELAY_MS, "60000");
        configs.check(ORDERS, TopicConfig.SEGMENT_INDEX_BYTES, "1048576");
        configs.check(ORDERS, TopicConfig.REMOTE_STORAGE_ENABLE, "false");
        configs.check(ORDERS, TopicConfig.LOCAL_RETENTION_MS, "-2");
        configs.check(ORDERS, TopicConfig.PREALLOCATE, "true");
        configs.check(ORDERS, TopicConfig.CLEANUP_POLICY, "");
        refused(ErrorCode.INVALID_CONFIG, () -> configs.check(ORDERS, TopicConfig.COMPRESSION_TYPE, "rar"));
        refused(ErrorCode.INVALID_CONFIG, () -> configs.check(ORDERS, TopicConfig.COMPRESSION_GZIP_LEVEL, "0"));
        refused(ErrorCode.INVALID_CONFIG, () -> configs.check(ORDERS, TopicConfig.CLEANUP_POLICY, "delete,delete"));
    }

    @Test
    void aKeyOfWhatFeliceDoesNotHaveTakesItsDefaultOnlyAndSaysWhy() {
        assertThat(catchThrowable(() -> configs.check(ORDERS, TopicConfig.LOCAL_RETENTION_MS, "1000")))
                .hasMessage("Invalid value 1000 for configuration local.retention.ms: it must be -2. There is no tiered"
                        + " storage: the storage engine of the topic keeps all segments.");
        refused(ErrorCode.INVALID_CONFIG, () -> configs.check(ORDERS, TopicConfig.REMOTE_STORAGE_ENABLE, "true"));
    }

    @Test
    void theLeastLagOfCompactionIsNotAboveTheMost() {
        refused(
                ErrorCode.INVALID_CONFIG,
                () -> configs.check(
                        ORDERS,
                        Map.of(TopicConfig.MIN_COMPACTION_LAG_MS, "6", TopicConfig.MAX_COMPACTION_LAG_MS, "5")));
        configs.check(ORDERS, Map.of(TopicConfig.MIN_COMPACTION_LAG_MS, "5", TopicConfig.MAX_COMPACTION_LAG_MS, "5"));
    }

    @Test
    void theInternalSegmentSizeOverridesSegmentBytesAndIsDescribedOnlyIfSet() {
        assertThat(configs.describe(ORDERS))
                .extracting(entry -> entry.key().name())
                .doesNotContain(TopicConfig.INTERNAL_SEGMENT_BYTES);

        replay(
                new ConfigSet(ORDERS, TopicConfig.SEGMENT_BYTES, "4000000"),
                new ConfigSet(ORDERS, TopicConfig.INTERNAL_SEGMENT_BYTES, "1000"));

        assertThat(described(ORDERS, TopicConfig.INTERNAL_SEGMENT_BYTES).value())
                .isEqualTo("1000");
        assertThat(configs.topic("orders").segmentBytes()).isEqualTo(1000);
    }

    @Test
    void theNodesSettingsAreDescribedUnderKafkasNames() {
        configs.bindEndpoints(new Endpoints() {
            @Override
            public List<BrokerRegistration.Endpoint> endpoints() {
                return List.of();
            }

            @Override
            public Map<String, String> settings() {
                return Map.of(BrokerConfig.LISTENERS, "PLAINTEXT://:9092", "request.log", "true");
            }
        });
        replay(new MetadataRecord.BrokerRegistered(new BrokerRegistration(0, ID, ID, List.of(), "rack-1"), 1));

        assertThat(configs.describe(OWN))
                .filteredOn(
                        entry -> BrokerConfig.NODE_KEYS.containsKey(entry.key().name()))
                .extracting(entry -> entry.key().name(), ConfigEntry::value, ConfigEntry::source)
                .containsExactly(
                        tuple("broker.id", "0", Source.STATIC_BROKER),
                        tuple("broker.rack", "rack-1", Source.STATIC_BROKER),
                        tuple("listeners", "PLAINTEXT://:9092", Source.STATIC_BROKER),
                        tuple("log.dirs", "memory:,scripted:", Source.STATIC_BROKER),
                        tuple("node.id", "0", Source.STATIC_BROKER));
        assertThat(described(OWN, "listeners").key().dynamic()).isFalse();
    }

    @Test
    void limitsOfConnectionsAreGivenToTheNetworkAndWinOverItsFile() {
        List<Map<String, String>> given = new ArrayList<>();
        Endpoints network = network(given, Map.of("max.connections", "20000", "max.connections.per.ip", "100"));
        replay(new ConfigSet(ALL, "max.connections", "50"), new ConfigSet(ALL, "num.partitions", "3"));
        configs.bindEndpoints(network);

        replay(new ConfigSet(OWN, "listener.name.plaintext.max.connections", "7"));
        replay(new ConfigSet(ALL, "num.partitions", "4"));
        replay(new ConfigSet(OWN, "max.connections", "60"));

        assertThat(given)
                .containsExactly(
                        Map.of("max.connections", "50"),
                        Map.of("max.connections", "50", "listener.name.plaintext.max.connections", "7"),
                        Map.of("max.connections", "60", "listener.name.plaintext.max.connections", "7"));
        assertThat(described(OWN, "max.connections").synonyms())
                .containsExactly(
                        new Synonym("max.connections", "60", Source.DYNAMIC_BROKER),
                        new Synonym("max.connections", "50", Source.DYNAMIC_DEFAULT_BROKER),
                        new Synonym("max.connections", "20000", Source.STATIC_BROKER));
        assertThat(described(OWN, "listener.name.plaintext.max.connections").value())
                .isEqualTo("7");
        assertThat(described(OWN, "max.connections.per.ip").key().dynamic()).isTrue();
    }

    @Test
    void limitsThatWouldShutEverybodyOutAreRefused() {
        configs.bindEndpoints(network(new ArrayList<>(), Map.of("max.connections.per.ip", "100")));
        for (String key : List.of("max.connections", "max.connection.creation.rate")) {
            configs.check(OWN, key, "1");
            configs.check(ALL, "listener.name.internal." + key, "1");
            refused(ErrorCode.INVALID_CONFIG, () -> configs.check(OWN, key, "0"));
            refused(ErrorCode.INVALID_CONFIG, () -> configs.check(ALL, "listener.name.internal." + key, "0"));
        }
        refused(
                ErrorCode.INVALID_REQUEST,
                () -> configs.check(OWN, "listener.name.internal.max.connections.per.ip", "1"));
        refused(ErrorCode.INVALID_CONFIG, () -> configs.check(OWN, "max.connections.per.ip.overrides", "10.0.0.1"));
        configs.check(OWN, "max.connections.per.ip.overrides", "10.0.0.1:0, localhost:5");
        configs.check(OWN, "max.connections.per.ip.overrides", "");
        refused(ErrorCode.INVALID_REQUEST, () -> configs.check(OWN, "connections.max.idle.ms", "1"));
        configs.check(OWN, "max.connections.per.ip", "0");

        refused(ErrorCode.INVALID_CONFIG, () -> configs.check(OWN, Map.of("max.connections.per.ip", "0")));
        configs.check(OWN, Map.of("max.connections.per.ip", "0", "max.connections.per.ip.overrides", "10.0.0.1:5"));
    }

    private static Endpoints network(List<Map<String, String>> given, Map<String, String> file) {
        return new Endpoints() {
            @Override
            public List<BrokerRegistration.Endpoint> endpoints() {
                return List.of();
            }

            @Override
            public Map<String, String> settings() {
                return file;
            }

            @Override
            public void override(Map<String, String> values) {
                given.add(Map.copyOf(values));
            }
        };
    }

    @Test
    void theEngineWithTheTopicsLogsIsDescribedAsTheDefault() {
        assertThat(described(ORDERS, TopicConfig.STORAGE_ENGINE).value()).isEqualTo("scripted");
        kept.put("orders", List.of("memory"));

        ConfigEntry entry = described(ORDERS, TopicConfig.STORAGE_ENGINE);

        assertThat(entry.value()).isEqualTo("memory");
        assertThat(entry.source()).isEqualTo(Source.DEFAULT);
        assertThat(configs.describeTopic("m-1", Map.of()))
                .filteredOn(one -> one.key().name().equals(TopicConfig.STORAGE_ENGINE))
                .extracting(ConfigEntry::value)
                .containsExactly("memory");
    }

    @Test
    void anEngineInTheTopicsConfigIsDescribedAsATopicValue() {
        kept.put("orders", List.of("scripted"));
        replay(new ConfigSet(ORDERS, TopicConfig.STORAGE_ENGINE, "scripted"));

        ConfigEntry entry = described(ORDERS, TopicConfig.STORAGE_ENGINE);

        assertThat(entry.value()).isEqualTo("scripted");
        assertThat(entry.source()).isEqualTo(Source.DYNAMIC_TOPIC);
    }

    @Test
    void anEngineThatIsNotRunningIsRefused() {
        assertThat(catchThrowable(() -> configs.check(ConfigResource.topic("new"), TopicConfig.STORAGE_ENGINE, "tape")))
                .hasMessage("There is no storage engine tape; there are: memory, scripted.");
        refused(ErrorCode.INVALID_CONFIG, () -> configs.check(ALL, BrokerConfig.STORAGE_PLACEMENT, "*:tape"));
        configs.check(ConfigResource.topic("new"), TopicConfig.STORAGE_ENGINE, "memory");
    }

    @Test
    void theEngineOfAnExistingTopicIsNotChangedByItsConfig() {
        refused(ErrorCode.INVALID_CONFIG, () -> configs.check(ORDERS, Map.of(TopicConfig.STORAGE_ENGINE, "memory")));
        configs.check(ORDERS, Map.of(TopicConfig.STORAGE_ENGINE, "scripted"));
    }

    @Test
    void aChangedPlacementDoesNotMoveExistingTopics() {
        kept.put("orders", List.of("scripted", "scripted"));
        replay(new ConfigSet(ALL, BrokerConfig.STORAGE_PLACEMENT, "*:memory"));

        assertThat(configs.engineOf("orders")).isEqualTo("scripted");
        assertThat(configs.engineOf("new")).isEqualTo("memory");
        configs.check(ORDERS, Map.of(TopicConfig.STORAGE_ENGINE, "scripted"));
        configs.check(ORDERS, Map.of(TopicConfig.STORAGE_DURABILITY, "power"));
        assertThat(catchThrowable(() -> configs.check(ORDERS, Map.of(TopicConfig.STORAGE_ENGINE, "memory"))))
                .hasMessage(
                        "Topic orders is kept by scripted; felice:topic-move and kafka-reassign-partitions move it to"
                                + " another engine.");
    }

    @Test
    void theEngineOfATopicCannotBeRemovedFromItsConfigIfThePlacementSaysAnother() {
        kept.put("orders", List.of("scripted"));
        replay(new ConfigSet(ORDERS, TopicConfig.STORAGE_ENGINE, "scripted"));
        configs.check(ORDERS, Map.of());

        replay(new ConfigSet(ALL, BrokerConfig.STORAGE_PLACEMENT, "*:memory"));

        refused(ErrorCode.INVALID_CONFIG, () -> configs.check(ORDERS, Map.of()));
        configs.check(ORDERS, Map.of(TopicConfig.STORAGE_ENGINE, "scripted", TopicConfig.RETENTION_MS, "1"));
    }

    @Test
    void durabilityPowerIsRefusedForAnEngineWhoseRecordsDoNotSurviveAPowerCut() {
        Map<String, String> power = Map.of(TopicConfig.STORAGE_DURABILITY, "power");

        configs.check(ORDERS, power);
        configs.check(M_1, Map.of(TopicConfig.STORAGE_DURABILITY, "none"));
        configs.check(M_1, Map.of(TopicConfig.FLUSH_MESSAGES, "2"));
        refused(ErrorCode.INVALID_CONFIG, () -> configs.check(M_1, power));
        refused(ErrorCode.INVALID_CONFIG, () -> configs.check(M_1, Map.of(TopicConfig.FLUSH_MESSAGES, " 1")));
        configs.check(M_1, Map.of(TopicConfig.STORAGE_DURABILITY, "power", TopicConfig.STORAGE_ENGINE, "scripted"));
    }

    @Test
    void killIsPromisedOnlyByAnEngineThatCanKeepIt() {
        Map<String, String> kill = Map.of(TopicConfig.STORAGE_DURABILITY, "kill");

        configs.check(ORDERS, kill);
        configs.check(M_1, Map.of());
        assertThat(catchThrowable(() -> configs.check(M_1, kill)))
                .hasMessage("Topic m-1 cannot have storage.durability=kill: the records of its engine memory do not"
                        + " survive kill -9 of the broker.");
        kept.put("orders", List.of("memory"));
        refused(ErrorCode.INVALID_CONFIG, () -> configs.check(ORDERS, kill));
    }

    @Test
    void theDefaultDurabilityIsWhatTheEngineCanGive() {
        assertThat(described(ORDERS, TopicConfig.STORAGE_DURABILITY).value()).isEqualTo("kill");
        kept.put("orders", List.of("memory"));
        assertThat(described(ORDERS, TopicConfig.STORAGE_DURABILITY).value()).isEqualTo("none");
    }

    @Test
    void aNewTopicCannotHaveDurabilityPowerInTheMemoryEngine() {
        ConfigResource fresh = ConfigResource.topic("fresh");

        assertThat(catchThrowable(() -> configs.check(
                        fresh, Map.of(TopicConfig.STORAGE_DURABILITY, "power", TopicConfig.STORAGE_ENGINE, "memory"))))
                .hasMessage("Topic fresh cannot have storage.durability=power: the records of its engine memory do"
                        + " not survive a power cut.");
        assertThat(catchThrowable(() -> configs.check(
                        fresh, Map.of(TopicConfig.FLUSH_MESSAGES, "1", TopicConfig.STORAGE_ENGINE, "memory"))))
                .hasMessage("Topic fresh cannot have flush.messages=1: the records of its engine memory do not"
                        + " survive a power cut.");
    }

    @Test
    void durabilityPowerIsCheckedAgainstEveryEngineWithALogOfTheTopic() {
        kept.put("orders", List.of("scripted", "memory"));

        refused(ErrorCode.INVALID_CONFIG, () -> configs.check(ORDERS, Map.of(TopicConfig.STORAGE_DURABILITY, "power")));
    }

    @Test
    void theBrokersFlushIntervalIsCheckedAgainstTheTopicsThatInheritIt() {
        Map<String, String> flush = Map.of("log.flush.interval.messages", "1");
        configs.check(ALL, flush);
        kept.put("orders", List.of("memory"));

        refused(ErrorCode.INVALID_CONFIG, () -> configs.check(ALL, flush));
        refused(ErrorCode.INVALID_CONFIG, () -> configs.check(OWN, flush));
        refused(ErrorCode.INVALID_CONFIG, () -> configs.update(flush));

        replay(new ConfigSet(ORDERS, TopicConfig.FLUSH_MESSAGES, "100"));
        configs.check(ALL, flush);
    }

    @Test
    void theBrokersFlushIntervalIsCheckedAgainstNewTopics() {
        replay(new ConfigSet(ALL, "log.flush.interval.messages", "1"));

        refused(ErrorCode.INVALID_CONFIG, () -> configs.check(M_1, Map.of()));
        configs.check(M_1, Map.of(TopicConfig.FLUSH_MESSAGES, "100"));
        configs.check(ConfigResource.topic("fresh"), Map.of());
    }

    @Test
    void aTopicWithoutTheDurabilityItAsksForIsReported() {
        kept.put("orders", List.of("memory"));
        assertThat(configs.unmetConfigs()).isEmpty();

        replay(new ConfigSet(ALL, "log.flush.interval.messages", "1"));

        assertThat(configs.unmetConfigs())
                .containsExactly(
                        "Topic orders cannot have flush.messages=1: the records of its engine memory do not survive a power cut.");
    }

    @Test
    void anUnmetDurabilityDoesNotPreventOtherChanges() {
        kept.put("orders", List.of("memory"));
        replay(new ConfigSet(ALL, "log.flush.interval.messages", "1"));

        configs.check(ORDERS, Map.of(TopicConfig.RETENTION_MS, "1"));
        configs.check(ALL, Map.of("log.flush.interval.messages", "1", BrokerConfig.NUM_PARTITIONS, "3"));
    }

    @Test
    void aTopicIsCompactedWhereItsEngineCanReplaceSegments() {
        configs.check(ORDERS, TopicConfig.CLEANUP_POLICY, "compact,delete");
        configs.check(ALL, "log.cleanup.policy", "compact");
        configs.check(ORDERS, Map.of(TopicConfig.CLEANUP_POLICY, "compact"));
        ScriptedEngine plain = new ScriptedEngine(Clock.systemUTC());
        plain.traits = Set.of(EngineTrait.SURVIVES_KILL);
        mount("plain", plain);
        kept.put("orders", List.of("plain"));

        refused(
                ErrorCode.INVALID_CONFIG,
                () -> configs.check(ORDERS, Map.of(TopicConfig.CLEANUP_POLICY, "compact,delete")));
        refused(ErrorCode.INVALID_CONFIG, () -> configs.check(ALL, Map.of("log.cleanup.policy", "compact")));
        configs.check(ORDERS, Map.of(TopicConfig.CLEANUP_POLICY, "delete"));
    }

    @Test
    void aChangedFileAppliesAtOnceAndClusterValuesOverrideIt() {
        replay(new ConfigSet(OWN, "num.partitions", "7"));

        configs.update(Map.of("log.retention.ms", "4000", "num.partitions", "2"));

        assertThat(configs.topic("orders").getLong(TopicConfig.RETENTION_MS)).isEqualTo(4000);
        assertThat(configs.broker().getInt(BrokerConfig.NUM_PARTITIONS)).isEqualTo(7);
        assertThat(configs.broker().get(BrokerConfig.STORAGE_PLACEMENT))
                .isEqualTo(BrokerConfig.with(Map.of()).get(BrokerConfig.STORAGE_PLACEMENT));
    }

    @Test
    void anIllegalFileChangesNothing() {
        refused(
                ErrorCode.INVALID_CONFIG,
                () -> configs.update(Map.of("storage.placement", "nonsense", "log.retention.ms", "4000")));

        assertThat(configs.topic("orders").getLong(TopicConfig.RETENTION_MS)).isEqualTo(5000);
    }

    @Test
    void enginesOfThePlacementThatAreNotRunningAreMissing() {
        assertThat(configs.missingEngines()).isEmpty();

        configs.update(Map.of("storage.placement", "a-*:other,m-*:memory"));

        assertThat(configs.missingEngines())
                .as("the engine of a pattern, and the default engine for topics that match no pattern")
                .containsExactly("log", "other");
    }

    @Test
    void brokerKeysInTheFileHaveKafkasNames() {
        Map<String, String> file = NodeConfigs.fileLayer(
                Map.of("num.partitions", 3, "log.cleanup.policy", new String[] {"delete"}, "data.dir", "x"));

        assertThat(file).containsOnly(Map.entry("num.partitions", "3"), Map.entry("log.cleanup.policy", "delete"));
        refused(
                ErrorCode.INVALID_CONFIG,
                () -> new NodeConfigs(0, Map.of(BrokerConfig.NUM_PARTITIONS, "none"), engines, none -> Stream.empty()));
    }
}
