package io.felice.plugins;

import io.felice.api.plugin.Plugins;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.startlevel.FrameworkStartLevel;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The bundles of plugins in the framework. Starts and stops none, so it runs no code of a plugin. One thread.
 *
 * <p>The bundle with the name of a plugin has the location {@code felice-plugin:NAME}, its libraries have {@code
 * felice-plugin:NAME/LIBRARY/VERSION}. A bundle whose start or stop hangs is <em>abandoned</em>: the framework does not
 * allow to change it, so the plugin's next bundle gets the location {@code felice-plugin:NAME#2}.
 */
final class PluginBundles {
    private static final Logger log = LoggerFactory.getLogger(PluginBundles.class);
    private static final Duration REFRESH = Duration.ofSeconds(60);

    private final BundleContext context;
    private final int startLevel;
    private final Map<Bundle, WatchedStep> abandoned = new LinkedHashMap<>();

    /** The SHA-256 of each bundle's jar, by location: a bundle of the cache whose jar is the same is not touched. */
    private final Properties contents = new Properties();

    /** @param startLevel of the bundles: below that of the node's bundles, so that these stop before their plugins */
    PluginBundles(BundleContext context, int startLevel) {
        this.context = context;
        this.startLevel = startLevel;
        readContents();
    }

    /** All bundles of plugins that are not abandoned, also those whose file is gone. */
    List<Bundle> all() {
        return Arrays.stream(context.getBundles())
                .filter(PluginIsolation::isPlugin)
                .filter(bundle -> !abandoned.containsKey(bundle))
                .toList();
    }

    /** The bundles of one plugin. */
    List<Bundle> of(String plugin) {
        return all().stream()
                .filter(bundle -> PluginIsolation.pluginOf(bundle).equals(plugin))
                .toList();
    }

    /** Whether the bundles of a plugin are those of this archive, with the same content. */
    boolean has(PluginArchive plugin) throws IOException {
        List<Bundle> present = of(plugin.name());
        if (present.size() != plugin.bundles().size()) {
            return false;
        }
        for (BundleJar jar : plugin.bundles()) {
            Bundle bundle = context.getBundle(locationOf(plugin, jar));
            if (bundle == null
                    || !ArchiveReader.sha256(jar.file()).equals(contents.getProperty(bundle.getLocation()))) {
                return false;
            }
        }
        return true;
    }

    /**
     * Makes the bundles of a plugin those of this archive. None of them may be active.
     *
     * @return the libraries first
     * @throws BundleException if the framework refuses one
     */
    List<Bundle> put(PluginArchive plugin) throws BundleException, IOException {
        List<Bundle> put = new ArrayList<>();
        for (BundleJar jar : plugin.bundles()) {
            put.add(put(locationOf(plugin, jar), jar));
        }
        List<Bundle> old = of(plugin.name()).stream()
                .filter(bundle -> !put.contains(bundle))
                .toList();
        for (Bundle each : old) {
            each.uninstall();
            contents.remove(each.getLocation());
        }
        writeContents();
        List<Bundle> changed = new ArrayList<>(put);
        changed.addAll(old);
        refresh(changed);
        return put;
    }

    private Bundle put(String location, BundleJar jar) throws BundleException, IOException {
        String sha256 = ArchiveReader.sha256(jar.file());
        Bundle bundle = context.getBundle(location);
        if (bundle != null && sha256.equals(contents.getProperty(location))) {
            return bundle;
        }
        try (InputStream in = Files.newInputStream(jar.file())) {
            if (bundle == null) {
                bundle = install(location, in);
            } else {
                bundle.update(in);
            }
        }
        contents.setProperty(location, sha256);
        return bundle;
    }

    /**
     * Installs with the start level of plugins. A later change of the start level would be made on the framework's one
     * thread for start levels, which waits until the start of the bundle ends; if that hangs, the framework could not stop.
     */
    private Bundle install(String location, InputStream in) throws BundleException {
        FrameworkStartLevel levels =
                context.getBundle(Constants.SYSTEM_BUNDLE_LOCATION).adapt(FrameworkStartLevel.class);
        int before = levels.getInitialBundleStartLevel();
        levels.setInitialBundleStartLevel(startLevel);
        try {
            return context.installBundle(location, in);
        } finally {
            levels.setInitialBundleStartLevel(before);
        }
    }

    /** The first location of this bundle that is not that of an abandoned one. */
    private String locationOf(PluginArchive plugin, BundleJar jar) {
        String part = jar.symbolicName().equals(plugin.name()) ? "" : "/" + jar.symbolicName() + "/" + jar.version();
        String first = Plugins.LOCATION + plugin.name() + part;
        String location = first;
        for (int next = 2; abandoned.containsKey(context.getBundle(location)); next++) {
            location = first + "#" + next;
        }
        return location;
    }

    /** Uninstalls bundles that are not active, and frees their classes. */
    void uninstall(Collection<Bundle> bundles) throws BundleException {
        for (Bundle bundle : bundles) {
            if (bundle.getState() != Bundle.UNINSTALLED) {
                bundle.uninstall();
            }
            contents.remove(bundle.getLocation());
        }
        writeContents();
        refresh(bundles);
    }

    /** Those of the bundles that a refresh of {@code bundles} would stop, and that are no plugins. */
    Set<String> nodeBundlesIn(Collection<Bundle> bundles) {
        Set<String> names = new TreeSet<>();
        for (Bundle each : closure(bundles)) {
            if (!PluginIsolation.isPlugin(each)) {
                names.add(each.getSymbolicName());
            }
        }
        return names;
    }

    Collection<Bundle> closure(Collection<Bundle> bundles) {
        return bundles.isEmpty() ? List.of() : BundleLifecycle.closure(context, bundles);
    }

    /** Wires bundles anew. None of their closure may be active. */
    private void refresh(Collection<Bundle> bundles) {
        if (bundles.isEmpty() || !nodeBundlesIn(bundles).isEmpty()) {
            return;
        }
        try {
            if (!BundleLifecycle.refresh(context, bundles, REFRESH)) {
                log.error(
                        "The framework has not wired the bundles of plugins anew within {} s: old code stays in memory until"
                                + " the node is restarted",
                        REFRESH.toSeconds());
            }
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
    }

    /** Leaves bundles to themselves, because a step of one of them hangs. */
    void abandon(Collection<Bundle> bundles, WatchedStep step) {
        bundles.forEach(bundle -> abandoned.put(bundle, step));
    }

    /**
     * What hangs, as sentences.
     *
     * @param isKnown true for the name of a plugin that is said to hang anyway
     */
    List<String> hanging(Predicate<String> isKnown) {
        return abandoned.entrySet().stream()
                .filter(each -> !each.getValue().isDone() && !isKnown.test(PluginIsolation.pluginOf(each.getKey())))
                .map(each -> "The bundle " + each.getKey().getSymbolicName() + " "
                        + each.getKey().getVersion() + " still hangs ("
                        + each.getValue().place()
                        + "). It ends with the next restart of the node")
                .toList();
    }

    /** An abandoned bundle whose step has come back: it can be stopped and uninstalled. */
    Optional<Bundle> returned() {
        return abandoned.entrySet().stream()
                .filter(each -> each.getValue().isDone())
                .map(Map.Entry::getKey)
                .findFirst();
    }

    void readmit(Bundle bundle) {
        abandoned.remove(bundle);
    }

    NodePackages packages(String exceptPlugin) {
        return NodePackages.of(
                context,
                bundle -> !abandoned.containsKey(bundle)
                        && !(PluginIsolation.isPlugin(bundle)
                                && PluginIsolation.pluginOf(bundle).equals(exceptPlugin)));
    }

    BundleContext context() {
        return context;
    }

    private void readContents() {
        File file = context.getDataFile("contents.properties");
        if (file == null || !file.exists()) {
            return;
        }
        try (InputStream in = Files.newInputStream(file.toPath())) {
            contents.load(in);
        } catch (IOException | IllegalArgumentException unreadable) {
            log.warn("{} cannot be read, so the plugins are installed anew: {}", file, unreadable.toString());
        }
    }

    private void writeContents() {
        File file = context.getDataFile("contents.properties");
        if (file == null) {
            return;
        }
        try (OutputStream out = Files.newOutputStream(file.toPath())) {
            contents.store(out, null);
        } catch (IOException unwritable) {
            log.warn(
                    "{} cannot be written, so the next start installs the plugins anew: {}",
                    file,
                    unwritable.toString());
        }
    }
}
