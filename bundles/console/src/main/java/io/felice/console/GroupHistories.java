package io.felice.console;

import io.felice.api.group.Groups;
import io.felice.api.group.Groups.FetchedOffsets;
import io.felice.console.http.ApiRequest;
import io.felice.console.live.NodeHistory;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** How far groups were behind in the last hour: of those groups that somebody looks at. Any thread. */
final class GroupHistories {
    private static final int MOST = 64;
    private static final int EVERY_SECONDS = 10;
    private static final long FORGOTTEN_NANOS = TimeUnit.HOURS.toNanos(1);

    private final NodeServices services;
    private final GroupReading reading;
    private final Map<String, Watched> watched = new ConcurrentHashMap<>();

    GroupHistories(NodeServices services, GroupReading reading, ScheduledExecutorService timer) {
        this.services = services;
        this.reading = reading;
        timer.scheduleWithFixedDelay(this::sample, EVERY_SECONDS, EVERY_SECONDS, TimeUnit.SECONDS);
    }

    private final class Watched {
        final NodeHistory history;
        volatile long seenAt = System.nanoTime();

        Watched(String group) {
            history = new NodeHistory(Map::of, () -> lag(group));
            history.sample(System.currentTimeMillis());
        }
    }

    /** The history of a group, from now on if nobody has looked at the group before. */
    NodeHistory of(String group) {
        long now = System.nanoTime();
        watched.values().removeIf(each -> now - each.seenAt > FORGOTTEN_NANOS);
        if (watched.size() >= MOST && !watched.containsKey(group)) {
            watched.entrySet().stream()
                    .min((one, other) -> Long.compare(one.getValue().seenAt, other.getValue().seenAt))
                    .ifPresent(oldest -> watched.remove(oldest.getKey()));
        }
        Watched found = watched.computeIfAbsent(group, Watched::new);
        found.seenAt = now;
        return found.history;
    }

    private void sample() {
        long now = System.currentTimeMillis();
        watched.values().forEach(each -> each.history.sample(now));
    }

    private Map<String, Double> lag(String group) {
        try {
            FetchedOffsets offsets =
                    ApiRequest.await(services.need(Groups.class).fetchOffsets(group, Optional.empty(), false));
            Long lag = reading.lag(offsets.offsets()).records();
            return lag == null ? Map.of() : Map.of("lag", lag.doubleValue());
        } catch (RuntimeException away) {
            return Map.of();
        }
    }
}
