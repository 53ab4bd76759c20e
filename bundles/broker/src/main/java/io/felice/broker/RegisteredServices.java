package io.felice.broker;

import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.config.Configs;
import io.felice.api.partition.FollowedPartitions;
import io.felice.api.partition.Partitions;
import io.felice.api.partition.Strays;
import java.util.Deque;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.atomic.AtomicReference;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleEvent;
import org.osgi.framework.Constants;
import org.osgi.framework.ServiceRegistration;
import org.osgi.framework.SynchronousBundleListener;
import org.osgi.service.component.ComponentConstants;
import org.osgi.service.component.ComponentContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Registers the broker's services in the OSGi framework when the broker can serve, and unregisters them before the
 * broker stops.
 */
final class RegisteredServices implements Broker.Services {
    private static final Logger log = LoggerFactory.getLogger(RegisteredServices.class);

    private final ComponentContext component;
    private final AtomicReference<BundleContext> context;
    private final AtomicReference<SynchronousBundleListener> beforeStop = new AtomicReference<>();
    private final Deque<ServiceRegistration<?>> registrations = new ConcurrentLinkedDeque<>();

    RegisteredServices(ComponentContext component) {
        this.component = component;
        context = new AtomicReference<>(component.getBundleContext());
    }

    @Override
    public void offer(
            Partitions partitions,
            FollowedPartitions followed,
            ClusterMetadata metadata,
            Configs configs,
            Strays strays) {
        BundleContext where = context.get();
        if (where == null) {
            return;
        }
        try {
            registrations.push(where.registerService(Strays.class, strays, null));
            registrations.push(where.registerService(Configs.class, configs, null));
            registrations.push(where.registerService(ClusterMetadata.class, metadata, null));
            registrations.push(where.registerService(Partitions.class, partitions, null));
            registrations.push(where.registerService(FollowedPartitions.class, followed, null));
        } catch (IllegalStateException stopped) {
            log.debug("The bundle was stopped before its services could be offered");
        }
        if (context.get() == null) {
            unregister();
        }
    }

    /**
     * The framework tells this listener that it is about to stop before it stops the first bundle, and waits for it. When
     * this broker is stopped, the network and the controller may be gone already.
     */
    @Override
    public void beforeStop(Runnable task) {
        BundleContext where = context.get();
        if (where == null) {
            return;
        }
        SynchronousBundleListener listener = event -> {
            if (event.getType() == BundleEvent.STOPPING
                    && event.getBundle().getBundleId() == Constants.SYSTEM_BUNDLE_ID) {
                task.run();
            }
        };
        try {
            where.addBundleListener(listener);
            beforeStop.set(listener);
        } catch (IllegalStateException stopped) {
            log.debug("The bundle was stopped before its broker could wait for the stop of the node");
        }
    }

    private void stopListening() {
        BundleContext where = component.getBundleContext();
        SynchronousBundleListener listener = beforeStop.getAndSet(null);
        if (where != null && listener != null) {
            try {
                where.removeBundleListener(listener);
            } catch (IllegalStateException stopped) {
                log.debug("The framework has already removed the listener");
            }
        }
    }

    @Override
    public void withdraw() {
        stopListening();
        context.set(null);
        unregister();
    }

    /** Declarative Services makes both changes later, on its own thread. */
    @Override
    public void restart() {
        String name = String.valueOf(component.getProperties().get(ComponentConstants.COMPONENT_NAME));
        try {
            component.disableComponent(name);
            component.enableComponent(name);
        } catch (IllegalStateException stopped) {
            log.debug("The bundle was stopped before its broker could be started again");
        }
    }

    /** In the reverse order of the registrations. */
    private void unregister() {
        ServiceRegistration<?> offered;
        while ((offered = registrations.poll()) != null) {
            try {
                offered.unregister();
            } catch (IllegalStateException gone) {
                log.debug("The framework has already unregistered the service");
            }
        }
    }
}
