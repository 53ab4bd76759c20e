package io.felice.security;

import io.felice.api.status.Trouble;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import org.osgi.framework.Bundle;
import org.osgi.framework.FrameworkUtil;
import org.osgi.service.component.ComponentServiceObjects;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The services of one kind, by the name that is in their property. If two services have the same name, the one of this
 * bundle is used, otherwise the one that was registered first; the other is refused, whatever its ranking, until the
 * first has gone. Any thread; no method blocks: a plugin is activated by the first call, on a thread of its calls, because
 * its activation may hang.
 */
final class Plugins<T> {
    private static final Logger log = LoggerFactory.getLogger(Plugins.class);

    private final String kind;
    private final String nameProperty;
    private final ScheduledExecutorService timer;
    private final LongSupplier nanos;
    private final List<Plugin<T>> registered = new ArrayList<>();
    private volatile Map<String, Plugin<T>> used = Map.of();
    private volatile List<String> refused = List.of();

    /** @param kind what a service is called in sentences, for example {@code authenticator} */
    Plugins(String kind, String nameProperty, ScheduledExecutorService timer, LongSupplier nanos) {
        this.kind = kind;
        this.nameProperty = nameProperty;
        this.timer = timer;
        this.nanos = nanos;
    }

    /** A service and its calls. */
    record Plugin<T>(
            String name,
            ComponentServiceObjects<T> offered,
            AtomicReference<T> activated,
            String component,
            boolean isOwn,
            long serviceId,
            WatchedCalls calls) {
        /** The plugin, which the first call activates. Only for the threads of its calls. */
        T service() {
            T service = activated.get();
            return service != null ? service : activate();
        }

        private T activate() {
            T service = offered.getService();
            if (service == null) {
                throw new IllegalStateException(component + " cannot be activated");
            }
            if (!activated.compareAndSet(null, service)) {
                offered.ungetService(service);
            }
            return activated.get();
        }
    }

    void add(ComponentServiceObjects<T> offered, Map<String, Object> properties) {
        String component = component(properties);
        if (!(properties.get(nameProperty) instanceof String name) || name.isBlank()) {
            log.error("The {} {} is not used, because its service has no property {}", kind, component, nameProperty);
            return;
        }
        long id = properties.get("service.id") instanceof Long number ? number : Long.MAX_VALUE;
        WatchedCalls calls = new WatchedCalls(kind + " " + name, timer, nanos);
        synchronized (registered) {
            registered.add(
                    new Plugin<>(name, offered, new AtomicReference<>(), component, isOwn(properties), id, calls));
            choose();
        }
    }

    private static boolean isOwn(Map<String, Object> properties) {
        Bundle bundle = FrameworkUtil.getBundle(Plugins.class);
        return bundle == null || Objects.equals(properties.get("service.bundleid"), bundle.getBundleId());
    }

    void remove(ComponentServiceObjects<T> offered) {
        Optional<Plugin<T>> found;
        synchronized (registered) {
            found = registered.stream()
                    .filter(plugin -> plugin.offered().equals(offered))
                    .findFirst();
            found.ifPresent(registered::remove);
            choose();
        }
        found.ifPresent(plugin -> plugin.calls().close());
    }

    private void choose() {
        Map<String, Plugin<T>> chosen = new TreeMap<>();
        List<String> sentences = new ArrayList<>();
        registered.stream()
                .sorted(Comparator.<Plugin<T>, Boolean>comparing(plugin -> !plugin.isOwn())
                        .thenComparing(Plugin::serviceId))
                .forEach(plugin -> {
                    Plugin<T> first = chosen.putIfAbsent(plugin.name(), plugin);
                    if (first != null) {
                        sentences.add("There are two services for the " + kind + " " + plugin.name() + ": "
                                + first.component() + " is used, " + plugin.component()
                                + " is refused. Stop one of the two bundles");
                    }
                });
        sentences.stream().filter(sentence -> !refused.contains(sentence)).forEach(log::error);
        refused = List.copyOf(sentences);
        used = new HashMap<>(chosen);
    }

    private static String component(Map<String, Object> properties) {
        Object name = properties.getOrDefault("component.name", "a service without a component");
        Object bundle = properties.get("service.bundleid");
        return bundle == null ? name.toString() : name + " of bundle " + bundle;
    }

    Optional<Plugin<T>> find(String name) {
        return Optional.ofNullable(used.get(name));
    }

    Set<String> names() {
        return Set.copyOf(used.keySet());
    }

    List<Trouble> troubles() {
        List<Trouble> troubles = new ArrayList<>();
        refused.forEach(sentence -> troubles.add(Trouble.inPart(sentence)));
        used.values().stream()
                .filter(plugin -> plugin.calls().isPaused())
                .forEach(plugin -> troubles.add(Trouble.inPart("The " + kind + " " + plugin.name() + " ("
                        + plugin.component() + ") has failed too often and is not asked for some seconds")));
        return troubles;
    }

    static final List<String> COLUMNS =
            List.of("name", "component", "calls", "failures", "late", "not.called", "open", "busy.threads", "paused");

    List<List<Object>> rows() {
        List<List<Object>> rows = new ArrayList<>();
        new TreeMap<>(used).values().forEach(plugin -> {
            WatchedCalls.Counted counted = plugin.calls().counted();
            rows.add(List.of(
                    plugin.name(),
                    plugin.component(),
                    counted.calls(),
                    counted.failures(),
                    counted.late(),
                    counted.notCalled(),
                    (long) counted.open(),
                    (long) counted.busyThreads(),
                    counted.paused()));
        });
        return rows;
    }

    /** Fails the open calls of all services. */
    void close() {
        synchronized (registered) {
            registered.forEach(plugin -> plugin.calls().close());
            registered.clear();
            used = Map.of();
        }
    }
}
