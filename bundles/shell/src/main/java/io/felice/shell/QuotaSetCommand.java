package io.felice.shell;

import io.felice.api.cluster.Admin;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.security.AuditLog;
import io.felice.api.security.QuotaEntity;
import io.felice.shell.text.QuotaText;
import java.util.List;
import java.util.Map;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;

/** {@code felice:quota-set}: limits what clients use. */
@Service
@Command(
        scope = "felice",
        name = "quota-set",
        description = "Limits what clients use, for example: felice:quota-set --user alice producer_byte_rate=1000000")
public final class QuotaSetCommand implements Action {
    @Option(name = "--user", description = "A user, or '<default>'")
    String user;

    @Option(name = "--client-id", description = "A client id, or '<default>'")
    String clientId;

    @Option(name = "--ip", description = "An address, or '<default>'")
    String ip;

    @Argument(
            name = "values",
            required = true,
            multiValued = true,
            description =
                    "KEY=VALUE: producer_byte_rate and consumer_byte_rate in bytes per second, request_percentage of"
                            + " one thread, controller_mutation_rate in partitions per second, and for an --ip"
                            + " connection_creation_rate per second")
    List<String> values;

    @Reference
    AuditLog audit;

    @Reference
    Admin admin;

    @Reference
    ClusterMetadata metadata;

    @Override
    public Object execute() throws Exception {
        QuotaEntity entity = QuotaText.entity(user, clientId, ip);
        ClusterChange.await(metadata, admin.alterQuotas(Map.of(entity, QuotaText.values(values)), false));
        audit.changed("shell", "quota-set " + QuotaText.words(entity) + " " + String.join(" ", values));
        Map<String, Double> now = metadata.view().security().quotas().getOrDefault(entity, Map.of());
        KarafTable.print(QuotaText.listing(Map.of(entity, now)), System.out, false, "(no quotas)");
        return null;
    }
}
