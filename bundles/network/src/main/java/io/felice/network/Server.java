package io.felice.network;

import io.felice.api.FileDescriptors;
import io.felice.api.cluster.BrokerRegistration;
import io.felice.api.status.StatusTable;
import io.felice.api.status.TableColumn.Unit;
import io.felice.api.status.TableSchema;
import java.io.IOException;
import java.lang.reflect.Field;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import org.apache.mina.core.polling.AbstractPollingIoProcessor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The listeners, the I/O threads and the shared state of all connections. Started once and stopped once. */
final class Server {
    private static final TableSchema REQUESTS = TableSchema.of(
                    "network.requests", "Requests by API, since the start of the bundle")
            .label("api", "The name of the API")
            .counter("requests", "Requests that were begun")
            .counter("in.bytes", Unit.BYTES, "Bytes of the requests")
            .counter("out.bytes", Unit.BYTES, "Bytes of the answers")
            .counter(
                    "failed",
                    "Requests that failed as a whole; an error of a topic or a group in an answer does not count")
            .histogram("time.ms", Unit.MILLISECONDS, "From the last byte of a request to the last byte of its answer")
            .gauge("max.ms", Unit.MILLISECONDS, "The longest of these times")
            .gauge("in.flight", "Requests that are handled now")
            .gauge("held", "Requests that wait for a handler whose bundle is away");
    private static final TableSchema CONNECTIONS = TableSchema.of(
                    "network.connections", "Connections by listener, since the start of the bundle")
            .label("listener", "The name of the listener")
            .gauge("open", "Connections that are open now")
            .counter("accepted", "Connections that were accepted")
            .counter("closed", "Connections that have ended")
            .counter("refused.per.ip", "Connections closed at once, because their address had too many")
            .counter("waited.for.max", "Connections that waited, because as many as are allowed were open")
            .counter("waited.for.rate", "Connections that waited, because too many were made in a second")
            .counter("idle.closed", "Connections closed, because they did nothing")
            .counter("stalled.closed", "Connections closed, because the client did not read its answers")
            .counter("memory.closed", "Connections closed, because memory for requests was short")
            .counter("malformed", "Connections closed, because a request could not be read")
            .gauge("unauthenticated", "Connections whose clients have not logged in yet")
            .counter("logins", "Logins that succeeded")
            .counter("refused.logins", "Logins that were refused")
            .counter("late.logins", "Connections closed, because the login took too long")
            .counter("not.logged.in", "Connections closed, because a request came before the login")
            .counter("sessions.ended", "Connections closed, because a request came after the session's end")
            .counter("tls.handshakes", "TLS handshakes that succeeded")
            .counter("tls.failed", "TLS handshakes that failed")
            .counter("tls.late", "TLS handshakes that took too long");
    private static final TableSchema LIMITS = TableSchema.limits("network.limits");

    private static final Logger log = LoggerFactory.getLogger(Server.class);

    private static final long DRAIN_NANOS = TimeUnit.SECONDS.toNanos(2);
    private static final long LEAVE_MS = 1000;
    private static final long SHORTAGE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private final NetworkSettings settings;
    private final ApiTable apis;
    private final Throttling throttling;
    private final Tls tls;
    private final FrameMemory memory;
    private final RequestLog requestLog = new RequestLog();
    private final Complaints complaints = new Complaints(log);
    private final ExecutorService threads;
    private final List<RoundProcessor> processors = new ArrayList<>();
    private final AtomicInteger nextProcessor = new AtomicInteger();
    private final Map<Listener, ListenerAcceptor> acceptors = new LinkedHashMap<>();
    private final Map<Listener, ListenerCounters> counters = new LinkedHashMap<>();
    private final List<BrokerRegistration.Endpoint> endpoints = new ArrayList<>();

    private final ConnectionQuotas quotas;
    private final WireListeners wireListeners;
    private final HeldRequests held;
    private final AtomicLong shortageTold = new AtomicLong(System.nanoTime());

    private final Consumer<ApiTable.Slot> onArrival = this::arrived;
    private final LongConsumer onDeparture = this::left;
    private volatile Limits limitsOfFile;
    private volatile Limits limits;
    private Map<String, String> overrides = Map.of();
    private boolean knowsPossible;

    /** @param lifecycle the thread that calls {@link #bind} and {@link #stop} */
    Server(NetworkSettings settings, ApiTable apis, Throttling throttling, Tls tls, Wires wires, Executor lifecycle) {
        this.settings = settings;
        this.throttling = throttling;
        this.apis = apis;
        this.tls = tls;
        this.limitsOfFile = settings.limits();
        this.limits = limitsOfFile;
        this.held = new HeldRequests(apis, this::limits);
        this.memory = new FrameMemory(limits.requestMemory());
        this.requestLog.switchTo(settings.requestLog());
        AtomicInteger number = new AtomicInteger();
        this.threads =
                Executors.newCachedThreadPool(task -> new Thread(task, "felice-network-" + number.incrementAndGet()));
        for (int i = 0; i < settings.threads(); i++) {
            processors.add(new RoundProcessor("felice-network-io-" + (i + 1), threads, this));
        }
        for (Listener listener : settings.listeners()) {
            counters.put(listener, new ListenerCounters());
        }
        this.quotas = new ConnectionQuotas(counters, limits.connections(), complaints);
        this.wireListeners = new WireListeners(this, counters, wires, threads, lifecycle);
        apis.onChange(onArrival, onDeparture);
    }

    /**
     * Binds the listeners that are not bound yet, except those that use TLS if their files cannot be used. May be called
     * again after a failure.
     *
     * @throws CannotListen with the name of the listener that failed
     */
    void bind() throws CannotListen {
        if (!knowsPossible) {
            limitConnections();
            knowsPossible = true;
            tls.check();
        }
        for (Listener listener : settings.listeners()) {
            if (!mayOpen(listener)) {
                continue;
            }
            ListenerAcceptor acceptor =
                    new ListenerAcceptor(threads, this::nextProcessor, this, listener, counters.get(listener), null);
            try {
                acceptor.bind(address(listener));
            } catch (IOException | RuntimeException failure) {
                acceptor.dispose();
                throw new CannotListen(listener, failure);
            }
            acceptors.put(listener, acceptor);
            BrokerRegistration.Endpoint endpoint = endpoint(listener, acceptor.getLocalAddress());
            endpoints.add(endpoint);
            log.info(
                    "Listening: {} (port {}), advertised as {}:{}",
                    listener,
                    acceptor.getLocalAddress().getPort(),
                    endpoint.host(),
                    endpoint.port());
        }
    }

    /** Reads changed files with keys and certificates. @return true if {@link #bind} can open a further listener */
    boolean canOpenMore() {
        tls.check();
        return settings.listeners().stream().anyMatch(this::mayOpen);
    }

    private boolean mayOpen(Listener listener) {
        return listener.isKafka() && !acceptors.containsKey(listener) && tls.admits(listener);
    }

    /**
     * Limits connections to half of the file descriptors that are left; the other half is for the logs and other files.
     */
    private void limitConnections() {
        long possible = Math.min(ConnectionLimits.UNLIMITED, Math.max(1, FileDescriptors.free() / 2));
        int wanted = limits.connections().most();
        if (possible < wanted) {
            log.warn(
                    "This process may have {} files and connections open, so {} clients may connect, not"
                            + " max.connections = {}. Raise the limit (ulimit -n, or LimitNOFILE of a systemd service)"
                            + " for more",
                    FileDescriptors.limit(),
                    possible,
                    wanted);
        }
        quotas.limitTo((int) possible);
    }

    static InetSocketAddress address(Listener listener) throws IOException {
        if (listener.host().isEmpty()) {
            return new InetSocketAddress(listener.port());
        }
        return new InetSocketAddress(InetAddress.getByName(listener.host()), listener.port());
    }

    private static BrokerRegistration.Endpoint endpoint(Listener listener, InetSocketAddress bound) {
        String host = listener.advertisedHost();
        if (host.isEmpty()) {
            host = listener.bindsEverywhere() ? NetworkSettings.localHost() : listener.host();
        }
        int port = listener.advertisedPort() == 0 ? bound.getPort() : listener.advertisedPort();
        return new BrokerRegistration.Endpoint(listener.name(), listener.securityProtocol(), host, port);
    }

    List<BrokerRegistration.Endpoint> endpoints() {
        return List.copyOf(endpoints);
    }

    Throttling throttling() {
        return throttling;
    }

    NetworkSettings settings() {
        return settings;
    }

    /** Applies new limits, also to open connections. One thread calls this method and {@link #override}. */
    void adjust(NetworkSettings to) {
        limitsOfFile = to.limits();
        tls.change(to.tls());
        wireListeners.hangAfter(to.wireHangs());
        requestLog.switchTo(to.requestLog());
        applyLimits();
    }

    /** Takes the values that the cluster's metadata has; they win over those of the file. */
    void override(Map<String, String> values) {
        overrides = Map.copyOf(values);
        applyLimits();
    }

    private void applyLimits() {
        limits = limitsOfFile.with(limitsOfFile.connections().with(overrides));
        memory.limit(limits.requestMemory());
        quotas.change(limits.connections());
    }

    WireListeners wireListeners() {
        return wireListeners;
    }

    /** Stops accepting, answers the begun requests and closes everything. Waits for both, for a limited time. */
    void stop() {
        apis.removeOnChange(onArrival, onDeparture);
        quotas.close();
        acceptors.values().forEach(ListenerAcceptor::unbind);
        wireListeners.stop();
        for (RoundProcessor processor : processors) {
            processor.execute(() -> processor.connections().forEach(Connection::drain));
        }
        awaitDrained();
        acceptors.values().forEach(ListenerAcceptor::dispose);
        processors.forEach(RoundProcessor::dispose);
        threads.shutdown();
        tls.stop();
        awaitThreads();
        memory.clear();
        forgetInMina();
    }

    private void awaitDrained() {
        long deadline = System.nanoTime() + DRAIN_NANOS;
        try {
            while (processors.stream().anyMatch(processor -> processor.connectionCount() > 0)
                    && System.nanoTime() < deadline) {
                Thread.sleep(5);
            }
        } catch (InterruptedException hurry) {
            Thread.currentThread().interrupt();
        }
    }

    private void awaitThreads() {
        try {
            if (!threads.awaitTermination(5, TimeUnit.SECONDS)) {
                log.warn("An I/O thread is still busy with a request");
            }
        } catch (InterruptedException hurry) {
            Thread.currentThread().interrupt();
        }
    }

    /** MINA numbers the threads of each processor class in a static map, which would keep this bundle's classes. */
    private static void forgetInMina() {
        try {
            Field ids = AbstractPollingIoProcessor.class.getDeclaredField("threadIds");
            ids.setAccessible(true);
            ((Map<?, ?>) ids.get(null)).remove(RoundProcessor.class);
        } catch (ReflectiveOperationException | RuntimeException other) {
            log.debug("MINA keeps no thread numbers: {}", other.toString());
        }
    }

    // ---- called by connections ----

    Limits limits() {
        return limits;
    }

    /** The limits as the file has them, without the values of the cluster's metadata. */
    Limits limitsOfFile() {
        return limitsOfFile;
    }

    ConnectionQuotas quotas() {
        return quotas;
    }

    FrameMemory memory() {
        return memory;
    }

    ApiTable apis() {
        return apis;
    }

    Tls tls() {
        return tls;
    }

    Transfer transfer() {
        return settings.transfer();
    }

    RequestLog requestLog() {
        return requestLog;
    }

    Complaints complaints() {
        return complaints;
    }

    int inFlightPerThread() {
        return Math.max(1, limits.inFlight() / processors.size());
    }

    long inFlightBytesPerThread() {
        return limits.requestMemory() / processors.size();
    }

    HeldRequests held() {
        return held;
    }

    /** Called when a connection waits for memory. Closes the connections with the oldest incomplete frames. */
    void memoryIsShort() {
        long told = shortageTold.get();
        long now = System.nanoTime();
        if (now - told > SHORTAGE_NANOS && shortageTold.compareAndSet(told, now)) {
            processors.forEach(processor -> processor.execute(processor::closeOldestFrame));
        }
    }

    private RoundProcessor nextProcessor() {
        return processors.get(Math.floorMod(nextProcessor.getAndIncrement(), processors.size()));
    }

    // ---- handlers are added and removed ----

    private void arrived(ApiTable.Slot slot) {
        processors.forEach(processor -> processor.execute(processor::retryWaiting));
    }

    /** Waits until no I/O thread is in the removed handler, but one second at most. */
    private void left(long serviceId) {
        CountDownLatch passed = new CountDownLatch(processors.size());
        for (RoundProcessor processor : processors) {
            boolean posted = processor.execute(() -> {
                processor.connections().forEach(connection -> connection.abandon(serviceId));
                passed.countDown();
            });
            if (!posted || processor.isCurrentThread()) {
                passed.countDown();
            }
        }
        try {
            if (!passed.await(LEAVE_MS, TimeUnit.MILLISECONDS)) {
                log.warn("A handler is removed while an I/O thread still runs one of its requests");
            }
        } catch (InterruptedException hurry) {
            Thread.currentThread().interrupt();
        }
    }

    // ---- status ----

    List<StatusTable> tables() {
        List<StatusTable> tables = new ArrayList<>(List.of(requests(), listeners(), limitsTable()));
        tables.addAll(tls.tables());
        tables.addAll(wireListeners.tables());
        return tables;
    }

    private StatusTable requests() {
        List<List<Object>> rows = new ArrayList<>();
        for (short key = 0; key < ApiTable.KEYS; key++) {
            List<Object> row = row(key);
            if (apis.slot(key) != null || (long) row.get(1) > 0) {
                rows.add(row);
            }
        }
        return REQUESTS.rows(rows);
    }

    private List<Object> row(short key) {
        long[] sums = new long[6];
        long longest = 0;
        List<Durations> durations = new ArrayList<>();
        for (RoundProcessor processor : processors) {
            RequestCounters of = processor.counters(key);
            sums[0] += of.requests.get();
            sums[1] += of.bytesIn.get();
            sums[2] += of.bytesOut.get();
            sums[3] += of.errors.get();
            sums[4] += of.inFlight.get();
            sums[5] += of.held.get();
            longest = Math.max(longest, of.longestNanos.get());
            durations.add(of.durations);
        }
        return List.of(
                ApiNames.of(key),
                sums[0],
                sums[1],
                sums[2],
                sums[3],
                Durations.sum(durations),
                longest / 1e6,
                sums[4],
                sums[5]);
    }

    private StatusTable listeners() {
        List<List<Object>> rows = new ArrayList<>();
        counters.forEach((listener, of) -> rows.add(List.of(
                listener.name(),
                of.open.get(),
                of.accepted.get(),
                of.closed.get(),
                of.refusedPerAddress.get(),
                of.waitedForSlot.get(),
                of.waitedForRate.get(),
                of.idleClosed.get(),
                of.stalledClosed.get(),
                of.memoryClosed.get(),
                of.malformed.get(),
                of.unauthenticated.get(),
                of.logins.get(),
                of.refusedLogins.get(),
                of.lateLogins.get(),
                of.notLoggedIn.get(),
                of.sessionsEnded.get(),
                of.tlsHandshakes.get(),
                of.tlsFailed.get(),
                of.tlsLate.get())));
        return CONNECTIONS.rows(rows);
    }

    private StatusTable limitsTable() {
        Limits now = limits;
        long answers = processors.stream().mapToLong(RoundProcessor::answers).sum();
        long answerBytes =
                processors.stream().mapToLong(RoundProcessor::answerBytes).sum();
        long tlsBytes = processors.stream()
                .mapToLong(processor -> processor.tls().kept())
                .sum();
        long pins = processors.stream().mapToLong(RoundProcessor::pins).sum();
        long paused = processors.stream().mapToLong(RoundProcessor::paused).sum();
        long inFlight = processors.stream().mapToLong(RoundProcessor::inFlight).sum();
        return LIMITS.rows(List.of(
                TableSchema.limit("requests", inFlight, now.inFlight()),
                TableSchema.limitOfBytes("requests.bytes", memory.used(), now.requestMemory()),
                TableSchema.limitOfBytes("pooled.bytes", memory.pooled(), FrameMemory.MOST_POOLED),
                TableSchema.limitOfBytes(
                        "answers.bytes", answerBytes, now.responseBytes() * Math.max(1, quotas.open())),
                TableSchema.limit("answers", answers, now.inFlight()),
                TableSchema.limitOfBytes("tls.bytes", tlsBytes, (long) quotas.most() * TlsBuffers.MOST_KEPT),
                TableSchema.limit("pins", pins, now.inFlight()),
                TableSchema.limit("paused.connections", paused, quotas.most()),
                TableSchema.limit("held.requests", held.requests(), now.heldRequests()),
                TableSchema.limitOfBytes("held.bytes", held.bytes(), now.heldBytes()),
                TableSchema.limit("connections", quotas.open(), quotas.most()),
                TableSchema.limit("addresses", quotas.addresses(), quotas.most())));
    }

    /** A listener's address cannot be used. */
    static final class CannotListen extends Exception {
        private static final long serialVersionUID = 1L;

        CannotListen(Listener listener, Exception failure) {
            super("Cannot listen for " + listener + ": " + reason(root(failure)), root(failure));
        }

        /** True if the next attempt may succeed, for example because another instance is closing the port. */
        boolean mayPass() {
            return getCause() instanceof BindException;
        }

        /** MINA wraps the exception of the socket. */
        private static Throwable root(Throwable failure) {
            return failure.getCause() == null ? failure : root(failure.getCause());
        }

        private static String reason(Throwable failure) {
            if (failure instanceof UnknownHostException) {
                return "there is no such host or address";
            }
            String told = failure.getMessage() == null ? failure.toString() : failure.getMessage();
            return told.contains("already in use") ? "the port is taken by another process" : told;
        }
    }
}
