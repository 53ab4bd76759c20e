package io.felice.network;

import io.felice.protocol.CloseConnection;
import io.felice.protocol.MalformedRequest;
import io.felice.protocol.SaslSession;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.apache.mina.core.session.IoSession;
import org.apache.mina.transport.socket.nio.NioSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A client's connection: its socket, its phases, its limits and its end. A {@link KafkaConnection} has requests and
 * answers, a {@link WireLink} the frames of another wire. All work is done on the connection's I/O thread.
 */
abstract class Connection {
    private static final Logger log = LoggerFactory.getLogger(Connection.class);

    /** How long a connection waits for the client to close it after the last answer. */
    private static final long LINGER_NANOS = TimeUnit.SECONDS.toNanos(1);

    private static final Object ATTRIBUTE = "felice.connection";

    private final Server server;
    private final RoundProcessor processor;
    private final NioSession session;
    private final Transport transport;
    private final ListenerCounters counters;
    private final Identity identity;
    private final Interest interest;

    private final Step read = this::read;
    private final Step write = this::write;
    private final Step linger = this::linger;

    private Phase phase;
    private boolean dirty;
    /** Until when no request begins, by {@link System#nanoTime}, if {@link #muted}. */
    private long mutedUntil;

    private boolean muted;
    private long activeAt = System.nanoTime();

    Connection(
            Server server,
            RoundProcessor processor,
            NioSession session,
            Transport transport,
            Listener listener,
            ListenerCounters counters,
            Optional<SaslSession> sasl) {
        InetSocketAddress remote = (InetSocketAddress) session.getRemoteAddress();
        this.server = server;
        this.processor = processor;
        this.session = session;
        this.transport = transport;
        this.counters = counters;
        this.phase = listener.hasSasl() ? new Phase.LoggingIn(activeAt, false) : Phase.FRESH;
        this.identity = new Identity(session.getId(), listener.name(), remote, sasl);
        this.interest = new Interest(processor, session);
    }

    /** The connection of a session; null before it is admitted and after it is closed. */
    static Connection of(IoSession session) {
        return (Connection) session.getAttribute(ATTRIBUTE);
    }

    void attach() {
        session.setAttribute(ATTRIBUTE, this);
        transport.attach(this);
        processor.opened(this);
    }

    final Server server() {
        return server;
    }

    final RoundProcessor processor() {
        return processor;
    }

    final Transport transport() {
        return transport;
    }

    final ListenerCounters counters() {
        return counters;
    }

    final FrameMemory memory() {
        return server.memory();
    }

    final Identity identity() {
        return identity;
    }

    final Phase phase() {
        return phase;
    }

    final void enter(Phase next) {
        phase = next;
    }

    // ---- in ----

    /** Reads once from the transport. @return false at the end of the stream */
    abstract boolean readOpen() throws IOException;

    /** Continues with the received bytes when there is room, memory or a handler again. */
    abstract void resume();

    /** False while no request may begin. */
    abstract boolean mayBegin();

    final void readable() {
        if (!isClosed()) {
            activeAt = System.nanoTime();
            guarded(read);
            markDirty();
        }
    }

    private void read() throws IOException {
        boolean open = isLingering() ? transport.read(processor.scratch().clear()) >= 0 : readOpen();
        if (!open) {
            close();
        }
    }

    /** Called when another thread has finished its work for the transport. */
    final void transportReady() {
        if (!isClosed()) {
            guarded(read);
            markDirty();
        }
    }

    /** Begins no request for some time: the client is over its quota. */
    final void mute(int ms) {
        mutedUntil = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(ms);
        muted = true;
        processor.muted(this);
    }

    final boolean isMuted() {
        return muted;
    }

    /** Lets requests begin again if the time is over. @return true if the time is over */
    final boolean unmute(long now) {
        if (now - mutedUntil < 0) {
            return false;
        }
        muted = false;
        resume();
        markDirty();
        return true;
    }

    /** True if the held request has waited for its handler for the maximum time. */
    boolean hasHeldEnough(long now) {
        return false;
    }

    /** Called when the handler with this registration was removed. */
    void abandon(long serviceId) {}

    // ---- out ----

    /** Moves what is ready to be sent to where {@link #send} finds it. */
    abstract void gather();

    /** Writes to the transport. @return bytes written */
    abstract long send() throws IOException;

    /** True if {@link #send} has nothing to do. */
    abstract boolean isAllSent();

    /** True if no answer is outstanding, so that a connection that drains may end. */
    abstract boolean isAllAnswered();

    /** Called at the end of {@link #flush}: calls {@link #await}. */
    abstract void awaitMore();

    final void writable() {
        markDirty();
    }

    /** The connection is flushed at the end of the round. */
    final void markDirty() {
        if (!dirty) {
            dirty = true;
            processor.dirty(this);
        }
    }

    /** Called at the end of a round: sends what is ready, in order, and registers for reading or writing. */
    final void flush() {
        dirty = false;
        if (isClosed()) {
            return;
        }
        gather();
        guarded(write);
        if (isClosed() || isLingering()) {
            return;
        }
        boolean isSent = isAllSent() && !transport.hasUnsent();
        if (isSent && phase == Phase.CLOSING) {
            close();
        } else if (isSent && phase == Phase.DRAINING && isAllAnswered()) {
            guarded(linger);
        } else {
            awaitMore();
        }
    }

    private void write() throws IOException {
        long sent = transport.flush();
        sent += send();
        if (sent > 0) {
            activeAt = System.nanoTime();
            interest.progressed(activeAt);
        }
    }

    /** Registers for what the connection waits for. */
    final void await(boolean reads, boolean isBlocked) {
        if (reads && transport.hasReceived()) {
            processor.received(this);
        }
        interest.inReading(reads && transport.mayRead());
        interest.inWriting(isBlocked || transport.hasUnsent());
    }

    // ---- life ----

    /** True if nothing happens on the connection, so that it is closed after a time. */
    abstract boolean isIdle();

    abstract boolean isPartOfFrameReceived();

    /** True if the frame needs memory that other connections use. */
    abstract boolean isStarving();

    /** When the incomplete or starving frame began, by {@link System#nanoTime}; undefined without such a frame. */
    abstract long frameBeganAt();

    /** Called when the connection begins to linger. */
    abstract void lingers();

    /** Called when the connection closes, once or twice. */
    abstract void ends();

    /** Releases all memory and pins. */
    abstract void release();

    /** Called periodically. Closes the connection if it has been idle, or its answers unread, for too long. */
    void check(long now) {
        Limits limits = server.limits();
        if (!interest.reads()) {
            markDirty();
        }
        if (phase.isOver(now, LINGER_NANOS)) {
            close();
        } else if (transport.isLate(now)) {
            counters.tlsLate.incrementAndGet();
            complain("its TLS handshake takes longer than ssl.handshake.timeout.ms");
            close();
        } else if (interest.isStalled(now, limits.stalled().toNanos())) {
            counters.stalledClosed.incrementAndGet();
            complain("the client does not read its answers");
            close();
        } else if (phase.isLoggingInFor(limits.sasl().login().toNanos(), now)) {
            counters.lateLogins.incrementAndGet();
            complain("the client has not logged in in time");
            close();
        } else if (isIdle() && now - activeAt > limits.idle().toNanos()) {
            counters.idleClosed.incrementAndGet();
            close();
        }
    }

    /** True if a part of a frame was received; {@link #incompleteSince} is when the frame began. */
    final boolean isIncomplete() {
        return !isClosed() && (isPartOfFrameReceived() || transport.isIncomplete());
    }

    final long incompleteSince() {
        return isPartOfFrameReceived() || isStarving() ? frameBeganAt() : transport.incompleteSince();
    }

    final boolean isClosed() {
        return phase == Phase.CLOSED;
    }

    final boolean isLingering() {
        return phase instanceof Phase.Lingering;
    }

    final void closeForMemory() {
        counters.memoryClosed.incrementAndGet();
        complain("other connections need the memory of its request");
        close();
    }

    /** Begins no more requests, and closes the connection when all begun requests are answered. */
    final void drain() {
        phase = phase.drain();
        markDirty();
    }

    private void linger() throws IOException {
        phase = phase.linger(System.nanoTime());
        lingers();
        transport.endOutput();
        interest.inReading(true);
        interest.inWriting(false);
    }

    final void close() {
        if (!isClosed()) {
            phase = Phase.CLOSED;
            ends();
            transport.close();
            session.closeNow();
        }
    }

    /** Called when the socket is closed. */
    final void closed() {
        session.removeAttribute(ATTRIBUTE);
        phase = Phase.CLOSED;
        interest.end();
        ends();
        transport.close();
        release();
        processor.closed(this);
    }

    /**
     * Closes the connection after every failure. A failure that clients should not be able to cause is logged as an
     * error.
     */
    final void guarded(Step step) {
        try {
            step.run();
        } catch (MalformedRequest malformed) {
            counters.malformed.incrementAndGet();
            complain("it sent " + malformed.getMessage());
            close();
        } catch (CloseConnection refused) {
            log.debug("Closing {}: {}", identity, refused.getMessage());
            close();
        } catch (TlsFailure failure) {
            refuse(failure);
        } catch (IOException gone) {
            log.debug("Connection of {} broke: {}", identity.remote(), gone.toString());
            close();
        } catch (Throwable accident) {
            server.complaints().error("Closing the connection of " + identity.remote(), accident);
            close();
        }
    }

    /** Lingers, so that the client reads the alert that was sent to it. */
    private void refuse(TlsFailure failure) {
        counters.tlsFailed.incrementAndGet();
        complain(failure.getMessage());
        try {
            linger();
        } catch (IOException gone) {
            close();
        }
    }

    final void complain(String why) {
        server.complaints().warn("Closing the connection of " + identity + ": " + why);
    }

    interface Step {
        void run() throws IOException;
    }
}
