package io.felice.handlers;

import io.felice.api.FeliceException;
import io.felice.api.TopicPartition;
import io.felice.api.partition.Partition.KnownProducer;
import io.felice.api.partition.Partitions;
import io.felice.api.security.Action;
import io.felice.api.security.Authorization.Allowed;
import io.felice.api.security.Operation;
import io.felice.api.security.ResourceType;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.Serves;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.DescribeProducersRequestData;
import org.apache.kafka.common.message.DescribeProducersRequestData.TopicRequest;
import org.apache.kafka.common.message.DescribeProducersResponseData;
import org.apache.kafka.common.message.DescribeProducersResponseData.PartitionResponse;
import org.apache.kafka.common.message.DescribeProducersResponseData.ProducerState;
import org.apache.kafka.common.message.DescribeProducersResponseData.TopicResponse;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Lists the idempotent producers that the leaders of partitions remember (KIP-664). None of them has a transaction. */
@Component
@Serves(key = Apis.DESCRIBE_PRODUCERS)
public final class DescribeProducersHandler
        implements RequestHandler<DescribeProducersRequestData, DescribeProducersResponseData> {
    private static final int NONE = -1;

    private final Partitions partitions;
    private final Rights rights;

    @Activate
    public DescribeProducersHandler(@Reference Partitions partitions, @Reference Rights rights) {
        this.partitions = partitions;
        this.rights = rights;
    }

    @Override
    public CompletionStage<DescribeProducersResponseData> handle(
            DescribeProducersRequestData request, RequestContext context) {
        return rights.ask(request, context, (asked, unused) -> needs(asked), this::describe);
    }

    private static List<Action> needs(DescribeProducersRequestData request) {
        return Rights.each(
                Operation.READ,
                ResourceType.TOPIC,
                request.topics().stream().map(TopicRequest::name).toList());
    }

    private CompletionStage<DescribeProducersResponseData> describe(
            DescribeProducersRequestData request, RequestContext context, Allowed allowed) {
        DescribeProducersResponseData response = new DescribeProducersResponseData();
        List<CompletableFuture<?>> answers = new ArrayList<>();
        for (TopicRequest topic : request.topics()) {
            TopicResponse described = new TopicResponse().setName(topic.name());
            response.topics().add(described);
            boolean isAllowed = allowed.permits(Operation.READ, ResourceType.TOPIC, topic.name());
            for (int number : topic.partitionIndexes()) {
                PartitionResponse answer = new PartitionResponse().setPartitionIndex(number);
                described.partitions().add(answer);
                answers.add(producers(new TopicPartition(topic.name(), number), isAllowed)
                        .handle((known, failure) -> fill(answer, known, failure, context))
                        .toCompletableFuture());
            }
        }
        return CompletableFuture.allOf(answers.toArray(CompletableFuture[]::new))
                .thenApply(done -> response);
    }

    private CompletionStage<List<KnownProducer>> producers(TopicPartition partition, boolean isAllowed) {
        try {
            if (!isAllowed) {
                throw Rights.refusal(ResourceType.TOPIC);
            }
            return partitions.leader(partition).producers();
        } catch (FeliceException refused) {
            return CompletableFuture.failedFuture(refused);
        }
    }

    private static PartitionResponse fill(
            PartitionResponse answer, List<KnownProducer> known, Throwable failure, RequestContext context) {
        if (failure != null) {
            return answer.setErrorCode(Failures.ofPartition(failure, context).code())
                    .setErrorMessage(Failures.messageOf(failure));
        }
        for (KnownProducer producer : known) {
            answer.activeProducers()
                    .add(new ProducerState()
                            .setProducerId(producer.producerId())
                            .setProducerEpoch(producer.epoch())
                            .setLastSequence(producer.lastSequence())
                            .setLastTimestamp(producer.timestamp())
                            .setCoordinatorEpoch(NONE)
                            .setCurrentTxnStartOffset(NONE));
        }
        return answer;
    }
}
