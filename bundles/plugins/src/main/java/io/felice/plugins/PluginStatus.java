package io.felice.plugins;

import io.felice.api.plugin.Plugin;
import io.felice.api.plugin.Plugin.State;
import io.felice.api.plugin.ProvidedExtension;
import io.felice.api.status.StatusTable;
import io.felice.api.status.TableColumn.Unit;
import io.felice.api.status.TableSchema;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;

/** The tables of the plugins. Written by one thread; any thread may ask. */
final class PluginStatus {
    private static final TableSchema PLUGINS = TableSchema.of("plugins.plugins", "The plugins of this node")
            .label("plugin", "The name of the plugin, or of its file if that cannot be read")
            .label("file", "Its file in plugins/; empty if the file is gone")
            .text("version", "The version that runs, or that would run")
            .text("state", "runs, waits, fails, left out, disabled, or changes")
            .gauge(
                    "since.ms",
                    Unit.MILLISECONDS,
                    "Since when this version is in this state, or since when the bundle io.felice.plugins runs, as a time"
                            + " since 1970-01-01 UTC")
            .text("extensions", "The extensions that it provides");

    private static final TableSchema SUMMARY = TableSchema.of("plugins", "How many plugins there are")
            .gauge("running", "Plugins that run")
            .gauge("left.out", "Plugins and files that were left out")
            .gauge("kept.versions", "Versions of plugins that are kept for a rollback");

    private final LongSupplier nowMs;
    private Map<List<String>, Since> since = Map.of();
    private volatile List<StatusTable> tables = List.of(PLUGINS.rows(List.of()), SUMMARY.row(0L, 0L, 0L));

    /** @param stateOf the version and the state */
    private record Since(List<String> stateOf, long ms) {}

    PluginStatus(LongSupplier nowMs) {
        this.nowMs = nowMs;
    }

    List<StatusTable> tables() {
        return tables;
    }

    void update(List<Plugin> plugins, long keptVersions) {
        Map<List<String>, Since> now = new HashMap<>();
        List<List<Object>> rows = plugins.stream()
                .map(plugin -> row(plugin, now.computeIfAbsent(key(plugin), key -> since(key, plugin))))
                .toList();
        since = now;
        tables = List.of(
                PLUGINS.rows(rows),
                SUMMARY.row(count(plugins, State.RUNS), count(plugins, State.LEFT_OUT), keptVersions));
    }

    private static List<String> key(Plugin plugin) {
        return List.of(plugin.name(), plugin.file());
    }

    private Since since(List<String> key, Plugin plugin) {
        List<String> stateOf = List.of(plugin.version(), plugin.state().name());
        Since before = since.get(key);
        return before != null && before.stateOf().equals(stateOf) ? before : new Since(stateOf, nowMs.getAsLong());
    }

    private static List<Object> row(Plugin plugin, Since since) {
        return List.of(
                plugin.name(),
                plugin.file(),
                plugin.version(),
                plugin.state().name().toLowerCase(Locale.ROOT).replace('_', ' '),
                since.ms(),
                plugin.provides().stream().map(ProvidedExtension::toString).collect(Collectors.joining(", ")));
    }

    private static long count(List<Plugin> plugins, State state) {
        return plugins.stream().filter(plugin -> plugin.state() == state).count();
    }
}
