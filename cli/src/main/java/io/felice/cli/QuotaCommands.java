package io.felice.cli;

import io.felice.api.security.QuotaEntity;
import io.felice.shell.text.QuotaText;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterClientQuotasOptions;
import org.apache.kafka.common.quota.ClientQuotaAlteration;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.apache.kafka.common.quota.ClientQuotaFilter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code felice quota}. The words are those of {@code felice:quota-set}. */
@Command(name = "quota", description = "Limits of what clients use: list, set, remove.")
final class QuotaCommands {
    private static final String KEYS = "producer_byte_rate, consumer_byte_rate (bytes per second), request_percentage,"
            + " controller_mutation_rate; with --of-ip connection_creation_rate";

    /** Whose limits. */
    static final class Whose {
        @Option(names = "--of-user", paramLabel = "NAME", description = "A user, or '<default>'.")
        String user;

        @Option(names = "--of-client-id", paramLabel = "ID", description = "A client id, or '<default>'.")
        String clientId;

        @Option(names = "--of-ip", paramLabel = "ADDRESS", description = "An address, or '<default>'.")
        String ip;

        QuotaEntity entity() {
            if (user == null && clientId == null && ip == null) {
                throw CliFailure.usage(
                        "Whose quota?",
                        "Give --of-user, --of-client-id, both, or --of-ip; '<default>' stands for everybody without one.");
            }
            return new QuotaEntity(user, clientId, ip);
        }
    }

    @Command(name = "list", description = "Lists the limits that were set.")
    int list(@Mixin ClientOptions client, @Mixin OutputOptions output) {
        try (Admin admin = client.admin()) {
            output.print(QuotaText.listing(all(admin, client)), "There are no quotas.");
        }
        return 0;
    }

    private static Map<QuotaEntity, Map<String, Double>> all(Admin admin, ClientOptions client) {
        Map<QuotaEntity, Map<String, Double>> quotas = new HashMap<>();
        client.get(admin.describeClientQuotas(ClientQuotaFilter.all()).entities())
                .forEach((entity, values) -> quotas.put(
                        new QuotaEntity(
                                part(entity, ClientQuotaEntity.USER),
                                part(entity, ClientQuotaEntity.CLIENT_ID),
                                part(entity, ClientQuotaEntity.IP)),
                        new TreeMap<>(values)));
        return quotas;
    }

    private static String part(ClientQuotaEntity entity, String type) {
        return entity.entries().containsKey(type)
                ? Optional.ofNullable(entity.entries().get(type)).orElse(QuotaEntity.DEFAULT)
                : null;
    }

    @Command(
            name = "set",
            description = "Sets limits: " + KEYS + ".",
            footer = {"", "  felice quota set --of-user alice producer_byte_rate=10MiB"})
    int set(
            @Mixin ClientOptions client,
            @Mixin OutputOptions output,
            @Mixin Whose whose,
            @Option(names = "--dry-run", description = "The cluster checks the request and sets nothing.")
                    boolean dryRun,
            @Parameters(paramLabel = "KEY=VALUE", arity = "1..*", description = "What to set.") List<String> words) {
        QuotaEntity entity = whose.entity();
        Map<String, Optional<Double>> values =
                QuotaText.values(words.stream().map(QuotaCommands::withoutUnit).toList());
        List<ClientQuotaAlteration.Op> changes = new ArrayList<>();
        values.forEach((key, value) -> changes.add(new ClientQuotaAlteration.Op(key, value.orElse(null))));
        alter(client, entity, changes, dryRun);
        Map<String, Double> shown = new TreeMap<>();
        values.forEach((key, value) -> shown.put(key, value.orElse(0.0)));
        output.print(QuotaText.listing(Map.of(entity, shown)), "");
        return 0;
    }

    private static String withoutUnit(String word) {
        int equals = word.indexOf('=');
        String key = equals < 0 ? "" : word.substring(0, equals);
        String value = word.substring(equals + 1);
        return key.endsWith("byte_rate") && value.matches(".*[A-Za-z]") && !value.matches("[\\d.]+[eE]\\d+")
                ? key + "=" + HumanUnits.bytes(value)
                : word;
    }

    private static void alter(
            ClientOptions client, QuotaEntity entity, List<ClientQuotaAlteration.Op> changes, boolean dryRun) {
        Map<String, String> parts = new HashMap<>();
        put(parts, ClientQuotaEntity.USER, entity.user());
        put(parts, ClientQuotaEntity.CLIENT_ID, entity.clientId());
        put(parts, ClientQuotaEntity.IP, entity.ip());
        try (Admin admin = client.admin()) {
            client.get(admin.alterClientQuotas(
                            List.of(new ClientQuotaAlteration(new ClientQuotaEntity(parts), changes)),
                            new AlterClientQuotasOptions().validateOnly(dryRun))
                    .all());
        }
    }

    /** Kafka's word for the default is null. */
    private static void put(Map<String, String> parts, String type, String name) {
        if (name != null) {
            parts.put(type, name.equals(QuotaEntity.DEFAULT) ? null : name);
        }
    }

    @Command(
            name = "remove",
            description = "Removes limits: those that are named, or all of the user, client or address.")
    int remove(
            @Mixin ClientOptions client,
            @Mixin OutputOptions output,
            @Mixin Consent consent,
            @Mixin Whose whose,
            @Parameters(paramLabel = "KEY", arity = "0..*", description = "The key.") List<String> keys) {
        QuotaEntity entity = whose.entity();
        Map<String, Double> now;
        try (Admin admin = client.admin()) {
            now = new TreeMap<>(all(admin, client).getOrDefault(entity, Map.of()));
        }
        if (keys != null && !keys.isEmpty()) {
            now.keySet().retainAll(keys);
        }
        if (now.isEmpty()) {
            throw CliFailure.notFound("There is no such quota.", "felice quota list shows the quotas.");
        }
        if (!consent.dryRun) {
            consent.require("Remove " + String.join(", ", now.keySet()) + "?");
            alter(
                    client,
                    entity,
                    now.keySet().stream()
                            .map(key -> new ClientQuotaAlteration.Op(key, null))
                            .toList(),
                    false);
        }
        output.print(QuotaText.listing(Map.of(entity, now)), "");
        return 0;
    }
}
