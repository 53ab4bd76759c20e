package io.felice.handlers;

import io.felice.api.TopicPartition;
import io.felice.api.partition.LogDir;
import io.felice.api.partition.Partitions;
import io.felice.api.security.Operation;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.Serves;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.DescribeLogDirsRequestData;
import org.apache.kafka.common.message.DescribeLogDirsRequestData.DescribableLogDirTopic;
import org.apache.kafka.common.message.DescribeLogDirsResponseData;
import org.apache.kafka.common.message.DescribeLogDirsResponseData.DescribeLogDirsPartition;
import org.apache.kafka.common.message.DescribeLogDirsResponseData.DescribeLogDirsResult;
import org.apache.kafka.common.message.DescribeLogDirsResponseData.DescribeLogDirsTopic;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Shows each storage engine as a log dir, with its replicas and its free space. */
@Component
@Serves(key = Apis.DESCRIBE_LOG_DIRS)
public final class DescribeLogDirsHandler
        implements RequestHandler<DescribeLogDirsRequestData, DescribeLogDirsResponseData> {
    private final Partitions partitions;
    private final Rights rights;

    @Activate
    public DescribeLogDirsHandler(@Reference Partitions partitions, @Reference Rights rights) {
        this.partitions = partitions;
        this.rights = rights;
    }

    @Override
    public CompletionStage<DescribeLogDirsResponseData> handle(
            DescribeLogDirsRequestData request, RequestContext context) {
        return rights.requireOnCluster(context, Operation.DESCRIBE, now -> describe(request));
    }

    private CompletionStage<DescribeLogDirsResponseData> describe(DescribeLogDirsRequestData request) {
        return partitions.logDirs().thenApply(dirs -> {
            DescribeLogDirsResponseData response = new DescribeLogDirsResponseData();
            dirs.forEach(dir -> response.results().add(result(dir, request)));
            return response;
        });
    }

    private static DescribeLogDirsResult result(LogDir dir, DescribeLogDirsRequestData request) {
        DescribeLogDirsResult result = new DescribeLogDirsResult()
                .setErrorCode(dir.error().code())
                .setLogDir(dir.volume().logDir())
                .setTotalBytes(dir.volume().totalBytes())
                .setUsableBytes(dir.volume().usableBytes());
        Map<String, DescribeLogDirsTopic> topics = new TreeMap<>();
        for (LogDir.ReplicaSize replica : dir.replicas()) {
            if (isAsked(request, replica.partition())) {
                topics.computeIfAbsent(replica.partition().topic(), name -> new DescribeLogDirsTopic().setName(name))
                        .partitions()
                        .add(new DescribeLogDirsPartition()
                                .setPartitionIndex(replica.partition().partition())
                                .setPartitionSize(replica.sizeInBytes())
                                .setOffsetLag(replica.offsetLag())
                                .setIsFutureKey(replica.isFuture()));
            }
        }
        result.topics().addAll(topics.values());
        return result;
    }

    private static boolean isAsked(DescribeLogDirsRequestData request, TopicPartition partition) {
        if (request.topics() == null) {
            return true;
        }
        DescribableLogDirTopic topic = request.topics().find(partition.topic());
        return topic != null && topic.partitions().contains(partition.partition());
    }
}
