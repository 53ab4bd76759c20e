package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.TopicNames;
import io.felice.api.cluster.Admin;
import io.felice.api.cluster.Admin.CreatedTopic;
import io.felice.api.cluster.Admin.NewTopic;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.Outcome;
import io.felice.api.cluster.TopicCreation;
import io.felice.api.config.ConfigEntry;
import io.felice.api.config.ConfigResource;
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
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableReplicaAssignment;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopic;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopicConfig;
import org.apache.kafka.common.message.CreateTopicsResponseData;
import org.apache.kafka.common.message.CreateTopicsResponseData.CreatableTopicConfigs;
import org.apache.kafka.common.message.CreateTopicsResponseData.CreatableTopicResult;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Creates topics, with the broker's defaults for what the client leaves open. */
@Component
@Serves(key = Apis.CREATE_TOPICS)
public final class CreateTopicsHandler implements RequestHandler<CreateTopicsRequestData, CreateTopicsResponseData> {
    private static final int FIRST_WITH_THROTTLING = 6;

    private final Admin admin;
    private final Configs configs;
    private final TopicCreation creation;
    private final Deadlines deadlines;
    private final Rights rights;
    private final Mutations mutations;

    @Activate
    public CreateTopicsHandler(
            @Reference Admin admin,
            @Reference ClusterMetadata metadata,
            @Reference Configs configs,
            @Reference Deadlines deadlines,
            @Reference Rights rights,
            @Reference Mutations mutations) {
        this.admin = admin;
        this.configs = configs;
        this.creation = new TopicCreation(metadata, configs);
        this.deadlines = deadlines;
        this.rights = rights;
        this.mutations = mutations;
    }

    @Override
    public CompletionStage<CreateTopicsResponseData> handle(CreateTopicsRequestData request, RequestContext context) {
        return rights.ask(request, context, CreateTopicsHandler::needs, this::create);
    }

    private static List<Action> needs(CreateTopicsRequestData request, RequestContext context) {
        List<Action> actions = new ArrayList<>();
        actions.add(Action.onCluster(Operation.CREATE));
        for (CreatableTopic topic : request.topics()) {
            actions.add(new Action(Operation.CREATE, ResourceType.TOPIC, topic.name()));
            actions.add(new Action(Operation.DESCRIBE_CONFIGS, ResourceType.TOPIC, topic.name()));
        }
        return actions;
    }

    private CompletionStage<CreateTopicsResponseData> create(
            CreateTopicsRequestData request, RequestContext context, Allowed allowed) {
        CreateTopicsResponseData response = new CreateTopicsResponseData();
        List<NewTopic> topics = new ArrayList<>();
        Mutations.Count count = mutations.of(context, FIRST_WITH_THROTTLING);
        for (CreatableTopic asked : request.topics()) {
            if (response.topics().find(asked.name()) == null) {
                CreatableTopicResult result = new CreatableTopicResult().setName(asked.name());
                response.topics().add(result);
                try {
                    NewTopic topic = checked(request, asked, allowed);
                    if (!request.validateOnly()) {
                        count.add(
                                topic.assignments().isEmpty()
                                        ? topic.partitions()
                                        : topic.assignments().size());
                    }
                    topics.add(topic);
                } catch (FeliceException refused) {
                    fail(result, refused.code(), refused.getMessage());
                }
            }
        }
        response.setThrottleTimeMs(count.throttleMs());
        if (topics.isEmpty()) {
            return CompletableFuture.completedFuture(response);
        }
        return deadlines
                .within(
                        request.timeoutMs(),
                        creation.create(admin.askedBy(context.requester()), topics, request.validateOnly()))
                .handle((decided, failure) -> {
                    for (NewTopic topic : topics) {
                        CreatableTopicResult result = response.topics().find(topic.name());
                        if (failure == null) {
                            fill(result, topic, decided.outcomes().get(topic.name()), request.validateOnly(), allowed);
                        } else {
                            fail(result, Failures.ofController(failure, context), Failures.messageOf(failure));
                        }
                    }
                    return response;
                });
    }

    private NewTopic checked(CreateTopicsRequestData request, CreatableTopic asked, Allowed allowed) {
        if (request.topics().findAll(asked.name()).size() > 1) {
            throw ErrorCode.INVALID_REQUEST.because("Found multiple entries for this topic.");
        }
        if (!Rights.permitCreation(allowed, asked.name())) {
            throw ErrorCode.TOPIC_AUTHORIZATION_FAILED.because("Authorization failed.");
        }
        TopicNames.check(asked.name());
        Map<Integer, List<Integer>> assignments = assignments(asked);
        if (!assignments.isEmpty()
                && (asked.numPartitions() != TopicCreation.DEFAULT
                        || asked.replicationFactor() != TopicCreation.DEFAULT)) {
            throw ErrorCode.INVALID_REQUEST.because("Both numPartitions or replicationFactor and replicasAssignments"
                    + " were set. Both cannot be used at the same time.");
        }
        return creation.topic(
                asked.name(), asked.numPartitions(), asked.replicationFactor(), assignments, topicConfigs(asked));
    }

    private static Map<Integer, List<Integer>> assignments(CreatableTopic asked) {
        Map<Integer, List<Integer>> assignments = new HashMap<>();
        for (CreatableReplicaAssignment assignment : asked.assignments()) {
            if (assignments.put(assignment.partitionIndex(), List.copyOf(assignment.brokerIds())) != null) {
                throw ErrorCode.INVALID_REPLICA_ASSIGNMENT.because(
                        "Partition " + assignment.partitionIndex() + " is assigned more than once.");
            }
        }
        return assignments;
    }

    private Map<String, String> topicConfigs(CreatableTopic asked) {
        ConfigResource resource = ConfigResource.topic(asked.name());
        Map<String, String> values = new HashMap<>();
        for (CreatableTopicConfig config : asked.configs()) {
            if (config.value() == null) {
                throw ErrorCode.INVALID_CONFIG.because("Null value not supported for topic configs: " + config.name());
            }
            configs.check(resource, config.name(), config.value());
            values.put(config.name(), config.value());
        }
        return values;
    }

    private static void fail(CreatableTopicResult result, ErrorCode error, String message) {
        result.setErrorCode(error.code()).setErrorMessage(message);
    }

    private void fill(
            CreatableTopicResult result,
            NewTopic topic,
            Outcome<CreatedTopic> outcome,
            boolean validateOnly,
            Allowed allowed) {
        if (outcome.isFailed()) {
            fail(result, outcome.error(), outcome.message());
            return;
        }
        CreatedTopic created = outcome.value();
        result.setErrorMessage(null);
        if (!validateOnly) {
            result.setTopicId(TopicIds.of(created.topicId()));
        }
        if (!allowed.has(Operation.DESCRIBE_CONFIGS, ResourceType.TOPIC, topic.name())) {
            result.setTopicConfigErrorCode(ErrorCode.TOPIC_AUTHORIZATION_FAILED.code());
            return;
        }
        result.setNumPartitions(created.partitions()).setReplicationFactor((short) created.replicationFactor());
        configs.describeTopic(topic.name(), topic.configs())
                .forEach(entry -> result.configs().add(config(entry)));
    }

    private static CreatableTopicConfigs config(ConfigEntry entry) {
        boolean secret = entry.key().isSensitive();
        return new CreatableTopicConfigs()
                .setName(entry.key().name())
                .setValue(secret ? null : entry.value())
                .setReadOnly(!entry.key().dynamic())
                .setConfigSource(entry.source().code())
                .setIsSensitive(secret);
    }
}
