package org.example.felice;

import io.felice.api.storage.StorageEngine;
import io.felice.testkit.StorageEngineContract;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

class FilesEngineTest extends StorageEngineContract {
    @TempDir
    Path directory;

    @Override
    protected StorageEngine engine() {
        return reopen();
    }

    @Override
    protected StorageEngine reopen() {
        return new FilesEngine(directory);
    }
}
