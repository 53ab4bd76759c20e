package io.felice.shell;

import io.felice.api.FoldedErrors;
import io.felice.api.Launch;
import io.felice.api.status.HealthSource;
import io.felice.api.status.StatusSource;
import io.felice.api.status.StatusTable;
import io.felice.api.status.TableSchema;
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
 * Checks several times a second whether every part of the node serves. Asks all {@link HealthSource}s, and finds
 * missing or stopped bundles and components that did not start.
 */
@Component(immediate = true, service = StatusSource.class)
public final class NodeHealth implements StatusSource {
    private static final TableSchema HEALTH = TableSchema.of("health", "Why the node, or a part of it, does not serve")
            .label("does.not.serve", "The node, or a part of it")
            .label("reason", "Why");
    private static final Logger log = LoggerFactory.getLogger(NodeHealth.class);
    private static final FoldedErrors errors = new FoldedErrors(log);
    private static final long PERIOD_MS = 250;
    private static final long LEAVE_SECONDS = 5;

    /** Declarative Services logs each query for components at DEBUG, so they are checked less often. */
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

    // Used by the thread only.
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
                log.warn("A health check is still running after {} seconds", LEAVE_SECONDS);
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
            log.debug("No health check, because this component is closed");
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
            errors.error("The health check of the node failed", accident);
        }
    }

    /** True while the framework stops: then stopped bundles are no trouble. */
    private boolean isStopping() {
        return thread.isShutdown()
                || context.getBundle(Constants.SYSTEM_BUNDLE_LOCATION).getState() == Bundle.STOPPING;
    }

    /** Components that wait for a service are reported only if there is no other trouble, which may be the cause. */
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
            errors.error("The health check of a part failed", accident);
            return List.of(
                    Trouble.inPart("The health check of " + source.getClass().getName() + " failed: " + accident));
        }
    }

    private Bundle[] oursThatAreActive() {
        return Stream.of(context.getBundles())
                .filter(bundle -> bundle.getState() == Bundle.ACTIVE
                        && InstalledBundle.isOurs(bundle)
                        && !InstalledBundle.isOfPlugin(bundle))
                .toArray(Bundle[]::new);
    }

    /** Stopped bundles of Felice are troubles. Other stopped bundles are only logged once. */
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
        return List.of(HEALTH.rows(rows));
    }
}
