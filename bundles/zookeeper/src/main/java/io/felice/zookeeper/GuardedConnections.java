package io.felice.zookeeper;

import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.ZooDefs.OpCode;
import org.apache.zookeeper.proto.ReplyHeader;
import org.apache.zookeeper.proto.RequestHeader;
import org.apache.zookeeper.server.ByteBufferInputStream;
import org.apache.zookeeper.server.NIOServerCnxn;
import org.apache.zookeeper.server.NIOServerCnxnFactory;
import org.apache.zookeeper.server.Request;
import org.apache.zookeeper.server.ZooKeeperServer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The connections of clients to a server of this process. They pass only the operations in {@link #SERVED} to the
 * server, whether it serves alone, leads an ensemble or follows the leader.
 */
final class GuardedConnections extends NIOServerCnxnFactory {
    private static final Logger log = LoggerFactory.getLogger(GuardedConnections.class);
    private static final long REFUSALS_ARE_LOGGED_EVERY_NANOS = TimeUnit.MINUTES.toNanos(1);
    private static final int DEFAULT_BACKLOG = -1;

    /**
     * The operations that a client may ask for: those that brokers use, and those with which an operator reads and sets
     * access control lists. Every other operation is refused. Some of those check neither session nor access control
     * list: deleteContainer lets anybody delete a znode without children (CVE-2026-79993), and setWatches tells anybody
     * which znodes exist and have changed (CVE-2026-59739). Nobody changes the members of an ensemble by reconfig.
     */
    private static final Set<Integer> SERVED = Set.of(
            OpCode.auth,
            OpCode.closeSession,
            OpCode.create,
            OpCode.create2,
            OpCode.delete,
            OpCode.exists,
            OpCode.getACL,
            OpCode.getAllChildrenNumber,
            OpCode.getChildren,
            OpCode.getChildren2,
            OpCode.getData,
            OpCode.multi,
            OpCode.ping,
            OpCode.setACL,
            OpCode.setData,
            OpCode.sync);

    private final AtomicLong refusalLoggedNanos = new AtomicLong(System.nanoTime() - REFUSALS_ARE_LOGGED_EVERY_NANOS);

    private GuardedConnections() {}

    /**
     * Listens, but does not answer before a server is set.
     *
     * @throws IOException if the address cannot be used; the message is a sentence for the operator
     */
    static GuardedConnections listen(String host, int port, int maxClientConnections) throws IOException {
        GuardedConnections connections = new GuardedConnections();
        try {
            InetSocketAddress address = new InetSocketAddress(InetAddress.getByName(host), port);
            connections.configure(address, maxClientConnections, DEFAULT_BACKLOG, false);
            return connections;
        } catch (UnknownHostException e) {
            throw new IOException("ZooKeeper cannot listen on " + host + ": no such host", e);
        } catch (BindException e) {
            throw new IOException("ZooKeeper cannot listen on " + host + ":" + port + ": " + reason(e), e);
        }
    }

    private static String reason(BindException e) {
        return e.getMessage().contains("in use")
                ? "the port is taken; choose another with --zookeeper-port, or as port in io.felice.zookeeper.cfg"
                : e.getMessage();
    }

    @Override
    protected NIOServerCnxn createConnection(SocketChannel socket, SelectionKey key, SelectorThread selector)
            throws IOException {
        return new Connection(getZooKeeperServer(), socket, key, selector);
    }

    private final class Connection extends NIOServerCnxn {
        Connection(ZooKeeperServer server, SocketChannel socket, SelectionKey key, SelectorThread selector)
                throws IOException {
            super(server, socket, key, GuardedConnections.this, selector);
        }

        @Override
        protected void readRequest() throws IOException {
            RequestHeader header = new RequestHeader();
            ByteBufferInputStream.byteBuffer2Record(incomingBuffer.duplicate(), header);
            if (SERVED.contains(header.getType())) {
                super.readRequest();
            } else {
                refuse(header);
            }
        }

        /** Answers "unimplemented" and ends the connection, as the library does for unknown operations. */
        private void refuse(RequestHeader request) throws IOException {
            long last = refusalLoggedNanos.get();
            long now = System.nanoTime();
            if (now - last >= REFUSALS_ARE_LOGGED_EVERY_NANOS && refusalLoggedNanos.compareAndSet(last, now)) {
                log.warn(
                        "ZooKeeper refused the operation {} ({}) from {} and ended the connection: no broker needs it",
                        Request.op2String(request.getType()),
                        request.getType(),
                        getRemoteSocketAddress());
            }
            sendResponse(new ReplyHeader(request.getXid(), 0, Code.UNIMPLEMENTED.intValue()), null, "response");
            sendCloseSession();
        }
    }
}
