package io.felice.console;

import io.felice.api.plugin.Plugin;
import io.felice.api.plugin.PluginCheck;
import io.felice.api.plugin.PluginWork;
import io.felice.api.plugin.Plugins;
import io.felice.api.plugin.ProvidedExtension;
import io.felice.api.security.Action;
import io.felice.api.security.Operation;
import io.felice.console.access.Permits;
import io.felice.console.http.Answer;
import io.felice.console.http.ApiRequest;
import io.felice.console.http.Endpoint;
import io.felice.console.http.Page;
import io.felice.console.http.Problem;
import io.felice.console.live.Operations;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;

/** The plugins of this node, and the files that are uploaded to become plugins. */
final class PluginEndpoints {
    private final NodeServices services;
    private final Permits permits;
    private final Operations operations;
    private final Uploads uploads;
    private final Audited audited;

    PluginEndpoints(NodeServices services, Permits permits, Operations operations, Uploads uploads, Audited audited) {
        this.services = services;
        this.permits = permits;
        this.operations = operations;
        this.uploads = uploads;
        this.audited = audited;
    }

    void addTo(Map<String, Endpoint> endpoints) {
        endpoints.put(
                "listPlugins",
                request -> Answer.of(Page.all(services.need(Plugins.class).list().stream()
                        .map(PluginEndpoints::shown)
                        .toList())));
        endpoints.put("checkPlugin", this::check);
        endpoints.put("installPlugin", this::install);
        endpoints.put("upgradePlugin", this::upgrade);
        endpoints.put("rollbackPlugin", request -> change(request, "rollback", "Brings back", Plugins::rollback));
        endpoints.put("enablePlugin", request -> change(request, "enable", "Starts", Plugins::enable));
        endpoints.put("disablePlugin", request -> change(request, "disable", "Stops", Plugins::disable));
        endpoints.put("removePlugin", request -> change(request, "remove", "Removes", Plugins::remove));
    }

    private record Extension(String kind, String name) {}

    private record Shown(
            String name,
            String version,
            String file,
            String state,
            String sentence,
            List<Extension> provides,
            String signer,
            List<String> kept) {}

    private static Shown shown(Plugin plugin) {
        return new Shown(
                plugin.name(),
                plugin.version(),
                plugin.file(),
                plugin.state().name().toLowerCase(Locale.ROOT).replace('_', '-'),
                plugin.sentence(),
                extensions(plugin.provides()),
                plugin.signer(),
                plugin.kept());
    }

    private static List<Extension> extensions(List<ProvidedExtension> provided) {
        return provided.stream()
                .map(each -> new Extension(each.kind(), each.name().isEmpty() ? null : each.name()))
                .toList();
    }

    private record Finding(boolean refuses, String sentence, String raw) {}

    private record Checked(
            String name,
            String version,
            boolean fits,
            List<Extension> provides,
            List<String> configurations,
            String signer,
            List<Finding> findings,
            String token,
            String fileName,
            String installed) {}

    private Answer check(ApiRequest request) throws IOException {
        demandAdmin(request);
        Plugins plugins = services.need(Plugins.class);
        Uploads.Upload upload = uploads.take(request);
        PluginCheck check = plugins.check(upload.file());
        return Answer.of(new Checked(
                check.name(),
                check.version(),
                check.fits(),
                extensions(check.provides()),
                check.configurations(),
                check.signer(),
                check.findings().stream()
                        .map(each -> new Finding(
                                each.refuses(), each.sentence(), each.raw().isEmpty() ? null : each.raw()))
                        .toList(),
                upload.token(),
                upload.file().getFileName().toString(),
                plugins.list().stream()
                        .filter(plugin -> plugin.name().equals(check.name()))
                        .map(Plugin::version)
                        .findFirst()
                        .orElse(null)));
    }

    /** Who installs a plugin runs code on this machine. */
    private void demandAdmin(ApiRequest request) {
        permits.demand(request.caller(), Action.onCluster(Operation.ALTER));
    }

    private record Token(String token) {}

    private Answer install(ApiRequest request) throws IOException {
        demandAdmin(request);
        Uploads.Upload upload = uploads.find(request.body(Token.class).token());
        PluginWork work = services.need(Plugins.class).install(upload.file());
        return begun(request, "plugin-install", "Installs " + upload.file().getFileName(), work, upload);
    }

    private Answer upgrade(ApiRequest request) throws IOException {
        demandAdmin(request);
        String name = find(request);
        Uploads.Upload upload = uploads.find(request.body(Token.class).token());
        PluginWork work = services.need(Plugins.class).upgrade(name, upload.file());
        return begun(request, "plugin-upgrade", "Upgrades " + name, work, upload);
    }

    private interface Change {
        PluginWork of(Plugins plugins, String name);
    }

    private Answer change(ApiRequest request, String verb, String words, Change change) {
        demandAdmin(request);
        // A plugin that was removed is not in the list, and may be brought back.
        String name = verb.equals("rollback") ? request.path("plugin") : find(request);
        PluginWork work = change.of(services.need(Plugins.class), name);
        return begun(request, "plugin-" + verb, words + " " + name, work, null);
    }

    private String find(ApiRequest request) {
        String name = request.path("plugin");
        if (services.need(Plugins.class).list().stream()
                .noneMatch(plugin -> plugin.name().equals(name))) {
            throw Problem.notFound("There is no plugin of this name.");
        }
        return name;
    }

    private Answer begun(ApiRequest request, String kind, String title, PluginWork work, Uploads.Upload upload) {
        audited.changed(request, kind + " " + title.substring(title.indexOf(' ') + 1));
        if (upload != null) {
            work.outcome().whenComplete((done, failure) -> uploads.forget(upload));
        }
        Function<PluginWork.Stage, String> words = stage ->
                Character.toUpperCase(stage.words().charAt(0)) + stage.words().substring(1) + ".";
        return Answer.of(
                202,
                operations.begin(
                        kind,
                        title,
                        request.caller().user(),
                        "plugin/" + title.substring(title.lastIndexOf(' ') + 1),
                        () -> words.apply(work.stage()),
                        work.outcome()));
    }
}
