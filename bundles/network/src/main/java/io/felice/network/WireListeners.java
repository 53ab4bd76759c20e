package io.felice.network;

import io.felice.api.status.StatusTable;
import io.felice.api.status.TableSchema;
import io.felice.api.status.Trouble;
import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import org.apache.mina.core.session.IoSession;
import org.apache.mina.transport.socket.nio.NioSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The listeners of other wires than Kafka's. Each is open while its wire is there, and has an I/O thread of its own, so
 * that a wire that hangs holds up its own connections only.
 *
 * <p>The lifecycle thread opens and closes listeners. Other threads only tell it that a wire has come or gone.
 */
final class WireListeners implements Wires.Watcher {
    private static final TableSchema WIRES = TableSchema.of("network.wires", "The listeners of other wires")
            .label("listener", "The name of the listener")
            .label("wire", "The name of its wire")
            .gauge("port", "Its port; 0 while the listener is closed")
            .text("provided.by", "The bundle that provides the wire, while it is there")
            .counter("frames", "Frames that the wire got")
            .counter("failed", "Frames at which the wire threw an exception")
            .counter("hung", "How often the wire did not come back");

    private static final Logger log = LoggerFactory.getLogger(WireListeners.class);

    private static final long LEAVE_MS = 1000;
    private static final long TOLD_NANOS = TimeUnit.SECONDS.toNanos(5);
    private static final int MOST_HANGS = 3;
    private static final int SHOWN_FRAMES = 8;

    private final Server server;
    private final Map<Listener, ListenerCounters> counters;
    private final Wires wires;
    private final Executor threads;
    private final Executor lifecycle;
    private final List<Gate> gates = new ArrayList<>();
    private volatile Duration hangs;

    WireListeners(
            Server server,
            Map<Listener, ListenerCounters> counters,
            Wires wires,
            Executor threads,
            Executor lifecycle) {
        this.server = server;
        this.counters = counters;
        this.wires = wires;
        this.threads = threads;
        this.lifecycle = lifecycle;
        this.hangs = server.settings().wireHangs();
        counters.keySet().stream().filter(listener -> !listener.isKafka()).forEach(of -> gates.add(new Gate(of)));
        wires.add(this);
    }

    /** Opens what can be opened, and closes what has to be closed. Lifecycle thread. */
    void check() {
        gates.forEach(Gate::check);
    }

    @Override
    public void arrived() {
        later(this::check);
    }

    @Override
    public void left(Wires.Offer offer) {
        gates.forEach(gate -> gate.leave(offer));
        later(this::check);
    }

    /** After how long a thread is taken from a wire. */
    void hangAfter(Duration duration) {
        hangs = duration;
    }

    private void later(Runnable task) {
        try {
            lifecycle.execute(task);
        } catch (RejectedExecutionException stopped) {
            log.debug("The network stops, and its listeners are closed");
        }
    }

    /** Closes all listeners and connections. Lifecycle thread. */
    void stop() {
        wires.remove(this);
        gates.forEach(Gate::close);
        gates.forEach(Gate::awaitEnd);
    }

    List<Trouble> troubles() {
        List<Trouble> troubles = new ArrayList<>(wires.troubles());
        gates.forEach(gate -> gate.trouble().map(Trouble::inPart).ifPresent(troubles::add));
        return troubles;
    }

    List<StatusTable> tables() {
        return gates.isEmpty()
                ? List.of()
                : List.of(WIRES.rows(gates.stream().map(Gate::row).toList()));
    }

    /** One listener. */
    private final class Gate {
        private final Listener listener;
        private final AtomicLong hung = new AtomicLong();
        private volatile Open open;
        /** Ends the threads of the listener that was closed last. */
        private Thread disposal;
        /** Why the listener cannot be opened although its wire is there; null if it can. */
        private volatile String refused;

        /** What an open listener has. */
        private record Open(Wires.Offer offer, ListenerAcceptor acceptor, RoundProcessor processor, int port) {}

        private Gate(Listener listener) {
            this.listener = listener;
        }

        private void check() {
            Open now = open;
            if (now != null && now.offer.isGone()) {
                close();
            } else if (now != null && now.processor.isInWireFor(hangs.toNanos())) {
                giveUp(now);
            }
            Optional<Wires.Offer> offer = wires.named(listener.wire());
            if (open == null
                    && offer.isPresent()
                    && offer.get().mayBeUsed(MOST_HANGS)
                    && server.tls().admits(listener)) {
                open(offer.get());
            }
        }

        private void open(Wires.Offer offer) {
            RoundProcessor processor = new RoundProcessor("felice-network-wire-" + listener.name(), threads, server);
            ListenerAcceptor acceptor =
                    new ListenerAcceptor(threads, () -> processor, server, listener, counters.get(listener), offer);
            server.quotas().open(listener, true);
            try {
                acceptor.bind(Server.address(listener));
            } catch (IOException | RuntimeException failure) {
                dispose(acceptor, processor);
                refuse(new Server.CannotListen(listener, failure).getMessage());
                return;
            }
            refused = null;
            open = new Open(
                    offer, acceptor, processor, acceptor.getLocalAddress().getPort());
            log.info("Listening: {} (port {}) for clients that speak {}", listener, open.port, listener.wire());
        }

        private void refuse(String why) {
            if (!why.equals(refused)) {
                log.error("{}", why);
            }
            refused = why;
        }

        /** Another thread takes over from the one that does not come back. */
        private void giveUp(Open hanging) {
            Thread thread = hanging.processor.thread();
            int times = hanging.offer.hangs();
            hung.incrementAndGet();
            log.error(
                    "The wire {} ({}) has not returned for {} ms from thread {}. The connections of listener {} are"
                            + " closed; {}. It was at:\n    {}",
                    listener.wire(),
                    hanging.offer.provider(),
                    hangs.toMillis(),
                    thread.getName(),
                    listener.name(),
                    times < MOST_HANGS
                            ? "clients may connect again"
                            : "the listener stays closed until the plugin is" + " replaced",
                    Arrays.stream(thread.getStackTrace())
                            .limit(SHOWN_FRAMES)
                            .map(StackTraceElement::toString)
                            .collect(Collectors.joining("\n    ")));
            close();
        }

        /** When this method has returned, no connection calls the wire, unless a call hangs. Any thread. */
        private void leave(Wires.Offer offer) {
            Open now = open;
            if (now == null || now.offer != offer || closesConnections(now)) {
                return;
            }
            log.warn(
                    "The wire {} is removed while thread {} is still in one of its calls",
                    listener.wire(),
                    now.processor.thread().getName());
        }

        private boolean closesConnections(Open now) {
            CountDownLatch passed = new CountDownLatch(1);
            boolean posted = now.processor.execute(() -> {
                now.processor.connections().forEach(Connection::close);
                passed.countDown();
            });
            try {
                return !posted || now.processor.isCurrentThread() || passed.await(LEAVE_MS, TimeUnit.MILLISECONDS);
            } catch (InterruptedException hurry) {
                Thread.currentThread().interrupt();
                return false;
            }
        }

        private void close() {
            Open now = open;
            if (now == null) {
                return;
            }
            server.quotas().open(listener, false);
            now.acceptor.unbind();
            if (!closesConnections(now)) {
                now.acceptor.getManagedSessions().values().forEach(this::closeSocket);
            }
            dispose(now.acceptor, now.processor);
            open = null;
            log.info("Closed: {}", listener);
        }

        /** The thread of the connection hangs. The client notices that nobody is there. */
        private void closeSocket(IoSession session) {
            try {
                ((SocketChannel) ((NioSession) session).getChannel()).close();
            } catch (IOException gone) {
                log.debug("The socket of {} is not closed: {}", session, gone.toString());
            }
        }

        /** Waits for the I/O thread, which may hang, so not on the calling thread. */
        private void dispose(ListenerAcceptor acceptor, RoundProcessor processor) {
            disposal = new Thread(
                    () -> {
                        acceptor.dispose();
                        processor.dispose();
                    },
                    "felice-network-wire-" + listener.name() + "-end");
            disposal.setDaemon(true);
            disposal.start();
        }

        /** Waits a while until the threads have ended. */
        private void awaitEnd() {
            try {
                if (disposal != null) {
                    disposal.join(LEAVE_MS);
                }
            } catch (InterruptedException hurry) {
                Thread.currentThread().interrupt();
            }
        }

        private Optional<String> trouble() {
            Open now = open;
            if (now != null) {
                return now.processor.isInWireFor(TOLD_NANOS)
                        ? Optional.of("Clients of listener " + listener.name() + " wait: the wire " + listener.wire()
                                + " does not return from thread "
                                + now.processor.thread().getName())
                        : Optional.empty();
            }
            String why = refused;
            if (why != null) {
                return Optional.of(why);
            }
            String reason = wires.named(listener.wire())
                    .map(offer -> offer.mayBeUsed(MOST_HANGS)
                            ? "it is being opened"
                            : "the wire " + listener.wire() + " did not return " + MOST_HANGS + " times")
                    .orElse("no plugin provides the wire " + listener.wire());
            return Optional.of("Listener " + listener.name() + " is closed: " + reason);
        }

        private List<Object> row() {
            Open now = open;
            ListenerCounters of = counters.get(listener);
            return List.of(
                    listener.name(),
                    listener.wire(),
                    now == null ? 0L : (long) now.port,
                    now == null ? "" : now.offer.provider(),
                    of.frames.get(),
                    of.failedInWire.get(),
                    hung.get());
        }
    }
}
