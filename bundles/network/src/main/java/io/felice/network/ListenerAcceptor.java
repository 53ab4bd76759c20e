package io.felice.network;

import io.felice.api.FileDescriptors;
import java.io.IOException;
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

    ListenerAcceptor(
            Executor executor,
            Supplier<RoundProcessor> next,
            Server server,
            Listener listener,
            ListenerCounters counters) {
        super(executor, next.get());
        this.next = next;
        this.server = server;
        setHandler(new Sessions(server, listener, counters));
        setReuseAddress(true);
        setBacklog(BACKLOG);
        setCloseOnDeactivation(false);
        getSessionConfig().setTcpNoDelay(true);
        getSessionConfig().setKeepAlive(true);
        getSessionConfig().setMinReadBufferSize(UNUSED_READ_BUFFER);
        getSessionConfig().setReadBufferSize(UNUSED_READ_BUFFER);
        getStatistics().getConfig().setStatisticsCalcEnabled(false);
    }

    @Override
    protected NioSession accept(IoProcessor<NioSession> unused, ServerSocketChannel handle) throws Exception {
        try {
            return super.accept(next.get(), handle);
        } catch (IOException failure) {
            if (!FileDescriptors.areUsedUp(failure)) {
                throw failure;
            }
            server.complaints()
                    .warn("A client waits to be connected: this process has all " + FileDescriptors.limit()
                            + " files and connections open that it may have. Raise the limit (ulimit -n)");
            Thread.sleep(SHORTAGE_PAUSE_MS);
            return null;
        }
    }

    /** Creates a {@link Connection} for every session, on the session's I/O thread. */
    private static final class Sessions extends IoHandlerAdapter {
        private final Server server;
        private final Listener listener;
        private final ListenerCounters counters;

        private Sessions(Server server, Listener listener, ListenerCounters counters) {
            this.server = server;
            this.listener = listener;
            this.counters = counters;
        }

        @Override
        public void sessionCreated(IoSession session) {
            counters.accepted.incrementAndGet();
            if (session.getRemoteAddress() == null || !server.admits(session)) {
                counters.refused.incrementAndGet();
                session.closeNow();
                return;
            }
            counters.open.incrementAndGet();
            NioSession nio = (NioSession) session;
            RoundProcessor processor = (RoundProcessor) nio.getProcessor();
            Transport transport = new PlainTransport((SocketChannel) nio.getChannel());
            new Connection(server, processor, nio, transport, listener, counters).attach();
        }

        @Override
        public void sessionClosed(IoSession session) {
            Connection connection = Connection.of(session);
            if (connection != null) {
                counters.open.decrementAndGet();
                counters.closed.incrementAndGet();
                connection.closed();
                server.left(connection.identity().remote().getAddress());
            }
        }

        @Override
        public void exceptionCaught(IoSession session, Throwable cause) {
            log.debug("Connection of {} broke: {}", session.getRemoteAddress(), cause.toString());
            session.closeNow();
        }
    }
}
