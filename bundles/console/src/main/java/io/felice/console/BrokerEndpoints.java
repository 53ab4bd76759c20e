package io.felice.console;

import io.felice.api.ErrorCode;
import io.felice.api.cluster.Admin;
import io.felice.api.cluster.BrokerRegistration;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.PartitionState;
import io.felice.api.cluster.TopicView;
import io.felice.api.config.BrokerConfig;
import io.felice.api.config.ConfigResource;
import io.felice.api.config.Configs;
import io.felice.api.log.Loggers;
import io.felice.api.partition.LogDir;
import io.felice.api.partition.LogMove;
import io.felice.api.partition.Partitions;
import io.felice.api.security.Action;
import io.felice.api.security.Operation;
import io.felice.console.access.Permits;
import io.felice.console.http.Answer;
import io.felice.console.http.ApiRequest;
import io.felice.console.http.Endpoint;
import io.felice.console.http.Page;
import io.felice.console.http.Problem;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryUsage;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;

/** The brokers of the cluster, their configs, and what only this one knows of itself. */
final class BrokerEndpoints {
    private final NodeServices services;
    private final Permits permits;
    private final ConfigEdits edits;
    private final StatusTables tables;
    private final LogSizes sizes;
    private final Audited audited;
    private final String version;

    BrokerEndpoints(
            NodeServices services,
            Permits permits,
            ConfigEdits edits,
            StatusTables tables,
            LogSizes sizes,
            Audited audited,
            String version) {
        this.services = services;
        this.permits = permits;
        this.edits = edits;
        this.tables = tables;
        this.sizes = sizes;
        this.audited = audited;
        this.version = version;
    }

    void addTo(Map<String, Endpoint> endpoints) {
        endpoints.put("listBrokers", request -> Answer.of(Page.all(brokers())));
        endpoints.put("getBroker", this::broker);
        endpoints.put("removeBroker", this::remove);
        endpoints.put("drainBroker", this::drain);
        endpoints.put("getBrokerConfigs", request -> configs(request, resource(request)));
        endpoints.put("alterBrokerConfigs", request -> alter(request, resource(request)));
        endpoints.put("getClusterConfigs", request -> configs(request, ConfigResource.allBrokers()));
        endpoints.put("alterClusterConfigs", request -> alter(request, ConfigResource.allBrokers()));
        endpoints.put("getLoggers", request -> loggers());
        endpoints.put("alterLoggers", this::alterLoggers);
    }

    record Listener(String name, String security, String host, int port) {}

    record Broker(
            int id,
            String state,
            boolean controller,
            int leaders,
            int replicas,
            int underReplicated,
            List<Listener> listeners,
            List<String> engines,
            boolean drained,
            String host,
            String rack,
            Long epoch,
            String silent,
            String version,
            Instant startedAt,
            String java,
            List<Directory> logDirs,
            List<Move> moves,
            List<Connections> connections,
            Long heapUsed,
            Long heapMax) {}

    record Directory(String path, String engine, int replicas, long bytes, Long total, Long free, String error) {}

    record Move(
            String topic,
            int partition,
            String from,
            String to,
            String phase,
            long copiedBytes,
            long lag,
            String problem) {}

    record Connections(String listener, long open, Long accepted, Long refusedLogins) {}

    private static final class Counts {
        int leaders;
        int replicas;
        int underReplicated;
    }

    /** All brokers, also those that are absent, by id. */
    List<Broker> brokers() {
        ClusterView view = services.need(ClusterMetadata.class).view();
        Map<Integer, Counts> counts = counts(view);
        Optional<Integer> controller = services.find(Admin.class).flatMap(Admin::controllerId);
        Map<Integer, Broker> brokers = new TreeMap<>();
        view.brokers()
                .forEach((id, live) -> brokers.put(
                        id,
                        shown(
                                live.registration(),
                                live.leaving() ? "leaving" : "live",
                                live.epoch(),
                                view,
                                counts,
                                controller)));
        view.absentBrokers()
                .forEach(absent ->
                        brokers.put(absent.brokerId(), shown(absent, "absent", null, view, counts, controller)));
        return List.copyOf(brokers.values());
    }

    private static Map<Integer, Counts> counts(ClusterView view) {
        Map<Integer, Counts> counts = new TreeMap<>();
        for (TopicView topic : view.topics()) {
            for (PartitionState state : topic.partitions().values()) {
                if (state.hasLeader()) {
                    counts.computeIfAbsent(state.leader(), first -> new Counts()).leaders++;
                }
                for (Integer replica : state.replicas()) {
                    Counts own = counts.computeIfAbsent(replica, first -> new Counts());
                    own.replicas++;
                    own.underReplicated += state.isr().contains(replica) ? 0 : 1;
                }
            }
        }
        return counts;
    }

    private Broker shown(
            BrokerRegistration broker,
            String state,
            Long epoch,
            ClusterView view,
            Map<Integer, Counts> counts,
            Optional<Integer> controller) {
        int id = broker.brokerId();
        Counts own = counts.getOrDefault(id, new Counts());
        List<Listener> listeners = broker.endpoints().stream()
                .map(each -> new Listener(each.listener(), each.securityProtocol(), each.host(), each.port()))
                .toList();
        return new Broker(
                id,
                state,
                controller.filter(is -> is == id).isPresent(),
                own.leaders,
                own.replicas,
                own.underReplicated,
                listeners,
                List.copyOf(new TreeSet<>(broker.engines().keySet())),
                Boolean.parseBoolean(view.configs(ConfigResource.broker(id)).get(BrokerConfig.BROKER_DRAINED)),
                listeners.isEmpty() ? null : listeners.get(0).host(),
                broker.rack(),
                epoch,
                state.equals("absent") ? "The broker is not in the cluster now." : null,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                null);
    }

    private Answer broker(ApiRequest request) {
        int id = request.pathNumber("broker");
        Broker broker = find(id);
        if (services.need(ClusterMetadata.class).brokerId() != id) {
            String silent = broker.silent() != null
                    ? broker.silent()
                    : "Only broker " + id + " knows its directories and connections. See its own console.";
            return Answer.of(withOwn(broker, silent, null, null, null));
        }
        Partitions partitions = services.need(Partitions.class);
        List<Directory> directories =
                sizes.dirs().stream().map(BrokerEndpoints::shown).toList();
        List<Move> moves =
                partitions.moves().stream().map(BrokerEndpoints::shown).toList();
        return Answer.of(withOwn(broker, null, directories, moves, connections()));
    }

    private Broker find(int id) {
        return brokers().stream()
                .filter(broker -> broker.id() == id)
                .findFirst()
                .orElseThrow(() -> Problem.of(ErrorCode.BROKER_ID_NOT_REGISTERED, "There is no broker " + id + "."));
    }

    private Broker withOwn(
            Broker broker,
            String silent,
            List<Directory> directories,
            List<Move> moves,
            List<Connections> connections) {
        boolean isOwn = directories != null;
        MemoryUsage heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage();
        return new Broker(
                broker.id(),
                broker.state(),
                broker.controller(),
                broker.leaders(),
                broker.replicas(),
                broker.underReplicated(),
                broker.listeners(),
                broker.engines(),
                broker.drained(),
                broker.host(),
                broker.rack(),
                broker.epoch(),
                silent,
                isOwn ? version : null,
                isOwn
                        ? Instant.ofEpochMilli(
                                ManagementFactory.getRuntimeMXBean().getStartTime())
                        : null,
                isOwn ? Runtime.version().toString() : null,
                directories,
                moves,
                connections,
                isOwn ? heap.getUsed() : null,
                isOwn ? heap.getMax() : null);
    }

    private static Directory shown(LogDir dir) {
        long bytes = 0;
        for (LogDir.ReplicaSize replica : dir.replicas()) {
            bytes += replica.sizeInBytes();
        }
        return new Directory(
                dir.volume().logDir(),
                dir.volume().logDir().split(":", 2)[0],
                dir.replicas().size(),
                bytes,
                known(dir.volume().totalBytes()),
                known(dir.volume().usableBytes()),
                dir.error() == ErrorCode.NONE ? null : "The engine is not running.");
    }

    private static Long known(long bytes) {
        return bytes < 0 ? null : bytes;
    }

    private static Move shown(LogMove move) {
        return new Move(
                move.partition().topic(),
                move.partition().partition(),
                move.from(),
                move.to(),
                move.phase().name().toLowerCase(Locale.ROOT),
                move.copiedBytes(),
                Math.max(0, move.offsetLag()),
                move.problem().isEmpty() ? null : move.problem());
    }

    private List<Connections> connections() {
        List<Connections> connections = new ArrayList<>();
        tables.rows("network.connections")
                .forEach(row -> connections.add(new Connections(
                        row.text("listener"),
                        row.number("open"),
                        row.number("accepted"),
                        row.number("refused.logins"))));
        return connections;
    }

    // ---- configs and changes

    private ConfigResource resource(ApiRequest request) {
        return ConfigResource.broker(find(request.pathNumber("broker")).id());
    }

    private Answer configs(ApiRequest request, ConfigResource resource) {
        permits.demand(request.caller(), Action.onCluster(Operation.DESCRIBE_CONFIGS));
        boolean isElsewhere = !resource.name().isEmpty()
                && !resource.name()
                        .equals(Integer.toString(
                                services.need(ClusterMetadata.class).brokerId()));
        if (isElsewhere) {
            throw Problem.of(
                    503,
                    "not-on-this-node",
                    "Only broker " + resource.name() + " knows its configs. See its own console.");
        }
        return Answer.of(ShownConfig.of(services.need(Configs.class).describe(resource)))
                .tagged(edits.etag(resource));
    }

    private Answer alter(ApiRequest request, ConfigResource resource) throws IOException {
        permits.demand(request.caller(), Action.onCluster(Operation.ALTER_CONFIGS));
        return edits.change(request, resource);
    }

    private record Done(boolean dryRun, String sentence) {}

    private Answer remove(ApiRequest request) {
        permits.demand(request.caller(), Action.onCluster(Operation.ALTER));
        Broker broker = find(request.pathNumber("broker"));
        if (!broker.state().equals("absent") || broker.replicas() > 0) {
            throw Problem.of(
                    409,
                    "conflict",
                    "The broker is " + broker.state() + " and has " + broker.replicas()
                            + " replicas; only one that is gone and has none can be removed.",
                    "Drain it, and stop it.");
        }
        if (!request.isDryRun()) {
            var decided = ApiRequest.await(services.need(ClusterMetadata.class)
                    .replayed(services.need(Admin.class)
                            .askedBy(request.caller().requester())
                            .removeBroker(broker.id())));
            ConfigEdits.throwIfFailed(decided.outcomes().get(broker.id()));
            audited.changed(request, "broker-remove " + broker.id());
        }
        return Answer.of(new Done(request.isDryRun(), "broker " + broker.id()));
    }

    private record Drain(boolean drained) {}

    private Answer drain(ApiRequest request) throws IOException {
        permits.demand(request.caller(), Action.onCluster(Operation.ALTER));
        boolean begin = request.body(Drain.class).drained();
        int id = find(request.pathNumber("broker")).id();
        var decided = ApiRequest.await(services.need(ClusterMetadata.class)
                .replayed(services.need(Admin.class)
                        .askedBy(request.caller().requester())
                        .drain(id, begin)));
        ConfigEdits.throwIfFailed(decided.outcomes().get(id));
        audited.changed(request, (begin ? "broker-drain " : "broker-drain-end ") + id);
        Integer staying = decided.outcomes().get(id).value();
        return Answer.of(new Done(
                false,
                begin && staying != null && staying > 0
                        ? staying + " partitions stay, because no other broker can keep them."
                        : null));
    }

    private record Levels(Map<String, String> levels) {}

    private Answer loggers() {
        return Answer.of(new Levels(services.need(Loggers.class).levels()));
    }

    private Answer alterLoggers(ApiRequest request) throws IOException {
        permits.demand(request.caller(), Action.onCluster(Operation.ALTER_CONFIGS));
        Levels wanted = request.body(Levels.class);
        if (wanted.levels() == null
                || wanted.levels().isEmpty()
                || wanted.levels().size() > 100) {
            throw Problem.invalid("A request names 1 to 100 loggers.");
        }
        Map<String, Optional<String>> levels = new TreeMap<>();
        wanted.levels().forEach((logger, level) -> {
            if (level != null && !Loggers.LEVELS.contains(level)) {
                throw Problem.invalid("A level is one of " + String.join(", ", Loggers.LEVELS) + ".");
            } else if (level == null && logger.equals(Loggers.ROOT)) {
                throw Problem.invalid("The root logger has a level.");
            }
            levels.put(logger, Optional.ofNullable(level));
        });
        ApiRequest.await(services.need(Loggers.class).change(levels));
        audited.changed(request, "loggers-alter " + wanted.levels());
        return loggers();
    }
}
