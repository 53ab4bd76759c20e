package io.felice.shell;

import static java.util.stream.Collectors.joining;

import io.felice.api.cluster.Admin.AppliedVersion;
import io.felice.api.cluster.BrokerRegistration;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.Outcome;
import io.felice.api.cluster.PartitionState;
import io.felice.api.cluster.TopicView;
import io.felice.shell.text.Listing;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.ToIntFunction;

/** What {@code felice:cluster} prints. */
final class ClusterText {
    private ClusterText() {}

    /** What a broker has to do with the partitions of the cluster. */
    private static final class Share {
        private int leads;
        private int replicas;
        private int notInSync;
    }

    /**
     * A row for each broker that is live, or was registered once and is absent now.
     *
     * @param applied what the brokers have reported to the controller
     */
    static Listing brokers(
            ClusterView view, Optional<Integer> controller, Map<Integer, Outcome<AppliedVersion>> applied) {
        Map<Integer, BrokerRegistration> all = new TreeMap<>();
        view.absentBrokers().forEach(broker -> all.put(broker.brokerId(), broker));
        view.brokers().forEach((id, live) -> all.put(id, live.registration()));
        Map<Integer, Share> shares = shares(view);
        Listing listing = new Listing(
                "broker", "state", "address", "rack", "leads", "replicas", "not.in.sync", "metadata", "engines");
        all.forEach((id, broker) -> {
            Share share = shares.getOrDefault(id, new Share());
            listing.row(
                    id,
                    state(view, controller, id),
                    broker.endpoints().stream()
                            .map(endpoint -> endpoint.host() + ":" + endpoint.port())
                            .collect(joining(",")),
                    Optional.ofNullable(broker.rack()).orElse(""),
                    share.leads,
                    share.replicas,
                    share.notInSync,
                    Optional.ofNullable(applied.get(id))
                            .map(outcome -> String.valueOf(outcome.value().version()))
                            .orElse(""),
                    engines(broker));
        });
        return listing;
    }

    /** The engines, each with the version of its bundle if that is known. */
    private static String engines(BrokerRegistration broker) {
        return broker.engines().keySet().stream()
                .sorted()
                .map(engine -> (engine + " " + broker.engineVersions().getOrDefault(engine, "")).trim())
                .collect(joining(","));
    }

    private static String state(ClusterView view, Optional<Integer> controller, int id) {
        if (!view.brokers().containsKey(id)) {
            return "absent";
        }
        return controller.filter(elected -> elected == id).isPresent() ? "controller" : "live";
    }

    private static Map<Integer, Share> shares(ClusterView view) {
        Map<Integer, Share> shares = new TreeMap<>();
        view.topics().forEach(topic -> topic.partitions().values().forEach(state -> {
            state.replicas().forEach(id -> {
                Share share = shares.computeIfAbsent(id, unused -> new Share());
                share.replicas++;
                share.leads += state.leader() == id ? 1 : 0;
                share.notInSync += state.isr().contains(id) ? 0 : 1;
            });
        }));
        return shares;
    }

    /** Who is the controller since when. */
    static String controller(Optional<Integer> controller, Optional<Instant> since) {
        return controller.isEmpty()
                ? "no controller is known"
                : "broker " + controller.get() + " is the controller"
                        + since.map(time -> " since " + time.truncatedTo(ChronoUnit.SECONDS))
                                .orElse("");
    }

    /** One sentence about all partitions. */
    static String summary(ClusterView view) {
        List<PartitionState> partitions = view.topics().stream()
                .flatMap(topic -> topic.partitions().values().stream())
                .toList();
        long offline = partitions.stream().filter(state -> !state.hasLeader()).count();
        long behind = partitions.stream().filter(ClusterText::isUnderReplicated).count();
        String troubles = offline + behind == 0
                ? "all replicas are in sync"
                : offline + " without a leader, " + behind
                        + " with fewer replicas in sync than they have: felice:cluster --partitions";
        return view.topics().size() + " topics, " + partitions.size() + " partitions, " + troubles + " (version "
                + view.version() + " of the metadata)";
    }

    /**
     * A row for each partition that is offline, under-replicated or being reassigned.
     *
     * @param minInSync min.insync.replicas of a topic
     * @param lags of the replicas, as far as this node knows them
     */
    static Listing attention(ClusterView view, ToIntFunction<String> minInSync, ReplicaLags lags) {
        Listing listing =
                new Listing("partition", "state", "leader", "replicas", "in.sync", "adding", "removing", "behind");
        view.topics().stream().sorted(Comparator.comparing(TopicView::name)).forEach(topic -> topic.partitions()
                .forEach((number, state) -> attention(state, minInSync.applyAsInt(topic.name()))
                        .ifPresent(why -> listing.row(
                                topic.name() + "-" + number,
                                why,
                                state.hasLeader() ? String.valueOf(state.leader()) : "none",
                                ids(state.replicas()),
                                ids(state.isr()),
                                ids(state.adding()),
                                ids(state.removing()),
                                lags.of(topic.name() + "-" + number)))));
        return listing;
    }

    /** The worst that can be said of a partition; empty if there is nothing to say. */
    private static Optional<String> attention(PartitionState state, int minInSync) {
        boolean moves = !state.adding().isEmpty() || !state.removing().isEmpty();
        if (!state.hasLeader()) {
            return Optional.of("offline");
        } else if (state.isr().size() < Math.min(minInSync, state.replicas().size())) {
            return Optional.of("under min.insync.replicas");
        } else if (moves) {
            return Optional.of("reassigning");
        }
        return isUnderReplicated(state) ? Optional.of("under-replicated") : Optional.empty();
    }

    /** A replica that a reassignment adds does not count, because it has to copy first. */
    private static boolean isUnderReplicated(PartitionState state) {
        return state.replicas().stream()
                .anyMatch(id -> !state.isr().contains(id) && !state.adding().contains(id));
    }

    private static String ids(List<Integer> brokers) {
        return brokers.stream().map(String::valueOf).collect(joining(","));
    }
}
