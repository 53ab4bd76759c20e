package io.felice.broker;

import io.felice.api.storage.StorageEngine;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;

/**
 * An engine that is here, with threads of its own for what may block: a device that hangs keeps only its own partitions
 * waiting.
 */
final class MountedEngine implements Executor {
    private static final long IDLE_SECONDS = 10;

    private final String name;
    private final StorageEngine engine;
    private final ThreadPoolExecutor pool;
    private final Device device;
    private final Room room;
    private final Openings openings;
    private final boolean appendsOnCaller;

    MountedEngine(String name, StorageEngine engine, int threads, LongSupplier nanos) {
        this.name = name;
        this.engine = engine;
        this.device = new Device(nanos);
        this.room = new Room(name, engine::volume, nanos);
        this.appendsOnCaller = engine.traits().appendsWithoutBlocking();
        AtomicInteger number = new AtomicInteger();
        pool = new ThreadPoolExecutor(
                threads, threads, IDLE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> {
                    Thread thread = new Thread(task, "felice-storage-" + name + "-" + number.incrementAndGet());
                    thread.setDaemon(true);
                    return thread;
                });
        openings = new Openings(pool, Math.max(1, threads - 1));
        pool.allowCoreThreadTimeOut(true);
        pool.setRejectedExecutionHandler((task, closed) -> task.run());
    }

    String name() {
        return name;
    }

    StorageEngine engine() {
        return engine;
    }

    Device device() {
        return device;
    }

    Room room() {
        return room;
    }

    Openings openings() {
        return openings;
    }

    /** True if an append may run on the thread that brings it. */
    boolean appendsOnCaller() {
        return appendsOnCaller && !device.isSlow();
    }

    /** Runs a task on the engine's threads; on the caller's once they have ended. */
    @Override
    public void execute(Runnable task) {
        pool.execute(task);
    }

    int queued() {
        return pool.getQueue().size();
    }

    /** Ends the threads after what they were given. */
    void close() {
        pool.shutdown();
    }
}
