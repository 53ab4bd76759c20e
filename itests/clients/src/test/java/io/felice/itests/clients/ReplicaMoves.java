package io.felice.itests.clients;

import io.felice.itests.rig.Java;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.DescribeReplicaLogDirsResult.ReplicaLogDirInfo;
import org.apache.kafka.common.TopicPartitionReplica;

/** ReplicaMoves topics between the storage engines of node 0, as Kafka's AdminClient does. */
final class ReplicaMoves {
    private static final int NODE = 0;

    private final Admin admin;

    ReplicaMoves(Admin admin) {
        this.admin = admin;
    }

    static TopicPartitionReplica replica(String topic, int partition) {
        return new TopicPartitionReplica(topic, partition, NODE);
    }

    /** The log dir of an engine. */
    String logDir(String engine) {
        return Java.get(admin.describeLogDirs(List.of(NODE)).allDescriptions()).get(NODE).keySet().stream()
                .filter(dir -> dir.startsWith(engine + ":"))
                .findFirst()
                .orElseThrow();
    }

    void begin(String topic, int partition, String engine) {
        Java.get(admin.alterReplicaLogDirs(Map.of(replica(topic, partition), logDir(engine)))
                .all());
    }

    ReplicaLogDirInfo info(String topic, int partition) {
        TopicPartitionReplica replica = replica(topic, partition);
        try {
            return admin.describeReplicaLogDirs(List.of(replica)).all().get().get(replica);
        } catch (ExecutionException failure) {
            throw new AssertionError(failure);
        } catch (InterruptedException interrupted) {
            throw new AssertionError(interrupted);
        }
    }

    boolean isIn(String topic, int partition, String engine) {
        ReplicaLogDirInfo info = info(topic, partition);
        return info.getFutureReplicaLogDir() == null
                && Optional.ofNullable(info.getCurrentReplicaLogDir())
                        .filter(dir -> dir.startsWith(engine + ":"))
                        .isPresent();
    }

    void mustArrive(String topic, int partitions, String engine) {
        for (int partition = 0; partition < partitions; partition++) {
            int number = partition;
            Java.await(topic + "-" + partition + " is in " + engine, () -> isIn(topic, number, engine));
        }
    }

    /** ReplicaMoves the topic and waits until it is there. */
    void move(String topic, int partitions, String engine) {
        for (int partition = 0; partition < partitions; partition++) {
            begin(topic, partition, engine);
        }
        mustArrive(topic, partitions, engine);
    }
}
