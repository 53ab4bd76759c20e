package io.felice.broker;

import io.felice.api.SerialExecutor;
import io.felice.api.Turn;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets one task at a time change a partition, in the order they came, on whichever thread finds it idle. What may block
 * (the first write of an epoch, rolls, trims, the close) gets the right to write handed over and runs on the engine's
 * threads, while what arrives is held back. What was appended is settled after each task's turn.
 *
 * <p>Tasks are given by any thread; {@link #holdsBack} and {@link #handOver} are for the task that is running.
 */
final class SingleWriter {
    private static final Logger logger = LoggerFactory.getLogger(SingleWriter.class);

    private final Leadership leadership;
    private final MountedEngine engine;
    private final Committer committer;
    private final SerialExecutor line;

    // Of the line's owner.
    private final Deque<Runnable> held = new ArrayDeque<>();
    private boolean handedOver;

    SingleWriter(Leadership leadership, MountedEngine engine, Committer committer) {
        this.leadership = leadership;
        this.engine = engine;
        this.committer = committer;
        this.line = new SerialExecutor(task -> engine.execute(() -> {
            task.run();
            committer.settle();
        }));
    }

    /** Appends on this thread if the engine allows it, or behind what is being written. */
    void append(PendingAppend append, Turn turn) {
        if (engine.appendsOnCaller()) {
            line.execute(append);
            committer.arrange(turn);
        } else {
            line.later(append);
        }
    }

    /** Runs a task as the writer, after what came before it. The caller does not wait, however slow the device is. */
    void execute(Runnable task) {
        line.later(() -> {
            if (!holdsBack(task)) {
                task.run();
            }
        });
    }

    /** As the writer, on the engine's threads; completes with its result. What arrives meanwhile is held back. */
    <T> CompletionStage<T> executeAlone(Supplier<T> operation) {
        CompletableFuture<T> done = new CompletableFuture<>();
        execute(() -> handOver(() -> {
            try {
                T result = operation.get();
                done.complete(result);
            } catch (RuntimeException failure) {
                done.completeExceptionally(failure);
            } catch (Error accident) {
                done.completeExceptionally(leadership.die(accident));
                throw accident;
            }
        }));
        return done;
    }

    /** True if the right to write is elsewhere just now: then this task runs when it is back. */
    boolean holdsBack(Runnable task) {
        if (handedOver) {
            held.add(task);
        }
        return handedOver;
    }

    /** Gives the right to write away until the operation is done; {@code next} comes first afterwards. */
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
                leadership.die(failure);
            } finally {
                line.execute(this::takeBack);
                committer.settle();
            }
        });
    }

    private void takeBack() {
        handedOver = false;
        while (!handedOver && !held.isEmpty()) {
            try {
                held.poll().run();
            } catch (RuntimeException | Error accident) {
                logger.error("Something that waited for {} failed", leadership.partition(), accident);
            }
        }
    }
}
