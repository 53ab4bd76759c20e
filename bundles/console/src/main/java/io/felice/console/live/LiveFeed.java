package io.felice.console.live;

import io.felice.console.http.Answer;
import io.felice.console.http.ApiRequest;
import io.felice.console.http.Json;
import io.felice.console.http.Problem;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.LoggerFactory;

/** Samples the numbers of the node once a second, and passes what is new to the open pages. */
public final class LiveFeed {
    private static final io.felice.api.FoldedErrors errors =
            new io.felice.api.FoldedErrors(LoggerFactory.getLogger(LiveFeed.class));
    private static final Set<String> TOPICS = Set.of("metrics", "overview", "operations", "changes");
    private static final int OVERVIEW_EVERY = 2;

    private final NodeHistory history;
    private final EventStreams streams;
    private final Supplier<?> overview;
    private final Supplier<Map<String, Object>> states;
    private final Map<EventStream, Set<String>> open = new ConcurrentHashMap<>();
    private Map<String, Object> before = Map.of();
    private String overviewBefore = "";
    private long turns;

    /** @param states the state of each kind of thing; when it is another one, pages read the things again */
    public LiveFeed(
            ScheduledExecutorService timer,
            NodeHistory history,
            EventStreams streams,
            Operations operations,
            Supplier<?> overview,
            Supplier<Map<String, Object>> states) {
        this.history = history;
        this.streams = streams;
        this.overview = overview;
        this.states = states;
        operations.listen(operation -> send("operations", "operation", operation));
        timer.scheduleAtFixedRate(this::turn, 1, 1, TimeUnit.SECONDS);
    }

    /** Opens a stream for a page. */
    public Answer open(ApiRequest request) throws IOException {
        Set<String> wanted = request.query("topics")
                .map(text -> Set.copyOf(List.of(text.split(","))))
                .orElse(TOPICS);
        if (!TOPICS.containsAll(wanted)) {
            throw Problem.invalid("The parameter topics has some of metrics, overview, operations, changes.");
        }
        open.put(streams.begin(request), wanted);
        return Answer.STREAMED;
    }

    public Answer history(ApiRequest request) {
        List<String> names = request.query("names")
                .map(text -> Arrays.stream(text.split(","))
                        .map(String::trim)
                        .filter(name -> !name.isEmpty())
                        .limit(32)
                        .toList())
                .orElse(List.of());
        return Answer.of(history.shown(names, request.query("minutes", 1, 60, 60)));
    }

    private void turn() {
        try {
            open.keySet().removeIf(stream -> !stream.isOpen());
            Map<String, Double> values = history.sample(System.currentTimeMillis());
            Map<String, Object> event = new TreeMap<>(values);
            event.put("time", System.currentTimeMillis() / 1_000);
            send("metrics", "metrics", event);
            sendChanges();
            if (turns++ % OVERVIEW_EVERY == 0 && isWatched("overview")) {
                sendOverview();
            }
        } catch (RuntimeException accident) {
            errors.error("Live data cannot be sent", accident);
        }
    }

    private void sendOverview() {
        try {
            Object now = overview.get();
            String text = Json.text(now);
            if (!text.equals(overviewBefore)) {
                overviewBefore = text;
                send("overview", "overview", now);
            }
        } catch (Problem away) {
            send("overview", "problem", away.body());
        }
    }

    private record Changed(String kind) {}

    private void sendChanges() {
        Map<String, Object> now = states.get();
        now.forEach((kind, state) -> {
            if (!Optional.ofNullable(before.get(kind)).filter(state::equals).isPresent() && !before.isEmpty()) {
                send("changes", "changed", new Changed(kind));
            }
        });
        before = now;
    }

    private boolean isWatched(String topic) {
        return open.values().stream().anyMatch(wanted -> wanted.contains(topic));
    }

    private void send(String topic, String event, Object data) {
        open.forEach((stream, wanted) -> {
            if (wanted.contains(topic)) {
                stream.send(event, data);
            }
        });
    }
}
