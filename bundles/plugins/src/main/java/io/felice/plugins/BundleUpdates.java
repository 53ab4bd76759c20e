package io.felice.plugins;

import static io.felice.api.ErrorCode.INVALID_REQUEST;

import io.felice.api.FeliceException;
import io.felice.api.plugin.NodeUpdate;
import io.felice.api.status.HealthSource;
import io.felice.api.status.Trouble;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.startlevel.BundleStartLevel;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.runtime.ServiceComponentRuntime;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Updates the node's own bundles on a thread of its own. Bundles with a lower start level come first, as they do when a node
 * starts. The shell and this bundle come last, because an update ends its caller and its own code; what a bundle registers is
 * read through the framework, which stays.
 */
@Component
public final class BundleUpdates implements NodeUpdate {
    private static final Logger log = LoggerFactory.getLogger(BundleUpdates.class);
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final long LOOK_MS = 20;
    private static final List<String> LAST = List.of("io.felice.shell", "io.felice.plugins");

    private final BundleContext framework;
    private final ServiceComponentRuntime components;
    private final Duration patience;
    /** The files of bundles that were updated. They go with the bundle cache. */
    private final Path updated;

    private final AtomicBoolean isBusy = new AtomicBoolean();
    private final Collection<HealthSource> health = new CopyOnWriteArrayList<>();

    @Activate
    public BundleUpdates(BundleContext context, @Reference ServiceComponentRuntime components) {
        this(context, components, PATIENCE);
    }

    BundleUpdates(BundleContext context, ServiceComponentRuntime components, Duration patience) {
        // The context of this bundle ends when this bundle is updated.
        framework = context.getBundle(Constants.SYSTEM_BUNDLE_LOCATION).getBundleContext();
        this.components = components;
        this.patience = patience;
        this.updated = context.getDataFile("updated").toPath();
    }

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    public void bindHealth(HealthSource source) {
        health.add(source);
    }

    public void unbindHealth(HealthSource source) {
        health.remove(source);
    }

    /** A bundle and its new content. */
    private record Update(Bundle bundle, Optional<Distribution.Jar> jar) {
        String name() {
            return bundle.getSymbolicName();
        }

        InputStream content() throws IOException {
            return jar.isPresent() ? Files.newInputStream(jar.get().file()) : installedFrom(bundle);
        }
    }

    private static InputStream installedFrom(Bundle bundle) throws IOException {
        return new URL(bundle.getLocation()).openStream();
    }

    private boolean differs(Update update) throws IOException {
        try (InputStream offered = update.content()) {
            return update.jar().isEmpty() || !Arrays.equals(running(update.bundle()), offered.readAllBytes());
        }
    }

    /** The content of the bundle that runs: what an update of this class has put there, or what was installed. */
    private byte[] running(Bundle bundle) throws IOException {
        Path kept = keptFor(bundle);
        if (Files.exists(kept)) {
            return Files.readAllBytes(kept);
        }
        try (InputStream in = installedFrom(bundle)) {
            return in.readAllBytes();
        }
    }

    /** A bundle that was updated in another way since has another time. */
    private Path keptFor(Bundle bundle) {
        return updated.resolve(bundle.getSymbolicName() + "-" + bundle.getLastModified() + ".jar");
    }

    private void keep(Bundle bundle, byte[] content) throws IOException {
        Files.createDirectories(updated);
        try (Stream<Path> files = Files.list(updated)) {
            List<Path> old = files.filter(
                            file -> file.getFileName().toString().startsWith(bundle.getSymbolicName() + "-"))
                    .toList();
            for (Path each : old) {
                Files.delete(each);
            }
        }
        Files.write(keptFor(bundle), content);
    }

    @Override
    public List<Candidate> candidates(Optional<Path> home) {
        try {
            List<Candidate> candidates = new ArrayList<>();
            for (Update update : updates(home)) {
                String running = update.bundle().getVersion().toString();
                String offered =
                        update.jar().map(jar -> jar.version().toString()).orElse(running);
                candidates.add(new Candidate(update.name(), running, offered, differs(update)));
            }
            return candidates;
        } catch (IOException unreadable) {
            throw INVALID_REQUEST.because("A bundle cannot be read: " + unreadable.getMessage());
        }
    }

    @Override
    public CompletionStage<String> update(Optional<Path> home, List<String> bundles, Consumer<String> progress) {
        if (!isBusy.compareAndSet(false, true)) {
            return CompletableFuture.failedFuture(INVALID_REQUEST.because("Another update is going on"));
        }
        CompletableFuture<String> outcome = new CompletableFuture<>();
        Thread thread = new Thread(() -> update(home, bundles, progress, outcome), "felice-update");
        thread.setDaemon(true);
        thread.start();
        return outcome;
    }

    private void update(
            Optional<Path> home, List<String> names, Consumer<String> progress, CompletableFuture<String> outcome) {
        String done = null;
        Throwable failure = null;
        try {
            done = replaceAll(home, names, progress);
        } catch (IOException | BundleException failed) {
            failure = INVALID_REQUEST.because("The update ended: " + failed.getMessage());
        } catch (Throwable refused) {
            failure = refused;
        }
        isBusy.set(false);
        if (failure == null) {
            outcome.complete(done);
        } else {
            log.warn("The update ended", failure);
            outcome.completeExceptionally(failure);
        }
    }

    private String replaceAll(Optional<Path> home, List<String> names, Consumer<String> progress)
            throws IOException, BundleException {
        List<Update> chosen = chosen(home, names);
        for (Update each : chosen) {
            tell(progress, replace(each));
        }
        return chosen.isEmpty()
                ? "This node has these bundles already"
                : chosen.size() + (chosen.size() == 1 ? " bundle was" : " bundles were") + " replaced";
    }

    /** The shell that listens may have gone. */
    private static void tell(Consumer<String> progress, String sentence) {
        log.info("{}", sentence);
        try {
            progress.accept(sentence);
        } catch (RuntimeException gone) {
            log.debug("Nobody listens to the update", gone);
        }
    }

    private List<Update> chosen(Optional<Path> home, List<String> names) throws IOException {
        List<Update> chosen = new ArrayList<>();
        Set<String> unknown = new HashSet<>(names);
        for (Update each : updates(home)) {
            if (names.isEmpty() ? differs(each) : unknown.remove(each.name())) {
                chosen.add(each);
            }
        }
        if (!unknown.isEmpty()) {
            throw INVALID_REQUEST.because(
                    "No such bundle can be replaced while the node runs: " + String.join(", ", unknown));
        }
        for (Update each : chosen) {
            requireAlone(each.bundle());
        }
        return chosen;
    }

    // ---- what can be replaced

    private List<Update> updates(Optional<Path> home) {
        Optional<Distribution> other = home.map(Distribution::in);
        other.ifPresent(this::requireSameBase);
        List<Update> updates = new ArrayList<>();
        for (Bundle bundle : replaceable()) {
            Optional<Distribution.Jar> jar = other.flatMap(distribution -> distribution.find(bundle.getSymbolicName()));
            if (other.isEmpty() || jar.isPresent()) {
                updates.add(new Update(bundle, jar));
            }
        }
        return updates;
    }

    private List<Bundle> replaceable() {
        return Arrays.stream(framework.getBundles())
                .filter(bundle -> bundle.getState() == Bundle.ACTIVE)
                .filter(bundle -> isOurs(bundle) && !FIXED.contains(bundle.getSymbolicName()))
                .sorted(Comparator.<Bundle>comparingInt(bundle -> LAST.indexOf(bundle.getSymbolicName()))
                        .thenComparingInt(
                                bundle -> bundle.adapt(BundleStartLevel.class).getStartLevel())
                        .thenComparingLong(Bundle::getBundleId))
                .toList();
    }

    private static boolean isOurs(Bundle bundle) {
        String name = bundle.getSymbolicName();
        return name != null && name.startsWith("io.felice.") && !PluginIsolation.isPlugin(bundle);
    }

    /** Bundles that are not replaced must be those of the other distribution, or the new code may not fit. */
    private void requireSameBase(Distribution other) {
        Map<String, String> others = new TreeMap<>();
        for (Bundle bundle : framework.getBundles()) {
            String name = bundle.getSymbolicName();
            if (name == null || bundle.getBundleId() == 0 || PluginIsolation.isPlugin(bundle)) {
                continue;
            }
            other.find(name)
                    .filter(jar ->
                            isOurs(bundle) ? FIXED.contains(name) && !isSame(bundle, jar) : !isVersion(bundle, jar))
                    .ifPresent(jar -> others.put(name, jar.version().toString()));
        }
        if (!others.isEmpty()) {
            throw INVALID_REQUEST.because(
                    "This distribution needs a restart of the node, because it has other bundles that"
                            + " cannot be replaced while the node runs: "
                            + others.entrySet().stream()
                                    .map(each -> each.getKey() + " " + each.getValue())
                                    .collect(Collectors.joining(", ")));
        }
    }

    private static boolean isVersion(Bundle bundle, Distribution.Jar jar) {
        return bundle.getVersion().equals(jar.version());
    }

    private boolean isSame(Bundle bundle, Distribution.Jar jar) {
        try {
            return !differs(new Update(bundle, Optional.of(jar)));
        } catch (IOException unreadable) {
            throw INVALID_REQUEST.because(bundle.getSymbolicName() + " cannot be read: " + unreadable.getMessage());
        }
    }

    /** @throws FeliceException INVALID_REQUEST if the framework would stop others with this bundle */
    private void requireAlone(Bundle bundle) {
        Set<Bundle> others = new HashSet<>(BundleLifecycle.closure(framework, Set.of(bundle)));
        others.remove(bundle);
        if (!others.isEmpty()) {
            throw INVALID_REQUEST.because(bundle.getSymbolicName()
                    + " cannot be replaced while the node runs, because these"
                    + " bundles use its classes: "
                    + others.stream().map(Bundle::getSymbolicName).sorted().collect(Collectors.joining(", ")));
        }
    }

    // ---- one bundle

    /** @return a sentence about it */
    private String replace(Update update) throws IOException, BundleException {
        Bundle bundle = update.bundle();
        String before = bundle.getVersion().toString();
        Set<String> known = troubles();
        long began = System.nanoTime();
        byte[] old = running(bundle);
        byte[] content;
        try (InputStream in = update.content()) {
            content = in.readAllBytes();
        }
        String problem = put(bundle, content);
        // The code that is running here is that of the bundle before, and can load no more of its classes.
        boolean isThis = bundle.getSymbolicName().equals(LAST.get(LAST.size() - 1));
        problem = problem != null || isThis ? problem : problemOf(bundle, known);
        if (problem != null) {
            put(bundle, old);
            throw INVALID_REQUEST.because(update.name() + " " + bundle.getVersion()
                    + " was taken back, because its update was not healthy: " + problem);
        }
        return update.name() + " " + before + " -> " + bundle.getVersion() + ", healthy after "
                + TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began) + " ms";
    }

    /** @return what the bundle's start has thrown; null if it has started */
    private String put(Bundle bundle, byte[] content) throws IOException, BundleException {
        bundle.stop(Bundle.STOP_TRANSIENT);
        bundle.update(new ByteArrayInputStream(content));
        keep(bundle, content);
        try {
            if (!BundleLifecycle.refresh(framework, Set.of(bundle), patience)) {
                return "the framework has not wired it within " + patience.toSeconds() + " s";
            }
            BundleLifecycle.start(bundle);
            return null;
        } catch (BundleException failure) {
            return BundleLifecycle.startFailure(failure);
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            return "the update was interrupted";
        }
    }

    /** Waits until the bundle is healthy. Returns what is wrong after the time for it; null if it is healthy. */
    private String problemOf(Bundle bundle, Set<String> known) {
        ComponentHealth ofComponents = new ComponentHealth(framework, components);
        long end = System.nanoTime() + patience.toNanos();
        while (true) {
            String problem = problemNow(bundle, known, ofComponents);
            if (problem == null
                    || System.nanoTime() >= end
                    || Thread.currentThread().isInterrupted()) {
                return problem;
            }
            try {
                Thread.sleep(LOOK_MS);
            } catch (InterruptedException stopped) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private String problemNow(Bundle bundle, Set<String> known, ComponentHealth ofComponents) {
        if (bundle.getState() != Bundle.ACTIVE) {
            return "it has not started";
        }
        ComponentHealth.Condition condition = ofComponents.of(List.of(bundle));
        if (!condition.equals(ComponentHealth.Condition.GOOD)) {
            return condition.sentence();
        }
        Set<String> now = troubles();
        now.removeAll(known);
        return now.isEmpty() ? null : String.join("; ", now);
    }

    private Set<String> troubles() {
        Set<String> troubles = new HashSet<>();
        for (HealthSource source : health) {
            try {
                source.troubles().stream().map(BundleUpdates::words).forEach(troubles::add);
            } catch (RuntimeException gone) {
                log.debug("A part of the node does not say whether it serves", gone);
            }
        }
        return troubles;
    }

    /** The numbers of a trouble change while it lasts. */
    private static String words(Trouble trouble) {
        return trouble.reason().replaceAll("\\d+", "N");
    }
}
