package io.felice.plugins;

import io.felice.api.plugin.Plugin;
import io.felice.api.plugin.Plugin.State;
import io.felice.api.plugin.PluginCheck;
import io.felice.api.plugin.PluginWork.Stage;
import io.felice.plugins.KeptVersions.Notes;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.stream.Stream;
import org.osgi.framework.BundleException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes the plugins that run those that are in {@code plugins/}. A file is read ({@link WatchedDirectory}) and checked
 * ({@link PluginAdmission}); its bundles are installed and started ({@link RunningPlugins}); if the plugin is healthy, its
 * version is kept ({@link KeptVersions}), else the version before comes back. Whoever wants a change changes the directory or
 * the notes of the kept versions, and has the keeper {@link #look}. One thread; code of plugins runs on threads of its own,
 * and the keeper waits for it within limits.
 */
final class PluginKeeper {
    private static final Logger log = LoggerFactory.getLogger(PluginKeeper.class);

    /** How often it is asked whether a plugin is still in use whose file is gone. */
    private static final long USE_MS = 3_000;

    private final WatchedDirectory directory;
    private final KeptVersions kept;
    private final PluginAdmission admission;
    private final RunningPlugins running;
    private final PluginBundles bundles;
    private final PluginUse use;
    private final LongSupplier nowMs;
    private Limits limits;
    private Consumer<Stage> stage = ignored -> {};
    private long seenBundles;
    private long askedForUseMs;

    /**
     * What the settings say.
     *
     * @param problem why a setting cannot be followed; empty if all can
     */
    record Limits(
            Duration patience,
            long maxFileBytes,
            long maxUnpackedBytes,
            TrustedSigners trusted,
            boolean signatureRequired,
            String problem) {}

    /** @param path of the directory, absolute */
    PluginKeeper(
            Path path,
            PluginBundles bundles,
            ComponentHealth health,
            PluginUse use,
            Limits limits,
            LongSupplier nowMs) {
        this.kept = new KeptVersions(path.resolveSibling(path.getFileName() + "-kept"));
        this.directory = new WatchedDirectory(path, kept, () -> this.limits, nowMs);
        this.running = new RunningPlugins(
                bundles, health, directory, () -> this.limits, reached -> stage.accept(reached), nowMs);
        this.admission = new PluginAdmission(bundles, running, kept, () -> this.limits);
        this.bundles = bundles;
        this.use = use;
        this.limits = limits;
        this.nowMs = nowMs;
    }

    void limit(Limits newLimits) {
        limits = newLimits;
    }

    /** Who hears of the stages of the next changes. */
    void report(Consumer<Stage> newStage) {
        stage = newStage;
    }

    // ---- from the directory to what runs ----

    /** Takes over what the framework has already. */
    void begin() throws IOException, BundleException {
        directory.create();
        running.takeOver(kept);
    }

    /**
     * Looks at the directory and changes the plugins accordingly.
     *
     * @param whole a file of the directory that is whole although it is new, or the directory itself if the notes have
     *     changed; null if this is not known
     */
    void look(Path whole) throws IOException {
        boolean changed = directory.read(whole);
        admission.retain(directory.names());
        if (changed || whole != null || isRecheckDue()) {
            arrange();
            kept.prune(running.names());
        }
        running.uninstallReturned();
        running.observe();
        directory.deleteCopies();
    }

    /** A file that is left out may fit when another bundle has come or gone. */
    private boolean isRecheckDue() {
        long now = Stream.of(bundles.context().getBundles())
                .mapToLong(bundle -> 31 * bundle.getBundleId() + bundle.getLastModified())
                .sum();
        boolean isUnwanted = running.all().stream().anyMatch(plugin -> plugin.file == null);
        boolean due = (now != seenBundles && admission.leavesOut())
                || (isUnwanted && nowMs.getAsLong() - askedForUseMs > USE_MS);
        seenBundles = now;
        return due;
    }

    private void arrange() {
        Map<String, PluginFile> wanted = admission.wanted(directory.files());
        removeUnwanted(wanted);
        running.start(installAll(wanted), this::conclude);
        admission.tell();
    }

    private void removeUnwanted(Map<String, PluginFile> wanted) {
        for (RunningPlugin plugin : running.all()) {
            plugin.file = wanted.get(plugin.name);
            if (plugin.file == null
                    && !directory.isBeingWritten(kept.notes(plugin.name).file())) {
                removeIfUnused(plugin);
            }
        }
    }

    private void removeIfUnused(RunningPlugin plugin) {
        List<String> users = usersOf(plugin);
        askedForUseMs = nowMs.getAsLong();
        if (users.isEmpty()) {
            stage.accept(Stage.STOPS);
            running.takeDown(plugin);
            running.remove(plugin);
            log.info("The plugin {} is gone", plugin.name);
        } else if (!plugin.note.startsWith("its file is gone")) {
            plugin.note = "its file is gone from plugins/, and it stays because it is in use by "
                    + String.join("; ", users) + ". felice:plugin-rollback " + plugin.name + " brings the file back";
            log.warn("The plugin {}: {}", plugin.name, plugin.note);
        }
    }

    /** @return the plugins that are installed now and are to be started */
    private List<RunningPlugin> installAll(Map<String, PluginFile> wanted) {
        List<RunningPlugin> toStart = new ArrayList<>();
        List<String> names = kept.inOrder(wanted.keySet());
        // A plugin may need a package of one that comes later in this order.
        for (int before = -1; before != toStart.size(); ) {
            before = toStart.size();
            for (String name : names) {
                follow(running.of(name), wanted.get(name)).ifPresent(toStart::add);
            }
        }
        return toStart;
    }

    /** Makes a plugin what its file is. */
    private Optional<RunningPlugin> follow(RunningPlugin plugin, PluginFile file) {
        plugin.file = file;
        Notes notes = kept.notes(plugin.name);
        boolean isTried = plugin.tried.equals(file.key());
        if (notes.isDisabled()) {
            disable(plugin);
        } else if (plugin.isInstalled() && plugin.archive.sha256().equals(file.sha256())) {
            plugin.note = "";
            kept.noteFile(plugin);
        } else if (plugin.isInstalled() && !isTried) {
            upgrade(plugin, notes);
        } else if (!plugin.isInstalled() && !(isTried && plugin.state == State.LEFT_OUT)) {
            return install(plugin, notes);
        }
        return Optional.empty();
    }

    private void disable(RunningPlugin plugin) {
        if (plugin.isInstalled()) {
            stage.accept(Stage.STOPS);
            running.takeDown(plugin);
            log.info("The plugin {} is disabled", plugin.name);
        }
        plugin.note = "";
        plugin.tried = "";
        plugin.archive = plugin.file.archive().orElse(plugin.archive);
        plugin.is(State.DISABLED, "disabled");
    }

    private Optional<RunningPlugin> install(RunningPlugin plugin, Notes notes) {
        PluginFile file = plugin.file;
        plugin.tried = file.key();
        if (notes.hasRejected(file.sha256())) {
            return installLast(plugin, notes, notes.why());
        }
        if (!file.isReadable()) {
            return installLast(plugin, notes, file.refusal());
        }
        PluginArchive archive = file.archive().orElseThrow();
        PluginCheck check = admission.check(file);
        if (check.fits()) {
            admission.admit(file);
            return running.install(plugin, archive);
        }
        if (notes.last().isPresent() && !notes.last().get().sha256().equals(archive.sha256())) {
            return installLast(plugin, notes, archive + " is left out: " + check.refusal());
        }
        running.remove(plugin);
        admission.leaveOut(file, plugin.name, check.version(), check.findings());
        return Optional.empty();
    }

    /** Installs the version that ran last, because the file cannot be installed. */
    private Optional<RunningPlugin> installLast(RunningPlugin plugin, Notes notes, String why) {
        PluginFile file = plugin.file;
        if (notes.last().isEmpty()) {
            running.remove(plugin);
            admission.leaveOut(file, plugin.name, "", file.findings());
            return Optional.empty();
        }
        plugin.archive = file.archive().orElse(new PluginArchive(plugin.name, "", "", List.of()));
        try {
            PluginArchive last = directory.read(notes.last().get());
            PluginCheck check = admission.check(last);
            if (check.fits()) {
                plugin.note = why;
                return running.install(plugin, last);
            }
            running.leaveOut(
                    plugin, why + " Its last version " + last.version() + " is left out too: " + check.refusal());
        } catch (UnfitFile lost) {
            running.leaveOut(plugin, why + " Its last version cannot be read: " + lost.getMessage());
        }
        return Optional.empty();
    }

    private void upgrade(RunningPlugin plugin, Notes notes) {
        PluginFile file = plugin.file;
        plugin.tried = file.key();
        stage.accept(Stage.CHECKS);
        String refusal = admission.refusalOfUpgrade(plugin);
        if (!refusal.isEmpty()) {
            plugin.note =
                    file.archive().map(PluginArchive::toString).orElse(file.fileName()) + " is left out: " + refusal;
            log.warn("The plugin {} goes on: {}", plugin.archive, plugin.note);
        } else if (notes.hasRejected(file.sha256())) {
            plugin.note = notes.why();
        } else {
            upgrade(plugin, file.archive().orElseThrow());
        }
    }

    private void upgrade(RunningPlugin plugin, PluginArchive next) {
        PluginArchive old = plugin.archive;
        boolean wasGood = plugin.state == State.RUNS;
        running.replace(plugin, next);
        if (plugin.state != State.RUNS && (wasGood || !plugin.isInstalled())) {
            stage.accept(Stage.RETURNS);
            takeBack(plugin, old.sha256());
            return;
        }
        plugin.note = "";
        kept.keep(plugin);
        log.info(
                "The plugin {} was upgraded from {} to {}, and {}",
                plugin.name,
                old.version(),
                next.version(),
                plugin.words());
    }

    /** What a start has come to. A plugin that has run before comes back in its last version. */
    private void conclude(RunningPlugin plugin) {
        if (plugin.state != State.LEFT_OUT) {
            kept.keep(plugin);
            log.info("The plugin {} {}", plugin.archive, plugin.words());
            return;
        }
        kept.notes(plugin.name)
                .last()
                .map(KeptVersions.Version::sha256)
                .filter(last -> !last.equals(plugin.archive.sha256()))
                .ifPresent(last -> takeBack(plugin, last));
    }

    /** Brings a kept version back in the place of the one that was tried. */
    private void takeBack(RunningPlugin plugin, String sha256) {
        String why = plugin.archive + " was taken back: " + plugin.because();
        log.error("The plugin {}", why);
        kept.reject(plugin, why);
        try {
            PluginArchive old = directory.read(kept.notes(plugin.name)
                    .version(sha256)
                    .orElseThrow(() -> new IOException("the version before is not kept")));
            running.putBack(plugin, old);
            plugin.note = why;
            log.info("The plugin {} has come back: {}", old, plugin.words());
        } catch (IOException | UnfitFile lost) {
            running.takeDown(plugin);
            running.leaveOut(plugin, why + "; the version before cannot come back: " + lost.getMessage());
        }
    }

    // ---- what others see and ask for ----

    List<Plugin> list() {
        return Stream.concat(
                        running.all().stream()
                                .filter(plugin -> plugin.archive != null)
                                .map(plugin -> plugin.seenFromOutside(kept.notes(plugin.name))),
                        admission.list().stream())
                .sorted(Comparator.comparing(Plugin::name))
                .toList();
    }

    /** What does not work, as sentences. */
    List<String> troubles() {
        List<String> troubles = new ArrayList<>();
        for (Plugin plugin : list()) {
            boolean isTrouble =
                    plugin.state() != State.RUNS && plugin.state() != State.DISABLED && plugin.state() != State.CHANGES;
            if (isTrouble || (plugin.state() == State.RUNS && !plugin.sentence().equals("runs"))) {
                String name = plugin.file().isEmpty() ? plugin.name() : plugin.name() + " (" + plugin.file() + ")";
                troubles.add("The plugin " + name + " " + (plugin.state() == State.LEFT_OUT ? "is " : "")
                        + plugin.sentence());
            }
        }
        troubles.addAll(running.hanging());
        if (!limits.problem().isEmpty()) {
            troubles.add(limits.problem());
        }
        return troubles;
    }

    WatchedDirectory directory() {
        return directory;
    }

    KeptVersions kept() {
        return kept;
    }

    PluginAdmission admission() {
        return admission;
    }

    Optional<RunningPlugin> plugin(String name) {
        return running.find(name);
    }

    List<String> usersOf(RunningPlugin plugin) {
        return plugin.isInstalled() ? use.of(plugin.archive.provides()) : List.of();
    }

    /** Forgets that a plugin was tried, so that the next look tries it again. */
    void forget(RunningPlugin plugin) throws IOException {
        plugin.tried = "";
        if (!plugin.isInstalled()) {
            plugin.state = State.CHANGES;
        }
        kept.note(plugin.name, kept.notes(plugin.name).disabled(false).rejecting("", ""));
        directory.forget(plugin.file == null ? "" : plugin.file.fileName());
    }
}
