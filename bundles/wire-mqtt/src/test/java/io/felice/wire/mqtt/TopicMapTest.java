package io.felice.wire.mqtt;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Set;
import org.apache.kafka.common.utils.Utils;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TopicMapTest {
    private static final TopicMap MAP =
            TopicMap.parse(List.of("sensors/#:measurements", "home/+/alarm:alarms", "#:mqtt"), Set.of("reserved"));

    private static ByteBuffer key(String key) {
        return ByteBuffer.wrap(key.getBytes(UTF_8));
    }

    @Test
    void theFirstRuleThatMatchesCounts() {
        assertThat(MAP.kafkaTopic("sensors/a/b")).contains("measurements");
        assertThat(MAP.kafkaTopic("sensors")).contains("measurements");
        assertThat(MAP.kafkaTopic("home/attic/alarm")).contains("alarms");
        assertThat(MAP.kafkaTopic("home/attic/lamp")).contains("mqtt");
        assertThat(MAP.kafkaTopic("$SYS/a")).isEmpty();
    }

    @Test
    void aSubscriptionNeedsTheTopicsOfAllRulesThatOverlap() {
        assertThat(MAP.kafkaTopics(TopicFilter.parse("#"))).containsExactly("measurements", "alarms", "mqtt");
        assertThat(MAP.kafkaTopics(TopicFilter.parse("home/attic/+"))).containsExactly("alarms", "mqtt");
        assertThat(MAP.kafkaTopics(TopicFilter.parse("sensors/a"))).containsExactly("measurements", "mqtt");
    }

    @Test
    void theKeyOfARecordIsItsMqttTopic() {
        assertThat(MAP.mqttTopic("measurements", key("sensors/ä"))).contains("sensors/ä");
        assertThat(MAP.mqttTopic("mqtt", key("other"))).contains("other");
    }

    @Test
    void aRecordWithAnotherKeyHasTheFixedPartOfTheRule() {
        assertThat(MAP.mqttTopic("measurements", null)).contains("sensors");
        assertThat(MAP.mqttTopic("measurements", key("home/attic/alarm"))).contains("sensors");
        assertThat(MAP.mqttTopic("measurements", key("sensors/+"))).contains("sensors");
        assertThat(MAP.mqttTopic("measurements", ByteBuffer.wrap(new byte[] {(byte) 0xff})))
                .contains("sensors");
        assertThat(MAP.mqttTopic("mqtt", null)).contains("mqtt");
        assertThat(MAP.mqttTopic("alarms", null))
                .as("home is no topic of alarms")
                .isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", ":x", "a/#b:x", "a:b c", "a:reserved"})
    void aRuleThatIsNoneIsRefusedWithASentence(String rule) {
        assertThatThrownBy(() -> TopicMap.parse(List.of(rule), Set.of("reserved")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("topics: ");
    }

    @Test
    void aKeyHasThePartitionThatKafkasProducersChoose() {
        for (int length = 0; length < 100; length++) {
            byte[] key = "0123456789".repeat(10).substring(0, length).getBytes(UTF_8);
            key = length % 3 == 0 ? key : (new String(key, UTF_8) + "ß").getBytes(UTF_8);

            assertThat(KeyPartitioner.partition(key, 17)).isEqualTo(Utils.toPositive(Utils.murmur2(key)) % 17);
        }
    }
}
