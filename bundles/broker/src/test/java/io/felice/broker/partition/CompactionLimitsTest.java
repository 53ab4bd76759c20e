package io.felice.broker.partition;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.config.BrokerConfig;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

class CompactionLimitsTest {
    private static final long MB = 1 << 20;

    private final Map<String, String> config = new HashMap<>();
    private final CompactionLimits limits = new CompactionLimits(() -> BrokerConfig.with(config), 100 * MB, MB);

    @Test
    void theKeysOfAllRunsTogetherStayBelowTheLimitOrHaveTheLeastThatARunNeeds() {
        config.put(BrokerConfig.LOG_CLEANER_DEDUPE_BUFFER_SIZE, Long.toString(10 * MB));

        assertThat(limits.began(4 * MB)).isEqualTo(4 * MB);
        assertThat(limits.began(20 * MB)).isEqualTo(6 * MB);
        assertThat(limits.began(20 * MB)).isEqualTo(MB);
        assertThat(limits.began(100)).isEqualTo(100);
        limits.ended(6 * MB);

        assertThat(limits.runs()).isEqualTo(3);
        assertThat(limits.keyBytes()).isEqualTo(5 * MB + 100);
        assertThat(limits.began(20 * MB)).isEqualTo(5 * MB - 100);
    }

    @Test
    void noMoreThanAPartOfTheHeapIsTakenWhateverTheSettingSays() {
        config.put(BrokerConfig.LOG_CLEANER_DEDUPE_BUFFER_SIZE, Long.toString(1_000 * MB));

        assertThat(limits.began(Long.MAX_VALUE)).isEqualTo(100 * MB);
    }

    @Test
    void runsShareTheBytesPerSecond() {
        config.put(BrokerConfig.LOG_CLEANER_IO_MAX_BYTES_PER_SECOND, "1000.0");

        limits.began(1);
        assertThat(limits.bytesPerSecond()).isEqualTo(1_000);
        limits.began(1);

        assertThat(limits.bytesPerSecond()).isEqualTo(500);
    }
}
