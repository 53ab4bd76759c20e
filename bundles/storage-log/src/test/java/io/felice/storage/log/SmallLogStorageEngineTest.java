package io.felice.storage.log;

import io.felice.api.storage.SegmentSizes;

/** Runs the engine contract with tiny tails, two open files and a dense index, so that rare cases happen often. */
class SmallLogStorageEngineTest extends LogStorageEngineTest {
    @Override
    boolean forced() {
        return false;
    }

    @Override
    LogSettings settings() {
        return new LogSettings(2 * TailBuffers.SMALLEST, 3 * TailBuffers.SMALLEST, 2, 1);
    }

    @Override
    protected SegmentSizes sizes() {
        return new SegmentSizes(20_000, 50);
    }
}
