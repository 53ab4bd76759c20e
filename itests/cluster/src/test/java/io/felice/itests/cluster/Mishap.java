package io.felice.itests.cluster;

import io.felice.itests.rig.ClusterOfProcesses;
import io.felice.itests.rig.Java;
import io.felice.itests.rig.KafkaTools;
import io.felice.itests.rig.ZooKeeperProcess;
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
            killAndStart(cluster, another(cluster, cluster.leader(TOPIC, 0)), random);
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
    /** Two at nearly the same time: of three replicas one may be left, which leads and takes nothing with acks=all. */
    TWO_KILLED {
        @Override
        void happen(ClusterOfProcesses cluster, Random random) {
            int first = cluster.leader(TOPIC, random.nextInt(2));
            int second = another(cluster, first);
            cluster.kill(first);
            sleep(random.nextInt(500));
            cluster.kill(second);
            sleep(random.nextInt(2_000));
            cluster.start(second);
            cluster.start(first);
        }
    },
    ALL_KILLED {
        @Override
        void happen(ClusterOfProcesses cluster, Random random) {
            cluster.ids().forEach(cluster::kill);
            cluster.ids().forEach(id -> cluster.node(id).launch());
            cluster.ids().forEach(id -> cluster.node(id).awaitReady());
        }
    },
    /** Followers do not reach the leader, and clients do. */
    LEADER_CUT_FROM_BROKERS {
        @Override
        void happen(ClusterOfProcesses cluster, Random random) {
            int leader = cluster.leader(TOPIC, random.nextInt(2));
            cut(cluster, leader, () -> cluster.cutFromBrokers(leader), random);
        }
    },
    /** Its session ends, and it learns of that only when the way is mended. */
    LEADER_CUT_FROM_ZOOKEEPER {
        @Override
        void happen(ClusterOfProcesses cluster, Random random) {
            int leader = cluster.leader(TOPIC, random.nextInt(2));
            cut(cluster, leader, () -> cluster.cutFromZooKeeper(leader), random);
        }
    },
    CONTROLLER_CUT_FROM_ZOOKEEPER {
        @Override
        void happen(ClusterOfProcesses cluster, Random random) {
            int controller = cluster.controller();
            cut(cluster, controller, () -> cluster.cutFromZooKeeper(controller), random);
        }
    },
    /** Only clients reach the broker. */
    LEADER_ISOLATED {
        @Override
        void happen(ClusterOfProcesses cluster, Random random) {
            int leader = cluster.leader(TOPIC, random.nextInt(2));
            cut(
                    cluster,
                    leader,
                    () -> {
                        cluster.cutFromBrokers(leader);
                        cluster.cutFromZooKeeper(leader);
                    },
                    random);
        }
    },
    /** All servers of the ensemble at once, for less or for more than a session. */
    ZOOKEEPER_KILLED {
        @Override
        void happen(ClusterOfProcesses cluster, Random random) {
            cluster.zooKeepers().forEach(ZooKeeperProcess::kill);
            sleep(random.nextInt(2 * (int) ClusterOfProcesses.SESSION_MS));
            cluster.startZooKeepers();
        }
    },
    /** One after the other, so that most of the ensemble always runs. */
    ZOOKEEPER_MEMBERS_KILLED {
        @Override
        void happen(ClusterOfProcesses cluster, Random random) {
            for (ZooKeeperProcess member : cluster.zooKeepers()) {
                member.kill();
                sleep(random.nextInt(1_500));
                member.start();
                cluster.controller();
            }
        }
    },
    DISK_FULL {
        @Override
        boolean isPossible(ClusterOfProcesses cluster) {
            return !cluster.onSmallDisks().isEmpty();
        }

        @Override
        void happen(ClusterOfProcesses cluster, Random random) {
            for (int id : cluster.onSmallDisks()) {
                cluster.fillDisk(id);
                sleep(2_000 + random.nextInt(4_000));
                cluster.makeRoom(id);
            }
        }
    },
    DISK_EMPTIED {
        @Override
        void happen(ClusterOfProcesses cluster, Random random) {
            int id = any(cluster, random);
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
            int away = any(cluster, random);
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

    /** False if the cluster has not what this needs. */
    boolean isPossible(ClusterOfProcesses cluster) {
        return true;
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }

    private static void killAndStart(ClusterOfProcesses cluster, int id, Random random) {
        cluster.kill(id);
        sleep(random.nextInt(3_000));
        cluster.start(id);
    }

    private static int any(ClusterOfProcesses cluster, Random random) {
        return 1 + random.nextInt(cluster.ids().size());
    }

    private static int another(ClusterOfProcesses cluster, int than) {
        return than % cluster.ids().size() + 1;
    }

    /** For less or for more than a session. */
    private static void cut(ClusterOfProcesses cluster, int id, Runnable cut, Random random) {
        cut.run();
        sleep(1_000 + random.nextInt(2 * (int) ClusterOfProcesses.SESSION_MS));
        cluster.mend(id);
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
