package io.felice.handlers;

import io.felice.api.TopicPartition;
import io.felice.api.cluster.Outcome;
import io.felice.api.partition.Partitions;
import io.felice.api.security.Operation;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.Serves;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.AlterReplicaLogDirsRequestData;
import org.apache.kafka.common.message.AlterReplicaLogDirsRequestData.AlterReplicaLogDir;
import org.apache.kafka.common.message.AlterReplicaLogDirsRequestData.AlterReplicaLogDirTopic;
import org.apache.kafka.common.message.AlterReplicaLogDirsResponseData;
import org.apache.kafka.common.message.AlterReplicaLogDirsResponseData.AlterReplicaLogDirPartitionResult;
import org.apache.kafka.common.message.AlterReplicaLogDirsResponseData.AlterReplicaLogDirTopicResult;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Moves replicas to other log dirs of this node, which are its storage engines. */
@Component
@Serves(key = Apis.ALTER_REPLICA_LOG_DIRS)
public final class AlterReplicaLogDirsHandler
        implements RequestHandler<AlterReplicaLogDirsRequestData, AlterReplicaLogDirsResponseData> {
    private final Partitions partitions;
    private final Rights rights;

    @Activate
    public AlterReplicaLogDirsHandler(@Reference Partitions partitions, @Reference Rights rights) {
        this.partitions = partitions;
        this.rights = rights;
    }

    @Override
    public CompletionStage<AlterReplicaLogDirsResponseData> handle(
            AlterReplicaLogDirsRequestData request, RequestContext context) {
        return rights.requireOnCluster(context, Operation.ALTER, now -> alter(request));
    }

    private CompletionStage<AlterReplicaLogDirsResponseData> alter(AlterReplicaLogDirsRequestData request) {
        Map<TopicPartition, String> targets = new LinkedHashMap<>();
        for (AlterReplicaLogDir dir : request.dirs()) {
            for (AlterReplicaLogDirTopic topic : dir.topics()) {
                topic.partitions().forEach(number -> targets.put(new TopicPartition(topic.name(), number), dir.path()));
            }
        }
        return partitions.move(targets).thenApply(AlterReplicaLogDirsHandler::answer);
    }

    private static AlterReplicaLogDirsResponseData answer(Map<TopicPartition, Outcome<Void>> outcomes) {
        Map<String, AlterReplicaLogDirTopicResult> topics = new LinkedHashMap<>();
        outcomes.forEach((partition, outcome) -> topics.computeIfAbsent(
                        partition.topic(), name -> new AlterReplicaLogDirTopicResult().setTopicName(name))
                .partitions()
                .add(new AlterReplicaLogDirPartitionResult()
                        .setPartitionIndex(partition.partition())
                        .setErrorCode(outcome.error().code())));
        AlterReplicaLogDirsResponseData response = new AlterReplicaLogDirsResponseData();
        response.results().addAll(topics.values());
        return response;
    }
}
