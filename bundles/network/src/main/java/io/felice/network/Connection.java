package io.felice.network;

import io.felice.api.security.Authenticator;
import io.felice.protocol.Api;
import io.felice.protocol.CloseConnection;
import io.felice.protocol.MalformedRequest;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.apache.mina.core.session.IoSession;
import org.apache.mina.transport.socket.nio.NioSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A client's connection. Requests begin in order of arrival, answers are sent in the same order, and reading stops
 * while a limit is reached. All work is done on the connection's I/O thread.
 *
 * <pre>
 * Transport → FrameReader → Dispatcher → handler … → PendingResponse → Answers → InFlight → Outbox → Transport
 * </pre>
 */
final class Connection {
    private static final Logger log = LoggerFactory.getLogger(Connection.class);

    /** How long a connection waits for the client to close it after the last answer. */
    private static final long LINGER_NANOS = TimeUnit.SECONDS.toNanos(1);

    private static final Object ATTRIBUTE = "felice.connection";

    private final Server server;
    private final RoundProcessor processor;
    private final NioSession session;
    private final Transport transport;
    private final ListenerCounters counters;
    /** Null on a listener without SASL. */
    private final Sasl sasl;

    private final Identity identity;
    private final Interest interest;
    private final InFlight inFlight;
    private final Answers answers;
    private final HeldRequests.Hold hold;
    private final Dispatcher dispatcher;
    private final FrameReader reader;
    private final Outbox outbox;

    private final Step read = this::read;
    private final Step write = this::write;
    private final Step linger = this::linger;
    private final Step resume;

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
            ListenerCounters counters) {
        InetSocketAddress remote = (InetSocketAddress) session.getRemoteAddress();
        this.server = server;
        this.processor = processor;
        this.session = session;
        this.transport = transport;
        this.counters = counters;
        this.sasl = listener.hasSasl() ? sasl(listener, remote) : null;
        this.phase = sasl == null ? Phase.FRESH : new Phase.LoggingIn(activeAt, false);
        this.identity = new Identity(session.getId(), listener.name(), remote, Optional.ofNullable(sasl));
        this.interest = new Interest(processor, session);
        this.inFlight = new InFlight(processor);
        this.answers = new Answers(server, this);
        this.hold = server.held().of(this);
        this.dispatcher = new Dispatcher(server, this, inFlight, answers, hold);
        this.reader = new FrameReader(server.memory(), dispatcher);
        this.resume = reader::resume;
        Transfer transfer = server.transfer().to(remote.getAddress());
        this.outbox = new Outbox(transport.sendsByKernel() ? transfer : Transfer.BUFFER, this::sent);
    }

    private Sasl sasl(Listener listener, InetSocketAddress remote) {
        return new Sasl(
                new Authenticator.Client(remote.getAddress(), listener.name(), listener.isEncrypted()),
                () -> server.limits().sasl(),
                counters,
                System::nanoTime,
                InstantSource.system());
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

    RoundProcessor processor() {
        return processor;
    }

    FrameMemory memory() {
        return server.memory();
    }

    Identity identity() {
        return identity;
    }

    Phase phase() {
        return phase;
    }

    // ---- in ----

    void readable() {
        if (!isClosed()) {
            activeAt = System.nanoTime();
            guarded(read);
            markDirty();
        }
    }

    private void read() throws IOException {
        boolean open = isLingering()
                ? transport.read(processor.scratch().clear()) >= 0
                : reader.read(transport, processor.scratch());
        if (!open) {
            close();
        }
    }

    /** Called when another thread has finished its work for the transport. */
    void transportReady() {
        if (!isClosed()) {
            guarded(read);
            markDirty();
        }
    }

    /** Continues with the received bytes when there is room, memory or a handler again. */
    void resume() {
        if (!isClosed() && !isLingering()) {
            guarded(resume);
            markDirty();
        }
    }

    boolean mayBegin() {
        return dispatcher.mayBegin();
    }

    /** Begins no request for some time: the client is over its quota. */
    void mute(int ms) {
        mutedUntil = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(ms);
        muted = true;
        processor.muted(this);
    }

    boolean isMuted() {
        return muted;
    }

    /** Lets requests begin again if the time is over. @return true if the time is over */
    boolean unmute(long now) {
        if (now - mutedUntil < 0) {
            return false;
        }
        muted = false;
        resume();
        markDirty();
        return true;
    }

    /** A well-formed request has begun. */
    void known() {
        phase = phase.known();
    }

    /** @throws CloseConnection if the client has to log in before it sends a request of this API */
    void requireAdmitted(Api api) {
        if (phase.admits(api)) {
            return;
        }
        if (phase.isSession()) {
            counters.sessionsEnded.incrementAndGet();
            throw new CloseConnection("its session has ended, and it has not logged in again");
        }
        counters.notLoggedIn.incrementAndGet();
        complain("it sent a request " + ApiNames.of(api.key()) + " before it has logged in");
        throw new CloseConnection("it has not logged in");
    }

    /** A request of a login is passed to the handler with this registration. */
    void loginBegins(long serviceId, long now) {
        if (sasl != null) {
            sasl.servedBy(serviceId);
            phase = phase.logIn(now);
        }
    }

    /** A request of a login is answered. Only now its outcome counts for the requests behind it. */
    void loginAnswered(boolean failed) {
        if (sasl == null) {
            return;
        }
        if (failed) {
            sasl.failed();
        }
        phase = sasl.after(phase);
        sasl.principal().ifPresent(identity::authenticated);
    }

    /** The received bytes that are not handled yet, including the frame that is being dispatched. */
    int receivedBytes() {
        return reader.bufferedBytes();
    }

    /** True if the held request has waited for its handler for the maximum time. */
    boolean hasHeldEnough(long now) {
        return hold.isOver(now);
    }

    /** Called when the handler with this registration was removed. */
    void abandon(long serviceId) {
        inFlight.abandon(serviceId, answers::giveUp);
        if (sasl != null && sasl.needs(serviceId)) {
            drain();
        }
    }

    // ---- out ----

    /** Called when the stage of the request has completed. */
    void settle(PendingResponse pending) {
        answers.settle(pending);
    }

    void writable() {
        markDirty();
    }

    /** The connection is flushed at the end of the round. */
    void markDirty() {
        if (!dirty) {
            dirty = true;
            processor.dirty(this);
        }
    }

    /** Called at the end of a round: sends the ready answers in order, and registers for reading or writing. */
    void flush() {
        dirty = false;
        if (isClosed()) {
            return;
        }
        takeAnswered();
        guarded(write);
        if (isClosed() || isLingering()) {
            return;
        }
        boolean isAllSent = outbox.isEmpty() && !transport.hasUnsent();
        if (isAllSent && phase == Phase.CLOSING) {
            close();
        } else if (isAllSent && phase == Phase.DRAINING && inFlight.isEmpty()) {
            guarded(linger);
        } else {
            awaitMore();
        }
    }

    private void takeAnswered() {
        while (phase != Phase.CLOSING) {
            PendingResponse first = inFlight.pollAnswered();
            if (first == null) {
                return;
            }
            if (first.closes()) {
                processor.ended(first);
                phase = phase.closeWhenSent();
            } else if (first.frame() == null) {
                ended(first, 0);
            } else {
                outbox.add(first);
            }
        }
    }

    private void write() throws IOException {
        long sent = transport.flush();
        if (!outbox.isEmpty()) {
            sent += outbox.write(transport, processor.staging());
        }
        if (sent > 0) {
            activeAt = System.nanoTime();
            interest.progressed(activeAt);
        }
    }

    private void sent(PendingResponse response) {
        answers.sent(response.frame());
        ended(response, response.frame().sizeInBytes());
    }

    private void ended(PendingResponse response, long bytesOut) {
        long now = System.nanoTime();
        processor.ended(response, bytesOut, now);
        server.requestLog().write(response, identity, dispatcher.software(), bytesOut, now);
    }

    private void awaitMore() {
        if (reader.isStarving()) {
            processor.starving(this);
        } else if (reader.hasWhole() && !hold.isActive()) {
            processor.blocked(this);
        } else if (!reader.hasWhole()) {
            hold.end();
        }
        if (!outbox.isEmpty() && !outbox.isBlocked()) {
            markDirty();
        }
        boolean reads = reader.wantsBytes() && !hold.isActive() && mayBegin();
        if (reads && transport.hasReceived()) {
            processor.received(this);
        }
        interest.inReading(reads && transport.mayRead());
        interest.inWriting(outbox.isBlocked() || transport.hasUnsent());
    }

    // ---- life ----

    /** Called periodically. Closes the connection if it has been idle, or its answers unread, for too long. */
    void check(long now) {
        Limits limits = server.limits();
        if (!interest.reads()) {
            markDirty();
        }
        inFlight.giveUpOrphans(now, answers::giveUp);
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

    private boolean isIdle() {
        return inFlight.isEmpty() && outbox.isEmpty() && !hold.isActive();
    }

    /** True if a part of a frame was received; {@link #incompleteSince} is when the frame began. */
    boolean isIncomplete() {
        return !isClosed() && (reader.isIncomplete() || transport.isIncomplete());
    }

    long incompleteSince() {
        return reader.isIncomplete() || reader.isStarving() ? reader.incompleteSince() : transport.incompleteSince();
    }

    boolean isStarving() {
        return !isClosed() && reader.isStarving();
    }

    boolean isClosed() {
        return phase == Phase.CLOSED;
    }

    private boolean isLingering() {
        return phase instanceof Phase.Lingering;
    }

    void closeForMemory() {
        counters.memoryClosed.incrementAndGet();
        complain("other connections need the memory of its request");
        close();
    }

    /** Begins no more requests, and closes the connection when all begun requests are answered. */
    void drain() {
        phase = phase.drain();
        markDirty();
    }

    private void linger() throws IOException {
        phase = phase.linger(System.nanoTime());
        hold.end();
        transport.endOutput();
        interest.inReading(true);
        interest.inWriting(false);
    }

    void close() {
        if (!isClosed()) {
            phase = Phase.CLOSED;
            endLogin();
            transport.close();
            session.closeNow();
        }
    }

    private void endLogin() {
        if (sasl != null) {
            sasl.close();
        }
    }

    /** Called when the socket is closed. Releases all memory and pins. */
    void closed() {
        session.removeAttribute(ATTRIBUTE);
        phase = Phase.CLOSED;
        hold.end();
        interest.end();
        endLogin();
        transport.close();
        reader.close();
        outbox.close(this::discard);
        inFlight.close(this::discard);
        processor.closed(this);
    }

    private void discard(PendingResponse pending) {
        if (!pending.takeOpen() && pending.takeCompleted()) {
            ResponseRecords.release(pending.response());
            pending.release(server.memory(), false);
        }
        if (pending.frame() != null) {
            processor.done(pending.frame());
        }
        processor.ended(pending);
    }

    /**
     * Closes the connection after every failure. A failure that clients should not be able to cause is logged as an
     * error.
     */
    private void guarded(Step step) {
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

    private void complain(String why) {
        server.complaints().warn("Closing the connection of " + identity + ": " + why);
    }

    private interface Step {
        void run() throws IOException;
    }
}
