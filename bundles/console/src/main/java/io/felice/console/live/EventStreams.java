package io.felice.console.live;

import io.felice.console.access.Session;
import io.felice.console.http.ApiRequest;
import io.felice.console.http.Problem;
import jakarta.servlet.AsyncContext;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/** The open streams: how many there may be, and when they end. */
public final class EventStreams {
    private static final int MOST = 256;
    private static final int MOST_OF_A_SESSION = 12;
    private static final int PING_SECONDS = 10;

    private final Map<EventStream, Session> open = new ConcurrentHashMap<>();
    private final Predicate<Session> goesOn;

    /** @param goesOn says whether a session still goes on; the streams of one that does not are ended */
    public EventStreams(ScheduledExecutorService timer, Predicate<Session> goesOn) {
        this.goesOn = goesOn;
        timer.scheduleWithFixedDelay(this::ping, PING_SECONDS, PING_SECONDS, TimeUnit.SECONDS);
    }

    /** @throws Problem too-many-requests */
    public EventStream begin(ApiRequest request) throws IOException {
        Session session = request.caller().session();
        long own = open.values().stream()
                .filter(each -> each.id().equals(session.id()))
                .count();
        if (open.size() >= MOST || own >= MOST_OF_A_SESSION) {
            throw Problem.of(429, "too-many-requests", "Too many streams are open. Close some pages of the console.");
        }
        AsyncContext async = request.http().startAsync(request.http(), request.response());
        EventStream[] stream = new EventStream[1];
        stream[0] = new EventStream(async, request.response(), () -> forget(stream[0]));
        open.put(stream[0], session);
        if (!stream[0].isOpen()) {
            open.remove(stream[0]);
        }
        stream[0].ping();
        return stream[0];
    }

    private void forget(EventStream stream) {
        if (stream != null) {
            open.remove(stream);
        }
    }

    private void ping() {
        open.forEach((stream, session) -> {
            if (isOver(session)) {
                stream.end();
            } else {
                stream.ping();
            }
        });
    }

    private boolean isOver(Session session) {
        try {
            return !goesOn.test(session);
        } catch (RuntimeException unknown) {
            return true;
        }
    }

    public int count() {
        return open.size();
    }

    public void close() {
        open.keySet().forEach(EventStream::end);
    }
}
