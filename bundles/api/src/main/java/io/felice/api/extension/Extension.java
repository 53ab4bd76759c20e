package io.felice.api.extension;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.osgi.framework.Bundle;
import org.osgi.framework.ServiceReference;
import org.osgi.service.component.ComponentServiceObjects;

/**
 * One registration of a service that {@link Extensions} uses or refuses, and the calls of it. Any thread.
 *
 * @param <T> the interface of the service
 */
public final class Extension<T> {
    private final String name;
    private final ComponentServiceObjects<T> offered;
    private final Map<String, Object> properties;
    private final Bundle bundle;
    private final WatchedCalls calls;
    private final AtomicReference<T> activated = new AtomicReference<>();

    Extension(
            String name,
            ComponentServiceObjects<T> offered,
            Map<String, Object> properties,
            Bundle bundle,
            WatchedCalls calls) {
        this.name = name;
        this.offered = offered;
        this.properties = properties;
        this.bundle = bundle;
        this.calls = calls;
    }

    /** The name in the property of the service. */
    public String name() {
        return name;
    }

    /** The properties of the service when it was registered. */
    public Map<String, Object> properties() {
        return properties;
    }

    /** The bundle that has registered the service; empty in a JVM without a framework. */
    public Optional<Bundle> bundle() {
        return Optional.ofNullable(bundle);
    }

    /** The symbolic name of the bundle; empty in a JVM without a framework. */
    public Optional<String> symbolicName() {
        return bundle().map(Bundle::getSymbolicName);
    }

    /** What sentences call the one who offers the service: its component, its bundle and the version of the bundle. */
    public String provider() {
        return provider(properties, bundle);
    }

    /** The calls of this extension; they are closed when it goes. */
    public WatchedCalls calls() {
        return calls;
    }

    /**
     * The service. The first call activates it, which may block for ever. Only for the threads of {@link #calls}.
     *
     * @throws IllegalStateException if the service cannot be activated; Declarative Services has logged the cause
     */
    public T service() {
        T service = activated.get();
        return service != null ? service : activate();
    }

    private T activate() {
        T service = offered.getService();
        if (service == null) {
            throw new IllegalStateException(provider() + " cannot be activated");
        }
        if (!activated.compareAndSet(null, service)) {
            offered.ungetService(service);
        }
        return activated.get();
    }

    boolean isOf(ComponentServiceObjects<T> registration) {
        return offered.equals(registration);
    }

    /** The order of registrations. */
    long serviceId() {
        return properties.get("service.id") instanceof Long id ? id : Long.MAX_VALUE;
    }

    static String provider(Map<String, Object> properties, Bundle bundle) {
        Object component = properties.getOrDefault("component.name", "a service without a component");
        Object id = properties.get("service.bundleid");
        if (bundle != null) {
            return component + " of bundle " + bundle.getSymbolicName() + " " + bundle.getVersion();
        }
        return id == null ? component.toString() : component + " of bundle " + id;
    }

    /** Null in a JVM without a framework. */
    static Bundle bundleOf(ComponentServiceObjects<?> offered) {
        ServiceReference<?> reference = offered.getServiceReference();
        return reference == null ? null : reference.getBundle();
    }
}
