package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.ClusterView;
import io.felice.api.group.Groups;
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
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.OffsetDeleteRequestData;
import org.apache.kafka.common.message.OffsetDeleteRequestData.OffsetDeleteRequestPartition;
import org.apache.kafka.common.message.OffsetDeleteRequestData.OffsetDeleteRequestTopic;
import org.apache.kafka.common.message.OffsetDeleteResponseData;
import org.apache.kafka.common.message.OffsetDeleteResponseData.OffsetDeleteResponsePartition;
import org.apache.kafka.common.message.OffsetDeleteResponseData.OffsetDeleteResponseTopic;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Deletes committed offsets of a group. */
@Component
@Serves(key = Apis.OFFSET_DELETE)
public final class OffsetDeleteHandler implements RequestHandler<OffsetDeleteRequestData, OffsetDeleteResponseData> {
    private final Groups groups;
    private final ClusterMetadata metadata;
    private final Rights rights;

    @Activate
    public OffsetDeleteHandler(
            @Reference Groups groups, @Reference ClusterMetadata metadata, @Reference Rights rights) {
        this.groups = groups;
        this.metadata = metadata;
        this.rights = rights;
    }

    @Override
    public CompletionStage<OffsetDeleteResponseData> handle(OffsetDeleteRequestData request, RequestContext context) {
        return rights.ask(request, context, OffsetDeleteHandler::needs, this::delete);
    }

    private static List<Action> needs(OffsetDeleteRequestData request, RequestContext context) {
        List<Action> actions = new ArrayList<>();
        actions.add(new Action(Operation.DELETE, ResourceType.GROUP, request.groupId()));
        for (OffsetDeleteRequestTopic topic : request.topics()) {
            actions.add(new Action(Operation.READ, ResourceType.TOPIC, topic.name()));
        }
        return actions;
    }

    private CompletionStage<OffsetDeleteResponseData> delete(
            OffsetDeleteRequestData request, RequestContext context, Allowed allowed) {
        Rights.require(allowed, Operation.DELETE, ResourceType.GROUP, request.groupId());
        if (request.groupId().isEmpty()) {
            return CompletableFuture.completedFuture(
                    new OffsetDeleteResponseData().setErrorCode(ErrorCode.INVALID_GROUP_ID.code()));
        }
        ClusterView view = metadata.view();
        Set<TopicPartition> known = new LinkedHashSet<>();
        Map<TopicPartition, ErrorCode> refused = new HashMap<>();
        for (OffsetDeleteRequestTopic topic : request.topics()) {
            boolean mayRead = allowed.permits(Operation.READ, ResourceType.TOPIC, topic.name());
            for (OffsetDeleteRequestPartition partition : topic.partitions()) {
                TopicPartition id = new TopicPartition(topic.name(), partition.partitionIndex());
                boolean exists = view.topic(topic.name())
                        .flatMap(found -> found.partition(partition.partitionIndex()))
                        .isPresent();
                if (!mayRead) {
                    refused.put(id, ErrorCode.TOPIC_AUTHORIZATION_FAILED);
                } else if (exists) {
                    known.add(id);
                }
            }
        }
        return groups.deleteOffsets(request.groupId(), known).thenApply(deleted -> answer(request, deleted, refused));
    }

    private static OffsetDeleteResponseData answer(
            OffsetDeleteRequestData request, Groups.DeletedOffsets deleted, Map<TopicPartition, ErrorCode> refused) {
        OffsetDeleteResponseData response =
                new OffsetDeleteResponseData().setErrorCode(deleted.error().code());
        if (deleted.error() != ErrorCode.NONE) {
            return response;
        }
        refused.putAll(deleted.partitions());
        for (OffsetDeleteRequestTopic topic : request.topics()) {
            OffsetDeleteResponseTopic topicAnswer = new OffsetDeleteResponseTopic().setName(topic.name());
            response.topics().add(topicAnswer);
            for (OffsetDeleteRequestPartition partition : topic.partitions()) {
                TopicPartition id = new TopicPartition(topic.name(), partition.partitionIndex());
                ErrorCode error = refused.getOrDefault(id, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
                topicAnswer
                        .partitions()
                        .add(new OffsetDeleteResponsePartition()
                                .setPartitionIndex(partition.partitionIndex())
                                .setErrorCode(error.code()));
            }
        }
        return response;
    }
}
