package io.felice.storage.log;

import io.felice.api.storage.StorageEngine;

/** Runs the engine contract. At a restart the engine is closed, and the next one opens the logs without a scan. */
class CleanRestartTest extends LogStorageEngineTest {
    @Override
    boolean forced() {
        return false;
    }

    @Override
    protected StorageEngine reopen() {
        closeCurrent();
        return start(path());
    }
}
