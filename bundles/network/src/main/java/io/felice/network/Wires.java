package io.felice.network;

import io.felice.api.extension.Extension;
import io.felice.api.extension.Extensions;
import io.felice.api.status.Trouble;
import io.felice.api.wire.WireProtocol;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicInteger;
import org.osgi.service.component.ComponentServiceObjects;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The {@link WireProtocol}s that are there now, by name. Each is activated on a thread of its own. Any thread; no method
 * waits for a plugin.
 */
@Component(service = Wires.class)
public final class Wires {
    private static final Logger log = LoggerFactory.getLogger(Wires.class);

    private static final int ACTIVATION_MS = 30_000;

    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "felice-network-wires-timer");
        thread.setDaemon(true);
        return thread;
    });
    private final Extensions<WireProtocol> extensions =
            new Extensions<>("wire", WireProtocol.NAME, Extensions.sameBundleAs(Wires.class), timer, System::nanoTime);
    private final Map<String, Offer> offers = new HashMap<>();
    private final List<Watcher> watchers = new CopyOnWriteArrayList<>();

    /** Gets the changes. Must not block for long. */
    interface Watcher {
        /** A wire can be used. */
        void arrived();

        /** The wire must not be called when this method has returned. */
        void left(Offer offer);
    }

    /** A wire of a plugin. */
    static final class Offer {
        private final Extension<WireProtocol> extension;
        /** How often a thread did not come back from it. */
        private final AtomicInteger hangs = new AtomicInteger();
        /** Null until it is activated. */
        private volatile WireProtocol wire;

        private volatile boolean isGone;

        private Offer(Extension<WireProtocol> extension) {
            this.extension = extension;
        }

        WireProtocol wire() {
            return wire;
        }

        String provider() {
            return extension.provider();
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
    }

    @Activate
    public Wires() {}

    @Deactivate
    public void deactivate() {
        extensions.close();
        timer.shutdownNow();
    }

    @Reference(
            name = "wires",
            service = WireProtocol.class,
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            unbind = "unbind")
    public void bind(ComponentServiceObjects<WireProtocol> wire, Map<String, Object> properties) {
        extensions.add(wire, properties);
        update();
    }

    public void unbind(ComponentServiceObjects<WireProtocol> wire) {
        extensions.remove(wire);
        update();
    }

    /** Lets the wires go that are not used any more, and activates those that are used now. */
    private void update() {
        List<Offer> gone = new ArrayList<>();
        synchronized (offers) {
            offers.values().removeIf(offer -> {
                boolean goes = extensions.find(offer.extension.name()).orElse(null) != offer.extension;
                if (goes) {
                    offer.isGone = true;
                    gone.add(offer);
                }
                return goes;
            });
            extensions.used().forEach(extension -> offers.computeIfAbsent(extension.name(), name -> begin(extension)));
        }
        gone.forEach(offer -> watchers.forEach(watcher -> watcher.left(offer)));
    }

    private Offer begin(Extension<WireProtocol> extension) {
        Offer offer = new Offer(extension);
        extension.calls().call("activate", ACTIVATION_MS, extension::service).whenComplete((wire, failure) -> {
            if (failure == null) {
                offer.wire = wire;
                watchers.forEach(Watcher::arrived);
            } else if (!offer.isGone) {
                log.error(
                        "The wire {} ({}) cannot be used, and its listeners stay closed: {}",
                        extension.name(),
                        extension.provider(),
                        failure.toString());
            }
        });
        return offer;
    }

    /** The wire of that name, if it is there and activated. */
    Optional<Offer> named(String name) {
        synchronized (offers) {
            return Optional.ofNullable(offers.get(name)).filter(Offer::isUsable);
        }
    }

    void add(Watcher watcher) {
        watchers.add(watcher);
    }

    void remove(Watcher watcher) {
        watchers.remove(watcher);
    }

    List<Trouble> troubles() {
        return extensions.troubles();
    }
}
