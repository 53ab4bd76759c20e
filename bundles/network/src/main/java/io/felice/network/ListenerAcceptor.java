package io.felice.network;

import io.felice.api.FileDescriptors;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.apache.mina.core.service.IoHandlerAdapter;
import org.apache.mina.core.service.IoProcessor;
import org.apache.mina.core.session.IoSession;
import org.apache.mina.transport.socket.nio.NioSession;
import org.apache.mina.transport.socket.nio.NioSocketAcceptor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Accepts the connections of one listener and hands them to the I/O threads in turn. */
final class ListenerAcceptor extends NioSocketAcceptor {
    private static final Logger log = LoggerFactory.getLogger(ListenerAcceptor.class);
    private static final int BACKLOG = 1024;
    private static final int UNUSED_READ_BUFFER = 64;
    /** The pause after a failed accept, so that this thread does not spin. The client stays in the kernel's queue. */
    private static final long SHORTAGE_PAUSE_MS = 100;

    private final Supplier<RoundProcessor> next;
    private final Server server;
    private final Listener listener;
    private final ListenerCounters counters;

    /** @param wire null for a listener of Kafka clients */
    ListenerAcceptor(
            Executor executor,
            Supplier<RoundProcessor> next,
            Server server,
            Listener listener,
            ListenerCounters counters,
            Wires.Offer wire) {
        super(executor, next.get());
        this.next = next;
        this.server = server;
        this.listener = listener;
        this.counters = counters;
        setHandler(new Sessions(server, listener, counters, wire));
        setReuseAddress(true);
        setBacklog(BACKLOG);
        setCloseOnDeactivation(false);
        getSessionConfig().setTcpNoDelay(true);
        getSessionConfig().setKeepAlive(true);
        getSessionConfig().setMinReadBufferSize(UNUSED_READ_BUFFER);
        getSessionConfig().setReadBufferSize(UNUSED_READ_BUFFER);
        getStatistics().getConfig().setStatisticsCalcEnabled(false);
    }

    /** Waits while the limits allow no further connection; the clients stay in the system's queue meanwhile. */
    @Override
    protected NioSession accept(IoProcessor<NioSession> unused, ServerSocketChannel handle) throws Exception {
        if (!server.quotas().awaitSlot(listener)) {
            return null;
        }
        NioSession session = null;
        try {
            session = admitted(super.accept(next.get(), handle));
        } catch (IOException failure) {
            if (!FileDescriptors.areUsedUp(failure)) {
                throw failure;
            }
            server.complaints()
                    .warn("A client waits to be connected: this process has all " + FileDescriptors.limit()
                            + " files and connections open that it may have. Raise the limit (ulimit -n)");
            Thread.sleep(SHORTAGE_PAUSE_MS);
        } finally {
            if (session == null) {
                server.quotas().giveBack(listener);
            }
        }
        return session;
    }

    private NioSession admitted(NioSession session) throws IOException {
        if (session == null) {
            return null;
        }
        counters.accepted.incrementAndGet();
        InetSocketAddress remote = (InetSocketAddress) session.getRemoteAddress();
        if (remote == null || !server.quotas().admits(remote.getAddress())) {
            counters.refusedPerAddress.incrementAndGet();
            ((SocketChannel) session.getChannel()).close();
            return null;
        }
        return session;
    }

    /** Creates a {@link Connection} for every session, on the session's I/O thread. */
    private static final class Sessions extends IoHandlerAdapter {
        private final Server server;
        private final Listener listener;
        private final ListenerCounters counters;
        private final Wires.Offer wire;

        private Sessions(Server server, Listener listener, ListenerCounters counters, Wires.Offer wire) {
            this.server = server;
            this.listener = listener;
            this.counters = counters;
            this.wire = wire;
        }

        @Override
        public void sessionCreated(IoSession session) {
            InetSocketAddress remote = (InetSocketAddress) session.getRemoteAddress();
            boolean attached = false;
            try {
                attach((NioSession) session);
                attached = true;
            } finally {
                if (!attached) {
                    server.quotas().left(listener, remote.getAddress());
                }
            }
        }

        private void attach(NioSession session) {
            RoundProcessor processor = (RoundProcessor) session.getProcessor();
            Transport transport = transport((SocketChannel) session.getChannel(), processor);
            Connection connection = connection(processor, session, transport);
            connection.attach();
            int wait = server.throttling()
                    .chargeConnection(connection.identity().remote().getAddress());
            if (wait > 0) {
                connection.mute(wait);
            }
            counters.open.incrementAndGet();
        }

        private Connection connection(RoundProcessor processor, NioSession session, Transport transport) {
            return wire == null
                    ? new KafkaConnection(server, processor, session, transport, listener, counters)
                    : new WireLink(server, processor, session, transport, listener, counters, wire);
        }

        private Transport transport(SocketChannel socket, RoundProcessor processor) {
            return listener.isEncrypted()
                    ? server.tls().transport(socket, listener, processor.tls(), counters)
                    : new PlainTransport(socket);
        }

        @Override
        public void sessionClosed(IoSession session) {
            Connection connection = Connection.of(session);
            if (connection != null) {
                counters.open.decrementAndGet();
                counters.closed.incrementAndGet();
                connection.closed();
                server.quotas().left(listener, connection.identity().remote().getAddress());
            }
        }

        @Override
        public void exceptionCaught(IoSession session, Throwable cause) {
            log.debug("Connection of {} broke: {}", session.getRemoteAddress(), cause.toString());
            session.closeNow();
        }
    }
}
