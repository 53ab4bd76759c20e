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
 * Limits how long a client waits for an answer: {@code timeoutMs} of its request, or a limit named here where the request
 * has none. The change that the client asked for goes on after that.
 *
 * <p>Two more limits can end the wait for a change of the cluster, with REQUEST_TIMED_OUT as well: the controller's
 * {@code request.timeout.ms}, if it decides nothing, and the limit of {@code ClusterMetadata.reached}, if this broker does
 * not see the decision. The first limit that passes answers the client.
 *
 * <p>The timer is a thread of this bundle: the JDK's shared timer thread would outlive the bundle and keep its classes. It
 * ends when nothing has waited for 10 s.
 */
@Component(service = Deadlines.class)
public final class Deadlines {
    private static final Logger log = LoggerFactory.getLogger(Deadlines.class);

    /** A Metadata request that creates topics; a client that hears nothing for longer asks another broker. */
    static final long TOPIC_CREATION_MS = 2_000;

    /** A FindCoordinator request, which may create the offsets topic. */
    static final long FIND_COORDINATOR_MS = 5_000;

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

    /** The outcome of {@code stage}, or REQUEST_TIMED_OUT if it has none after {@code timeoutMs}. */
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
            log.debug("A request that came while this bundle stopped has no deadline; the bundle network answers it");
        }
    }

    private static void expire(CompletableFuture<?> patient, long timeoutMs) {
        patient.completeExceptionally(
                ErrorCode.REQUEST_TIMED_OUT.because("There was no outcome within " + timeoutMs + " ms"));
    }
}
