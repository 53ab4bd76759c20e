package io.felice.broker.engine;

import io.felice.api.extension.Extension;
import io.felice.api.extension.Extensions;
import io.felice.api.extension.WatchedCalls;
import io.felice.api.status.StatusTable;
import io.felice.api.status.TableSchema;
import io.felice.api.status.Trouble;
import io.felice.api.storage.EngineTrait;
import io.felice.api.storage.StorageEngine;
import io.felice.api.storage.Volume;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.osgi.framework.Bundle;
import org.osgi.service.component.ComponentServiceObjects;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Mounts the storage engines that are registered as services. An engine is activated and asked for its traits on a thread
 * of its own, so that one that hangs or fails there holds up nobody; one that fails is tried again. The next engine of a
 * name is mounted only after the partitions of the one before have been closed or given up.
 *
 * <p>Changed on the broker's thread only. Any thread may ask.
 */
public final class EngineServices {
    private static final Logger log = LoggerFactory.getLogger(EngineServices.class);
    private static final String OWN = "io.felice.storage.";
    private static final int VOLUME_MS = 2_000;
    private static final long FIRST_RETRY_MS = 1_000;
    private static final int DOUBLINGS = 5;

    private static final TableSchema TABLE = TableSchema.of("broker.engines", "The storage engines and their calls")
            .label("engine", "The storage engine")
            .label("component", "The component, and its bundle")
            .text("state", "starting, mounted, or leaving while its logs are being closed")
            .counter("calls", "Calls that were made")
            .counter("failures", "Calls that failed")
            .counter("late", "Calls that took longer than storage.timeout.ms")
            .counter("not.called", "Calls that were not made, because too many had failed")
            .gauge("busy.threads", "Threads that are in a call")
            .text("problem", "Why the engine is not used, or the call that does not come back");

    /** What uses the engines. On the broker's thread. */
    public interface Users {
        void mounted(MountedEngine engine);

        /** @return done when nothing uses the engine any more, also if the engine hangs */
        CompletableFuture<?> unmounted(MountedEngine engine);
    }

    /**
     * @param threads of each engine
     * @param limitMs a call that takes longer is late, in milliseconds
     */
    public record Limits(int threads, int limitMs) {}

    private final Limits limits;
    private final Engines engines;
    private final Users users;
    private final Executor main;
    private final ScheduledExecutorService timer;
    private final LongSupplier nanos;
    private final Extensions<StorageEngine> extensions;
    private final Map<String, Mount> mounts = new ConcurrentSkipListMap<>();

    /** @param refusal a sentence that says why this node may not use an engine; as {@link Extensions} says */
    public EngineServices(
            Limits limits,
            Engines engines,
            Users users,
            Function<Extension<StorageEngine>, Optional<String>> refusal,
            Executor main,
            ScheduledExecutorService timer,
            LongSupplier nanos) {
        this.limits = limits;
        this.engines = engines;
        this.users = users;
        this.main = main;
        this.timer = timer;
        this.nanos = nanos;
        this.extensions =
                new Extensions<>("storage engine", StorageEngine.NAME, EngineServices::isOwn, refusal, timer, nanos);
    }

    private static boolean isOwn(Bundle bundle) {
        return bundle == null || bundle.getSymbolicName().startsWith(OWN);
    }

    public void add(ComponentServiceObjects<StorageEngine> offered, Map<String, Object> properties) {
        extensions.add(offered, properties);
        follow();
    }

    /** @return done when the partitions of the engine are closed or given up */
    public CompletableFuture<?> remove(ComponentServiceObjects<StorageEngine> offered) {
        extensions.remove(offered);
        return follow();
    }

    /** Asks again who is refused. */
    public void chooseAgain() {
        extensions.chooseAgain();
        follow();
    }

    private CompletableFuture<?> follow() {
        List<Extension<StorageEngine>> used = extensions.used();
        List<CompletableFuture<?>> leaving = new ArrayList<>();
        for (Mount mount : mounts.values()) {
            if (!used.contains(mount.extension)) {
                leaving.add(mount.leave());
            }
        }
        for (Extension<StorageEngine> extension : used) {
            if (!mounts.containsKey(extension.name())) {
                Mount mount = new Mount(extension);
                mounts.put(extension.name(), mount);
                mount.activate();
            }
        }
        return CompletableFuture.allOf(leaving.toArray(CompletableFuture[]::new));
    }

    /** Done when the first attempt to start each engine that is there now has ended. */
    public CompletableFuture<Void> started() {
        return CompletableFuture.allOf(
                mounts.values().stream().map(mount -> mount.tried).toArray(CompletableFuture[]::new));
    }

    /** For the timer, about every second. */
    public void look() {
        mounts.values().forEach(mount -> mount.extension.calls().look());
    }

    /** Why an engine that is registered is not mounted; empty if there is none with this name, or if it is mounted. */
    public Optional<String> absence(String name) {
        return Optional.ofNullable(mounts.get(name)).flatMap(Mount::absence);
    }

    /** The call of an engine that has not come back for too long; the rest of a sentence. */
    public Optional<String> hanging(String name) {
        return Optional.ofNullable(mounts.get(name))
                .flatMap(mount -> mount.extension.calls().hanging());
    }

    /** Engines that were refused, that could not be started, and that do not come back from a call. */
    public List<Trouble> troubles() {
        List<Trouble> troubles = new ArrayList<>(extensions.troubles());
        for (Mount mount : mounts.values()) {
            String failure = mount.failure;
            if (failure != null) {
                troubles.add(Trouble.inPart(mount.subject() + " is not used: " + failure + ". It is tried again"));
            }
        }
        return troubles;
    }

    /** A row for each engine that is used. */
    public StatusTable table() {
        return TABLE.rows(mounts.values().stream().map(Mount::row).toList());
    }

    /** Fails the open calls; waits for no thread. */
    public void close() {
        extensions.close();
    }

    private enum State {
        STARTING,
        MOUNTED,
        LEAVING
    }

    /** One service on its way to be an engine of this node. */
    private final class Mount {
        private final Extension<StorageEngine> extension;
        /** Done when the first attempt to start the service has ended. */
        private final CompletableFuture<Void> tried = new CompletableFuture<>();

        private volatile State state = State.STARTING;
        /** Why the service could not be started; null if nothing has failed. */
        private volatile String failure;

        private MountedEngine engine;
        private CompletableFuture<?> left;
        private int failures;

        Mount(Extension<StorageEngine> extension) {
            this.extension = extension;
        }

        String subject() {
            return "The storage engine " + extension.name() + " (" + extension.provider() + ")";
        }

        void activate() {
            step("its activation", limits.limitMs(), extension::service, this::activated);
        }

        private void activated(StorageEngine service) {
            step("traits()", limits.limitMs(), () -> Set.copyOf(service.traits()), traits -> mount(service, traits));
        }

        /**
         * Calls the service. A call that is late is not repeated; if it comes back after all, the next step follows.
         *
         * @param next on the broker's thread
         */
        private <T> void step(String what, int limitMs, Callable<T> call, Consumer<T> next) {
            AtomicBoolean isBegun = new AtomicBoolean();
            extension
                    .calls()
                    .call(what, limitMs, () -> {
                        isBegun.set(true);
                        try {
                            T value = call.call();
                            main.execute(() -> ifStarting(() -> next.accept(value)));
                            return value;
                        } catch (Throwable thrown) {
                            main.execute(() -> ifStarting(() -> failed(what + " has failed: " + thrown)));
                            throw thrown;
                        }
                    })
                    .whenComplete((value, failed) -> {
                        if (!isBegun.get()) {
                            main.execute(() -> ifStarting(() -> failed(String.valueOf(failed))));
                        } else if (failed != null) {
                            tried.complete(null);
                        }
                    });
        }

        private void ifStarting(Runnable step) {
            if (state == State.STARTING) {
                step.run();
            }
        }

        private void failed(String why) {
            failure = why;
            tried.complete(null);
            log.warn("{} is not used: {}", subject(), why);
            long delay = FIRST_RETRY_MS << Math.min(DOUBLINGS, failures++);
            try {
                timer.schedule(() -> main.execute(() -> ifStarting(this::activate)), delay, TimeUnit.MILLISECONDS);
            } catch (RejectedExecutionException closing) {
                log.debug("{} is not tried again, because the broker is closing", subject());
            }
        }

        private void mount(StorageEngine service, Set<EngineTrait> traits) {
            MountedEngine fresh = new MountedEngine(
                    new MountedEngine.Started(
                            extension.name(),
                            service,
                            traits,
                            extension.provider(),
                            extension.symbolicName(),
                            extension.bundle().map(bundle -> bundle.getVersion().toString()),
                            isOwn(extension.bundle().orElse(null)),
                            extension.calls(),
                            limits.limitMs()),
                    limits.threads(),
                    nanos);
            engine = fresh;
            // The place of the logs is known before the engine is used, unless the engine cannot say it.
            CompletableFuture<Volume> volume =
                    extension.calls().call("volume()", Math.min(VOLUME_MS, limits.limitMs()), fresh::volumeHere);
            volume.whenComplete((known, unknown) -> main.execute(() -> ifStarting(() -> mounted(fresh))));
        }

        private void mounted(MountedEngine fresh) {
            failure = null;
            state = State.MOUNTED;
            log.info("{} is used now", subject());
            engines.mount(fresh);
            users.mounted(fresh);
            tried.complete(null);
        }

        CompletableFuture<?> leave() {
            if (state == State.LEAVING) {
                return left;
            }
            boolean wasMounted = state == State.MOUNTED;
            state = State.LEAVING;
            failure = null;
            tried.complete(null);
            if (!wasMounted) {
                mounts.remove(extension.name(), this);
                if (engine != null) {
                    engine.close();
                }
                left = CompletableFuture.completedFuture(null);
                return left;
            }
            engines.unmount(engine);
            left = users.unmounted(engine).handle((nothing, unused) -> null);
            left.whenComplete((nothing, unused) -> main.execute(this::left));
            return left;
        }

        private void left() {
            engine.close();
            mounts.remove(extension.name(), this);
            follow();
        }

        Optional<String> absence() {
            return switch (state) {
                case MOUNTED -> Optional.empty();
                case LEAVING -> Optional.of(subject() + " is leaving: its logs are being closed" + whereItHangs());
                case STARTING -> Optional.of(
                        failure == null
                                ? subject() + " is being started" + whereItHangs()
                                : subject() + " cannot be started: " + failure);
            };
        }

        private String whereItHangs() {
            return extension.calls().hanging().map(call -> "; " + call).orElse("");
        }

        List<Object> row() {
            WatchedCalls.Counted counted = extension.calls().counted();
            String problem = Optional.ofNullable(failure)
                    .or(() -> extension.calls().hanging())
                    .orElse("");
            return List.of(
                    extension.name(),
                    extension.provider(),
                    state.name().toLowerCase(Locale.ROOT),
                    counted.calls(),
                    counted.failures(),
                    counted.late(),
                    counted.notCalled(),
                    (long) counted.busyThreads(),
                    problem);
        }
    }
}
