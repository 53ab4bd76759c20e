package io.felice.network;

import io.felice.protocol.Api;
import io.felice.protocol.Apis;
import io.felice.protocol.KafkaMessages;
import io.felice.protocol.MalformedRequest;
import io.felice.protocol.Request;
import io.felice.protocol.RequestContext;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.SaslAuthenticateRequestData;
import org.apache.kafka.common.protocol.ApiMessage;

/** Begins the requests of a connection: checks each frame, finds the handler and calls it. I/O thread only. */
final class Dispatcher implements FrameReader.Frames {
    /** The service id of a request that has no handler. */
    private static final long NO_SERVICE = 0;

    /** The version of SaslAuthenticate that knows as little as messages without a header. */
    private static final short RAW_VERSION = 0;

    private final Server server;
    private final KafkaConnection connection;
    private final RoundProcessor processor;
    private final InFlight inFlight;
    private final Answers answers;
    private final HeldRequests.Hold hold;
    private String software = "";

    Dispatcher(Server server, KafkaConnection connection, InFlight inFlight, Answers answers, HeldRequests.Hold hold) {
        this.server = server;
        this.connection = connection;
        this.processor = connection.processor();
        this.inFlight = inFlight;
        this.answers = answers;
        this.hold = hold;
    }

    /** The client's library, from its ApiVersions request; empty before that request. */
    String software() {
        return software;
    }

    @Override
    public boolean mayBegin() {
        Limits limits = server.limits();
        return connection.phase().beginsRequests()
                && !connection.isMuted()
                && inFlight.hasRoom(connection.phase().mostInFlight(limits.inFlightPerConnection()))
                && answers.bytes() < limits.responseBytes()
                && processor.mayBegin();
    }

    @Override
    public void checkLength(int length, short key, short version) {
        Limits limits = server.limits();
        Phase phase = connection.phase();
        int longest = phase.longestRequest(limits);
        int shortest = phase.isRaw() ? 0 : FrameReader.HEADER_BYTES - Integer.BYTES;
        if (length < shortest || length > longest) {
            throw new MalformedRequest("a request of " + length + " bytes (" + shortest + " to " + longest
                    + " are allowed" + (longest < limits.requestBytes() ? " in the first requests)" : ")"));
        }
        if (length > limits.requestMemory()) {
            throw new MalformedRequest(
                    "a request of " + length + " bytes, more than request.memory.bytes allows for all");
        }
        if (key >= 0 || version >= 0) {
            checkApi(slotOf(key).api(), length, version);
        }
    }

    private void checkApi(Api api, int length, short version) {
        connection.requireAdmitted(api);
        if (length > connection.phase().longestRequest(api)) {
            throw new MalformedRequest("a request " + ApiNames.of(api.key()) + " of " + length + " bytes");
        }
        if (!api.serves(version) && !isTooNewApiVersions(api, version)) {
            throw new MalformedRequest("a request " + ApiNames.of(api.key()) + " of version " + version);
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
    public boolean areRaw() {
        return connection.phase().isRaw();
    }

    @Override
    public boolean begin(ByteBuffer frame, FrameReader.Lifetime lifetime) {
        ApiTable.Slot slot = slotOf(areRaw() ? Apis.SASL_AUTHENTICATE : KafkaMessages.apiKeyOf(frame));
        if (!hold.isNeeded(slot)) {
            hold.end();
        } else if (hold.holds(slot, connection.receivedBytes())) {
            return false;
        }
        short version = areRaw() ? RAW_VERSION : KafkaMessages.apiVersionOf(frame);
        checkApi(slot.api(), frame.remaining(), version);
        if (isTooNewApiVersions(slot.api(), version)) {
            answerWithRanges(slot.api(), frame);
            giveBack(frame, lifetime);
        } else {
            begin(slot, frame, lifetime);
        }
        return true;
    }

    private void begin(ApiTable.Slot slot, ByteBuffer frame, FrameReader.Lifetime lifetime) {
        ApiTable.Service service = slot.current();
        if (service == null) {
            answerRetriable(slot.api(), frame, Answers.REPLACED);
            giveBack(frame, lifetime);
        } else if (slot.api().keepsBytes() && server.memory().isMostlyOutlived()) {
            answerRetriable(slot.api(), frame, "earlier requests that are not written yet use too much memory");
            giveBack(frame, lifetime);
        } else {
            handle(slot.api(), service, frame, lifetime);
            connection.known();
        }
    }

    private void handle(Api api, ApiTable.Service service, ByteBuffer frame, FrameReader.Lifetime lifetime) {
        boolean copies = api.keepsBytes() && lifetime == FrameReader.Lifetime.SCRATCH;
        ByteBuffer bytes = copies ? copyOf(frame) : frame;
        Request request = parse(bytes);
        PendingResponse pending = begun(service.id(), api, request);
        if (!api.keepsBytes()) {
            giveBack(frame, lifetime);
        } else if (lifetime == FrameReader.Lifetime.OWNED) {
            pending.uses(frame, 0);
        } else {
            server.memory().charge(bytes.capacity());
            pending.uses(null, bytes.capacity());
        }
        inFlight.add(pending);
        rememberSoftware(request.message());
        if (Sasl.isLogin(api.key())) {
            connection.loginBegins(service.id(), pending.beganAt);
        }
        if (server.throttling().countsTime()) {
            pending.handlerBegins(System.nanoTime());
            call(service, request, pending);
            pending.handlerReturned(System.nanoTime());
        } else {
            call(service, request, pending);
        }
    }

    private Request parse(ByteBuffer frame) {
        return areRaw() ? rawLogin(frame) : KafkaMessages.parse(frame);
    }

    /** A message of a mechanism without a header, as a request of the API that has taken its place (KIP-152). */
    private static Request rawLogin(ByteBuffer frame) {
        byte[] message = new byte[frame.remaining()];
        frame.get(frame.position(), message);
        return new Request(
                Apis.SASL_AUTHENTICATE,
                RAW_VERSION,
                0,
                "",
                new SaslAuthenticateRequestData().setAuthBytes(message),
                message.length);
    }

    private PendingResponse begun(long servedBy, Api api, Request request) {
        boolean isRaw = connection.phase().isRaw();
        return new PendingResponse(connection, servedBy, api, request, isRaw, System.nanoTime());
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
                connection.identity().requester(),
                connection.identity(),
                processor.turn());
        try {
            CompletionStage<ApiMessage> stage = service.handler().handle(request.message(), context);
            if (stage instanceof CompletableFuture<ApiMessage> future
                    && future.isDone()
                    && !future.isCompletedExceptionally()) {
                pending.acceptHere(future.getNow(null));
                answers.settle(pending);
            } else {
                stage.whenComplete(pending);
            }
        } catch (Throwable failure) {
            pending.accept(null, failure);
        }
    }

    private void answerRetriable(Api api, ByteBuffer frame, String why) {
        answers.retriable(withoutHandler(api, parse(frame)), why);
    }

    /** Answers in version 0, which every client can read. */
    private void answerWithRanges(Api api, ByteBuffer frame) {
        int correlationId = KafkaMessages.correlationIdOf(frame);
        Request request = new Request(api.key(), (short) 0, correlationId, "", null, frame.remaining());
        answers.answer(withoutHandler(api, request), UnsupportedVersions.response(server.apis()));
    }

    private PendingResponse withoutHandler(Api api, Request request) {
        PendingResponse pending = begun(NO_SERVICE, api, request);
        inFlight.add(pending);
        pending.takeOpen();
        return pending;
    }
}
