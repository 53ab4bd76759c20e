package io.felice.console;

import io.felice.console.access.Identification;
import io.felice.console.access.Permits;
import io.felice.console.access.SessionState;
import io.felice.console.access.Sessions;
import io.felice.console.http.Endpoint;
import io.felice.console.http.Router;
import io.felice.console.live.EventStreams;
import io.felice.console.live.LiveFeed;
import io.felice.console.live.NodeHistory;
import io.felice.console.live.Operations;
import jakarta.servlet.Servlet;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/** The REST API over the services of a node. Has no class of OSGi, so that a test can serve it. */
final class ConsoleApi implements AutoCloseable {
    private final Sessions sessions;
    private final Identification identification;
    private final Router router;
    private final MetricsServlet metrics;
    private final HealthServlet health;
    private final ScheduledExecutorService timer = Executors.newScheduledThreadPool(2, ConsoleApi::thread);
    private final EventStreams streams;
    private final Uploads uploads;

    ConsoleApi(
            NodeServices services,
            SessionState kept,
            Supplier<ConsoleSettings> settings,
            String version,
            Optional<Path> data) {
        ConsoleSettings now = settings.get();
        sessions = new Sessions(Clock.systemUTC(), kept, services, idle(now), longest(now));
        Permits permits = new Permits(services);
        identification = new Identification(sessions, permits);
        Map<String, Endpoint> endpoints = new HashMap<>();
        new SessionEndpoints(services, sessions, permits, identification, settings, version).addTo(endpoints);
        Audited audited = new Audited(services);
        LogSizes sizes = new LogSizes(services);
        GroupReading groups = new GroupReading(services, permits);
        ConfigEdits edits = new ConfigEdits(services, audited);
        StatusTables tables = new StatusTables(services);
        NodeNumbers numbers = new NodeNumbers(services, tables);
        Operations operations = new Operations(Clock.systemUTC());
        NodeHistory history = new NodeHistory(numbers::counters, numbers::gauges);
        streams = new EventStreams(timer, sessions::goesOn);
        uploads = new Uploads(() -> settings.get().upload_max_bytes());
        BrokerEndpoints brokers = new BrokerEndpoints(services, permits, edits, tables, sizes, audited, version);
        OverviewEndpoints overview = new OverviewEndpoints(services, permits, brokers, history, tables);
        LiveFeed live = new LiveFeed(timer, history, streams, operations, overview::overview, numbers::states);
        tables.addTo(endpoints);
        brokers.addTo(endpoints);
        overview.addTo(endpoints);
        endpoints.put("getEvents", live::open);
        endpoints.put("getMetricsHistory", live::history);
        new OperationEndpoints(services, permits, operations, sizes, audited).addTo(endpoints);
        new PluginEndpoints(services, permits, operations, uploads, audited).addTo(endpoints);
        new SecurityEndpoints(services, permits, audited).addTo(endpoints);
        new ConfigurationEndpoints(
                        services,
                        new SettingsHistory(data.map(each -> each.resolve("console/settings.ndjson"))
                                .orElse(null)),
                        audited)
                .addTo(endpoints);
        new TopicEndpoints(services, permits, sizes, groups, edits, audited).addTo(endpoints);
        new GroupEndpoints(services, permits, groups, new GroupHistories(services, groups, timer), audited)
                .addTo(endpoints);
        new RecordEndpoints(services, permits, streams, timer, audited, settings).addTo(endpoints);
        metrics =
                new MetricsServlet(tables, identification, () -> settings.get().metrics_open());
        health = new HealthServlet(overview::troubles, identification);
        router = new Router(endpoints, identification);
    }

    private static Thread thread(Runnable task) {
        Thread thread = new Thread(task, "felice-console");
        thread.setDaemon(true);
        return thread;
    }

    void modified(ConsoleSettings changed) {
        sessions.limit(idle(changed), longest(changed));
    }

    private static Duration idle(ConsoleSettings settings) {
        return Duration.ofMinutes(settings.session_idle_minutes());
    }

    private static Duration longest(ConsoleSettings settings) {
        return Duration.ofHours(settings.session_hours());
    }

    static Set<String> origins(ConsoleSettings settings) {
        return Arrays.stream(settings.origins().split(","))
                .map(origin -> origin.trim().toLowerCase(Locale.ROOT))
                .filter(origin -> !origin.isEmpty())
                .collect(Collectors.toUnmodifiableSet());
    }

    Servlet servlet() {
        return router;
    }

    Servlet metrics() {
        return metrics;
    }

    Servlet health() {
        return health;
    }

    PlatformLogin platformLogin() {
        return new PlatformLogin(sessions, identification);
    }

    @Override
    public void close() {
        streams.close();
        uploads.close();
        timer.shutdownNow();
    }
}
