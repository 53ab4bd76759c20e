package io.felice.api.extension;

import io.felice.api.status.StatusTable;
import io.felice.api.status.TableSchema;
import io.felice.api.status.Trouble;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.osgi.framework.Bundle;
import org.osgi.framework.FrameworkUtil;
import org.osgi.service.component.ComponentServiceObjects;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The services of one kind, by the name that is in their property. If two services have the same name, an own one is used
 * before a stranger's, otherwise the one that was registered first; the other is refused, whatever its ranking, until the
 * first has gone. Log and {@link #troubles} say who has the name and who was refused.
 *
 * <p>A component binds {@link ComponentServiceObjects}, so that no stranger's constructor runs in its bind method: {@link
 * Extension#service} activates the service, on a thread of {@link Extension#calls}. Any thread; no method blocks.
 *
 * @param <T> the interface of the services
 */
public final class Extensions<T> {
    private static final Logger log = LoggerFactory.getLogger(Extensions.class);

    private final String kind;
    private final String nameProperty;
    private final Predicate<Bundle> isOwn;
    private final Function<Extension<T>, Optional<String>> refusal;
    private final ScheduledExecutorService timer;
    private final LongSupplier nanos;
    private final List<Extension<T>> registered = new ArrayList<>();
    private volatile Map<String, Extension<T>> used = Map.of();
    private volatile List<String> refused = List.of();

    /**
     * @param kind what a service is called in sentences, for example {@code authenticator}
     * @param nameProperty the property of a service that has its name
     * @param isOwn true for bundles whose services go before those of others; the bundle is null in a JVM without a
     *     framework
     * @param timer ends calls that take too long; the caller shuts it down
     */
    public Extensions(
            String kind,
            String nameProperty,
            Predicate<Bundle> isOwn,
            ScheduledExecutorService timer,
            LongSupplier nanos) {
        this(kind, nameProperty, isOwn, extension -> Optional.empty(), timer, nanos);
    }

    /**
     * As the other constructor.
     *
     * @param refusal a sentence that says why a service may not be used, empty if it may. Called under a lock whenever
     *     services come and go, and by {@link #chooseAgain}; must not block
     */
    public Extensions(
            String kind,
            String nameProperty,
            Predicate<Bundle> isOwn,
            Function<Extension<T>, Optional<String>> refusal,
            ScheduledExecutorService timer,
            LongSupplier nanos) {
        this.kind = kind;
        this.nameProperty = nameProperty;
        this.isOwn = isOwn;
        this.refusal = refusal;
        this.timer = timer;
        this.nanos = nanos;
    }

    /** True for the bundle that this class is from. In a JVM without a framework true for all. */
    public static Predicate<Bundle> sameBundleAs(Class<?> type) {
        Bundle own = FrameworkUtil.getBundle(type);
        return bundle -> own == null || Objects.equals(bundle, own);
    }

    /** For bind methods. A service without a name is logged and not used. */
    public void add(ComponentServiceObjects<T> offered, Map<String, Object> properties) {
        Bundle bundle = Extension.bundleOf(offered);
        String provider = Extension.provider(properties, bundle);
        if (!(properties.get(nameProperty) instanceof String name) || name.isBlank()) {
            log.error("The {} {} is not used, because its service has no property {}", kind, provider, nameProperty);
            return;
        }
        WatchedCalls calls = new WatchedCalls(kind + " " + name, provider, timer, nanos);
        synchronized (registered) {
            registered.add(new Extension<>(name, offered, Map.copyOf(properties), bundle, calls));
            choose();
        }
    }

    /** For unbind methods. Fails the open calls of the service, and does not wait for threads that it holds. */
    public void remove(ComponentServiceObjects<T> offered) {
        Optional<Extension<T>> found;
        synchronized (registered) {
            found = registered.stream()
                    .filter(extension -> extension.isOf(offered))
                    .findFirst();
            found.ifPresent(registered::remove);
            choose();
        }
        found.ifPresent(extension -> extension.calls().close());
    }

    /** Asks again who is refused. */
    public void chooseAgain() {
        synchronized (registered) {
            choose();
        }
    }

    private void choose() {
        Map<String, Extension<T>> chosen = new TreeMap<>();
        List<String> sentences = new ArrayList<>();
        registered.stream()
                .sorted(Comparator.<Extension<T>, Boolean>comparing(
                                extension -> !isOwn.test(extension.bundle().orElse(null)))
                        .thenComparing(Extension::serviceId))
                .forEach(extension -> {
                    Optional<String> why = refusal.apply(extension);
                    Extension<T> first = chosen.get(extension.name());
                    if (why.isPresent()) {
                        sentences.add(why.get());
                    } else if (first != null) {
                        sentences.add(secondOf(first, extension));
                    } else {
                        chosen.put(extension.name(), extension);
                    }
                });
        sentences.stream().filter(sentence -> !refused.contains(sentence)).forEach(log::error);
        refused = List.copyOf(sentences);
        used = chosen;
    }

    private String secondOf(Extension<T> first, Extension<T> second) {
        return "There are two services for the " + kind + " " + first.name() + ": " + first.provider() + " is used, "
                + second.provider() + " is refused. Stop one of the two bundles";
    }

    /** The service that is used for this name. */
    public Optional<Extension<T>> find(String name) {
        return Optional.ofNullable(used.get(name));
    }

    /** The services that are used, by name. */
    public List<Extension<T>> used() {
        return List.copyOf(used.values());
    }

    /** The names of the services that are used. */
    public Set<String> names() {
        return Set.copyOf(used.keySet());
    }

    /** The services that are refused, that are not called because they have failed, and that have not come back. */
    public List<Trouble> troubles() {
        List<Trouble> troubles = new ArrayList<>();
        refused.forEach(sentence -> troubles.add(Trouble.inPart(sentence)));
        for (Extension<T> extension : used.values()) {
            String subject = "The " + kind + " " + extension.name() + " (" + extension.provider() + ")";
            if (extension.calls().isPaused()) {
                troubles.add(Trouble.inPart(subject + " has failed too often and is not asked for some seconds"));
            }
            extension
                    .calls()
                    .hanging()
                    .ifPresent(call -> troubles.add(Trouble.inPart(subject + " does not come back: " + call)));
        }
        return troubles;
    }

    /** The table of this name, with a row for each service that is used. */
    public StatusTable table(String table) {
        return TableSchema.of(table, "The calls of each " + kind)
                .label("name", "The name that settings use")
                .label("component", "The component, and its bundle")
                .counter("calls", "Calls that were made")
                .counter("failures", "Calls that failed")
                .counter("late", "Calls that were not answered within the time limit")
                .counter("not.called", "Calls that were not made: too many were open, or too many had failed")
                .gauge("open", "Calls that are not answered")
                .gauge("busy.threads", "Threads that are in a call")
                .gauge("paused", "Whether it is not called for some seconds, because too many calls had failed")
                .rows(used().stream().map(Extensions::row).toList());
    }

    private static List<Object> row(Extension<?> extension) {
        WatchedCalls.Counted counted = extension.calls().counted();
        return List.of(
                extension.name(),
                extension.provider(),
                counted.calls(),
                counted.failures(),
                counted.late(),
                counted.notCalled(),
                (long) counted.open(),
                (long) counted.busyThreads(),
                counted.paused());
    }

    /** Fails the open calls of all services and forgets the services. */
    public void close() {
        synchronized (registered) {
            registered.forEach(extension -> extension.calls().close());
            registered.clear();
            used = Map.of();
            refused = List.of();
        }
    }
}
