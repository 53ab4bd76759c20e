package io.felice.storage.log;

import io.felice.api.storage.SegmentSizes;

/** The contract with tiny tails, few open files and a dense index, so that every path is taken often. */
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
