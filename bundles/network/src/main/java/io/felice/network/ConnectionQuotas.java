package io.felice.network;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Counts the open connections of the node, of each listener and of each address, and holds back or refuses further ones
 * (as {@code ConnectionQuotas} of Apache Kafka does). Where a limit of the node or of a listener is reached, the thread
 * that accepts waits, and clients wait in the system's queue of the listener. A connection of an address that has too
 * many is closed at once.
 *
 * <p>The threads that accept wait here. I/O threads give connections back and never wait for long.
 */
final class ConnectionQuotas {
    private static final Logger log = LoggerFactory.getLogger(ConnectionQuotas.class);
    private static final long LONGEST_WAIT_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final Complaints complaints;
    private final Map<Listener, OfListener> listeners = new HashMap<>();
    private final Map<InetAddress, Integer> byAddress = new HashMap<>();
    private final CreationRate rate = new CreationRate(System.nanoTime());

    private ConnectionLimits limits;
    private Map<InetAddress, Integer> ofAddresses = Map.of();
    private int mostPossible = ConnectionLimits.UNLIMITED;
    private int open;
    private boolean closed;

    ConnectionQuotas(Map<Listener, ListenerCounters> counters, ConnectionLimits limits, Complaints complaints) {
        this.complaints = complaints;
        counters.forEach((listener, counter) -> listeners.put(listener, new OfListener(counter)));
        change(limits);
    }

    private static final class OfListener {
        private final ListenerCounters counters;
        private final CreationRate rate = new CreationRate(System.nanoTime());
        private int open;
        private boolean closed;

        private OfListener(ListenerCounters counters) {
            this.counters = counters;
        }
    }

    /** New limits, for connections to come. Asks the resolver for the hosts among them: may take a while. */
    void change(ConnectionLimits to) {
        Map<InetAddress, Integer> resolved = resolved(to.ofAddresses());
        synchronized (this) {
            limits = to;
            ofAddresses = resolved;
            notifyAll();
        }
    }

    private static Map<InetAddress, Integer> resolved(Map<String, Integer> hosts) {
        Map<InetAddress, Integer> addresses = new HashMap<>();
        hosts.forEach((host, most) -> {
            try {
                for (InetAddress address : InetAddress.getAllByName(host)) {
                    addresses.put(address, most);
                }
            } catch (UnknownHostException nameless) {
                log.warn(
                        "max.connections.per.ip.overrides: {} has no address; max.connections.per.ip holds for it",
                        host);
            }
        });
        return addresses;
    }

    /** The system lets this process have so many connections, whatever the limits say. */
    synchronized void limitTo(int possible) {
        mostPossible = possible;
    }

    /** The node's limit in force. */
    synchronized int most() {
        return Math.min(limits.most(), mostPossible);
    }

    synchronized int open() {
        return open;
    }

    /** How many addresses have an open connection. */
    synchronized int addresses() {
        return byAddress.size();
    }

    /**
     * Waits until the listener may accept one more connection, and counts it.
     *
     * @return false if the listener accepts no more because it is closed
     */
    synchronized boolean awaitSlot(Listener listener) throws InterruptedException {
        OfListener of = listeners.get(listener);
        boolean told = false;
        while (!closed && !of.closed) {
            long now = System.nanoTime();
            boolean isFull = open >= most() || of.open >= limits.of(listener).most();
            long nanos = isFull ? LONGEST_WAIT_NANOS : rateWait(of, listener, now);
            if (nanos == 0) {
                take(of, listener, now);
                return true;
            }
            if (!told) {
                tell(of, listener, isFull);
                told = true;
            }
            TimeUnit.NANOSECONDS.timedWait(this, Math.min(nanos, LONGEST_WAIT_NANOS));
        }
        return false;
    }

    private long rateWait(OfListener of, Listener listener, long now) {
        return Math.max(
                rate.waitNanos(now, limits.perSecond()),
                of.rate.waitNanos(now, limits.of(listener).perSecond()));
    }

    private void take(OfListener of, Listener listener, long now) {
        rate.take(now, limits.perSecond());
        of.rate.take(now, limits.of(listener).perSecond());
        open++;
        of.open++;
    }

    private void tell(OfListener of, Listener listener, boolean isFull) {
        if (isFull) {
            of.counters.waitedForSlot.incrementAndGet();
            complaints.warn("A client waits to be connected to " + listener.name() + ": " + of.open
                    + " connections of this listener and " + open + " of the node are open (max.connections)");
        } else {
            of.counters.waitedForRate.incrementAndGet();
            complaints.warn("A client waits to be connected to " + listener.name()
                    + ": more come than max.connection.creation.rate allows in a second");
        }
    }

    /** A connection that was waited for did not come, or is to be closed unused. */
    synchronized void giveBack(Listener listener) {
        open--;
        listeners.get(listener).open--;
        notifyAll();
    }

    /** False if the address has as many connections as it may have: the connection is to be closed and given back. */
    synchronized boolean admits(InetAddress address) {
        int already = byAddress.getOrDefault(address, 0);
        if (already >= ofAddresses.getOrDefault(address, limits.mostPerAddress())) {
            complaints.warn("Refusing a connection of " + address.getHostAddress() + ": it has " + already
                    + " already (max.connections.per.ip)");
            return false;
        }
        byAddress.put(address, already + 1);
        return true;
    }

    /** An admitted connection is closed. */
    synchronized void left(Listener listener, InetAddress address) {
        byAddress.computeIfPresent(address, (key, count) -> count == 1 ? null : count - 1);
        giveBack(listener);
    }

    /** The listener accepts connections, or no further ones: then its wait ends. */
    synchronized void open(Listener listener, boolean isOpen) {
        listeners.get(listener).closed = !isOpen;
        notifyAll();
    }

    /** Ends every wait: no further connections are accepted. */
    synchronized void close() {
        closed = true;
        notifyAll();
    }
}
