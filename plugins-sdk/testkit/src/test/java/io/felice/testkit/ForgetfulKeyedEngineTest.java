package io.felice.testkit;

import io.felice.api.storage.EngineTrait;
import io.felice.api.storage.SegmentSizes;
import io.felice.api.storage.StorageEngine;
import java.util.Set;

/** An engine that keeps nothing over a restart, with segments of a few batches. */
class ForgetfulKeyedEngineTest extends StorageEngineContract {
    @Override
    protected StorageEngine engine() {
        return new MapEngine(
                MapEngine.empty(), Set.of(EngineTrait.APPENDS_WITHOUT_BLOCKING, EngineTrait.REPLACES_RANGES));
    }

    @Override
    protected StorageEngine reopen() {
        return engine();
    }

    @Override
    protected SegmentSizes sizes() {
        return new SegmentSizes(500, 0);
    }
}
