package io.felice.replication;

import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/** What is known of one connection to another broker. Its thread writes; any thread reads. */
final class PeerStatus {
    private static final String NEVER = "";

    private final int brokerId;
    private final String purpose;
    private final AtomicLong requests = new AtomicLong();
    private final AtomicLong receivedBytes = new AtomicLong();
    private final AtomicLong connections = new AtomicLong();
    private volatile String address = "";
    private volatile State state = State.IDLE;
    private volatile int inFlight;
    private volatile String lastError = NEVER;
    private volatile long awaySinceNanos;

    enum State {
        IDLE,
        CONNECTING,
        CONNECTED,
        /** The broker refuses the login of this one, or one of them does not trust the certificate of the other. */
        REFUSED,
        /** The broker cannot be reached, or its address is not known. */
        AWAY
    }

    PeerStatus(int brokerId, String purpose) {
        this.brokerId = brokerId;
        this.purpose = purpose;
    }

    int brokerId() {
        return brokerId;
    }

    State state() {
        return state;
    }

    String address() {
        return address;
    }

    String lastError() {
        return lastError;
    }

    long awaySinceNanos() {
        return awaySinceNanos;
    }

    void connecting(PeerAddress to) {
        address = to.toString();
        if (state == State.IDLE) {
            state = State.CONNECTING;
        }
    }

    void connected() {
        if (state != State.CONNECTED) {
            connections.incrementAndGet();
            state = State.CONNECTED;
        }
    }

    void idle() {
        state = State.IDLE;
    }

    void refused(String why) {
        lastError = why;
        state = State.REFUSED;
    }

    void away(String why) {
        lastError = why;
        if (state != State.AWAY) {
            awaySinceNanos = System.nanoTime();
            state = State.AWAY;
        }
    }

    void failed(String why) {
        lastError = why;
    }

    void inFlight(int now) {
        inFlight = now;
    }

    void answered(long bytes) {
        requests.incrementAndGet();
        receivedBytes.addAndGet(bytes);
    }

    /** The cells of the table {@code replication.peers}. */
    List<Object> row() {
        return List.of(
                Integer.toString(brokerId),
                purpose,
                address,
                state.name().toLowerCase(java.util.Locale.ROOT),
                (long) inFlight,
                requests.get(),
                receivedBytes.get(),
                connections.get(),
                lastError);
    }
}
