package io.felice.console;

import io.felice.api.status.HealthSource;
import io.felice.api.status.StatusSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.util.tracker.ServiceTracker;

/**
 * The services that the framework has. A service is fetched when it is used first, because that may make its component, and
 * is given back when it goes.
 */
final class TrackedServices implements NodeServices, AutoCloseable {
    private final Map<Class<?>, Tracker<?>> trackers = new HashMap<>();

    TrackedServices(BundleContext context) {
        Stream.concat(
                        BUNDLES.keySet().stream(),
                        Stream.of(StatusSource.class, HealthSource.class, ConfigurationAdmin.class))
                .forEach(type -> trackers.put(type, new Tracker<>(context, type)));
        trackers.values().forEach(Tracker::open);
    }

    private static final class Tracker<S> extends ServiceTracker<S, Held<S>> {
        Tracker(BundleContext context, Class<S> type) {
            super(context, type, null);
        }

        @Override
        public Held<S> addingService(ServiceReference<S> reference) {
            return new Held<>(context, reference);
        }

        @Override
        public void removedService(ServiceReference<S> reference, Held<S> held) {
            held.release();
        }
    }

    private static final class Held<S> {
        private final BundleContext context;
        private final ServiceReference<S> reference;
        private S service;

        Held(BundleContext context, ServiceReference<S> reference) {
            this.context = context;
            this.reference = reference;
        }

        /** Not while this object is locked: the framework may call back. */
        Optional<S> get() {
            synchronized (this) {
                if (service != null) {
                    return Optional.of(service);
                }
            }
            S fetched = context.getService(reference);
            synchronized (this) {
                service = fetched;
            }
            return Optional.ofNullable(fetched);
        }

        void release() {
            synchronized (this) {
                if (service == null) {
                    return;
                }
                service = null;
            }
            context.ungetService(reference);
        }
    }

    @Override
    public <T> Optional<T> find(Class<T> type) {
        ServiceReference<?> best = trackers.get(type).getServiceReference();
        return best == null
                ? Optional.empty()
                : Optional.ofNullable(held(type, best)).flatMap(Held::get).map(type::cast);
    }

    @SuppressWarnings("unchecked")
    private <T> Held<T> held(Class<T> type, ServiceReference<?> reference) {
        return ((Tracker<T>) trackers.get(type)).getService((ServiceReference<T>) reference);
    }

    @Override
    public <T> List<T> all(Class<T> type) {
        return trackers.get(type).getTracked().values().stream()
                .flatMap(held -> held.get().stream())
                .map(type::cast)
                .toList();
    }

    @Override
    public void close() {
        trackers.values().forEach(Tracker::close);
    }
}
