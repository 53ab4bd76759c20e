package io.felice.broker.partition;

import io.felice.api.FeliceException;
import io.felice.api.SerialExecutor;
import io.felice.api.TopicPartition;
import io.felice.broker.engine.MountedEngine;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs the tasks that change a log one at a time, in order, on whichever thread finds the log idle. A task that may
 * block starts an operation on the engine's threads; later tasks are held back until it has ended. The engine's threads
 * settle the log after each task.
 *
 * <p>Any thread may submit a task. Only the running task may call {@link #holdsBack} and {@link #handOver}.
 */
final class SingleWriter {
    private static final Logger LOG = LoggerFactory.getLogger(SingleWriter.class);

    private final TopicPartition partition;
    private final MountedEngine engine;
    private final Runnable settle;
    private final Function<Throwable, FeliceException> onAccident;
    private final SerialExecutor line;

    // Used by the running task only.
    private final Deque<Runnable> held = new ArrayDeque<>();
    private boolean handedOver;

    /**
     * @param settle settles the appended batches; called on the engine's threads
     * @param onAccident ends the log after an operation failed unexpectedly
     */
    SingleWriter(
            TopicPartition partition,
            MountedEngine engine,
            Runnable settle,
            Function<Throwable, FeliceException> onAccident) {
        this.partition = partition;
        this.engine = engine;
        this.settle = settle;
        this.onAccident = onAccident;
        this.line = new SerialExecutor(
                partition,
                task -> engine.execute(() -> {
                    task.run();
                    settle.run();
                }));
    }

    /** Runs a task that does not block: on this thread if the log is idle, otherwise after the tasks before it. */
    void executeHere(Runnable task) {
        line.execute(task);
    }

    /** Runs a task on the engine's threads, after the tasks before it. */
    void executeLater(Runnable task) {
        line.later(task);
    }

    /** Runs a task as the writer on the engine's threads, after the tasks and operations before it. Never blocks. */
    void execute(Runnable task) {
        line.later(() -> {
            if (!holdsBack(task)) {
                task.run();
            }
        });
    }

    /** Runs an operation that may block as the writer, on the engine's threads. The stage completes with its result. */
    <T> CompletionStage<T> executeAlone(Supplier<T> operation) {
        CompletableFuture<T> done = new CompletableFuture<>();
        execute(() -> handOver(() -> {
            try {
                done.complete(operation.get());
            } catch (RuntimeException failure) {
                done.completeExceptionally(failure);
            } catch (Error accident) {
                done.completeExceptionally(onAccident.apply(accident));
                throw accident;
            }
        }));
        return done;
    }

    /** True if an operation is running: then the task is queued and runs after it. */
    boolean holdsBack(Runnable task) {
        if (handedOver) {
            held.add(task);
        }
        return handedOver;
    }

    /** Runs an operation as the writer, on the engine's threads; {@code next} is the first task after it. */
    void handOver(Runnable operation, Runnable next) {
        held.addFirst(next);
        handOver(operation);
    }

    private void handOver(Runnable operation) {
        handedOver = true;
        engine.execute(() -> {
            try {
                operation.run();
            } catch (RuntimeException | Error failure) {
                onAccident.apply(failure);
            } finally {
                line.execute(this::takeBack);
                settle.run();
            }
        });
    }

    private void takeBack() {
        handedOver = false;
        while (!handedOver && !held.isEmpty()) {
            try {
                held.poll().run();
            } catch (RuntimeException | Error accident) {
                LOG.error(
                        "A task on the log of {} failed after it had waited for another operation on the log",
                        partition,
                        accident);
            }
        }
    }
}
