package io.felice.plugins;

import static io.felice.plugins.BundleLifecycle.words;

import io.felice.api.plugin.Plugin.State;
import io.felice.api.plugin.PluginWork.Stage;
import io.felice.plugins.ComponentHealth.Condition;
import io.felice.plugins.KeptVersions.Notes;
import io.felice.plugins.PluginKeeper.Limits;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The plugins of this node: installs them, starts and stops them, and knows how each of them is. Code of a plugin runs in
 * {@link WatchedStep steps} on threads of its own. A plugin whose step does not come back in time is left to itself and is
 * not installed any more. One thread.
 *
 * <pre>
 * CHANGES              its bundles are put and started; then one of:
 * RUNS, WAITS, FAILS   it has started: what its components say, at each look
 * LEFT_OUT             its bundles cannot be put, or its start throws or hangs: nothing of it is installed
 * DISABLED             an operator has disabled it: nothing of it is installed
 * </pre>
 */
final class RunningPlugins {
    private static final Logger log = LoggerFactory.getLogger(RunningPlugins.class);

    /** How often a component is tried again that throws when it is activated. */
    private static final long RETRY_MS = 30_000;

    private static final Duration SETTLE = Duration.ofSeconds(2);
    private static final long SETTLE_STEP_MS = 50;
    private static final long HANGING_STEP_MS = 2_000;

    private final PluginBundles bundles;
    private final ComponentHealth health;
    private final WatchedDirectory directory;
    private final Supplier<Limits> limits;
    private final Consumer<Stage> stage;
    private final LongSupplier nowMs;

    private final Map<String, RunningPlugin> plugins = new TreeMap<>();

    /** @param stage hears of the stages of each change */
    RunningPlugins(
            PluginBundles bundles,
            ComponentHealth health,
            WatchedDirectory directory,
            Supplier<Limits> limits,
            Consumer<Stage> stage,
            LongSupplier nowMs) {
        this.bundles = bundles;
        this.health = health;
        this.directory = directory;
        this.limits = limits;
        this.stage = stage;
        this.nowMs = nowMs;
    }

    Collection<RunningPlugin> all() {
        return List.copyOf(plugins.values());
    }

    Set<String> names() {
        return plugins.keySet();
    }

    Optional<RunningPlugin> find(String name) {
        return Optional.ofNullable(plugins.get(name));
    }

    /** The plugin of this name. If there is none, it is there now, and is not installed. */
    RunningPlugin of(String name) {
        return plugins.computeIfAbsent(name, RunningPlugin::new);
    }

    void remove(RunningPlugin plugin) {
        plugins.remove(plugin.name);
    }

    // ---- what the framework has already ----

    /**
     * Takes over the bundles that the framework has already. Those that do not run are uninstalled if they have no file.
     */
    void takeOver(KeptVersions kept) throws BundleException {
        Map<String, List<Bundle>> present = new TreeMap<>();
        bundles.all()
                .forEach(bundle -> present.computeIfAbsent(PluginIsolation.pluginOf(bundle), name -> new ArrayList<>())
                        .add(bundle));
        for (Map.Entry<String, List<Bundle>> each : present.entrySet()) {
            takeOver(each.getKey(), each.getValue(), kept.notes(each.getKey()));
        }
    }

    private void takeOver(String name, List<Bundle> these, Notes notes) throws BundleException {
        if (these.stream().anyMatch(RunningPlugins::isChanging)) {
            bundles.abandon(these, endOfChange(these));
            return;
        }
        boolean runs = these.stream().anyMatch(bundle -> bundle.getState() == Bundle.ACTIVE);
        if (runs && notes.last().isPresent()) {
            goOn(name, these, notes.last().get());
        } else if (notes.file().isEmpty() || !Files.exists(directory.path().resolve(notes.file()))) {
            log.info("The plugin {} is not in {} any more, and is gone", name, directory.path());
            bundles.uninstall(these);
        }
    }

    private static boolean isChanging(Bundle bundle) {
        return bundle.getState() == Bundle.STARTING || bundle.getState() == Bundle.STOPPING;
    }

    /** A start or stop that hung before this bundle was updated. */
    private static WatchedStep endOfChange(List<Bundle> hanging) {
        return WatchedStep.begin("felice-plugin-wait-" + hanging.get(0).getSymbolicName(), () -> {
            while (hanging.stream().anyMatch(RunningPlugins::isChanging)) {
                Thread.sleep(HANGING_STEP_MS);
            }
            return null;
        });
    }

    /** The bundle {@code plugins} was updated, and the plugins went on. */
    private void goOn(String name, List<Bundle> these, KeptVersions.Version version) {
        try {
            RunningPlugin plugin = new RunningPlugin(name);
            plugin.archive = directory.read(version);
            plugin.bundles = these;
            plugin.is(State.RUNS, "runs");
            plugins.put(name, plugin);
        } catch (UnfitFile lost) {
            log.warn(
                    "The version of the plugin {} that runs is not kept, so it is installed anew: {}",
                    name,
                    lost.toString());
        }
    }

    // ---- installed ----

    /** @return the plugin if its bundles are in the framework now, and it is to be started */
    Optional<RunningPlugin> install(RunningPlugin plugin, PluginArchive archive) {
        stage.accept(Stage.INSTALLS);
        plugin.archive = archive;
        plugin.is(State.CHANGES, "is being started");
        try {
            plugin.bundles = bundles.put(directory.withJars(archive, plugin));
            return Optional.of(plugin);
        } catch (BundleException | IOException | UnfitFile | IllegalStateException refused) {
            leaveOut(plugin, "it cannot be installed: " + words(refused));
            return Optional.empty();
        }
    }

    void leaveOut(RunningPlugin plugin, String sentence) {
        plugin.is(State.LEFT_OUT, "left out: " + sentence);
        log.warn("The plugin {} is {}", plugin.archive, plugin.sentence);
    }

    /** Stops the bundles of a plugin, replaces them, and starts them; so too for the plugins that are wired to it. */
    void replace(RunningPlugin plugin, PluginArchive next) {
        List<RunningPlugin> dependents = dependents(plugin);
        stage.accept(Stage.STOPS);
        dependents.forEach(this::takeDown);
        stop(plugin);
        installAndStart(plugin, next);
        dependents.forEach(dependent -> installAndStart(dependent, dependent.archive));
    }

    /** Puts another version in the place of a plugin. */
    void putBack(RunningPlugin plugin, PluginArchive old) {
        if (plugin.isInstalled()) {
            stop(plugin);
        }
        installAndStart(plugin, old);
    }

    private void installAndStart(RunningPlugin plugin, PluginArchive archive) {
        install(plugin, archive).ifPresent(this::start);
    }

    /** Stops and uninstalls a plugin. If it does not stop in time, it is left to itself. */
    void takeDown(RunningPlugin plugin) {
        if (!plugin.isInstalled()) {
            return;
        }
        List<RunningPlugin> dependents = dependents(plugin);
        dependents.forEach(this::stop);
        stop(plugin);
        uninstall(plugin.bundles, "The bundles of the plugin " + plugin.name);
        plugin.bundles = List.of();
        dependents.forEach(dependent -> installAndStart(dependent, dependent.archive));
    }

    private boolean uninstall(List<Bundle> these, String subject) {
        try {
            bundles.uninstall(these);
            return true;
        } catch (BundleException | IllegalStateException refused) {
            log.error("{} cannot be uninstalled: {}", subject, words(refused));
            return false;
        }
    }

    /** Other plugins that are wired to this one. */
    private List<RunningPlugin> dependents(RunningPlugin plugin) {
        Collection<Bundle> closure = bundles.closure(plugin.bundles);
        return plugins.values().stream()
                .filter(other -> other != plugin && other.bundles.stream().anyMatch(closure::contains))
                .toList();
    }

    // ---- started ----

    /**
     * Starts plugins, all at the same time, so that one that hangs holds up no other.
     *
     * @param started gets each plugin as soon as it is known how it is
     */
    void start(List<RunningPlugin> toStart, Consumer<RunningPlugin> started) {
        Map<RunningPlugin, WatchedStep> starts = new LinkedHashMap<>();
        toStart.forEach(plugin -> starts.put(plugin, beginStart(plugin)));
        long end = System.nanoTime() + patience().toNanos();
        starts.forEach((plugin, step) -> awaitStart(plugin, step, until(end)));
        toStart.stream().filter(RunningPlugin::isInstalled).forEach(this::activate);
        long settled = System.nanoTime() + patience().toNanos();
        for (RunningPlugin plugin : toStart) {
            if (plugin.isInstalled()) {
                plugin.activation.await(until(settled));
                observe(plugin);
            }
            started.accept(plugin);
        }
    }

    private static Duration until(long endNanos) {
        return Duration.ofNanos(Math.max(0, endNanos - System.nanoTime()));
    }

    private Duration patience() {
        return limits.get().patience();
    }

    private void start(RunningPlugin plugin) {
        awaitStart(plugin, beginStart(plugin), patience());
        if (plugin.isInstalled()) {
            activate(plugin);
            plugin.activation.await(patience());
            settle(plugin);
        }
    }

    private WatchedStep beginStart(RunningPlugin plugin) {
        stage.accept(Stage.STARTS);
        List<Bundle> these = plugin.bundles;
        return WatchedStep.begin("felice-plugin-start-" + plugin.name, () -> {
            for (Bundle bundle : these) {
                if (bundle.getHeaders("").get(Constants.FRAGMENT_HOST) == null) {
                    BundleLifecycle.start(bundle);
                }
            }
            return null;
        });
    }

    private void awaitStart(RunningPlugin plugin, WatchedStep step, Duration time) {
        if (!step.await(time)) {
            String sentence = "its start hangs: after " + patience().toSeconds() + " s the bundle " + plugin.archive
                    + " has not come back from its start (" + step.place() + ")";
            abandon(plugin, step);
            leaveOut(plugin, sentence);
        } else if (step.failure() != null) {
            String sentence = BundleLifecycle.startFailure(step.failure());
            takeDown(plugin);
            leaveOut(plugin, sentence);
        }
    }

    private void abandon(RunningPlugin plugin, WatchedStep step) {
        bundles.abandon(plugin.bundles, step);
        plugin.bundles = List.of();
    }

    private void activate(RunningPlugin plugin) {
        List<Bundle> these = plugin.bundles;
        plugin.activatedMs = nowMs.getAsLong();
        plugin.activation = WatchedStep.begin("felice-plugin-activate-" + plugin.name, () -> {
            health.activate(these);
            return null;
        });
    }

    /** Components may come up a moment after their bundle. */
    private void settle(RunningPlugin plugin) {
        long end = System.nanoTime() + SETTLE.toNanos();
        do {
            observe(plugin);
            try {
                Thread.sleep(plugin.state == State.WAITS ? SETTLE_STEP_MS : 0);
            } catch (InterruptedException stopped) {
                Thread.currentThread().interrupt();
                return;
            }
        } while (plugin.state == State.WAITS && System.nanoTime() < end);
    }

    // ---- stopped ----

    /** Afterwards none of its bundles is active, or it has no bundles. */
    private void stop(RunningPlugin plugin) {
        List<Bundle> lastFirst = new ArrayList<>(plugin.bundles);
        Collections.reverse(lastFirst);
        WatchedStep stop = beginStop(plugin.name, lastFirst);
        plugin.activation = null;
        if (!stop.await(patience())) {
            log.error(
                    "The plugin {} does not stop: after {} s it has not come back ({}). It is left to itself",
                    plugin.archive,
                    patience().toSeconds(),
                    stop.place());
            abandon(plugin, stop);
        } else if (stop.failure() != null) {
            log.warn("The plugin {} throws when it is stopped: {}", plugin.archive, words(stop.failure()));
        }
    }

    private static WatchedStep beginStop(String name, List<Bundle> these) {
        return WatchedStep.begin("felice-plugin-stop-" + name, () -> {
            for (Bundle bundle : these) {
                bundle.stop(Bundle.STOP_TRANSIENT);
            }
            return null;
        });
    }

    /** Stops and uninstalls bundles that were left to themselves and have come back after all. */
    void uninstallReturned() {
        for (Optional<Bundle> each = bundles.returned(); each.isPresent(); each = bundles.returned()) {
            Bundle bundle = each.get();
            String name = bundle.getSymbolicName();
            bundles.readmit(bundle);
            WatchedStep stop = beginStop(name, List.of(bundle));
            if (!stop.await(patience())) {
                bundles.abandon(List.of(bundle), stop);
                return;
            }
            if (uninstall(List.of(bundle), "The bundle " + name)) {
                log.info("The bundle {} has come back after all, and was uninstalled", name);
            }
        }
    }

    // ---- how it is ----

    /** Asks each installed plugin how it is now. */
    void observe() {
        plugins.values().forEach(this::observe);
    }

    private void observe(RunningPlugin plugin) {
        if (!plugin.isInstalled() || plugin.state == State.LEFT_OUT) {
            return;
        }
        if (plugin.activation != null && !plugin.activation.isDone()) {
            plugin.is(State.FAILS, "fails: a component hangs when it is activated (" + plugin.activation.place() + ")");
            return;
        }
        Condition now = health.of(plugin.bundles);
        boolean isReady = now.state() == State.RUNS && plugin.state == State.WAITS;
        plugin.is(now.state(), now.sentence());
        if (isReady || (now.state() == State.FAILS && nowMs.getAsLong() - plugin.activatedMs > RETRY_MS)) {
            activate(plugin);
        }
    }

    /** The bundles that were left to themselves and still hang, as sentences; without those that a plugin's state names. */
    List<String> hanging() {
        return bundles.hanging(name -> plugins.containsKey(name) && plugins.get(name).state == State.LEFT_OUT);
    }
}
