package io.felice.cli;

import io.felice.shell.text.Listing;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.AlterConfigsOptions;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ConfigEntry.ConfigSource;
import org.apache.kafka.clients.admin.DescribeConfigsOptions;
import org.apache.kafka.common.config.ConfigResource;

/** Reads and changes the configs of a topic or a broker; only what is named is changed. Blocks. */
final class TopicConfigs {
    private static final List<ConfigSource> SET_HERE =
            List.of(ConfigSource.DYNAMIC_TOPIC_CONFIG, ConfigSource.DYNAMIC_BROKER_CONFIG);

    private final Admin admin;
    private final ClientOptions client;

    TopicConfigs(Admin admin, ClientOptions client) {
        this.admin = admin;
        this.client = client;
    }

    Map<String, ConfigEntry> of(ConfigResource resource, boolean withDocumentation) {
        Map<String, ConfigEntry> entries = new TreeMap<>();
        client.get(admin.describeConfigs(
                                List.of(resource), new DescribeConfigsOptions().includeDocumentation(withDocumentation))
                        .all())
                .get(resource)
                .entries()
                .forEach(entry -> entries.put(entry.name(), entry));
        return entries;
    }

    /** The configs that were set for this resource itself. */
    static Map<String, Object> own(Map<String, ConfigEntry> entries, ConfigResource resource) {
        Map<String, Object> own = new TreeMap<>();
        entries.values().stream()
                .filter(entry -> isOwn(entry, resource))
                .forEach(entry -> own.put(entry.name(), value(entry)));
        return own;
    }

    static boolean isOwn(ConfigEntry entry, ConfigResource resource) {
        return resource.type() == ConfigResource.Type.BROKER && resource.isDefault()
                ? entry.source() == ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG
                : SET_HERE.contains(entry.source());
    }

    static String value(ConfigEntry entry) {
        return entry.isSensitive() ? "(secret)" : entry.value();
    }

    /** Where a value comes from, for people. */
    static String source(ConfigEntry entry) {
        return switch (entry.source()) {
            case DYNAMIC_TOPIC_CONFIG -> "topic";
            case DYNAMIC_BROKER_CONFIG -> "broker";
            case DYNAMIC_DEFAULT_BROKER_CONFIG -> "brokers";
            case STATIC_BROKER_CONFIG -> "file";
            case DEFAULT_CONFIG -> "default";
            default -> entry.source().name().toLowerCase(Locale.ROOT).replace('_', ' ');
        };
    }

    /**
     * Changes configs, and returns what has become of each.
     *
     * @param set null for nothing
     * @param unset null for nothing
     * @param isDryRun true to let the broker check the change only
     */
    Listing change(ConfigResource resource, Map<String, String> set, List<String> unset, boolean isDryRun) {
        Map<String, ConfigEntry> before = of(resource, false);
        Map<String, String> wanted = new TreeMap<>();
        Collection<AlterConfigOp> changes = new ArrayList<>();
        Objects.requireNonNullElse(set, Map.<String, String>of()).forEach((written, text) -> {
            String key = HumanUnits.key(written);
            String value = HumanUnits.value(key, text);
            wanted.put(key, value);
            changes.add(new AlterConfigOp(new ConfigEntry(key, value), AlterConfigOp.OpType.SET));
        });
        Objects.requireNonNullElse(unset, List.<String>of()).forEach(written -> {
            String key = HumanUnits.key(written);
            wanted.put(key, null);
            changes.add(new AlterConfigOp(new ConfigEntry(key, null), AlterConfigOp.OpType.DELETE));
        });
        client.get(admin.incrementalAlterConfigs(
                        Map.of(resource, changes), new AlterConfigsOptions().validateOnly(isDryRun))
                .all());
        return difference(resource, before, wanted, isDryRun);
    }

    /** What was changed is read back; a value that is unset becomes that of the layer below, which is known only then. */
    private Listing difference(
            ConfigResource resource, Map<String, ConfigEntry> before, Map<String, String> wanted, boolean isDryRun) {
        Listing difference = new Listing("key", "before", "after", "source");
        Map<String, ConfigEntry> after = isDryRun ? before : readBack(resource, wanted);
        wanted.forEach((key, value) -> {
            ConfigEntry old = before.get(key);
            ConfigEntry now = after.get(key);
            String then = !isDryRun && now != null ? value(now) : value == null ? "(unset)" : value;
            difference.row(
                    key,
                    old == null ? null : HumanUnits.shown(key, value(old)),
                    HumanUnits.shown(key, then),
                    isDryRun || now == null ? null : source(now));
        });
        return difference;
    }

    /** A broker sees its own change a moment after it was decided. */
    private Map<String, ConfigEntry> readBack(ConfigResource resource, Map<String, String> wanted) {
        Map<String, ConfigEntry> now = of(resource, false);
        for (int i = 0; i < 20 && !isDone(now, wanted, resource); i++) {
            try {
                Thread.sleep(50);
            } catch (InterruptedException interrupted) {
                return now;
            }
            now = of(resource, false);
        }
        return now;
    }

    private static boolean isDone(Map<String, ConfigEntry> now, Map<String, String> wanted, ConfigResource resource) {
        return wanted.entrySet().stream().allMatch(each -> {
            ConfigEntry entry = now.get(each.getKey());
            return each.getValue() == null
                    ? entry == null || !isOwn(entry, resource)
                    : entry != null && (entry.isSensitive() || each.getValue().equals(entry.value()));
        });
    }
}
