package io.felice.broker.engine;

import io.felice.api.extension.WatchedCalls;
import io.felice.api.storage.StorageEngine;
import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.osgi.framework.Bundle;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.Version;
import org.osgi.service.component.ComponentServiceObjects;

/** An engine as Declarative Services offers it. Two are equal if they offer the same engine. */
public final class OfferedEngine implements ComponentServiceObjects<StorageEngine> {
    private static final ScheduledExecutorService TIMER = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "test-engine-timer");
        thread.setDaemon(true);
        return thread;
    });

    private final Object identity;
    private final Supplier<StorageEngine> activation;
    private final Bundle bundle;

    private OfferedEngine(Object identity, Supplier<StorageEngine> activation, Bundle bundle) {
        this.identity = identity;
        this.activation = activation;
        this.bundle = bundle;
    }

    /** In a JVM without a framework: the engine counts as one of Felice. */
    public static OfferedEngine of(StorageEngine engine) {
        return new OfferedEngine(engine, () -> engine, null);
    }

    /** @param bundle symbolic name and version, for example {@code org.example.x 1.0.0} */
    public static OfferedEngine from(String bundle, Supplier<StorageEngine> activation) {
        String[] words = bundle.split(" ");
        Map<String, Object> answers = Map.of("getSymbolicName", words[0], "getVersion", Version.parseVersion(words[1]));
        return new OfferedEngine(new Object(), activation, fake(Bundle.class, answers));
    }

    static <T> T fake(Class<T> type, Map<String, Object> answers) {
        return type.cast(Proxy.newProxyInstance(
                type.getClassLoader(),
                new Class<?>[] {type},
                (proxy, method, arguments) -> answers.get(method.getName())));
    }

    @Override
    public StorageEngine getService() {
        return activation.get();
    }

    @Override
    public void ungetService(StorageEngine engine) {}

    @Override
    @SuppressWarnings("unchecked")
    public ServiceReference<StorageEngine> getServiceReference() {
        return bundle == null ? null : fake(ServiceReference.class, Map.of("getBundle", bundle));
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof OfferedEngine that && identity == that.identity;
    }

    @Override
    public int hashCode() {
        return System.identityHashCode(identity);
    }

    // ---- without a broker

    /** An engine of Felice that is mounted. */
    public static MountedEngine mounted(String name, StorageEngine engine, int threads, LongSupplier nanos) {
        return new MountedEngine(started(name, engine, true, nanos), threads, nanos);
    }

    static MountedEngine mounted(
            String name, StorageEngine engine, int threads, LongSupplier nanos, ThreadFactory factory) {
        return new MountedEngine(started(name, engine, true, nanos), threads, nanos, factory);
    }

    /** An engine of a third party that is mounted. */
    static MountedEngine foreign(String name, StorageEngine engine, LongSupplier nanos) {
        return new MountedEngine(started(name, engine, false, nanos), 2, nanos);
    }

    private static MountedEngine.Started started(String name, StorageEngine engine, boolean isOwn, LongSupplier nanos) {
        String provider = "org.example.Tape of bundle org.example.tape 2.1.0";
        return new MountedEngine.Started(
                name,
                engine,
                engine.traits(),
                provider,
                Optional.of("org.example.tape"),
                Optional.of("1.2.3"),
                isOwn,
                new WatchedCalls("storage engine " + name, provider, TIMER, nanos),
                1_000);
    }
}
