package io.felice.broker;

import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.config.Configs;
import io.felice.api.partition.Partitions;
import io.felice.api.partition.Strays;
import java.util.Deque;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.atomic.AtomicReference;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.ComponentConstants;
import org.osgi.service.component.ComponentContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The broker's services in the framework: they appear when the broker can serve and go first when it goes. */
final class RegisteredServices implements Broker.Services {
    private static final Logger log = LoggerFactory.getLogger(RegisteredServices.class);

    private final ComponentContext component;
    private final AtomicReference<BundleContext> context;
    private final Deque<ServiceRegistration<?>> registrations = new ConcurrentLinkedDeque<>();

    RegisteredServices(ComponentContext component) {
        this.component = component;
        context = new AtomicReference<>(component.getBundleContext());
    }

    @Override
    public void offer(Partitions partitions, ClusterMetadata metadata, Configs configs, Strays strays) {
        BundleContext where = context.get();
        if (where == null) {
            return;
        }
        try {
            registrations.push(where.registerService(Strays.class, strays, null));
            registrations.push(where.registerService(Configs.class, configs, null));
            registrations.push(where.registerService(ClusterMetadata.class, metadata, null));
            registrations.push(where.registerService(Partitions.class, partitions, null));
        } catch (IllegalStateException stopped) {
            log.debug("The bundle was stopped before its services could be offered");
        }
        if (context.get() == null) {
            takeBack();
        }
    }

    @Override
    public void withdraw() {
        context.set(null);
        takeBack();
    }

    /** Both are done one after the other, by a thread of the platform. */
    @Override
    public void makeAnew() {
        String name = String.valueOf(component.getProperties().get(ComponentConstants.COMPONENT_NAME));
        try {
            component.disableComponent(name);
            component.enableComponent(name);
        } catch (IllegalStateException stopped) {
            log.debug("The bundle was stopped before its broker could be made anew");
        }
    }

    /** The last that was registered goes first. */
    private void takeBack() {
        ServiceRegistration<?> offered;
        while ((offered = registrations.poll()) != null) {
            try {
                offered.unregister();
            } catch (IllegalStateException gone) {
                log.debug("The framework has taken the service back already");
            }
        }
    }
}
