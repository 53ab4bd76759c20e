package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.ClusterView;
import io.felice.api.group.Groups;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.Serves;
import java.util.LinkedHashSet;
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

    @Activate
    public OffsetDeleteHandler(@Reference Groups groups, @Reference ClusterMetadata metadata) {
        this.groups = groups;
        this.metadata = metadata;
    }

    @Override
    public CompletionStage<OffsetDeleteResponseData> handle(OffsetDeleteRequestData request, RequestContext context) {
        if (request.groupId().isEmpty()) {
            return CompletableFuture.completedFuture(
                    new OffsetDeleteResponseData().setErrorCode(ErrorCode.INVALID_GROUP_ID.code()));
        }
        ClusterView view = metadata.view();
        Set<TopicPartition> known = new LinkedHashSet<>();
        for (OffsetDeleteRequestTopic topic : request.topics()) {
            for (OffsetDeleteRequestPartition partition : topic.partitions()) {
                boolean exists = view.topic(topic.name())
                        .flatMap(found -> found.partition(partition.partitionIndex()))
                        .isPresent();
                if (exists) {
                    known.add(new TopicPartition(topic.name(), partition.partitionIndex()));
                }
            }
        }
        return groups.deleteOffsets(request.groupId(), known).thenApply(deleted -> answer(request, deleted));
    }

    private static OffsetDeleteResponseData answer(OffsetDeleteRequestData request, Groups.DeletedOffsets deleted) {
        OffsetDeleteResponseData response =
                new OffsetDeleteResponseData().setErrorCode(deleted.error().code());
        if (deleted.error() != ErrorCode.NONE) {
            return response;
        }
        for (OffsetDeleteRequestTopic topic : request.topics()) {
            OffsetDeleteResponseTopic topicAnswer = new OffsetDeleteResponseTopic().setName(topic.name());
            response.topics().add(topicAnswer);
            for (OffsetDeleteRequestPartition partition : topic.partitions()) {
                TopicPartition id = new TopicPartition(topic.name(), partition.partitionIndex());
                ErrorCode error = deleted.partitions().getOrDefault(id, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
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
