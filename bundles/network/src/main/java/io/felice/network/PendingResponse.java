package io.felice.network;

import io.felice.protocol.Api;
import io.felice.protocol.Request;
import io.felice.protocol.ResponseFrame;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import org.apache.kafka.common.protocol.ApiMessage;

/**
 * A begun request, until its answer is sent. The handler's stage may complete on any thread; everything else runs on
 * the connection's I/O thread. This object has no reference to the handler, so that a replaced bundle can be unloaded.
 */
final class PendingResponse implements BiConsumer<ApiMessage, Throwable> {
    private static final int OPEN = 0;
    private static final int COMPLETED = 1;
    private static final int TAKEN = 2;
    private static final int GIVEN_UP = 3;

    final KafkaConnection connection;
    final long servedBy;
    final Api api;
    final short apiVersion;
    final int correlationId;
    final String clientId;
    final int requestBytes;
    /** True if neither the request nor its answer has a Kafka header. */
    final boolean isRaw;

    final long beganAt;

    private final AtomicInteger state = new AtomicInteger(OPEN);
    private Request request;
    private ByteBuffer memory;
    private int charged;
    private ApiMessage response;
    private Throwable failure;
    private ResponseFrame frame;
    private boolean answered;
    private boolean closes;
    private long orphanedAt;
    private long handlerBeganAt;
    private long handlerNanos;

    /**
     * @param servedBy the id of the {@link ApiTable.Service} that handles it
     * @param isRaw true if neither the request nor the answer has a Kafka header
     */
    PendingResponse(KafkaConnection connection, long servedBy, Api api, Request request, boolean isRaw, long now) {
        this.connection = connection;
        this.servedBy = servedBy;
        this.request = request;
        this.api = api;
        this.apiVersion = request.apiVersion();
        this.correlationId = request.correlationId();
        this.clientId = request.clientId();
        this.requestBytes = request.sizeInBytes();
        this.isRaw = isRaw;
        this.beganAt = now;
    }

    /**
     * Sets the memory that the request's message may refer to: a buffer to recycle, or heap memory that is only
     * counted.
     */
    void uses(ByteBuffer buffer, int chargedBytes) {
        memory = buffer;
        charged = chargedBytes;
    }

    /** Called on any thread when the handler's stage completes. */
    @Override
    public void accept(ApiMessage message, Throwable problem) {
        response = message;
        failure = problem;
        if (state.compareAndSet(OPEN, COMPLETED)) {
            connection.processor().completed(this);
            return;
        }
        ResponseRecords.release(message);
        if (state.compareAndSet(GIVEN_UP, TAKEN)) {
            connection.memory().outlives(-memoryBytes());
            release(connection.memory(), false);
        }
    }

    /** The I/O thread calls the handler. Not called if nobody wants to know its time. */
    void handlerBegins(long now) {
        handlerBeganAt = now;
    }

    void handlerReturned(long now) {
        handlerNanos = now - handlerBeganAt;
    }

    /** For how long the handler has held the I/O thread; 0 if that is not measured. */
    long handlerNanos() {
        boolean isHere = handlerBeganAt != 0 && handlerNanos == 0;
        return isHere ? System.nanoTime() - handlerBeganAt : handlerNanos;
    }

    /**
     * Like {@link #accept}, for a handler whose stage was complete when the handler returned. Only the I/O thread of the
     * connection calls this.
     */
    void acceptHere(ApiMessage message) {
        response = message;
        state.setPlain(COMPLETED);
    }

    /** True only for the first caller after the completion, which makes the answer. */
    boolean takeCompleted() {
        return state.compareAndSet(COMPLETED, TAKEN);
    }

    /**
     * Gives up a stage that is not complete; true only for the first caller. The handler may use the request's memory
     * until the stage completes: a late completion only releases this memory.
     */
    boolean takeOpen() {
        int bytes = memoryBytes();
        boolean taken = state.compareAndSet(OPEN, GIVEN_UP);
        if (taken) {
            connection.memory().outlives(bytes);
        }
        return taken;
    }

    private int memoryBytes() {
        return charged + (memory == null ? 0 : memory.capacity());
    }

    boolean isOpen() {
        return state.get() == OPEN;
    }

    /** Called when the handler is removed. Its stage may still complete with the answer. */
    void orphan(long now) {
        orphanedAt = now;
    }

    /** True if the handler was removed at least that long ago and the stage is not complete. */
    boolean isOrphanedFor(long nanos, long now) {
        return orphanedAt != 0 && isOpen() && now - orphanedAt >= nanos;
    }

    Request request() {
        return request;
    }

    ApiMessage response() {
        return response;
    }

    Throwable failure() {
        return failure;
    }

    ResponseFrame frame() {
        return frame;
    }

    boolean isAnswered() {
        return answered;
    }

    boolean closes() {
        return closes;
    }

    /** @param with null if no answer is sent */
    void answer(ResponseFrame with) {
        frame = with;
        answered = true;
        forgetMessages();
    }

    void answerByClosing() {
        closes = true;
        answered = true;
        forgetMessages();
    }

    /** Releases the request's memory; {@code reusable} if no handler can use it any more. */
    void release(FrameMemory frames, boolean reusable) {
        frames.discharge(charged);
        charged = 0;
        if (memory != null && reusable) {
            frames.recycle(memory);
        } else if (memory != null) {
            frames.forget(memory);
        }
        memory = null;
    }

    private void forgetMessages() {
        request = null;
        response = null;
        failure = null;
    }
}
