package io.felice.plugins;

import io.felice.api.plugin.PluginCheck;
import io.felice.api.plugin.PluginCheck.Finding;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.felix.utils.manifest.Clause;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.Version;
import org.osgi.framework.VersionRange;

/** Compares a plugin with the node that it would be installed on. Changes nothing; one thread. */
final class Inspection {
    private static final String OUR_API = "io.felice.api";
    private static final Pattern JAVA_VERSION = Pattern.compile("version[>]?=([0-9.]+)");

    private final PluginArchive plugin;
    private final NodePackages node;
    private final Taken taken;
    private final List<Finding> findings = new ArrayList<>();

    /** The packages that the plugin brings itself, with their versions. */
    private final Map<String, List<Version>> own = new HashMap<>();

    private Inspection(PluginArchive plugin, NodePackages node, Taken taken) {
        this.plugin = plugin;
        this.node = node;
        this.taken = taken;
    }

    /** The names that are in use on the node. */
    interface Taken {
        /**
         * Who has a symbolic name, as in a sentence; empty if nobody has.
         *
         * @param symbolicName of a bundle that is not a library inside of a plugin
         */
        String bundle(String symbolicName);

        /** Who provides an extension of that kind and name, as in a sentence; empty if nobody does. */
        String extension(String kind, String name);
    }

    /** @param more what is known already: findings of the file, of its checksum and of its signature */
    static PluginCheck of(PluginArchive plugin, NodePackages node, Taken taken, List<Finding> more) {
        Inspection inspection = new Inspection(plugin, node, taken);
        inspection.findings.addAll(more);
        inspection.look();
        return new PluginCheck(
                plugin.name(),
                plugin.version(),
                plugin.provides(),
                inspection.configurations(),
                plugin.signer().badge(),
                inspection.findings);
    }

    private void look() {
        plugin.bundles().forEach(this::noteExports);
        for (BundleJar bundle : plugin.bundles()) {
            try {
                lookAt(bundle);
            } catch (IllegalArgumentException malformed) {
                refuse("A header of the manifest of " + bundle.symbolicName() + " is malformed.", malformed.toString());
            }
        }
        lookAtNames();
        if (plugin.provides().isEmpty()) {
            tell("It provides no extension of Felice, as far as its component's descriptors say: nothing of the node"
                    + " will call it.");
        }
    }

    private void noteExports(BundleJar bundle) {
        for (Clause clause : Header.clauses(bundle.headers().get(Constants.EXPORT_PACKAGE))) {
            own.computeIfAbsent(clause.getName(), name -> new ArrayList<>()).add(Header.version(clause));
        }
    }

    private void lookAt(BundleJar bundle) {
        lookForOurApi(bundle);
        lookAtHost(bundle);
        Set<String> outdated = new TreeSet<>();
        for (Clause clause : Header.clauses(bundle.headers().get(Constants.IMPORT_PACKAGE))) {
            if (!Header.isOptional(clause)) {
                lookAtImport(bundle, clause, outdated);
            }
        }
        if (!outdated.isEmpty()) {
            refuse(
                    "It was built for another version of Felice's API: " + String.join("; ", outdated)
                            + ". It needs a build for this node's version, or another version of Felice.",
                    "Import-Package: " + imports(bundle, OUR_API));
        }
        for (Clause clause : Header.clauses(bundle.headers().get(Constants.REQUIRE_BUNDLE))) {
            lookAtRequiredBundle(clause);
        }
        for (Clause clause : Header.clauses(bundle.headers().get(Constants.REQUIRE_CAPABILITY))) {
            lookAtCapability(clause);
        }
    }

    private void lookForOurApi(BundleJar bundle) {
        if (!bundle.ownApi().isEmpty()) {
            refuse(
                    "It carries its own copy of Felice's API ("
                            + bundle.ownApi().size() + " classes): the node would not"
                            + " recognize its extensions, because they implement interfaces of the copy. Its build must"
                            + " not put io.felice.api into the jar; in Maven that is the scope provided.",
                    bundle.ownApi().get(0));
        }
        for (Clause clause : Header.clauses(bundle.headers().get(Constants.EXPORT_PACKAGE))) {
            if (isOurs(clause.getName()) && bundle.ownApi().isEmpty()) {
                refuse(
                        "It exports the package " + clause.getName() + ", which belongs to Felice.",
                        "Export-Package: " + clause.getName());
            }
        }
    }

    private static boolean isOurs(String packageName) {
        return packageName.equals(OUR_API) || packageName.startsWith(OUR_API + ".");
    }

    private void lookAtHost(BundleJar bundle) {
        String host = bundle.host();
        if (!host.isEmpty()
                && plugin.bundles().stream()
                        .noneMatch(each -> each.symbolicName().equals(host))) {
            refuse(
                    "It is a fragment of the bundle " + host + ": a plugin cannot put classes into another bundle.",
                    "Fragment-Host: " + bundle.headers().get(Constants.FRAGMENT_HOST));
        }
    }

    private void lookAtImport(BundleJar bundle, Clause clause, Set<String> outdated) {
        String name = clause.getName();
        VersionRange range = Header.range(clause);
        if (own.getOrDefault(name, List.of()).stream().anyMatch(range::includes)) {
            return;
        }
        List<NodePackages.Exported> exporters = node.exportersOf(name);
        if (exporters.stream().anyMatch(exported -> range.includes(exported.version()))) {
            return;
        }
        if (isOurs(name) && !exporters.isEmpty()) {
            outdated.add("it wants " + name + " " + range + ", and this node has "
                    + exporters.get(0).version());
        } else {
            refuse(
                    missing(name, range, exporters),
                    "Import-Package: " + name + " " + range + " of " + bundle.symbolicName());
        }
    }

    private String missing(String name, VersionRange range, List<NodePackages.Exported> exporters) {
        if (isOurs(name)) {
            return "It was built for a newer version of Felice: this node's API has no package " + name + ".";
        }
        if (node.keptBy(name).isPresent()) {
            return "It uses the package " + name + ", which is internal to the bundle "
                    + node.keptBy(name).get() + ". Plugins can use io.felice.api only.";
        }
        if (!exporters.isEmpty()) {
            return "It needs the package " + name + " in a version of " + range + ", and this node has "
                    + exporters.stream()
                            .map(exported -> exported.version() + " (bundle " + exported.bundle() + ")")
                            .collect(Collectors.joining(", "))
                    + ". Put the library that it was built with into the plugin.";
        }
        return "It needs the package " + name + ", which no bundle of this node exports"
                + KnownLibraries.of(name)
                        .map(library -> "; the library " + library + " has it")
                        .orElse("")
                + ". Put the library into the plugin's jar, or make an archive of the plugin and its libraries.";
    }

    private static String imports(BundleJar bundle, String prefix) {
        return Header.clauses(bundle.headers().get(Constants.IMPORT_PACKAGE)).stream()
                .filter(clause -> clause.getName().startsWith(prefix))
                .map(clause -> clause.getName() + " " + Header.range(clause))
                .sorted(Comparator.naturalOrder())
                .collect(Collectors.joining(", "));
    }

    private void lookAtRequiredBundle(Clause clause) {
        boolean isThere = Header.isOptional(clause)
                || plugin.bundles().stream()
                        .anyMatch(each -> each.symbolicName().equals(clause.getName()))
                || !taken.bundle(clause.getName()).isEmpty();
        if (!isThere) {
            refuse("It needs the bundle " + clause.getName() + ", which is not on this node.", clause.toString());
        }
    }

    /** What a bundle needs of the platform, for example a version of Java. */
    private void lookAtCapability(Clause clause) {
        String effective = clause.getDirective(Constants.EFFECTIVE_DIRECTIVE);
        if (Header.isOptional(clause) || (effective != null && !effective.equals(Constants.EFFECTIVE_RESOLVE))) {
            return;
        }
        String filter = clause.getDirective(Constants.FILTER_DIRECTIVE);
        String namespace = clause.getName();
        boolean isOwn = plugin.bundles().stream()
                .flatMap(bundle -> Header.clauses(bundle.headers().get(Constants.PROVIDE_CAPABILITY)).stream())
                .anyMatch(provided -> provided.getName().equals(namespace));
        try {
            if (isOwn || node.hasCapability(namespace, filter == null ? null : FrameworkUtil.createFilter(filter))) {
                return;
            }
        } catch (InvalidSyntaxException malformed) {
            throw new IllegalArgumentException(malformed);
        }
        Matcher version = JAVA_VERSION.matcher(filter == null ? "" : filter);
        if (namespace.equals("osgi.ee") && version.find()) {
            refuse(
                    "It needs Java " + version.group(1) + ", and this node runs Java "
                            + Runtime.version().feature() + ".",
                    "Require-Capability: " + clause);
        } else {
            refuse("It needs " + namespace + ", which nothing on this node provides.", "Require-Capability: " + clause);
        }
    }

    private void lookAtNames() {
        String holder = taken.bundle(plugin.name());
        if (!holder.isEmpty()) {
            refuse(
                    "The name " + plugin.name() + " is taken by " + holder + ".",
                    "Bundle-SymbolicName: " + plugin.name());
        }
        Set<Object> seen = new HashSet<>();
        plugin.bundles().stream()
                .flatMap(bundle -> bundle.components().stream())
                .flatMap(component -> component.provides().stream())
                .filter(extension -> !extension.name().isEmpty())
                .forEach(extension -> {
                    if (!seen.add(extension)) {
                        refuse("It provides the " + extension + " twice.", "");
                        return;
                    }
                    String provider = taken.extension(extension.kind(), extension.name());
                    if (!provider.isEmpty()) {
                        refuse(
                                "It provides the " + extension + ", which " + provider
                                        + " provides already. The first one stays in use.",
                                "");
                    }
                });
    }

    private List<String> configurations() {
        return plugin.bundles().stream()
                .flatMap(bundle -> bundle.components().stream().flatMap(component -> component.pids().stream()
                        .filter(pid -> component.needsConfiguration()
                                || bundle.requiredKeys().containsKey(pid))
                        .map(pid -> withKeys(pid, bundle.requiredKeys().getOrDefault(pid, List.of())))))
                .distinct()
                .toList();
    }

    private static String withKeys(String pid, List<String> keys) {
        return keys.isEmpty() ? pid : pid + ": " + String.join(", ", keys);
    }

    private void refuse(String sentence, String raw) {
        findings.add(new Finding(true, sentence, raw));
    }

    private void tell(String sentence) {
        findings.add(new Finding(false, sentence, ""));
    }
}
