package io.felice.itests.cluster;

import io.felice.itests.rig.ClusterOfProcesses;
import io.felice.itests.rig.Java;
import io.felice.itests.rig.Programs;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Measures how long a producer with acks=all and Kafka's defaults waits when the leader is killed with kill -9: the time
 * between two acknowledged records. Three brokers, and ZooKeeper in a process of its own. Run by {@code ./dev bench
 * failover}.
 */
class FailoverBench {
    private static final int KILLS = Integer.getInteger("felice.kills", 20);
    private static final int EVERY_MS = 5;
    private static final long STEADY_MS = 1_500;
    private static final String TOPIC = "failover";

    private record Failover(int victim, boolean wasController, long gapMs) {}

    private final Path directory =
            Path.of("target/failover/" + System.nanoTime()).toAbsolutePath();

    @Test
    @Timeout(value = 2, unit = TimeUnit.HOURS)
    void failover() throws InterruptedException {
        List<Failover> all = new ArrayList<>();
        try (ClusterOfProcesses cluster =
                ClusterOfProcesses.start(directory, 3, "io.felice.cluster.zookeeper/session.timeout.ms=18000")) {
            Clients.createTopic(cluster.bootstrap(), TOPIC, 3, 3, Map.of("min.insync.replicas", "2"));
            for (int kill = 0; kill < KILLS; kill++) {
                all.add(measure(cluster, kill % 3 == 0));
                System.out.println(all.get(kill));
            }
        }
        Programs.run(List.of("rm", "-rf", directory.toString()), Path.of("."));
        report(all);
    }

    private static Failover measure(ClusterOfProcesses cluster, boolean ofController) throws InterruptedException {
        int controller = cluster.controller();
        int partition = IntStream.range(0, 3)
                .filter(number -> (cluster.leader(TOPIC, number) == controller) == ofController)
                .findFirst()
                .orElse(0);
        int victim = cluster.leader(TOPIC, partition);
        long gap;
        try (Load load = new Load(cluster.bootstrap(), partition)) {
            load.start();
            load.awaitSteady();
            cluster.kill(victim);
            gap = load.longestGapMs();
        }
        cluster.start(victim);
        cluster.awaitInSync();
        electPreferred(cluster);
        return new Failover(victim, victim == controller, gap);
    }

    private static void electPreferred(ClusterOfProcesses cluster) {
        try (Admin admin = Clients.admin(cluster.bootstrap())) {
            for (int number = 0; number < 3; number++) {
                admin.electLeaders(ElectionType.PREFERRED, Set.of(new TopicPartition(TOPIC, number)));
            }
        }
        cluster.awaitInSync();
    }

    /** One producer that sends a record to one partition every few milliseconds. */
    private static final class Load extends Thread implements AutoCloseable {
        private final KafkaProducer<String, String> producer;
        private final int partition;
        private final ConcurrentLinkedQueue<Long> acknowledged = new ConcurrentLinkedQueue<>();
        private volatile boolean ends;

        Load(String bootstrap, int partition) {
            super("failover-load");
            this.producer = Java.textProducer(bootstrap, Map.of("acks", "all"));
            this.partition = partition;
        }

        @Override
        public void run() {
            try {
                while (!ends) {
                    producer.send(new ProducerRecord<>(TOPIC, partition, null, "x"), (sent, failure) -> {
                        if (failure == null) {
                            acknowledged.add(System.nanoTime());
                        }
                    });
                    Thread.sleep(EVERY_MS);
                }
            } catch (InterruptedException interrupted) {
                throw new AssertionError(interrupted);
            }
        }

        void awaitSteady() throws InterruptedException {
            Java.await("records are acknowledged", () -> !acknowledged.isEmpty());
            Thread.sleep(STEADY_MS);
            acknowledged.clear();
            Thread.sleep(STEADY_MS / 3);
        }

        /** The longest time between two acknowledgements, once they have come again for some time after the kill. */
        long longestGapMs() {
            long killed = System.nanoTime();
            long settled = TimeUnit.MILLISECONDS.toNanos(STEADY_MS);
            Java.await("records are acknowledged again", () -> acknowledged.stream()
                    .anyMatch(at -> at > killed + settled));
            List<Long> times = List.copyOf(acknowledged);
            long longest = 0;
            for (int i = 1; i < times.size(); i++) {
                longest = Math.max(longest, times.get(i) - times.get(i - 1));
            }
            return TimeUnit.NANOSECONDS.toMillis(longest);
        }

        @Override
        public void close() {
            ends = true;
            try {
                join();
            } catch (InterruptedException interrupted) {
                throw new AssertionError(interrupted);
            }
            producer.close();
        }
    }

    private static void report(List<Failover> all) {
        System.out.printf("%-28s %6s %9s %9s %9s%n", "kill -9 of", "kills", "median ms", "90 % ms", "most ms");
        row("the leader", all);
        row(
                "the leader and controller",
                all.stream().filter(Failover::wasController).toList());
        row(
                "a leader that is not",
                all.stream().filter(one -> !one.wasController()).toList());
    }

    private static void row(String what, List<Failover> some) {
        List<Long> gaps = some.stream().map(Failover::gapMs).sorted().toList();
        if (!gaps.isEmpty()) {
            System.out.printf(
                    "%-28s %6d %9d %9d %9d%n",
                    what,
                    gaps.size(),
                    gaps.get(gaps.size() / 2),
                    gaps.get(gaps.size() * 9 / 10),
                    gaps.get(gaps.size() - 1));
        }
    }
}
