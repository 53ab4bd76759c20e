package io.felice.storage.log;

import io.felice.api.storage.LogId;
import io.felice.api.storage.StorageEngine;
import io.felice.testkit.SeededBugsContract;
import io.felice.testkit.StorageEngineContract;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.UnaryOperator;

class SeededBugsTest extends SeededBugsContract {
    @Override
    protected StorageEngineContract contract(UnaryOperator<StorageEngine> mistake, Path directory) {
        LogStorageEngineTest contract = new LogStorageEngineTest() {
            @Override
            boolean forced() {
                return false;
            }

            @Override
            protected StorageEngine engine() {
                return mistake.apply(super.engine());
            }

            @Override
            protected StorageEngine reopen() {
                return mistake.apply(super.reopen());
            }

            @Override
            protected Optional<StorageEngine> reopenDamaged(LogId id, UnaryOperator<byte[]> damage) {
                return super.reopenDamaged(id, damage).map(mistake);
            }
        };
        contract.temp = directory;
        return contract;
    }
}
