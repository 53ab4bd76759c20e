package org.example.felice;

import io.felice.api.PluginFiles;
import io.felice.api.storage.BatchStore;
import io.felice.api.storage.EngineTrait;
import io.felice.api.storage.KeyedEngine;
import io.felice.api.storage.StorageEngine;
import io.felice.api.storage.Volume;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;

/** Keeps each log in a directory of its own, with a file for each batch. */
@Component(service = StorageEngine.class, property = StorageEngine.NAME + "=files")
public final class FilesEngine extends KeyedEngine {
    private final Path directory;

    @Activate
    public FilesEngine(BundleContext context) {
        this(PluginFiles.directory(context));
    }

    FilesEngine(Path directory) {
        this.directory = directory;
    }

    @Deactivate
    void stop() {
        close();
    }

    @Override
    public Set<EngineTrait> traits() {
        return Set.of(EngineTrait.SURVIVES_KILL);
    }

    @Override
    public Volume volume() {
        return Volume.of("files", directory);
    }

    @Override
    protected BatchStore store(String name) throws IOException {
        return new FilesStore(Files.createDirectories(directory.resolve(name)));
    }

    @Override
    protected Set<String> names() throws IOException {
        return FilesStore.filesIn(directory);
    }
}
