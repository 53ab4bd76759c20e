package io.felice.controller;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.FoldedErrors;
import io.felice.api.cluster.Admin.Decided;
import io.felice.api.cluster.ClusterView;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import org.slf4j.LoggerFactory;

/**
 * The requests that this node decides, in turn. A request waits until this node decides as controller, and is answered when
 * its change is in the metadata log, or is given up at its time-out. If another broker is the controller, it is refused with
 * NOT_CONTROLLER. Belongs to the controller's thread.
 */
final class AdminQueue implements LocalAdmin.Requests {
    private static final FoldedErrors errors = new FoldedErrors(LoggerFactory.getLogger(AdminQueue.class));

    private final ControllerThread thread;
    private final ControllerRole role;
    private final Supplier<Duration> timeout;
    private final IntSupplier most;
    private final Runnable onWaiting;
    private final Deque<AdminRequest<?, ?>> waiting = new ArrayDeque<>();
    private final Set<AdminRequest<?, ?>> open = ConcurrentHashMap.newKeySet();
    private volatile boolean closing;
    private long decided;

    /** @param onWaiting called for each request that waits, so that {@link #decideAll} is called again soon */
    AdminQueue(
            ControllerThread thread,
            ControllerRole role,
            Supplier<Duration> timeout,
            IntSupplier most,
            Runnable onWaiting) {
        this.thread = thread;
        this.role = role;
        this.timeout = timeout;
        this.most = most;
        this.onWaiting = onWaiting;
    }

    /** Requests that wait until this node decides. */
    int waiting() {
        return waiting.size();
    }

    /** Requests without an answer. Any thread. */
    int open() {
        return open.size();
    }

    long decided() {
        return decided;
    }

    /** A request whose change is being appended to the metadata log still gets its answer; all others are refused. */
    void close() {
        closing = true;
        waiting.clear();
        open.stream().filter(request -> !request.isBeingWritten()).forEach(AdminQueue::refuse);
    }

    @Override
    public <K, V> CompletionStage<Decided<K, V>> submit(Function<ClusterView, ControllerResult<K, V>> decide) {
        AdminRequest<K, V> request = new AdminRequest<>(decide);
        if (!thread.offer(() -> accept(request))) {
            refuse(request);
        }
        return request.answer();
    }

    private static void refuse(AdminRequest<?, ?> request) {
        request.fail(stopping());
    }

    static FeliceException stopping() {
        return ErrorCode.COORDINATOR_NOT_AVAILABLE.because("The controller of this broker is being stopped.");
    }

    static FeliceException notController() {
        return ErrorCode.NOT_CONTROLLER.because("This broker is not the controller.");
    }

    private void accept(AdminRequest<?, ?> request) {
        if (closing) {
            refuse(request);
            return;
        }
        if (open.size() >= most.getAsInt()) {
            request.fail(ErrorCode.COORDINATOR_NOT_AVAILABLE.because(
                    "The limit of " + most.getAsInt() + " waiting requests is reached."));
            return;
        }
        if (role.isElsewhere()) {
            request.fail(notController());
            return;
        }
        open.add(request);
        request.answer().whenComplete((answer, failure) -> open.remove(request));
        thread.after(timeout.get(), () -> giveUp(request));
        waiting.add(request);
        decideAll();
        onWaiting.run();
    }

    private void giveUp(AdminRequest<?, ?> request) {
        if (!request.isAnswered()) {
            waiting.remove(request);
            request.fail(ErrorCode.REQUEST_TIMED_OUT.because("The controller did not decide within "
                    + timeout.get().toMillis() + " ms: " + role.whyUndecided()));
        }
    }

    /** Decides what waits, if this node decides; refuses it if another broker is the controller. */
    void decideAll() {
        while (role.mayDecide() && !waiting.isEmpty()) {
            AdminRequest<?, ?> request = waiting.poll();
            if (!request.isAnswered()) {
                decide(request);
            }
        }
        if (role.isElsewhere()) {
            waiting.forEach(request -> request.fail(notController()));
            waiting.clear();
        }
    }

    private void decide(AdminRequest<?, ?> request) {
        ControllerResult<?, ?> result;
        try {
            result = request.decide(role.planned());
        } catch (RuntimeException accident) {
            errors.error("A request could not be decided", accident);
            request.fail(accident);
            return;
        }
        decided++;
        if (result.records().isEmpty() && role.isPlannedInLog()) {
            request.answer(role.view().version());
            return;
        }
        request.isBeingWritten(!result.records().isEmpty());
        CompletionStage<Long> inLog = result.records().isEmpty() ? role.written() : role.append(result.records());
        inLog.whenComplete((version, failure) -> written(request, version, failure));
    }

    /** Runs on the store's thread. If the controller's thread has ended, this method answers the request itself. */
    private void written(AdminRequest<?, ?> request, Long version, Throwable failure) {
        if (!closing && thread.offer(() -> answered(request, version, failure))) {
            return;
        }
        if (failure == null) {
            request.answer(version);
        } else {
            refuse(request);
        }
    }

    private void answered(AdminRequest<?, ?> request, Long version, Throwable failure) {
        request.isBeingWritten(false);
        if (request.isAnswered()) {
            return;
        }
        if (failure == null) {
            request.answer(version);
        } else if (FeliceException.codeOf(failure) == ErrorCode.NOT_CONTROLLER && !closing) {
            // The change is certainly not in the log, so the next term of this controller decides the request again.
            waiting.add(request);
            decideAll();
        } else {
            request.fail(failure);
        }
    }
}
