package io.felice.plugins;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Filter;
import org.osgi.framework.Version;
import org.osgi.framework.wiring.BundleCapability;
import org.osgi.framework.wiring.BundleRevision;

/** What the installed bundles export and provide at one moment. Immutable. */
final class NodePackages {
    /** A package that a bundle exports. */
    record Exported(String bundle, Version version) {}

    private final Map<String, List<Exported>> packages = new HashMap<>();
    private final List<BundleCapability> capabilities = new ArrayList<>();
    private final Set<String> privatePackages = new TreeSet<>();

    private NodePackages() {}

    /** @param counts the bundles that are looked at */
    static NodePackages of(BundleContext context, Predicate<Bundle> counts) {
        NodePackages found = new NodePackages();
        for (Bundle bundle : context.getBundles()) {
            BundleRevision revision = bundle.adapt(BundleRevision.class);
            if (revision != null && counts.test(bundle)) {
                found.add(bundle, revision);
            }
        }
        return found;
    }

    private void add(Bundle bundle, BundleRevision revision) {
        if (bundle.getSymbolicName() != null && bundle.getSymbolicName().startsWith("io.felice.")) {
            privatePackages.add(bundle.getSymbolicName());
        }
        for (BundleCapability capability : revision.getDeclaredCapabilities(null)) {
            capabilities.add(capability);
            if (capability.getNamespace().equals(BundleRevision.PACKAGE_NAMESPACE)) {
                Map<String, Object> attributes = capability.getAttributes();
                packages.computeIfAbsent(
                                (String) attributes.get(BundleRevision.PACKAGE_NAMESPACE), name -> new ArrayList<>())
                        .add(new Exported(bundle.getSymbolicName() + " " + bundle.getVersion(), (Version)
                                attributes.getOrDefault("version", Version.emptyVersion)));
            }
        }
    }

    /** Who exports a package, whatever the version. */
    List<Exported> exportersOf(String packageName) {
        return packages.getOrDefault(packageName, List.of());
    }

    /** The bundle of Felice that has a package and exports it to nobody. */
    Optional<String> keptBy(String packageName) {
        return privatePackages.stream()
                .filter(bundle -> packageName.equals(bundle) || packageName.startsWith(bundle + "."))
                .filter(bundle -> exportersOf(packageName).isEmpty())
                .findFirst();
    }

    boolean hasCapability(String namespace, Filter filter) {
        return capabilities.stream()
                .filter(capability -> capability.getNamespace().equals(namespace))
                .anyMatch(capability -> filter == null || filter.matches(capability.getAttributes()));
    }
}
