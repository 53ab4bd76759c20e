package io.felice.bench;

import java.io.DataInputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** How start, stop, recovery, memory and open files grow with the partitions and connections of a node. */
final class NodeLimits {
    private static final int PARTITIONS_PER_TOPIC = 100;
    private static final int CONNECTIONS_PER_PARTITION_DIVISOR = 2;
    private static final int MOST_CONNECTIONS = 5_000;
    private static final int RECORD_BYTES = 1_000;
    private static final int PATIENCE_SECONDS = 600;

    private final Path felice;
    private final Path work;
    private final String heap;

    NodeLimits(Path felice, Path work, String heap) {
        this.felice = felice;
        this.work = work;
        this.heap = heap;
    }

    void run(List<Integer> sizes, Report report) throws Exception {
        Map<String, List<String>> rows = new LinkedHashMap<>();
        for (int partitions : sizes) {
            Soak.deleteTree(work.resolve("data"));
            measure(partitions).forEach((row, value) -> rows.computeIfAbsent(row, first -> new ArrayList<>())
                    .add(value));
        }
        String text = text(sizes, rows);
        System.out.println(text);
        report.write("./dev soak limits", text);
    }

    private Map<String, String> measure(int partitions) throws Exception {
        Map<String, String> row = new LinkedHashMap<>();
        int connections = Math.min(MOST_CONNECTIONS, partitions / CONNECTIONS_PER_PARTITION_DIVISOR);
        try (SoakedNode node = new SoakedNode(felice, work.resolve("data"), List.of("--heap", heap), Map.of())) {
            put(row, "start, empty, s", seconds(node::start));
            put(row, "create the partitions, s", seconds(() -> createTopics(node, partitions)));
            put(row, "write a record of 1 KB to each, s", seconds(() -> write(node, partitions)));
            put(row, "write another to each, s", seconds(() -> write(node, partitions)));
            List<Socket> idle = new ArrayList<>();
            put(row, "open the connections, s", seconds(() -> connect(node, connections, idle)));
            put(row, "connections", Integer.toString(connections));
            hold(row, "", node);
            put(row, "clean stop, s", seconds(node::stop));
            for (Socket socket : idle) {
                socket.close();
            }
            put(row, "start after a clean stop, s", seconds(node::start));
            put(row, "… until all partitions are led, s", seconds(() -> awaitAllLed(node)));
            put(row, "write a record to each after the start, s", seconds(() -> write(node, partitions)));
            node.kill();
            put(row, "start after kill -9, s", seconds(node::start));
            put(row, "… until all partitions are recovered and led, s", seconds(() -> awaitAllLed(node)));
            put(row, "records lost", Long.toString(3L * partitions - count(node, partitions)));
            hold(row, " after the recovery, no connections", node);
        }
        return row;
    }

    private static void put(Map<String, String> row, String name, String value) {
        row.put(name, value);
        System.out.println(name + ": " + value);
    }

    private static void hold(Map<String, String> row, String when, SoakedNode node) throws Exception {
        SoakedNode.Holdings holdings = node.holdings();
        put(row, "live heap" + when + ", MB", Long.toString(holdings.heapBytes() >> 20));
        put(row, "resident memory" + when + ", MB", Long.toString(holdings.residentBytes() >> 20));
        put(row, "open files" + when, Integer.toString(holdings.files()));
        put(row, "threads" + when, Integer.toString(holdings.threadCount()));
    }

    private interface Step {
        void run() throws Exception;
    }

    private static String seconds(Step step) throws Exception {
        long began = System.nanoTime();
        step.run();
        return String.format(Locale.ROOT, "%.1f", (System.nanoTime() - began) / 1e9);
    }

    private static List<String> topics(int partitions) {
        List<String> topics = new ArrayList<>();
        for (int i = 0; i < partitions / PARTITIONS_PER_TOPIC; i++) {
            topics.add("many-" + i);
        }
        return topics;
    }

    private static void createTopics(SoakedNode node, int partitions) throws ExecutionException, InterruptedException {
        try (Admin admin = admin(node)) {
            List<NewTopic> topics = topics(partitions).stream()
                    .map(topic -> new NewTopic(topic, PARTITIONS_PER_TOPIC, (short) 1))
                    .toList();
            admin.createTopics(topics).all().get();
        }
    }

    private static void write(SoakedNode node, int partitions) {
        Map<String, Object> settings = Map.of(
                "bootstrap.servers",
                node.bootstrap(),
                "linger.ms",
                5,
                "batch.size",
                2_000,
                "delivery.timeout.ms",
                PATIENCE_SECONDS * 1_000,
                "max.block.ms",
                PATIENCE_SECONDS * 1_000L);
        AtomicReference<Exception> failed = new AtomicReference<>();
        try (Producer<byte[], byte[]> producer =
                new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
            for (String topic : topics(partitions)) {
                for (int partition = 0; partition < PARTITIONS_PER_TOPIC; partition++) {
                    producer.send(
                            new ProducerRecord<>(topic, partition, null, new byte[RECORD_BYTES]),
                            (written, failure) -> failed.compareAndSet(null, failure));
                }
            }
        }
        if (failed.get() != null) {
            throw new IllegalStateException("A record was not written", failed.get());
        }
    }

    /** Each connection is answered once, so that the node knows it. */
    private static void connect(SoakedNode node, int connections, List<Socket> into) throws IOException {
        byte[] apiVersions = ByteBuffer.allocate(14)
                .putInt(10)
                .putShort((short) 18)
                .putShort((short) 0)
                .putInt(1)
                .putShort((short) -1)
                .array();
        for (int i = 0; i < connections; i++) {
            Socket socket = new Socket("127.0.0.1", node.port());
            into.add(socket);
            socket.getOutputStream().write(apiVersions);
            DataInputStream in = new DataInputStream(socket.getInputStream());
            in.readFully(new byte[in.readInt()]);
        }
    }

    private static void awaitAllLed(SoakedNode node) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while (System.nanoTime() < deadline) {
            Map<String, Map<String, String>> table = node.table("broker.partitions");
            String replicas = table.get("replicas").get("value");
            if (replicas.equals(table.get("leading").get("value"))) {
                return;
            }
        }
        throw new IllegalStateException("Not all partitions are led after " + PATIENCE_SECONDS + " s");
    }

    private static long count(SoakedNode node, int partitions) throws ExecutionException, InterruptedException {
        Map<TopicPartition, OffsetSpec> ends = new HashMap<>();
        for (String topic : topics(partitions)) {
            for (int partition = 0; partition < PARTITIONS_PER_TOPIC; partition++) {
                ends.put(new TopicPartition(topic, partition), OffsetSpec.latest());
            }
        }
        try (Admin admin = admin(node)) {
            return admin.listOffsets(ends).all().get().values().stream()
                    .mapToLong(ListOffsetsResultInfo::offset)
                    .sum();
        }
    }

    private static Admin admin(SoakedNode node) {
        int patienceMs = PATIENCE_SECONDS * 1_000;
        return Admin.create(Map.of(
                "bootstrap.servers",
                node.bootstrap(),
                "request.timeout.ms",
                patienceMs,
                "default.api.timeout.ms",
                patienceMs));
    }

    private String text(List<Integer> sizes, Map<String, List<String>> rows) {
        StringBuilder text = new StringBuilder("## Limits of a node\n\n");
        text.append(String.format(
                Locale.ROOT,
                """
                Written by `./dev soak limits` on %s: the distribution with a heap of %s on %d processors, Java %s. Topics \
                have %d partitions each. Times are those of `felice start` and `felice stop`; a start ends when the node \
                serves, and partitions that are still being opened make their first request wait. The live heap is \
                what is left after a full collection.

                """,
                LocalDate.now(),
                heap,
                Runtime.getRuntime().availableProcessors(),
                System.getProperty("java.version"),
                PARTITIONS_PER_TOPIC));
        text.append("| partitions |");
        sizes.forEach(size -> text.append(String.format(Locale.ROOT, " %,d |", size)));
        text.append("\n| --- |").append(" --- |".repeat(sizes.size())).append('\n');
        rows.forEach((row, values) -> text.append("| ")
                .append(row)
                .append(" | ")
                .append(String.join(" | ", values))
                .append(" |\n"));
        return text.toString();
    }
}
