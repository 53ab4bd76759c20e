package io.felice.console;

import io.felice.api.FoldedErrors;
import io.felice.api.cluster.BrokerRegistration;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.TopicView;
import io.felice.api.plugin.Plugin;
import io.felice.api.plugin.Plugins;
import io.felice.api.status.HealthSource;
import io.felice.api.status.Trouble;
import io.felice.console.access.Permits;
import io.felice.console.http.Answer;
import io.felice.console.http.Endpoint;
import io.felice.console.live.NodeHistory;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.slf4j.LoggerFactory;

/** The cluster at a glance: whether it is healthy, and why not. */
final class OverviewEndpoints {
    private static final FoldedErrors errors = new FoldedErrors(LoggerFactory.getLogger(OverviewEndpoints.class));
    private static final int MOST_NAMED = 5;

    private final NodeServices services;
    private final Permits permits;
    private final BrokerEndpoints brokers;
    private final NodeHistory history;
    private final StatusTables tables;

    OverviewEndpoints(
            NodeServices services, Permits permits, BrokerEndpoints brokers, NodeHistory history, StatusTables tables) {
        this.services = services;
        this.permits = permits;
        this.brokers = brokers;
        this.history = history;
        this.tables = tables;
    }

    void addTo(Map<String, Endpoint> endpoints) {
        endpoints.put("getOverview", request -> Answer.of(overview()));
        endpoints.put("getHealth", request -> Answer.of(report(troubles())));
    }

    record Reason(String severity, String sentence, String subject, String remedy) {}

    record Bootstrap(String listener, String security, String address) {}

    record Rates(Double bytesIn, Double bytesOut, Double requests) {}

    record PluginCounts(int running, int troubled) {}

    record Overview(
            String verdict,
            List<Reason> reasons,
            List<BrokerEndpoints.Broker> brokers,
            int topics,
            int partitions,
            int underReplicated,
            int offline,
            List<Bootstrap> bootstrap,
            boolean empty,
            long metadataVersion,
            Integer groups,
            Integer controller,
            Rates rates,
            PluginCounts plugins,
            Boolean authorizer) {}

    Overview overview() {
        ClusterView view = services.need(ClusterMetadata.class).view();
        int topics = 0;
        int partitions = 0;
        int underReplicated = 0;
        int offline = 0;
        for (TopicView topic : view.topics()) {
            topics += topic.isInternal() ? 0 : 1;
            partitions += topic.partitions().size();
            underReplicated += TopicEndpoints.underReplicated(topic);
            offline += TopicEndpoints.offline(topic);
        }
        List<BrokerEndpoints.Broker> all = brokers.brokers();
        List<Reason> reasons = reasons(view, all, underReplicated, offline);
        boolean isDown = reasons.stream().anyMatch(reason -> reason.severity().equals("node"));
        return new Overview(
                isDown ? "down" : reasons.isEmpty() ? "healthy" : "degraded",
                reasons,
                all,
                topics,
                partitions,
                underReplicated,
                offline,
                bootstrap(view),
                topics == 0,
                view.version(),
                groups(),
                all.stream()
                        .filter(BrokerEndpoints.Broker::controller)
                        .map(BrokerEndpoints.Broker::id)
                        .findFirst()
                        .orElse(null),
                new Rates(history.last("bytesIn"), history.last("bytesOut"), history.last("requests")),
                plugins(),
                permits.isEnforced());
    }

    private Integer groups() {
        List<StatusTables.Row> states = tables.rows("coordinator.states");
        return states.isEmpty()
                ? null
                : (int) states.stream().mapToLong(row -> row.number("groups")).sum();
    }

    private PluginCounts plugins() {
        Optional<List<Plugin>> plugins = services.find(Plugins.class).map(Plugins::list);
        return plugins.map(all -> {
                    int running = (int) all.stream()
                            .filter(each -> each.state() == Plugin.State.RUNS)
                            .count();
                    int wanted = (int) all.stream()
                            .filter(each -> each.state() != Plugin.State.DISABLED)
                            .count();
                    return new PluginCounts(running, wanted - running);
                })
                .orElse(null);
    }

    private List<Reason> reasons(ClusterView view, List<BrokerEndpoints.Broker> all, int underReplicated, int offline) {
        List<Reason> reasons = new ArrayList<>();
        troubles()
                .forEach(trouble -> reasons.add(new Reason(
                        trouble.extent() == Trouble.Extent.NODE ? "node" : "part", trouble.reason(), null, null)));
        for (BrokerEndpoints.Broker broker : all) {
            if (broker.state().equals("absent") && broker.replicas() > 0) {
                reasons.add(new Reason(
                        "part",
                        "Broker " + broker.id() + " is not in the cluster; it has " + broker.replicas() + " replicas.",
                        "broker/" + broker.id(),
                        "Start it. If it is gone for good, move its replicas to other brokers."));
            }
        }
        if (offline > 0) {
            reasons.add(new Reason(
                    "part",
                    offline + (offline == 1 ? " partition has" : " partitions have")
                            + " no leader, so nobody can read or" + " write there: " + named(view, true) + ".",
                    null,
                    "Start the brokers that have the replicas."));
        }
        if (underReplicated > 0) {
            reasons.add(new Reason(
                    "part",
                    underReplicated + (underReplicated == 1 ? " partition has" : " partitions have")
                            + " replicas that are not in sync: " + named(view, false) + ".",
                    null,
                    null));
        }
        return reasons;
    }

    private static String named(ClusterView view, boolean isOffline) {
        List<String> topics = view.topics().stream()
                .filter(topic ->
                        (isOffline ? TopicEndpoints.offline(topic) : TopicEndpoints.underReplicated(topic)) > 0)
                .map(TopicView::name)
                .sorted()
                .toList();
        String first = String.join(", ", topics.subList(0, Math.min(MOST_NAMED, topics.size())));
        return topics.size() > MOST_NAMED ? first + " and " + (topics.size() - MOST_NAMED) + " more topics" : first;
    }

    private static List<Bootstrap> bootstrap(ClusterView view) {
        Map<String, List<BrokerRegistration.Endpoint>> byListener = new LinkedHashMap<>();
        view.brokers().values().forEach(live -> live.registration().endpoints().forEach(endpoint -> byListener
                .computeIfAbsent(endpoint.listener(), first -> new ArrayList<>())
                .add(endpoint)));
        List<Bootstrap> bootstrap = new ArrayList<>();
        byListener.forEach((listener, endpoints) -> bootstrap.add(new Bootstrap(
                listener,
                endpoints.get(0).securityProtocol(),
                endpoints.stream()
                        .map(each ->
                                (each.host().contains(":") ? "[" + each.host() + "]" : each.host()) + ":" + each.port())
                        .reduce((one, other) -> one + "," + other)
                        .orElse(""))));
        return bootstrap;
    }

    // ---- this node

    record Shown(String extent, String sentence) {}

    record Report(String status, List<Shown> troubles) {}

    static Report report(List<Trouble> troubles) {
        boolean isDown = troubles.stream().anyMatch(each -> each.extent() == Trouble.Extent.NODE);
        return new Report(
                isDown ? "down" : troubles.isEmpty() ? "up" : "degraded",
                troubles.stream()
                        .map(each -> new Shown(each.extent().name().toLowerCase(Locale.ROOT), each.reason()))
                        .toList());
    }

    /** Why parts of this node do not serve: what they say, and what is away. */
    List<Trouble> troubles() {
        List<Trouble> troubles = new ArrayList<>();
        for (HealthSource source : services.all(HealthSource.class)) {
            try {
                troubles.addAll(source.troubles());
            } catch (RuntimeException accident) {
                errors.error("The health of a part cannot be shown", accident);
            }
        }
        tables.rows("health").stream()
                .map(row -> row.text("does.not.serve").equals("the node")
                        ? Trouble.ofNode(row.text("reason"))
                        : Trouble.inPart(row.text("reason")))
                .filter(trouble -> !troubles.contains(trouble))
                .forEach(troubles::add);
        return troubles;
    }
}
