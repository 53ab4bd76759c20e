package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.TopicNames;
import io.felice.api.cluster.Admin;
import io.felice.api.cluster.Admin.CreatedTopic;
import io.felice.api.cluster.Admin.Decided;
import io.felice.api.cluster.Admin.NewTopic;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.InternalTopics;
import io.felice.api.cluster.PartitionState;
import io.felice.api.cluster.TopicCreation;
import io.felice.api.cluster.TopicView;
import io.felice.api.config.BrokerConfig;
import io.felice.api.config.Configs;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.Serves;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.message.MetadataRequestData.MetadataRequestTopic;
import org.apache.kafka.common.message.MetadataResponseData;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponseBroker;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponsePartition;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponseTopic;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Describes brokers, topics and leaders, and creates missing topics if the client and the broker allow it. */
@Component
@Serves(key = Apis.METADATA)
public final class MetadataHandler implements RequestHandler<MetadataRequestData, MetadataResponseData> {
    private static final int NO_NODE = -1;
    private static final short FIRST_WITH_TOPIC_IDS = 12;
    private static final short FIRST_WITH_LISTENER_NOT_FOUND = 6;
    private static final short FIRST_WITH_CLUSTER_OPERATIONS = 8;
    private static final short LAST_WITH_CLUSTER_OPERATIONS = 10;

    private final ClusterMetadata metadata;
    private final Admin admin;
    private final Configs configs;
    private final Deadlines deadlines;
    private final TopicCreation creation;

    @Activate
    public MetadataHandler(
            @Reference ClusterMetadata metadata,
            @Reference Admin admin,
            @Reference Configs configs,
            @Reference Deadlines deadlines) {
        this.metadata = metadata;
        this.admin = admin;
        this.configs = configs;
        this.deadlines = deadlines;
        this.creation = new TopicCreation(metadata, configs);
    }

    @Override
    public CompletionStage<MetadataResponseData> handle(MetadataRequestData request, RequestContext context) {
        Optional<String> wrong = wrong(request, context.apiVersion());
        if (wrong.isPresent()) {
            return CompletableFuture.failedFuture(ErrorCode.INVALID_REQUEST.because(wrong.get()));
        }
        ClusterView view = metadata.view();
        Set<String> toCreate = toCreate(request, context.apiVersion(), view);
        if (toCreate.isEmpty()) {
            return CompletableFuture.completedFuture(answer(request, context, view, Map.of()));
        }
        List<NewTopic> topics = toCreate.stream().map(creation::withDefaults).toList();
        return deadlines
                .within(Deadlines.TOPIC_CREATION_MS, creation.create(admin, topics, false))
                .handle((decided, late) -> late == null ? failures(decided) : failures(toCreate, late, context))
                .thenApply(failures -> answer(request, context, metadata.view(), failures));
    }

    private static Optional<String> wrong(MetadataRequestData request, short version) {
        if (request.topics() != null && version < FIRST_WITH_TOPIC_IDS) {
            for (MetadataRequestTopic topic : request.topics()) {
                if (topic.name() == null) {
                    return Optional.of("Topic name can not be null for version " + version);
                }
                if (TopicIds.isGiven(topic.topicId())) {
                    return Optional.of("Topic IDs are not supported in requests for version " + version);
                }
            }
        }
        return Optional.empty();
    }

    private static boolean isAll(MetadataRequestData request, short version) {
        return request.topics() == null || version == 0 && request.topics().isEmpty();
    }

    private Set<String> toCreate(MetadataRequestData request, short version, ClusterView view) {
        Set<String> missing = new LinkedHashSet<>();
        if (isAll(request, version) || !request.allowAutoTopicCreation()) {
            return missing;
        }
        for (MetadataRequestTopic topic : request.topics()) {
            String name = topic.name();
            boolean creatable = name != null
                    && !TopicIds.isGiven(topic.topicId())
                    && view.topic(name).isEmpty()
                    && TopicNames.isValid(name)
                    && !InternalTopics.isInternal(name);
            if (creatable) {
                missing.add(name);
            }
        }
        boolean allowed = missing.isEmpty() || configs.broker().getBoolean(BrokerConfig.AUTO_CREATE_TOPICS);
        return allowed ? missing : Set.of();
    }

    /**
     * The error of each topic that the request created. The response has it only if the topic is not in the view yet.
     * The client then asks again.
     */
    private static Map<String, ErrorCode> failures(Decided<String, CreatedTopic> decided) {
        Map<String, ErrorCode> failures = new HashMap<>();
        decided.outcomes().forEach((name, outcome) -> failures.put(name, Failures.ofCreation(outcome.error())));
        return failures;
    }

    private static Map<String, ErrorCode> failures(Set<String> names, Throwable failure, RequestContext context) {
        ErrorCode error = Failures.ofCreation(Failures.codeOf(failure, context));
        return names.stream().collect(Collectors.toMap(name -> name, name -> error));
    }

    private MetadataResponseData answer(
            MetadataRequestData request, RequestContext context, ClusterView view, Map<String, ErrorCode> failures) {
        Nodes nodes = new Nodes(view, context.connection().listener());
        Answer answer = new Answer(view, nodes, context.apiVersion(), request.includeTopicAuthorizedOperations());
        if (isAll(request, context.apiVersion())) {
            view.topics().forEach(answer::add);
        } else {
            request.topics().forEach(topic -> answer.add(topic, failures));
        }
        for (Nodes.Node node : nodes.nodes()) {
            answer.data.brokers().add(broker(node));
        }
        answer.data.setClusterId(view.clusterId().orElse(null)).setControllerId(controller(view));
        if (request.includeClusterAuthorizedOperations()
                && context.apiVersion() >= FIRST_WITH_CLUSTER_OPERATIONS
                && context.apiVersion() <= LAST_WITH_CLUSTER_OPERATIONS) {
            answer.data.setClusterAuthorizedOperations(Permissions.CLUSTER);
        }
        return answer.data;
    }

    private int controller(ClusterView view) {
        return admin.controllerId().filter(id -> view.broker(id).isPresent()).orElse(NO_NODE);
    }

    private static MetadataResponseBroker broker(Nodes.Node node) {
        return new MetadataResponseBroker()
                .setNodeId(node.id())
                .setHost(node.host())
                .setPort(node.port())
                .setRack(node.rack());
    }

    private record Answer(MetadataResponseData data, ClusterView view, Nodes nodes, short version, boolean operations) {
        Answer(ClusterView view, Nodes nodes, short version, boolean operations) {
            this(new MetadataResponseData(), view, nodes, version, operations);
        }

        void add(MetadataRequestTopic asked, Map<String, ErrorCode> failures) {
            if (TopicIds.isGiven(asked.topicId())) {
                view.topic(TopicIds.of(asked.topicId()))
                        .ifPresentOrElse(this::add, () -> addFailed(asked, ErrorCode.UNKNOWN_TOPIC_ID));
            } else if (asked.name() == null) {
                addFailed(asked, ErrorCode.UNKNOWN_TOPIC_ID);
            } else {
                view.topic(asked.name()).ifPresentOrElse(this::add, () -> addFailed(asked, missing(asked, failures)));
            }
        }

        private static ErrorCode missing(MetadataRequestTopic asked, Map<String, ErrorCode> failures) {
            ErrorCode failure = failures.get(asked.name());
            if (failure != null) {
                return failure;
            }
            return TopicNames.isValid(asked.name())
                    ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
                    : ErrorCode.INVALID_TOPIC_EXCEPTION;
        }

        private void addFailed(MetadataRequestTopic asked, ErrorCode error) {
            MetadataResponseTopic topic = new MetadataResponseTopic()
                    .setErrorCode(error.code())
                    .setName(asked.name())
                    .setTopicId(asked.topicId())
                    .setIsInternal(asked.name() != null && InternalTopics.isInternal(asked.name()));
            add(topic);
        }

        void add(TopicView view) {
            MetadataResponseTopic topic = new MetadataResponseTopic()
                    .setName(view.name())
                    .setTopicId(TopicIds.of(view.topicId()))
                    .setIsInternal(view.isInternal());
            view.partitions().forEach((index, state) -> topic.partitions().add(partition(index, state)));
            add(topic);
        }

        private void add(MetadataResponseTopic topic) {
            if (operations) {
                topic.setTopicAuthorizedOperations(Permissions.TOPIC);
            }
            if (topic.name() == null || data.topics().find(topic.name()) == null) {
                data.topics().add(topic);
            }
        }

        private MetadataResponsePartition partition(int index, PartitionState state) {
            SeenPartition seen = SeenPartition.of(state, nodes);
            MetadataResponsePartition partition = new MetadataResponsePartition()
                    .setPartitionIndex(index)
                    .setErrorCode(toClient(seen.error()).code())
                    .setLeaderId(seen.leader())
                    .setLeaderEpoch(state.leaderEpoch())
                    .setReplicaNodes(state.replicas())
                    .setIsrNodes(state.isr())
                    .setOfflineReplicas(seen.offline());
            if (seen.error() == ErrorCode.NONE
                    && version == 0
                    && !seen.offline().isEmpty()) {
                partition
                        .setErrorCode(ErrorCode.REPLICA_NOT_AVAILABLE.code())
                        .setReplicaNodes(alive(state.replicas()))
                        .setIsrNodes(alive(state.isr()));
            }
            return partition;
        }

        private ErrorCode toClient(ErrorCode error) {
            return error == ErrorCode.LISTENER_NOT_FOUND && version < FIRST_WITH_LISTENER_NOT_FOUND
                    ? ErrorCode.LEADER_NOT_AVAILABLE
                    : error;
        }

        private List<Integer> alive(List<Integer> brokers) {
            return brokers.stream().filter(nodes::isAlive).toList();
        }
    }
}
