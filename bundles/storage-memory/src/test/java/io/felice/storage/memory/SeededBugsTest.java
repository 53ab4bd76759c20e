package io.felice.storage.memory;

import io.felice.api.storage.StorageEngine;
import io.felice.testkit.SeededBugsContract;
import io.felice.testkit.StorageEngineContract;
import java.nio.file.Path;
import java.util.function.UnaryOperator;

class SeededBugsTest extends SeededBugsContract {
    @Override
    protected StorageEngineContract contract(UnaryOperator<StorageEngine> mistake, Path directory) {
        return new MemoryStorageEngineTest() {
            @Override
            protected StorageEngine engine() {
                return mistake.apply(super.engine());
            }
        };
    }
}
