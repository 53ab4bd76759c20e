package io.felice.broker;

import io.felice.api.FeliceException;
import io.felice.broker.engine.MountedEngine;
import io.felice.broker.partition.LogCopy;
import io.felice.broker.partition.Pace;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Copies logs to one engine: a few at a time, in turns. It has a thread of its own, so that an engine that hangs keeps no
 * log from being moved to another one. The thread ends when there is nothing to copy.
 */
final class Mover implements Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(Mover.class);
    private static final int CHUNK_BYTES = 1 << 20;
    private static final int LEAST_CHUNK_BYTES = 16 << 10;
    /** A copy that is behind by more is not put in the log's place yet: appends would wait for too long. */
    private static final int MOST_LEFT_BYTES = 512 << 10;
    /** If so many flushes were not enough, the switch waits for what is left: appends are faster than the device. */
    private static final int MOST_FLUSHES = 3;

    private static final long FLUSH_BYTES = 32L << 20;
    private static final int MOST_AT_ONCE = 4;
    private static final long NAP_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
    private static final long FIRST_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(500);
    private static final int DOUBLINGS = 6;
    private static final long MOST_SWITCH_SECONDS = 120;

    /** What the mover asks the broker for. */
    interface Work {
        /** The moves to the engine, in the order in which they were asked for. */
        List<Move> of(MountedEngine engine);

        /**
         * Opens the copy of a log. Blocks.
         *
         * @return null if the log is not open, or cannot be copied yet
         */
        LogCopy open(Move move, MountedEngine engine) throws IOException;

        /** True if the log that is copied is still the replica's log. */
        boolean isCurrent(Move move, LogCopy copy);

        /** Lets the copy take the log's place. Done with false if it cannot be done now. */
        CompletableFuture<Boolean> takeOver(Move move, LogCopy copy);

        /** Deletes the copy of a move that was cancelled. Blocks. */
        void drop(Move move, MountedEngine engine) throws IOException;
    }

    private final MountedEngine engine;
    private final Work work;
    private final LongSupplier nanos;
    private final DoubleSupplier rate;
    private final Pace pace;
    private final CompletableFuture<Void> ended = new CompletableFuture<>();
    private volatile boolean closed;
    private volatile Move atWork;

    /** @param rate how much may be copied, in bytes per second */
    Mover(MountedEngine engine, Work work, LongSupplier nanos, DoubleSupplier rate) {
        this.engine = engine;
        this.work = work;
        this.nanos = nanos;
        this.rate = rate;
        this.pace = new Pace(rate, nanos, LockSupport::parkNanos, this::mustGoOn);
    }

    MountedEngine engine() {
        return engine;
    }

    boolean hasEnded() {
        return ended.isDone();
    }

    /** The result is done when the copies are closed. They go on when the engine is mounted again. */
    CompletableFuture<Void> close() {
        closed = true;
        return ended;
    }

    /** Ends the wait of a throttled copy. */
    private static final class Interrupted extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    private void mustGoOn() {
        if (closed || atWork.isCancelled()) {
            throw new Interrupted();
        }
    }

    @Override
    public void run() {
        try {
            List<Move> moves = work.of(engine);
            while (!closed && !moves.isEmpty()) {
                if (!turn(moves)) {
                    LockSupport.parkNanos(NAP_NANOS);
                }
                moves = work.of(engine);
            }
        } finally {
            work.of(engine).forEach(this::closeCopy);
            ended.complete(null);
        }
    }

    /** @return false if there was nothing to do */
    private boolean turn(List<Move> moves) {
        boolean worked = false;
        int open = 0;
        for (Move move : new ArrayList<>(moves)) {
            boolean counts = move.copy != null || move.isCancelled() || open < MOST_AT_ONCE;
            if (counts && !closed && !isPausing(move)) {
                worked |= advance(move);
            }
            open += move.copy == null ? 0 : 1;
        }
        return worked;
    }

    private boolean isPausing(Move move) {
        return move.pauseNanos > 0 && nanos.getAsLong() - move.pausedAt < move.pauseNanos && !move.isCancelled();
    }

    private void pause(Move move) {
        move.pausedAt = nanos.getAsLong();
        move.pauseNanos = FIRST_PAUSE_NANOS << Math.min(DOUBLINGS, move.failures++);
    }

    private boolean advance(Move move) {
        atWork = move;
        try {
            boolean worked = move.isCancelled() ? drop(move) : copy(move);
            move.problem = worked ? "" : move.problem;
            return worked;
        } catch (Interrupted interrupted) {
            return true;
        } catch (IOException | RuntimeException | Error failure) {
            failed(move, FeliceException.unwrap(failure));
            return false;
        }
    }

    private void failed(Move move, Throwable failure) {
        String problem = String.valueOf(failure.getMessage());
        if (!problem.equals(move.problem)) {
            LOG.warn(
                    "{} is not moved to {} at the moment; the next attempts follow: {}",
                    move.partition(),
                    move.to,
                    failure.toString());
        }
        move.problem = problem;
        closeCopy(move);
        move.flushes = 0;
        pause(move);
    }

    private boolean drop(Move move) throws IOException {
        closeCopy(move);
        work.drop(move, engine);
        return true;
    }

    private boolean copy(Move move) throws IOException {
        LogCopy copy = move.copy;
        if (copy != null && !work.isCurrent(move, copy)) {
            closeCopy(move);
            copy = null;
        }
        if (copy == null) {
            copy = work.open(move, engine);
            if (copy == null) {
                return false;
            }
            move.copy = copy;
        }
        int bytes = copy.step(chunk());
        move.copiedBytes += bytes;
        move.unflushedBytes += bytes;
        if (move.unflushedBytes >= FLUSH_BYTES) {
            flush(move, copy);
        }
        if (copy.isCaughtUp() && bytes <= MOST_LEFT_BYTES) {
            return switchOver(move, copy);
        }
        move.failures = bytes > 0 ? 0 : move.failures;
        pace.moved(bytes);
        return bytes > 0;
    }

    private int chunk() {
        return (int) Math.max(LEAST_CHUNK_BYTES, Math.min(CHUNK_BYTES, rate.getAsDouble()));
    }

    private static void flush(Move move, LogCopy copy) {
        copy.flush();
        move.unflushedBytes = 0;
    }

    /** Most of the copy is flushed before, so that the switch waits for little. */
    private boolean switchOver(Move move, LogCopy copy) {
        if (move.unflushedBytes > MOST_LEFT_BYTES && move.flushes < MOST_FLUSHES) {
            move.flushes++;
            flush(move, copy);
            return true;
        }
        if (!hasTakenOver(move, copy)) {
            pause(move);
            return false;
        }
        move.copy = null;
        return true;
    }

    /** A copy whose switch has begun is not closed before the switch has ended. */
    private boolean hasTakenOver(Move move, LogCopy copy) {
        CompletableFuture<Boolean> switched = work.takeOver(move, copy);
        try {
            return switched.get(MOST_SWITCH_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException failure) {
            throw FeliceException.unwrap(failure) instanceof RuntimeException bare
                    ? bare
                    : new IllegalStateException(failure);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            move.copy = null;
            throw new Interrupted();
        } catch (TimeoutException late) {
            move.copy = null;
            throw new IllegalStateException("The switch to " + move.to + " has not ended", late);
        }
    }

    /** Does nothing to a copy that has taken its log's place, or that another mover has opened. */
    private void closeCopy(Move move) {
        LogCopy copy = move.copy;
        if (copy == null || copy.log().engine() != engine) {
            return;
        }
        move.copy = null;
        if (copy.hasTakenOver()) {
            return;
        }
        try {
            copy.close();
        } catch (RuntimeException failure) {
            LOG.debug("The copy of {} was not closed cleanly", move.partition(), failure);
        }
    }
}
