package io.felice.shell;

import io.felice.api.cluster.ClusterMetadata;
import io.felice.shell.text.QuotaText;
import java.io.IOException;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;

/** {@code felice:quota-list}: shows the quotas. */
@Service
@Command(
        scope = "felice",
        name = "quota-list",
        description = "Shows the quotas. Who waits because of one is in: felice:status security.quotas")
public final class QuotaListCommand implements Action {
    @Option(name = "--json", description = "Prints JSON.")
    boolean json;

    @Reference
    ClusterMetadata metadata;

    @Override
    public Object execute() throws IOException {
        KarafTable.print(QuotaText.listing(metadata.view().security().quotas()), System.out, json, "(no quotas)");
        return null;
    }
}
