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
 * Lets one task at a time change a log, in the order in which the tasks came, on whichever thread finds the log idle. A
 * task that may block hands the right to write to an operation on the engine's threads; tasks that arrive meanwhile are
 * held back until the operation is done. What the pool's threads appended is settled before they leave.
 *
 * <p>Any thread may give a task. {@link #holdsBack} and {@link #handOver} are for the task that runs.
 */
final class SingleWriter {
    private static final Logger LOG = LoggerFactory.getLogger(SingleWriter.class);

    private final TopicPartition partition;
    private final MountedEngine engine;
    private final Runnable settle;
    private final Function<Throwable, FeliceException> onAccident;
    private final SerialExecutor line;

    // Of the line's owner.
    private final Deque<Runnable> held = new ArrayDeque<>();
    private boolean handedOver;

    /**
     * @param settle makes durable what was appended; called on the engine's threads
     * @param onAccident ends the log after an operation failed in an unforeseen way
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

    /** Runs a task on this thread, or behind the task that runs: for tasks that do not block. */
    void executeHere(Runnable task) {
        line.execute(task);
    }

    /** Runs a task on the engine's threads, after what came before it. */
    void executeLater(Runnable task) {
        line.later(task);
    }

    /** Runs a task as the writer, after what came before it. The caller does not wait, however slow the device is. */
    void execute(Runnable task) {
        line.later(() -> {
            if (!holdsBack(task)) {
                task.run();
            }
        });
    }

    /** Runs an operation that may block as the writer, on the engine's threads. The stage has its result. */
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

    /** True if an operation has the right to write just now: then the task runs when the operation is done. */
    boolean holdsBack(Runnable task) {
        if (handedOver) {
            held.add(task);
        }
        return handedOver;
    }

    /** Hands the right to write to an operation; {@code next} is the first task after it. */
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
                LOG.error("A task that was held back while the log of {} was busy has failed", partition, accident);
            }
        }
    }
}
