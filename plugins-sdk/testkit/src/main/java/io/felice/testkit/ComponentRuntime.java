package io.felice.testkit;

import io.felice.api.SerialExecutor;
import io.felice.protocol.RequestHandler;
import io.felice.testkit.ComponentDescription.Reference;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Dictionary;
import java.util.Enumeration;
import java.util.HashMap;
import java.util.Hashtable;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleEvent;
import org.osgi.framework.BundleListener;
import org.osgi.framework.Constants;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.ComponentConstants;
import org.osgi.service.component.ComponentContext;
import org.osgi.service.component.ComponentServiceObjects;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Wires components as Declarative Services would, without an OSGi framework. It reads component descriptors, calls a
 * constructor when all mandatory references are satisfied, and binds and unbinds dynamic references.
 *
 * <p>It supports what Felice's components use: constructor injection, static and dynamic references, component property
 * types, {@code @Deactivate}, {@code @Modified}, and services registered through a {@link BundleContext}. All changes
 * happen under one lock. Components may register services from any thread.
 */
final class ComponentRuntime implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(ComponentRuntime.class);

    private static final long LOOK_EVERY_MS = 5;

    private final ClassLoader loader;
    private final Path files;
    private final Map<String, Map<String, Object>> configurations;
    private final List<Service> services = new ArrayList<>();
    private final List<Slot> slots = new ArrayList<>();
    private final List<BundleListener> listeners = new CopyOnWriteArrayList<>();
    private final ReentrantLock lock = new ReentrantLock();
    private final SerialExecutor changes = new SerialExecutor(
            "the component runtime", change -> new Thread(change, "felice-component-changes").start());
    private final Faults faults;
    private boolean closed;

    ComponentRuntime(ClassLoader loader, Path files, Map<String, Map<String, Object>> configurations, Faults faults) {
        this.loader = loader;
        this.files = files;
        this.faults = faults;
        this.configurations = new HashMap<>(configurations);
    }

    /** @param given what other components get: the instance, or what injects failures into it */
    private record Service(
            Object instance, Object given, List<String> interfaces, Map<String, Object> properties, Slot owner) {}

    private Service service(Object instance, List<String> interfaces, Map<String, Object> properties, Slot owner) {
        boolean isHandler = interfaces.contains(RequestHandler.class.getName());
        Object given = isHandler ? faults.around((RequestHandler<?, ?>) instance, properties) : instance;
        return new Service(instance, given, interfaces, properties, owner);
    }

    /** A component. {@code instance} is null while it is not active. */
    private static final class Slot {
        final ComponentDescription description;
        final List<Service> held = new ArrayList<>();
        final Map<Reference, List<Service>> bound = new LinkedHashMap<>();
        Object instance;
        boolean enabled = true;
        /** True while its constructor runs, which may register services. */
        boolean entering;
        /**
         * True while its deactivate method runs. Threads that this method joins must not wait for the runtime's lock.
         */
        volatile boolean leaving;

        Slot(ComponentDescription description) {
            this.description = description;
        }
    }

    void add(Object service, Class<?> as) {
        lock.lock();
        try {
            register(service(service, List.of(as.getName()), Map.of(), null));
        } finally {
            lock.unlock();
        }
    }

    void add(ComponentDescription description) {
        lock.lock();
        try {
            slots.add(new Slot(description));
        } finally {
            lock.unlock();
        }
    }

    void settle() {
        lock.lock();
        try {
            boolean progress = true;
            while (progress && !closed) {
                progress = false;
                for (Slot slot : List.copyOf(slots)) {
                    if (slot.enabled && !slot.entering && slot.instance == null && isSatisfied(slot)) {
                        activate(slot);
                        progress = true;
                    }
                }
            }
        } finally {
            lock.unlock();
        }
    }

    /** The service registered first under this interface. */
    <T> Optional<T> find(Class<T> type) {
        lock.lock();
        try {
            return all(type).stream().findFirst();
        } finally {
            lock.unlock();
        }
    }

    <T> List<T> all(Class<T> type) {
        lock.lock();
        try {
            return matching(type.getName()).stream()
                    .map(service -> type.cast(service.instance()))
                    .toList();
        } finally {
            lock.unlock();
        }
    }

    /** The enabled components that are not active, each with its missing references. */
    List<String> unsatisfied() {
        lock.lock();
        try {
            return slots.stream()
                    .filter(slot -> slot.enabled && slot.instance == null)
                    .map(slot -> slot.description.name() + " waits for " + missing(slot))
                    .toList();
        } finally {
            lock.unlock();
        }
    }

    /** Deactivates all components of a bundle, as stopping the bundle would. */
    void stop(String bundle) {
        lock.lock();
        try {
            List<Slot> ofBundle = slots.stream()
                    .filter(slot -> slot.description.bundle().equals(bundle))
                    .toList();
            ofBundle.forEach(slot -> slot.enabled = false);
            ofBundle.forEach(this::deactivate);
            settle();
        } finally {
            lock.unlock();
        }
    }

    void start(String bundle) {
        lock.lock();
        try {
            for (Slot slot : slots) {
                if (slot.description.bundle().equals(bundle)) {
                    slot.enabled = true;
                }
            }
            settle();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Changes a configuration. Components with a modified method get the new values; other components are deactivated
     * and activated again.
     */
    void configure(String pid, Map<String, Object> values) {
        lock.lock();
        try {
            configurations.put(pid, Map.copyOf(values));
            for (Slot slot : List.copyOf(slots)) {
                if (slot.instance != null && slot.description.pids().contains(pid)) {
                    if (slot.description.modified().isEmpty()) {
                        deactivate(slot);
                    } else {
                        call(slot, slot.description.modified());
                    }
                }
            }
            settle();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            for (Optional<Slot> next = leastNeeded(); next.isPresent(); next = leastNeeded()) {
                deactivate(next.get());
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Takes the lock for a thread of a component. Returns false, without the lock, if the component is being
     * deactivated or the thread is interrupted. Services that the component leaves registered are removed after its
     * deactivation.
     */
    private boolean lockUnlessLeaving(Slot slot) {
        try {
            while (!lock.tryLock(LOOK_EVERY_MS, TimeUnit.MILLISECONDS)) {
                if (slot.leaving) {
                    return false;
                }
            }
            return true;
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /**
     * An active component whose services no other component uses. If there is none, the component that was added last.
     */
    private Optional<Slot> leastNeeded() {
        List<Slot> active = new ArrayList<>(slots);
        active.removeIf(slot -> slot.instance == null);
        Collections.reverse(active);
        return active.stream()
                .filter(slot -> active.stream().noneMatch(other -> other != slot && uses(other, slot)))
                .findFirst()
                .or(() -> active.stream().findFirst());
    }

    private static boolean uses(Slot user, Slot provider) {
        return Stream.concat(user.held.stream(), user.bound.values().stream().flatMap(List::stream))
                .anyMatch(service -> service.owner() == provider);
    }

    private boolean isSatisfied(Slot slot) {
        return slot.description.references().stream()
                .allMatch(r -> r.optional() || !matching(r.interfaceName()).isEmpty());
    }

    private List<String> missing(Slot slot) {
        return slot.description.references().stream()
                .filter(r -> !r.optional() && matching(r.interfaceName()).isEmpty())
                .map(Reference::interfaceName)
                .toList();
    }

    private List<Service> matching(String interfaceName) {
        return services.stream()
                .filter(service -> service.interfaces().contains(interfaceName))
                .toList();
    }

    private void activate(Slot slot) {
        ComponentDescription description = slot.description;
        Map<String, Object> properties = propertiesOf(slot);
        slot.entering = true;
        try {
            Class<?> type = loader.loadClass(description.implementation());
            Constructor<?> constructor = constructorOf(type, description.constructorArguments());
            Object[] arguments = new Object[constructor.getParameterCount()];
            for (int i = 0; i < arguments.length; i++) {
                arguments[i] = argument(slot, i, constructor.getParameterTypes()[i], properties);
            }
            constructor.setAccessible(true);
            slot.instance = constructor.newInstance(arguments);
        } catch (InvocationTargetException failure) {
            slot.enabled = false;
            log.error("{} could not be activated", description.name(), failure.getCause());
            throw new IllegalStateException(description.name() + " could not be activated", failure.getCause());
        } catch (ReflectiveOperationException failure) {
            throw new IllegalStateException(description.name() + " cannot be constructed", failure);
        } finally {
            slot.entering = false;
        }
        for (Reference reference : description.references()) {
            if (reference.parameter() < 0) {
                for (Service service : matching(reference.interfaceName())) {
                    bind(slot, reference, service);
                }
            }
        }
        if (description.hasActivateMethod()) {
            call(slot, description.activate());
        }
        if (!description.services().isEmpty()) {
            register(service(slot.instance, description.services(), properties, slot));
        }
    }

    private Object argument(Slot slot, int index, Class<?> type, Map<String, Object> properties) {
        for (Reference reference : slot.description.references()) {
            if (reference.parameter() == index) {
                List<Service> found = matching(reference.interfaceName());
                found.forEach(slot.held::add);
                if (reference.multiple()) {
                    return found.stream().map(Service::given).toList();
                }
                Object instance = found.isEmpty() ? null : found.get(0).given();
                return type == Optional.class ? Optional.ofNullable(instance) : instance;
            }
        }
        if (type == Map.class) {
            return properties;
        }
        if (type == BundleContext.class) {
            return contextOf(slot);
        }
        if (type == ComponentContext.class) {
            return componentContextOf(slot, properties);
        }
        if (type.isAnnotation()) {
            return TestSettings.typed(type, properties);
        }
        throw new IllegalStateException(
                slot.description.name() + ": there is no value for its constructor argument of type " + type);
    }

    private static Constructor<?> constructorOf(Class<?> type, int arguments) {
        for (Constructor<?> constructor : type.getDeclaredConstructors()) {
            boolean activates = constructor.getParameterCount() == arguments;
            if (activates && Modifier.isPublic(constructor.getModifiers())) {
                return constructor;
            }
        }
        throw new IllegalStateException(type + " has no public constructor of " + arguments + " arguments");
    }

    private void register(Service service) {
        services.add(service);
        for (Slot slot : List.copyOf(slots)) {
            if (slot.instance != null && slot != service.owner()) {
                for (Reference reference : slot.description.references()) {
                    if (reference.parameter() < 0 && service.interfaces().contains(reference.interfaceName())) {
                        bind(slot, reference, service);
                    }
                }
            }
        }
    }

    private void unregister(Service service) {
        if (!services.remove(service)) {
            return;
        }
        for (Slot slot : List.copyOf(slots)) {
            if (slot.instance == null) {
                continue;
            }
            if (slot.held.contains(service)) {
                deactivate(slot);
            } else {
                slot.bound.forEach((reference, bound) -> {
                    if (bound.contains(service)) {
                        unbind(slot, reference, service);
                    }
                });
            }
        }
    }

    private void bind(Slot slot, Reference reference, Service service) {
        List<Service> bound = slot.bound.computeIfAbsent(reference, unused -> new ArrayList<>());
        if (bound.contains(service) || (!reference.multiple() && !bound.isEmpty())) {
            return;
        }
        bound.add(service);
        call(slot, reference.bind(), service);
        if (!reference.dynamic()) {
            slot.held.add(service);
        }
    }

    private void unbind(Slot slot, Reference reference, Service service) {
        slot.bound.get(reference).remove(service);
        if (!reference.unbind().isEmpty()) {
            call(slot, reference.unbind(), service);
        }
        if (!reference.multiple()) {
            matching(reference.interfaceName()).stream().findFirst().ifPresent(next -> bind(slot, reference, next));
        }
    }

    private void deactivate(Slot slot) {
        if (slot.instance == null) {
            return;
        }
        Object leaving = slot.instance;
        for (Service service : List.copyOf(services)) {
            if (service.owner() == slot && service.instance() == leaving) {
                unregister(service);
            }
        }
        slot.leaving = true;
        if (!slot.description.deactivate().isEmpty()) {
            call(slot, slot.description.deactivate());
        }
        slot.leaving = false;
        for (Service service : List.copyOf(services)) {
            if (service.owner() == slot) {
                unregister(service);
            }
        }
        slot.instance = null;
        slot.held.clear();
        slot.bound.clear();
    }

    private void call(Slot slot, String method, Service service) {
        Class<?> type = slot.instance.getClass();
        for (Method m : type.getDeclaredMethods()) {
            if (m.getName().equals(method) && m.getParameterCount() >= 1) {
                Object[] arguments = new Object[m.getParameterCount()];
                for (int i = 0; i < arguments.length; i++) {
                    arguments[i] = argument(m.getParameterTypes()[i], service);
                }
                invoke(slot, m, arguments);
                return;
            }
        }
        throw new IllegalStateException(type + " has no method " + method);
    }

    private static Object argument(Class<?> type, Service service) {
        if (type == Map.class) {
            return service.properties();
        }
        return type == ComponentServiceObjects.class ? new Offered(service.given()) : service.given();
    }

    /** Two are equal if they are of one service. */
    private record Offered(Object service) implements ComponentServiceObjects<Object> {
        @Override
        public Object getService() {
            return service;
        }

        @Override
        public void ungetService(Object given) {}

        @Override
        public ServiceReference<Object> getServiceReference() {
            return null;
        }
    }

    private void call(Slot slot, String method) {
        for (Method m : slot.instance.getClass().getDeclaredMethods()) {
            if (m.getName().equals(method)) {
                Object[] arguments = new Object[m.getParameterCount()];
                for (int i = 0; i < arguments.length; i++) {
                    arguments[i] = argument(slot, Integer.MIN_VALUE, m.getParameterTypes()[i], propertiesOf(slot));
                }
                invoke(slot, m, arguments);
                return;
            }
        }
        throw new IllegalStateException(slot.description.name() + " has no method " + method);
    }

    private static void invoke(Slot slot, Method method, Object[] arguments) {
        try {
            method.setAccessible(true);
            method.invoke(slot.instance, arguments);
        } catch (InvocationTargetException failure) {
            log.error("{} of {} failed", method.getName(), slot.description.name(), failure.getCause());
        } catch (IllegalAccessException failure) {
            throw new IllegalStateException(failure);
        }
    }

    private Map<String, Object> propertiesOf(Slot slot) {
        Map<String, Object> properties = new HashMap<>(slot.description.properties());
        slot.description.pids().forEach(pid -> properties.putAll(configurations.getOrDefault(pid, Map.of())));
        properties.put("component.name", slot.description.name());
        return properties;
    }

    /**
     * The part of a component's context that Felice uses: the bundle context, the properties, and enabling and
     * disabling components.
     */
    private ComponentContext componentContextOf(Slot slot, Map<String, Object> properties) {
        Hashtable<String, Object> table = new Hashtable<>(properties);
        table.put(ComponentConstants.COMPONENT_NAME, slot.description.name());
        BundleContext bundle = contextOf(slot);
        return (ComponentContext)
                Proxy.newProxyInstance(loader, new Class<?>[] {ComponentContext.class}, (proxy, method, arguments) -> {
                    switch (method.getName()) {
                        case "getBundleContext":
                            return bundle;
                        case "getProperties":
                            return table;
                        case "disableComponent":
                            enable((String) arguments[0], false);
                            return null;
                        case "enableComponent":
                            enable((String) arguments[0], true);
                            return null;
                        default:
                            throw new IllegalStateException(method + " is not supported without an OSGi framework");
                    }
                });
    }

    /**
     * Enables or disables a component on another thread, as Declarative Services do. A component may call this in any
     * state.
     */
    private void enable(String name, boolean enabled) {
        changes.later(() -> {
            lock.lock();
            try {
                for (Slot slot : List.copyOf(slots)) {
                    if (slot.description.name().equals(name) && !closed) {
                        slot.enabled = enabled;
                        if (!enabled && slot.instance != null) {
                            deactivate(slot);
                        }
                    }
                }
                settle();
            } finally {
                lock.unlock();
            }
        });
    }

    /**
     * The part of a bundle's context that Felice uses: registering services, reading properties, finding data files, and
     * hearing that the framework stops.
     */
    private BundleContext contextOf(Slot slot) {
        return (BundleContext)
                Proxy.newProxyInstance(loader, new Class<?>[] {BundleContext.class}, (proxy, method, arguments) -> {
                    switch (method.getName()) {
                        case "registerService":
                            return registered(slot, arguments);
                        case "getProperty":
                            return arguments[0].equals("felice.data")
                                    ? files.toString()
                                    : System.getProperty((String) arguments[0]);
                        case "getBundle":
                            return bundleOf(slot);
                        case "addBundleListener":
                            listeners.add((BundleListener) arguments[0]);
                            return null;
                        case "removeBundleListener":
                            listeners.remove((BundleListener) arguments[0]);
                            return null;
                        case "getDataFile":
                            return files.resolve(slot.description.bundle() + "-" + arguments[0])
                                    .toFile();
                        case "equals":
                            return proxy == arguments[0];
                        case "hashCode":
                            return System.identityHashCode(proxy);
                        case "toString":
                            return "context of " + slot.description.bundle();
                        default:
                            throw new IllegalStateException(method + " is not supported without an OSGi framework");
                    }
                });
    }

    /** Tells the listeners that the framework is about to stop, as the framework does before it stops the first bundle. */
    void aboutToStop() {
        Bundle framework =
                (Bundle) Proxy.newProxyInstance(loader, new Class<?>[] {Bundle.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("getBundleId")) {
                        return Constants.SYSTEM_BUNDLE_ID;
                    }
                    return method.getName().equals("toString") ? "the framework" : null;
                });
        listeners.forEach(listener -> listener.bundleChanged(new BundleEvent(BundleEvent.STOPPING, framework)));
    }

    /** A bundle that has a name only. */
    private Bundle bundleOf(Slot slot) {
        return (Bundle) Proxy.newProxyInstance(loader, new Class<?>[] {Bundle.class}, (proxy, method, arguments) -> {
            if (method.getName().equals("getSymbolicName") || method.getName().equals("toString")) {
                return slot.description.bundle();
            }
            throw new IllegalStateException(method + " is not supported without an OSGi framework");
        });
    }

    private ServiceRegistration<?> registered(Slot slot, Object[] arguments) {
        if (!lockUnlessLeaving(slot)) {
            throw new IllegalStateException(slot.description.name() + " registers a service while it is deactivated");
        }
        try {
            List<String> names = new ArrayList<>();
            if (arguments[0] instanceof Class<?> type) {
                names.add(type.getName());
            } else if (arguments[0] instanceof String[] several) {
                names.addAll(List.of(several));
            } else {
                names.add((String) arguments[0]);
            }
            Map<String, Object> properties = new HashMap<>();
            if (arguments[2] instanceof Dictionary<?, ?> given) {
                Enumeration<?> keys = given.keys();
                while (keys.hasMoreElements()) {
                    Object key = keys.nextElement();
                    properties.put(key.toString(), given.get(key));
                }
            }
            Service service = service(arguments[1], names, properties, slot);
            register(service);
            settle();
            return (ServiceRegistration<?>) Proxy.newProxyInstance(
                    loader, new Class<?>[] {ServiceRegistration.class}, (proxy, method, ignored) -> {
                        if (method.getName().equals("unregister")) {
                            if (lockUnlessLeaving(slot)) {
                                try {
                                    unregister(service);
                                } finally {
                                    lock.unlock();
                                }
                            }
                        }
                        return null;
                    });
        } finally {
            lock.unlock();
        }
    }
}
