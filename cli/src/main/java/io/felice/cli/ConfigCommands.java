package io.felice.cli;

import io.felice.shell.text.Listing;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.config.ConfigResource;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code felice config}. */
@Command(
        name = "config",
        description = "Configs of topics and brokers: list, get, set, unset.",
        footer = {"", "WHAT is topic:NAME, broker:ID, or brokers for all brokers together."})
final class ConfigCommands {
    private static final String WHAT = "topic:NAME, broker:ID, or brokers for all brokers together.";

    @Command(name = "list", description = "Lists the configs that were set for a topic or a broker.")
    int list(
            @Mixin ClientOptions client,
            @Mixin OutputOptions output,
            @Option(
                            names = {"-a", "--all"},
                            description = "Lists defaults too.")
                    boolean all,
            @Option(names = "--doc", description = "Says what each config means.") boolean doc,
            @Parameters(index = "0", paramLabel = "WHAT", description = WHAT) String what,
            @Parameters(index = "1", arity = "0..1", paramLabel = "PREFIX", description = "Only keys that begin so.")
                    String prefix) {
        ConfigResource resource = resource(what);
        try (Admin admin = client.admin()) {
            Listing configs = doc
                    ? new Listing("key", "value", "source", "read_only", "meaning")
                    : new Listing("key", "value", "source", "read_only");
            entries(admin, client, resource, doc, what).values().stream()
                    .filter(entry -> all || !entry.isDefault())
                    .filter(entry -> prefix == null || entry.name().startsWith(prefix))
                    .forEach(entry -> configs.row(row(entry, output, doc)));
            output.print(configs, what + " has the defaults; --all shows them.");
        }
        return 0;
    }

    private static Object[] row(ConfigEntry entry, OutputOptions output, boolean doc) {
        Stream<Object> cells =
                Stream.of(entry.name(), shown(entry, output), TopicConfigs.source(entry), entry.isReadOnly());
        return (doc
                        ? Stream.concat(cells, Stream.of(entry.documentation() == null ? "" : entry.documentation()))
                        : cells)
                .toArray();
    }

    private static Object shown(ConfigEntry entry, OutputOptions output) {
        String value = TopicConfigs.value(entry);
        String shown = output.form() == OutputOptions.Form.TABLE ? HumanUnits.shown(entry.name(), value) : value;
        return shown == null ? "" : shown;
    }

    /** A broker refuses what it does not know; a topic that is not there is not found. */
    private static Map<String, ConfigEntry> entries(
            Admin admin, ClientOptions client, ConfigResource resource, boolean doc, String what) {
        try {
            if (resource.type() == ConfigResource.Type.BROKER && !resource.isDefault()) {
                BrokerCommands.node(admin, client, Integer.parseInt(resource.name()));
            }
            return new TopicConfigs(admin, client).of(resource, doc);
        } catch (CliFailure failure) {
            throw failure.exitCode() == CliFailure.NOT_FOUND
                    ? failure.saying("There is no " + what.replace(':', ' ') + ".", null)
                    : failure;
        }
    }

    private static ConfigResource resource(String what) {
        if (what.equals("brokers")) {
            return new ConfigResource(ConfigResource.Type.BROKER, "");
        } else if (what.matches("broker:\\d{1,9}")) {
            return new ConfigResource(ConfigResource.Type.BROKER, what.substring("broker:".length()));
        } else if (what.startsWith("topic:") && what.length() > "topic:".length()) {
            return new ConfigResource(ConfigResource.Type.TOPIC, what.substring("topic:".length()));
        }
        throw CliFailure.usage("\"" + what + "\" has no configs.", "Write " + WHAT);
    }

    @Command(name = "get", description = "Prints the value of a config.")
    int get(
            @Mixin ClientOptions client,
            @Mixin OutputOptions output,
            @Parameters(index = "0", paramLabel = "WHAT", description = WHAT) String what,
            @Parameters(index = "1", paramLabel = "KEY", description = "The key.") String written) {
        String key = HumanUnits.key(written);
        try (Admin admin = client.admin()) {
            ConfigEntry entry =
                    entries(admin, client, resource(what), false, what).get(key);
            if (entry == null) {
                throw CliFailure.notFound(
                        what + " has no config " + key + ".", "felice config list " + what + " --all");
            }
            Listing one = new Listing("key", "value", "source", "read_only")
                    .row(entry.name(), TopicConfigs.value(entry), TopicConfigs.source(entry), entry.isReadOnly());
            output.done(String.valueOf(TopicConfigs.value(entry)), one);
        }
        return 0;
    }

    @Command(name = "set", description = "Sets configs; those that are not named stay. Prints what has changed.")
    int set(
            @Mixin ClientOptions client,
            @Mixin OutputOptions output,
            @Option(names = "--dry-run", description = "The broker checks the change and makes none.") boolean dryRun,
            @Parameters(index = "0", paramLabel = "WHAT", description = WHAT) String what,
            @Parameters(index = "1..*", arity = "1..*", paramLabel = "KEY=VALUE", description = "What to set.")
                    Map<String, String> values) {
        return change(client, output, dryRun, what, values, null);
    }

    @Command(name = "unset", description = "Takes the default again. Prints what has changed.")
    int unset(
            @Mixin ClientOptions client,
            @Mixin OutputOptions output,
            @Option(names = "--dry-run", description = "The broker checks the change and makes none.") boolean dryRun,
            @Parameters(index = "0", paramLabel = "WHAT", description = WHAT) String what,
            @Parameters(index = "1..*", arity = "1..*", paramLabel = "KEY", description = "The keys.")
                    List<String> keys) {
        return change(client, output, dryRun, what, null, keys);
    }

    private static int change(
            ClientOptions client,
            OutputOptions output,
            boolean dryRun,
            String what,
            Map<String, String> set,
            List<String> unset) {
        ConfigResource resource = resource(what);
        try (Admin admin = client.admin()) {
            entries(admin, client, resource, false, what);
            Listing changes = new TopicConfigs(admin, client).change(resource, set, unset, dryRun);
            if (dryRun) {
                output.note("Nothing was changed; this would be:");
            }
            output.print(changes, "Nothing was changed.");
        }
        return 0;
    }
}
