package io.felice.broker;

import static io.felice.broker.partition.Bench.refused;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.ErrorCode;
import org.junit.jupiter.api.Test;

class PlacementTest {
    @Test
    void theFirstMatchingPatternGivesTheEngine() {
        Placement placement = Placement.of("audit-*:mvstore, *-tmp:memory,*:log");

        assertThat(placement.engineOf("audit-tmp")).isEqualTo("mvstore");
        assertThat(placement.engineOf("x-tmp")).isEqualTo("memory");
        assertThat(placement.engineOf("audits")).isEqualTo("log");
        assertThat(placement.engines()).containsExactly("log", "memory", "mvstore");
    }

    @Test
    void aDotInAPatternMatchesOnlyADot() {
        Placement placement = Placement.of("a.b:memory");

        assertThat(placement.engineOf("a.b")).isEqualTo("memory");
        assertThat(placement.engineOf("axb")).isEqualTo("log");
    }

    @Test
    void aPlacementThatCannotBeParsedIsRefused() {
        refused(ErrorCode.INVALID_CONFIG, () -> Placement.of("log"));
        refused(ErrorCode.INVALID_CONFIG, () -> Placement.of("*:"));
        refused(ErrorCode.INVALID_CONFIG, () -> Placement.of(""));
        refused(ErrorCode.INVALID_CONFIG, () -> Placement.of(","));
    }
}
