package io.felice.broker.engine;

import static io.felice.api.ErrorCode.INCONSISTENT_CLUSTER_ID;
import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;

import io.felice.api.FeliceException;
import io.felice.api.extension.WatchedCalls;
import io.felice.api.extension.WatchedCalls.Running;
import io.felice.api.storage.EngineTrait;
import io.felice.api.storage.LogId;
import io.felice.api.storage.PartitionLog;
import io.felice.api.storage.StorageEngine;
import io.felice.api.storage.Volume;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A mounted engine with a thread pool of its own for operations that may block: a device that hangs blocks only the
 * partitions of this engine. All calls of the engine go through this class and {@link WatchedLog}, which count and watch
 * them. An engine of a third party is called on threads of this engine only, whatever its traits say: a call that hangs
 * on an I/O thread would hold up the clients of all engines.
 */
public final class MountedEngine implements Executor {
    private static final String THREADS = "felice-storage-";

    private static final Logger log = LoggerFactory.getLogger(MountedEngine.class);
    private static final long IDLE_SECONDS = 10;
    /** How long a caller waits for the volume of a third party's engine. */
    private static final int VOLUME_MS = 2_000;

    private final Started started;
    private final ThreadPoolExecutor pool;
    private final Device device;
    private final FreeSpace space;
    private final Openings openings;
    private final EngineFailures failures;
    private final boolean appendsOnCaller;
    private final Object claiming = new Object();
    private volatile String clusterId;
    private volatile String logDir;
    private String claimedFor;

    /**
     * An engine whose service is active.
     *
     * @param provider the component and the bundle that the engine is from, for sentences
     * @param symbolicName of the bundle; empty in a JVM without a framework
     * @param version of the bundle; empty in a JVM without a framework
     * @param isOwn true if the bundle is one of Felice
     * @param limitMs a call that takes longer is late, in milliseconds
     */
    public record Started(
            String name,
            StorageEngine engine,
            Set<EngineTrait> traits,
            String provider,
            Optional<String> symbolicName,
            Optional<String> version,
            boolean isOwn,
            WatchedCalls calls,
            int limitMs) {}

    public MountedEngine(Started started, int threads, LongSupplier nanos) {
        this(started, threads, nanos, threadsOf(started.name()));
    }

    MountedEngine(Started started, int threads, LongSupplier nanos, ThreadFactory factory) {
        this(
                started,
                new ThreadPoolExecutor(
                        threads, threads, IDLE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), factory),
                nanos);
    }

    /** @param pool the threads of the engine; this object closes it */
    MountedEngine(Started started, ThreadPoolExecutor pool, LongSupplier nanos) {
        this.started = started;
        this.pool = pool;
        this.device = new Device(nanos);
        this.failures = new EngineFailures(subject(), nanos);
        this.space = new FreeSpace(started.name(), this::volume, nanos);
        this.logDir = started.name() + ":";
        this.appendsOnCaller = started.isOwn() && started.traits().contains(EngineTrait.APPENDS_WITHOUT_BLOCKING);
        openings = new Openings(this, Math.max(1, pool.getCorePoolSize() - 1));
        pool.allowCoreThreadTimeOut(true);
        pool.setRejectedExecutionHandler((task, closed) -> task.run());
    }

    private static ThreadFactory threadsOf(String name) {
        AtomicInteger number = new AtomicInteger();
        return task -> {
            Thread thread = new Thread(task, THREADS + name + "-" + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        };
    }

    /**
     * Threads have no class of this bundle: the framework may keep a thread that has loaded a class, and would keep the
     * classes of a bundle that was replaced.
     */
    private static boolean isEngineThread() {
        return Thread.currentThread().getName().startsWith(THREADS);
    }

    public String name() {
        return started.name();
    }

    /** The engine and its bundle, as the subject of a sentence. */
    public String subject() {
        return "The storage engine " + started.name() + " (" + started.provider() + ")";
    }

    /** The symbolic name of the bundle that the engine is from; empty in a JVM without a framework. */
    public Optional<String> symbolicName() {
        return started.symbolicName();
    }

    /** The version of that bundle; empty in a JVM without a framework. */
    public Optional<String> version() {
        return started.version();
    }

    public Set<EngineTrait> traits() {
        return started.traits();
    }

    /** True if the engine is from a bundle of Felice. */
    public boolean isOwn() {
        return started.isOwn();
    }

    // ---- calling the engine

    public WatchedCalls calls() {
        return started.calls();
    }

    /** The smaller one of the time limit of calls and {@code mostMs}, in milliseconds. */
    public int limitMs(int mostMs) {
        return Math.min(mostMs, started.limitMs());
    }

    /** True if a call on this thread is watched: any call of a third party's engine, and those on the engine's threads. */
    boolean isWatchedHere() {
        return !started.isOwn() || isEngineThread();
    }

    Running begin(String call) {
        return calls().begin(call, started.limitMs());
    }

    Running awaiting(String call, CompletionStage<?> stage) {
        return calls().awaiting(call, started.limitMs(), stage);
    }

    /** Calls the engine on this thread. A result that is null is a failure. */
    <T> T asked(String call, Supplier<T> question) {
        Running running = begin(call);
        Throwable failure = null;
        try {
            return Objects.requireNonNull(question.get(), "null as the result");
        } catch (Throwable thrown) {
            failure = thrown;
            throw failed(call, thrown);
        } finally {
            running.ended(failure);
        }
    }

    /** As {@link #asked}, for a method without a result. */
    void told(String call, Runnable order) {
        asked(call, () -> {
            order.run();
            return call;
        });
    }

    /**
     * What a caller gets instead of what the engine has thrown. Of a third party's engine everything but an answer becomes
     * KAFKA_STORAGE_ERROR, with the stack in the log; an error of the JVM is thrown.
     */
    RuntimeException failed(String call, Throwable thrown) {
        if (EngineFailures.isAnswer(thrown)) {
            return (FeliceException) thrown;
        } else if (thrown instanceof VirtualMachineError error && !(thrown instanceof StackOverflowError)) {
            throw error;
        } else if (started.isOwn() && thrown instanceof RuntimeException failure) {
            return failure;
        } else if (started.isOwn() && thrown instanceof Error error) {
            throw error;
        }
        failures.tell(call, thrown);
        return failures.sentence(call, thrown);
    }

    /**
     * @return fails with INCONSISTENT_CLUSTER_ID if the logs belong to another cluster; other failures are logged, and
     *     come again when a log is opened
     */
    CompletableFuture<Void> belongTo(String cluster) {
        clusterId = cluster;
        CompletableFuture<Void> claimed = new CompletableFuture<>();
        execute(() -> {
            try {
                claimed();
                claimed.complete(null);
            } catch (RuntimeException refused) {
                if (FeliceException.codeOf(refused) == INCONSISTENT_CLUSTER_ID) {
                    claimed.completeExceptionally(refused);
                } else {
                    log.warn(
                            "{} did not say which cluster its logs belong to; it is asked again when a log is opened",
                            subject(),
                            refused);
                    claimed.complete(null);
                }
            }
        });
        return claimed;
    }

    /** Opens a log of the engine. May block. Exceptions are logged with their stack. */
    public PartitionLog open(LogId id, long lease) {
        String call = "open() of " + id;
        StorageEngine engine = claimed();
        try {
            return new WatchedLog(asked(call, () -> engine.open(id, lease)), id, this);
        } catch (RuntimeException | Error failure) {
            if (started.isOwn()) {
                failures.tell(call, failure);
            }
            throw failure;
        }
    }

    /** All logs that the engine has. May block. */
    public Set<LogId> logs() {
        StorageEngine engine = claimed();
        return asked("logs()", engine::logs);
    }

    /** As {@link StorageEngine#setAside}. May block. */
    public void setAside(LogId id) {
        StorageEngine engine = claimed();
        told("setAside() of " + id, () -> engine.setAside(id));
    }

    /** As {@link StorageEngine#delete}. May block. */
    public void delete(LogId id) {
        StorageEngine engine = claimed();
        told("delete() of " + id, () -> engine.delete(id));
    }

    /** The engine, after it has confirmed that its logs belong to this node's cluster. */
    private StorageEngine claimed() {
        StorageEngine engine = started.engine();
        synchronized (claiming) {
            String cluster = clusterId;
            if (cluster != null && !cluster.equals(claimedFor)) {
                told("belongTo()", () -> engine.belongTo(cluster));
                claimedFor = cluster;
            }
        }
        return engine;
    }

    /** The place of the logs and its free space. Waits two seconds at most for a third party's engine. */
    public Volume volume() {
        return started.isOwn() ? volumeHere() : volumeWithin(limitMs(VOLUME_MS));
    }

    private Volume volumeWithin(int limitMs) {
        try {
            return calls().call("volume()", limitMs, this::volumeHere).get();
        } catch (ExecutionException failed) {
            throw failures.sentence("volume()", failed.getCause());
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw KAFKA_STORAGE_ERROR.because("Interrupted while " + subject() + " was asked for its volume");
        }
    }

    /** Asks the engine on this thread; may block for ever. */
    public Volume volumeHere() {
        Volume volume = asked("volume()", started.engine()::volume);
        logDir = volume.logDir();
        return volume;
    }

    /** The place of the logs, as the engine has said last. */
    public String logDir() {
        return logDir;
    }

    public Device device() {
        return device;
    }

    public FreeSpace space() {
        return space;
    }

    public Openings openings() {
        return openings;
    }

    public boolean appendsOnCaller() {
        return appendsOnCaller && !device.isSlow();
    }

    /**
     * Runs a task on the engine's threads, or on the caller's thread after {@link #close}. If the system cannot create
     * a thread, the task waits for an existing one or for {@link #startWaiting}.
     */
    @Override
    public void execute(Runnable task) {
        try {
            pool.execute(task);
        } catch (OutOfMemoryError noThread) {
            hasTooFewThreads(noThread);
            if (!pool.getQueue().contains(task)) {
                pool.getQueue().add(task);
            }
        }
    }

    /** About every second: if tasks wait and there is no thread, tries again to create one. */
    public void startWaiting() {
        if (pool.getPoolSize() > 0 || pool.getQueue().isEmpty()) {
            return;
        }
        try {
            pool.prestartCoreThread();
        } catch (OutOfMemoryError noThread) {
            hasTooFewThreads(noThread);
        }
    }

    private void hasTooFewThreads(OutOfMemoryError noThread) {
        log.warn(
                "The system cannot create a thread for the storage engine {}, which goes on with {} threads",
                started.name(),
                pool.getPoolSize(),
                noThread);
    }

    public int queued() {
        return pool.getQueue().size();
    }

    /** Runs the waiting tasks first. */
    public void close() {
        pool.shutdown();
    }
}
