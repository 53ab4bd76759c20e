package io.felice.handlers;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The calls that handlers make to the services behind them. */
final class Recording {
    /** A call of a method of a service. */
    record Call(String method, String arguments) {}

    final List<Call> calls = new ArrayList<>();

    <T> T of(Class<T> type, T service) {
        return type.cast(
                Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (proxy, method, arguments) -> {
                    boolean isSameService = method.getReturnType() == type;
                    if (!isSameService) {
                        calls.add(new Call(method.getName(), Arrays.toString(arguments)));
                    }
                    try {
                        Object result = method.invoke(service, arguments);
                        return isSameService ? proxy : result;
                    } catch (InvocationTargetException failed) {
                        throw failed.getCause();
                    }
                }));
    }
}
