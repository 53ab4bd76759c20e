package io.felice.bench;

import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongUnaryOperator;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Clients, producer ids, groups, fetch sessions, topics and broken connections come and go, and at the end the node holds
 * what it held at the beginning. The beginning is after a warm-up of the same kind, when pools and caches are full.
 */
final class Churn {
    private static final String KEPT_LOG = "kept-log";
    private static final String KEPT_MEMORY = "kept-memory";
    private static final int PARTITIONS = 4;

    /** Longer than offsets of empty groups, producer ids and sessions are kept. */
    private static final Duration FORGETTING = Duration.ofSeconds(100);

    private static final int MEGABYTE = 1 << 20;
    private static final int MOST_HELD_SOCKETS = 50;

    private final SoakedNode node;
    private final long seed;
    private final Counts counts = new Counts();
    private volatile boolean ended;

    /** What came and went. */
    private static final class Counts {
        final AtomicLong producers = new AtomicLong();
        final AtomicLong consumers = new AtomicLong();
        final AtomicLong groups = new AtomicLong();
        final AtomicLong topics = new AtomicLong();
        final AtomicLong sockets = new AtomicLong();
        final AtomicLong failures = new AtomicLong();

        @Override
        public String toString() {
            return producers + " producers, " + groups + " groups, " + consumers + " consumers without a group, "
                    + topics + " topics, " + sockets + " broken connections; " + failures
                    + " of all these calls failed";
        }
    }

    Churn(SoakedNode node, long seed) {
        this.node = node;
        this.seed = seed;
    }

    /** @return true if the node holds no more than at the beginning */
    boolean run(Duration warmUp, Duration duration) throws Exception {
        System.out.println("seed " + seed);
        prepare();
        churnFor(warmUp);
        Held begin = held();
        System.out.println("after a warm-up of " + warmUp.toSeconds() + " s: " + counts);
        churnFor(duration);
        Held end = held();
        System.out.println("after " + duration.toSeconds() + " s more: " + counts);
        return judge(begin, end);
    }

    private void prepare() throws Exception {
        try (Admin admin = admin()) {
            ConfigResource all = new ConfigResource(ConfigResource.Type.BROKER, "");
            List<AlterConfigOp> settings = new ArrayList<>();
            Map.of(
                            "offsets.retention.minutes", "1",
                            "offsets.retention.check.interval.ms", "5000",
                            "producer.id.expiration.ms", "20000",
                            "log.retention.check.interval.ms", "5000",
                            "group.initial.rebalance.delay.ms", "0")
                    .forEach((key, value) ->
                            settings.add(new AlterConfigOp(new ConfigEntry(key, value), AlterConfigOp.OpType.SET)));
            admin.incrementalAlterConfigs(Map.of(all, settings)).all().get();
            Map<String, String> small = Map.of("segment.bytes", "1048576", "retention.bytes", "1048576");
            admin.createTopics(List.of(
                            new NewTopic(KEPT_LOG, PARTITIONS, (short) 1).configs(small),
                            new NewTopic(KEPT_MEMORY, PARTITIONS, (short) 1).configs(inMemory(small))))
                    .all()
                    .get();
        }
    }

    private static Map<String, String> inMemory(Map<String, String> configs) {
        Map<String, String> all = new java.util.HashMap<>(configs);
        all.put("storage.engine", "memory");
        return all;
    }

    private void churnFor(Duration duration) throws InterruptedException {
        ended = false;
        List<Thread> threads = List.of(
                thread("producers", 1, this::producer),
                thread("groups-1", 2, this::group),
                thread("groups-2", 3, this::group),
                thread("consumers", 4, this::consumer),
                thread("topics", 5, this::topic),
                thread("sockets", 6, this::socket));
        threads.forEach(Thread::start);
        Thread.sleep(duration.toMillis());
        ended = true;
        for (Thread thread : threads) {
            thread.join();
        }
    }

    private interface Visit {
        void make(Random random) throws Exception;
    }

    private Thread thread(String name, int number, Visit visit) {
        Random random = new Random(seed + number);
        return new Thread(
                () -> {
                    while (!ended) {
                        try {
                            visit.make(random);
                        } catch (KafkaException | ExecutionException | IOException failure) {
                            counts.failures.incrementAndGet();
                            System.out.println(name + ": " + failure);
                        } catch (Exception broken) {
                            throw new IllegalStateException(name + " does not go on", broken);
                        }
                    }
                },
                "churn-" + name);
    }

    // ---- who comes and goes

    /** A producer with an id of its own. */
    private void producer(Random random) {
        Map<String, Object> settings = Map.of(
                "bootstrap.servers",
                node.bootstrap(),
                "compression.type",
                List.of("none", "lz4", "zstd", "gzip", "snappy").get(random.nextInt(5)),
                "linger.ms",
                random.nextInt(3));
        try (Producer<byte[], byte[]> producer =
                new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
            for (int i = random.nextInt(100); i >= 0; i--) {
                producer.send(new ProducerRecord<>(kept(random), new byte[1 + random.nextInt(1_000)]));
            }
        }
        counts.producers.incrementAndGet();
    }

    private static String kept(Random random) {
        return random.nextBoolean() ? KEPT_LOG : KEPT_MEMORY;
    }

    /** A group with one or two members; some are static, so that they do not leave; some are deleted, others expire. */
    private void group(Random random) throws Exception {
        String group = "group-" + counts.groups.incrementAndGet();
        boolean stays = random.nextInt(4) == 0;
        Optional<String> instance = stays ? Optional.of("instance-" + group) : Optional.empty();
        try (Consumer<byte[], byte[]> first = member(group, instance)) {
            read(first, kept(random));
            first.commitSync();
            if (random.nextInt(4) == 0) {
                try (Consumer<byte[], byte[]> second = member(group, Optional.empty())) {
                    second.subscribe(List.of(KEPT_LOG));
                    second.poll(Duration.ofMillis(100));
                    first.poll(Duration.ofMillis(100));
                }
            }
        }
        if (!stays && random.nextBoolean()) {
            try (Admin admin = admin()) {
                admin.deleteConsumerGroups(List.of(group)).all().get();
            }
        }
    }

    private void read(Consumer<byte[], byte[]> consumer, String topic) {
        consumer.subscribe(List.of(topic));
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(5);
        while (consumer.poll(Duration.ofMillis(200)).isEmpty() && System.nanoTime() < deadline) {
            // The first poll joins the group.
        }
    }

    private Consumer<byte[], byte[]> member(String group, Optional<String> instance) {
        Map<String, Object> settings = new java.util.HashMap<>(Map.of(
                "bootstrap.servers",
                node.bootstrap(),
                "group.id",
                group,
                "auto.offset.reset",
                "earliest",
                "session.timeout.ms",
                6_000,
                "enable.auto.commit",
                false));
        instance.ifPresent(id -> settings.put("group.instance.id", id));
        return new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    /** A consumer without a group: its fetch session may stay behind. */
    private void consumer(Random random) {
        Map<String, Object> settings = Map.of("bootstrap.servers", node.bootstrap(), "auto.offset.reset", "earliest");
        Consumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
        try {
            consumer.assign(List.of(new TopicPartition(kept(random), random.nextInt(PARTITIONS))));
            for (int i = random.nextInt(4); i >= 0; i--) {
                consumer.poll(Duration.ofMillis(50));
            }
        } finally {
            // Without time to close, the consumer does not end its fetch session.
            consumer.close(CloseOptions.timeout(random.nextBoolean() ? Duration.ZERO : Duration.ofSeconds(5)));
        }
        counts.consumers.incrementAndGet();
    }

    /** A topic that is created, written, described, changed and deleted. */
    private void topic(Random random) throws Exception {
        String name = "topic-" + counts.topics.incrementAndGet();
        Map<String, String> configs = random.nextBoolean() ? Map.of() : inMemory(Map.of());
        try (Admin admin = admin()) {
            admin.createTopics(List.of(new NewTopic(name, 1 + random.nextInt(8), (short) 1).configs(configs)))
                    .all()
                    .get();
            Map<String, Object> settings = Map.of("bootstrap.servers", node.bootstrap());
            try (Producer<byte[], byte[]> producer =
                    new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
                for (int i = 0; i < 50; i++) {
                    producer.send(new ProducerRecord<>(name, new byte[100], new byte[random.nextInt(2_000)]));
                }
            }
            admin.describeTopics(List.of(name)).allTopicNames().get();
            ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, name);
            AlterConfigOp change =
                    new AlterConfigOp(new ConfigEntry("retention.ms", "3600000"), AlterConfigOp.OpType.SET);
            admin.incrementalAlterConfigs(Map.of(resource, List.of(change)))
                    .all()
                    .get();
            admin.describeConfigs(List.of(resource)).all().get();
            admin.deleteTopics(List.of(name)).all().get();
        }
    }

    /** Connections that send nothing, half a frame or nonsense, and then close, break or stay for a while. */
    private void socket(Random random) throws Exception {
        List<Socket> held = new ArrayList<>();
        for (int i = 0; i < MOST_HELD_SOCKETS && !ended; i++) {
            Socket socket = new Socket("127.0.0.1", node.port());
            held.add(socket);
            try {
                nonsense(socket.getOutputStream(), random);
            } catch (IOException closedByTheNode) {
                // That is the answer to nonsense.
            }
            if (random.nextBoolean()) {
                socket.setSoLinger(true, 0); // closing it resets the connection
            }
            if (random.nextInt(3) > 0) {
                socket.close();
            }
            counts.sockets.incrementAndGet();
            Thread.sleep(20);
        }
        for (Socket socket : held) {
            socket.close();
        }
    }

    private static void nonsense(OutputStream out, Random random) throws IOException {
        byte[] bytes = new byte[Integer.BYTES + random.nextInt(2_000)];
        random.nextBytes(bytes);
        switch (random.nextInt(3)) {
            case 0 -> {} // a connection that says nothing
            case 1 -> out.write(bytes);
            default -> {
                // a Produce request that never gets whole
                ByteBuffer.wrap(bytes).putInt(0, 1_000_000);
                out.write(bytes);
            }
        }
    }

    private Admin admin() {
        return Admin.create(Map.of("bootstrap.servers", node.bootstrap()));
    }

    // ---- what the node holds

    private record Held(SoakedNode.Holdings machine, List<Number> numbers) {}

    /** A cache that is allowed to be full: the sessions of clients that vanished stay until others need their place. */
    private static final String FILLED_CACHE = "fetch.sessions";

    /** A number of the node's status tables. */
    private record Number(String table, String row, String column, long value) {}

    private static final List<Number> NUMBERS = List.of(
            new Number("network.limits", "connections", "used", 0),
            new Number("network.limits", "addresses", "used", 0),
            new Number("network.limits", "requests.bytes", "used", 0),
            new Number("network.limits", "answers.bytes", "used", 0),
            new Number("network.limits", "pins", "used", 0),
            new Number("handlers.limits", "fetch.sessions", "used", 0),
            new Number("broker.partitions", "replicas", "value", 0),
            new Number("broker.producers", "remembered", "value", 0),
            new Number("broker.fetches", "parked", "value", 0),
            new Number("coordinator.limits", "groups", "used", 0),
            new Number("coordinator.groups", "members", "value", 0),
            new Number("coordinator.groups", "offsets", "value", 0));

    private Held held() throws Exception {
        Thread.sleep(FORGETTING.toMillis());
        List<Number> numbers = new ArrayList<>();
        for (Number number : NUMBERS) {
            String value = node.table(number.table()).get(number.row()).get(number.column());
            numbers.add(new Number(number.table(), number.row(), number.column(), Long.parseLong(value)));
        }
        try (Admin admin = admin()) {
            Collection<GroupListing> groups = admin.listGroups().all().get();
            if (!groups.isEmpty()) {
                System.out.println("groups that are left: " + groups.size());
            }
        }
        return new Held(node.holdings(), numbers);
    }

    private boolean judge(Held begin, Held end) {
        SoakedNode.Holdings before = begin.machine();
        SoakedNode.Holdings after = end.machine();
        Table table = new Table();
        table.row("live heap, bytes", before.heapBytes(), after.heapBytes(), had -> had + had / 20 + 2 * MEGABYTE);
        table.row(
                "buffers outside the heap, bytes",
                before.outsideBytes(),
                after.outsideBytes(),
                had -> had + Soak.TAIL_BUDGET_BYTES);
        table.row("threads", before.threadCount(), after.threadCount(), had -> had + 2);
        table.row("open files", before.files(), after.files(), had -> had + 2);
        table.row("open sockets", before.sockets(), after.sockets(), had -> had + 2);
        table.row("class loaders", before.classLoaders(), after.classLoaders(), had -> had);
        table.row("loaded classes", before.classes(), after.classes(), had -> had + 50);
        table.row("resident memory, bytes", before.residentBytes(), after.residentBytes(), had -> Long.MAX_VALUE);
        for (int i = 0; i < NUMBERS.size(); i++) {
            Number one = end.numbers().get(i);
            long most = one.row().equals(FILLED_CACHE) ? Soak.FETCH_SESSIONS : 0;
            table.row(
                    one.table() + " " + one.row(),
                    begin.numbers().get(i).value(),
                    one.value(),
                    had -> Math.max(most, had));
        }
        System.out.println(table.text);
        if (!table.good) {
            grown(before, after);
            System.out.println("The node holds more than at the beginning.");
        }
        return table.good;
    }

    private static final class Table {
        private final StringBuilder text = new StringBuilder(
                "| what | at the beginning | at the end | allowed | |\n| --- | --- | --- | --- | --- |\n");
        private boolean good = true;

        void row(String what, long before, long after, LongUnaryOperator most) {
            long allowed = most.applyAsLong(before);
            boolean fits = after <= allowed;
            good &= fits;
            text.append("| ")
                    .append(what)
                    .append(" | ")
                    .append(before)
                    .append(" | ")
                    .append(after)
                    .append(" | ");
            text.append(allowed == Long.MAX_VALUE ? "any" : allowed).append(fits ? " | |\n" : " | MORE |\n");
        }
    }

    private static void grown(SoakedNode.Holdings before, SoakedNode.Holdings after) {
        System.out.println("Classes with more live objects than at the beginning:");
        SoakedNode.Instances none = new SoakedNode.Instances(0, 0);
        after.objects().entrySet().stream()
                .sorted(java.util.Comparator.comparingLong(entry ->
                        before.objects().getOrDefault(entry.getKey(), none).bytes()
                                - entry.getValue().bytes()))
                .limit(25)
                .forEach(entry -> {
                    SoakedNode.Instances had = before.objects().getOrDefault(entry.getKey(), none);
                    System.out.printf(
                            "  %+d objects, %+d bytes: %s%n",
                            entry.getValue().count() - had.count(),
                            entry.getValue().bytes() - had.bytes(),
                            entry.getKey());
                });
        System.out.println("Threads at the beginning: " + before.threads());
        System.out.println("Threads at the end:       " + after.threads());
    }
}
