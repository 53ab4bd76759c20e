package io.felice.network;

import io.felice.api.FoldedErrors;
import io.felice.api.Turn;
import io.felice.protocol.ResponseFrame;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.mina.core.buffer.IoBuffer;
import org.apache.mina.transport.socket.nio.NioProcessor;
import org.apache.mina.transport.socket.nio.NioSession;
import org.slf4j.LoggerFactory;

/**
 * An I/O thread that works in rounds: it reads and dispatches the requests of its connections, runs the actions that
 * were deferred to the end of the round, and then writes the answers.
 *
 * <p>MINA's processor selects, registers, and notices closed sockets. Frames are read in place ({@link FrameReader})
 * and answers are written from an {@link Outbox}. Other threads put completed requests into a mailbox, and wake this
 * thread only if it is waiting.
 */
public final class RoundProcessor extends NioProcessor {
    private static final FoldedErrors errors = new FoldedErrors(LoggerFactory.getLogger(RoundProcessor.class));

    private static final int SCRATCH_BYTES = 64 * 1024;
    private static final int PASSES = 8;
    private static final long TICK_NANOS = 500_000_000L;
    private static final long SHORT_TICK_NANOS = 20_000_000L;
    private static final long OLD_FRAME_NANOS = 500_000_000L;

    private final String name;
    private final Server server;
    private final Turn turn = this::defer;
    private final ByteBuffer scratch = ByteBuffer.allocateDirect(SCRATCH_BYTES);
    private final Outbox.Staging staging = new Outbox.Staging();
    private final TlsBuffers tls;
    private final RequestCounters[] counters = new RequestCounters[ApiTable.KEYS];

    private final AtomicBoolean sleeping = new AtomicBoolean();
    private final AtomicBoolean again = new AtomicBoolean();
    private final Queue<PendingResponse> completedElsewhere = new ConcurrentLinkedQueue<>();
    private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
    private final ArrayDeque<PendingResponse> completedHere = new ArrayDeque<>();
    private final ArrayDeque<Connection> dirty = new ArrayDeque<>();
    private final Set<Connection> connections = new LinkedHashSet<>();
    private final Set<Connection> waiting = new LinkedHashSet<>();
    private final Set<Connection> starving = new LinkedHashSet<>();
    private final Set<Connection> blocked = new LinkedHashSet<>();
    private final Set<Connection> muted = new LinkedHashSet<>();
    private final ArrayDeque<Connection> received = new ArrayDeque<>();
    private List<Runnable> deferred = new ArrayList<>();
    private List<Runnable> running = new ArrayList<>();

    private final Counter connectionCount = new Counter();
    private final Counter inFlight = new Counter();
    private final Counter inFlightBytes = new Counter();
    private final Counter answerBytes = new Counter();
    private final Counter answers = new Counter();
    private final Counter pins = new Counter();
    private final Counter paused = new Counter();
    private long ticked = System.nanoTime();
    private volatile Thread thread;
    /** When the thread has entered the code of a wire, by {@link System#nanoTime}; 0 if it is not there. */
    private volatile long inWireSince;

    /** @param name of the thread */
    RoundProcessor(String name, Executor executor, Server server) {
        super(executor);
        this.name = name;
        this.server = server;
        this.tls = new TlsBuffers(server.memory());
        for (int key = 0; key < counters.length; key++) {
            counters[key] = new RequestCounters();
        }
    }

    // ---- from any thread ----

    /** Called when a stage has completed. The answer is written in this thread's next round. */
    void completed(PendingResponse pending) {
        if (Thread.currentThread() == thread) {
            completedHere.add(pending);
        } else {
            completedElsewhere.add(pending);
            wakeup();
        }
    }

    /** Runs the task on this thread. False if the processor has no connections and therefore no thread. */
    boolean execute(Runnable task) {
        if (connectionCount.get() == 0) {
            return false;
        }
        tasks.add(task);
        wakeup();
        return true;
    }

    boolean isCurrentThread() {
        return Thread.currentThread() == thread;
    }

    void entersWire() {
        inWireSince = System.nanoTime() | 1;
    }

    void leavesWire() {
        inWireSince = 0;
    }

    /** True if the thread has been in one call of a wire for that long. Any thread. */
    boolean isInWireFor(long nanos) {
        long since = inWireSince;
        return since != 0 && System.nanoTime() - since > nanos;
    }

    /** Null before the first connection. */
    Thread thread() {
        return thread;
    }

    long connectionCount() {
        return connectionCount.get();
    }

    long inFlight() {
        return inFlight.get();
    }

    long answerBytes() {
        return answerBytes.get();
    }

    long answers() {
        return answers.get();
    }

    long pins() {
        return pins.get();
    }

    long paused() {
        return paused.get();
    }

    RequestCounters counters(short key) {
        return counters[key];
    }

    @Override
    protected void wakeup() {
        again.set(true);
        if (Thread.currentThread() != thread && sleeping.compareAndSet(true, false)) {
            super.wakeup();
        }
    }

    // ---- the round ----

    /** The end of one round and the wait for the next. */
    @Override
    protected int select(long timeout) throws Exception {
        thread = Thread.currentThread();
        tick();
        finishRound();
        sleeping.set(true);
        if (again.getAndSet(false) || hasWork()) {
            sleeping.set(false);
            wakeupCalled.set(true);
            return selector.selectNow();
        }
        int selected =
                super.select(isHurried() ? SHORT_TICK_NANOS / 1_000_000 : Math.min(timeout, TICK_NANOS / 1_000_000));
        if (selected == 0) {
            // MINA treats a short wait without a result as a broken selector and replaces it, unless it was woken up.
            wakeupCalled.set(true);
        }
        sleeping.set(false);
        return selected;
    }

    @Override
    protected int read(NioSession session, IoBuffer unused) {
        Connection connection = Connection.of(session);
        if (connection != null) {
            connection.readable();
        }
        return 0;
    }

    /** Tells the connection, and returns false to MINA, which has nothing to write. */
    @Override
    protected boolean isWritable(NioSession session) {
        Connection connection = super.isWritable(session) ? Connection.of(session) : null;
        if (connection != null) {
            connection.writable();
        }
        return false;
    }

    private void finishRound() {
        for (int pass = 0; pass < PASSES; pass++) {
            settle();
            runDeferred();
            settle();
            runTasks();
            flush();
            boolean moved = resumeBlocked() | readReceived();
            if (!moved && completedHere.isEmpty() && deferred.isEmpty()) {
                return;
            }
        }
    }

    private boolean hasWork() {
        return !completedElsewhere.isEmpty()
                || !tasks.isEmpty()
                || !completedHere.isEmpty()
                || !deferred.isEmpty()
                || !dirty.isEmpty()
                || !received.isEmpty();
    }

    private boolean isHurried() {
        return !waiting.isEmpty() || !starving.isEmpty() || !blocked.isEmpty() || !muted.isEmpty();
    }

    /** Runs after the deferred actions, so that the actions of a removed handler have run. */
    private void runTasks() {
        for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
            run(task);
        }
    }

    private void settle() {
        for (PendingResponse next = completedElsewhere.poll(); next != null; next = completedElsewhere.poll()) {
            settle(next);
        }
        for (PendingResponse next = completedHere.poll(); next != null; next = completedHere.poll()) {
            settle(next);
        }
    }

    private static void settle(PendingResponse pending) {
        pending.connection.settle(pending);
    }

    private void defer(Runnable action) {
        if (!isCurrentThread()) {
            throw new IllegalStateException("a turn belongs to its I/O thread and to the call that brought it");
        }
        deferred.add(action);
    }

    private void runDeferred() {
        while (!deferred.isEmpty()) {
            List<Runnable> actions = deferred;
            deferred = running;
            running = actions;
            actions.forEach(RoundProcessor::run);
            actions.clear();
        }
    }

    private static void run(Runnable action) {
        try {
            action.run();
        } catch (Throwable failure) {
            errors.error("An action at the end of a round failed", failure);
        }
    }

    private void flush() {
        for (int left = dirty.size(); left > 0; left--) {
            dirty.poll().flush();
        }
    }

    /** Resumes connections whose received requests waited for a limit. */
    private boolean resumeBlocked() {
        if (blocked.isEmpty()) {
            return false;
        }
        List<Connection> candidates = new ArrayList<>(blocked);
        blocked.clear();
        boolean moved = false;
        for (Connection connection : candidates) {
            if (connection.mayBegin()) {
                connection.resume();
                moved = true;
            } else if (!connection.isClosed() && !mayBegin()) {
                // A limit of this thread stops it. A connection that reaches its own limit is added again elsewhere.
                blocked.add(connection);
            }
        }
        return moved;
    }

    /** Reads what the transports of connections have received already; the selector does not report it. */
    private boolean readReceived() {
        boolean moved = !received.isEmpty();
        for (int left = received.size(); left > 0; left--) {
            received.poll().readable();
        }
        return moved;
    }

    private void tick() {
        long now = System.nanoTime();
        if (now - ticked < (isHurried() ? SHORT_TICK_NANOS : TICK_NANOS)) {
            return;
        }
        boolean slow = now - ticked >= TICK_NANOS;
        ticked = now;
        waitingNow().stream()
                .filter(connection -> connection.hasHeldEnough(now))
                .forEach(Connection::resume);
        feedStarving(now);
        unmute(now);
        if (slow || connections.size() < 64) {
            List.copyOf(connections).forEach(connection -> connection.check(now));
        }
    }

    private List<Connection> waitingNow() {
        return List.copyOf(waiting);
    }

    /** Oldest frame first. Frames that have waited for memory for a while come last. */
    private void feedStarving(long now) {
        if (starving.isEmpty()) {
            return;
        }
        List<Connection> hungry = new ArrayList<>(starving);
        starving.clear();
        hungry.sort(Comparator.<Connection, Boolean>comparing(connection -> isOld(connection, now))
                .thenComparingLong(Connection::incompleteSince));
        hungry.forEach(Connection::resume);
        hungry.stream().filter(Connection::isStarving).forEach(starving::add);
        if (!starving.isEmpty()) {
            server.memoryIsShort();
        }
    }

    private void unmute(long now) {
        for (Connection connection : List.copyOf(muted)) {
            if (connection.isClosed() || connection.unmute(now)) {
                muted.remove(connection);
            }
        }
    }

    private static boolean isOld(Connection connection, long now) {
        return now - connection.incompleteSince() > OLD_FRAME_NANOS;
    }

    /** Closes the connection with the oldest incomplete frame, if that frame is older than a limit. */
    void closeOldestFrame() {
        long now = System.nanoTime();
        connections.stream()
                .filter(Connection::isIncomplete)
                .min(Comparator.comparingLong(Connection::incompleteSince))
                .filter(oldest -> isOld(oldest, now))
                .ifPresent(Connection::closeForMemory);
    }

    // ---- for the connections of this thread ----

    Turn turn() {
        return turn;
    }

    ByteBuffer scratch() {
        return scratch;
    }

    Outbox.Staging staging() {
        return staging;
    }

    void opened(Connection connection) {
        if (connections.isEmpty()) {
            Thread.currentThread().setName(name);
        }
        connections.add(connection);
        connectionCount.add(1);
    }

    void closed(Connection connection) {
        connections.remove(connection);
        waiting.remove(connection);
        starving.remove(connection);
        blocked.remove(connection);
        muted.remove(connection);
        connectionCount.add(-1);
        if (connections.isEmpty()) {
            settle();
            runTasks();
        }
    }

    List<Connection> connections() {
        return List.copyOf(connections);
    }

    void dirty(Connection connection) {
        dirty.add(connection);
    }

    void waiting(Connection connection) {
        waiting.add(connection);
    }

    void notWaiting(Connection connection) {
        waiting.remove(connection);
    }

    void starving(Connection connection) {
        starving.add(connection);
    }

    void blocked(Connection connection) {
        blocked.add(connection);
    }

    void muted(Connection connection) {
        muted.add(connection);
    }

    void received(Connection connection) {
        received.add(connection);
    }

    TlsBuffers tls() {
        return tls;
    }

    /** Called when an API has a handler again. */
    void retryWaiting() {
        waitingNow().forEach(Connection::resume);
    }

    boolean mayBegin() {
        return inFlight.get() < server.inFlightPerThread() && inFlightBytes.get() < server.inFlightBytesPerThread();
    }

    void began(PendingResponse pending) {
        inFlight.add(1);
        inFlightBytes.add(pending.requestBytes);
        RequestCounters of = counters[pending.api.key()];
        of.requests.add(1);
        of.bytesIn.add(pending.requestBytes + (long) Integer.BYTES);
        of.inFlight.add(1);
    }

    void ended(PendingResponse pending) {
        inFlight.add(-1);
        inFlightBytes.add(-pending.requestBytes);
        counters[pending.api.key()].inFlight.add(-1);
    }

    void ended(PendingResponse pending, long bytesOut, long now) {
        ended(pending);
        RequestCounters of = counters[pending.api.key()];
        of.bytesOut.add(bytesOut);
        of.nanos.add(now - pending.beganAt);
        of.longestNanos.raiseTo(now - pending.beganAt);
    }

    void answered(ResponseFrame frame) {
        answers.add(1);
        answerBytes.add(frame.sizeInBytes());
        pins.add(frame.pins());
    }

    /** Called when the answer was sent or will not be sent. Releases its pins. */
    void done(ResponseFrame frame) {
        answers.add(-1);
        answerBytes.add(-frame.sizeInBytes());
        pins.add(-frame.pins());
        frame.close();
    }

    void paused(int change) {
        paused.add(change);
    }

    void interestInRead(NioSession session, boolean interested) {
        try {
            setInterestedInRead(session, interested);
        } catch (Exception cancelled) {
            session.closeNow();
        }
    }

    void interestInWrite(NioSession session, boolean interested) {
        try {
            setInterestedInWrite(session, interested);
        } catch (Exception cancelled) {
            session.closeNow();
        }
    }
}
