package io.felice.shell;

import io.felice.api.FoldedErrors;
import io.felice.api.Launch;
import io.felice.api.status.HealthSource;
import io.felice.api.status.StatusSource;
import io.felice.api.status.StatusTable;
import io.felice.api.status.Trouble;
import io.felice.api.status.Trouble.Extent;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArraySet;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleListener;
import org.osgi.framework.Constants;
import org.osgi.framework.SynchronousBundleListener;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.runtime.ServiceComponentRuntime;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks every part of the node whether it serves, several times a second, and adds what no part can say of itself: which
 * bundles are absent or stopped, and which components did not come up.
 */
@Component(immediate = true, service = StatusSource.class)
public final class NodeHealth implements StatusSource {
    private static final Logger log = LoggerFactory.getLogger(NodeHealth.class);
    private static final FoldedErrors errors = new FoldedErrors(log);
    private static final long PERIOD_MS = 250;
    private static final long LEAVE_SECONDS = 5;

    /** Declarative Services logs each question at DEBUG, so its components are asked for less often. */
    private static final int LOOKS_PER_COMPONENTS = 20;

    private final BundleContext context;
    private final Components components;
    private final ExpectedBundles expected = new ExpectedBundles();
    private final DataDisk disk = DataDisk.ofThisNode();
    private final DirectMemory directMemory = DirectMemory.ofThisProcess();
    private final Set<HealthSource> sources = new CopyOnWriteArraySet<>();
    private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor(NodeHealth::thread);
    private final HealthReport report = new HealthReport(System::nanoTime, Launch::health);
    private final BundleListener listener = (SynchronousBundleListener) event -> lookSoon();

    private volatile List<Trouble> troubles = List.of();

    // Of the thread.
    private List<Trouble> failedComponents = List.of();
    private List<Trouble> waitingComponents = List.of();
    private int looks;

    @Activate
    public NodeHealth(BundleContext context, @Reference ServiceComponentRuntime runtime) {
        this.context = context;
        components = new Components(runtime, () -> runtime.getComponentDescriptionDTOs(oursThatAreActive()));
        thread.execute(this::nameBundlesStoppedByHand);
        thread.scheduleWithFixedDelay(this::look, 0, PERIOD_MS, TimeUnit.MILLISECONDS);
        context.addBundleListener(listener);
    }

    private static Thread thread(Runnable task) {
        Thread thread = new Thread(task, "felice-health");
        thread.setDaemon(true);
        return thread;
    }

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    public void bindSource(HealthSource source) {
        sources.add(source);
        lookSoon();
    }

    public void unbindSource(HealthSource source) {
        sources.remove(source);
        lookSoon();
    }

    @Deactivate
    public void close() {
        context.removeBundleListener(listener);
        thread.shutdown();
        try {
            if (!thread.awaitTermination(LEAVE_SECONDS, TimeUnit.SECONDS)) {
                log.warn("A part takes long to say whether it serves");
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
        Launch.unknownHealth();
    }

    private void lookSoon() {
        try {
            thread.execute(this::look);
        } catch (RejectedExecutionException closed) {
            log.debug("Nobody asks any more whether the node serves");
        }
    }

    private void look() {
        if (isStopping()) {
            return;
        }
        try {
            if (looks++ % LOOKS_PER_COMPONENTS == 0 || !failedComponents.isEmpty()) {
                failedComponents = components.failed();
                waitingComponents = components.waiting();
            }
            troubles = found();
            report.update(troubles);
        } catch (RuntimeException accident) {
            errors.error("It cannot be found out whether the node serves", accident);
        }
    }

    /** True while the framework stops, when bundles are away as they should be. */
    private boolean isStopping() {
        return thread.isShutdown()
                || context.getBundle(Constants.SYSTEM_BUNDLE_LOCATION).getState() == Bundle.STOPPING;
    }

    /** What a component waits for is said only if nothing else explains it. */
    private List<Trouble> found() {
        List<Trouble> found = new ArrayList<>(expected.missed(InstalledBundle.all(context)));
        sources.forEach(source -> found.addAll(troublesOf(source)));
        found.addAll(failedComponents);
        found.addAll(disk.troubles());
        found.addAll(directMemory.troubles());
        if (found.isEmpty() && !waitingComponents.isEmpty()) {
            waitingComponents = components.waiting();
            found.addAll(waitingComponents);
        }
        found.sort(Comparator.comparing(Trouble::extent).reversed().thenComparing(Trouble::reason));
        return List.copyOf(found);
    }

    private List<Trouble> troublesOf(HealthSource source) {
        try {
            return source.troubles();
        } catch (RuntimeException accident) {
            errors.error("A part cannot say whether it serves", accident);
            return List.of(Trouble.inPart(source.getClass().getName() + " cannot say whether it serves: " + accident));
        }
    }

    private Bundle[] oursThatAreActive() {
        return Stream.of(context.getBundles())
                .filter(bundle -> bundle.getState() == Bundle.ACTIVE && InstalledBundle.isOurs(bundle))
                .toArray(Bundle[]::new);
    }

    /** Felice's own that are stopped are troubles; the others are only named, once. */
    private void nameBundlesStoppedByHand() {
        for (InstalledBundle bundle : InstalledBundle.all(context)) {
            if (!bundle.isWanted() && !bundle.isFragment() && !bundle.isOurs()) {
                log.warn(
                        "The bundle {} was stopped by hand, and stays stopped. Start it: felice exec bundle:start {}",
                        bundle.name(),
                        bundle.name());
            }
        }
    }

    @Override
    public List<StatusTable> tables() {
        List<List<Object>> rows = new ArrayList<>();
        troubles.forEach(trouble ->
                rows.add(List.of(trouble.extent() == Extent.NODE ? "the node" : "a part", trouble.reason())));
        return List.of(new StatusTable("health", List.of("does.not.serve", "reason"), rows));
    }
}
