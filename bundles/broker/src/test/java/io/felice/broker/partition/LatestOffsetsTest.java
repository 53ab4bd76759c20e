package io.felice.broker.partition;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

class LatestOffsetsTest {
    private static ByteBuffer key(int number) {
        return ByteBuffer.wrap(("key-" + number).getBytes(UTF_8));
    }

    @Test
    void everyKeyHasItsLatestOffset() {
        LatestOffsets latest = new LatestOffsets(LatestOffsets.bytesFor(100_000));
        for (int i = 0; i < 100_000; i++) {
            latest.put(key(i), i);
        }

        for (int i = 0; i < 100_000; i += 2) {
            latest.put(key(i), 200_000 + i);
        }

        assertThat(latest.count()).isEqualTo(100_000);
        for (int i = 0; i < 100_000; i++) {
            assertThat(latest.get(key(i))).isEqualTo(i % 2 == 0 ? 200_000 + i : i);
        }
        assertThat(latest.get(key(100_000))).isEqualTo(-1);
    }

    @Test
    void aFullTableAcceptsNewOffsetsButNoNewKeys() {
        LatestOffsets latest = new LatestOffsets(LatestOffsets.bytesFor(2));
        latest.put(key(1), 0);
        latest.put(key(2), 1);

        assertThat(latest.put(key(3), 2)).isFalse();
        assertThat(latest.put(key(1), 3)).isTrue();

        assertThat(latest.get(key(1))).isEqualTo(3);
        assertThat(latest.get(key(3))).isEqualTo(-1);
    }

    @Test
    void aKeyIsReadWithoutMovingItsPosition() {
        ByteBuffer key = key(1);

        new LatestOffsets(0).put(key, 0);

        assertThat(key).isEqualTo(key(1));
    }

    @Test
    void theEmptyKeyIsStoredLikeOtherKeys() {
        LatestOffsets latest = new LatestOffsets(LatestOffsets.bytesFor(2));

        latest.put(ByteBuffer.allocate(0), 0);

        assertThat(latest.get(ByteBuffer.allocate(0))).isZero();
    }
}
