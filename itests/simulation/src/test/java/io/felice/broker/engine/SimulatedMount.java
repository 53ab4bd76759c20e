package io.felice.broker.engine;

import io.felice.api.extension.WatchedCalls;
import io.felice.api.storage.StorageEngine;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/** Mounts an engine whose threads are lanes of a simulation. */
public final class SimulatedMount {
    private SimulatedMount() {}

    /** @param threads runs the tasks of the engine later, never inside the call */
    public static MountedEngine of(
            String name, StorageEngine engine, Executor threads, ScheduledExecutorService timer, LongSupplier nanos) {
        WatchedCalls calls = new WatchedCalls(name, "the simulation", timer, nanos);
        MountedEngine.Started started = new MountedEngine.Started(
                name,
                engine,
                engine.traits(),
                "the simulation",
                Optional.empty(),
                Optional.empty(),
                true,
                calls,
                Integer.MAX_VALUE);
        return new MountedEngine(started, new Pool(threads), nanos);
    }

    private static final class Pool extends ThreadPoolExecutor {
        private final Executor threads;

        Pool(Executor threads) {
            super(2, 2, 1, TimeUnit.SECONDS, new LinkedBlockingQueue<>());
            this.threads = threads;
        }

        @Override
        public void execute(Runnable task) {
            threads.execute(task);
        }
    }
}
