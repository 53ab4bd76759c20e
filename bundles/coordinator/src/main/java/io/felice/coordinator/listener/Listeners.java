package io.felice.coordinator.listener;

import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.extension.Extension;
import io.felice.api.extension.Extensions;
import io.felice.api.group.Groups;
import io.felice.api.listener.RecordListener;
import io.felice.api.partition.Partitions;
import io.felice.api.status.HealthSource;
import io.felice.api.status.StatusSource;
import io.felice.api.status.StatusTable;
import io.felice.api.status.TableSchema;
import io.felice.api.status.Trouble;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.osgi.service.component.ComponentServiceObjects;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs the record listeners of plugins. A new version of a listener begins when the run of the old one has committed its
 * offsets and has left the group.
 */
@Component(
        configurationPid = "io.felice.coordinator",
        immediate = true,
        service = {StatusSource.class, HealthSource.class})
@Designate(ocd = ListenerSettings.class)
public final class Listeners implements StatusSource, HealthSource {
    private static final Logger log = LoggerFactory.getLogger(Listeners.class);
    private static final long FAREWELL_SECONDS = 5;
    private static final TableSchema STATUS = TableSchema.of("coordinator.listeners", "The record listeners of plugins")
            .label("listener", "The name of the listener")
            .label("component", "The component, and its bundle")
            .label("group", "The consumer group")
            .counter("records", "Records that were received")
            .counter("failures", "Calls that failed or were late")
            .gauge("partitions", "Partitions that the listener reads")
            .gauge("paused", "Whether the listener is paused, because it fails")
            .text("last.failure", "Why it failed");

    private final Groups groups;
    private final Partitions partitions;
    private final ClusterMetadata metadata;
    private final ScheduledThreadPoolExecutor timer;
    private final Extensions<RecordListener> listeners;
    private final Map<String, ListenerRun> running = new TreeMap<>();
    private final Map<String, CompletableFuture<Void>> ending = new TreeMap<>();
    private volatile ListenerSettings settings;

    @Activate
    public Listeners(
            ListenerSettings settings,
            @Reference Groups groups,
            @Reference Partitions partitions,
            @Reference ClusterMetadata metadata) {
        this.settings = settings;
        this.groups = groups;
        this.partitions = partitions;
        this.metadata = metadata;
        this.timer = timer();
        this.listeners = new Extensions<>(
                "record listener",
                RecordListener.NAME,
                Extensions.sameBundleAs(Listeners.class),
                Listeners::refusal,
                timer,
                System::nanoTime);
    }

    private static ScheduledThreadPoolExecutor timer() {
        ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1, task -> {
            Thread thread = new Thread(task, "felice-coordinator-listeners");
            thread.setDaemon(true);
            return thread;
        });
        timer.setRemoveOnCancelPolicy(true);
        return timer;
    }

    private static Optional<String> refusal(Extension<RecordListener> listener) {
        return ListenedTopics.mistake(listener.properties())
                .map(mistake -> "The record listener " + listener.name() + " (" + listener.provider()
                        + ") is not used: " + mistake);
    }

    /** The next records are received with the new settings. */
    @Modified
    void modified(ListenerSettings changed) {
        settings = changed;
    }

    @Reference(
            service = RecordListener.class,
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    public void bindListener(ComponentServiceObjects<RecordListener> listener, Map<String, Object> properties) {
        listeners.add(listener, properties);
        startAndEnd();
    }

    /** Does not wait until the listener has ended. */
    public void unbindListener(ComponentServiceObjects<RecordListener> listener) {
        listeners.remove(listener);
        startAndEnd();
    }

    private void startAndEnd() {
        synchronized (running) {
            running.values().stream()
                    .filter(run -> listeners.find(run.listener().name()).orElse(null) != run.listener())
                    .toList()
                    .forEach(this::end);
            for (Extension<RecordListener> used : listeners.used()) {
                running.computeIfAbsent(used.name(), name -> started(used));
            }
        }
    }

    private ListenerRun started(Extension<RecordListener> listener) {
        ListenerRun run = new ListenerRun(listener, groups, partitions, metadata, () -> settings, timer);
        run.start(ending.getOrDefault(listener.name(), CompletableFuture.completedFuture(null)));
        return run;
    }

    private void end(ListenerRun run) {
        String name = run.listener().name();
        running.remove(name);
        ending.put(name, run.close());
    }

    /** Waits some seconds for the offsets to be committed. */
    @Deactivate
    public void close() {
        List<CompletableFuture<Void>> ends = new ArrayList<>();
        synchronized (running) {
            List.copyOf(running.values()).forEach(this::end);
            ends.addAll(ending.values());
        }
        try {
            CompletableFuture.allOf(ends.toArray(CompletableFuture[]::new)).get(FAREWELL_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        } catch (java.util.concurrent.ExecutionException | java.util.concurrent.TimeoutException late) {
            log.warn(
                    "Some record listeners have not ended within {} s: they receive some records again at the next start",
                    FAREWELL_SECONDS);
        }
        listeners.close();
        timer.shutdown();
    }

    @Override
    public List<StatusTable> tables() {
        synchronized (running) {
            return List.of(
                    STATUS.rows(running.values().stream().map(ListenerRun::row).toList()));
        }
    }

    @Override
    public List<Trouble> troubles() {
        List<Trouble> troubles = new ArrayList<>(listeners.troubles());
        synchronized (running) {
            running.values().forEach(run -> run.trouble().ifPresent(troubles::add));
        }
        return troubles;
    }
}
