package io.felice.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.config.ConfigKey;
import io.felice.api.config.TopicConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Each topic config is honoured, as a test shows, or refused with a reason, or known to have no effect. */
class EveryTopicConfigTest {
    /** The topic configs of Apache Kafka 4.4 with their defaults, as {@code LogConfig.configKeys()} has them. */
    private static final Map<String, String> KAFKA = table(
            """
            cleanup.policy delete
            compression.gzip.level -1
            compression.lz4.level 9
            compression.type producer
            compression.zstd.level 3
            delete.retention.ms 86400000
            errors.deadletterqueue.group.enable false
            file.delete.delay.ms 60000
            flush.messages 9223372036854775807
            flush.ms 9223372036854775807
            follower.replication.throttled.replicas
            index.interval.bytes 4096
            internal.segment.bytes
            leader.replication.throttled.replicas
            local.retention.bytes -2
            local.retention.ms -2
            max.compaction.lag.ms 9223372036854775807
            max.decompressed.message.bytes 2147483639
            max.message.bytes 1048588
            message.timestamp.after.max.ms 3600000
            message.timestamp.before.max.ms 9223372036854775807
            message.timestamp.type CreateTime
            min.cleanable.dirty.ratio 0.5
            min.compaction.lag.ms 0
            min.insync.replicas 1
            preallocate false
            remote.copy.lag.bytes -1
            remote.copy.lag.ms 0
            remote.log.copy.disable false
            remote.log.delete.on.disable false
            remote.storage.enable false
            retention.bytes -1
            retention.ms 604800000
            segment.bytes 1073741824
            segment.index.bytes 10485760
            segment.jitter.ms 0
            segment.ms 604800000
            unclean.leader.election.enable false
            """);

    /** docs/compatibility.md says why. */
    private static final Set<String> OTHER_DEFAULTS =
            Set.of(TopicConfig.FILE_DELETE_DELAY_MS, TopicConfig.MESSAGE_TIMESTAMP_AFTER_MAX_MS);

    /** The test that shows what each of these configs does; it sets the config. */
    private static final Map<String, String> HONOURED = table(
            """
            cleanup.policy partition/CompactionTest
            compression.gzip.level partition/RecompressingTest
            compression.lz4.level partition/RecompressingTest
            compression.type partition/RecompressingTest
            compression.zstd.level partition/RecompressingTest
            delete.retention.ms partition/CompactionTest
            file.delete.delay.ms SegmentConfigsTest
            flush.messages partition/FlushTest
            flush.ms partition/FlushTest
            follower.replication.throttled.replicas ../../../../../../../replication/src/test/java/io/felice/replication/FetchThrottleTest
            index.interval.bytes IndexIntervalTest
            leader.replication.throttled.replicas LeaderThrottleTest
            internal.segment.bytes partition/TopicRulesTest
            max.compaction.lag.ms partition/CompactionTest
            max.decompressed.message.bytes partition/BatchAdmissionTest
            max.message.bytes partition/AppendingTest
            message.timestamp.after.max.ms partition/AppendingTest
            message.timestamp.before.max.ms partition/AppendingTest
            message.timestamp.type partition/AppendingTest
            min.cleanable.dirty.ratio partition/CompactionTest
            min.compaction.lag.ms partition/CompactionTest
            min.insync.replicas partition/AppendingTest
            record.validation partition/BatchAdmissionTest
            retention.bytes partition/OffsetsTest
            retention.ms BrokerTest
            segment.bytes partition/AppendingTest
            segment.index.bytes SegmentConfigsTest
            segment.jitter.ms partition/SegmentRollTest
            segment.ms partition/SegmentRollTest
            storage.durability partition/AppendingTest
            storage.engine NodeConfigsTest
            """);

    /** Another value than the default is refused. */
    private static final Map<String, String> REFUSED = table(
            """
            errors.deadletterqueue.group.enable true
            local.retention.bytes 1000
            local.retention.ms 1000
            remote.copy.lag.bytes 1000
            remote.copy.lag.ms 1000
            remote.log.copy.disable true
            remote.log.delete.on.disable true
            remote.storage.enable true
            """);

    /** The value is accepted, and the documentation says that it has no effect. */
    private static final Map<String, String> WITHOUT_EFFECT =
            table("""
            preallocate true
            unclean.leader.election.enable true
            """);

    private static Map<String, String> table(String lines) {
        Map<String, String> table = new LinkedHashMap<>();
        lines.lines()
                .map(line -> line.split(" "))
                .forEach(words -> table.put(words[0], words.length > 1 ? words[1] : ""));
        return table;
    }

    @Test
    void kafkasConfigsAreAllKnownAndHaveKafkasDefaults() {
        KAFKA.forEach((name, value) -> {
            ConfigKey key = TopicConfig.KEYS.get(name);
            assertThat(key).as(name).isNotNull();
            if (!OTHER_DEFAULTS.contains(name)) {
                assertThat(key.defaultValue() == null ? "" : key.defaultValue())
                        .as(name)
                        .isEqualTo(value);
            }
        });
        Set<String> ours = new TreeSet<>(TopicConfig.KEYS.keySet());
        ours.removeAll(KAFKA.keySet());
        assertThat(ours).containsExactly("record.validation", "storage.durability", "storage.engine");
    }

    @Test
    void everyConfigIsInOneOfTheTables() {
        Map<String, String> all = new HashMap<>();
        for (Map<String, String> table : List.of(HONOURED, REFUSED, WITHOUT_EFFECT)) {
            table.forEach(
                    (name, value) -> assertThat(all.put(name, value)).as(name).isNull());
        }
        assertThat(all.keySet()).isEqualTo(TopicConfig.KEYS.keySet());
    }

    @Test
    void whatIsHonouredIsSetByTheTestThatShowsIt() throws IOException {
        Map<String, String> constants = new HashMap<>();
        for (java.lang.reflect.Field field : TopicConfig.class.getFields()) {
            if (field.getType() == String.class) {
                constants.put(constant(field), "TopicConfig." + field.getName());
            }
        }
        for (Map.Entry<String, String> shown : HONOURED.entrySet()) {
            Path source = Path.of("src/test/java/io/felice/broker", shown.getValue() + ".java");
            String name = shown.getKey();
            String code = Files.readString(source);
            boolean named = Stream.of(constants.get(name), '"' + name + '"', prefixed(name))
                    .anyMatch(code::contains);
            assertThat(named).as("%s in %s", name, source).isTrue();
        }
    }

    /** The level of a codec is put together in a test of all codecs. */
    private static String prefixed(String name) {
        return name.endsWith(".level") ? "\"compression.\" + type + \".level\"" : '"' + name + '"';
    }

    private static String constant(java.lang.reflect.Field field) {
        try {
            return (String) field.get(null);
        } catch (IllegalAccessException hidden) {
            throw new IllegalStateException(hidden);
        }
    }

    @Test
    void whatIsRefusedIsRefusedWithTheReason() {
        REFUSED.forEach((name, value) -> {
            ConfigKey key = TopicConfig.KEYS.get(name);
            key.check(key.defaultValue());
            assertThatThrownBy(() -> key.check(value))
                    .isInstanceOfSatisfying(FeliceException.class, refused -> assertThat(refused.code())
                            .isEqualTo(ErrorCode.INVALID_CONFIG))
                    .hasMessage("Invalid value " + value + " for configuration " + name + ": it must be "
                            + key.defaultValue() + ". " + key.documentation());
        });
    }

    @Test
    void whatHasNoEffectSaysSo() {
        WITHOUT_EFFECT.forEach((name, value) -> {
            ConfigKey key = TopicConfig.KEYS.get(name);
            key.check(value);
            assertThat(key.documentation()).as(name).containsIgnoringCase("no effect");
        });
    }
}
