package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.InternalTopics;
import io.felice.api.partition.Partitions;
import io.felice.api.security.Action;
import io.felice.api.security.Authorization.Allowed;
import io.felice.api.security.Operation;
import io.felice.api.security.ResourceType;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.Serves;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.DeleteRecordsRequestData;
import org.apache.kafka.common.message.DeleteRecordsRequestData.DeleteRecordsPartition;
import org.apache.kafka.common.message.DeleteRecordsRequestData.DeleteRecordsTopic;
import org.apache.kafka.common.message.DeleteRecordsResponseData;
import org.apache.kafka.common.message.DeleteRecordsResponseData.DeleteRecordsPartitionResult;
import org.apache.kafka.common.message.DeleteRecordsResponseData.DeleteRecordsTopicResult;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Moves the log start offset of partitions forward. Records below it are no longer readable. */
@Component
@Serves(key = Apis.DELETE_RECORDS)
public final class DeleteRecordsHandler implements RequestHandler<DeleteRecordsRequestData, DeleteRecordsResponseData> {
    private static final long NO_LOW_WATERMARK = -1;
    private static final long HIGH_WATERMARK = -1;

    private final Partitions partitions;
    private final Deadlines deadlines;
    private final Rights rights;

    @Activate
    public DeleteRecordsHandler(
            @Reference Partitions partitions, @Reference Deadlines deadlines, @Reference Rights rights) {
        this.partitions = partitions;
        this.deadlines = deadlines;
        this.rights = rights;
    }

    @Override
    public CompletionStage<DeleteRecordsResponseData> handle(DeleteRecordsRequestData request, RequestContext context) {
        return rights.ask(request, context, DeleteRecordsHandler::needs, this::delete);
    }

    private static List<Action> needs(DeleteRecordsRequestData request, RequestContext context) {
        List<String> names =
                request.topics().stream().map(DeleteRecordsTopic::name).toList();
        return Rights.each(Operation.DELETE, ResourceType.TOPIC, names);
    }

    private CompletionStage<DeleteRecordsResponseData> delete(
            DeleteRecordsRequestData request, RequestContext context, Allowed allowed) {
        DeleteRecordsResponseData response = new DeleteRecordsResponseData();
        Gathering<DeleteRecordsResponseData> answer = new Gathering<>(response);
        for (DeleteRecordsTopic topic : request.topics()) {
            DeleteRecordsTopicResult topicResult = new DeleteRecordsTopicResult().setName(topic.name());
            response.topics().add(topicResult);
            for (DeleteRecordsPartition asked : topic.partitions()) {
                DeleteRecordsPartitionResult result = new DeleteRecordsPartitionResult()
                        .setPartitionIndex(asked.partitionIndex())
                        .setLowWatermark(NO_LOW_WATERMARK);
                topicResult.partitions().add(result);
                answer.item(
                        () -> deadlines.within(request.timeoutMs(), delete(topic.name(), asked, allowed)),
                        (lowWatermark, failure) -> {
                            if (failure == null) {
                                result.setLowWatermark(lowWatermark);
                            } else {
                                result.setErrorCode(
                                        Failures.ofPartition(failure, context).code());
                            }
                        });
            }
        }
        return answer.begun();
    }

    private CompletionStage<Long> delete(String topic, DeleteRecordsPartition asked, Allowed allowed) {
        Rights.require(allowed, Operation.DELETE, ResourceType.TOPIC, topic);
        if (InternalTopics.isInternal(topic)) {
            throw ErrorCode.INVALID_TOPIC_EXCEPTION.because("Cannot delete records of internal topic " + topic);
        }
        if (asked.offset() < HIGH_WATERMARK) {
            throw ErrorCode.OFFSET_OUT_OF_RANGE.because("Offset " + asked.offset() + " is negative");
        }
        return partitions
                .leader(new TopicPartition(topic, asked.partitionIndex()))
                .deleteRecords(asked.offset());
    }
}
