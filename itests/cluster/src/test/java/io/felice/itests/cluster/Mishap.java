package io.felice.itests.cluster;

import io.felice.itests.rig.ClusterOfProcesses;
import io.felice.itests.rig.Java;
import io.felice.itests.rig.KafkaTools;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.TopicPartitionInfo;

/** What can happen to a cluster. In the end all brokers run again; the caller waits until they are in sync. */
enum Mishap {
    LEADER_KILLED {
        @Override
        void happen(ClusterOfProcesses cluster, Random random) {
            killAndStart(cluster, cluster.leader(TOPIC, random.nextInt(2)), random);
        }
    },
    FOLLOWER_KILLED {
        @Override
        void happen(ClusterOfProcesses cluster, Random random) {
            int leader = cluster.leader(TOPIC, 0);
            killAndStart(cluster, leader % 3 + 1, random);
        }
    },
    CONTROLLER_KILLED {
        @Override
        void happen(ClusterOfProcesses cluster, Random random) {
            killAndStart(cluster, cluster.controller(), random);
        }
    },
    /** The broker does not run for longer than its session, and then goes on as if nothing had happened. */
    LEADER_PAUSED {
        @Override
        void happen(ClusterOfProcesses cluster, Random random) {
            int paused = cluster.leader(TOPIC, random.nextInt(2));
            cluster.node(paused).pause();
            sleep(ClusterOfProcesses.SESSION_MS + random.nextInt(4_000));
            cluster.node(paused).resume();
        }
    },
    ROLLING_RESTART {
        @Override
        void happen(ClusterOfProcesses cluster, Random random) {
            for (int id : cluster.ids()) {
                cluster.stop(id);
                cluster.start(id);
                cluster.awaitInSync();
            }
        }
    },
    ZOOKEEPER_KILLED {
        @Override
        void happen(ClusterOfProcesses cluster, Random random) {
            cluster.zooKeeper().kill();
            sleep(random.nextInt(2 * (int) ClusterOfProcesses.SESSION_MS));
            cluster.zooKeeper().start();
        }
    },
    DISK_EMPTIED {
        @Override
        void happen(ClusterOfProcesses cluster, Random random) {
            int id = 1 + random.nextInt(3);
            cluster.kill(id);
            cluster.emptyDisk(id);
            cluster.start(id);
        }
    },
    TOPIC_MADE_AGAIN {
        @Override
        void happen(ClusterOfProcesses cluster, Random random) {
            makeAnew(cluster, "again", Map.of());
            Clients.write(cluster.bootstrap(), "again", Java.numbered("old", 200));
            int away = 1 + random.nextInt(3);
            cluster.kill(away);
            makeAnew(cluster, "again", Map.of());
            Clients.write(cluster.bootstrap(), "again", Java.numbered("new", 20));
            cluster.start(away);
            cluster.awaitInSync();
            mustHave(cluster, "again", Java.numbered("new", 20));
        }
    },
    PARTITION_MOVED {
        @Override
        void happen(ClusterOfProcesses cluster, Random random) {
            makeAnew(cluster, "moved", Map.of());
            Clients.write(cluster.bootstrap(), "moved", Java.numbered("before", 500));
            move(cluster, "moved", List.of(2, 3));
            Clients.write(cluster.bootstrap(), "moved", Java.numbered("between", 10));
            move(cluster, "moved", List.of(3, 1));
            List<String> all = new ArrayList<>(Java.numbered("before", 500));
            all.addAll(Java.numbered("between", 10));
            mustHave(cluster, "moved", all);
        }
    };

    /** The topic of the load that the mishaps aim at. */
    static final String TOPIC = "log-kept";

    abstract void happen(ClusterOfProcesses cluster, Random random);

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }

    private static void killAndStart(ClusterOfProcesses cluster, int id, Random random) {
        cluster.kill(id);
        sleep(random.nextInt(3_000));
        cluster.start(id);
    }

    private static void makeAnew(ClusterOfProcesses cluster, String topic, Map<String, String> configs) {
        try (Admin admin = Clients.admin(cluster.bootstrap())) {
            if (Java.get(admin.listTopics().names()).contains(topic)) {
                Java.get(admin.deleteTopics(List.of(topic)).all());
            }
        }
        Clients.createTopic(cluster.bootstrap(), topic, 1, 2, configs);
    }

    /** Moves partition 0 of the topic with Kafka's tool. */
    private static void move(ClusterOfProcesses cluster, String topic, List<Integer> replicas) {
        try {
            Path plan = Files.createTempFile("felice-plan", ".json");
            Files.writeString(
                    plan,
                    "{\"version\":1,\"partitions\":[{\"topic\":\"" + topic + "\",\"partition\":0,\"replicas\":"
                            + replicas + "}]}");
            KafkaTools.REASSIGN_PARTITIONS.run(
                    "--bootstrap-server",
                    cluster.bootstrap(),
                    "--reassignment-json-file",
                    plan.toString(),
                    "--execute");
            Files.delete(plan);
        } catch (IOException failure) {
            throw new AssertionError(failure);
        }
        try (Admin admin = Clients.admin(cluster.bootstrap())) {
            Java.await("the replicas of " + topic + " are " + replicas, () -> replicasOf(admin, topic)
                    .equals(replicas));
        }
    }

    private static List<Integer> replicasOf(Admin admin, String topic) {
        TopicPartitionInfo partition = Java.get(
                        admin.describeTopics(List.of(topic)).allTopicNames())
                .get(topic)
                .partitions()
                .get(0);
        return partition.replicas().stream().map(node -> node.id()).toList();
    }

    private static void mustHave(ClusterOfProcesses cluster, String topic, List<String> values) {
        List<String> found = Java.values(cluster.bootstrap(), topic, 0);
        if (!found.equals(values)) {
            throw new AssertionError(topic + " has " + found.size() + " records and should have " + values.size() + ": "
                    + found.stream().limit(20).toList());
        }
    }

    private static void sleep(long ms) {
        try {
            Thread.sleep(ms);
        } catch (InterruptedException interrupted) {
            throw new AssertionError(interrupted);
        }
    }
}
