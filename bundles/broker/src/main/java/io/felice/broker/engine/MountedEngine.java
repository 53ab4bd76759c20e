package io.felice.broker.engine;

import static io.felice.api.ErrorCode.INCONSISTENT_CLUSTER_ID;

import io.felice.api.FeliceException;
import io.felice.api.storage.EngineTrait;
import io.felice.api.storage.LogId;
import io.felice.api.storage.PartitionLog;
import io.felice.api.storage.StorageEngine;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A mounted engine with a thread pool of its own for operations that may block: a device that hangs blocks only the
 * partitions of this engine.
 */
public final class MountedEngine implements Executor {
    private static final Logger log = LoggerFactory.getLogger(MountedEngine.class);
    private static final long IDLE_SECONDS = 10;

    private final String name;
    private final StorageEngine engine;
    private final ThreadPoolExecutor pool;
    private final Device device;
    private final FreeSpace space;
    private final Openings openings;
    private final OpeningFailures failures;
    private final boolean appendsOnCaller;
    private final Object claiming = new Object();
    private volatile String clusterId;
    private String claimedFor;

    public MountedEngine(String name, StorageEngine engine, int threads, LongSupplier nanos) {
        this(name, engine, threads, nanos, threadsOf(name));
    }

    MountedEngine(String name, StorageEngine engine, int threads, LongSupplier nanos, ThreadFactory factory) {
        this.name = name;
        this.engine = engine;
        this.device = new Device(nanos);
        this.failures = new OpeningFailures(name, engine, nanos);
        this.space = new FreeSpace(name, engine::volume, nanos);
        this.appendsOnCaller = engine.traits().contains(EngineTrait.APPENDS_WITHOUT_BLOCKING);
        pool = new ThreadPoolExecutor(
                threads, threads, IDLE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), factory);
        openings = new Openings(this, Math.max(1, threads - 1));
        pool.allowCoreThreadTimeOut(true);
        pool.setRejectedExecutionHandler((task, closed) -> task.run());
    }

    private static ThreadFactory threadsOf(String name) {
        AtomicInteger number = new AtomicInteger();
        return task -> {
            Thread thread = new Thread(task, "felice-storage-" + name + "-" + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        };
    }

    public String name() {
        return name;
    }

    public StorageEngine engine() {
        return engine;
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
                            failures.origin(),
                            refused);
                    claimed.complete(null);
                }
            }
        });
        return claimed;
    }

    /** Opens a log of the engine. Exceptions are logged with their stack, because the engine may be a third party's. */
    public PartitionLog open(LogId id, long lease) {
        try {
            return claimed().open(id, lease);
        } catch (RuntimeException | Error failure) {
            failures.tell(id, failure);
            throw failure;
        }
    }

    /** The engine, after it has confirmed that its logs belong to this node's cluster. May block; any thread. */
    public StorageEngine claimed() {
        synchronized (claiming) {
            String cluster = clusterId;
            if (cluster != null && !cluster.equals(claimedFor)) {
                engine.belongTo(cluster);
                claimedFor = cluster;
            }
        }
        return engine;
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
                name,
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
