package io.felice.replication;

import static io.felice.api.ErrorCode.BROKER_NOT_AVAILABLE;
import static io.felice.api.ErrorCode.INVALID_REQUEST;
import static io.felice.api.ErrorCode.NETWORK_EXCEPTION;
import static io.felice.api.ErrorCode.REQUEST_TIMED_OUT;
import static io.felice.api.cluster.ForwardedRequests.LONGEST_PRINCIPAL;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.FoldedErrors;
import io.felice.api.cluster.ForwardedRequests;
import io.felice.api.cluster.Peers;
import io.felice.api.security.Requester;
import io.felice.api.status.TableSchema;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.kafka.clients.ClientResponse;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.memory.MemoryPool;
import org.apache.kafka.common.requests.EnvelopeRequest;
import org.apache.kafka.common.requests.EnvelopeResponse;
import org.slf4j.LoggerFactory;

/**
 * Sends requests to the controllers of other brokers: one thread, and one connection for each broker. Requests to one
 * broker are sent in order, several at a time.
 */
final class Forwarding implements Peers {
    private static final FoldedErrors errors = new FoldedErrors(LoggerFactory.getLogger(Forwarding.class));

    /** Most requests to one broker that have no answer. */
    private static final int MOST_REQUESTS = 1_000;

    /** Most bytes of all requests that have no answer. */
    private static final int MOST_BYTES = 2 * ForwardedRequests.LONGEST;

    private static final int IN_FLIGHT = 16;
    private static final long LONGEST_POLL_MS = 500;
    private static final int LATE_MS = 10_000;
    private static final byte[] NOBODY = {};

    private final PeerAddresses addresses;
    private final Supplier<PeerIdentity> identity;
    private final Worker worker;
    private final Semaphore bytes = new Semaphore(MOST_BYTES);
    private final ConcurrentLinkedQueue<Call> arrived = new ConcurrentLinkedQueue<>();
    private final Map<Integer, PeerStatus> statuses = new ConcurrentHashMap<>();
    private volatile boolean closed;

    // Used by the worker's thread only.
    private final Map<Integer, Peer> peers = new TreeMap<>();

    private volatile PeerClient client;

    Forwarding(PeerAddresses addresses, Supplier<PeerIdentity> identity) {
        this.addresses = addresses;
        this.identity = identity;
        this.worker = new Worker("felice-replication-forward", this::work, this::end);
    }

    /** A request without an answer. */
    private final class Call {
        private final int brokerId;
        private final byte[] request;
        private final byte[] principal;
        private final byte[] host;
        private final long deadlineNanos;
        private final CompletableFuture<byte[]> answer = new CompletableFuture<>();

        Call(int brokerId, Optional<Requester> requester, byte[] request, Duration timeout) {
            this.brokerId = brokerId;
            this.request = request;
            this.principal = requester.map(Forwarding::principal).orElse(NOBODY);
            this.host = requester.map(client -> client.host().getAddress()).orElse(NOBODY);
            this.deadlineNanos = System.nanoTime() + timeout.toNanos();
            answer.whenComplete((done, failure) -> bytes.release(request.length));
        }

        boolean isLate() {
            return System.nanoTime() - deadlineNanos >= 0;
        }

        long leftMs() {
            return Math.max(0, TimeUnit.NANOSECONDS.toMillis(deadlineNanos - System.nanoTime()));
        }

        void fail(ErrorCode code, String fact) {
            answer.completeExceptionally(code.because(fact));
        }
    }

    /** A broker and the requests to it. */
    private static final class Peer {
        final PeerStatus status;
        final Deque<Call> waiting = new ArrayDeque<>();
        final List<Call> sent = new ArrayList<>();
        PeerAddress address;
        /** True if the connection that fails was begun for the requests that wait now. */
        boolean isTried;

        Peer(PeerStatus status) {
            this.status = status;
        }
    }

    void start() {
        worker.start();
    }

    /** Ends the thread and the connections; requests without an answer fail. */
    void close() {
        closed = true;
        worker.stop();
        wakeup();
        worker.join();
    }

    /** The row of the bytes that wait for an answer. */
    List<Object> limit() {
        return TableSchema.limitOfBytes("requests.bytes", MOST_BYTES - bytes.availablePermits(), MOST_BYTES);
    }

    Collection<PeerStatus> statuses() {
        return statuses.values();
    }

    @Override
    public CompletionStage<byte[]> forward(
            int brokerId, Optional<Requester> requester, byte[] request, Duration timeout) {
        if (requester
                .filter(client -> principal(client).length > LONGEST_PRINCIPAL)
                .isPresent()) {
            return CompletableFuture.failedFuture(INVALID_REQUEST.because("The name of a client of more than "
                    + LONGEST_PRINCIPAL + " bytes cannot be passed on to the controller"));
        }
        if (request.length > ForwardedRequests.LONGEST) {
            return CompletableFuture.failedFuture(INVALID_REQUEST.because("A request of " + request.length
                    + " bytes is longer than " + ForwardedRequests.LONGEST + " bytes"));
        }
        if (!bytes.tryAcquire(request.length)) {
            return CompletableFuture.failedFuture(
                    BROKER_NOT_AVAILABLE.because("Too many bytes wait for the controllers of other brokers"));
        }
        Call call = new Call(brokerId, requester, request, timeout);
        arrived.add(call);
        if (closed) {
            failAll(arrived, BROKER_NOT_AVAILABLE, "This broker is stopping");
        }
        wakeup();
        return call.answer;
    }

    private static byte[] principal(Requester client) {
        return client.principal().toString().getBytes(StandardCharsets.UTF_8);
    }

    private void wakeup() {
        PeerClient current = client;
        if (current != null) {
            current.wakeup();
        }
        worker.wakeup();
    }

    // ---- the worker's thread

    private void work() {
        takeArrived();
        long pollMs = LONGEST_POLL_MS;
        for (Peer peer : peers.values()) {
            pollMs = Math.min(pollMs, serve(peer));
        }
        if (client == null) {
            worker.await(pollMs);
        } else {
            client.poll(pollMs);
        }
    }

    private void takeArrived() {
        for (Call call = arrived.poll(); call != null; call = arrived.poll()) {
            Peer peer = peers.computeIfAbsent(
                    call.brokerId,
                    id -> new Peer(statuses.computeIfAbsent(id, unused -> new PeerStatus(id, "controller"))));
            if (peer.waiting.size() + peer.sent.size() >= MOST_REQUESTS) {
                call.fail(BROKER_NOT_AVAILABLE, "Too many requests wait for broker " + call.brokerId);
            } else {
                peer.waiting.add(call);
            }
        }
    }

    /** Sends what can be sent to the broker. @return the time in milliseconds after which to look again */
    private long serve(Peer peer) {
        dropLate(peer);
        if (peer.waiting.isEmpty()) {
            return untilNextDeadline(peer);
        }
        try {
            connect(peer);
        } catch (FeliceException unknown) {
            peer.status.away(unknown.getMessage());
            failAll(peer.waiting, BROKER_NOT_AVAILABLE, unknown.getMessage());
            return LONGEST_POLL_MS;
        } catch (IOException | KafkaException unusable) {
            peer.status.refused(Sentences.of(unusable));
            failAll(peer.waiting, BROKER_NOT_AVAILABLE, Sentences.of(unusable));
            return LONGEST_POLL_MS;
        }
        peer.isTried |= client.delayMs(peer.address.node()) == 0;
        if (client.isReady(peer.address.node())) {
            peer.isTried = false;
            peer.status.connected();
            while (!peer.waiting.isEmpty() && client.isReady(peer.address.node())) {
                send(peer, peer.waiting.poll());
            }
            return untilNextDeadline(peer);
        }
        if (client.hasFailed(peer.address.node())) {
            failed(peer);
        } else {
            peer.isTried = true;
        }
        return Math.min(untilNextDeadline(peer), Math.max(1, client.delayMs(peer.address.node())));
    }

    private void connect(Peer peer) throws IOException {
        PeerAddress address = addresses.of(peer.status.brokerId());
        PeerIdentity now = identity.get();
        if (client != null && !client.isFor(now, address)) {
            client.close();
            client = null;
            peers.values()
                    .forEach(other -> failAll(
                            other.sent,
                            NETWORK_EXCEPTION,
                            "The connection is made anew, so it is not known" + " whether broker "
                                    + other.status.brokerId() + " has decided"));
        }
        if (client == null) {
            client = new PeerClient("felice-forward", now, address, IN_FLIGHT, MemoryPool.NONE, addresses.clusterId());
        }
        if (!address.equals(peer.address) && peer.address != null) {
            client.disconnect(peer.address.node());
        }
        peer.address = address;
        peer.status.connecting(address);
    }

    private void failed(Peer peer) {
        AuthenticationException refusal = client.refusal(peer.address.node());
        if (refusal != null) {
            peer.status.refused(Sentences.of(refusal));
            failAll(
                    peer.waiting,
                    BROKER_NOT_AVAILABLE,
                    "Broker " + peer.status.brokerId() + " refuses this broker: " + refusal.getMessage());
        } else if (peer.isTried) {
            String fact = "Broker " + peer.status.brokerId() + " cannot be reached at " + peer.address;
            peer.status.away(fact);
            failAll(peer.waiting, BROKER_NOT_AVAILABLE, fact);
        }
        peer.isTried = false;
    }

    private void send(Peer peer, Call call) {
        peer.sent.add(call);
        EnvelopeRequest.Builder envelope =
                new EnvelopeRequest.Builder(ByteBuffer.wrap(call.request), call.principal, call.host);
        client.send(
                peer.address.node(), envelope, (int) Math.min(Integer.MAX_VALUE, call.leftMs() + LATE_MS), response -> {
                    peer.sent.remove(call);
                    answered(peer, call, response);
                });
        peer.status.inFlight(peer.sent.size());
    }

    private static void answered(Peer peer, Call call, ClientResponse response) {
        peer.status.inFlight(peer.sent.size());
        if (response.wasDisconnected()) {
            String fact = "The connection to broker " + call.brokerId
                    + " ended before its answer, so it is not known whether it has decided";
            peer.status.away(fact);
            call.fail(NETWORK_EXCEPTION, fact);
        } else if (response.responseBody() instanceof EnvelopeResponse envelope) {
            byte[] data = bytes(envelope.responseData());
            peer.status.answered(data.length);
            complete(call, envelope.error().code(), data);
        } else {
            call.fail(NETWORK_EXCEPTION, "Broker " + call.brokerId + " takes no requests of other brokers");
        }
    }

    private static void complete(Call call, short error, byte[] data) {
        ErrorCode code = ErrorCode.of(error);
        if (code == ErrorCode.NONE) {
            call.answer.complete(data);
        } else {
            String sentence = new String(data, StandardCharsets.UTF_8);
            call.fail(code, sentence.isEmpty() ? "Broker " + call.brokerId + " answered " + code : sentence);
        }
    }

    private static byte[] bytes(ByteBuffer data) {
        byte[] bytes = new byte[data == null ? 0 : data.remaining()];
        if (data != null) {
            data.duplicate().get(bytes);
        }
        return bytes;
    }

    private static void dropLate(Peer peer) {
        String late = "Broker " + peer.status.brokerId() + " did not answer in time";
        for (Iterator<Call> calls = peer.waiting.iterator(); calls.hasNext(); ) {
            Call call = calls.next();
            if (call.isLate()) {
                calls.remove();
                call.fail(REQUEST_TIMED_OUT, late);
            }
        }
        for (Call call : peer.sent) {
            if (call.isLate()) {
                call.fail(REQUEST_TIMED_OUT, late);
            }
        }
    }

    private static long untilNextDeadline(Peer peer) {
        long next = LONGEST_POLL_MS;
        for (Call call : peer.waiting) {
            next = Math.min(next, call.leftMs() + 1);
        }
        for (Call call : peer.sent) {
            if (!call.answer.isDone()) {
                next = Math.min(next, call.leftMs() + 1);
            }
        }
        return next;
    }

    private static void failAll(Collection<Call> calls, ErrorCode code, String fact) {
        List<Call> all = List.copyOf(calls);
        calls.removeAll(all);
        all.forEach(call -> call.fail(code, fact));
    }

    private void end() {
        try {
            if (client != null) {
                client.close();
            }
        } catch (RuntimeException failure) {
            errors.error("The connections to other brokers were not closed cleanly", failure);
        }
        String fact = "This broker is stopping";
        failAll(arrived, BROKER_NOT_AVAILABLE, fact);
        for (Peer peer : peers.values()) {
            failAll(peer.waiting, BROKER_NOT_AVAILABLE, fact);
            failAll(peer.sent, NETWORK_EXCEPTION, fact);
        }
    }
}
