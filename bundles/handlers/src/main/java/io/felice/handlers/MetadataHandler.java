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
import io.felice.api.security.Action;
import io.felice.api.security.Authorization.Allowed;
import io.felice.api.security.Operation;
import io.felice.api.security.ResourceType;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.Serves;
import java.util.ArrayList;
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
    private final Rights rights;

    @Activate
    public MetadataHandler(
            @Reference ClusterMetadata metadata,
            @Reference Admin admin,
            @Reference Configs configs,
            @Reference Deadlines deadlines,
            @Reference Rights rights) {
        this.metadata = metadata;
        this.admin = admin;
        this.configs = configs;
        this.deadlines = deadlines;
        this.creation = new TopicCreation(metadata, configs);
        this.rights = rights;
    }

    @Override
    public CompletionStage<MetadataResponseData> handle(MetadataRequestData request, RequestContext context) {
        Optional<String> wrong = wrong(request, context.apiVersion());
        if (wrong.isPresent()) {
            return CompletableFuture.failedFuture(ErrorCode.INVALID_REQUEST.because(wrong.get()));
        }
        return rights.ask(request, context, this::needs, this::describe);
    }

    private List<Action> needs(MetadataRequestData request, RequestContext context) {
        ClusterView view = metadata.view();
        List<Action> actions = new ArrayList<>();
        boolean operations = request.includeTopicAuthorizedOperations();
        if (isAll(request, context.apiVersion())) {
            view.topics().forEach(topic -> add(actions, topic.name(), operations));
        } else {
            request.topics().forEach(topic -> nameOf(topic, view).ifPresent(name -> add(actions, name, operations)));
        }
        Set<String> toCreate = toCreate(request, context.apiVersion(), view, Allowed.EVERYTHING);
        actions.addAll(Rights.each(Operation.CREATE, ResourceType.TOPIC, toCreate));
        if (!toCreate.isEmpty()) {
            actions.add(Action.onCluster(Operation.CREATE));
        }
        if (showsClusterOperations(request, context)) {
            Rights.addAll(actions, ResourceType.CLUSTER, ResourceType.CLUSTER_NAME);
        }
        return actions;
    }

    private static void add(List<Action> actions, String topic, boolean operations) {
        if (operations) {
            Rights.addAll(actions, ResourceType.TOPIC, topic);
        } else {
            actions.add(new Action(Operation.DESCRIBE, ResourceType.TOPIC, topic));
        }
    }

    private static Optional<String> nameOf(MetadataRequestTopic topic, ClusterView view) {
        return TopicIds.isGiven(topic.topicId())
                ? view.topic(TopicIds.of(topic.topicId())).map(TopicView::name)
                : Optional.ofNullable(topic.name());
    }

    private CompletionStage<MetadataResponseData> describe(
            MetadataRequestData request, RequestContext context, Allowed allowed) {
        ClusterView view = metadata.view();
        Map<String, ErrorCode> failures = new HashMap<>();
        Set<String> toCreate = toCreate(request, context.apiVersion(), view, allowed);
        Set<String> mayCreate = new LinkedHashSet<>(toCreate);
        mayCreate.removeIf(name -> !Rights.permitCreation(allowed, name));
        toCreate.stream()
                .filter(name -> !mayCreate.contains(name))
                .forEach(name -> failures.put(name, ErrorCode.TOPIC_AUTHORIZATION_FAILED));
        if (mayCreate.isEmpty()) {
            return CompletableFuture.completedFuture(answer(request, context, view, allowed, failures));
        }
        List<NewTopic> topics = mayCreate.stream().map(creation::withDefaults).toList();
        return deadlines
                .within(Deadlines.TOPIC_CREATION_MS, creation.create(admin.askedBy(context.requester()), topics, false))
                .handle((decided, late) -> late == null ? failures(decided) : failures(mayCreate, late, context))
                .thenApply(created -> {
                    failures.putAll(created);
                    return answer(request, context, metadata.view(), allowed, failures);
                });
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

    private static boolean showsClusterOperations(MetadataRequestData request, RequestContext context) {
        return request.includeClusterAuthorizedOperations()
                && context.apiVersion() >= FIRST_WITH_CLUSTER_OPERATIONS
                && context.apiVersion() <= LAST_WITH_CLUSTER_OPERATIONS;
    }

    /** The topics that do not exist, among those that the client may describe. */
    private Set<String> toCreate(MetadataRequestData request, short version, ClusterView view, Allowed allowed) {
        Set<String> missing = new LinkedHashSet<>();
        if (isAll(request, version) || !request.allowAutoTopicCreation()) {
            return missing;
        }
        for (MetadataRequestTopic topic : request.topics()) {
            String name = topic.name();
            boolean creatable = name != null
                    && !TopicIds.isGiven(topic.topicId())
                    && view.topic(name).isEmpty()
                    && allowed.has(Operation.DESCRIBE, ResourceType.TOPIC, name)
                    && TopicNames.isValid(name)
                    && !InternalTopics.isInternal(name);
            if (creatable) {
                missing.add(name);
            }
        }
        boolean creates = missing.isEmpty() || configs.broker().getBoolean(BrokerConfig.AUTO_CREATE_TOPICS);
        return creates ? missing : Set.of();
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
            MetadataRequestData request,
            RequestContext context,
            ClusterView view,
            Allowed allowed,
            Map<String, ErrorCode> failures) {
        Nodes nodes = new Nodes(view, context.connection().listener());
        boolean operations = request.includeTopicAuthorizedOperations();
        Answer answer = new Answer(view, nodes, allowed, context.apiVersion(), operations);
        if (isAll(request, context.apiVersion())) {
            answer.addAll();
        } else {
            request.topics().forEach(topic -> answer.add(topic, failures));
        }
        for (Nodes.Node node : nodes.nodes()) {
            answer.data.brokers().add(broker(node));
        }
        answer.data.setClusterId(view.clusterId().orElse(null)).setControllerId(controller(view));
        if (showsClusterOperations(request, context)) {
            answer.data.setClusterAuthorizedOperations(Rights.bitsOfCluster(allowed));
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

    private record Answer(
            MetadataResponseData data,
            ClusterView view,
            Nodes nodes,
            Allowed allowed,
            short version,
            boolean operations) {
        Answer(ClusterView view, Nodes nodes, Allowed allowed, short version, boolean operations) {
            this(new MetadataResponseData(), view, nodes, allowed, version, operations);
        }

        void addAll() {
            view.topics().stream()
                    .filter(topic -> allowed.has(Operation.DESCRIBE, ResourceType.TOPIC, topic.name()))
                    .forEach(this::add);
        }

        void add(MetadataRequestTopic asked, Map<String, ErrorCode> failures) {
            Optional<String> name = nameOf(asked, view);
            if (name.isPresent() && !allowed.permits(Operation.DESCRIBE, ResourceType.TOPIC, name.get())) {
                refuse(asked);
            } else if (TopicIds.isGiven(asked.topicId())) {
                view.topic(TopicIds.of(asked.topicId()))
                        .ifPresentOrElse(this::add, () -> addFailed(asked, ErrorCode.UNKNOWN_TOPIC_ID));
            } else if (asked.name() == null) {
                addFailed(asked, ErrorCode.UNKNOWN_TOPIC_ID);
            } else {
                view.topic(asked.name()).ifPresentOrElse(this::add, () -> addFailed(asked, missing(asked, failures)));
            }
        }

        /** Does not say whether a topic with the name exists. Topic ids are no secret. */
        private void refuse(MetadataRequestTopic asked) {
            boolean byId = TopicIds.isGiven(asked.topicId());
            add(new MetadataResponseTopic()
                    .setErrorCode(ErrorCode.TOPIC_AUTHORIZATION_FAILED.code())
                    .setName(byId ? null : asked.name())
                    .setTopicId(asked.topicId()));
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

        private void add(TopicView view) {
            MetadataResponseTopic topic = new MetadataResponseTopic()
                    .setName(view.name())
                    .setTopicId(TopicIds.of(view.topicId()))
                    .setIsInternal(view.isInternal());
            view.partitions().forEach((index, state) -> topic.partitions().add(partition(index, state)));
            add(topic);
        }

        private void add(MetadataResponseTopic topic) {
            boolean isRefused = topic.errorCode() == ErrorCode.TOPIC_AUTHORIZATION_FAILED.code();
            if (operations && topic.name() != null && !isRefused) {
                topic.setTopicAuthorizedOperations(Rights.bits(allowed, ResourceType.TOPIC, topic.name()));
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
