package io.felice.storage.log;

import io.felice.api.storage.StorageEngine;

/** The contract with every restart in order: the logs are closed, and opened again without a scan. */
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
