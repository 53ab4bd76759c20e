package io.felice.network;

import io.felice.protocol.Api;
import io.felice.protocol.Request;
import io.felice.protocol.ResponseFrame;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import org.apache.kafka.common.protocol.ApiMessage;

/**
 * A request that was begun, until its answer is sent. Its handler's stage may complete it on any thread; the rest belongs
 * to the connection's I/O thread. It keeps no reference to the handler, so that a replaced bundle can be unloaded.
 */
final class PendingResponse implements BiConsumer<ApiMessage, Throwable> {
    private static final int OPEN = 0;
    private static final int COMPLETED = 1;
    private static final int TAKEN = 2;
    private static final int GIVEN_UP = 3;

    final Connection connection;
    final long servedBy;
    final Api api;
    final short apiVersion;
    final int correlationId;
    final String clientId;
    final int requestBytes;
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

    /** @param servedBy the id of the {@link ApiTable.Service} that handles it */
    PendingResponse(Connection connection, long servedBy, Api api, Request request, long now) {
        this.connection = connection;
        this.servedBy = servedBy;
        this.request = request;
        this.api = api;
        this.apiVersion = request.apiVersion();
        this.correlationId = request.correlationId();
        this.clientId = request.clientId();
        this.requestBytes = request.sizeInBytes();
        this.beganAt = now;
    }

    /** The bytes the request's message may refer to: a buffer to recycle, or heap that is only counted. */
    void uses(ByteBuffer buffer, int chargedBytes) {
        memory = buffer;
        charged = chargedBytes;
    }

    /** The handler's stage completed; on any thread. */
    @Override
    public void accept(ApiMessage message, Throwable problem) {
        response = message;
        failure = problem;
        if (state.compareAndSet(OPEN, COMPLETED)) {
            connection.processor().completed(this);
            return;
        }
        Pins.release(message);
        if (state.compareAndSet(GIVEN_UP, TAKEN)) {
            connection.memory().outlives(-memoryBytes());
            release(connection.memory(), false);
        }
    }

    /** As {@link #accept}, for a stage that was complete at once: on the I/O thread, with no other thread involved yet. */
    void acceptHere(ApiMessage message) {
        response = message;
        state.setPlain(COMPLETED);
    }

    /** True for the first caller after the completion only: that caller makes the answer. */
    boolean takeCompleted() {
        return state.compareAndSet(COMPLETED, TAKEN);
    }

    /**
     * Gives up on a stage that is still open; true for the first caller only. The handler may use the request's memory
     * until the stage completes: a late completion only gives this memory back.
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

    /** The handler went away at {@code now}; its stage may still bring the answer. */
    void orphan(long now) {
        orphanedAt = now;
    }

    /** True if the handler went away at least that long ago and the stage is still open. */
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

    /** @param with null if nothing is to be sent */
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

    /** Gives the request's memory back; {@code reusable} if no handler can look at it any more. */
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
