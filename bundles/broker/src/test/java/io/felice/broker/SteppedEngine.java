package io.felice.broker;

import io.felice.api.storage.PartitionLog;
import io.felice.api.storage.StorageEngine;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Set;
import java.util.function.Consumer;

/** Tells a test of each call that changes an engine or a log, before the call and after it. */
final class SteppedEngine {
    private static final Set<String> CHANGES =
            Set.of("open", "delete", "append", "settle", "flush", "truncateTo", "trimTo", "close");

    private SteppedEngine() {}

    /** @param step gets the name of the engine and of the method */
    static StorageEngine of(String name, StorageEngine engine, Consumer<String> step) {
        return proxy(StorageEngine.class, engine, (proxy, method, arguments) -> {
            Object result = call(name, engine, method, arguments, step);
            return result instanceof PartitionLog log ? stepped(name, log, step) : result;
        });
    }

    private static PartitionLog stepped(String name, PartitionLog log, Consumer<String> step) {
        return proxy(PartitionLog.class, log, (proxy, method, arguments) -> call(name, log, method, arguments, step));
    }

    private static <T> T proxy(Class<T> type, T target, InvocationHandler handler) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
    }

    private static Object call(String name, Object target, Method method, Object[] arguments, Consumer<String> step)
            throws Throwable {
        boolean changes = CHANGES.contains(method.getName());
        if (changes) {
            step.accept(name + "." + method.getName());
        }
        try {
            return method.invoke(target, arguments);
        } catch (InvocationTargetException failure) {
            throw failure.getCause();
        } finally {
            if (changes) {
                step.accept(name + "." + method.getName() + " done");
            }
        }
    }
}
