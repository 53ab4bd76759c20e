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
 *
 * <p>When a copy of the log takes the log's place, this writer goes on as the writer of the copy ({@link #moveTo}), so that
 * the tasks stay in order. The writer that the copy had passes its tasks on ({@link #passOnTo}).
 */
final class SingleWriter {
    private static final Logger LOG = LoggerFactory.getLogger(SingleWriter.class);

    private final TopicPartition partition;
    private final SerialExecutor line;
    private volatile Place place;
    private volatile SingleWriter successor;

    // Used by the running task only.
    private final Deque<Runnable> held = new ArrayDeque<>();
    private boolean handedOver;

    /**
     * The log that is written.
     *
     * @param engine its threads run the operations
     * @param settle settles the appended batches; called on the engine's threads
     * @param onAccident ends the log after an operation failed unexpectedly
     */
    record Place(MountedEngine engine, Runnable settle, Function<Throwable, FeliceException> onAccident) {}

    SingleWriter(TopicPartition partition, Place place) {
        this.partition = partition;
        this.place = place;
        this.line = new SerialExecutor(partition, task -> this.place.engine().execute(() -> {
            task.run();
            settle();
        }));
    }

    private void settle() {
        place.settle().run();
    }

    /** From now on the tasks write another log. For the running operation. */
    void moveTo(Place other) {
        place = other;
    }

    /** From now on another writer runs the tasks of this one, also those that wait. For the running operation. */
    void passOnTo(SingleWriter other) {
        successor = other;
    }

    /** This writer, or the one that runs its tasks. */
    SingleWriter current() {
        SingleWriter other = successor;
        return other == null ? this : other.current();
    }

    /** Runs a task that does not block: on this thread if the log is idle, otherwise after the tasks before it. */
    void executeHere(Runnable task) {
        current().line.execute(task);
    }

    /** Runs a task on the engine's threads, after the tasks before it. */
    void executeLater(Runnable task) {
        current().line.later(task);
    }

    /** Runs a task as the writer on the engine's threads, after the tasks and operations before it. Never blocks. */
    void execute(Runnable task) {
        SingleWriter now = current();
        now.line.later(() -> now.run(task));
    }

    private void run(Runnable task) {
        if (successor != null) {
            successor.execute(task);
        } else if (!holdsBack(task)) {
            task.run();
        }
    }

    /** Runs an operation that may block as the writer, on the engine's threads. The stage completes with its result. */
    <T> CompletionStage<T> executeAlone(Supplier<T> operation) {
        CompletableFuture<T> done = new CompletableFuture<>();
        execute(() -> current().handOver(() -> {
            try {
                done.complete(operation.get());
            } catch (RuntimeException failure) {
                done.completeExceptionally(failure);
            } catch (Error accident) {
                done.completeExceptionally(current().place.onAccident().apply(accident));
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
        place.engine().execute(() -> {
            try {
                operation.run();
            } catch (RuntimeException | Error failure) {
                place.onAccident().apply(failure);
            } finally {
                line.execute(this::takeBack);
                settle();
            }
        });
    }

    private void takeBack() {
        handedOver = false;
        while (!handedOver && !held.isEmpty()) {
            try {
                run(held.poll());
            } catch (RuntimeException | Error accident) {
                LOG.error(
                        "A task on the log of {} failed after it had waited for another operation on the log",
                        partition,
                        accident);
            }
        }
    }
}
