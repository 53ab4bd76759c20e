package io.felice.wire.mqtt;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** The wills that wait for their delay, at most one of a session. Any thread. */
final class Wills {
    private final ScheduledExecutorService timer;
    private final Map<String, Runnable> waiting = new ConcurrentHashMap<>();

    Wills(ScheduledExecutorService timer) {
        this.timer = timer;
    }

    /**
     * Publishes the will of a client when the delay is over: at once if the wire is stopped already, and never if it is
     * stopped before.
     *
     * @param publish called once at most
     */
    void publishAfter(long delaySeconds, String clientId, Runnable publish) {
        waiting.put(clientId, publish);
        try {
            timer.schedule(
                    () -> {
                        if (waiting.remove(clientId, publish)) {
                            publish.run();
                        }
                    },
                    delaySeconds,
                    TimeUnit.SECONDS);
        } catch (RejectedExecutionException stopped) {
            sessionEnds(clientId);
        }
    }

    /** The client has come back to its session: its will is not published. */
    void sessionGoesOn(String clientId) {
        waiting.remove(clientId);
    }

    /** The session ends before the delay of its will is over: the will is published now. */
    void sessionEnds(String clientId) {
        Runnable publish = waiting.remove(clientId);
        if (publish != null) {
            publish.run();
        }
    }
}
