package io.felice.network;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class FrameMemoryTest {
    private final FrameMemory memory = new FrameMemory(Long.MAX_VALUE / 2);

    /** No JVM allocates an array of this length. */
    @Test
    void aFailedAllocationIsNotCharged() {
        assertThat(memory.allocate(Integer.MAX_VALUE)).isNull();

        assertThat(memory.used()).isZero();
        assertThat(memory.allocate(100)).isNotNull();
    }
}
