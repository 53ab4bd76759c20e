package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.cluster.Admin;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.Outcome;
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
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.DeleteTopicsRequestData;
import org.apache.kafka.common.message.DeleteTopicsRequestData.DeleteTopicState;
import org.apache.kafka.common.message.DeleteTopicsResponseData;
import org.apache.kafka.common.message.DeleteTopicsResponseData.DeletableTopicResult;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Deletes topics, by name or (from v6 on) by id. */
@Component
@Serves(key = Apis.DELETE_TOPICS)
public final class DeleteTopicsHandler implements RequestHandler<DeleteTopicsRequestData, DeleteTopicsResponseData> {
    private static final short FIRST_WITH_DELETION_DISABLED = 3;
    private static final int FIRST_WITH_THROTTLING = 5;
    private static final short FIRST_WITH_IDS = 6;

    private final Admin admin;
    private final ClusterMetadata metadata;
    private final Configs configs;
    private final Deadlines deadlines;
    private final Rights rights;
    private final Mutations mutations;

    @Activate
    public DeleteTopicsHandler(
            @Reference Admin admin,
            @Reference ClusterMetadata metadata,
            @Reference Configs configs,
            @Reference Deadlines deadlines,
            @Reference Rights rights,
            @Reference Mutations mutations) {
        this.admin = admin;
        this.metadata = metadata;
        this.configs = configs;
        this.deadlines = deadlines;
        this.rights = rights;
        this.mutations = mutations;
    }

    @Override
    public CompletionStage<DeleteTopicsResponseData> handle(DeleteTopicsRequestData request, RequestContext context) {
        return rights.ask(request, context, this::needs, this::delete);
    }

    private List<Action> needs(DeleteTopicsRequestData request, RequestContext context) {
        ClusterView view = metadata.view();
        List<Action> actions = new ArrayList<>();
        for (DeleteTopicState topic : asked(request, context.apiVersion())) {
            nameOf(topic, find(view, topic)).ifPresent(name -> {
                actions.add(new Action(Operation.DESCRIBE, ResourceType.TOPIC, name));
                actions.add(new Action(Operation.DELETE, ResourceType.TOPIC, name));
            });
        }
        return actions;
    }

    private static Optional<String> nameOf(DeleteTopicState topic, Optional<TopicView> found) {
        return found.map(TopicView::name).or(() -> Optional.ofNullable(topic.name()));
    }

    private CompletionStage<DeleteTopicsResponseData> delete(
            DeleteTopicsRequestData request, RequestContext context, Allowed allowed) {
        List<DeleteTopicState> asked = asked(request, context.apiVersion());
        if (asked.stream().anyMatch(topic -> topic.name() != null && TopicIds.isGiven(topic.topicId()))) {
            return CompletableFuture.failedFuture(
                    ErrorCode.INVALID_REQUEST.because("Topic name and topic ID can not both be specified."));
        }
        DeleteTopicsResponseData response = new DeleteTopicsResponseData();
        Map<UUID, Doomed> doomed = new HashMap<>();
        Mutations.Count count = mutations.of(context, FIRST_WITH_THROTTLING);
        ClusterView view = metadata.view();
        for (DeleteTopicState topic : asked) {
            Optional<TopicView> found = find(view, topic);
            String name = nameOf(topic, found).orElse(null);
            if (name != null && response.responses().find(name) != null) {
                continue;
            }
            DeletableTopicResult result = new DeletableTopicResult()
                    .setName(name)
                    .setTopicId(found.map(known -> TopicIds.of(known.topicId())).orElse(topic.topicId()));
            boolean isRefused = name != null && !mayDelete(topic, name, allowed);
            if (isRefused) {
                refuse(result, topic, allowed);
            }
            response.responses().add(result);
            if (isRefused) {
                continue;
            }
            Optional<ErrorCode> refusal = refusal(topic, found.isPresent(), context.apiVersion());
            if (refusal.isPresent()) {
                result.setErrorCode(refusal.get().code());
            } else if (counts(found.orElseThrow(), count, result)) {
                doomed.put(found.orElseThrow().topicId(), new Doomed(result, topic.name() != null));
            }
        }
        response.setThrottleTimeMs(count.throttleMs());
        return delete(doomed, request.timeoutMs(), context).thenApply(done -> response);
    }

    /** False if the client is over its quota: then the result says so. */
    private static boolean counts(TopicView topic, Mutations.Count count, DeletableTopicResult result) {
        try {
            count.add(topic.partitions().size());
            return true;
        } catch (FeliceException overQuota) {
            result.setErrorCode(overQuota.code().code()).setErrorMessage(overQuota.getMessage());
            return false;
        }
    }

    private static boolean mayDelete(DeleteTopicState topic, String name, Allowed allowed) {
        return (topic.name() != null || allowed.permits(Operation.DESCRIBE, ResourceType.TOPIC, name))
                && allowed.permits(Operation.DELETE, ResourceType.TOPIC, name);
    }

    /** Of a topic that the client may not delete, the answer says only what the client knows already or may know. */
    private static void refuse(DeletableTopicResult result, DeleteTopicState topic, Allowed allowed) {
        result.setErrorCode(ErrorCode.TOPIC_AUTHORIZATION_FAILED.code());
        if (topic.name() != null) {
            result.setTopicId(topic.topicId());
        } else if (!allowed.has(Operation.DESCRIBE, ResourceType.TOPIC, result.name())) {
            result.setName(null);
        }
    }

    private record Doomed(DeletableTopicResult result, boolean byName) {
        void fill(Outcome<Void> outcome) {
            boolean goneMeanwhile = outcome.error() == ErrorCode.UNKNOWN_TOPIC_ID && byName;
            ErrorCode error = goneMeanwhile ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : outcome.error();
            result.setErrorCode(error.code()).setErrorMessage(outcome.message());
        }
    }

    private CompletionStage<Void> delete(Map<UUID, Doomed> doomed, int timeoutMs, RequestContext context) {
        if (doomed.isEmpty()) {
            return CompletableFuture.completedFuture(null);
        }
        return deadlines
                .within(
                        timeoutMs,
                        metadata.visible(admin.askedBy(context.requester()).deleteTopics(Set.copyOf(doomed.keySet()))))
                .handle((decided, failure) -> {
                    doomed.forEach((id, topic) ->
                            topic.fill(failure == null ? decided.outcomes().get(id) : failed(failure, context)));
                    return null;
                });
    }

    private static List<DeleteTopicState> asked(DeleteTopicsRequestData request, short version) {
        return version >= FIRST_WITH_IDS
                ? request.topics()
                : request.topicNames().stream()
                        .map(name -> new DeleteTopicState().setName(name))
                        .toList();
    }

    private static Optional<TopicView> find(ClusterView view, DeleteTopicState topic) {
        return topic.name() == null ? view.topic(TopicIds.of(topic.topicId())) : view.topic(topic.name());
    }

    private Optional<ErrorCode> refusal(DeleteTopicState topic, boolean exists, short version) {
        if (!configs.broker().getBoolean(BrokerConfig.DELETE_TOPIC_ENABLE)) {
            return Optional.of(
                    version < FIRST_WITH_DELETION_DISABLED
                            ? ErrorCode.INVALID_REQUEST
                            : ErrorCode.TOPIC_DELETION_DISABLED);
        }
        if (exists) {
            return Optional.empty();
        }
        return Optional.of(topic.name() == null ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    }

    private static Outcome<Void> failed(Throwable failure, RequestContext context) {
        return Outcome.failed(Failures.ofController(failure, context), Failures.messageOf(failure));
    }
}
