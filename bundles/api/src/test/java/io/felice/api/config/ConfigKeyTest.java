package io.felice.api.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import org.junit.jupiter.api.Test;

/** The messages for values that a config key refuses. */
class ConfigKeyTest {

    @Test
    void theMessageForANumberOutOfRangeNamesTheRange() {
        assertThat(BrokerConfig.KEYS.get(BrokerConfig.NUM_PARTITIONS).expected())
                .isEqualTo("a whole number from 1 to " + partitionsMax());
        assertThatThrownBy(
                        () -> BrokerConfig.KEYS.get(BrokerConfig.NUM_PARTITIONS).check("x"))
                .hasMessageContaining("Invalid value x for configuration num.partitions: it must be a whole number");
    }

    @Test
    void theLegalWordsOfAKeyAreListed() {
        assertThat(BrokerConfig.KEYS.get(BrokerConfig.AUTO_CREATE_TOPICS).expected())
                .isEqualTo("true or false");
        assertThat(TopicConfig.KEYS.get(TopicConfig.STORAGE_DURABILITY).expected())
                .startsWith("one of ")
                .contains("kill", "power", "none");
    }

    @Test
    void aValueThatTheBrokerWouldIgnoreIsRefused() {
        ConfigKey remote = TopicConfig.KEYS.get(TopicConfig.REMOTE_STORAGE_ENABLE);
        assertThatCode(() -> remote.check("False")).doesNotThrowAnyException();
        assertThatThrownBy(() -> remote.check("true"))
                .isInstanceOfSatisfying(FeliceException.class, refused -> assertThat(refused.code())
                        .isEqualTo(ErrorCode.INVALID_CONFIG))
                .hasMessage("Invalid value true for configuration remote.storage.enable: it must be false. There is no"
                        + " tiered storage: the storage engine of the topic keeps all segments.");
    }

    private static long partitionsMax() {
        return BrokerConfig.KEYS.get(BrokerConfig.NUM_PARTITIONS).max();
    }
}
