package io.felice.shell;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.status.Trouble;
import java.util.List;
import org.junit.jupiter.api.Test;

class DirectMemoryTest {
    private static final long MEGABYTE = 1 << 20;

    @Test
    void memoryThatIsNearlyUsedUpIsNamedWithWhatToDo() {
        assertThat(new DirectMemory(() -> 97 * MEGABYTE, 100 * MEGABYTE).troubles())
                .singleElement()
                .extracting(Trouble::reason)
                .asString()
                .contains("99328 of 102400 KB", "FELICE_DIRECT_MEMORY");
        assertThat(new DirectMemory(() -> 90 * MEGABYTE, 100 * MEGABYTE).troubles())
                .isEmpty();
        assertThat(new DirectMemory(() -> 0, MEGABYTE).troubles())
                .as("less than one buffer")
                .hasSize(1);
    }

    @Test
    void theLimitIsTheLastOptionAndElseTheHeaps() {
        assertThat(DirectMemory.limit(List.of("-Xmx1g", "-XX:MaxDirectMemorySize=2g"), 1))
                .isEqualTo(2048 * MEGABYTE);
        assertThat(DirectMemory.limit(List.of("-XX:MaxDirectMemorySize=2g", "-XX:MaxDirectMemorySize=512K"), 1))
                .isEqualTo(512 << 10);
        assertThat(DirectMemory.limit(List.of("-XX:MaxDirectMemorySize=4096"), 1))
                .isEqualTo(4096);
        assertThat(DirectMemory.limit(List.of("-XX:MaxDirectMemorySize=0"), 7)).isEqualTo(7);
        assertThat(DirectMemory.limit(List.of(), 7)).isEqualTo(7);
    }

    @Test
    void theMemoryOfThisProcessIsKnown() {
        assertThat(DirectMemory.ofThisProcess().troubles()).isEmpty();
    }
}
