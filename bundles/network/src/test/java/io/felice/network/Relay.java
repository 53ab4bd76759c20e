package io.felice.network;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;

/** Passes the bytes of one client on to a node, in a way that a test wants, and the TLS records of the node whole. */
final class Relay implements AutoCloseable {
    private static final int HEADER = 5;

    private final ServerSocket listening = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"));
    private final Socket node = new Socket();
    private final byte[] piece;
    private final long damagedAt;
    private volatile Socket client;
    private volatile int typeOfLastRecord;
    private volatile long left = Long.MAX_VALUE;

    private Relay(int port, int pieceBytes, long damagedAt) throws IOException {
        this.piece = new byte[pieceBytes];
        this.damagedAt = damagedAt;
        node.connect(new InetSocketAddress("127.0.0.1", port));
        node.setTcpNoDelay(true);
        start(this::up);
    }

    static Relay to(int port) throws IOException {
        return new Relay(port, 8192, -1);
    }

    static Relay byteByByte(int port) throws IOException {
        return new Relay(port, 1, -1);
    }

    /** Changes one byte of the client. */
    static Relay damaging(int port, long at) throws IOException {
        return new Relay(port, 8192, at);
    }

    int port() {
        return listening.getLocalPort();
    }

    /** The node gets only so many further bytes. */
    void stopAfter(int bytes) {
        left = bytes;
    }

    /** The type of the last record of the node. */
    int typeOfLastRecord() {
        return typeOfLastRecord;
    }

    private void up() throws IOException {
        client = listening.accept();
        start(this::down);
        InputStream in = client.getInputStream();
        OutputStream out = node.getOutputStream();
        long passed = 0;
        for (int count = in.read(piece); count >= 0; count = in.read(piece)) {
            if (damagedAt >= passed && damagedAt < passed + count) {
                piece[(int) (damagedAt - passed)] ^= 0x10;
            }
            int most = (int) Math.min(count, left);
            out.write(piece, 0, most);
            left -= left == Long.MAX_VALUE ? 0 : most;
            passed += count;
        }
        node.shutdownOutput();
    }

    private void down() throws IOException {
        DataInputStream in = new DataInputStream(node.getInputStream());
        DataOutputStream out = new DataOutputStream(client.getOutputStream());
        for (int type = in.read(); type >= 0; type = in.read()) {
            int version = in.readUnsignedShort();
            byte[] content = new byte[in.readUnsignedShort()];
            in.readFully(content);
            typeOfLastRecord = type;
            ByteBuffer record = ByteBuffer.allocate(HEADER + content.length).put((byte) type);
            out.write(record.putShort((short) version)
                    .putShort((short) content.length)
                    .put(content)
                    .array());
        }
        client.shutdownOutput();
    }

    private static void start(Step step) {
        Thread thread = new Thread(() -> {
            try {
                step.run();
            } catch (IOException closed) {
                // The test is over, or the node has closed the connection.
            }
        });
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void close() throws IOException {
        listening.close();
        node.close();
        if (client != null) {
            client.close();
        }
    }

    private interface Step {
        void run() throws IOException;
    }
}
