package io.felice.broker.partition;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.config.TopicConfig;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TopicRulesTest {
    @Test
    void theInternalSegmentSizeOverridesSegmentBytes() {
        assertThat(segmentBytes(Map.of(TopicConfig.SEGMENT_BYTES, "4000000"))).isEqualTo(4_000_000);
        assertThat(segmentBytes(Map.of(
                        TopicConfig.SEGMENT_BYTES, "4000000",
                        TopicConfig.INTERNAL_SEGMENT_BYTES, "1000")))
                .isEqualTo(1_000);
    }

    private static int segmentBytes(Map<String, String> configs) {
        return TopicRules.of(TopicConfig.with(configs)).sizes().segmentBytes();
    }
}
