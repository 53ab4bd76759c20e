package io.felice.storage.mvstore;

import io.felice.api.storage.SegmentSizes;

/** The contract with small store files and segments and little memory, so that every path is taken often. */
class SmallMvStorageEngineTest extends MvStorageEngineTest {
    @Override
    StoreSettings settings() {
        return new StoreSettings(2, 100_000, 5_000, 100_000, 0, 1);
    }

    @Override
    protected SegmentSizes sizes() {
        return new SegmentSizes(20_000, 50);
    }
}
