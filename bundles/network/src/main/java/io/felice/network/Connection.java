package io.felice.network;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.protocol.Api;
import io.felice.protocol.Apis;
import io.felice.protocol.CloseConnection;
import io.felice.protocol.MalformedRequest;
import io.felice.protocol.Request;
import io.felice.protocol.RequestContext;
import io.felice.protocol.ResponseFrame;
import io.felice.protocol.WireProtocol;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.mina.core.session.IoSession;
import org.apache.mina.transport.socket.nio.NioSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A client's connection: requests begin in the order they come, answers leave in the same order, and reading stops while
 * too much is under way. All of it happens on the connection's I/O thread.
 *
 * <pre>
 * socket → FrameReader → begin → handler … → PendingResponse → Outbox → socket
 * </pre>
 */
final class Connection implements FrameReader.Frames {
    private static final Logger log = LoggerFactory.getLogger(Connection.class);

    /** Request bytes a connection may have under way beside the first request. */
    private static final int IN_FLIGHT_BYTES = 16 * 1024 * 1024;

    /** How long the stage of a request whose handler left may take. */
    private static final long ORPHAN_NANOS = TimeUnit.SECONDS.toNanos(2);

    /** How long a client is listened to that has got its last answer. */
    private static final long LINGER_NANOS = TimeUnit.SECONDS.toNanos(1);

    private static final String REPLACED = "the service behind this request is being replaced";

    private static final Object ATTRIBUTE = "felice.connection";

    private final Server server;
    private final RoundProcessor processor;
    private final NioSession session;
    private final SocketChannel channel;
    private final ListenerCounters counters;
    private final RequestContext.Connection identity;
    private final FrameReader reader;
    private final Outbox outbox;
    private final ArrayDeque<PendingResponse> inFlight = new ArrayDeque<>(4);

    private final Step read = this::read;
    private final Step write = this::write;
    private final Step linger = this::linger;
    private final Step resume;

    private String software = "";
    private long inFlightBytes;
    private boolean hasOrphans;
    private long answerBytes;
    private boolean known;
    private boolean draining;
    /** Since when only the client's end of the stream is waited for; 0 before. */
    private long lingersSince;

    private boolean closesWhenSent;
    private boolean closing;
    private boolean dirty;
    private boolean readInterest = true;
    private boolean writeInterest;
    private long activeAt;
    private long progressAt;

    private ApiTable.Slot waitingFor;
    private long waitingSince;
    private int waitingBytes;

    Connection(
            Server server, RoundProcessor processor, NioSession session, Listener listener, ListenerCounters counters) {
        this.server = server;
        this.processor = processor;
        this.session = session;
        this.channel = (SocketChannel) session.getChannel();
        this.counters = counters;
        InetSocketAddress remote = (InetSocketAddress) session.getRemoteAddress();
        this.identity = new RequestContext.Connection(session.getId(), listener.name(), "User:ANONYMOUS", remote);
        this.reader = new FrameReader(server.memory(), this);
        this.resume = reader::resume;
        this.outbox = new Outbox(server.transfer().to(remote.getAddress()), this::sent);
        this.activeAt = System.nanoTime();
        this.progressAt = activeAt;
    }

    /** The connection of a session; null before it is admitted and after it is closed. */
    static Connection of(IoSession session) {
        return (Connection) session.getAttribute(ATTRIBUTE);
    }

    void attach() {
        session.setAttribute(ATTRIBUTE, this);
        processor.opened(this);
    }

    RoundProcessor processor() {
        return processor;
    }

    FrameMemory memory() {
        return server.memory();
    }

    RequestContext.Connection identity() {
        return identity;
    }

    // ---- in ----

    /** The socket has bytes. */
    void readable() {
        if (closing) {
            return;
        }
        activeAt = System.nanoTime();
        guarded(read);
        markDirty();
    }

    private void read() throws IOException {
        if (lingersSince > 0) {
            throwAway();
        } else if (!reader.read(channel, processor.scratch())) {
            close();
        }
    }

    private void throwAway() throws IOException {
        if (channel.read(processor.scratch().clear()) < 0) {
            close();
        }
    }

    /** Goes on with what was received, now that there is room, memory or a handler. */
    void resume() {
        if (!closing && lingersSince == 0) {
            guarded(resume);
            markDirty();
        }
    }

    @Override
    public boolean mayBegin() {
        Limits limits = server.limits();
        return !closing
                && !draining
                && !closesWhenSent
                && inFlight.size() < limits.inFlightPerConnection()
                && (inFlightBytes < IN_FLIGHT_BYTES || inFlight.isEmpty())
                && answerBytes < limits.responseBytes()
                && processor.mayBegin();
    }

    @Override
    public void checkLength(int length, short key, short version) {
        Limits limits = server.limits();
        if (length < FrameReader.HEADER_BYTES - Integer.BYTES || length > limits.requestBytes()) {
            throw new MalformedRequest(
                    "a request of " + length + " bytes (8 to " + limits.requestBytes() + " are allowed)");
        }
        if (!known && length > Limits.FIRST_REQUEST_BYTES) {
            throw new MalformedRequest("a first request of " + length + " bytes");
        }
        if (length > limits.requestMemory()) {
            throw new MalformedRequest(
                    "a request of " + length + " bytes, more than request.memory.bytes allows for all");
        }
        if (key >= 0 || version >= 0) {
            checkApi(length, key, version);
        }
    }

    private void checkApi(int length, short key, short version) {
        ApiTable.Slot slot = slotOf(key);
        if (key != Apis.PRODUCE && length > Limits.PLAIN_REQUEST_BYTES) {
            throw new MalformedRequest("a request " + ApiNames.of(key) + " of " + length + " bytes");
        }
        if (slot.current() != null && !slot.api().serves(version) && !isTooNewApiVersions(slot.api(), version)) {
            throw new MalformedRequest("a request " + ApiNames.of(key) + " of version " + version);
        }
    }

    private ApiTable.Slot slotOf(short key) {
        ApiTable.Slot slot = server.apis().slot(key);
        if (slot == null) {
            throw new MalformedRequest("a request with the unknown API key " + key);
        }
        return slot;
    }

    private static boolean isTooNewApiVersions(Api api, short version) {
        return api.key() == Apis.API_VERSIONS && version > api.to();
    }

    @Override
    public boolean begin(ByteBuffer frame, FrameReader.Lifetime lifetime) {
        short key = WireProtocol.apiKeyOf(frame);
        ApiTable.Slot slot = slotOf(key);
        ApiTable.Service service = slot.current();
        if (service == null || key == Apis.API_VERSIONS && !server.mayAdvertise()) {
            if (mayWaitFor(slot)) {
                return false;
            }
        } else {
            stopWaiting();
        }
        if (service == null) {
            answerRetriable(slot.api(), frame, REPLACED);
        } else if (slot.api().keepsBytes() && server.memory().isMostlyOutlived()) {
            answerRetriable(slot.api(), frame, "too much that was sent before is still waiting to be written");
        } else if (isTooNewApiVersions(slot.api(), WireProtocol.apiVersionOf(frame))) {
            answerWithRanges(slot.api(), frame);
        } else {
            checkApi(frame.remaining(), key, WireProtocol.apiVersionOf(frame));
            handle(slot.api(), service, frame, lifetime);
            known = true;
            return true;
        }
        giveBack(frame, lifetime);
        return true;
    }

    private void handle(Api api, ApiTable.Service service, ByteBuffer frame, FrameReader.Lifetime lifetime) {
        boolean copies = api.keepsBytes() && lifetime == FrameReader.Lifetime.SCRATCH;
        ByteBuffer bytes = copies ? copyOf(frame) : frame;
        Request request = WireProtocol.parse(bytes);
        PendingResponse pending = new PendingResponse(this, service.id(), api, request, System.nanoTime());
        if (!api.keepsBytes()) {
            giveBack(frame, lifetime);
        } else if (lifetime == FrameReader.Lifetime.OWNED) {
            pending.uses(frame, 0);
        } else {
            server.memory().charge(bytes.capacity());
            pending.uses(null, bytes.capacity());
        }
        began(pending);
        rememberSoftware(request.message());
        call(service, request, pending);
    }

    private static ByteBuffer copyOf(ByteBuffer frame) {
        ByteBuffer copy = ByteBuffer.allocate(frame.remaining());
        return copy.put(0, frame, frame.position(), frame.remaining());
    }

    private void giveBack(ByteBuffer frame, FrameReader.Lifetime lifetime) {
        if (lifetime == FrameReader.Lifetime.OWNED) {
            server.memory().recycle(frame);
        }
    }

    private void began(PendingResponse pending) {
        inFlight.add(pending);
        inFlightBytes += pending.requestBytes;
        processor.began(pending);
    }

    private void rememberSoftware(ApiMessage message) {
        if (message instanceof ApiVersionsRequestData versions) {
            software = versions.clientSoftwareName() + "/" + versions.clientSoftwareVersion();
        }
    }

    private void call(ApiTable.Service service, Request request, PendingResponse pending) {
        RequestContext context = new RequestContext(
                request.apiKey(),
                request.apiVersion(),
                request.correlationId(),
                request.clientId(),
                identity,
                processor.turn());
        try {
            CompletionStage<ApiMessage> stage = service.handler().handle(request.message(), context);
            if (stage instanceof CompletableFuture<ApiMessage> future
                    && future.isDone()
                    && !future.isCompletedExceptionally()) {
                pending.acceptHere(future.getNow(null));
                settle(pending);
            } else {
                stage.whenComplete(pending);
            }
        } catch (Throwable failure) {
            pending.accept(null, failure);
        }
    }

    // ---- waiting for a handler ----

    /** Its handler is away: the request stays where it is, unless it has waited long enough or too many wait. */
    private boolean mayWaitFor(ApiTable.Slot slot) {
        long now = System.nanoTime();
        if (waitingFor == null) {
            waitingBytes = reader.bufferedBytes();
            if (!server.hold(waitingBytes)) {
                return false;
            }
            waitingSince = now;
        } else {
            processor.counters(waitingFor.api().key()).held.add(-1);
        }
        waitingFor = slot;
        processor.counters(slot.api().key()).held.add(1);
        processor.waiting(this);
        return !hasWaitedEnough(now);
    }

    boolean hasWaitedEnough(long now) {
        return now - waitingSince >= server.limits().hold().toNanos();
    }

    private void stopWaiting() {
        if (waitingFor != null) {
            processor.counters(waitingFor.api().key()).held.add(-1);
            processor.notWaiting(this);
            server.unhold(waitingBytes);
            waitingFor = null;
        }
    }

    private void answerRetriable(Api api, ByteBuffer frame, String why) {
        Request request = WireProtocol.parse(frame);
        PendingResponse pending = new PendingResponse(this, 0, api, request, System.nanoTime());
        began(pending);
        pending.takeOpen();
        answerRetriable(pending, why);
    }

    private void answerRetriable(PendingResponse pending, String why) {
        processor.counters(pending.api.key()).errors.add(1);
        answerFailure(pending, pending.api.whileAway(), why);
    }

    private void answerWithRanges(Api api, ByteBuffer frame) {
        int correlationId = WireProtocol.correlationIdOf(frame);
        Request request = new Request(api.key(), (short) 0, correlationId, "", null, frame.remaining());
        PendingResponse pending = new PendingResponse(this, 0, api, request, System.nanoTime());
        began(pending);
        pending.takeOpen();
        answer(pending, UnsupportedVersions.response(server.apis()));
        markDirty();
    }

    /**
     * The handler that began these requests is gone. They are answered without it, except those whose API outlives its
     * handler: their stage has a short time to complete.
     */
    void abandon(long serviceId) {
        long now = System.nanoTime();
        for (PendingResponse pending : inFlight) {
            if (pending.servedBy == serviceId && pending.isOpen()) {
                if (pending.api.outlivesHandler()) {
                    pending.orphan(now);
                    hasOrphans = true;
                } else {
                    giveUp(pending);
                }
            }
        }
    }

    private void giveUpOrphans(long now) {
        for (PendingResponse pending : inFlight) {
            if (pending.isOrphanedFor(ORPHAN_NANOS, now)) {
                giveUp(pending);
            }
        }
        hasOrphans = inFlight.stream().anyMatch(pending -> pending.isOrphanedFor(0, now));
    }

    private void giveUp(PendingResponse pending) {
        if (pending.takeOpen()) {
            answerRetriable(pending, REPLACED);
        }
    }

    // ---- out ----

    /** A stage completed. */
    void settle(PendingResponse pending) {
        if (!pending.takeCompleted()) {
            return;
        }
        if (pending.failure() != null) {
            processor.counters(pending.api.key()).errors.add(1);
            answerFailure(pending, FeliceException.unwrap(pending.failure()));
        } else if (pending.response() == null) {
            pending.answer(null);
        } else {
            answer(pending, pending.response());
        }
        pending.release(server.memory(), true);
        markDirty();
    }

    private void answerFailure(PendingResponse pending, Throwable failure) {
        if (failure instanceof CloseConnection) {
            log.debug("Closing {}: {}", identity, failure.getMessage());
            pending.answerByClosing();
        } else if (failure instanceof FeliceException expected) {
            answerFailure(pending, expected.code(), expected.getMessage());
        } else {
            server.complaints().error(describe(pending) + " failed", failure);
            answerFailure(pending, ErrorCode.UNKNOWN_SERVER_ERROR, "an error on the server");
        }
    }

    private void answerFailure(PendingResponse pending, ErrorCode error, String message) {
        ApiMessage response = null;
        try {
            response = WireProtocol.failure(pending.request(), error, message);
        } catch (Throwable noForm) {
            log.debug("{} has no form for {}", describe(pending), error, noForm);
        }
        if (response == null) {
            pending.answerByClosing();
        } else {
            answer(pending, response);
        }
        markDirty();
    }

    private void answer(PendingResponse pending, ApiMessage response) {
        try {
            ResponseFrame frame =
                    WireProtocol.encode(pending.api.key(), pending.apiVersion, pending.correlationId, response);
            pending.answer(frame);
            answerBytes += frame.sizeInBytes();
            processor.answered(frame);
        } catch (Throwable notEncodable) {
            server.complaints().error("The answer to " + describe(pending) + " cannot be sent", notEncodable);
            Pins.release(response);
            pending.answerByClosing();
        }
    }

    private String describe(PendingResponse pending) {
        return ApiNames.of(pending.api.key()) + " v" + pending.apiVersion + " correlation " + pending.correlationId
                + " of " + RequestLog.printable(pending.clientId) + " at " + identity.remote();
    }

    /** The socket has room again. */
    void writable() {
        markDirty();
    }

    private void markDirty() {
        if (!dirty) {
            dirty = true;
            processor.dirty(this);
        }
    }

    /** End of a round: sends what can be sent, in order, and says what it waits for next. */
    void flush() {
        dirty = false;
        if (closing) {
            return;
        }
        takeAnswered();
        guarded(write);
        if (closing) {
            return;
        }
        boolean empty = outbox.isEmpty();
        if (empty && closesWhenSent) {
            close();
            return;
        }
        if (empty && draining && inFlight.isEmpty()) {
            guarded(linger);
            return;
        }
        if (reader.isStarving()) {
            processor.starving(this);
        } else if (reader.hasWhole() && waitingFor == null) {
            processor.blocked(this);
        } else if (!reader.hasWhole()) {
            stopWaiting();
        }
        if (!empty && !outbox.isBlocked()) {
            markDirty();
        }
        updateInterest();
    }

    private void takeAnswered() {
        while (!inFlight.isEmpty() && inFlight.peek().isAnswered() && !closesWhenSent) {
            PendingResponse first = inFlight.poll();
            inFlightBytes -= first.requestBytes;
            if (first.closes()) {
                processor.ended(first);
                closesWhenSent = true;
            } else if (first.frame() == null) {
                ended(first, 0);
            } else {
                outbox.add(first);
            }
        }
    }

    private void write() throws IOException {
        if (!outbox.isEmpty()) {
            long written = outbox.write(channel, processor.staging());
            if (written > 0) {
                progressAt = System.nanoTime();
                activeAt = progressAt;
            }
        }
    }

    private void sent(PendingResponse response) {
        long bytes = response.frame().sizeInBytes();
        answerBytes -= bytes;
        processor.done(response.frame());
        ended(response, bytes);
    }

    private void ended(PendingResponse response, long bytesOut) {
        long now = System.nanoTime();
        processor.ended(response, bytesOut, now);
        server.requestLog().write(response, identity, software, bytesOut, now);
    }

    private void updateInterest() {
        wantToRead(reader.wantsBytes() && waitingFor == null && mayBegin());
        wantToWrite(outbox.isBlocked());
    }

    private void wantToRead(boolean read) {
        if (read != readInterest) {
            readInterest = read;
            processor.interestInRead(session, read);
            processor.paused(read ? -1 : 1);
        }
    }

    private void wantToWrite(boolean write) {
        if (write && !writeInterest) {
            progressAt = System.nanoTime();
        }
        if (write != writeInterest) {
            writeInterest = write;
            processor.interestInWrite(session, write);
        }
    }

    // ---- life ----

    /** Every now and then: closes what has been silent or unread for too long. */
    void check(long now) {
        Limits limits = server.limits();
        if (!readInterest) {
            markDirty();
        }
        if (hasOrphans) {
            giveUpOrphans(now);
        }
        if (lingersSince > 0 && now - lingersSince > LINGER_NANOS) {
            close();
        } else if (writeInterest && now - progressAt > limits.stalled().toNanos()) {
            counters.stalledClosed.incrementAndGet();
            server.complaints()
                    .warn("Closing the connection of " + identity.remote() + ": it leaves its answers unread");
            close();
        } else if (inFlight.isEmpty()
                && outbox.isEmpty()
                && waitingFor == null
                && now - activeAt > limits.idle().toNanos()) {
            counters.idleClosed.incrementAndGet();
            close();
        }
    }

    /** True if it holds memory for a frame that does not get whole; {@code since} is when that frame began. */
    boolean isIncomplete() {
        return !closing && reader.isIncomplete();
    }

    long incompleteSince() {
        return reader.incompleteSince();
    }

    boolean isStarving() {
        return !closing && reader.isStarving();
    }

    boolean isClosing() {
        return closing;
    }

    void closeForMemory() {
        counters.memoryClosed.incrementAndGet();
        server.complaints()
                .warn("Closing the connection of " + identity.remote() + ": others wait for the memory of its request");
        close();
    }

    /** Begins nothing more, and closes when what was begun is answered. */
    void drain() {
        draining = true;
        markDirty();
    }

    /**
     * Says that nothing more comes, and throws away what the client still sends until it has seen that: to close a socket
     * with bytes unread is a reset, which takes from the client what it has not read yet, its last answers.
     */
    private void linger() throws IOException {
        if (lingersSince == 0) {
            lingersSince = System.nanoTime();
            stopWaiting();
            channel.shutdownOutput();
            wantToRead(true);
            wantToWrite(false);
        }
    }

    void close() {
        if (!closing) {
            closing = true;
            session.closeNow();
        }
    }

    /** The socket is closed; gives everything back. */
    void closed() {
        session.removeAttribute(ATTRIBUTE);
        closing = true;
        stopWaiting();
        if (!readInterest) {
            processor.paused(-1);
        }
        reader.close();
        outbox.close(this::discard);
        inFlight.forEach(this::discard);
        inFlight.clear();
        processor.closed(this);
    }

    private void discard(PendingResponse pending) {
        if (!pending.takeOpen() && pending.takeCompleted()) {
            Pins.release(pending.response());
            pending.release(server.memory(), false);
        }
        if (pending.frame() != null) {
            processor.done(pending.frame());
        }
        processor.ended(pending);
    }

    /** What a client can cause closes its connection; what it should not be able to cause is logged as well. */
    private void guarded(Step step) {
        try {
            step.run();
        } catch (MalformedRequest malformed) {
            counters.malformed.incrementAndGet();
            server.complaints()
                    .warn("Closing the connection of " + identity.remote() + " on " + identity.listener() + ": it sent "
                            + malformed.getMessage());
            close();
        } catch (IOException gone) {
            log.debug("Connection of {} broke: {}", identity.remote(), gone.toString());
            close();
        } catch (Throwable accident) {
            server.complaints().error("Closing the connection of " + identity.remote(), accident);
            close();
        }
    }

    /** Something that may fail as connections do. */
    private interface Step {
        void run() throws IOException;
    }
}
