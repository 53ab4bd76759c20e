package io.felice.storage.log;

import io.felice.api.storage.LogId;
import io.felice.api.storage.StorageEngine;
import io.felice.testkit.StorageEngineContract;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.io.TempDir;

/**
 * Runs the engine contract. A restart is a kill -9: the next engine uses a copy made while the last one was running.
 */
class LogStorageEngineTest extends StorageEngineContract {
    @TempDir
    Path temp;

    private final List<LogStorageEngine> engines = new ArrayList<>();
    private final FreezableFiles files = new FreezableFiles(forced());
    private LogStorageEngine current;
    private Path path;

    LogSettings settings() {
        return LogSettings.DEFAULT;
    }

    boolean forced() {
        return true;
    }

    @Override
    protected StorageEngine engine() {
        path = temp.resolve("first");
        return start(path);
    }

    @Override
    protected StorageEngine reopen() {
        Path copy = next();
        files.copy(path, copy);
        path = copy;
        return start(path);
    }

    @Override
    protected Optional<StorageEngine> reopenDamaged(LogId id, UnaryOperator<byte[]> damage) {
        Path copy = next();
        files.copy(path, copy);
        try {
            Path last = Directories.lastSegmentOf(copy.resolve(id.toString()));
            Files.write(last, damage.apply(Files.readAllBytes(last)));
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
        return Optional.of(make(copy));
    }

    @Override
    protected void closeEngines() {
        engines.forEach(LogStorageEngine::close);
    }

    Path path() {
        return path;
    }

    void closeCurrent() {
        current.close();
    }

    LogStorageEngine start(Path directory) {
        current = make(directory);
        return current;
    }

    private LogStorageEngine make(Path directory) {
        LogStorageEngine made = new LogStorageEngine(directory, settings(), files, Clock.systemUTC());
        engines.add(made);
        return made;
    }

    private Path next() {
        return temp.resolve("copy-" + engines.size());
    }
}
