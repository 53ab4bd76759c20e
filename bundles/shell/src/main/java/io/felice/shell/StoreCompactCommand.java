package io.felice.shell;

import io.felice.api.storage.StoreMaintenance;
import java.util.List;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;

/** {@code felice:store-compact}: gives back space of an engine's files that no record uses. */
@Service
@Command(
        scope = "felice",
        name = "store-compact",
        description = "Moves what is used out of store files that are mostly not, and deletes them.")
public final class StoreCompactCommand implements Action {
    @Argument(name = "engine", description = "The storage engine, if more than one can be compacted: mvstore")
    String engine;

    @Reference
    List<StoreMaintenance> engines;

    @Override
    public Object execute() throws Exception {
        StoreWorkOutput.follow(StoreWorkOutput.only(engine, engines).compact(), System.out);
        return null;
    }
}
