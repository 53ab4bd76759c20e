package io.felice.network;

import io.felice.api.status.Trouble;
import io.felice.api.wire.WireProtocol;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.osgi.service.component.ComponentServiceObjects;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The {@link WireProtocol}s that are there now. Of two with the same name the one that came first is used. Each is
 * activated on a thread of its own. Any thread.
 */
@Component(service = Wires.class)
public final class Wires {
    private static final Logger log = LoggerFactory.getLogger(Wires.class);

    private final List<Offer> offers = new CopyOnWriteArrayList<>();
    private final List<Watcher> watchers = new CopyOnWriteArrayList<>();

    /** Gets the changes. Must not block for long. */
    interface Watcher {
        /** The wire can be used. */
        void arrived(Offer offer);

        /** The wire must not be called when this method has returned. */
        void left(Offer offer);
    }

    /** A wire of a plugin. */
    static final class Offer {
        private final String name;
        private final ComponentServiceObjects<WireProtocol> offered;
        private final String component;
        /** How often a thread did not come back from it. */
        private final AtomicInteger hangs = new AtomicInteger();
        /** Null until it is activated. */
        private volatile WireProtocol wire;

        private volatile boolean isGone;

        private Offer(String name, ComponentServiceObjects<WireProtocol> offered, String component) {
            this.name = name;
            this.offered = offered;
            this.component = component;
        }

        WireProtocol wire() {
            return wire;
        }

        String component() {
            return component;
        }

        boolean isGone() {
            return isGone;
        }

        /** @return how often this has happened */
        int hangs() {
            return hangs.incrementAndGet();
        }

        boolean mayBeUsed(int mostHangs) {
            return hangs.get() < mostHangs;
        }

        private boolean isUsable() {
            return wire != null && !isGone;
        }

        private synchronized void activate() {
            if (isGone) {
                return;
            }
            wire = offered.getService();
            if (wire == null) {
                throw new IllegalStateException(component + " cannot be activated");
            }
        }

        /** An activation that hangs keeps the lock; then nothing is given back. */
        private void release() {
            if (wire != null) {
                offered.ungetService(wire);
            }
        }
    }

    @Activate
    public Wires() {}

    @Reference(
            name = "wires",
            service = WireProtocol.class,
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            unbind = "unbind")
    public void bind(ComponentServiceObjects<WireProtocol> wire, Map<String, Object> properties) {
        String name = String.valueOf(properties.get(WireProtocol.NAME));
        String component = properties.getOrDefault("component.name", "a service without a component") + " of bundle "
                + properties.get("service.bundleid");
        first(name)
                .ifPresent(first -> log.warn(
                        "{} is not used while {} is there: both are the wire {}", component, first.component, name));
        Offer offer = new Offer(name, wire, component);
        offers.add(offer);
        Thread activation = new Thread(() -> activate(offer), "felice-network-wire-" + name + "-activation");
        activation.setDaemon(true);
        activation.start();
    }

    private void activate(Offer offer) {
        try {
            offer.activate();
            if (offer.isUsable()) {
                watchers.forEach(watcher -> watcher.arrived(offer));
            }
        } catch (Throwable failure) {
            log.error("The wire {} cannot be used, and its listeners stay closed", offer.name, failure);
        }
    }

    public void unbind(ComponentServiceObjects<WireProtocol> wire) {
        for (Offer offer : offers) {
            if (offer.offered.equals(wire)) {
                leave(offer);
            }
        }
    }

    private void leave(Offer offer) {
        offers.remove(offer);
        offer.isGone = true;
        watchers.forEach(watcher -> watcher.left(offer));
        offer.release();
        first(offer.name).filter(Offer::isUsable).ifPresent(next -> watchers.forEach(watcher -> watcher.arrived(next)));
    }

    private Optional<Offer> first(String name) {
        return offers.stream().filter(offer -> offer.name.equals(name)).findFirst();
    }

    /** The wire of that name, if it is there and activated. */
    Optional<Offer> named(String name) {
        return first(name).filter(Offer::isUsable);
    }

    void add(Watcher watcher) {
        watchers.add(watcher);
    }

    void remove(Watcher watcher) {
        watchers.remove(watcher);
    }

    /** The wires that are refused because another one has their name. */
    List<Trouble> troubles() {
        List<Trouble> troubles = new ArrayList<>();
        for (Offer offer : offers) {
            Offer first = first(offer.name).orElse(offer);
            if (first != offer) {
                troubles.add(Trouble.inPart(offer.component + " is not used while " + first.component
                        + " is there: both are the wire " + offer.name));
            }
        }
        return troubles;
    }
}
