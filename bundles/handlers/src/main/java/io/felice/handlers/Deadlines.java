package io.felice.handlers;

import io.felice.api.ErrorCode;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends a client's waiting when the time it asked for is over. One thread of its own, there only while something waits:
 * the JDK's shared timer thread would outlive this bundle and keep its classes.
 */
@Component(service = Deadlines.class)
public final class Deadlines {
    private static final Logger log = LoggerFactory.getLogger(Deadlines.class);

    private static final long IDLE_SECONDS = 10;

    private final ScheduledThreadPoolExecutor timer;

    @Activate
    public Deadlines() {
        timer = new ScheduledThreadPoolExecutor(1, task -> {
            Thread thread = new Thread(task, "felice-handlers-deadlines");
            thread.setDaemon(true);
            return thread;
        });
        timer.setRemoveOnCancelPolicy(true);
        timer.setKeepAliveTime(IDLE_SECONDS, TimeUnit.SECONDS);
        timer.allowCoreThreadTimeOut(true);
    }

    @Deactivate
    public void close() {
        timer.shutdownNow();
    }

    /**
     * The outcome of {@code stage}, or REQUEST_TIMED_OUT if there is none after {@code timeoutMs}; what it stands for
     * goes on all the same.
     */
    public <T> CompletionStage<T> within(long timeoutMs, CompletionStage<T> stage) {
        CompletableFuture<T> patient = new CompletableFuture<>();
        stage.whenComplete((value, failure) -> {
            if (failure == null) {
                patient.complete(value);
            } else {
                patient.completeExceptionally(failure);
            }
        });
        if (!patient.isDone()) {
            schedule(patient, timeoutMs);
        }
        return patient;
    }

    private void schedule(CompletableFuture<?> patient, long timeoutMs) {
        try {
            Future<?> deadline = timer.schedule(() -> expire(patient, timeoutMs), timeoutMs, TimeUnit.MILLISECONDS);
            patient.whenComplete((value, failure) -> deadline.cancel(false));
        } catch (RejectedExecutionException closed) {
            log.debug("No deadline for a request that came while this bundle goes; the network answers it");
        }
    }

    private static void expire(CompletableFuture<?> patient, long timeoutMs) {
        patient.completeExceptionally(
                ErrorCode.REQUEST_TIMED_OUT.because("This took longer than the " + timeoutMs + " ms asked for"));
    }
}
