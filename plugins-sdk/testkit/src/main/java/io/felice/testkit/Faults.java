package io.felice.testkit;

import io.felice.api.ErrorCode;
import io.felice.protocol.CloseConnection;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.Serves;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Failures that a test injects into the requests of one Kafka API, by its key. Each failure happens to the next requests, as
 * many as it was injected for; failures of one API happen in the order in which they were injected. Any thread.
 */
public final class Faults {
    private final Map<Short, Deque<Fault>> byKey = new ConcurrentHashMap<>();
    private final Set<CompletableFuture<Object>> open = ConcurrentHashMap.newKeySet();
    private final boolean canHangUp;
    private volatile boolean hungUp;

    /** @param canHangUp whether {@link #hangUp} will be called; it costs a little for each request */
    Faults(boolean canHangUp) {
        this.canHangUp = canHangUp;
    }

    /** What happens to a request. */
    private interface Fault {
        CompletionStage<Object> handle(Supplier<CompletionStage<Object>> handler);
    }

    /** The next requests are refused with this error, in the form of the API; nothing is done for them. */
    public void refuse(short key, int requests, ErrorCode error) {
        add(key, requests, handler -> CompletableFuture.failedFuture(error.because("a test injected " + error)));
    }

    /** The next requests are done at once, and answered after a delay. */
    public void delay(short key, int requests, Duration delay) {
        add(key, requests, handler -> handler.get()
                .thenCompose(response -> CompletableFuture.supplyAsync(
                        () -> response,
                        CompletableFuture.delayedExecutor(delay.toNanos(), TimeUnit.NANOSECONDS, Runnable::run))));
    }

    /** The connections of the next requests are closed; nothing is done for the requests. */
    public void drop(short key, int requests) {
        add(key, requests, handler -> CompletableFuture.failedFuture(closed()));
    }

    /** The next requests are done, and then their connections are closed, so that the clients get no answer. */
    public void dropAnswers(short key, int requests) {
        add(key, requests, handler -> handler.get().handle((response, failure) -> {
            throw new CompletionException(closed());
        }));
    }

    /** Ends all failures that have not happened yet. */
    public void clear() {
        byKey.clear();
    }

    /** From now on the connection of every request is closed, also of the requests that wait for their answer. */
    void hangUp() {
        hungUp = true;
        open.forEach(answer -> answer.completeExceptionally(closed()));
    }

    private CompletionStage<Object> unlessHungUp(Supplier<CompletionStage<Object>> handler) {
        if (hungUp) {
            return CompletableFuture.failedFuture(closed());
        }
        CompletionStage<Object> handled = handler.get();
        if (!canHangUp || handled.toCompletableFuture().isDone()) {
            return handled;
        }
        CompletableFuture<Object> answer = new CompletableFuture<>();
        open.add(answer);
        handled.whenComplete((response, failure) -> {
            open.remove(answer);
            if (failure == null) {
                answer.complete(response);
            } else {
                answer.completeExceptionally(failure);
            }
        });
        if (hungUp) {
            answer.completeExceptionally(closed());
        }
        return answer;
    }

    private static CloseConnection closed() {
        return new CloseConnection("a test injected the end of the connection");
    }

    private void add(short key, int requests, Fault fault) {
        byKey.compute(key, (unused, before) -> {
            Deque<Fault> all = before == null ? new ArrayDeque<>() : new ArrayDeque<>(before);
            for (int i = 0; i < requests; i++) {
                all.add(fault);
            }
            return all;
        });
    }

    /** The failure of the next request; null if there is none. */
    private Fault take(short key) {
        Fault[] taken = {null};
        byKey.computeIfPresent(key, (unused, all) -> {
            taken[0] = all.poll();
            return all.isEmpty() ? null : all;
        });
        return taken[0];
    }

    /** A handler that does what this one does, but for the failures. */
    Object around(RequestHandler<?, ?> handler, Map<String, Object> properties) {
        short key = Short.parseShort(String.valueOf(properties.get(Serves.PREFIX_ + "key")));
        Class<?> type = handler.getClass();
        return Proxy.newProxyInstance(type.getClassLoader(), type.getInterfaces(), (proxy, method, arguments) -> {
            switch (method.getName()) {
                case "equals":
                    return proxy == arguments[0];
                case "handle":
                    Fault fault = take(key);
                    return unlessHungUp(() -> fault == null
                            ? invoke(handler, method, arguments)
                            : fault.handle(() -> Faults.<CompletionStage<Object>>invoke(handler, method, arguments)));
                default:
                    return invoke(handler, method, arguments);
            }
        });
    }

    @SuppressWarnings("unchecked")
    private static <T> T invoke(Object handler, Method method, Object[] arguments) {
        try {
            return (T) method.invoke(handler, arguments);
        } catch (InvocationTargetException failure) {
            if (failure.getCause() instanceof RuntimeException unchecked) {
                throw unchecked;
            }
            throw new IllegalStateException(failure.getCause());
        } catch (IllegalAccessException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
