package io.felice.plugins;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Code of a plugin that runs on a thread of its own, because it may never come back. The thread is not interrupted: the code
 * may have called into the node, and an interrupt would close the files there.
 */
final class WatchedStep {
    private final Thread thread;
    private final CompletableFuture<Void> outcome = new CompletableFuture<>();

    private WatchedStep(String name, Callable<?> code) {
        thread = new Thread(() -> run(code), name);
        thread.setDaemon(true);
        thread.start();
    }

    /** @param name of the thread: it is in the sentence about a step that hangs */
    static WatchedStep begin(String name, Callable<?> code) {
        return new WatchedStep(name, code);
    }

    private void run(Callable<?> code) {
        try {
            code.call();
            outcome.complete(null);
        } catch (Throwable failure) {
            outcome.completeExceptionally(failure);
        }
    }

    boolean isDone() {
        return outcome.isDone();
    }

    /** @return false if the code has not come back after this time */
    boolean await(Duration patience) {
        try {
            outcome.get(patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException late) {
            return false;
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            return false;
        } catch (ExecutionException failed) {
            return true;
        }
        return true;
    }

    /** What the code threw; null if it threw nothing or has not come back. */
    Throwable failure() {
        return outcome.handle((done, failure) -> failure).getNow(null);
    }

    /** Where the code is, for a sentence: the thread, and the first method that is not Java's. */
    String place() {
        for (StackTraceElement frame : thread.getStackTrace()) {
            if (!frame.getClassName().startsWith("java.")
                    && !frame.getClassName().startsWith("jdk.")) {
                return "thread " + thread.getName() + ", at " + frame;
            }
        }
        return "thread " + thread.getName();
    }
}
