package io.felice.replication;

import io.felice.api.FoldedErrors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.NetworkClient;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A thread that does a piece of work again and again until it is closed. A failure is logged, and the work goes on. */
final class Worker {
    private static final Logger log = LoggerFactory.getLogger(Worker.class);
    private static final FoldedErrors errors = new FoldedErrors(log);
    private static final long PAUSE_AFTER_FAILURE_MS = 100;
    private static final long PATIENCE_MS = 5_000;

    private final String name;
    private final Runnable work;
    private final Runnable end;
    private final Thread thread;
    private final Semaphore signals = new Semaphore(0);
    private volatile boolean closing;

    /**
     * @param work waits for no longer than a moment, and returns soon after it was woken up
     * @param end releases what the work uses; called once, on the thread
     */
    Worker(String name, Runnable work, Runnable end) {
        this.name = name;
        this.work = work;
        this.end = end;
        this.thread = new Thread(this::run, name);
        thread.setDaemon(true);
        // Kafka's client looks up its login modules with it.
        thread.setContextClassLoader(NetworkClient.class.getClassLoader());
    }

    void start() {
        thread.start();
    }

    boolean isClosing() {
        return closing;
    }

    /** Ends an {@link #await}. Any thread. */
    void wakeup() {
        if (signals.availablePermits() == 0) {
            signals.release();
        }
    }

    /** Waits until {@link #wakeup} was called, but not longer. On the thread. */
    void await(long timeoutMs) {
        try {
            if (signals.tryAcquire(timeoutMs, TimeUnit.MILLISECONDS)) {
                signals.drainPermits();
            }
        } catch (InterruptedException interrupted) {
            log.debug("{} was interrupted, which changes nothing", name);
        }
    }

    /** The work is not begun again. The work must be woken up by its owner. */
    void stop() {
        closing = true;
        wakeup();
    }

    boolean hasEnded() {
        return !thread.isAlive();
    }

    /** Waits until the thread has ended. */
    void join() {
        if (Thread.currentThread() == thread) {
            return;
        }
        try {
            thread.join(PATIENCE_MS);
            if (thread.isAlive()) {
                log.warn("The thread {} does not end", name);
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        while (!closing) {
            try {
                work.run();
            } catch (RuntimeException | Error accident) {
                errors.error(name + " failed unexpectedly and goes on", accident);
                await(PAUSE_AFTER_FAILURE_MS);
            }
        }
        end.run();
    }
}
