package io.felice.broker.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.storage.Volume;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FreeSpaceTest {
    private static final long MB = 1 << 20;

    private final AtomicLong nanos = new AtomicLong();
    private volatile Volume volume;

    @ParameterizedTest
    @CsvSource({"100000, 64", "24, 3", "-1, 64"})
    void aFullEngineAcceptsRecordsAgainWhenClearlyMoreSpaceIsFree(long total, long enough) {
        long totalBytes = total < 0 ? -1 : total * MB;
        volume = new Volume("disk:", totalBytes, 0);
        FreeSpace room = new FreeSpace("disk", () -> volume, nanos::get);
        assertThat(room.ranOut(0)).isTrue();

        volume = new Volume("disk:", totalBytes, enough * MB - 1);
        room.look();

        assertThat(room.isFull()).isTrue();
        volume = new Volume("disk:", totalBytes, enough * MB);
        room.look();
        assertThat(room.isFull()).isFalse();
        assertThat(room.ranOut(0)).isFalse();
    }

    @Test
    void aFullEngineAcceptsRecordsAfterAWhileWithLittleMoreFreeSpace() {
        volume = new Volume("disk:", 24 * MB, 0);
        FreeSpace room = new FreeSpace("disk", () -> volume, nanos::get);
        room.ranOut(0);
        volume = new Volume("disk:", 24 * MB, 2 * MB);
        nanos.addAndGet(TimeUnit.SECONDS.toNanos(9));
        room.look();
        assertThat(room.isFull()).isTrue();

        nanos.addAndGet(TimeUnit.SECONDS.toNanos(1));
        room.look();

        assertThat(room.isFull()).isFalse();
    }

    @Test
    void aFullEngineStaysFullWhileAlmostNoSpaceIsFree() {
        volume = new Volume("disk:", 24 * MB, 0);
        FreeSpace room = new FreeSpace("disk", () -> volume, nanos::get);
        room.ranOut(0);
        volume = new Volume("disk:", 24 * MB, MB);

        nanos.addAndGet(TimeUnit.HOURS.toNanos(1));
        room.look();

        assertThat(room.isFull()).isTrue();
    }

    @Test
    void oneLargeBatchThatDidNotFitBlocksSmallBatchesOnlyForAWhile() {
        volume = new Volume("memory:", 256 * MB, 90 * MB);
        FreeSpace room = new FreeSpace("memory", () -> volume, nanos::get);
        assertThat(room.ranOut(95 * MB)).isTrue();
        room.look();
        assertThat(room.isFull()).isTrue();

        nanos.addAndGet(TimeUnit.SECONDS.toNanos(10));
        room.look();

        assertThat(room.isFull()).isFalse();
    }

    @ParameterizedTest
    @CsvSource({"100000, 4", "40, 2", "-1, 4"})
    void aFailedWriteMakesTheEngineFullOnlyIfAlmostNoSpaceIsFree(long total, long least) {
        long totalBytes = total < 0 ? -1 : total * MB;
        volume = new Volume("disk:", totalBytes, least * MB);
        FreeSpace room = new FreeSpace("disk", () -> volume, nanos::get);
        assertThat(room.ranOut(0)).isFalse();

        volume = new Volume("disk:", totalBytes, least * MB - 1);

        assertThat(room.ranOut(0)).isTrue();
    }
}
