package io.felice.controller;

import io.felice.api.ErrorCode;
import io.felice.api.TopicNames;
import io.felice.api.cluster.Admin.CreatedTopic;
import io.felice.api.cluster.Admin.NewPartitions;
import io.felice.api.cluster.Admin.NewTopic;
import io.felice.api.cluster.Admin.RestoredTopic;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.cluster.PartitionState;
import io.felice.api.cluster.TopicView;
import io.felice.api.config.ConfigResource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/** Decides about topics and partitions. Stateless except for its random choices; one thread at a time. */
final class Topics {
    static final int MAX_TOPICS_PER_REQUEST = 10_000;
    static final int MAX_PARTITIONS_PER_TOPIC = 200_000;
    /** The limit of Apache Kafka's controller. */
    static final int MAX_PARTITIONS_PER_REQUEST = 10_000;

    /** The load of brokers is counted anew after so many requests; it decides only among brokers that are equal otherwise. */
    private static final int REQUESTS_PER_COUNT = 500;

    private final RandomGenerator random;
    private final ReplicaLoad load = new ReplicaLoad();
    private int requests;
    private final Supplier<UUID> topicIds;
    private final IntSupplier partitionsMax;

    /** @param partitionsMax the most partitions of all topics together */
    Topics(RandomGenerator random, Supplier<UUID> topicIds, IntSupplier partitionsMax) {
        this.random = random;
        this.topicIds = topicIds;
        this.partitionsMax = partitionsMax;
    }

    private ReplicaPlacement placement(ClusterConfigs configs) {
        if (requests++ % REQUESTS_PER_COUNT == 0) {
            load.countAgain(configs.view());
        }
        return new ReplicaPlacement(configs, random, load);
    }

    ControllerResult<String, CreatedTopic> create(ClusterConfigs configs, List<NewTopic> topics, boolean validateOnly) {
        if (topics.size() > MAX_TOPICS_PER_REQUEST) {
            return ControllerResult.Draft.refused(
                    topics.stream().map(NewTopic::name).toList(), () -> tooMany(topics.size()));
        }
        Set<String> named = new HashSet<>();
        Set<String> namedTwice = new HashSet<>();
        topics.stream().map(NewTopic::name).filter(name -> !named.add(name)).forEach(namedTwice::add);
        ControllerResult.Draft<String, CreatedTopic> draft = new ControllerResult.Draft<>();
        Set<String> accepted = new HashSet<>();
        ClusterView view = configs.view();
        PartitionBudget budget = new PartitionBudget(view);
        ReplicaPlacement placement = placement(configs);
        for (NewTopic topic : topics) {
            draft.item(topic.name(), records -> {
                if (namedTwice.contains(topic.name())) {
                    throw ErrorCode.INVALID_REQUEST.because("Duplicate topic name.");
                }
                checkName(view, topic.name(), accepted);
                CreatedTopic created = create(configs, topic, placement, budget, records);
                accepted.add(topic.name());
                return created;
            });
        }
        return draft.done(validateOnly);
    }

    /** Creates a topic again for logs that one broker still has. */
    ControllerResult<String, CreatedTopic> restore(ClusterConfigs configs, RestoredTopic topic) {
        ClusterView view = configs.view();
        ControllerResult.Draft<String, CreatedTopic> draft = new ControllerResult.Draft<>();
        draft.item(topic.name(), records -> {
            checkName(view, topic.name(), Set.of());
            if (view.topic(topic.topicId()).isPresent()) {
                throw ErrorCode.TOPIC_ALREADY_EXISTS.because("A topic has the id " + topic.topicId() + " already.");
            }
            if (topic.leaderEpochs().isEmpty()) {
                throw ErrorCode.INVALID_PARTITIONS.because("Number of partitions must be larger than 0.");
            }
            new PartitionBudget(view).require(topic.leaderEpochs().size());
            checkAssignment(
                    view, configs.engineOf(topic.name(), topic.configs()), List.of(topic.brokerId()), List.of());
            DynamicConfigs.checkNewTopic(configs, topic.name(), topic.configs());
            addRestored(topic, records);
            return new CreatedTopic(topic.topicId(), topic.leaderEpochs().size(), 1);
        });
        return draft.done();
    }

    private static void addRestored(RestoredTopic topic, List<MetadataRecord> records) {
        records.add(new MetadataRecord.TopicCreated(topic.topicId(), topic.name()));
        List<Integer> owner = List.of(topic.brokerId());
        for (int partition = 0; partition < topic.leaderEpochs().size(); partition++) {
            int epoch = topic.leaderEpochs().get(partition);
            PartitionState state =
                    new PartitionState(owner, owner, List.of(), List.of(), topic.brokerId(), epoch, 0, false);
            records.add(new MetadataRecord.PartitionChanged(topic.topicId(), partition, state));
        }
        addConfigs(topic.name(), topic.configs(), records);
    }

    private static void addConfigs(String topic, Map<String, String> configs, List<MetadataRecord> records) {
        ConfigResource resource = ConfigResource.topic(topic);
        new TreeMap<>(configs).forEach((key, value) -> records.add(new MetadataRecord.ConfigSet(resource, key, value)));
    }

    ControllerResult<UUID, Void> delete(ClusterView view, Set<UUID> topicIds, boolean validateOnly) {
        ControllerResult.Draft<UUID, Void> draft = new ControllerResult.Draft<>();
        for (UUID topicId : topicIds) {
            draft.item(topicId, records -> {
                if (view.topic(topicId).isEmpty()) {
                    throw ErrorCode.UNKNOWN_TOPIC_ID.because("This server does not host this topic ID.");
                }
                records.add(new MetadataRecord.TopicDeleted(topicId));
                return null;
            });
        }
        return draft.done(validateOnly);
    }

    ControllerResult<String, Void> addPartitions(
            ClusterConfigs configs, Map<String, NewPartitions> wanted, boolean validateOnly) {
        if (wanted.size() > MAX_TOPICS_PER_REQUEST) {
            return ControllerResult.Draft.refused(wanted.keySet(), () -> tooMany(wanted.size()));
        }
        ControllerResult.Draft<String, Void> draft = new ControllerResult.Draft<>();
        ClusterView view = configs.view();
        PartitionBudget budget = new PartitionBudget(view);
        ReplicaPlacement placement = placement(configs);
        new TreeMap<>(wanted)
                .forEach((name, partitions) -> draft.item(name, records -> {
                    TopicView topic = known(view.topic(name), name);
                    addPartitions(configs, topic, partitions, placement, budget, records);
                    return null;
                }));
        return draft.done(validateOnly);
    }

    private static void checkName(ClusterView view, String name, Set<String> accepted) {
        TopicNames.check(name);
        if (view.topic(name).isPresent()) {
            throw ErrorCode.TOPIC_ALREADY_EXISTS.because("Topic '" + name + "' already exists.");
        }
        if (TopicNames.mayCollide(name)) {
            view.topics().forEach(topic -> checkCollision(name, topic.name()));
            accepted.forEach(other -> checkCollision(name, other));
        }
    }

    private static void checkCollision(String name, String other) {
        if (TopicNames.collide(name, other)) {
            throw ErrorCode.INVALID_TOPIC_EXCEPTION.because(
                    "Topic '" + name + "' collides with existing topic: " + other);
        }
    }

    private CreatedTopic create(
            ClusterConfigs configs,
            NewTopic topic,
            ReplicaPlacement placement,
            PartitionBudget budget,
            List<MetadataRecord> records) {
        DynamicConfigs.checkNewTopic(configs, topic.name(), topic.configs());
        String engine = configs.engineOf(topic.name(), topic.configs());
        List<List<Integer>> replicas = topic.assignments().isEmpty()
                ? placed(topic, engine, placement, budget)
                : assigned(configs.view(), topic, engine, budget);
        UUID topicId = topicIds.get();
        records.add(new MetadataRecord.TopicCreated(topicId, topic.name(), engine));
        addPartitions(configs.view(), topicId, 0, replicas, records);
        budget.take(replicas.size());
        addConfigs(topic.name(), topic.configs(), records);
        return new CreatedTopic(topicId, replicas.size(), replicas.get(0).size());
    }

    private static List<List<Integer>> placed(
            NewTopic topic, String engine, ReplicaPlacement placement, PartitionBudget budget) {
        if (topic.partitions() <= 0) {
            throw ErrorCode.INVALID_PARTITIONS.because("Number of partitions must be larger than 0.");
        }
        if (topic.replicationFactor() <= 0) {
            throw ErrorCode.INVALID_REPLICATION_FACTOR.because("Replication factor must be larger than 0.");
        }
        budget.require(topic.partitions());
        return placement.of(engine, List.of()).place(topic.partitions(), topic.replicationFactor());
    }

    private static List<List<Integer>> assigned(
            ClusterView view, NewTopic topic, String engine, PartitionBudget budget) {
        budget.require(topic.assignments().size());
        List<List<Integer>> replicas = new ArrayList<>();
        for (int partition = 0; partition < topic.assignments().size(); partition++) {
            List<Integer> assignment = topic.assignments().get(partition);
            if (assignment == null) {
                throw ErrorCode.INVALID_REPLICA_ASSIGNMENT.because(
                        "partitions should be a consecutive 0-based integer sequence");
            }
            replicas.add(assignment);
        }
        checkAssignments(view, engine, replicas, replicas.get(0).size());
        return replicas;
    }

    private void addPartitions(
            ClusterConfigs configs,
            TopicView topic,
            NewPartitions wanted,
            ReplicaPlacement placement,
            PartitionBudget budget,
            List<MetadataRecord> records) {
        int now = topic.partitions().size();
        int added = wanted.totalCount() - now;
        if (added < 0) {
            throw ErrorCode.INVALID_PARTITIONS.because("The topic " + topic.name() + " currently has " + now
                    + " partition(s); " + wanted.totalCount() + " would not be an increase.");
        }
        if (added == 0) {
            throw ErrorCode.INVALID_PARTITIONS.because("Topic already has " + now + " partition(s).");
        }
        if (wanted.totalCount() > MAX_PARTITIONS_PER_TOPIC) {
            throw ErrorCode.INVALID_PARTITIONS.because(
                    "A topic may have at most " + MAX_PARTITIONS_PER_TOPIC + " partitions.");
        }
        budget.require(added);
        List<List<Integer>> replicas = replicas(configs, topic, placement, added, wanted.assignments());
        addPartitions(configs.view(), topic.topicId(), now, replicas, records);
        budget.take(added);
    }

    private static List<List<Integer>> replicas(
            ClusterConfigs configs,
            TopicView topic,
            ReplicaPlacement placement,
            int added,
            List<List<Integer>> assignments) {
        String engine = configs.engineOf(topic.name());
        int replicationFactor = topic.partitions().get(0).replicas().size();
        if (assignments.isEmpty()) {
            return placement.of(engine, topic.partitions().values()).place(added, replicationFactor);
        }
        if (assignments.size() != added) {
            throw ErrorCode.INVALID_REPLICA_ASSIGNMENT.because("Attempted to add " + added
                    + " additional partition(s), but only " + assignments.size() + " assignment(s) were specified.");
        }
        checkAssignments(configs.view(), engine, assignments, replicationFactor);
        return assignments;
    }

    /** The leader of a new partition is its first replica that may lead, and those that may are in sync. */
    private static void addPartitions(
            ClusterView view, UUID topicId, int first, List<List<Integer>> replicas, List<MetadataRecord> records) {
        int partition = first;
        for (List<Integer> ofPartition : replicas) {
            int index = partition++;
            List<Integer> inSync =
                    ofPartition.stream().filter(id -> Leaders.mayLead(view, id)).toList();
            if (inSync.isEmpty()) {
                throw ErrorCode.INVALID_REPLICA_ASSIGNMENT.because(
                        "All brokers specified in the manual partition assignment for partition " + index
                                + " are fenced or in controlled shutdown.");
            }
            PartitionState state = PartitionState.created(ofPartition, inSync, inSync.get(0));
            records.add(new MetadataRecord.PartitionChanged(topicId, index, state));
        }
    }

    private static void checkAssignments(
            ClusterView view, String engine, List<List<Integer>> assignments, int replicationFactor) {
        for (List<Integer> replicas : assignments) {
            checkAssignment(view, engine, replicas, List.of());
            if (replicas.size() != replicationFactor) {
                throw ErrorCode.INVALID_REPLICA_ASSIGNMENT.because(
                        "The manual partition assignment includes a partition with " + replicas.size()
                                + " replica(s), but this is not consistent with previous partitions, which have "
                                + replicationFactor + " replica(s).");
            }
        }
    }

    /**
     * @param present replicas that the partition has already, which need not be alive
     * @throws io.felice.api.FeliceException INVALID_REPLICA_ASSIGNMENT if another replica is no live broker or has not
     *     the engine, or one occurs twice
     */
    static void checkAssignment(ClusterView view, String engine, List<Integer> replicas, List<Integer> present) {
        if (replicas.isEmpty()) {
            throw ErrorCode.INVALID_REPLICA_ASSIGNMENT.because(
                    "The manual partition assignment includes an empty replica list.");
        }
        Set<Integer> seen = new HashSet<>();
        for (Integer replica : replicas) {
            boolean isNew = !present.contains(replica);
            if (isNew) {
                checkAlive(view, replica);
            }
            if (isNew && !ClusterEngines.mayHave(view, view.brokers().get(replica), engine)) {
                throw ErrorCode.INVALID_REPLICA_ASSIGNMENT.because("The manual partition assignment includes broker "
                        + replica + ", which has not the topic's storage engine " + engine + ".");
            }
            if (!seen.add(replica)) {
                throw ErrorCode.INVALID_REPLICA_ASSIGNMENT.because(
                        "The manual partition assignment includes the broker " + replica + " more than once.");
            }
        }
    }

    private static void checkAlive(ClusterView view, int brokerId) {
        if (!view.brokers().containsKey(brokerId)) {
            throw ErrorCode.INVALID_REPLICA_ASSIGNMENT.because("The manual partition assignment includes broker "
                    + brokerId + ", but no such broker is registered.");
        }
    }

    static TopicView known(Optional<TopicView> topic, String name) {
        return topic.orElseThrow(
                () -> ErrorCode.UNKNOWN_TOPIC_OR_PARTITION.because("The topic '" + name + "' does not exist."));
    }

    private static io.felice.api.FeliceException tooMany(int topics) {
        return ErrorCode.INVALID_REQUEST.because(
                "The request has " + topics + " topics; at most " + MAX_TOPICS_PER_REQUEST + " are allowed.");
    }

    /** How many partitions the request may still create. Partitions of refused topics do not count. */
    private final class PartitionBudget {
        private final long most = partitionsMax.getAsInt();
        private long present;
        private int left = MAX_PARTITIONS_PER_REQUEST;

        PartitionBudget(ClusterView view) {
            present = view.partitionCount();
        }

        /** Called before memory is allocated for the partitions. */
        void require(int partitions) {
            if (partitions > left) {
                throw ErrorCode.POLICY_VIOLATION.because(
                        "One request may make at most " + MAX_PARTITIONS_PER_REQUEST + " partitions.");
            }
            if (present + partitions > most) {
                throw ErrorCode.POLICY_VIOLATION.because("The cluster has " + present + " partitions and may have "
                        + most + " (partitions.max in io.felice.controller.cfg); " + partitions
                        + " more would be too many.");
            }
        }

        void take(int partitions) {
            left -= partitions;
            present += partitions;
        }
    }
}
