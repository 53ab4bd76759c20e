package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.RecordError;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.InternalTopics;
import io.felice.api.cluster.TopicView;
import io.felice.api.partition.Partition;
import io.felice.api.partition.Partition.Acks;
import io.felice.api.partition.Partition.Appended;
import io.felice.api.partition.Partition.Origin;
import io.felice.api.partition.Partitions;
import io.felice.api.security.Action;
import io.felice.api.security.Authorization.Allowed;
import io.felice.api.security.Operation;
import io.felice.api.security.ResourceType;
import io.felice.protocol.Apis;
import io.felice.protocol.CloseConnection;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.Serves;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.message.ProduceResponseData.BatchIndexAndErrorMessage;
import org.apache.kafka.common.message.ProduceResponseData.NodeEndpoint;
import org.apache.kafka.common.message.ProduceResponseData.PartitionProduceResponse;
import org.apache.kafka.common.message.ProduceResponseData.TopicProduceResponse;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Appends the record batches that producers send. Their bytes are passed on without a copy. */
@Component
@Serves(key = Apis.PRODUCE)
public final class ProduceHandler implements RequestHandler<ProduceRequestData, ProduceResponseData> {
    private static final short FIRST_WITH_ZSTD = 7;
    private static final short FIRST_WITH_LEADER_HINTS = 10;
    private static final short FIRST_WITH_TOPIC_IDS = 13;

    private final Partitions partitions;
    private final ClusterMetadata metadata;
    private final Rights rights;

    @Activate
    public ProduceHandler(
            @Reference Partitions partitions, @Reference ClusterMetadata metadata, @Reference Rights rights) {
        this.partitions = partitions;
        this.metadata = metadata;
        this.rights = rights;
    }

    @Override
    public CompletionStage<ProduceResponseData> handle(ProduceRequestData request, RequestContext context) {
        return rights.ask(request, context, this::needs, this::produce);
    }

    private List<Action> needs(ProduceRequestData request, RequestContext context) {
        List<Action> actions = new ArrayList<>(request.topicData().size() + 1);
        if (request.transactionalId() != null) {
            actions.add(new Action(Operation.WRITE, ResourceType.TRANSACTIONAL_ID, request.transactionalId()));
        }
        for (TopicProduceData topic : request.topicData()) {
            String name = name(topic.name(), topic.topicId(), context);
            if (name != null) {
                actions.add(new Action(Operation.WRITE, ResourceType.TOPIC, name));
            }
        }
        return actions;
    }

    private CompletionStage<ProduceResponseData> produce(
            ProduceRequestData request, RequestContext context, Allowed allowed) {
        if (request.transactionalId() != null) {
            Rights.require(allowed, Operation.WRITE, ResourceType.TRANSACTIONAL_ID, request.transactionalId());
        }
        short acks = request.acks();
        ProduceResponseData response = new ProduceResponseData();
        Gathering<ProduceResponseData> answer =
                new Gathering<>(response, acks == 0 ? ProduceHandler::nothing : filled -> withHints(filled, context));
        Duration timeout = Duration.ofMillis(Math.max(0, request.timeoutMs()));
        for (TopicProduceData topic : request.topicData()) {
            TopicProduceResponse topicAnswer = answerTo(topic);
            String name = name(topic.name(), topic.topicId(), context);
            boolean mayWrite = name == null || allowed.permits(Operation.WRITE, ResourceType.TOPIC, name);
            response.responses().add(topicAnswer);
            for (PartitionProduceData partition : topic.partitionData()) {
                PartitionProduceResponse partitionAnswer = new PartitionProduceResponse()
                        .setIndex(partition.index())
                        .setBaseOffset(-1L);
                topicAnswer.partitionResponses().add(partitionAnswer);
                if (mayWrite) {
                    answer.item(
                            () -> append(name, topic, partition, acks, timeout, context),
                            (appended, failure) -> fill(partitionAnswer, appended, failure, context));
                } else {
                    fill(partitionAnswer, null, Rights.refusal(ResourceType.TOPIC), context);
                }
            }
        }
        return answer.begun();
    }

    private static TopicProduceResponse answerTo(TopicProduceData topic) {
        return new TopicProduceResponse().setName(topic.name()).setTopicId(topic.topicId());
    }

    /** The topic's name; null if the request gives an id that no topic has. */
    private String name(String name, Uuid topicId, RequestContext context) {
        return context.apiVersion() < FIRST_WITH_TOPIC_IDS
                ? name
                : metadata.view()
                        .topic(TopicIds.of(topicId))
                        .map(TopicView::name)
                        .orElse(null);
    }

    private CompletionStage<Appended> append(
            String topic,
            TopicProduceData asked,
            PartitionProduceData data,
            short acks,
            Duration timeout,
            RequestContext context) {
        if (topic == null) {
            throw ErrorCode.UNKNOWN_TOPIC_ID.because("No topic has the id " + asked.topicId());
        }
        if (InternalTopics.isInternal(topic)) {
            throw ErrorCode.INVALID_TOPIC_EXCEPTION.because("Cannot append to internal topic " + topic);
        }
        if (acks < -1 || acks > 1) {
            throw ErrorCode.INVALID_REQUIRED_ACKS.because("acks is -1, 0 or 1, not " + acks);
        }
        Partition partition = partitions.leader(new TopicPartition(topic, data.index()));
        Origin origin = context.apiVersion() < FIRST_WITH_ZSTD ? Origin.CLIENT_BEFORE_ZSTD : Origin.CLIENT;
        return partition.append(batches(data), acks == -1 ? Acks.ALL : Acks.LEADER, origin, timeout, context.turn());
    }

    private static ByteBuffer batches(PartitionProduceData data) {
        if (data.records() instanceof MemoryRecords records) {
            return records.buffer();
        }
        throw ErrorCode.INVALID_RECORD.because("A produce request must have a record batch for each partition");
    }

    private static void fill(
            PartitionProduceResponse answer, Appended appended, Throwable failure, RequestContext context) {
        if (failure == null) {
            answer.setBaseOffset(appended.baseOffset())
                    .setLogAppendTimeMs(appended.logAppendTime())
                    .setLogStartOffset(appended.logStartOffset());
        } else {
            answer.setErrorCode(Failures.ofPartition(failure, context).code())
                    .setErrorMessage(Failures.messageOf(failure));
            for (RecordError error : Failures.recordErrorsOf(failure)) {
                answer.recordErrors()
                        .add(new BatchIndexAndErrorMessage()
                                .setBatchIndex(error.batchIndex())
                                .setBatchIndexErrorMessage(error.message()));
            }
        }
    }

    /** A producer with acks=0 gets no response. An error closes its connection. */
    private static ProduceResponseData nothing(ProduceResponseData filled) {
        for (TopicProduceResponse topic : filled.responses()) {
            for (PartitionProduceResponse partition : topic.partitionResponses()) {
                if (partition.errorCode() != ErrorCode.NONE.code()) {
                    String name = topic.name().isEmpty() ? topic.topicId().toString() : topic.name();
                    throw new CloseConnection("A produce request with acks=0 failed for " + name + "-"
                            + partition.index() + ": " + ErrorCode.of(partition.errorCode()));
                }
            }
        }
        return null;
    }

    private ProduceResponseData withHints(ProduceResponseData filled, RequestContext context) {
        if (context.apiVersion() < FIRST_WITH_LEADER_HINTS) {
            return filled;
        }
        LeaderHints hints = null;
        for (TopicProduceResponse topic : filled.responses()) {
            for (PartitionProduceResponse partition : topic.partitionResponses()) {
                if (LeaderHints.areFor(partition.errorCode())) {
                    hints = hints == null ? new LeaderHints(metadata, context) : hints;
                    hint(filled, name(topic.name(), topic.topicId(), context), partition, hints);
                }
            }
        }
        return filled;
    }

    private static void hint(
            ProduceResponseData response, String topic, PartitionProduceResponse partition, LeaderHints hints) {
        if (topic == null) {
            return;
        }
        hints.add(
                new TopicPartition(topic, partition.index()),
                (leader, epoch) -> partition.currentLeader().setLeaderId(leader).setLeaderEpoch(epoch),
                node -> response.nodeEndpoints().add(endpoint(node)));
    }

    private static NodeEndpoint endpoint(Nodes.Node node) {
        return new NodeEndpoint()
                .setNodeId(node.id())
                .setHost(node.host())
                .setPort(node.port())
                .setRack(node.rack());
    }
}
