package io.felice.console;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.felice.api.config.NodeSettings;
import io.felice.console.http.Answer;
import io.felice.console.http.ApiRequest;
import io.felice.console.http.Endpoint;
import io.felice.console.http.Page;
import io.felice.console.http.Problem;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;

/** The settings in the files of this node: shown, checked before they are saved, and taken back. */
final class ConfigurationEndpoints {
    private static final String FILE = "felix.fileinstall.filename";
    private static final String SECRET = "(secret)";

    private final NodeServices services;
    private final SettingsHistory history;
    private final Audited audited;

    ConfigurationEndpoints(NodeServices services, SettingsHistory history, Audited audited) {
        this.services = services;
        this.history = history;
        this.audited = audited;
    }

    void addTo(Map<String, Endpoint> endpoints) {
        endpoints.put("listComponents", this::list);
        endpoints.put("getComponent", this::component);
        endpoints.put("alterComponent", this::alter);
        endpoints.put("getComponentHistory", this::history);
        endpoints.put("revertComponent", this::revert);
    }

    private record Item(
            String pid,
            String name,
            String help,
            String bundle,
            boolean plugin,
            int settings,
            int changed,
            String file) {}

    private record Option(String value, String label) {}

    private record Shown(
            String key,
            String type,
            String help,
            boolean list,
            boolean set,
            boolean secret,
            String value,
            @JsonProperty("default") String theDefault,
            String min,
            String max,
            List<Option> options) {}

    private record Component(
            String pid, String name, String help, String bundle, boolean plugin, List<Shown> settings, String file) {}

    private Answer list(ApiRequest request) throws IOException {
        List<Item> items = new ArrayList<>();
        for (NodeSettings.Reader reader : services.need(NodeSettings.class).readers()) {
            Dictionary<String, Object> properties = properties(reader.pid());
            Map<String, String> values = values(reader, properties);
            items.add(new Item(
                    reader.pid(),
                    reader.name(),
                    reader.help(),
                    reader.bundle(),
                    reader.isPlugin(),
                    reader.settings().size(),
                    (int) reader.settings().stream()
                            .filter(setting -> isSet(setting, values))
                            .count(),
                    file(properties)));
        }
        return Answer.of(Page.of(request, items, Item::pid, Map.of(), part -> List.copyOf(part)));
    }

    private NodeSettings.Reader find(String pid) {
        return services.need(NodeSettings.class)
                .reader(pid)
                .orElseThrow(() -> Problem.notFound("Nothing that is installed reads the configuration " + pid + "."));
    }

    private Dictionary<String, Object> properties(String pid) throws IOException {
        Dictionary<String, Object> properties = configuration(pid).getProperties();
        return properties == null ? new Hashtable<>() : properties;
    }

    private Configuration configuration(String pid) throws IOException {
        return services.need(ConfigurationAdmin.class).getConfiguration(pid, "?");
    }

    /** The values that are set, as they are written in a file. */
    private static Map<String, String> values(NodeSettings.Reader reader, Dictionary<String, Object> properties) {
        Map<String, String> values = new TreeMap<>();
        reader.settings().forEach(setting -> {
            Object value = properties.get(setting.key());
            if (value != null) {
                values.put(setting.key(), text(value));
            }
        });
        return values;
    }

    private static String text(Object value) {
        return (value instanceof String[] several ? String.join(",", several) : value.toString()).trim();
    }

    private static boolean isSet(NodeSettings.Described setting, Map<String, String> values) {
        String value = values.get(setting.key());
        return value != null && !Objects.equals(value, setting.theDefault() == null ? "" : setting.theDefault());
    }

    private static String file(Dictionary<String, Object> properties) {
        Object file = properties.get(FILE);
        try {
            return file == null ? null : Path.of(URI.create(file.toString())).toString();
        } catch (IllegalArgumentException noFile) {
            return null;
        }
    }

    private Answer component(ApiRequest request) throws IOException {
        NodeSettings.Reader reader = find(request.path("pid"));
        Dictionary<String, Object> properties = properties(reader.pid());
        Map<String, String> values = values(reader, properties);
        return Answer.of(new Component(
                        reader.pid(),
                        reader.name(),
                        reader.help(),
                        reader.bundle(),
                        reader.isPlugin(),
                        reader.settings().stream()
                                .map(setting -> shown(setting, values))
                                .toList(),
                        file(properties)))
                .tagged(ConfigEdits.etag(values));
    }

    private static Shown shown(NodeSettings.Described setting, Map<String, String> values) {
        String value = values.getOrDefault(setting.key(), setting.theDefault());
        return new Shown(
                setting.key(),
                type(setting),
                setting.help(),
                setting.isList(),
                isSet(setting, values),
                setting.isSecret(),
                setting.isSecret() ? null : value,
                setting.isSecret() ? null : setting.theDefault(),
                setting.min(),
                setting.max(),
                setting.options().isEmpty()
                        ? null
                        : setting.options().stream()
                                .map(option -> new Option(option, option))
                                .toList());
    }

    private static String type(NodeSettings.Described setting) {
        return switch (setting.type()) {
            case WHOLE_NUMBER -> "integer";
            case NUMBER -> "number";
            case FLAG -> "boolean";
            case TEXT -> setting.isSecret() ? "password" : "string";
        };
    }

    // ---- changes

    private Answer alter(ApiRequest request) throws IOException {
        ConfigEdits.Patch patch = request.body(ConfigEdits.Patch.class);
        patch.check();
        return change(request, find(request.path("pid")), patch);
    }

    private Answer change(ApiRequest request, NodeSettings.Reader reader, ConfigEdits.Patch patch) throws IOException {
        Configuration configuration = configuration(reader.pid());
        Dictionary<String, Object> properties =
                configuration.getProperties() == null ? new Hashtable<>() : configuration.getProperties();
        Map<String, String> before = values(reader, properties);
        request.checkUnchanged(ConfigEdits.etag(before));
        check(reader, patch);
        List<ConfigEdits.Diff> diffs = diffs(reader, patch, before);
        if (!request.isDryRun() && !diffs.isEmpty()) {
            patch.set().forEach(properties::put);
            patch.unset().forEach(properties::remove);
            history.changedHere(reader.pid(), request.caller().user(), diffs, () -> configuration.update(properties));
            audited.changed(
                    request,
                    "settings " + reader.pid() + " "
                            + diffs.stream().map(ConfigEdits.Diff::key).toList());
        }
        return Answer.of(new ConfigEdits.Changed(diffs, request.isDryRun(), isKept() ? null : false))
                .tagged(ConfigEdits.etag(values(reader, properties)));
    }

    /** False if the files of the settings may be those of other nodes too, or cannot be written (bin/felice). */
    private static boolean isKept() {
        return Boolean.parseBoolean(System.getProperty("felice.etc.kept", "true"));
    }

    private void check(NodeSettings.Reader reader, ConfigEdits.Patch patch) {
        List<Problem.FieldError> errors = new ArrayList<>();
        services.need(NodeSettings.class)
                .objections(reader.pid(), patch.set())
                .forEach((key, expected) ->
                        errors.add(new Problem.FieldError(key, key + " must be " + expected + ".", "invalid")));
        for (String key : patch.unset()) {
            if (reader.settings().stream().noneMatch(setting -> setting.key().equals(key))) {
                errors.add(new Problem.FieldError(key, key + " is no setting of " + reader.pid() + ".", "invalid"));
            }
        }
        if (!errors.isEmpty()) {
            throw Problem.invalid("Nothing was changed: " + errors.get(0).sentence(), errors);
        }
    }

    private static List<ConfigEdits.Diff> diffs(
            NodeSettings.Reader reader, ConfigEdits.Patch patch, Map<String, String> before) {
        List<ConfigEdits.Diff> diffs = new ArrayList<>();
        for (NodeSettings.Described setting : reader.settings()) {
            String old = before.get(setting.key());
            boolean isUnset = patch.unset().contains(setting.key());
            String now = isUnset ? null : patch.set().getOrDefault(setting.key(), old);
            if (!Objects.equals(old, now)) {
                diffs.add(
                        setting.isSecret()
                                ? new ConfigEdits.Diff(setting.key(), SECRET, SECRET, null)
                                : new ConfigEdits.Diff(setting.key(), old, now, null));
            }
        }
        return diffs;
    }

    private Answer history(ApiRequest request) {
        String pid = find(request.path("pid")).pid();
        List<SettingsHistory.Version> versions = new ArrayList<>(history.of(pid));
        Collections.reverse(versions);
        return Answer.of(Page.all(versions));
    }

    private record Revert(int version) {}

    private Answer revert(ApiRequest request) throws IOException {
        NodeSettings.Reader reader = find(request.path("pid"));
        int wanted = request.body(Revert.class).version();
        SettingsHistory.Version version = history.of(reader.pid()).stream()
                .filter(each -> each.version() == wanted)
                .findFirst()
                .orElseThrow(() -> Problem.notFound("There is no such change."));
        Map<String, String> set = new TreeMap<>();
        List<String> unset = new ArrayList<>();
        for (ConfigEdits.Diff diff : version.changed()) {
            if (SECRET.equals(diff.before())) {
                throw Problem.invalid("The value of " + diff.key() + " is secret, so it was not kept.");
            } else if (diff.before() == null) {
                unset.add(diff.key());
            } else {
                set.put(diff.key(), diff.before());
            }
        }
        return change(request, reader, new ConfigEdits.Patch(set, unset));
    }
}
