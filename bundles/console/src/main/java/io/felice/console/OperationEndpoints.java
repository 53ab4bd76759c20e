package io.felice.console;

import io.felice.api.TopicPartition;
import io.felice.api.cluster.Admin;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.Outcome;
import io.felice.api.cluster.PartitionState;
import io.felice.api.cluster.TopicView;
import io.felice.api.partition.LogMove;
import io.felice.api.partition.Partitions;
import io.felice.api.security.Action;
import io.felice.api.security.Operation;
import io.felice.api.security.ResourceType;
import io.felice.console.access.Permits;
import io.felice.console.http.Answer;
import io.felice.console.http.ApiRequest;
import io.felice.console.http.Endpoint;
import io.felice.console.http.Page;
import io.felice.console.http.Problem;
import io.felice.console.live.Operations;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Actions that take a while: those that were begun here, and those that the cluster goes on with by itself, whoever has begun
 * them and however often the node was restarted.
 */
final class OperationEndpoints {
    private static final String MOVE = "move-";
    private static final String REASSIGNMENT = "reassignment-";

    private final NodeServices services;
    private final Permits permits;
    private final Operations operations;
    private final LogSizes sizes;
    private final Audited audited;

    OperationEndpoints(NodeServices services, Permits permits, Operations operations, LogSizes sizes, Audited audited) {
        this.services = services;
        this.permits = permits;
        this.operations = operations;
        this.sizes = sizes;
        this.audited = audited;
    }

    void addTo(Map<String, Endpoint> endpoints) {
        endpoints.put("listOperations", request -> Answer.of(Page.all(all())));
        endpoints.put("getOperation", request -> Answer.of(find(request.path("operation"))));
        endpoints.put("cancelOperation", this::cancel);
        endpoints.put("moveTopic", this::move);
    }

    private List<Operations.Operation> all() {
        List<Operations.Operation> all = new ArrayList<>(moves());
        all.addAll(reassignments());
        all.addAll(operations.list());
        return all;
    }

    private Operations.Operation find(String id) {
        return all().stream()
                .filter(each -> each.id().equals(id))
                .findFirst()
                .orElseThrow(() -> Problem.notFound("There is no such operation, or it has ended long ago."));
    }

    private static Instant start() {
        return Instant.ofEpochMilli(ManagementFactory.getRuntimeMXBean().getStartTime());
    }

    /** One for each topic of which logs are being moved to another engine of this node. */
    private List<Operations.Operation> moves() {
        Map<String, List<LogMove>> byTopic = new TreeMap<>();
        services.find(Partitions.class)
                .map(Partitions::moves)
                .orElse(List.of())
                .forEach(move -> byTopic.computeIfAbsent(move.partition().topic(), first -> new ArrayList<>())
                        .add(move));
        Map<TopicPartition, Long> bytes = sizes.bytes();
        List<Operations.Operation> shown = new ArrayList<>();
        byTopic.forEach((topic, moves) -> {
            long copied = moves.stream().mapToLong(LogMove::copiedBytes).sum();
            long whole = moves.stream()
                    .mapToLong(move -> bytes.getOrDefault(move.partition(), 0L))
                    .sum();
            LogMove first = moves.get(0);
            shown.add(new Operations.Operation(
                    MOVE + topic,
                    "topic-move",
                    "Moves " + topic + " to the engine " + first.to(),
                    "running",
                    start(),
                    "",
                    moves.size() + " logs; the first is " + first.phase().name().toLowerCase(Locale.ROOT)
                            + (first.problem().isEmpty() ? "." : ": " + first.problem()),
                    true,
                    whole > 0 ? Math.min(100.0, 100.0 * copied / whole) : null,
                    null,
                    null,
                    null,
                    "topic/" + topic));
        });
        return shown;
    }

    /** One for each topic of which partitions are being moved to other brokers. */
    private List<Operations.Operation> reassignments() {
        List<Operations.Operation> shown = new ArrayList<>();
        Optional<ClusterMetadata> metadata = services.find(ClusterMetadata.class);
        if (metadata.isEmpty()) {
            return shown;
        }
        for (TopicView topic : metadata.get().view().topics()) {
            List<Integer> moving = topic.partitions().entrySet().stream()
                    .filter(entry -> entry.getValue().isBeingReassigned())
                    .map(Map.Entry::getKey)
                    .toList();
            if (!moving.isEmpty()) {
                PartitionState first = topic.partition(moving.get(0)).orElseThrow();
                shown.add(new Operations.Operation(
                        REASSIGNMENT + topic.name(),
                        "reassignment",
                        "Moves " + moving.size() + " partitions of " + topic.name() + " to other brokers",
                        "running",
                        start(),
                        "",
                        "Partition " + moving.get(0) + " comes to the brokers " + first.adding() + " and leaves "
                                + first.removing() + ".",
                        true,
                        null,
                        null,
                        null,
                        null,
                        "topic/" + topic.name()));
            }
        }
        return shown;
    }

    private Answer cancel(ApiRequest request) {
        Operations.Operation operation = find(request.path("operation"));
        if (!operation.cancellable()) {
            throw Problem.of(409, "conflict", "This operation cannot be cancelled.");
        }
        permits.demand(request.caller(), Action.onCluster(Operation.ALTER));
        if (operation.id().startsWith(MOVE)) {
            Map<TopicPartition, String> back = new HashMap<>();
            services.need(Partitions.class).moves().stream()
                    .filter(move ->
                            operation.id().equals(MOVE + move.partition().topic()))
                    .forEach(move -> back.put(move.partition(), move.from()));
            ApiRequest.await(services.need(Partitions.class).move(back));
        } else {
            String topic = operation.id().substring(REASSIGNMENT.length());
            Map<TopicPartition, Optional<List<Integer>>> none = new HashMap<>();
            services.need(ClusterMetadata.class).view().topic(topic).ifPresent(view -> view.partitions()
                    .forEach((number, state) -> {
                        if (state.isBeingReassigned()) {
                            none.put(new TopicPartition(topic, number), Optional.empty());
                        }
                    }));
            ApiRequest.await(services.need(ClusterMetadata.class)
                    .replayed(services.need(Admin.class)
                            .askedBy(request.caller().requester())
                            .reassign(none)));
        }
        audited.changed(request, "operation-cancel " + operation.id());
        return Answer.of(new Operations.Operation(
                operation.id(),
                operation.kind(),
                operation.title(),
                "cancelled",
                operation.startedAt(),
                operation.by(),
                "It is being taken back.",
                false,
                null,
                null,
                null,
                Instant.now(),
                operation.subject()));
    }

    private record EngineMove(String engine) {}

    private Answer move(ApiRequest request) throws IOException {
        String topic = request.path("topic");
        EngineMove wanted = request.body(EngineMove.class);
        if (wanted.engine() == null || wanted.engine().isEmpty()) {
            throw Problem.invalid("The member engine is missing.");
        }
        ClusterMetadata metadata = services.need(ClusterMetadata.class);
        TopicView view = metadata.view()
                .topic(topic)
                .filter(found -> permits.sees(request.caller(), Operation.DESCRIBE, ResourceType.TOPIC, topic))
                .orElseThrow(() -> Problem.notFound("There is no topic of this name."));
        permits.demand(request.caller(), Action.onCluster(Operation.ALTER));
        Map<TopicPartition, String> targets = new HashMap<>();
        view.partitions().forEach((number, state) -> {
            if (state.replicas().contains(metadata.brokerId())) {
                targets.put(new TopicPartition(topic, number), wanted.engine());
            }
        });
        if (targets.isEmpty()) {
            throw Problem.of(503, "not-on-this-node", "This node has no replica of the topic.");
        }
        Map<TopicPartition, Outcome<Void>> begun =
                ApiRequest.await(services.need(Partitions.class).move(targets));
        begun.values().stream().filter(Outcome::isFailed).findFirst().ifPresent(ConfigEdits::throwIfFailed);
        audited.changed(request, "topic-move " + topic + " " + wanted.engine());
        return Answer.of(
                202,
                moves().stream()
                        .filter(each -> each.id().equals(MOVE + topic))
                        .findFirst()
                        .orElseGet(() -> new Operations.Operation(
                                MOVE + topic,
                                "topic-move",
                                "Moves " + topic + " to the engine " + wanted.engine(),
                                "done",
                                Instant.now(),
                                request.caller().user(),
                                "The logs are in this engine already.",
                                false,
                                null,
                                null,
                                null,
                                Instant.now(),
                                "topic/" + topic)));
    }
}
