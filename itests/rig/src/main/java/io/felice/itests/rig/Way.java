package io.felice.itests.rig;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A port that passes all connections on to another port of this machine, until the way is cut. While it is cut, connections
 * stay open and new ones are accepted, but no byte arrives, as in a network that loses everything. What was sent meanwhile
 * arrives when the way is mended.
 *
 * <p>Threads: one that accepts and two for each connection; any thread may call the methods.
 */
public final class Way implements AutoCloseable {
    private static final int BUFFER_BYTES = 64 << 10;

    private final ServerSocket entrance;
    private final int target;
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
    private final Object turn = new Object();
    private boolean isCut;
    private volatile boolean closed;

    private Way(ServerSocket entrance, int target) {
        this.entrance = entrance;
        this.target = target;
    }

    /** A way to the port of a server, which need not listen yet. */
    public static Way to(int port) {
        try {
            Way way = new Way(new ServerSocket(0, 64, InetAddress.getLoopbackAddress()), port);
            start(way::accept);
            return way;
        } catch (IOException failure) {
            throw new AssertionError(failure);
        }
    }

    public int port() {
        return entrance.getLocalPort();
    }

    public void cut() {
        synchronized (turn) {
            isCut = true;
        }
    }

    public void mend() {
        synchronized (turn) {
            isCut = false;
            turn.notifyAll();
        }
    }

    private static void start(Runnable work) {
        Thread thread = new Thread(work, "way");
        thread.setDaemon(true);
        thread.start();
    }

    private void accept() {
        while (!closed) {
            try {
                Socket client = entrance.accept();
                sockets.add(client);
                start(() -> connect(client));
            } catch (IOException ended) {
                return;
            }
        }
    }

    private void connect(Socket client) {
        try {
            awaitOpen();
            Socket server = new Socket(InetAddress.getLoopbackAddress(), target);
            sockets.add(server);
            client.setTcpNoDelay(true);
            server.setTcpNoDelay(true);
            start(() -> pass(server, client));
            pass(client, server);
        } catch (IOException refused) {
            close(client);
        }
    }

    /** Until one side ends the connection; the other side learns of that only while the way is open. */
    private void pass(Socket from, Socket to) {
        byte[] buffer = new byte[BUFFER_BYTES];
        try {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                awaitOpen();
                out.write(buffer, 0, count);
            }
            awaitOpen();
        } catch (IOException ended) {
            // Both sides are closed below.
        } finally {
            close(from);
            close(to);
        }
    }

    private void awaitOpen() throws IOException {
        synchronized (turn) {
            while (isCut && !closed) {
                try {
                    turn.wait();
                } catch (InterruptedException interrupted) {
                    throw new IOException(interrupted);
                }
            }
        }
        if (closed) {
            throw new IOException("the way is closed");
        }
    }

    private void close(Socket socket) {
        sockets.remove(socket);
        try {
            socket.close();
        } catch (IOException alreadyGone) {
            // It is closed.
        }
    }

    @Override
    public void close() {
        closed = true;
        mend();
        try {
            entrance.close();
        } catch (IOException alreadyGone) {
            // It is closed.
        }
        Set.copyOf(sockets).forEach(this::close);
    }
}
