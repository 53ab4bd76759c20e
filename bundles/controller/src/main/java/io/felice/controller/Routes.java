package io.felice.controller;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.cluster.Admin;
import io.felice.api.cluster.Peers;
import io.felice.api.security.Requester;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.IntSupplier;
import java.util.function.Supplier;

/**
 * Takes each request to where it is decided: to this node, or to the broker that is the controller. A request that was
 * certainly not decided is sent again until its time-out. If it may have been decided, it is sent again only if that
 * changes nothing. Belongs to the controller's thread.
 */
final class Routes {
    private static final Duration PAUSE = Duration.ofMillis(50);
    /** So many pauses a request waits for the service that sends it, which is away while its bundle is replaced. */
    private static final int PAUSES_WITHOUT_PEERS = 40;
    /** So many looks in a row must find another controller before an answer of the former one is given up. */
    private static final int LOOKS = 2;

    private static final int NOBODY = -1;

    /** What this node knows of the controller. */
    interface Node {
        /** True if another broker is the controller, whose id may not be known yet. */
        boolean isControllerElsewhere();

        boolean isController();

        Optional<Integer> controllerId();

        /** Why nothing was decided, as the end of a sentence. */
        String whyUndecided();

        /** Has {@link #look} called soon. */
        void watch();
    }

    private final ControllerThread thread;
    private final Node node;
    private final LocalAdmin here;
    private final Supplier<Duration> timeout;
    private final IntSupplier most;
    private final AdminCodec codec;
    private final Set<Route<?>> open = ConcurrentHashMap.newKeySet();
    private volatile Peers peers;
    private volatile boolean closed;
    private long forwarded;

    Routes(
            ControllerThread thread,
            Node node,
            LocalAdmin here,
            Supplier<Duration> timeout,
            IntSupplier most,
            AdminCodec codec) {
        this.thread = thread;
        this.node = node;
        this.here = here;
        this.timeout = timeout;
        this.most = most;
        this.codec = codec;
    }

    void bind(Peers arrived) {
        peers = arrived;
    }

    void unbind(Peers gone) {
        if (peers == gone) {
            peers = null;
        }
    }

    /** Requests without an answer. */
    int size() {
        return open.size();
    }

    /** Requests that were sent to other brokers. */
    long forwarded() {
        return forwarded;
    }

    /** Requests that wait for the answer of another broker fail; those that this node decides are not touched. */
    void close() {
        closed = true;
        open.stream().filter(route -> !route.isHere).forEach(Routes::refuse);
    }

    /** A request without an answer. */
    private static final class Route<T> {
        private final Optional<Requester> requester;
        private final String method;
        private final boolean isHarmless;
        private final Function<Admin, CompletionStage<T>> step;
        private final List<Object> arguments;
        private final CompletableFuture<T> answer = new CompletableFuture<>();
        private byte[] bytes;
        private volatile boolean isHere;
        private int target = NOBODY;
        private int attempt;
        private int looks;
        private int pausesWithoutPeers;

        Route(
                Optional<Requester> requester,
                String method,
                boolean isHarmless,
                Function<Admin, CompletionStage<T>> step,
                List<Object> arguments) {
            this.requester = requester;
            this.method = method;
            this.isHarmless = isHarmless;
            this.step = step;
            this.arguments = arguments;
        }

        void fail(Throwable failure) {
            answer.completeExceptionally(FeliceException.unwrap(failure));
        }
    }

    /**
     * Any thread.
     *
     * @param requester the client that asks; empty if this node asks by itself
     * @param method the method of {@link Admin} that {@code step} calls with {@code arguments}
     * @param isHarmless true if a request that was decided may be decided again
     */
    <T> CompletionStage<T> call(
            Optional<Requester> requester,
            String method,
            boolean isHarmless,
            Function<Admin, CompletionStage<T>> step,
            Object... arguments) {
        Route<T> route = new Route<>(requester, method, isHarmless, step, Arrays.asList(arguments));
        if (!thread.offer(() -> begin(route))) {
            refuse(route);
        }
        return route.answer;
    }

    private static void refuse(Route<?> route) {
        route.fail(ErrorCode.COORDINATOR_NOT_AVAILABLE.because("The controller of this broker is being stopped."));
    }

    private void begin(Route<?> route) {
        if (closed) {
            refuse(route);
            return;
        }
        if (open.size() >= most.getAsInt()) {
            route.fail(ErrorCode.COORDINATOR_NOT_AVAILABLE.because(
                    "The limit of " + most.getAsInt() + " waiting requests is reached."));
            return;
        }
        open.add(route);
        route.answer.whenComplete((answer, failure) -> open.remove(route));
        thread.after(timeout.get(), () -> giveUp(route));
        attempt(route);
        node.watch();
    }

    private void giveUp(Route<?> route) {
        if (!route.answer.isDone()) {
            String why = route.target == NOBODY
                    ? node.whyUndecided()
                    : "broker " + route.target + ", which is the controller, does not answer.";
            route.fail(ErrorCode.REQUEST_TIMED_OUT.because(
                    "The controller did not decide within " + timeout.get().toMillis() + " ms: " + why));
        }
    }

    private void attempt(Route<?> route) {
        if (route.answer.isDone()) {
            return;
        }
        route.target = NOBODY;
        route.isHere = !node.isControllerElsewhere();
        if (route.isHere) {
            decideHere(route);
        } else if (peers == null) {
            waitForPeers(route);
        } else {
            node.controllerId().ifPresentOrElse(id -> forward(route, id), () -> later(route));
        }
    }

    private <T> void decideHere(Route<T> route) {
        route.step.apply(here.askedBy(route.requester)).whenComplete((answer, failure) -> {
            if (failure == null) {
                route.answer.complete(answer);
            } else if (FeliceException.codeOf(failure) != ErrorCode.NOT_CONTROLLER
                    || !thread.offer(() -> attempt(route))) {
                route.fail(failure);
            }
        });
    }

    private void waitForPeers(Route<?> route) {
        if (++route.pausesWithoutPeers > PAUSES_WITHOUT_PEERS) {
            route.fail(ErrorCode.NOT_CONTROLLER.because(
                    "This broker is not the controller, and it has no connections to other brokers."));
        } else {
            later(route);
        }
    }

    private void later(Route<?> route) {
        route.target = NOBODY;
        route.isHere = false;
        if (closed) {
            refuse(route);
        } else {
            thread.after(PAUSE, () -> attempt(route));
        }
    }

    private void forward(Route<?> route, int controller) {
        route.target = controller;
        route.looks = 0;
        int attempt = ++route.attempt;
        forwarded++;
        CompletionStage<byte[]> sent;
        try {
            if (route.bytes == null) {
                route.bytes = codec.request(route.method, route.arguments);
            }
            sent = peers.forward(controller, route.requester, route.bytes, timeout.get());
        } catch (RuntimeException failed) {
            route.fail(failed);
            return;
        }
        sent.whenComplete((answer, failure) -> {
            if (!thread.offer(() -> answered(route, attempt, answer, failure))) {
                refuse(route);
            }
        });
    }

    private <T> void answered(Route<T> route, int attempt, byte[] answer, Throwable failure) {
        if (route.answer.isDone() || route.attempt != attempt) {
            return;
        }
        if (failure == null) {
            decoded(route, answer);
            return;
        }
        switch (FeliceException.codeOf(failure)) {
            case NOT_CONTROLLER, BROKER_NOT_AVAILABLE -> later(route);
            case NETWORK_EXCEPTION, REQUEST_TIMED_OUT, COORDINATOR_NOT_AVAILABLE -> unknown(route);
            default -> route.fail(failure);
        }
    }

    @SuppressWarnings("unchecked")
    private <T> void decoded(Route<T> route, byte[] answer) {
        try {
            route.answer.complete((T) codec.answer(route.method, answer));
        } catch (RuntimeException unreadable) {
            route.fail(unreadable);
        }
    }

    /** The request was sent, and it is not known whether it was decided. */
    private void unknown(Route<?> route) {
        if (route.isHarmless) {
            later(route);
        } else {
            route.fail(ErrorCode.REQUEST_TIMED_OUT.because("Broker " + route.target
                    + ", which was the controller, did not answer. It may have decided the request; look before you"
                    + " repeat it."));
        }
    }

    /** Gives up the answers of a broker that is no longer the controller, for example because it hangs. */
    void look() {
        for (Route<?> route : open) {
            boolean isAnother = route.target != NOBODY
                    && (node.isController()
                            || node.controllerId()
                                    .filter(id -> id != route.target)
                                    .isPresent());
            route.looks = isAnother ? route.looks + 1 : 0;
            if (route.looks >= LOOKS) {
                route.attempt++;
                unknown(route);
            }
        }
    }
}
