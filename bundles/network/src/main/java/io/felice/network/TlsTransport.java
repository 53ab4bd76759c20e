package io.felice.network;

import io.felice.api.security.Principal;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SocketChannel;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLEngineResult.Status;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLPeerUnverifiedException;

/**
 * Encrypts the bytes of one connection with the JDK's {@link SSLEngine}. The buffers are those of the I/O thread; only
 * what is left over is kept here: a part of a record, decrypted bytes that the reader had no room for, records that the
 * socket did not accept. Public-key operations and the mapping of certificates run on other threads; meanwhile this
 * class does not use the engine.
 *
 * <pre>
 * HANDSHAKE → (IDENTIFYING, if the client has a certificate) → OPEN → ENDED
 * </pre>
 */
final class TlsTransport implements Transport {
    private static final int HEADER = 5;
    private static final byte HANDSHAKE_RECORD = 22;

    private enum State {
        HANDSHAKE,
        IDENTIFYING,
        OPEN,
        /** The engine is not used any more; bytes from the client are discarded. */
        ENDED
    }

    /** Runs the work of handshakes on other threads, and decides who a client with a certificate is. */
    interface HandshakeWork {
        /** Runs public-key operations. */
        Executor cryptography();

        /** Calls back on any thread, with a principal or a failure. */
        void identify(
                Identity client, List<X509Certificate> chain, Consumer<Principal> known, Consumer<TlsFailure> refused);
    }

    private final SocketChannel socket;
    private final SSLEngine engine;
    private final TlsBuffers buffers;
    private final HandshakeWork work;
    private final ListenerCounters counters;
    private final long lateAt;
    private Connection connection;
    private State state = State.HANDSHAKE;
    private boolean busy;
    private volatile boolean closed;
    /** The client has sent close_notify. */
    private boolean streamEnded;
    /** The engine must send before it receives, and the socket is full. */
    private boolean mustSendFirst;

    private TlsFailure refusal;

    /** Records that are not decrypted yet, and a part of a record. */
    private ByteBuffer received;
    /** Since when a part of a record is here. */
    private long incompleteSince;

    private ByteBuffer decrypted;
    private ByteBuffer unsent;

    /** @param handshakeNanos how long the handshake may take */
    TlsTransport(
            SocketChannel socket,
            SSLEngine engine,
            TlsBuffers buffers,
            HandshakeWork work,
            ListenerCounters counters,
            long handshakeNanos) {
        this.socket = socket;
        this.engine = engine;
        this.buffers = buffers;
        this.work = work;
        this.counters = counters;
        this.lateAt = System.nanoTime() + handshakeNanos;
    }

    @Override
    public void attach(Connection to) {
        connection = to;
        buffers.need();
    }

    // ---- in ----

    @Override
    public int read(ByteBuffer into) throws IOException {
        if (busy) {
            return 0;
        }
        if (state == State.ENDED) {
            return discard();
        }
        if (refusal != null) {
            throw ended(refusal);
        }
        int before = into.position();
        takeDecrypted(into);
        ByteBuffer net = buffers.received();
        boolean open = receive(net, into.remaining());
        try {
            decrypt(net.flip(), into);
        } catch (TlsFailure failure) {
            throw ended(failure);
        } catch (SSLException failure) {
            throw ended(new TlsFailure(TlsSentences.of(failure), failure));
        }
        received = buffers.keep(net);
        int count = into.position() - before;
        return count == 0 && (!open || streamEnded) ? -1 : count;
    }

    private void takeDecrypted(ByteBuffer into) {
        if (decrypted != null) {
            int count = Math.min(decrypted.remaining(), into.remaining());
            into.put(into.position(), decrypted, decrypted.position(), count).position(into.position() + count);
            decrypted.position(decrypted.position() + count);
            if (!decrypted.hasRemaining()) {
                buffers.drop(decrypted);
                decrypted = null;
            }
        }
    }

    /** Reads from the socket, unless a whole record is here. @return false at the end of the stream */
    private boolean receive(ByteBuffer net, int room) throws IOException {
        boolean isEnough = hasReceived();
        if (received == null) {
            incompleteSince = System.nanoTime();
        } else {
            net.put(received);
            buffers.drop(received);
            received = null;
        }
        if (isEnough || !mayRead()) {
            return true;
        }
        net.limit(Math.min(net.capacity(), Math.max(TlsBuffers.RECORD, room)));
        return socket.read(net) >= 0;
    }

    private void decrypt(ByteBuffer net, ByteBuffer into) throws IOException {
        mustSendFirst = false;
        while (!streamEnded) {
            HandshakeStatus wanted = engine.getHandshakeStatus();
            if (wanted == HandshakeStatus.NEED_TASK) {
                runTasks();
                return;
            }
            if (wanted == HandshakeStatus.NEED_WRAP) {
                if (unsent != null) {
                    mustSendFirst = true;
                    return;
                }
                sendHandshake();
            } else if (busy || !into.hasRemaining() || !hasRecord(net)) {
                return;
            } else {
                decryptRecord(net, into);
            }
        }
    }

    private void decryptRecord(ByteBuffer net, ByteBuffer into) throws IOException {
        if (state == State.OPEN && net.get(net.position()) == HANDSHAKE_RECORD) {
            // In TLS 1.3 the type of such a record is encrypted, so this is TLS 1.2.
            throw new TlsFailure("it asks for a renegotiation, which this node refuses");
        }
        SSLEngineResult result = engine.unwrap(net, buffers.decryptedInto(into));
        decrypted = buffers.keep(buffers.surplus().flip());
        noteFinished(result);
        streamEnded = result.getStatus() == Status.CLOSED;
        if (!streamEnded && (result.getStatus() != Status.OK || result.bytesConsumed() == 0)) {
            throw new IllegalStateException("TLS does not decrypt a whole record: " + result);
        }
        incompleteSince = System.nanoTime();
    }

    /** True if a whole record is here. */
    private static boolean hasRecord(ByteBuffer net) throws TlsFailure {
        if (net.remaining() < HEADER) {
            return false;
        }
        int at = net.position();
        int length = Short.toUnsignedInt(net.getShort(at + 3));
        if (net.get(at) < 20 || net.get(at) > 24 || net.get(at + 1) != 3) {
            throw new TlsFailure("it sends bytes that are not TLS");
        }
        if (HEADER + length > TlsBuffers.RECORD) {
            throw new TlsFailure("it sends a record of " + length + " bytes, more than TLS allows");
        }
        return net.remaining() >= HEADER + length;
    }

    private int discard() throws IOException {
        return socket.read(buffers.received());
    }

    @Override
    public boolean mayRead() {
        return !busy && !(mustSendFirst && unsent != null);
    }

    @Override
    public boolean hasReceived() {
        if (!mayRead() || state == State.ENDED) {
            return false;
        }
        try {
            return decrypted != null || mustSendFirst || streamEnded || received != null && hasRecord(received);
        } catch (TlsFailure thrownByRead) {
            return true;
        }
    }

    @Override
    public boolean isIncomplete() {
        return received != null && mayRead() && !hasReceived();
    }

    @Override
    public long incompleteSince() {
        return incompleteSince;
    }

    // ---- out ----

    @Override
    public long write(ByteBuffer bytes) throws IOException {
        return write(new ByteBuffer[] {bytes}, 1);
    }

    @Override
    public long write(ByteBuffer[] parts, int count) throws IOException {
        flush();
        long total = 0;
        while (unsent == null && state == State.OPEN && !busy && parts[count - 1].hasRemaining()) {
            total += encrypt(parts, count);
        }
        return total;
    }

    private long encrypt(ByteBuffer[] parts, int count) throws IOException {
        ByteBuffer net = buffers.sent();
        long total = 0;
        while (parts[count - 1].hasRemaining() && net.remaining() >= TlsBuffers.RECORD) {
            SSLEngineResult result = engine.wrap(parts, 0, count, net);
            total += result.bytesConsumed();
            if (result.getStatus() == Status.CLOSED) {
                throw new IOException("the client has ended TLS");
            }
            if (result.getStatus() != Status.OK || result.bytesProduced() == 0) {
                throw new IllegalStateException("TLS encrypts nothing: " + result);
            }
        }
        send(net.flip());
        return total;
    }

    @Override
    public long flush() throws IOException {
        if (unsent == null) {
            return 0;
        }
        long count = socket.write(unsent);
        if (!unsent.hasRemaining()) {
            buffers.drop(unsent);
            unsent = null;
        }
        return count;
    }

    private void send(ByteBuffer net) throws IOException {
        if (net.hasRemaining()) {
            socket.write(net);
            unsent = buffers.keep(net);
        }
    }

    @Override
    public boolean hasUnsent() {
        return unsent != null;
    }

    @Override
    public boolean sendsByKernel() {
        return false;
    }

    @Override
    public long send(FileChannel file, long position, long count) {
        throw new UnsupportedOperationException("the kernel cannot encrypt; sendsByKernel() is false");
    }

    // ---- handshake ----

    private void sendHandshake() throws IOException {
        ByteBuffer net = buffers.sent();
        while (engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP && net.remaining() >= TlsBuffers.RECORD) {
            SSLEngineResult result = engine.wrap(buffers.nothing, net);
            noteFinished(result);
            if (result.bytesProduced() == 0 && engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP) {
                throw new IllegalStateException("TLS has nothing to send: " + result);
            }
        }
        send(net.flip());
    }

    private void noteFinished(SSLEngineResult result) throws TlsFailure {
        if (result.getHandshakeStatus() == HandshakeStatus.FINISHED && state == State.HANDSHAKE) {
            counters.tlsHandshakes.incrementAndGet();
            state = State.OPEN;
            if (engine.getNeedClientAuth() || engine.getWantClientAuth()) {
                identify();
            }
        }
    }

    private void identify() throws TlsFailure {
        List<X509Certificate> chain = chain();
        if (chain.isEmpty()) {
            return;
        }
        state = State.IDENTIFYING;
        busy = true;
        work.identify(
                connection.identity(),
                chain,
                principal -> resumeWith(() -> {
                    state = State.OPEN;
                    connection.identity().authenticated(principal);
                }),
                failure -> resumeWith(() -> refusal = failure));
    }

    /** The client's certificates; empty if it has none. */
    private List<X509Certificate> chain() throws TlsFailure {
        try {
            List<X509Certificate> chain = Arrays.stream(engine.getSession().getPeerCertificates())
                    .map(X509Certificate.class::cast)
                    .toList();
            // The certificate of a resumed session may have expired since.
            chain.get(0).checkValidity();
            return chain;
        } catch (SSLPeerUnverifiedException none) {
            return List.of();
        } catch (GeneralSecurityException expired) {
            throw new TlsFailure("its certificate has expired", expired);
        }
    }

    private void runTasks() {
        busy = true;
        work.cryptography().execute(() -> {
            Runnable task;
            while (!closed && (task = engine.getDelegatedTask()) != null) {
                task.run();
            }
            resumeWith(() -> {});
        });
    }

    /** Goes on, on the I/O thread. */
    private void resumeWith(Runnable change) {
        connection.processor().execute(() -> {
            busy = false;
            if (state != State.ENDED) {
                change.run();
            }
            connection.transportReady();
        });
    }

    @Override
    public boolean isLate(long now) {
        return (state == State.HANDSHAKE || state == State.IDENTIFYING) && now - lateAt > 0;
    }

    // ---- the end ----

    /** Sends the alert that the engine has for the client, and ends the engine. */
    private TlsFailure ended(TlsFailure failure) {
        sayGoodbye();
        return failure;
    }

    @Override
    public void endOutput() throws IOException {
        sayGoodbye();
        socket.shutdownOutput();
    }

    /** Sends an alert or close_notify, if the socket takes it at once. */
    private void sayGoodbye() {
        boolean can = !busy && state != State.ENDED && unsent == null;
        state = State.ENDED;
        if (!can) {
            return;
        }
        try {
            ByteBuffer net = buffers.sent();
            engine.closeOutbound();
            while (!engine.isOutboundDone() && engine.wrap(buffers.nothing, net).bytesProduced() > 0) {
                continue;
            }
            socket.write(net.flip());
        } catch (IOException gone) {
            // The client has gone, or the engine has nothing more to say.
        }
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            sayGoodbye();
            buffers.drop(received);
            buffers.drop(decrypted);
            buffers.drop(unsent);
            received = null;
            decrypted = null;
            unsent = null;
        }
    }
}
