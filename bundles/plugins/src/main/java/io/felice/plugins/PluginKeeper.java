package io.felice.plugins;

import io.felice.api.plugin.Plugin;
import io.felice.api.plugin.Plugin.State;
import io.felice.api.plugin.PluginCheck;
import io.felice.api.plugin.PluginCheck.Finding;
import io.felice.api.plugin.PluginWork.Stage;
import io.felice.api.plugin.ProvidedExtension;
import io.felice.plugins.ComponentHealth.Condition;
import io.felice.plugins.KeptVersions.Notes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.stream.Stream;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.ServiceReference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes the plugins that run those that are in {@code plugins/}. Whoever wants a change changes the directory or the notes
 * of {@link KeptVersions}, and has it {@link #look}. One thread; code of plugins runs on threads of its own, and the keeper
 * waits for it within limits.
 */
final class PluginKeeper {
    private static final Logger log = LoggerFactory.getLogger(PluginKeeper.class);

    /** A file that was not written to for so long is whole. */
    private static final long QUIET_MS = 2_000;

    /** How often a component is tried again that throws when it is activated. */
    private static final long RETRY_MS = 30_000;

    /** How often it is asked whether a plugin is still in use whose file is gone. */
    private static final long USE_MS = 3_000;

    private static final Duration SETTLE = Duration.ofSeconds(2);
    private static final long SETTLE_STEP_MS = 50;

    private final Path directory;
    private final KeptVersions kept;
    private final PluginBundles bundles;
    private final ComponentHealth health;
    private final PluginUse use;
    private final LongSupplier nowMs;
    private Limits limits;

    private final Map<String, PluginFile.Look> looks = new TreeMap<>();
    private final Map<String, PluginFile> files = new TreeMap<>();
    private final Map<String, RunningPlugin> plugins = new TreeMap<>();

    /** Why files were left out, by the name of the file. */
    private final Map<String, LeftOut> leftOut = new TreeMap<>();

    /** The refusals that were logged, by the name of the file. */
    private final Map<String, String> told = new TreeMap<>();

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

    private record LeftOut(String name, String version, PluginCheck check) {}

    /** @param directory absolute */
    PluginKeeper(
            Path directory,
            PluginBundles bundles,
            ComponentHealth health,
            PluginUse use,
            Limits limits,
            LongSupplier nowMs) {
        this.directory = directory;
        this.kept = new KeptVersions(directory.resolveSibling(directory.getFileName() + "-kept"));
        this.bundles = bundles;
        this.health = health;
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

    KeptVersions kept() {
        return kept;
    }

    Path directory() {
        return directory;
    }

    // ---- what is in the directory ----

    /**
     * Takes over the bundles that the framework has already. Those that do not run are uninstalled if they have no file.
     */
    void begin() throws IOException, BundleException {
        Files.createDirectories(directory);
        KeptVersions.delete(kept.unpacked());
        nameForgottenFiles(directory.resolveSibling("deploy"));
        Map<String, List<Bundle>> present = new TreeMap<>();
        bundles.all()
                .forEach(bundle -> present.computeIfAbsent(PluginIsolation.pluginOf(bundle), name -> new ArrayList<>())
                        .add(bundle));
        for (Map.Entry<String, List<Bundle>> each : present.entrySet()) {
            if (each.getValue().stream().anyMatch(PluginKeeper::isChanging)) {
                bundles.abandon(each.getValue(), endOfChange(each.getValue()));
                continue;
            }
            boolean runs = each.getValue().stream().anyMatch(bundle -> bundle.getState() == Bundle.ACTIVE);
            Notes notes = kept.notes(each.getKey());
            if (runs && !notes.versions().isEmpty()) {
                takeOver(each.getKey(), each.getValue(), notes);
            } else if (!Files.exists(directory.resolve(notes.file()))
                    || notes.file().isEmpty()) {
                log.info("The plugin {} is not in {} any more, and is gone", each.getKey(), directory);
                bundles.uninstall(each.getValue());
            }
        }
        looks.clear();
    }

    /** Earlier versions had the platform watch this directory. */
    private void nameForgottenFiles(Path deploy) throws IOException {
        if (!Files.isDirectory(deploy)) {
            return;
        }
        try (Stream<Path> all = Files.list(deploy)) {
            all.filter(PluginFile::isPlugin)
                    .forEach(file -> log.warn(
                            "{} is not installed: that directory is not watched any more. Move the file to {}",
                            file,
                            directory));
        }
    }

    private static boolean isChanging(Bundle bundle) {
        return bundle.getState() == Bundle.STARTING || bundle.getState() == Bundle.STOPPING;
    }

    /** A start or stop that hung before this bundle was updated. */
    private static WatchedStep endOfChange(List<Bundle> hanging) {
        return WatchedStep.begin("felice-plugin-wait-" + hanging.get(0).getSymbolicName(), () -> {
            while (hanging.stream().anyMatch(PluginKeeper::isChanging)) {
                Thread.sleep(QUIET_MS);
            }
            return null;
        });
    }

    /** The bundle {@code plugins} was updated, and the plugins went on. */
    private void takeOver(String name, List<Bundle> running, Notes notes) throws IOException {
        try {
            RunningPlugin plugin = new RunningPlugin(name);
            plugin.archive = reader().read(notes.versions().get(0).file());
            plugin.bundles = running;
            plugin.is(State.RUNS, "runs");
            plugins.put(name, plugin);
        } catch (UnfitFile lost) {
            log.warn(
                    "The version of the plugin {} that runs is not kept, so it is installed anew: {}",
                    name,
                    lost.toString());
        }
    }

    /**
     * Looks at the directory and changes the plugins accordingly.
     *
     * @param whole a file of the directory that is whole although it is new, or the directory itself if the notes have
     *     changed; null if this is not known
     */
    void look(Path whole) throws IOException {
        boolean changed = readFiles(whole);
        if (changed || whole != null || isRecheckDue()) {
            arrange();
            kept.prune(plugins.keySet());
        }
        tidy();
        plugins.values().forEach(this::observe);
        KeptVersions.delete(kept.unpacked());
    }

    private boolean readFiles(Path whole) throws IOException {
        List<Path> present;
        try (Stream<Path> all = Files.list(directory)) {
            present = all.filter(PluginFile::isPlugin).sorted().toList();
        }
        List<String> names =
                present.stream().map(file -> file.getFileName().toString()).toList();
        boolean changed = files.keySet().retainAll(names);
        looks.keySet().retainAll(names);
        leftOut.keySet().retainAll(names);
        for (Path file : present) {
            changed |= readIfChanged(file, file.equals(whole));
        }
        return changed;
    }

    private boolean readIfChanged(Path file, boolean isWhole) throws IOException {
        String name = file.getFileName().toString();
        PluginFile.Look look = PluginFile.Look.at(file);
        PluginFile known = files.get(name);
        if (known != null && known.look().equals(look)) {
            return false;
        }
        PluginFile.Look before = looks.put(name, look);
        if (!isWhole && !look.equals(before) && !look.isOlderThan(QUIET_MS, nowMs.getAsLong())) {
            return false;
        }
        PluginFile read = read(file, look);
        files.put(name, read);
        return known == null
                || !known.findings().equals(read.findings())
                || !sha256(known).equals(sha256(read));
    }

    private static String sha256(PluginFile file) {
        return file.archive().map(PluginArchive::sha256).orElse("");
    }

    /** Reads a copy, because somebody may begin to write to the file. */
    private PluginFile read(Path file, PluginFile.Look look) {
        try {
            PluginArchive archive = reader().read(staged(file));
            return new PluginFile(
                    file, look, Optional.of(archive), PluginFile.checksumFindings(file, archive.sha256()));
        } catch (UnfitFile unfit) {
            return new PluginFile(file, look, Optional.empty(), List.of(unfit.finding()));
        } catch (IOException unreadable) {
            return new PluginFile(
                    file,
                    look,
                    Optional.empty(),
                    List.of(new Finding(true, "It cannot be read.", unreadable.toString())));
        }
    }

    private Path staged(Path file) throws IOException, UnfitFile {
        if (Files.size(file) > limits.maxFileBytes()) {
            return file;
        }
        Path copy = kept.unpacked().resolve("read").resolve(file.getFileName());
        Files.createDirectories(copy.getParent());
        Files.copy(file, copy, StandardCopyOption.REPLACE_EXISTING);
        return copy;
    }

    private ArchiveReader reader() {
        return new ArchiveReader(limits.maxFileBytes(), limits.maxUnpackedBytes(), limits.trusted(), kept.unpacked());
    }

    /** A file that is left out may fit when another bundle has come or gone. */
    private boolean isRecheckDue() {
        long now = Stream.of(bundles.context().getBundles())
                .mapToLong(bundle -> 31 * bundle.getBundleId() + bundle.getLastModified())
                .sum();
        boolean isUnwanted = plugins.values().stream().anyMatch(plugin -> plugin.file == null);
        boolean due = (now != seenBundles && !leftOut.isEmpty())
                || (isUnwanted && nowMs.getAsLong() - askedForUseMs > USE_MS);
        seenBundles = now;
        return due;
    }

    // ---- what becomes of it ----

    private void arrange() throws IOException {
        Map<String, PluginFile> wanted = wanted();
        for (RunningPlugin plugin : List.copyOf(plugins.values())) {
            plugin.file = wanted.get(plugin.name);
            if (plugin.file == null && !isBeingWritten(kept.notes(plugin.name).file())) {
                removeIfUnused(plugin);
            }
        }
        List<RunningPlugin> toStart = new ArrayList<>();
        List<String> names = wanted.keySet().stream()
                .sorted(Comparator.<String>comparingLong(
                                name -> kept.notes(name).order())
                        .thenComparing(Comparator.naturalOrder()))
                .toList();
        // A plugin may need a package of one that comes later in this order.
        for (int before = -1; before != toStart.size(); ) {
            before = toStart.size();
            for (String name : names) {
                arrange(name, wanted.get(name)).ifPresent(toStart::add);
            }
        }
        start(toStart);
        leftOut.forEach((file, why) -> tell(file, why.check().refusal()));
    }

    /** True if the file is there, and nobody can say yet what it is. */
    private boolean isBeingWritten(String file) {
        return !file.isEmpty() && !files.containsKey(file) && Files.exists(directory.resolve(file));
    }

    /** The file of each plugin; of two files of one plugin the one that was there first. */
    private Map<String, PluginFile> wanted() {
        Map<String, PluginFile> wanted = new LinkedHashMap<>();
        leftOut.clear();
        for (PluginFile file : files.values()) {
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

    private void leaveOut(PluginFile file, String name, String version, List<Finding> findings) {
        PluginCheck check = new PluginCheck(
                name,
                version,
                file.archive().map(PluginArchive::provides).orElse(List.of()),
                List.of(),
                file.archive().map(archive -> archive.signer().badge()).orElse(""),
                findings);
        leftOut.put(file.fileName(), new LeftOut(name, version, check));
    }

    /** Logs a refusal once. */
    private void tell(String file, String refusal) {
        if (!refusal.equals(told.put(file, refusal))) {
            log.warn("The plugin {} is left out: {}", file, refusal);
        }
    }

    private void removeIfUnused(RunningPlugin plugin) {
        List<String> users = usersOf(plugin);
        askedForUseMs = nowMs.getAsLong();
        if (users.isEmpty()) {
            stage.accept(Stage.STOPS);
            takeDown(plugin);
            plugins.remove(plugin.name);
            log.info("The plugin {} is gone", plugin.name);
        } else if (plugin.note.isEmpty() || !plugin.note.startsWith("its file is gone")) {
            plugin.note = "its file is gone from plugins/, and it stays because it is in use by "
                    + String.join("; ", users) + ". felice:plugin-rollback " + plugin.name + " brings the file back";
            log.warn("The plugin {}: {}", plugin.name, plugin.note);
        }
    }

    /** @return the plugin if it is installed now and is to be started */
    private Optional<RunningPlugin> arrange(String name, PluginFile file) throws IOException {
        RunningPlugin plugin = plugins.computeIfAbsent(name, RunningPlugin::new);
        plugin.file = file;
        Notes notes = kept.notes(name);
        if (notes.isDisabled()) {
            disable(plugin);
            return Optional.empty();
        }
        String sha256 = sha256(file);
        boolean isTaken = notes.rejected().equals(sha256) && !sha256.isEmpty();
        if (plugin.isInstalled()) {
            if (!plugin.archive.sha256().equals(sha256) && !plugin.tried.equals(key(file))) {
                upgrade(plugin, notes);
            } else if (plugin.archive.sha256().equals(sha256)) {
                plugin.note = "";
                note(plugin);
            }
            return Optional.empty();
        }
        if (plugin.state == State.LEFT_OUT && plugin.tried.equals(key(file))) {
            return Optional.empty();
        }
        plugin.tried = key(file);
        if (isTaken || !file.isReadable()) {
            String why = isTaken ? notes.why() : refusal(file.findings());
            return installKept(plugin, notes, why);
        }
        PluginCheck check = check(file);
        if (!check.fits()) {
            if (!notes.versions().isEmpty() && !notes.versions().get(0).sha256().equals(sha256)) {
                return installKept(plugin, notes, file.archive().orElseThrow() + " is left out: " + check.refusal());
            }
            plugins.remove(name);
            leaveOut(file, name, check.version(), check.findings());
            return Optional.empty();
        }
        leftOut.remove(file.fileName());
        told.remove(file.fileName());
        return install(plugin, file.archive().orElseThrow());
    }

    /** What a file was when it was tried. */
    private static String key(PluginFile file) {
        return sha256(file) + file.findings();
    }

    private static String refusal(List<Finding> findings) {
        return new PluginCheck("", "", List.of(), List.of(), "", findings).refusal();
    }

    private void disable(RunningPlugin plugin) {
        if (plugin.isInstalled()) {
            stage.accept(Stage.STOPS);
            takeDown(plugin);
            log.info("The plugin {} is disabled", plugin.name);
        }
        plugin.note = "";
        plugin.tried = "";
        if (plugin.file.archive().isPresent()) {
            plugin.archive = plugin.file.archive().get();
        }
        plugin.is(State.DISABLED, "disabled");
    }

    private Optional<RunningPlugin> installKept(RunningPlugin plugin, Notes notes, String why) throws IOException {
        if (notes.versions().isEmpty()) {
            plugins.remove(plugin.name);
            leaveOut(plugin.file, plugin.name, "", plugin.file.findings());
            return Optional.empty();
        }
        plugin.archive = plugin.file.archive().orElse(new PluginArchive(plugin.name, "", "", List.of()));
        try {
            PluginArchive last = reader().read(notes.versions().get(0).file());
            PluginCheck check = check(last, List.of());
            if (!check.fits()) {
                leftOut(plugin, why + " Its last version " + last.version() + " is left out too: " + check.refusal());
                return Optional.empty();
            }
            plugin.note = why;
            return install(plugin, last);
        } catch (UnfitFile lost) {
            leftOut(plugin, why + " Its last version cannot be read: " + lost.getMessage());
            return Optional.empty();
        }
    }

    /** Compares a plugin with the node. */
    PluginCheck check(PluginFile file) {
        return check(file.archive().orElseThrow(), file.findings());
    }

    private PluginCheck check(PluginArchive archive, List<Finding> ofFile) {
        List<Finding> findings = new ArrayList<>(ofFile);
        if (limits.signatureRequired() && !archive.signer().isTrusted()) {
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
            Optional<String> other = plugins.values().stream()
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

    // ---- changes ----

    private Optional<RunningPlugin> install(RunningPlugin plugin, PluginArchive archive) {
        stage.accept(Stage.INSTALLS);
        plugin.archive = archive;
        plugin.is(State.CHANGES, "is being started");
        try {
            PluginArchive whole = staged(plugin, archive);
            plugin.bundles = bundles.put(whole);
            return Optional.of(plugin);
        } catch (BundleException | IOException | UnfitFile | IllegalStateException refused) {
            leftOut(plugin, "it cannot be installed: " + words(refused));
            return Optional.empty();
        }
    }

    /** The copies of files are deleted after each look, so a file may have to be read once more. */
    private PluginArchive staged(RunningPlugin plugin, PluginArchive archive) throws IOException, UnfitFile {
        if (archive.bundles().stream().allMatch(jar -> Files.exists(jar.file()))) {
            return archive;
        }
        Optional<KeptVersions.Version> version = kept.notes(plugin.name).versions().stream()
                .filter(each -> each.sha256().equals(archive.sha256()))
                .findFirst();
        PluginArchive again = reader().read(version.isPresent() ? version.get().file() : staged(plugin.file.path()));
        if (!again.sha256().equals(archive.sha256())) {
            throw new IOException("the file is being changed");
        }
        return again;
    }

    /** Starts plugins, all at the same time, so that one that hangs holds up no other. */
    private void start(List<RunningPlugin> toStart) {
        Map<RunningPlugin, WatchedStep> starts = new LinkedHashMap<>();
        for (RunningPlugin plugin : toStart) {
            stage.accept(Stage.STARTS);
            starts.put(plugin, begin("start", plugin.name, plugin.bundles));
        }
        long end = System.nanoTime() + limits.patience().toNanos();
        starts.forEach((plugin, step) -> ended(plugin, step, Duration.ofNanos(Math.max(0, end - System.nanoTime()))));
        toStart.stream().filter(RunningPlugin::isInstalled).forEach(this::activate);
        long settled = System.nanoTime() + limits.patience().toNanos();
        for (RunningPlugin plugin : toStart) {
            if (plugin.isInstalled()) {
                plugin.activation.await(Duration.ofNanos(Math.max(0, settled - System.nanoTime())));
                observe(plugin);
            }
            conclude(plugin);
        }
    }

    private static WatchedStep begin(String what, String name, List<Bundle> started) {
        return WatchedStep.begin("felice-plugin-" + what + "-" + name, () -> {
            for (Bundle bundle : started) {
                if (bundle.getHeaders("").get(Constants.FRAGMENT_HOST) == null) {
                    bundle.start(Bundle.START_TRANSIENT | Bundle.START_ACTIVATION_POLICY);
                }
            }
            return null;
        });
    }

    /** Waits for the end of a start. */
    private void ended(RunningPlugin plugin, WatchedStep step, Duration patience) {
        if (!step.await(patience)) {
            String sentence = "its start hangs: after " + limits.patience().toSeconds() + " s the bundle "
                    + plugin.archive + " has not come back from its start (" + step.place() + ")";
            bundles.abandon(plugin.bundles, step);
            plugin.bundles = List.of();
            leftOut(plugin, sentence);
        } else if (step.failure() != null) {
            String sentence = startFailure(step.failure());
            takeDown(plugin);
            leftOut(plugin, sentence);
        }
    }

    private static String startFailure(Throwable failure) {
        if (failure instanceof BundleException refused) {
            return switch (refused.getType()) {
                case BundleException.ACTIVATOR_ERROR -> "it throws when it is started: " + words(cause(refused));
                case BundleException.RESOLVE_ERROR -> "it cannot be wired with this node: " + words(refused);
                default -> "it cannot be started: " + words(refused);
            };
        }
        return "it cannot be started: " + words(failure);
    }

    private static Throwable cause(Throwable failure) {
        return failure.getCause() == null ? failure : failure.getCause();
    }

    private static String words(Throwable failure) {
        String text = failure.toString();
        Throwable cause = failure.getCause();
        return cause == null || text.contains(cause.toString()) ? text : text + ", because of " + cause;
    }

    private void activate(RunningPlugin plugin) {
        List<Bundle> these = plugin.bundles;
        plugin.activatedMs = nowMs.getAsLong();
        plugin.activation = WatchedStep.begin("felice-plugin-activate-" + plugin.name, () -> {
            health.activate(these);
            return null;
        });
    }

    /** What a start has come to. A plugin that has run before comes back in its last version. */
    private void conclude(RunningPlugin plugin) {
        if (plugin.state == State.LEFT_OUT) {
            Notes notes = kept.notes(plugin.name);
            String last =
                    notes.versions().isEmpty() ? "" : notes.versions().get(0).sha256();
            if (!last.isEmpty() && !last.equals(plugin.archive.sha256())) {
                String why = plugin.archive + " was taken back: " + because(plugin);
                takenBack(plugin, why);
                restore(plugin, last, why);
            }
            return;
        }
        remember(plugin);
        log.info("The plugin {} {}", plugin.archive, plugin.words());
    }

    private void takenBack(RunningPlugin plugin, String why) {
        log.error("The plugin {}", why);
        try {
            kept.note(plugin.name, kept.notes(plugin.name).rejecting(plugin.archive.sha256(), why));
        } catch (IOException unwritable) {
            log.error("The next start tries {} again, because that cannot be noted", plugin.archive, unwritable);
        }
    }

    /** Keeps the version that runs, so that it can come back. */
    private void remember(RunningPlugin plugin) {
        note(plugin);
        try {
            Optional<Path> file = plugin.archive.bundles().size() == 1
                    ? Optional.of(plugin.archive.bundles().get(0).file())
                    : Optional.ofNullable(plugin.file).map(PluginFile::path);
            if (file.isPresent() && Files.exists(file.get()) && plugin.file != null) {
                kept.keep(plugin.name, plugin.archive, file.get(), plugin.file.fileName());
            }
        } catch (IOException unwritable) {
            log.error("The version {} is not kept for a rollback: {}", plugin.archive, unwritable.toString());
        }
    }

    private void note(RunningPlugin plugin) {
        try {
            Notes notes = kept.notes(plugin.name);
            long order = notes.order() == Long.MAX_VALUE ? kept.nextOrder() : notes.order();
            kept.note(plugin.name, notes.of(order, plugin.file == null ? notes.file() : plugin.file.fileName()));
        } catch (IOException unwritable) {
            log.error("The plugin {} cannot be noted: {}", plugin.name, unwritable.toString());
        }
    }

    private void upgrade(RunningPlugin plugin, Notes notes) throws IOException {
        PluginFile file = plugin.file;
        plugin.tried = key(file);
        PluginArchive old = plugin.archive;
        stage.accept(Stage.CHECKS);
        String refusal = file.isReadable() ? check(file).refusal() : refusal(file.findings());
        if (refusal.isEmpty()) {
            refusal = coreRefusal(plugin);
        }
        if (!refusal.isEmpty()) {
            plugin.note =
                    file.archive().map(PluginArchive::toString).orElse(file.fileName()) + " is left out: " + refusal;
            log.warn("The plugin {} goes on: {}", old, plugin.note);
            return;
        }
        if (notes.rejected().equals(sha256(file))) {
            plugin.note = notes.why();
            return;
        }
        boolean wasGood = plugin.state == State.RUNS;
        PluginArchive next = file.archive().orElseThrow();
        replace(plugin, next);
        if (plugin.state == State.RUNS || (!wasGood && plugin.isInstalled())) {
            plugin.note = "";
            remember(plugin);
            log.info(
                    "The plugin {} was upgraded from {} to {}, and {}",
                    plugin.name,
                    old.version(),
                    next.version(),
                    plugin.words());
            return;
        }
        String why = next + " was taken back: " + because(plugin);
        stage.accept(Stage.RETURNS);
        takenBack(plugin, why);
        restore(plugin, old.sha256(), why);
    }

    /** The state, as the reason of something else. */
    private static String because(RunningPlugin plugin) {
        return plugin.state == State.WAITS ? "it " + plugin.sentence : plugin.sentence.replaceFirst("^[a-z ]+: ", "");
    }

    /** Stops the bundles, replaces them, and starts them. */
    private void replace(RunningPlugin plugin, PluginArchive next) {
        List<RunningPlugin> dependents = dependents(plugin);
        stage.accept(Stage.STOPS);
        dependents.forEach(this::takeDown);
        stopAll(plugin);
        install(plugin, next).ifPresent(started -> startOnly(started));
        dependents.forEach(dependent -> install(dependent, dependent.archive).ifPresent(this::startOnly));
    }

    private void startOnly(RunningPlugin plugin) {
        stage.accept(Stage.STARTS);
        ended(plugin, begin("start", plugin.name, plugin.bundles), limits.patience());
        if (plugin.isInstalled()) {
            activate(plugin);
            plugin.activation.await(limits.patience());
            settle(plugin);
        }
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

    /** Brings a kept version back. */
    private void restore(RunningPlugin plugin, String sha256, String why) {
        Optional<KeptVersions.Version> version = kept.notes(plugin.name).versions().stream()
                .filter(each -> each.sha256().equals(sha256))
                .findFirst();
        try {
            if (version.isEmpty()) {
                throw new IOException("the version before is not kept");
            }
            PluginArchive old = reader().read(version.get().file());
            if (plugin.isInstalled()) {
                stopAll(plugin);
            }
            install(plugin, old).ifPresent(this::startOnly);
            plugin.note = why;
            log.info("The plugin {} has come back: {}", old, plugin.words());
        } catch (IOException | UnfitFile lost) {
            takeDown(plugin);
            leftOut(plugin, why + "; the version before cannot come back: " + lost.getMessage());
        }
    }

    private void leftOut(RunningPlugin plugin, String sentence) {
        plugin.is(State.LEFT_OUT, "left out: " + sentence);
        log.warn("The plugin {} is {}", plugin.archive, plugin.sentence);
    }

    /** Why its bundles cannot be changed: bundles of the node would be stopped with them. */
    private String coreRefusal(RunningPlugin plugin) {
        Collection<String> core = bundles.nodeBundlesIn(plugin.bundles);
        return core.isEmpty()
                ? ""
                : "The bundles " + String.join(", ", core)
                        + " of the node use it and would be stopped with it. Restart the node to change it.";
    }

    /** Other plugins that are wired to this one. */
    private List<RunningPlugin> dependents(RunningPlugin plugin) {
        Collection<Bundle> closure = bundles.closure(plugin.bundles);
        return plugins.values().stream()
                .filter(other -> other != plugin && other.bundles.stream().anyMatch(closure::contains))
                .toList();
    }

    /** Stops and uninstalls a plugin. If it does not stop in time, it is left to itself. */
    private void takeDown(RunningPlugin plugin) {
        if (!plugin.isInstalled()) {
            return;
        }
        List<RunningPlugin> dependents = dependents(plugin);
        dependents.forEach(this::stopAll);
        stopAll(plugin);
        try {
            bundles.uninstall(plugin.bundles);
        } catch (BundleException | IllegalStateException refused) {
            log.error("The bundles of the plugin {} cannot be uninstalled: {}", plugin.name, words(refused));
        }
        plugin.bundles = List.of();
        dependents.forEach(dependent -> {
            install(dependent, dependent.archive).ifPresent(this::startOnly);
        });
    }

    /** Afterwards none of its bundles is active, or it has no bundles. */
    private void stopAll(RunningPlugin plugin) {
        List<Bundle> stopped = new ArrayList<>(plugin.bundles);
        Collections.reverse(stopped);
        WatchedStep stop = WatchedStep.begin("felice-plugin-stop-" + plugin.name, () -> {
            for (Bundle bundle : stopped) {
                bundle.stop(Bundle.STOP_TRANSIENT);
            }
            return null;
        });
        plugin.activation = null;
        if (!stop.await(limits.patience())) {
            log.error(
                    "The plugin {} does not stop: after {} s it has not come back ({}). It is left to itself",
                    plugin.archive,
                    limits.patience().toSeconds(),
                    stop.place());
            bundles.abandon(plugin.bundles, stop);
            plugin.bundles = List.of();
        } else if (stop.failure() != null) {
            log.warn("The plugin {} throws when it is stopped: {}", plugin.archive, words(stop.failure()));
        }
    }

    /** Stops and uninstalls bundles that have come back after all. */
    private void tidy() {
        for (Optional<Bundle> each = bundles.returned(); each.isPresent(); each = bundles.returned()) {
            Bundle bundle = each.get();
            bundles.readmit(bundle);
            WatchedStep stop = WatchedStep.begin("felice-plugin-stop-" + bundle.getSymbolicName(), () -> {
                bundle.stop(Bundle.STOP_TRANSIENT);
                return null;
            });
            if (!stop.await(limits.patience())) {
                bundles.abandon(List.of(bundle), stop);
                return;
            }
            try {
                bundles.uninstall(List.of(bundle));
                log.info("The bundle {} has come back after all, and was uninstalled", bundle.getSymbolicName());
            } catch (BundleException | IllegalStateException refused) {
                log.error("The bundle {} cannot be uninstalled: {}", bundle.getSymbolicName(), words(refused));
            }
        }
    }

    /** How an installed plugin is now. */
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

    // ---- what others see ----

    List<Plugin> list() {
        List<Plugin> all = new ArrayList<>();
        plugins.values().stream()
                .filter(plugin -> plugin.archive != null)
                .forEach(plugin -> all.add(new Plugin(
                        plugin.name,
                        plugin.archive.version(),
                        plugin.file == null ? "" : plugin.file.fileName(),
                        plugin.state,
                        plugin.words(),
                        plugin.archive.provides(),
                        plugin.archive.signer().badge(),
                        others(plugin))));
        leftOut.forEach((file, why) -> all.add(new Plugin(
                why.name(),
                why.version(),
                file,
                State.LEFT_OUT,
                "left out: " + why.check().refusal(),
                why.check().provides(),
                why.check().signer(),
                List.of())));
        return all.stream().sorted(Comparator.comparing(Plugin::name)).toList();
    }

    private List<String> others(RunningPlugin plugin) {
        return kept.notes(plugin.name).versions().stream()
                .filter(version -> !version.sha256().equals(plugin.archive.sha256()))
                .map(KeptVersions.Version::version)
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
        troubles.addAll(
                bundles.hanging(name -> plugins.containsKey(name) && plugins.get(name).state == State.LEFT_OUT));
        if (!limits.problem().isEmpty()) {
            troubles.add(limits.problem());
        }
        return troubles;
    }

    Optional<RunningPlugin> plugin(String name) {
        return Optional.ofNullable(plugins.get(name));
    }

    /** The name of a plugin that has a file with this name. */
    Optional<String> nameOf(Path file) {
        return plugins.values().stream()
                .filter(plugin -> plugin.file != null && plugin.file.path().equals(file))
                .map(plugin -> plugin.name)
                .findFirst();
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
        forgetFile(plugin.file == null ? "" : plugin.file.fileName());
    }

    /** Has the next look read a file again. */
    void forgetFile(String name) {
        files.remove(name);
    }

    /** Reads a file that need not be in the directory, and compares it with the node. */
    PluginFile readForeign(Path file) throws IOException {
        return read(file, PluginFile.Look.at(file));
    }
}
