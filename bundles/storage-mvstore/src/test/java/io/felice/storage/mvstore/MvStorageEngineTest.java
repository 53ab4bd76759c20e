package io.felice.storage.mvstore;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.storage.EngineTrait;
import io.felice.api.storage.StorageEngine;
import io.felice.testkit.StorageEngineContract;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The contract with every restart a kill -9: the next engine runs on a copy taken while the last one was running. */
class MvStorageEngineTest extends StorageEngineContract {
    @TempDir
    Path temp;

    private final List<MvStorageEngine> engines = new ArrayList<>();
    private Path path;

    StoreSettings settings() {
        return StoreSettings.DEFAULT;
    }

    @Override
    protected StorageEngine engine() {
        path = temp.resolve("first");
        return start();
    }

    @Override
    protected StorageEngine reopen() {
        Path copy = temp.resolve("copy-" + engines.size());
        StoreCopies.copy(path, copy);
        path = copy;
        return start();
    }

    @Override
    protected void closeEngines() {
        engines.forEach(MvStorageEngine::close);
    }

    /** The contract leaves out what an engine does not promise. */
    @Test
    void theEngineGivesEveryGuarantee() {
        assertThat(start().traits()).containsExactlyInAnyOrder(EngineTrait.values());
    }

    private MvStorageEngine start() {
        MvStorageEngine made = new MvStorageEngine(path, settings());
        engines.add(made);
        return made;
    }
}
