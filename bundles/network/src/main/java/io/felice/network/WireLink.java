package io.felice.network;

import io.felice.api.Turn;
import io.felice.api.security.Principal;
import io.felice.api.wire.WireConnection;
import io.felice.api.wire.WireSession;
import io.felice.protocol.CloseConnection;
import io.felice.protocol.MalformedRequest;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.mina.transport.socket.nio.NioSession;

/** A connection whose client speaks a plugin's wire. Frames go in, bytes come out, and the network keeps the limits. */
final class WireLink extends Connection implements FrameCutter.Frames {
    private static final int PARTS = 16;
    /** The most bytes of one write, so that the other connections of the thread do not wait long. */
    private static final long FAIR_SHARE = 1024 * 1024;

    private final Listener listener;
    private final Wires.Offer offer;
    private final FrameCutter cutter;
    private final Side side = new Side();
    private final Step resume;

    private final ArrayDeque<ByteBuffer> queue = new ArrayDeque<>();
    private final ByteBuffer[] parts = new ByteBuffer[PARTS];
    private final AtomicLong unsent = new AtomicLong();
    private boolean socketIsFull;
    private boolean wasFull;
    private boolean paused;
    /** Null before it is opened and after it is closed. */
    private WireSession session;

    WireLink(
            Server server,
            RoundProcessor processor,
            NioSession session,
            Transport transport,
            Listener listener,
            ListenerCounters counters,
            Wires.Offer offer) {
        super(server, processor, session, transport, listener, counters, Optional.empty());
        this.listener = listener;
        this.offer = offer;
        this.cutter = new FrameCutter(server.memory(), this);
        this.resume = cutter::resume;
    }

    @Override
    void attach() {
        super.attach();
        guarded(() -> inWire(() -> session = offer.wire().open(side)));
        markDirty();
    }

    /** Calls the wire. What it throws closes the connection. */
    private void inWire(Runnable call) {
        if (offer.isGone()) {
            throw new CloseConnection("the wire " + listener.wire() + " is removed");
        }
        processor().entersWire();
        try {
            call.run();
        } catch (MalformedRequest malformed) {
            throw malformed;
        } catch (Throwable failure) {
            counters().failedInWire.incrementAndGet();
            throw failure;
        } finally {
            processor().leavesWire();
        }
    }

    // ---- in ----

    @Override
    boolean readOpen() throws IOException {
        return cutter.read(transport(), processor().scratch());
    }

    @Override
    void resume() {
        if (!isClosed() && !isLingering()) {
            guarded(resume);
            markDirty();
        }
    }

    @Override
    boolean mayBegin() {
        return !paused && !isMuted() && !isClosed() && phase().beginsRequests();
    }

    @Override
    public boolean mayTake() {
        return mayBegin();
    }

    @Override
    public int longest() {
        return Math.min(offer.wire().longestFrame(), server().limits().requestBytes());
    }

    @Override
    public int length(ByteBuffer received) {
        processor().entersWire();
        try {
            return offer.wire().frameLength(received);
        } catch (IllegalArgumentException malformed) {
            throw new MalformedRequest(String.valueOf(malformed.getMessage()));
        } finally {
            processor().leavesWire();
        }
    }

    @Override
    public void take(ByteBuffer frame) {
        counters().frames.incrementAndGet();
        inWire(() -> {
            try {
                session.received(frame);
            } catch (IllegalArgumentException malformed) {
                throw new MalformedRequest(String.valueOf(malformed.getMessage()));
            }
        });
    }

    // ---- out ----

    private void add(ByteBuffer bytes) {
        queue.add(bytes);
        if (unsent.get() > 2 * server().limits().responseBytes()) {
            counters().stalledClosed.incrementAndGet();
            complain("the client does not read, and the wire sends on");
            close();
        }
        markDirty();
    }

    @Override
    void gather() {}

    @Override
    long send() throws IOException {
        long total = 0;
        socketIsFull = false;
        while (!queue.isEmpty() && !socketIsFull && total < FAIR_SHARE) {
            total += sendNext();
        }
        if (wasFull && !side.isFull()) {
            wasFull = false;
            inWire(session::drained);
            markDirty();
        }
        return total;
    }

    private long sendNext() throws IOException {
        int count = 0;
        long size = 0;
        for (ByteBuffer part : queue) {
            if (count == PARTS) {
                break;
            }
            parts[count++] = part;
            size += part.remaining();
        }
        long written = transport().write(parts, count);
        socketIsFull = written < size;
        unsent.addAndGet(-written);
        while (!queue.isEmpty() && !queue.peek().hasRemaining()) {
            queue.poll();
        }
        return written;
    }

    @Override
    boolean isAllSent() {
        return queue.isEmpty();
    }

    @Override
    boolean isAllAnswered() {
        return true;
    }

    @Override
    void awaitMore() {
        if (cutter.isStarving()) {
            processor().starving(this);
        }
        if (!queue.isEmpty() && !socketIsFull) {
            markDirty();
        }
        await(mayBegin() && !cutter.isStarving(), socketIsFull);
    }

    // ---- life ----

    @Override
    boolean isIdle() {
        return queue.isEmpty();
    }

    @Override
    boolean isPartOfFrameReceived() {
        return cutter.hasBytes() && !paused;
    }

    @Override
    boolean isStarving() {
        return !isClosed() && cutter.isStarving();
    }

    @Override
    long frameBeganAt() {
        return cutter.incompleteSince();
    }

    @Override
    void lingers() {}

    @Override
    void ends() {
        WireSession ended = session;
        session = null;
        if (ended != null) {
            processor().entersWire();
            try {
                ended.closed();
            } catch (Throwable failure) {
                counters().failedInWire.incrementAndGet();
                server().complaints()
                        .error("The wire " + listener.wire() + " failed at the end of a connection", failure);
            } finally {
                processor().leavesWire();
            }
        }
    }

    @Override
    void release() {
        cutter.close();
        queue.clear();
    }

    /** What the wire sees of the connection. */
    private final class Side implements WireConnection {
        @Override
        public InetSocketAddress remote() {
            return identity().remote();
        }

        @Override
        public String listener() {
            return listener.name();
        }

        @Override
        public boolean isEncrypted() {
            return listener.isEncrypted();
        }

        @Override
        public boolean requiresLogin() {
            return listener.hasSasl();
        }

        @Override
        public Principal principal() {
            return identity().requester().principal();
        }

        @Override
        public void authenticated(Principal principal) {
            requireThread();
            identity().authenticated(principal);
            counters().logins.incrementAndGet();
            enter(phase().loggedIn());
        }

        @Override
        public void send(ByteBuffer bytes) {
            unsent.addAndGet(bytes.remaining());
            if (processor().isCurrentThread()) {
                if (!isClosed()) {
                    wasFull |= isFull();
                    add(bytes);
                }
            } else {
                execute(() -> {
                    wasFull |= isFull();
                    add(bytes);
                });
            }
        }

        @Override
        public boolean isFull() {
            return unsent.get() > server().limits().responseBytes();
        }

        @Override
        public void pauseReading() {
            requireThread();
            paused = true;
        }

        @Override
        public void resumeReading() {
            requireThread();
            paused = false;
            processor().blocked(WireLink.this);
            markDirty();
        }

        @Override
        public void close() {
            if (processor().isCurrentThread()) {
                drain();
            } else {
                execute(WireLink.this::drain);
            }
        }

        @Override
        public void execute(Runnable task) {
            processor().execute(() -> {
                if (!isClosed()) {
                    guarded(() -> inWire(task));
                    markDirty();
                }
            });
        }

        @Override
        public Turn turn() {
            requireThread();
            return processor().turn();
        }

        private void requireThread() {
            if (!processor().isCurrentThread()) {
                throw new IllegalStateException("only the I/O thread of the connection may call this method");
            }
        }
    }
}
