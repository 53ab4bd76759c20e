package io.felice.bench;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * What ever more partitions cost a cluster of three brokers, each partition with three replicas: {@code ./dev bench
 * scale}. Measures Felice, and Apache Kafka with {@code --with-kafka}.
 */
final class ClusterScale {
    private static final int PARTITIONS_PER_TOPIC = 100;
    private static final int TOPICS_PER_REQUEST = 10;
    private static final int REST_SECONDS = 10;
    private static final long WITHIN_SECONDS = 600;

    private final Options options;
    private final Certificate certificate;

    ClusterScale(Options options, Certificate certificate) {
        this.options = options;
        this.certificate = certificate;
    }

    void run() throws Exception {
        Map<String, List<String>> rows = new LinkedHashMap<>();
        List<String> columns = new ArrayList<>();
        for (int partitions : options.scale()) {
            columns.add(String.format(Locale.ROOT, "Felice, %,d", partitions));
            Path directory = options.work().resolve("felice-" + partitions).toAbsolutePath();
            try (BenchedBroker felice = BrokerLaunch.felice(options, certificate, directory)) {
                add(rows, measure(felice, partitions));
            }
            Bench.deleteTree(directory);
        }
        for (int partitions : options.withKafka() ? options.scale() : List.<Integer>of()) {
            columns.add(String.format(Locale.ROOT, "Kafka, %,d", partitions));
            Path directory = options.work().resolve("kafka-" + partitions).toAbsolutePath();
            try (BenchedBroker kafka = BrokerLaunch.kafka(options, certificate, directory)) {
                add(rows, measure(kafka, partitions));
            }
            Bench.deleteTree(directory);
        }
        String text = text(columns, rows);
        System.out.println(text);
        new Report(options.report()).write("./dev bench scale", text);
    }

    private static void add(Map<String, List<String>> rows, Map<String, String> column) {
        column.forEach((row, value) ->
                rows.computeIfAbsent(row, first -> new ArrayList<>()).add(value));
    }

    private Map<String, String> measure(BenchedBroker cluster, int partitions) throws Exception {
        Map<String, String> row = new LinkedHashMap<>();
        List<String> topics = IntStream.range(0, partitions / PARTITIONS_PER_TOPIC)
                .mapToObj(i -> "many-" + i)
                .toList();
        try (Admin admin = admin(cluster)) {
            put(row, "start, empty, s", number(cluster.startSeconds()));
            cluster.awaitIdle();
            put(row, "processor time at rest, empty, ms per s", atRest(cluster));
            double emptyMegabytes = cluster.residentMegabytes();
            BenchedBroker.Cpu before = cluster.cpu();
            put(row, "create the partitions, s", seconds(() -> {
                create(admin, topics, cluster.size());
                await(admin, topics, partition -> partition.isr().size() == cluster.size());
            }));
            put(row, "write a record of 100 B to each with acks=all, s", seconds(() -> write(cluster, topics)));
            BenchedBroker.Cpu spent = cluster.cpu().since(before);
            put(
                    row,
                    "processor time for both, ms per partition",
                    number((spent.user() + spent.system()) * 1e3 / partitions));
            cluster.awaitIdle();
            put(row, "processor time at rest, ms per s", atRest(cluster));
            put(
                    row,
                    "resident memory, more than empty, KB per partition and broker",
                    number((cluster.residentMegabytes() - emptyMegabytes) * 1024 / partitions / cluster.size()));
            putZooKeeper(row, cluster, partitions);

            int controller = controller(admin);
            put(
                    row,
                    "kill -9 of the controller: until all partitions are led, s",
                    loss(cluster, admin, topics, controller));
            put(row, "… it is started again: until all are in sync, s", returns(cluster, admin, topics, controller));
            electPreferred(admin, topics);
            int next = controller(admin);
            int other = IntStream.rangeClosed(1, cluster.size())
                    .filter(id -> id != next)
                    .findFirst()
                    .orElseThrow();
            put(row, "kill -9 of another broker: until all partitions are led, s", loss(cluster, admin, topics, other));
            put(row, "… it is started again: until all are in sync, s ", returns(cluster, admin, topics, other));
            electPreferred(admin, topics);
            put(row, "stop of a broker in order, s", seconds(() -> cluster.stop(other)));
            put(row, "… it is started again: until all are in sync, s  ", returns(cluster, admin, topics, other));
            put(row, "stop of all brokers in turn, s", seconds(() -> {
                for (int id = 1; id <= cluster.size(); id++) {
                    cluster.stop(id);
                }
            }));
            put(row, "start of all brokers: until all partitions are in sync, s", seconds(() -> {
                for (int id = 1; id <= cluster.size(); id++) {
                    cluster.start(id);
                }
                await(admin, topics, partition -> partition.isr().size() == cluster.size());
            }));
        }
        return row;
    }

    private static String loss(BenchedBroker cluster, Admin admin, List<String> topics, int id) throws Exception {
        cluster.kill(id);
        return seconds(() -> await(
                admin,
                topics,
                partition -> partition.leader() != null
                        && !partition.leader().isEmpty()
                        && partition.leader().id() != id
                        && !isIn(partition, id)));
    }

    private static String returns(BenchedBroker cluster, Admin admin, List<String> topics, int id) throws Exception {
        return seconds(() -> {
            cluster.start(id);
            await(admin, topics, partition -> isIn(partition, id));
        });
    }

    private static boolean isIn(TopicPartitionInfo partition, int id) {
        return partition.isr().stream().anyMatch(node -> node.id() == id);
    }

    /** Gives every broker the partitions back that it is to lead. */
    private static void electPreferred(Admin admin, List<String> topics) throws Exception {
        admin.electLeaders(ElectionType.PREFERRED, null).partitions().get();
        await(
                admin,
                topics,
                partition ->
                        partition.leader().id() == partition.replicas().get(0).id());
    }

    private static int controller(Admin admin) throws ExecutionException, InterruptedException {
        Node controller = admin.describeCluster().controller().get();
        return controller.id();
    }

    private static void putZooKeeper(Map<String, String> row, BenchedBroker cluster, int partitions)
            throws IOException {
        Map<String, String> told = fourLetters(cluster.zooKeeperPort());
        double bytes = Double.parseDouble(told.get("zk_approximate_data_size"));
        put(row, "znodes", told.get("zk_znode_count"));
        put(row, "bytes in ZooKeeper, per partition", number(bytes / partitions));
    }

    private static Map<String, String> fourLetters(int port) throws IOException {
        try (Socket socket = new Socket("127.0.0.1", port);
                OutputStream out = socket.getOutputStream();
                InputStream in = socket.getInputStream()) {
            out.write("mntr".getBytes(StandardCharsets.US_ASCII));
            out.flush();
            Map<String, String> told = new LinkedHashMap<>();
            new String(in.readAllBytes(), StandardCharsets.US_ASCII).lines().forEach(line -> {
                String[] pair = line.split("\t", 2);
                told.put(pair[0], pair.length > 1 ? pair[1] : "");
            });
            return told;
        }
    }

    /** The processor time that the brokers use while no client does anything, in milliseconds per second. */
    private static String atRest(BenchedBroker cluster) throws InterruptedException {
        BenchedBroker.Cpu before = cluster.cpu();
        TimeUnit.SECONDS.sleep(REST_SECONDS);
        BenchedBroker.Cpu spent = cluster.cpu().since(before);
        return number((spent.user() + spent.system()) * 1e3 / REST_SECONDS);
    }

    private static void create(Admin admin, List<String> topics, int replicas) throws Exception {
        for (int from = 0; from < topics.size(); from += TOPICS_PER_REQUEST) {
            List<NewTopic> wanted = topics.subList(from, Math.min(topics.size(), from + TOPICS_PER_REQUEST)).stream()
                    .map(topic -> new NewTopic(topic, PARTITIONS_PER_TOPIC, (short) replicas)
                            .configs(Map.of("min.insync.replicas", "2")))
                    .toList();
            admin.createTopics(wanted).all().get();
        }
    }

    private static void write(BenchedBroker cluster, List<String> topics) {
        Map<String, Object> settings = cluster.clientSettings();
        settings.put("acks", "all");
        settings.put("batch.size", 1_000);
        settings.put("delivery.timeout.ms", (int) TimeUnit.SECONDS.toMillis(WITHIN_SECONDS));
        settings.put("max.block.ms", TimeUnit.SECONDS.toMillis(WITHIN_SECONDS));
        AtomicReference<Exception> failed = new AtomicReference<>();
        try (Producer<byte[], byte[]> producer =
                new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
            for (String topic : topics) {
                for (int partition = 0; partition < PARTITIONS_PER_TOPIC; partition++) {
                    producer.send(
                            new ProducerRecord<>(topic, partition, null, new byte[100]),
                            (written, failure) -> failed.compareAndSet(null, failure));
                }
            }
        }
        if (failed.get() != null) {
            throw new IllegalStateException("a record was not written", failed.get());
        }
    }

    /** Waits until the condition holds for every partition of the topics. */
    private static void await(Admin admin, List<String> topics, Predicate<TopicPartitionInfo> condition)
            throws InterruptedException {
        List<String> open = new ArrayList<>(topics);
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(WITHIN_SECONDS);
        while (System.nanoTime() < deadline) {
            try {
                Collection<TopicDescription> told = admin.describeTopics(
                                open.subList(0, Math.min(TOPICS_PER_REQUEST, open.size())))
                        .allTopicNames()
                        .get()
                        .values();
                told.stream()
                        .filter(topic -> topic.partitions().stream().allMatch(condition))
                        .forEach(topic -> open.remove(topic.name()));
                if (open.isEmpty()) {
                    return;
                }
            } catch (ExecutionException | KafkaException notYet) {
                // The broker that was asked has gone, or does not know the topic yet.
            }
            Thread.sleep(5);
        }
        throw new IllegalStateException(open.size() + " topics after " + WITHIN_SECONDS + " s");
    }

    private interface Step {
        void run() throws Exception;
    }

    private static String seconds(Step step) throws Exception {
        long began = System.nanoTime();
        step.run();
        return String.format(Locale.ROOT, "%.2f", (System.nanoTime() - began) / 1e9);
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, value < 10 ? "%.2f" : "%.0f", value);
    }

    private static void put(Map<String, String> row, String name, String value) {
        row.put(name, value);
        System.out.println(name.strip() + ": " + value);
    }

    private static Admin admin(BenchedBroker cluster) {
        Map<String, Object> settings = cluster.clientSettings();
        settings.put("request.timeout.ms", 30_000);
        settings.put("default.api.timeout.ms", 120_000);
        settings.put("reconnect.backoff.max.ms", 100);
        settings.put("metadata.max.age.ms", 1_000);
        return Admin.create(settings);
    }

    private String text(List<String> columns, Map<String, List<String>> rows) {
        StringBuilder text = new StringBuilder("## Many partitions in a cluster\n\n");
        text.append(String.format(
                Locale.ROOT,
                """
                Written by `./dev bench scale` on %s: three brokers with heaps of %s and a ZooKeeper on %d processors, Java \
                %s. Topics have %d partitions of three replicas each. Processor time and memory are those of the three brokers \
                together, unless a row says otherwise. A wait ends when an admin client is told the same of every partition.

                """,
                LocalDate.now(),
                options.heap(),
                Runtime.getRuntime().availableProcessors(),
                System.getProperty("java.version"),
                PARTITIONS_PER_TOPIC));
        text.append("| partitions | ").append(String.join(" | ", columns)).append(" |\n| --- |");
        text.append(" --- |".repeat(columns.size())).append('\n');
        rows.forEach((row, values) -> text.append("| ")
                .append(row.strip())
                .append(" | ")
                .append(String.join(" | ", values))
                .append(" |\n"));
        return text.toString();
    }
}
