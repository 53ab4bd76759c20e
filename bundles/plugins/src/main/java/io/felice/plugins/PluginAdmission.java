package io.felice.plugins;

import io.felice.api.plugin.Plugin;
import io.felice.api.plugin.Plugin.State;
import io.felice.api.plugin.PluginCheck;
import io.felice.api.plugin.PluginCheck.Finding;
import io.felice.api.plugin.ProvidedExtension;
import io.felice.plugins.PluginKeeper.Limits;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.osgi.framework.Bundle;
import org.osgi.framework.Constants;
import org.osgi.framework.ServiceReference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Decides which files become plugins, and says of the others why they are left out. Changes no plugin. One thread. */
final class PluginAdmission {
    private static final Logger log = LoggerFactory.getLogger(PluginAdmission.class);

    private final PluginBundles bundles;
    private final RunningPlugins running;
    private final KeptVersions kept;
    private final Supplier<Limits> limits;

    /** Why files are left out, by the name of the file. */
    private final Map<String, PluginCheck> leftOut = new TreeMap<>();

    /** The refusals that were logged, by the name of the file. */
    private final Map<String, String> told = new TreeMap<>();

    PluginAdmission(PluginBundles bundles, RunningPlugins running, KeptVersions kept, Supplier<Limits> limits) {
        this.bundles = bundles;
        this.running = running;
        this.kept = kept;
        this.limits = limits;
    }

    // ---- which file is whose ----

    /** The file of each plugin; of two files of one plugin the one that was there first. The others are left out. */
    Map<String, PluginFile> wanted(Collection<PluginFile> files) {
        Map<String, PluginFile> wanted = new LinkedHashMap<>();
        leftOut.clear();
        for (PluginFile file : files) {
            if (file.archive().isEmpty()) {
                unreadable(file, wanted);
                continue;
            }
            String name = file.archive().get().name();
            PluginFile other = wanted.get(name);
            if (other == null) {
                wanted.put(name, file);
            } else if (isFirst(name, file, other)) {
                wanted.put(name, file);
                second(other, file);
            } else {
                second(file, other);
            }
        }
        return wanted;
    }

    private boolean isFirst(String name, PluginFile file, PluginFile other) {
        String first = kept.notes(name).file();
        return file.fileName().equals(first) && !other.fileName().equals(first);
    }

    private void second(PluginFile file, PluginFile first) {
        PluginArchive archive = file.archive().orElseThrow();
        leaveOut(
                file,
                archive.name(),
                archive.version(),
                List.of(new Finding(
                        true,
                        "It is a second file of the plugin " + archive.name() + ", which is in " + first.fileName()
                                + first.archive()
                                        .map(one -> " (" + one.version() + ")")
                                        .orElse("")
                                + ". To upgrade: felice:plugin-upgrade " + archive.name() + " " + file.path()
                                + ", or delete the older file.",
                        "")));
    }

    /** If a plugin was in this file before, it goes on as it was. */
    private void unreadable(PluginFile file, Map<String, PluginFile> wanted) {
        Optional<String> name = kept.nameOf(file.fileName()).filter(each -> !wanted.containsKey(each));
        if (name.isPresent()) {
            wanted.put(name.get(), file);
        } else {
            leaveOut(file, file.fileName(), "", file.findings());
        }
    }

    // ---- what is left out ----

    void leaveOut(PluginFile file, String name, String version, List<Finding> findings) {
        leftOut.put(
                file.fileName(),
                new PluginCheck(
                        name,
                        version,
                        file.archive().map(PluginArchive::provides).orElse(List.of()),
                        List.of(),
                        file.archive().map(archive -> archive.signer().badge()).orElse(""),
                        findings));
    }

    /** A file that was left out becomes a plugin. */
    void admit(PluginFile file) {
        leftOut.remove(file.fileName());
        told.remove(file.fileName());
    }

    /** Forgets the files that are gone. */
    void retain(Set<String> fileNames) {
        leftOut.keySet().retainAll(fileNames);
    }

    boolean leavesOut() {
        return !leftOut.isEmpty();
    }

    /** Logs each refusal once. */
    void tell() {
        leftOut.forEach((file, check) -> {
            if (!check.refusal().equals(told.put(file, check.refusal()))) {
                log.warn("The plugin {} is left out: {}", file, check.refusal());
            }
        });
    }

    List<Plugin> list() {
        List<Plugin> all = new ArrayList<>();
        leftOut.forEach((file, check) -> all.add(new Plugin(
                check.name(),
                check.version(),
                file,
                State.LEFT_OUT,
                "left out: " + check.refusal(),
                check.provides(),
                check.signer(),
                List.of())));
        return all;
    }

    // ---- whether it fits ----

    /** Compares a file with the node. */
    PluginCheck check(PluginFile file) {
        return file.archive()
                .map(archive -> check(archive, file.findings()))
                .orElseGet(() -> new PluginCheck(file.fileName(), "", List.of(), List.of(), "", file.findings()));
    }

    PluginCheck check(PluginArchive archive) {
        return check(archive, List.of());
    }

    private PluginCheck check(PluginArchive archive, List<Finding> ofFile) {
        List<Finding> findings = new ArrayList<>(ofFile);
        if (limits.get().signatureRequired() && !archive.signer().isTrusted()) {
            findings.add(new Finding(
                    true,
                    archive.signer().subject().isEmpty()
                            ? "It is not signed, and signature.required of etc/io.felice.plugins.cfg is true."
                            : "It is signed by somebody who is not trusted here, and signature.required of"
                                    + " etc/io.felice.plugins.cfg is true.",
                    archive.signer().badge()));
        }
        return Inspection.of(archive, bundles.packages(archive.name()), new Names(archive.name()), findings);
    }

    /** Why a plugin cannot be upgraded to what its file is now; empty if it can. */
    String refusalOfUpgrade(RunningPlugin plugin) {
        PluginFile file = plugin.file;
        String refusal = file.isReadable() ? check(file).refusal() : file.refusal();
        return refusal.isEmpty() ? coreRefusal(plugin) : refusal;
    }

    /** Why its bundles cannot be changed: bundles of the node would be stopped with them. */
    private String coreRefusal(RunningPlugin plugin) {
        Collection<String> core = bundles.nodeBundlesIn(plugin.bundles);
        return core.isEmpty()
                ? ""
                : "The bundles " + String.join(", ", core)
                        + " of the node use it and would be stopped with it. Restart the node to change it.";
    }

    /** The names that others than one plugin have. */
    private final class Names implements Inspection.Taken {
        private final String except;

        Names(String except) {
            this.except = except;
        }

        @Override
        public String bundle(String symbolicName) {
            return Stream.of(bundles.context().getBundles())
                    .filter(bundle -> symbolicName.equals(bundle.getSymbolicName()))
                    .filter(bundle -> !PluginIsolation.isPlugin(bundle))
                    .map(bundle ->
                            "the bundle " + bundle.getSymbolicName() + " " + bundle.getVersion() + " of this node")
                    .findFirst()
                    .orElse("");
        }

        @Override
        public String extension(String kind, String name) {
            Optional<String> other = running.all().stream()
                    .filter(plugin -> !plugin.name.equals(except) && plugin.isInstalled())
                    .filter(plugin -> plugin.archive.provides().stream()
                            .anyMatch(each ->
                                    each.kind().equals(kind) && each.name().equals(name)))
                    .map(plugin -> "the plugin " + plugin.archive)
                    .findFirst();
            return other.orElseGet(() -> nodeBundle(kind, name));
        }

        private String nodeBundle(String kind, String name) {
            for (Bundle bundle : bundles.context().getBundles()) {
                ServiceReference<?>[] services =
                        PluginIsolation.isPlugin(bundle) ? null : bundle.getRegisteredServices();
                for (ServiceReference<?> service : services == null ? new ServiceReference<?>[0] : services) {
                    for (String each : (String[]) service.getProperty(Constants.OBJECTCLASS)) {
                        if (ExtensionKinds.isExtension(each)
                                && ExtensionKinds.of(each, service::getProperty)
                                        .equals(new ProvidedExtension(kind, name))) {
                            return "the bundle " + bundle.getSymbolicName() + " " + bundle.getVersion();
                        }
                    }
                }
            }
            return "";
        }
    }
}
