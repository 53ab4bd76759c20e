package io.felice.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** The workloads that need several brokers, run with Kafka's own clients. Each method makes one measurement. */
final class ClusterWorkloads {
    private static final int CATCH_UP_PARTITIONS = 16;
    private static final int RECORD_BYTES = 1_000;
    private static final int TOPICS = 10;
    private static final long WITHIN_NANOS = TimeUnit.SECONDS.toNanos(180);
    private static final int SEND_EVERY_MS = 5;
    private static final int STEADY_MS = 1_500;

    /**
     * Stops a broker in order, writes records without it, starts it, and waits until it is in the in-sync sets of all
     * partitions again. The value is the time from the start of the process, in seconds. The processor time is that of
     * all brokers, per record that the broker had missed.
     */
    Sample catchUp(BenchedBroker cluster, String topic, int megabytes) throws Exception {
        int records = megabytes * 1_000_000 / RECORD_BYTES;
        try (Admin admin = admin(cluster)) {
            createTopics(admin, List.of(topic), CATCH_UP_PARTITIONS, cluster.size());
            int broker = cluster.size();
            cluster.stop(broker);
            await(() ->
                    describe(admin, topic).partitions().stream().noneMatch(partition -> isIn(partition.isr(), broker)));
            fill(cluster, topic, records);
            Workloads.settle(cluster);
            BenchedBroker.Cpu before = cluster.cpuWithout(broker);
            long began = System.nanoTime();
            cluster.start(broker);
            await(() ->
                    describe(admin, topic).partitions().stream().allMatch(partition -> isIn(partition.isr(), broker)));
            double seconds = (System.nanoTime() - began) / 1e9;
            Sample sample = Sample.of(seconds, cluster.cpu().since(before), records);
            admin.deleteTopics(List.of(topic)).all().get();
            return sample;
        }
    }

    /** Creates topics with so many partitions in all, until each has a leader. The value is the time in seconds. */
    Sample createPartitions(BenchedBroker cluster, int partitions) throws Exception {
        List<String> topics = topics();
        try (Admin admin = admin(cluster)) {
            BenchedBroker.Cpu before = cluster.cpu();
            long began = System.nanoTime();
            createTopics(admin, topics, partitions / TOPICS, cluster.size());
            for (String topic : topics) {
                await(() -> describe(admin, topic).partitions().stream()
                        .allMatch(partition -> partition.leader() != null
                                && !partition.leader().isEmpty()
                                && partition.isr().size() == cluster.size()));
            }
            double seconds = (System.nanoTime() - began) / 1e9;
            Sample sample = Sample.of(seconds, cluster.cpu().since(before), partitions);
            admin.deleteTopics(topics).all().get();
            return sample;
        }
    }

    /** Deletes topics with so many partitions in all, until nobody lists them. The value is the time in seconds. */
    Sample deletePartitions(BenchedBroker cluster, int partitions) throws Exception {
        List<String> topics = topics();
        try (Admin admin = admin(cluster)) {
            createTopics(admin, topics, partitions / TOPICS, cluster.size());
            Workloads.settle(cluster);
            BenchedBroker.Cpu before = cluster.cpu();
            long began = System.nanoTime();
            admin.deleteTopics(topics).all().get();
            await(() -> {
                Set<String> listed = admin.listTopics().names().get();
                return topics.stream().noneMatch(listed::contains);
            });
            double seconds = (System.nanoTime() - began) / 1e9;
            Workloads.settle(cluster);
            return Sample.of(seconds, cluster.cpu().since(before), partitions);
        }
    }

    /**
     * Kills the leader of a partition with kill -9 while a producer with acks=all and Kafka's defaults sends a record
     * every few milliseconds. The value is the longest time between two acknowledged records, in milliseconds.
     */
    Sample failover(BenchedBroker cluster, String topic) throws Exception {
        ConcurrentLinkedQueue<Long> acknowledged = new ConcurrentLinkedQueue<>();
        AtomicBoolean ends = new AtomicBoolean();
        try (Admin admin = admin(cluster);
                KafkaProducer<byte[], byte[]> producer = producer(cluster, Map.of("acks", "all"))) {
            createTopics(admin, List.of(topic), 1, cluster.size());
            Thread load = new Thread(() -> send(producer, topic, acknowledged, ends), "failover-load");
            load.start();
            await(() -> !acknowledged.isEmpty());
            Thread.sleep(STEADY_MS);
            acknowledged.clear();
            Thread.sleep(STEADY_MS / 3);
            int victim = describe(admin, topic).partitions().get(0).leader().id();
            cluster.kill(victim);
            long killed = System.nanoTime();
            await(() -> acknowledged.stream().anyMatch(at -> at > killed + TimeUnit.MILLISECONDS.toNanos(STEADY_MS)));
            List<Long> times = List.copyOf(acknowledged);
            ends.set(true);
            load.join();
            cluster.start(victim);
            await(() -> admin.describeCluster().nodes().get().size() == cluster.size()
                    && describe(admin, topic).partitions().get(0).isr().size() == cluster.size());
            admin.deleteTopics(List.of(topic)).all().get();
            long longest = IntStream.range(1, times.size())
                    .mapToLong(i -> times.get(i) - times.get(i - 1))
                    .max()
                    .orElseThrow();
            return new Sample(longest / 1e6, Double.NaN, Double.NaN, Double.NaN, Double.NaN);
        }
    }

    private static void send(
            KafkaProducer<byte[], byte[]> producer,
            String topic,
            ConcurrentLinkedQueue<Long> acknowledged,
            AtomicBoolean ends) {
        try {
            while (!ends.get()) {
                producer.send(new ProducerRecord<>(topic, 0, null, new byte[100]), (sent, failure) -> {
                    if (failure == null) {
                        acknowledged.add(System.nanoTime());
                    }
                });
                Thread.sleep(SEND_EVERY_MS);
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static void fill(BenchedBroker cluster, String topic, int records) {
        try (KafkaProducer<byte[], byte[]> producer =
                producer(cluster, Map.of("acks", "all", "batch.size", 65_536, "linger.ms", 100))) {
            byte[] value = new byte[RECORD_BYTES];
            for (int i = 0; i < records; i++) {
                producer.send(new ProducerRecord<>(topic, (i / 64) % CATCH_UP_PARTITIONS, null, value));
            }
        }
    }

    private static List<String> topics() {
        long run = System.nanoTime();
        return IntStream.range(0, TOPICS).mapToObj(i -> "many-" + run + "-" + i).toList();
    }

    private static void createTopics(Admin admin, List<String> topics, int partitions, int replicas) throws Exception {
        Map<String, String> configs = Map.of("min.insync.replicas", "2");
        List<NewTopic> wanted = new ArrayList<>();
        topics.forEach(topic -> wanted.add(new NewTopic(topic, partitions, (short) replicas).configs(configs)));
        admin.createTopics(wanted).all().get();
    }

    private static TopicDescription describe(Admin admin, String topic)
            throws ExecutionException, InterruptedException {
        return admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic);
    }

    private static boolean isIn(List<Node> nodes, int id) {
        return nodes.stream().anyMatch(node -> node.id() == id);
    }

    @FunctionalInterface
    private interface Condition {
        boolean holds() throws Exception;
    }

    private static void await(Condition condition) throws Exception {
        long deadline = System.nanoTime() + WITHIN_NANOS;
        while (System.nanoTime() < deadline) {
            try {
                if (condition.holds()) {
                    return;
                }
            } catch (ExecutionException notYet) {
                // The brokers do not know the topic yet, or the one that was asked has gone.
            }
            Thread.sleep(10);
        }
        throw new IllegalStateException("not within " + TimeUnit.NANOSECONDS.toSeconds(WITHIN_NANOS) + " s");
    }

    private static Admin admin(BenchedBroker cluster) {
        return Admin.create(cluster.clientSettings());
    }

    private static KafkaProducer<byte[], byte[]> producer(BenchedBroker cluster, Map<String, Object> settings) {
        Map<String, Object> all = cluster.clientSettings();
        all.putAll(settings);
        return new KafkaProducer<>(all, new ByteArraySerializer(), new ByteArraySerializer());
    }
}
