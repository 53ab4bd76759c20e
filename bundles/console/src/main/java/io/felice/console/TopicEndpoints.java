package io.felice.console;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.Admin;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.PartitionState;
import io.felice.api.cluster.TopicCreation;
import io.felice.api.cluster.TopicView;
import io.felice.api.config.BrokerConfig;
import io.felice.api.config.ConfigResource;
import io.felice.api.config.Configs;
import io.felice.api.config.TopicConfig;
import io.felice.api.partition.Partition;
import io.felice.api.partition.Partitions;
import io.felice.api.security.Acl;
import io.felice.api.security.Action;
import io.felice.api.security.Operation;
import io.felice.api.security.ResourceType;
import io.felice.console.access.Caller;
import io.felice.console.access.Permits;
import io.felice.console.http.Answer;
import io.felice.console.http.ApiRequest;
import io.felice.console.http.Endpoint;
import io.felice.console.http.Page;
import io.felice.console.http.Problem;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** Topics and their partitions. */
final class TopicEndpoints {
    private static final Map<String, Comparator<TopicView>> ORDERS = Map.of(
            "partitions", Comparator.comparingInt(topic -> topic.partitions().size()),
            "replicas", Comparator.comparingInt(TopicEndpoints::replicas),
            "underReplicated", Comparator.comparingInt(TopicEndpoints::underReplicated),
            "offline", Comparator.comparingInt(TopicEndpoints::offline),
            "engine", Comparator.comparing(topic -> topic.engine() == null ? "" : topic.engine()));

    private final NodeServices services;
    private final Permits permits;
    private final LogSizes sizes;
    private final GroupReading groups;
    private final ConfigEdits edits;
    private final Audited audited;

    TopicEndpoints(
            NodeServices services,
            Permits permits,
            LogSizes sizes,
            GroupReading groups,
            ConfigEdits edits,
            Audited audited) {
        this.services = services;
        this.permits = permits;
        this.sizes = sizes;
        this.groups = groups;
        this.edits = edits;
        this.audited = audited;
    }

    void addTo(Map<String, Endpoint> endpoints) {
        endpoints.put("listTopics", this::list);
        endpoints.put("createTopic", this::create);
        endpoints.put("getTopicDefaults", this::defaults);
        endpoints.put("getTopic", this::topic);
        endpoints.put("deleteTopic", this::delete);
        endpoints.put("getTopicAffects", this::affects);
        endpoints.put("listPartitions", this::partitions);
        endpoints.put("addPartitions", this::addPartitions);
        endpoints.put("getTopicConfigs", this::configs);
        endpoints.put("alterTopicConfigs", this::alterConfigs);
        endpoints.put("purgeTopic", this::purge);
    }

    // ---- what is shown

    private record Item(
            String name,
            boolean internal,
            int partitions,
            int replicas,
            int underReplicated,
            int offline,
            String cleanup,
            Integer groups,
            String engine,
            Long bytes,
            Boolean bytesPartial,
            Long records,
            Long retentionMs,
            Long retentionBytes,
            String id,
            List<GroupReading.OfTopic> groupList) {}

    private record Shown(
            int id,
            int epoch,
            List<Integer> replicas,
            List<Integer> inSync,
            Integer leader,
            List<Integer> adding,
            List<Integer> removing,
            List<Integer> eligible,
            Long start,
            Long end,
            Long bytes,
            String problem) {}

    private static int replicas(TopicView topic) {
        return topic.partition(0).map(state -> state.replicas().size()).orElse(0);
    }

    static int underReplicated(TopicView topic) {
        int count = 0;
        for (PartitionState state : topic.partitions().values()) {
            count += state.isr().size() < state.replicas().size() ? 1 : 0;
        }
        return count;
    }

    static int offline(TopicView topic) {
        int count = 0;
        for (PartitionState state : topic.partitions().values()) {
            count += state.hasLeader() ? 0 : 1;
        }
        return count;
    }

    private ClusterView view() {
        return services.need(ClusterMetadata.class).view();
    }

    private Answer list(ApiRequest request) {
        boolean withInternal = request.flag("internal");
        boolean onlyProblems = request.flag("problems");
        List<TopicView> wanted = view().topics().stream()
                .filter(topic -> withInternal || !topic.isInternal())
                .filter(topic -> !onlyProblems || underReplicated(topic) + offline(topic) > 0)
                .sorted(Comparator.comparing(TopicView::name))
                .toList();
        List<TopicView> seen =
                permits.seen(request.caller(), wanted, Operation.DESCRIBE, ResourceType.TOPIC, TopicView::name);
        Map<TopicPartition, Long> bytes = sizes.bytes();
        Map<String, Comparator<TopicView>> orders = new HashMap<>(ORDERS);
        orders.put(
                "bytes", Comparator.comparingLong(topic -> bytesOf(topic, bytes).orElse(-1L)));
        return Answer.of(Page.of(request, seen, TopicView::name, orders, part -> part.stream()
                .map(topic -> item(topic, bytes, null))
                .toList()));
    }

    private static Optional<Long> bytesOf(TopicView topic, Map<TopicPartition, Long> bytes) {
        long sum = 0;
        boolean isKnown = false;
        for (Integer partition : topic.partitions().keySet()) {
            Long size = bytes.get(new TopicPartition(topic.name(), partition));
            isKnown |= size != null;
            sum += size == null ? 0 : size;
        }
        return isKnown ? Optional.of(sum) : Optional.empty();
    }

    private Item item(TopicView topic, Map<TopicPartition, Long> bytes, List<GroupReading.OfTopic> groupList) {
        Optional<TopicConfig> config = services.find(Configs.class).map(configs -> configs.topic(topic.name()));
        boolean isPartial = topic.partitions().keySet().stream()
                .anyMatch(partition -> !bytes.containsKey(new TopicPartition(topic.name(), partition)));
        Optional<Long> size = bytesOf(topic, bytes);
        return new Item(
                topic.name(),
                topic.isInternal(),
                topic.partitions().size(),
                replicas(topic),
                underReplicated(topic),
                offline(topic),
                config.map(values -> values.get(TopicConfig.CLEANUP_POLICY)).orElse(""),
                groupList == null ? null : groupList.size(),
                engineOf(topic),
                size.orElse(null),
                size.isPresent() && isPartial ? true : null,
                records(topic),
                config.map(values -> values.getLong(TopicConfig.RETENTION_MS)).orElse(null),
                config.map(values -> values.getLong(TopicConfig.RETENTION_BYTES))
                        .orElse(null),
                groupList == null ? null : topic.topicId().toString(),
                groupList);
    }

    private String engineOf(TopicView topic) {
        String moved = view().configs(ConfigResource.topic(topic.name())).get(TopicConfig.STORAGE_ENGINE);
        return moved == null ? topic.engine() : moved;
    }

    /** Null if this node leads no partition of the topic. */
    private Long records(TopicView topic) {
        long records = 0;
        boolean isKnown = false;
        for (Integer number : topic.partitions().keySet()) {
            Partition partition = led(new TopicPartition(topic.name(), number)).orElse(null);
            if (partition != null) {
                isKnown = true;
                records += Math.max(0, partition.highWatermark() - partition.logStartOffset());
            }
        }
        return isKnown ? records : null;
    }

    private Optional<Partition> led(TopicPartition id) {
        try {
            return services.find(Partitions.class).map(partitions -> partitions.leader(id));
        } catch (FeliceException elsewhere) {
            return Optional.empty();
        }
    }

    /** @throws Problem if there is no such topic, or the user may not see it: both look the same */
    private TopicView find(ApiRequest request) {
        String name = request.path("topic");
        Caller caller = request.caller();
        return view().topic(name)
                .filter(topic -> permits.sees(caller, Operation.DESCRIBE, ResourceType.TOPIC, name))
                .orElseThrow(() -> Problem.notFound("There is no topic of this name."));
    }

    private Answer topic(ApiRequest request) {
        TopicView topic = find(request);
        return Answer.of(item(topic, sizes.bytes(), groups.of(request.caller(), topic.name())))
                .tagged(edits.etag(ConfigResource.topic(topic.name())));
    }

    private Answer partitions(ApiRequest request) {
        TopicView topic = find(request);
        Map<TopicPartition, Long> bytes = sizes.bytes();
        int me = services.need(ClusterMetadata.class).brokerId();
        return Answer.of(Page.of(
                request, List.copyOf(topic.partitions().entrySet()), entry -> "", Map.of(), part -> part.stream()
                        .map(entry -> shown(topic.name(), entry.getKey(), entry.getValue(), bytes, me))
                        .toList()));
    }

    private Shown shown(String topic, int number, PartitionState state, Map<TopicPartition, Long> bytes, int me) {
        TopicPartition id = new TopicPartition(topic, number);
        Optional<Partition> partition = state.leader() == me ? led(id) : Optional.empty();
        return new Shown(
                number,
                state.leaderEpoch(),
                state.replicas(),
                state.isr(),
                state.hasLeader() ? state.leader() : null,
                state.adding().isEmpty() ? null : state.adding(),
                state.removing().isEmpty() ? null : state.removing(),
                state.eligible().isEmpty() ? null : state.eligible(),
                partition.map(Partition::logStartOffset).orElse(null),
                partition.map(Partition::highWatermark).orElse(null),
                bytes.get(id),
                problem(state));
    }

    private static String problem(PartitionState state) {
        if (!state.hasLeader()) {
            return "Nobody leads the partition, so it is neither read nor written. Its replicas are on the brokers "
                    + state.replicas() + ", of which " + state.isr() + " have every record.";
        }
        Set<Integer> behind = new TreeSet<>(state.replicas());
        behind.removeAll(state.isr());
        return behind.isEmpty() ? null : "The replicas on the brokers " + behind + " are not in sync.";
    }

    // ---- configs

    private Answer configs(ApiRequest request) {
        String topic = find(request).name();
        permits.demand(request.caller(), Operation.DESCRIBE_CONFIGS, ResourceType.TOPIC, topic);
        ConfigResource resource = ConfigResource.topic(topic);
        return Answer.of(ShownConfig.of(services.need(Configs.class).describe(resource)))
                .tagged(edits.etag(resource));
    }

    private Answer alterConfigs(ApiRequest request) throws IOException {
        String topic = find(request).name();
        permits.demand(request.caller(), Operation.ALTER_CONFIGS, ResourceType.TOPIC, topic);
        return edits.change(request, ConfigResource.topic(topic));
    }

    private record Defaults(int partitions, int replicas, List<String> engines, List<ShownConfig> configs) {}

    private Answer defaults(ApiRequest request) {
        Configs configs = services.need(Configs.class);
        Set<String> engines = new TreeSet<>();
        view().brokers()
                .values()
                .forEach(
                        broker -> engines.addAll(broker.registration().engines().keySet()));
        return Answer.of(new Defaults(
                configs.broker().getInt(BrokerConfig.NUM_PARTITIONS),
                configs.broker().getInt(BrokerConfig.DEFAULT_REPLICATION_FACTOR),
                List.copyOf(engines),
                configs.describeTopic(request.query("name").orElse("new"), Map.of()).stream()
                        .map(ShownConfig::of)
                        .toList()));
    }

    // ---- changes

    private record NewTopic(String name, Integer partitions, Integer replicas, Map<String, String> configs) {}

    private record Created(String name, String id, int partitions, int replicas, boolean dryRun) {}

    private Answer create(ApiRequest request) throws IOException {
        NewTopic wanted = request.body(NewTopic.class);
        if (wanted.name() == null || wanted.name().isEmpty() || wanted.name().length() > 249) {
            throw Problem.invalid("A topic has a name of 1 to 249 characters.");
        }
        permits.demand(
                request.caller(),
                Action.onCluster(Operation.CREATE),
                new Action(Operation.CREATE, ResourceType.TOPIC, wanted.name()));
        TopicCreation creation = new TopicCreation(services.need(ClusterMetadata.class), services.need(Configs.class));
        Admin.NewTopic topic = creation.topic(
                wanted.name(),
                wanted.partitions() == null ? TopicCreation.DEFAULT : positive(wanted.partitions(), "partitions"),
                wanted.replicas() == null ? TopicCreation.DEFAULT : positive(wanted.replicas(), "replicas"),
                Map.of(),
                wanted.configs() == null ? Map.of() : wanted.configs());
        boolean isDryRun = request.isDryRun();
        var outcome = ApiRequest.await(creation.create(
                        services.need(Admin.class).askedBy(request.caller().requester()), List.of(topic), isDryRun))
                .outcomes()
                .get(wanted.name());
        ConfigEdits.throwIfFailed(outcome);
        if (!isDryRun) {
            audited.changed(request, "topic-create " + wanted.name());
        }
        Admin.CreatedTopic created = outcome.value();
        return Answer.of(
                201,
                new Created(
                        wanted.name(),
                        created.topicId().toString(),
                        created.partitions(),
                        created.replicationFactor(),
                        isDryRun));
    }

    private static int positive(int number, String what) {
        if (number < 1) {
            throw Problem.invalid("The number of " + what + " is at least 1.");
        }
        return number;
    }

    private record Done(boolean dryRun, String sentence) {}

    private Answer delete(ApiRequest request) {
        TopicView topic = find(request);
        if (topic.isInternal()) {
            throw Problem.invalid("The node itself needs the topic " + topic.name() + ".");
        } else if (!services.need(Configs.class).broker().getBoolean(BrokerConfig.DELETE_TOPIC_ENABLE)) {
            throw Problem.of(ErrorCode.TOPIC_DELETION_DISABLED, "delete.topic.enable is false on this broker.");
        }
        permits.demand(request.caller(), Operation.DELETE, ResourceType.TOPIC, topic.name());
        if (!request.isDryRun()) {
            var decided = ApiRequest.await(services.need(ClusterMetadata.class)
                    .visible(services.need(Admin.class)
                            .askedBy(request.caller().requester())
                            .deleteTopics(Set.of(topic.topicId()))));
            ConfigEdits.throwIfFailed(decided.outcomes().get(topic.topicId()));
            audited.changed(request, "topic-delete " + topic.name());
        }
        return Answer.of(new Done(
                request.isDryRun(), topic.name() + " with " + topic.partitions().size() + " partitions"));
    }

    private record Affects(List<GroupReading.OfTopic> groups, int acls, int partitions, Long bytes, Long records) {}

    private Answer affects(ApiRequest request) {
        TopicView topic = find(request);
        long acls = view().security().acls().stream()
                .filter(acl -> acl.type() == ResourceType.TOPIC
                        && acl.pattern() == Acl.Pattern.LITERAL
                        && acl.name().equals(topic.name()))
                .count();
        return Answer.of(new Affects(
                groups.of(request.caller(), topic.name()),
                (int) acls,
                topic.partitions().size(),
                bytesOf(topic, sizes.bytes()).orElse(null),
                records(topic)));
    }

    private record PartitionCount(int count) {}

    private Answer addPartitions(ApiRequest request) throws IOException {
        TopicView topic = find(request);
        int count = request.body(PartitionCount.class).count();
        permits.demand(request.caller(), Operation.ALTER, ResourceType.TOPIC, topic.name());
        boolean isDryRun = request.isDryRun();
        var decision = services.need(Admin.class)
                .askedBy(request.caller().requester())
                .createPartitions(Map.of(topic.name(), new Admin.NewPartitions(count, List.of())), isDryRun);
        var decided = ApiRequest.await(
                isDryRun ? decision : services.need(ClusterMetadata.class).visible(decision));
        ConfigEdits.throwIfFailed(decided.outcomes().get(topic.name()));
        if (!isDryRun) {
            audited.changed(request, "topic-partitions " + topic.name() + " " + count);
        }
        return Answer.of(new Done(
                isDryRun, topic.name() + " from " + topic.partitions().size() + " to " + count + " partitions"));
    }

    private record Purge(Map<Integer, Long> partitions) {}

    private record PurgedPartition(int partition, Long start, Problem.Body problem) {}

    private record Purged(List<PurgedPartition> partitions, boolean dryRun) {}

    private Answer purge(ApiRequest request) throws IOException {
        TopicView topic = find(request);
        Purge wanted = request.body(Purge.class);
        permits.demand(request.caller(), Operation.DELETE, ResourceType.TOPIC, topic.name());
        Map<Integer, Long> before = new TreeMap<>();
        if (wanted.partitions() == null) {
            topic.partitions().keySet().forEach(partition -> before.put(partition, -1L));
        } else {
            before.putAll(wanted.partitions());
        }
        boolean isDryRun = request.isDryRun();
        List<PurgedPartition> purged = new ArrayList<>();
        before.forEach((partition, offset) -> purged.add(purge(topic, partition, offset, isDryRun)));
        if (!isDryRun) {
            audited.changed(request, "topic-purge " + topic.name() + " " + before.keySet());
        }
        return Answer.of(new Purged(purged, isDryRun));
    }

    private PurgedPartition purge(TopicView topic, int number, Long offset, boolean isDryRun) {
        try {
            if (offset == null || offset < -1) {
                throw Problem.invalid("An offset is 0 or more.");
            } else if (topic.partition(number).isEmpty()) {
                throw Problem.notFound("There is no partition " + number + ".");
            }
            Partition partition = services.need(Partitions.class).leader(new TopicPartition(topic.name(), number));
            if (!isDryRun) {
                return new PurgedPartition(number, ApiRequest.await(partition.deleteRecords(offset)), null);
            }
            long start = offset < 0 ? partition.highWatermark() : Math.max(offset, partition.logStartOffset());
            if (start > partition.highWatermark()) {
                throw Problem.of(ErrorCode.OFFSET_OUT_OF_RANGE, "The partition ends at " + partition.highWatermark());
            }
            return new PurgedPartition(number, start, null);
        } catch (RuntimeException failure) {
            return new PurgedPartition(number, null, Problem.of(failure).body());
        }
    }
}
