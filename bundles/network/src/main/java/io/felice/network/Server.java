package io.felice.network;

import io.felice.api.FileDescriptors;
import io.felice.api.cluster.BrokerRegistration;
import io.felice.api.status.StatusTable;
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
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import org.apache.mina.core.polling.AbstractPollingIoProcessor;
import org.apache.mina.core.session.IoSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The listeners, the I/O threads and the shared state of all connections. Started once and stopped once. */
final class Server {
    private static final Logger log = LoggerFactory.getLogger(Server.class);

    private static final long DRAIN_NANOS = TimeUnit.SECONDS.toNanos(2);
    private static final long LEAVE_MS = 1000;
    private static final int UNLIMITED = Integer.MAX_VALUE;
    private static final long SHORTAGE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private final Settings settings;
    private final ApiTable apis;
    private final FrameMemory memory;
    private final RequestLog requestLog = new RequestLog();
    private final Complaints complaints = new Complaints(log);
    private final ExecutorService threads;
    private final List<RoundProcessor> processors = new ArrayList<>();
    private final AtomicInteger nextProcessor = new AtomicInteger();
    private final Map<Listener, ListenerAcceptor> acceptors = new LinkedHashMap<>();
    private final Map<Listener, ListenerCounters> counters = new LinkedHashMap<>();
    private final List<BrokerRegistration.Endpoint> endpoints = new ArrayList<>();

    private final AtomicInteger connections = new AtomicInteger();
    private final Map<InetAddress, Integer> connectionsByAddress = new ConcurrentHashMap<>();
    private final HeldRequests held;
    private final AtomicLong shortageTold = new AtomicLong(System.nanoTime());

    private final Consumer<ApiTable.Slot> onArrival = this::arrived;
    private final LongConsumer onDeparture = this::left;
    private volatile Limits limits;
    private volatile int connectionsPossible = UNLIMITED;

    Server(Settings settings, ApiTable apis) {
        this.settings = settings;
        this.apis = apis;
        this.limits = settings.limits();
        this.held = new HeldRequests(apis, this::limits);
        this.memory = new FrameMemory(limits.requestMemory());
        this.requestLog.switchTo(settings.requestLog());
        AtomicInteger number = new AtomicInteger();
        this.threads =
                Executors.newCachedThreadPool(task -> new Thread(task, "felice-network-" + number.incrementAndGet()));
        for (int i = 0; i < settings.threads(); i++) {
            processors.add(new RoundProcessor(i + 1, threads, this));
        }
        for (Listener listener : settings.listeners()) {
            counters.put(listener, new ListenerCounters());
        }
        apis.onChange(onArrival, onDeparture);
    }

    /**
     * Binds the listeners that are not bound yet. May be called again after a failure.
     *
     * @throws CannotListen with the name of the listener that failed
     */
    void bind() throws CannotListen {
        if (connectionsPossible == UNLIMITED) {
            limitConnections();
        }
        for (Listener listener : settings.listeners()) {
            if (acceptors.containsKey(listener)) {
                continue;
            }
            ListenerAcceptor acceptor =
                    new ListenerAcceptor(threads, this::nextProcessor, this, listener, counters.get(listener));
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

    /**
     * Limits connections to half of the file descriptors that are left; the other half is for the logs and other files.
     */
    private void limitConnections() {
        long possible = Math.min(UNLIMITED, Math.max(1, FileDescriptors.free() / 2));
        if (possible < limits.connections()) {
            log.warn(
                    "This process may have {} files and connections open, so {} clients may connect, not"
                            + " max.connections = {}. Raise the limit (ulimit -n, or LimitNOFILE of a systemd service)"
                            + " for more",
                    FileDescriptors.limit(),
                    possible,
                    limits.connections());
        }
        connectionsPossible = (int) possible;
    }

    private static InetSocketAddress address(Listener listener) throws IOException {
        if (listener.host().isEmpty()) {
            return new InetSocketAddress(listener.port());
        }
        return new InetSocketAddress(InetAddress.getByName(listener.host()), listener.port());
    }

    private static BrokerRegistration.Endpoint endpoint(Listener listener, InetSocketAddress bound) {
        String host = listener.advertisedHost();
        if (host.isEmpty()) {
            host = listener.bindsEverywhere() ? Settings.localHost() : listener.host();
        }
        int port = listener.advertisedPort() == 0 ? bound.getPort() : listener.advertisedPort();
        return new BrokerRegistration.Endpoint(listener.name(), listener.securityProtocol(), host, port);
    }

    List<BrokerRegistration.Endpoint> endpoints() {
        return List.copyOf(endpoints);
    }

    Settings settings() {
        return settings;
    }

    /** Applies new limits, also to open connections. */
    void adjust(Settings to) {
        limits = to.limits();
        memory.limit(limits.requestMemory());
        requestLog.switchTo(to.requestLog());
    }

    /** Stops accepting, answers the begun requests and closes everything. Waits for both, for a limited time. */
    void stop() {
        apis.removeOnChange(onArrival, onDeparture);
        acceptors.values().forEach(ListenerAcceptor::unbind);
        for (RoundProcessor processor : processors) {
            processor.execute(() -> processor.connections().forEach(Connection::drain));
        }
        awaitDrained();
        acceptors.values().forEach(ListenerAcceptor::dispose);
        processors.forEach(RoundProcessor::dispose);
        threads.shutdown();
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

    FrameMemory memory() {
        return memory;
    }

    ApiTable apis() {
        return apis;
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

    boolean admits(IoSession session) {
        InetAddress address = ((InetSocketAddress) session.getRemoteAddress()).getAddress();
        int ofAddress = connectionsByAddress.merge(address, 1, Integer::sum);
        int most = Math.min(limits.connections(), connectionsPossible);
        if (connections.incrementAndGet() > most || ofAddress > limits.connectionsPerAddress()) {
            left(address);
            complaints.warn("Refusing a connection of " + address.getHostAddress() + ": there are " + connections.get()
                    + " already, " + (ofAddress - 1) + " of them its own");
            return false;
        }
        return true;
    }

    void left(InetAddress address) {
        connections.decrementAndGet();
        connectionsByAddress.computeIfPresent(address, (key, count) -> count == 1 ? null : count - 1);
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
        return List.of(requests(), listeners(), memoryTable());
    }

    private StatusTable requests() {
        List<List<Object>> rows = new ArrayList<>();
        for (short key = 0; key < ApiTable.KEYS; key++) {
            List<Object> row = row(key);
            if (apis.slot(key) != null || (long) row.get(1) > 0) {
                rows.add(row);
            }
        }
        return new StatusTable(
                "network.requests",
                List.of(
                        "api",
                        "requests",
                        "in.bytes",
                        "out.bytes",
                        "failed",
                        "total.ms",
                        "max.ms",
                        "in.flight",
                        "held"),
                rows);
    }

    private List<Object> row(short key) {
        long[] sums = new long[7];
        long longest = 0;
        for (RoundProcessor processor : processors) {
            RequestCounters of = processor.counters(key);
            sums[0] += of.requests.get();
            sums[1] += of.bytesIn.get();
            sums[2] += of.bytesOut.get();
            sums[3] += of.errors.get();
            sums[4] += of.nanos.get();
            sums[5] += of.inFlight.get();
            sums[6] += of.held.get();
            longest = Math.max(longest, of.longestNanos.get());
        }
        return List.of(
                ApiNames.of(key), sums[0], sums[1], sums[2], sums[3], sums[4] / 1e6, longest / 1e6, sums[5], sums[6]);
    }

    private StatusTable listeners() {
        List<List<Object>> rows = new ArrayList<>();
        counters.forEach((listener, of) -> rows.add(List.of(
                listener.name(),
                of.open.get(),
                of.accepted.get(),
                of.closed.get(),
                of.refused.get(),
                of.idleClosed.get(),
                of.stalledClosed.get(),
                of.memoryClosed.get(),
                of.malformed.get())));
        return new StatusTable(
                "network.connections",
                List.of(
                        "listener",
                        "open",
                        "accepted",
                        "closed",
                        "refused",
                        "idle.closed",
                        "stalled.closed",
                        "memory.closed",
                        "malformed"),
                rows);
    }

    private StatusTable memoryTable() {
        Limits now = limits;
        long answers = processors.stream().mapToLong(RoundProcessor::answers).sum();
        long answerBytes =
                processors.stream().mapToLong(RoundProcessor::answerBytes).sum();
        long pins = processors.stream().mapToLong(RoundProcessor::pins).sum();
        long paused = processors.stream().mapToLong(RoundProcessor::paused).sum();
        return new StatusTable(
                "network.memory",
                List.of("what", "used", "limit"),
                List.of(
                        List.of("requests.bytes", memory.used(), now.requestMemory()),
                        List.of("answers.bytes", answerBytes, now.responseBytes() * Math.max(1, connections.get())),
                        List.of("answers", answers, (long) now.inFlight()),
                        List.of("pins", pins, (long) now.inFlight()),
                        List.of("paused.connections", paused, (long) now.connections()),
                        List.of("held.requests", held.requests(), (long) now.heldRequests()),
                        List.of("held.bytes", held.bytes(), now.heldBytes())));
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
