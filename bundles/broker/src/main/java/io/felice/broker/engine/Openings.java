package io.felice.broker.engine;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Opens the logs of one engine: a few at a time, those that a client waits for first. Any thread. */
public final class Openings {
    private static final Logger LOG = LoggerFactory.getLogger(Openings.class);

    private final Executor pool;
    private final int most;
    private final Deque<Opening> asked = new ArrayDeque<>();
    private final Deque<Opening> others = new ArrayDeque<>();
    private int running;
    private int atWork;
    private int mostAtWork;

    Openings(Executor pool, int most) {
        this.pool = pool;
        this.most = most;
    }

    public final class Opening {
        private final Runnable work;
        private boolean begun;
        private boolean hurried;

        private Opening(Runnable work) {
            this.work = work;
        }

        public void hurry() {
            synchronized (Openings.this) {
                if (!begun && !hurried) {
                    hurried = true;
                    asked.add(this);
                }
            }
        }
    }

    public Opening add(Runnable work) {
        Opening opening = new Opening(work);
        synchronized (this) {
            others.add(opening);
            if (running == most) {
                return opening;
            }
            running++;
        }
        pool.execute(this::work);
        return opening;
    }

    private void work() {
        for (Opening next = next(); next != null; next = next()) {
            try {
                next.work.run();
            } catch (RuntimeException | Error accident) {
                LOG.error("A log was not opened", accident);
            } finally {
                ended();
            }
        }
    }

    private synchronized void ended() {
        atWork--;
    }

    /** True while logs are being opened or wait to be opened. */
    public synchronized boolean areUnderWay() {
        return running > 0;
    }

    /** The most logs that were being opened at the same time. */
    public synchronized int mostAtOnce() {
        return mostAtWork;
    }

    private synchronized Opening next() {
        for (Deque<Opening> queue : List.of(asked, others)) {
            for (Opening first = queue.poll(); first != null; first = queue.poll()) {
                if (!first.begun) {
                    first.begun = true;
                    mostAtWork = Math.max(mostAtWork, ++atWork);
                    return first;
                }
            }
        }
        running--;
        return null;
    }
}
