package io.felice.console.live;

import io.felice.console.http.Json;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.AsyncEvent;
import jakarta.servlet.AsyncListener;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.WriteListener;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A stream of server-sent events to one client. Nobody waits for a slow client: what it does not take is kept up to a limit,
 * and events beyond the limit are left out. Any thread.
 */
public final class EventStream {
    private static final int MOST_BYTES = 4 << 20;

    private final AsyncContext async;
    private final ServletOutputStream out;
    private final Runnable onEnd;
    private final Deque<byte[]> waiting = new ArrayDeque<>();
    private final AtomicBoolean ended = new AtomicBoolean();
    private int waitingBytes;
    private boolean needsFlush;

    /** @param onEnd runs once when the stream has ended */
    EventStream(AsyncContext async, HttpServletResponse response, Runnable onEnd) throws IOException {
        this.async = async;
        this.onEnd = onEnd;
        async.setTimeout(0);
        async.addListener(new Ending());
        response.setStatus(200);
        response.setContentType("text/event-stream;charset=utf-8");
        response.setHeader("Cache-Control", "no-store");
        response.setHeader("X-Accel-Buffering", "no");
        out = response.getOutputStream();
        out.setWriteListener(new Writing());
    }

    /** @return false if the event is left out, because the client is slow or has gone */
    public boolean send(String event, Object data) {
        return write("event: " + event + "\ndata: " + Json.text(data) + "\n\n");
    }

    boolean ping() {
        return write(": \n\n");
    }

    private boolean write(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        synchronized (this) {
            if (ended.get() || waitingBytes + bytes.length > MOST_BYTES) {
                return false;
            }
            waiting.add(bytes);
            waitingBytes += bytes.length;
        }
        pump();
        return true;
    }

    public boolean isOpen() {
        return !ended.get();
    }

    public void end() {
        if (ended.compareAndSet(false, true)) {
            onEnd.run();
            try {
                async.complete();
            } catch (IllegalStateException over) {
                return;
            }
        }
    }

    private void pump() {
        try {
            synchronized (this) {
                while (!ended.get() && out.isReady()) {
                    if (!waiting.isEmpty()) {
                        byte[] next = waiting.poll();
                        waitingBytes -= next.length;
                        needsFlush = true;
                        out.write(next);
                    } else if (needsFlush) {
                        needsFlush = false;
                        out.flush();
                    } else {
                        return;
                    }
                }
            }
        } catch (IOException | IllegalStateException gone) {
            end();
        }
    }

    private final class Writing implements WriteListener {
        @Override
        public void onWritePossible() {
            pump();
        }

        @Override
        public void onError(Throwable gone) {
            end();
        }
    }

    private final class Ending implements AsyncListener {
        @Override
        public void onComplete(AsyncEvent event) {
            end();
        }

        @Override
        public void onTimeout(AsyncEvent event) {
            end();
        }

        @Override
        public void onError(AsyncEvent event) {
            end();
        }

        @Override
        public void onStartAsync(AsyncEvent event) {}
    }
}
