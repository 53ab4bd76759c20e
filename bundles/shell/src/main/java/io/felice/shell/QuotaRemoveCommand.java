package io.felice.shell;

import io.felice.api.cluster.Admin;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.security.AuditLog;
import io.felice.api.security.QuotaEntity;
import io.felice.shell.text.QuotaText;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;

/** {@code felice:quota-remove}: takes quotas away. */
@Service
@Command(scope = "felice", name = "quota-remove", description = "Takes quotas away.")
public final class QuotaRemoveCommand implements Action {
    @Option(name = "--user", description = "A user, or '<default>'")
    String user;

    @Option(name = "--client-id", description = "A client id, or '<default>'")
    String clientId;

    @Option(name = "--ip", description = "An address, or '<default>'")
    String ip;

    @Argument(
            name = "keys",
            multiValued = true,
            description = "The keys, for example producer_byte_rate; without them, all quotas of the entity.")
    List<String> keys;

    @Reference
    AuditLog audit;

    @Reference
    Admin admin;

    @Reference
    ClusterMetadata metadata;

    @Override
    public Object execute() throws Exception {
        QuotaEntity entity = QuotaText.entity(user, clientId, ip);
        Map<String, Double> there = metadata.view().security().quotas().getOrDefault(entity, Map.of());
        Collection<String> wanted = keys == null ? there.keySet() : keys;
        Map<String, Optional<Double>> removed =
                wanted.stream().collect(Collectors.toMap(Function.identity(), key -> Optional.empty()));
        if (removed.isEmpty()) {
            throw new IllegalArgumentException("There is no such quota.");
        }
        ClusterChange.await(metadata, admin.alterQuotas(Map.of(entity, removed), false));
        audit.changed("shell", "quota-remove " + QuotaText.words(entity) + " " + String.join(" ", wanted));
        System.out.println("Removed: " + String.join(", ", wanted));
        return null;
    }
}
