package io.felice.broker.partition;

import io.felice.storage.log.LogSettings;
import io.felice.storage.log.LogStorageEngine;
import org.junit.jupiter.api.AfterEach;

/** The tests of {@link CompactionTest} on the default engine. */
class CompactionOnFilesTest extends CompactionTest {
    private LogStorageEngine files;

    @Override
    Bench makeBench() {
        files = new LogStorageEngine(directory.resolve("logs"), LogSettings.DEFAULT);
        return new Bench(directory.resolve("state"), files);
    }

    @AfterEach
    void closeFiles() {
        files.close();
    }
}
