package io.felice.cluster.zookeeper;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A proxy that cuts each connection after a random number of bytes in either direction. So requests get lost, and so do
 * answers to requests that were done.
 */
final class CuttingProxy implements AutoCloseable {
    private final int serverPort;
    private final Random random;
    private final int mostBytes;
    private final ServerSocket listener;
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
    private final AtomicInteger cuts = new AtomicInteger();
    private volatile boolean cutting = true;

    /** Cuts each connection after {@code mostBytes} at the latest. */
    CuttingProxy(int serverPort, long seed, int mostBytes) throws IOException {
        this.serverPort = serverPort;
        this.random = new Random(seed);
        this.mostBytes = mostBytes;
        this.listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        start("proxy-accept", this::accept);
    }

    String connectString() {
        return "127.0.0.1:" + listener.getLocalPort();
    }

    int cuts() {
        return cuts.get();
    }

    /** Cuts no more connections. */
    void calm() {
        cutting = false;
    }

    @Override
    public void close() throws IOException {
        listener.close();
        sockets.forEach(CuttingProxy::close);
    }

    private void accept() throws IOException {
        while (true) {
            Socket client = listener.accept();
            Socket server = new Socket(InetAddress.getLoopbackAddress(), serverPort);
            sockets.add(client);
            sockets.add(server);
            // Nearly always lets the handshake pass: a client that cannot connect tests nothing.
            int up = 500 + random.nextInt(mostBytes);
            int down = 500 + random.nextInt(mostBytes);
            start("proxy-up", () -> pump(client, server, up));
            start("proxy-down", () -> pump(server, client, down));
        }
    }

    private void pump(Socket from, Socket to, int bytes) throws IOException {
        byte[] buffer = new byte[4_096];
        int left = bytes;
        try (from;
                to) {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            while (true) {
                int n = in.read(buffer, 0, cutting ? Math.min(buffer.length, left) : buffer.length);
                if (n < 0) {
                    return;
                }
                out.write(buffer, 0, n);
                left -= n;
                if (left <= 0 && cutting) {
                    cuts.incrementAndGet();
                    return;
                }
                left = Math.max(left, 1);
            }
        } finally {
            sockets.remove(from);
            sockets.remove(to);
        }
    }

    private interface Task {
        void run() throws IOException;
    }

    private static void start(String name, Task task) {
        Thread thread = new Thread(
                () -> {
                    try {
                        task.run();
                    } catch (SocketException closed) {
                        return;
                    } catch (IOException failure) {
                        throw new UncheckedIOException(failure);
                    }
                },
                name);
        thread.setDaemon(true);
        thread.start();
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException alreadyBroken) {
            return;
        }
    }
}
