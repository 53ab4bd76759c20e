package io.felice.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HumanUnitsTest {
    @ParameterizedTest
    @CsvSource({
        "retention,7d,retention.ms,604800000",
        "retention.ms,-1,retention.ms,-1",
        "retention.ms,90m,retention.ms,5400000",
        "segment.bytes,100MiB,segment.bytes,104857600",
        "retention.bytes,1GB,retention.bytes,1073741824",
        "retention.bytes,1.5g,retention.bytes,1610612736",
        "cleanup.policy,compact,cleanup.policy,compact",
        "min.insync.replicas,2,min.insync.replicas,2"
    })
    void aValueWithAUnitIsTheNumberThatKafkaWants(String key, String value, String kafkasKey, String kafkasValue) {
        assertThat(HumanUnits.key(key)).isEqualTo(kafkasKey);
        assertThat(HumanUnits.value(HumanUnits.key(key), value)).isEqualTo(kafkasValue);
    }

    @ParameterizedTest
    @CsvSource({
        "retention.ms,604800000,604800000 (7 d)",
        "segment.bytes,1073741824,1073741824 (1 GiB)",
        "segment.bytes,1073741825,1073741825",
        "flush.ms,9223372036854775807,9223372036854775807",
        "retention.ms,-1,-1"
    })
    void aNumberIsShownWithTheUnitThatItIsAWholeNumberOf(String key, String value, String shown) {
        assertThat(HumanUnits.shown(key, value)).isEqualTo(shown);
    }

    @Test
    void whatHasNoUnitOfTheRightKindIsRefused() {
        assertThatThrownBy(() -> HumanUnits.duration("7 parsecs")).hasMessageContaining("is not a time such as");
        assertThatThrownBy(() -> HumanUnits.bytes("12h")).hasMessageContaining("is not a size such as");
        assertThatThrownBy(() -> HumanUnits.value("retention.ms", "5GiB")).hasMessageContaining("is not a time");
    }
}
