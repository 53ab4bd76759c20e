package io.felice.shell;

import io.felice.api.storage.StoreMaintenance;
import java.nio.file.Path;
import java.util.List;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;

/** {@code felice:store-backup}: copies an engine's files to a directory while the node goes on. */
@Service
@Command(
        scope = "felice",
        name = "store-backup",
        description = "Copies everything that an engine has committed to an empty directory, while the node goes on.")
public final class StoreBackupCommand implements Action {
    @Argument(
            index = 0,
            name = "directory",
            required = true,
            description = "An absolute path on the node's machine; the directory is made if it is not there.")
    String directory;

    @Argument(
            index = 1,
            name = "engine",
            description = "The storage engine, if more than one can be backed up: mvstore")
    String engine;

    @Reference
    List<StoreMaintenance> engines;

    @Override
    public Object execute() throws Exception {
        StoreMaintenance chosen = StoreWorkOutput.only(engine, engines);
        StoreWorkOutput.follow(chosen.backUp(Path.of(directory)), System.out);
        return null;
    }
}
