package io.felice.testkit;

import io.felice.api.Turn;
import io.felice.api.security.Principal;
import io.felice.api.wire.WireConnection;
import io.felice.api.wire.WireProtocol;
import io.felice.api.wire.WireSession;
import java.io.ByteArrayOutputStream;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * The network's side of one connection, for tests of a wire: cuts the bytes that a client sends into frames, and keeps
 * what the wire sends. The thread of the test is the I/O thread; {@link #runTasks} runs what the wire has passed to
 * {@link #execute}.
 */
public final class FakeWireConnection implements WireConnection {
    private final WireProtocol wire;
    private final boolean requiresLogin;
    private final Thread ioThread = Thread.currentThread();
    private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
    private final ArrayDeque<Runnable> deferred = new ArrayDeque<>();
    private final ByteArrayOutputStream sent = new ByteArrayOutputStream();
    private ByteBuffer kept = ByteBuffer.allocate(0);
    private Principal principal = Principal.ANONYMOUS;
    private WireSession session;
    private boolean isPaused;
    private boolean isClosing;
    private boolean isClosed;
    private boolean isFull;
    private boolean keepsFrames;
    private int frames;

    public FakeWireConnection(WireProtocol wire, boolean requiresLogin) {
        this.wire = wire;
        this.requiresLogin = requiresLogin;
    }

    /** Leaves the bytes of a frame as they are after the call. The network uses them again, and so does this class. */
    void keepFrames() {
        keepsFrames = true;
    }

    /** Opens a session of the wire. */
    public FakeWireConnection open() {
        session = wire.open(this);
        return this;
    }

    /**
     * The client sends these bytes.
     *
     * @throws RuntimeException what the wire throws; the network would close the connection
     */
    public void receive(byte[] bytes) {
        kept = ByteBuffer.allocate(kept.remaining() + bytes.length)
                .put(kept)
                .put(bytes)
                .flip();
        cut();
    }

    private void cut() {
        while (kept.hasRemaining() && !isPaused && !isClosing && !isClosed) {
            int length = wire.frameLength(kept.slice().asReadOnlyBuffer());
            if (length < 0 || length > wire.longestFrame()) {
                close();
                throw new IllegalArgumentException("a frame of " + length + " bytes");
            }
            if (length == WireProtocol.UNKNOWN || length > kept.remaining()) {
                return;
            }
            byte[] frame = new byte[length];
            kept.get(frame);
            frames++;
            session.received(ByteBuffer.wrap(frame));
            if (!keepsFrames) {
                Arrays.fill(frame, (byte) 0xff);
            }
            runDeferred();
        }
    }

    /** Runs what other threads and the wire have passed to {@link #execute}. @return false if there was nothing */
    public boolean runTasks() {
        boolean ran = false;
        for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
            if (!isClosed) {
                task.run();
                ran = true;
                runDeferred();
            }
        }
        return ran;
    }

    private void runDeferred() {
        while (!deferred.isEmpty()) {
            deferred.poll().run();
        }
    }

    /** The client has gone. */
    public void breakOff() {
        if (!isClosed) {
            isClosed = true;
            session.closed();
        }
    }

    /** The client does not read, or reads again. */
    public void full(boolean full) {
        boolean drains = isFull && !full;
        isFull = full;
        if (drains) {
            session.drained();
        }
    }

    /** What the wire has sent since the last call. */
    public synchronized byte[] takeSent() {
        byte[] bytes = sent.toByteArray();
        sent.reset();
        return bytes;
    }

    /** How many frames the session has got. */
    public int frames() {
        return frames;
    }

    public boolean isPaused() {
        return isPaused;
    }

    /** True if the wire has closed the connection, or the client has. */
    public boolean isClosed() {
        return isClosing || isClosed;
    }

    @Override
    public InetSocketAddress remote() {
        return new InetSocketAddress("127.0.0.1", 1);
    }

    @Override
    public String listener() {
        return "WIRE";
    }

    @Override
    public boolean isEncrypted() {
        return false;
    }

    @Override
    public boolean requiresLogin() {
        return requiresLogin;
    }

    @Override
    public Principal principal() {
        requireThread();
        return principal;
    }

    @Override
    public void authenticated(Principal as) {
        requireThread();
        principal = as;
    }

    @Override
    public synchronized void send(ByteBuffer bytes) {
        if (!isClosed) {
            byte[] copy = new byte[bytes.remaining()];
            bytes.duplicate().get(copy);
            sent.writeBytes(copy);
        }
    }

    @Override
    public boolean isFull() {
        return isFull;
    }

    @Override
    public void pauseReading() {
        requireThread();
        isPaused = true;
    }

    @Override
    public void resumeReading() {
        requireThread();
        isPaused = false;
        tasks.add(this::cut);
    }

    @Override
    public void close() {
        isClosing = true;
    }

    @Override
    public void execute(Runnable task) {
        tasks.add(task);
    }

    @Override
    public Turn turn() {
        requireThread();
        return deferred::add;
    }

    private void requireThread() {
        if (Thread.currentThread() != ioThread) {
            throw new IllegalStateException("only the I/O thread of the connection may call this method");
        }
    }
}
