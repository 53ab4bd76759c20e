package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.cluster.Admin;
import io.felice.api.cluster.Admin.Decided;
import io.felice.api.cluster.Admin.NewPartitions;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.Outcome;
import io.felice.api.cluster.TopicView;
import io.felice.api.security.Action;
import io.felice.api.security.Authorization.Allowed;
import io.felice.api.security.Operation;
import io.felice.api.security.ResourceType;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.Serves;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.CreatePartitionsRequestData;
import org.apache.kafka.common.message.CreatePartitionsRequestData.CreatePartitionsTopic;
import org.apache.kafka.common.message.CreatePartitionsResponseData;
import org.apache.kafka.common.message.CreatePartitionsResponseData.CreatePartitionsTopicResult;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Gives topics more partitions. */
@Component
@Serves(key = Apis.CREATE_PARTITIONS)
public final class CreatePartitionsHandler
        implements RequestHandler<CreatePartitionsRequestData, CreatePartitionsResponseData> {
    private static final int FIRST_WITH_THROTTLING = 3;

    private final Admin admin;
    private final ClusterMetadata metadata;
    private final Deadlines deadlines;
    private final Rights rights;
    private final Mutations mutations;

    @Activate
    public CreatePartitionsHandler(
            @Reference Admin admin,
            @Reference ClusterMetadata metadata,
            @Reference Deadlines deadlines,
            @Reference Rights rights,
            @Reference Mutations mutations) {
        this.admin = admin;
        this.metadata = metadata;
        this.deadlines = deadlines;
        this.rights = rights;
        this.mutations = mutations;
    }

    @Override
    public CompletionStage<CreatePartitionsResponseData> handle(
            CreatePartitionsRequestData request, RequestContext context) {
        return rights.ask(request, context, CreatePartitionsHandler::needs, this::create);
    }

    private static List<Action> needs(CreatePartitionsRequestData request, RequestContext context) {
        List<String> names =
                request.topics().stream().map(CreatePartitionsTopic::name).toList();
        return Rights.each(Operation.ALTER, ResourceType.TOPIC, names);
    }

    private CompletionStage<CreatePartitionsResponseData> create(
            CreatePartitionsRequestData request, RequestContext context, Allowed allowed) {
        CreatePartitionsResponseData response = new CreatePartitionsResponseData();
        Map<String, NewPartitions> toCreate = new HashMap<>();
        Map<String, CreatePartitionsTopicResult> results = new LinkedHashMap<>();
        Mutations.Count count = mutations.of(context, FIRST_WITH_THROTTLING);
        for (CreatePartitionsTopic asked : request.topics()) {
            if (results.containsKey(asked.name())) {
                continue;
            }
            CreatePartitionsTopicResult result = new CreatePartitionsTopicResult().setName(asked.name());
            results.put(asked.name(), result);
            response.results().add(result);
            try {
                NewPartitions added = checked(request, asked, allowed);
                if (!request.validateOnly()) {
                    count.add(added(asked));
                }
                toCreate.put(asked.name(), added);
            } catch (FeliceException refused) {
                result.setErrorCode(refused.code().code()).setErrorMessage(refused.getMessage());
            }
        }
        response.setThrottleTimeMs(count.throttleMs());
        if (toCreate.isEmpty()) {
            return CompletableFuture.completedFuture(response);
        }
        return deadlines
                .within(request.timeoutMs(), create(toCreate, request.validateOnly(), context))
                .handle((decided, failure) -> {
                    toCreate.keySet().forEach(name -> {
                        Outcome<Void> outcome =
                                failure == null ? decided.outcomes().get(name) : failed(failure, context);
                        results.get(name).setErrorCode(outcome.error().code()).setErrorMessage(outcome.message());
                    });
                    return response;
                });
    }

    private int added(CreatePartitionsTopic asked) {
        int there = metadata.view()
                .topic(asked.name())
                .map(topic -> topic.partitions().size())
                .orElse(0);
        return Math.max(0, asked.count() - there);
    }

    private NewPartitions checked(CreatePartitionsRequestData request, CreatePartitionsTopic asked, Allowed allowed) {
        if (request.topics().findAll(asked.name()).size() > 1) {
            throw ErrorCode.INVALID_REQUEST.because("Duplicate topic name.");
        }
        if (!allowed.permits(Operation.ALTER, ResourceType.TOPIC, asked.name())) {
            throw ErrorCode.TOPIC_AUTHORIZATION_FAILED.because("The topic authorization is failed.");
        }
        TopicView topic = metadata.view()
                .topic(asked.name())
                .orElseThrow(() -> ErrorCode.UNKNOWN_TOPIC_OR_PARTITION.because(
                        "This server does not host this topic-partition."));
        if (asked.assignments() == null) {
            return new NewPartitions(asked.count(), List.of());
        }
        int added = asked.count() - topic.partitions().size();
        if (asked.assignments().isEmpty() && added > 0) {
            throw ErrorCode.INVALID_REPLICA_ASSIGNMENT.because(
                    "Attempted to add " + added + " additional partition(s), but only 0 assignment(s) were specified.");
        }
        List<List<Integer>> assignments = asked.assignments().stream()
                .map(assignment -> List.copyOf(assignment.brokerIds()))
                .toList();
        return new NewPartitions(asked.count(), assignments);
    }

    private CompletionStage<Decided<String, Void>> create(
            Map<String, NewPartitions> topics, boolean validateOnly, RequestContext context) {
        CompletionStage<Decided<String, Void>> decided =
                admin.askedBy(context.requester()).createPartitions(topics, validateOnly);
        return validateOnly ? decided : metadata.visible(decided);
    }

    private static Outcome<Void> failed(Throwable failure, RequestContext context) {
        return Outcome.failed(Failures.ofController(failure, context), Failures.messageOf(failure));
    }
}
