package io.felice.network;

import io.felice.api.security.Authenticator;
import io.felice.protocol.Api;
import io.felice.protocol.CloseConnection;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.InstantSource;
import java.util.Optional;
import org.apache.mina.transport.socket.nio.NioSession;

/**
 * A connection of a Kafka client. Requests begin in order of arrival, answers are sent in the same order, and reading
 * stops while a limit is reached.
 *
 * <pre>
 * Transport → FrameReader → Dispatcher → handler … → PendingResponse → Answers → InFlight → Outbox → Transport
 * </pre>
 */
final class KafkaConnection extends Connection {
    /** Null on a listener without SASL. */
    private final Sasl sasl;

    private final InFlight inFlight;
    private final Answers answers;
    private final HeldRequests.Hold hold;
    private final Dispatcher dispatcher;
    private final FrameReader reader;
    private final Outbox outbox;
    private final Step resume;

    KafkaConnection(
            Server server,
            RoundProcessor processor,
            NioSession session,
            Transport transport,
            Listener listener,
            ListenerCounters counters) {
        this(server, processor, session, transport, listener, counters, sasl(server, session, listener, counters));
    }

    private KafkaConnection(
            Server server,
            RoundProcessor processor,
            NioSession session,
            Transport transport,
            Listener listener,
            ListenerCounters counters,
            Sasl sasl) {
        super(server, processor, session, transport, listener, counters, Optional.ofNullable(sasl));
        this.sasl = sasl;
        this.inFlight = new InFlight(processor);
        this.answers = new Answers(server, this);
        this.hold = server.held().of(this);
        this.dispatcher = new Dispatcher(server, this, inFlight, answers, hold);
        this.reader = new FrameReader(server.memory(), dispatcher);
        this.resume = reader::resume;
        Transfer transfer = server.transfer().to(identity().remote().getAddress());
        this.outbox = new Outbox(transport.sendsByKernel() ? transfer : Transfer.BUFFER, this::sent);
    }

    private static Sasl sasl(Server server, NioSession session, Listener listener, ListenerCounters counters) {
        if (!listener.hasSasl()) {
            return null;
        }
        InetSocketAddress remote = (InetSocketAddress) session.getRemoteAddress();
        return new Sasl(
                new Authenticator.Client(remote.getAddress(), listener.name(), listener.isEncrypted()),
                () -> server.limits().sasl(),
                counters,
                System::nanoTime,
                InstantSource.system());
    }

    // ---- in ----

    @Override
    boolean readOpen() throws IOException {
        return reader.read(transport(), processor().scratch());
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
        return dispatcher.mayBegin();
    }

    /** A well-formed request has begun. */
    void known() {
        enter(phase().known());
    }

    /** @throws CloseConnection if the client has to log in before it sends a request of this API */
    void requireAdmitted(Api api) {
        if (phase().admits(api)) {
            return;
        }
        if (phase().isSession()) {
            counters().sessionsEnded.incrementAndGet();
            throw new CloseConnection("its session has ended, and it has not logged in again");
        }
        counters().notLoggedIn.incrementAndGet();
        complain("it sent a request " + ApiNames.of(api.key()) + " before it has logged in");
        throw new CloseConnection("it has not logged in");
    }

    /** A request of a login is passed to the handler with this registration. */
    void loginBegins(long serviceId, long now) {
        if (sasl != null) {
            sasl.servedBy(serviceId);
            enter(phase().logIn(now));
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
        enter(sasl.after(phase()));
        sasl.principal().ifPresent(identity()::authenticated);
    }

    /** The received bytes that are not handled yet, including the frame that is being dispatched. */
    int receivedBytes() {
        return reader.bufferedBytes();
    }

    @Override
    boolean hasHeldEnough(long now) {
        return hold.isOver(now);
    }

    @Override
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

    @Override
    void gather() {
        while (phase() != Phase.CLOSING) {
            PendingResponse first = inFlight.pollAnswered();
            if (first == null) {
                return;
            }
            if (first.closes()) {
                processor().ended(first);
                enter(phase().closeWhenSent());
            } else if (first.frame() == null) {
                ended(first, 0);
            } else {
                outbox.add(first);
            }
        }
    }

    @Override
    long send() throws IOException {
        return outbox.isEmpty() ? 0 : outbox.write(transport(), processor().staging());
    }

    @Override
    boolean isAllSent() {
        return outbox.isEmpty();
    }

    @Override
    boolean isAllAnswered() {
        return inFlight.isEmpty();
    }

    private void sent(PendingResponse response) {
        answers.sent(response.frame());
        ended(response, response.frame().sizeInBytes());
    }

    private void ended(PendingResponse response, long bytesOut) {
        long now = System.nanoTime();
        processor().ended(response, bytesOut, now);
        server().requestLog().write(response, identity(), dispatcher.software(), bytesOut, now);
    }

    @Override
    void awaitMore() {
        if (reader.isStarving()) {
            processor().starving(this);
        } else if (reader.hasWhole() && !hold.isActive()) {
            processor().blocked(this);
        } else if (!reader.hasWhole()) {
            hold.end();
        }
        if (!outbox.isEmpty() && !outbox.isBlocked()) {
            markDirty();
        }
        await(reader.wantsBytes() && !hold.isActive() && mayBegin(), outbox.isBlocked());
    }

    // ---- life ----

    @Override
    void check(long now) {
        inFlight.giveUpOrphans(now, answers::giveUp);
        super.check(now);
    }

    @Override
    boolean isIdle() {
        return inFlight.isEmpty() && outbox.isEmpty() && !hold.isActive();
    }

    @Override
    boolean isPartOfFrameReceived() {
        return reader.isIncomplete();
    }

    @Override
    boolean isStarving() {
        return !isClosed() && reader.isStarving();
    }

    @Override
    long frameBeganAt() {
        return reader.incompleteSince();
    }

    @Override
    void lingers() {
        hold.end();
    }

    @Override
    void ends() {
        if (sasl != null) {
            sasl.close();
        }
    }

    @Override
    void release() {
        hold.end();
        reader.close();
        outbox.close(this::discard);
        inFlight.close(this::discard);
    }

    private void discard(PendingResponse pending) {
        if (!pending.takeOpen() && pending.takeCompleted()) {
            ResponseRecords.release(pending.response());
            pending.release(memory(), false);
        }
        if (pending.frame() != null) {
            processor().done(pending.frame());
        }
        processor().ended(pending);
    }
}
