package io.felice.itests.rig;

import io.felice.itests.rig.HistoryChecker.Message;
import io.felice.itests.rig.HistoryChecker.Sighting;
import io.felice.itests.rig.HistoryChecker.Totals;
import io.felice.itests.rig.HistoryChecker.Writer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.RetriableException;

/**
 * Clients of a broker that is killed again and again: for each storage engine an idempotent producer, one that is not
 * idempotent, and a consumer in a group that commits. They use the topics of {@link CrashTopic} until the load ends, also
 * while the broker is away. A {@link HistoryChecker} gets all they see.
 *
 * <p>Threads: every client has its own; the methods are for one other thread.
 */
public final class CrashLoad implements AutoCloseable {
    private static final int MOST_RECORDS_PER_ROUND = 20;
    private static final long ROUND_MS = 25;
    private static final Duration BETWEEN_COMMITS = Duration.ofMillis(200);
    /** A scan that is not whole begins so many offsets before the end of the last one. */
    private static final long SCANNED_AGAIN = 2_000;

    private static final Duration PATIENCE = Duration.ofMinutes(5);
    private static final Duration ANSWER_WITHIN = Duration.ofSeconds(5);
    private static final String OFFSETS = "__consumer_offsets";
    private static final Map<String, Object> RECONNECT_FAST = Map.of(
            "reconnect.backoff.ms", 20,
            "reconnect.backoff.max.ms", 100,
            "retry.backoff.ms", 20,
            // A client that forgets its metadata while the broker is away sends nothing until it is back.
            "metadata.recovery.strategy", "none",
            "retry.backoff.max.ms", 200,
            "default.api.timeout.ms", (int) PATIENCE.toMillis());

    /**
     * What the load has.
     *
     * @param engines the storage engines to use; the last one has the offsets of the groups, also in small segments
     * @param topics the topics in each engine
     * @param replicas of each partition
     */
    public record Plan(List<String> engines, List<CrashTopic> topics, int replicas) {
        public Plan {
            engines = List.copyOf(engines);
            topics = List.copyOf(topics);
        }

        private Stream<TopicPartition> partitions(String engine) {
            return topics.stream().flatMap(topic -> topic.partitions(engine).stream());
        }
    }

    private final String bootstrap;
    private final Plan plan;
    private final Map<String, CrashTopic> topics = new TreeMap<>();
    private final List<TopicPartition> partitions;
    private final HistoryChecker checker;
    private final List<Writing> writing = new ArrayList<>();
    private final List<Reading> reading = new ArrayList<>();
    private final Map<TopicPartition, Long> scannedTo = new HashMap<>();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    /** Held for reading while a producer sends, and for writing while nobody may send. */
    private final ReadWriteLock sending = new ReentrantReadWriteLock();

    private volatile boolean commitsAreHeld;
    private volatile boolean ends;

    private CrashLoad(String bootstrap, Plan plan, long seed) {
        this.bootstrap = bootstrap;
        this.plan = plan;
        for (String engine : plan.engines()) {
            plan.topics().forEach(topic -> topics.put(topic.of(engine), topic));
        }
        partitions = plan.engines().stream().flatMap(plan::partitions).toList();
        checker = new HistoryChecker(
                topics.entrySet().stream().collect(Collectors.toMap(Map.Entry::getKey, topic -> topic.getValue()
                        .cleanup())));
        Random seeds = new Random(seed);
        for (String engine : plan.engines()) {
            writing.add(new Writing(engine, new Writer(engine + "-idempotent", true), seeds.nextLong()));
            writing.add(new Writing(engine, new Writer(engine + "-plain", false), seeds.nextLong()));
            reading.add(new Reading(engine));
        }
    }

    /** All topics in these engines, with one replica of each partition. */
    public static CrashLoad on(String bootstrap, List<String> engines, long seed) {
        return on(bootstrap, new Plan(engines, List.of(CrashTopic.values()), 1), seed);
    }

    /** Makes the topics and starts the clients. Compaction and retention look twice a second. */
    public static CrashLoad on(String bootstrap, Plan plan, long seed) {
        List<String> engines = plan.engines();
        try (Admin admin = Java.admin(bootstrap)) {
            set(admin, ConfigResource.Type.BROKER, "", "storage.placement", "*:" + engines.get(engines.size() - 1));
            set(admin, ConfigResource.Type.BROKER, "", "log.retention.check.interval.ms", "500");
            set(admin, ConfigResource.Type.BROKER, "", "log.cleaner.backoff.ms", "500");
            for (String engine : engines) {
                Java.get(admin.createTopics(plan.topics().stream()
                                .map(topic -> topic.in(engine, plan.replicas()))
                                .toList())
                        .all());
            }
            CrashLoad load = new CrashLoad(bootstrap, plan, seed);
            load.threads().forEach(Thread::start);
            load.mustGoOn("the start");
            set(admin, ConfigResource.Type.TOPIC, OFFSETS, "segment.bytes", "30000");
            set(admin, ConfigResource.Type.TOPIC, OFFSETS, "min.cleanable.dirty.ratio", "0.01");
            return load;
        }
    }

    private static void set(Admin admin, ConfigResource.Type type, String name, String key, String value) {
        AlterConfigOp set = new AlterConfigOp(new ConfigEntry(key, value), AlterConfigOp.OpType.SET);
        Java.get(admin.incrementalAlterConfigs(Map.of(new ConfigResource(type, name), List.of(set)))
                .all());
    }

    public HistoryChecker checker() {
        return checker;
    }

    /** The commits that were acknowledged. */
    public long commits() {
        return reading.stream().mapToLong(reader -> reader.commits.get()).sum();
    }

    public Map<String, Totals> totals() {
        Map<String, Totals> totals = new TreeMap<>();
        partitions.forEach(partition -> totals.merge(partition.topic(), checker.totals(partition), Totals::plus));
        return totals;
    }

    /** Waits until every client has got on. */
    public void mustGoOn(String when) {
        List<AtomicLong> counts = Stream.concat(
                        writing.stream().map(writer -> writer.acknowledged),
                        reading.stream().map(reader -> reader.commits))
                .toList();
        List<Long> before = counts.stream().map(AtomicLong::get).toList();
        await("every client gets on after " + when, () -> {
            for (int i = 0; i < before.size(); i++) {
                if (counts.get(i).get() == before.get(i)) {
                    return false;
                }
            }
            return true;
        });
    }

    // ---- offsets

    /** Stops further commits, for a broker that was just killed. A new commit would hide the loss of an earlier one. */
    public void holdCommits() {
        commitsAreHeld = true;
    }

    /** Compares the offsets of a broker that has just started with those that clients knew before. Commits go on. */
    public void compareOffsets() {
        try (Admin admin = Java.admin(bootstrap)) {
            compare(HistoryChecker::endOf, () -> offsets(admin, OffsetSpec.latest()));
            compare(HistoryChecker::startOf, () -> offsets(admin, OffsetSpec.earliest()));
            for (Reading reader : reading) {
                compare(reader::committed, () -> committedOffsets(admin, reader.group));
            }
        }
        commitsAreHeld = false;
    }

    private void compare(Function<TopicPartition, String> named, Supplier<Map<TopicPartition, Long>> question) {
        Map<TopicPartition, Long> floors =
                partitions.stream().collect(Collectors.toMap(p -> p, p -> checker.floor(named.apply(p))));
        Map<TopicPartition, Long> answers = question.get();
        floors.forEach((partition, floor) ->
                checker.answered(named.apply(partition), floor, answers.getOrDefault(partition, -1L)));
    }

    private Map<TopicPartition, Long> offsets(Admin admin, OffsetSpec spec) {
        Map<TopicPartition, Long> offsets = new HashMap<>();
        Map<TopicPartition, OffsetSpec> specs = partitions.stream().collect(Collectors.toMap(p -> p, p -> spec));
        answered(() -> admin.listOffsets(specs).all())
                .forEach((partition, offset) -> offsets.put(partition, offset.offset()));
        return offsets;
    }

    private Map<TopicPartition, Long> committedOffsets(Admin admin, String group) {
        Map<TopicPartition, Long> offsets = new HashMap<>();
        answered(() -> admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata())
                .forEach((partition, committed) -> offsets.put(partition, committed == null ? -1 : committed.offset()));
        return offsets;
    }

    private <T> T answered(Supplier<KafkaFuture<T>> question) {
        AtomicReference<T> answer = new AtomicReference<>();
        await("the broker answers", () -> {
            try {
                answer.set(question.get().get(ANSWER_WITHIN.toSeconds(), TimeUnit.SECONDS));
                return true;
            } catch (ExecutionException | TimeoutException again) {
                return false;
            } catch (InterruptedException interrupted) {
                throw new AssertionError(interrupted);
            }
        });
        return answer.get();
    }

    // ---- records

    /** Waits until all that was sent is acknowledged, and checks what the partitions have, while nobody sends. */
    public void compareRecords() {
        whileNobodySends(() -> scan(false));
    }

    /** Checks all records of all partitions, and that the readers got them. */
    public void compareAllRecords() {
        whileNobodySends(() -> {
            scan(true);
            await("the readers are at the end", () -> reading.stream().allMatch(Reading::isAtTheEnd));
            partitions.stream()
                    .filter(partition -> topics.get(partition.topic()) == CrashTopic.KEPT)
                    .forEach(checker::readToTheEnd);
        });
    }

    private void whileNobodySends(Runnable checks) {
        sending.writeLock().lock();
        try {
            writing.forEach(writer -> writer.producer.flush());
            mustNotHaveFailed();
            checks.run();
        } finally {
            sending.writeLock().unlock();
        }
    }

    /** Topics that are not compacted have no tombstones: reading them may take as long as it needs. */
    private void scan(boolean whole) {
        Map<Boolean, List<TopicPartition>> byCompaction =
                partitions.stream().collect(Collectors.partitioningBy(this::compacts));
        scan(byCompaction.get(false), whole);
        while (scan(byCompaction.get(true), whole).compareTo(CrashTopic.TOMBSTONES_STAY) >= 0) {
            System.out.println("A scan took longer than tombstones stay, and is done again");
        }
    }

    /** Checks the records of {@code scanned}, unless a tombstone may have been removed while they were read. */
    private Duration scan(List<TopicPartition> scanned, boolean whole) {
        long began = System.nanoTime();
        try (KafkaConsumer<byte[], byte[]> consumer =
                Java.consumer(bootstrap, with(RECONNECT_FAST, Map.of("auto.offset.reset", "earliest")))) {
            Map<TopicPartition, Long> from = new HashMap<>(consumer.beginningOffsets(scanned));
            Map<TopicPartition, Long> ends = consumer.endOffsets(scanned);
            from.replaceAll((partition, start) -> whole ? start : Math.max(start, scanFrom(partition)));
            consumer.assign(scanned);
            from.forEach(consumer::seek);
            Map<TopicPartition, List<Sighting>> seen = readTo(ends, consumer);
            Map<TopicPartition, Long> starts = consumer.beginningOffsets(scanned);
            Duration took = Duration.ofNanos(System.nanoTime() - began);
            scanned.stream()
                    .filter(partition -> !compacts(partition) || took.compareTo(CrashTopic.TOMBSTONES_STAY) < 0)
                    .forEach(partition -> {
                        checker.scanned(
                                partition,
                                from.get(partition),
                                starts.get(partition),
                                ends.get(partition),
                                seen.getOrDefault(partition, List.of()));
                        scannedTo.put(partition, ends.get(partition));
                    });
            return took;
        }
    }

    private boolean compacts(TopicPartition partition) {
        return topics.get(partition.topic()).cleanup().compacts();
    }

    private long scanFrom(TopicPartition partition) {
        return compacts(partition) ? 0 : scannedTo.getOrDefault(partition, 0L) - SCANNED_AGAIN;
    }

    private Map<TopicPartition, List<Sighting>> readTo(
            Map<TopicPartition, Long> ends, KafkaConsumer<byte[], byte[]> consumer) {
        Map<TopicPartition, List<Sighting>> seen = new HashMap<>();
        await("the partitions are read to their ends", () -> {
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) {
                seen.computeIfAbsent(new TopicPartition(record.topic(), record.partition()), p -> new ArrayList<>())
                        .add(CrashTopic.sighting(record));
            }
            return ends.keySet().stream().allMatch(partition -> consumer.position(partition) >= ends.get(partition));
        });
        return seen;
    }

    // ---- clients

    private final class Writing extends Thread {
        private final List<TopicPartition> targets;
        private final Writer writer;
        private final Random random;
        private final KafkaProducer<byte[], byte[]> producer;
        private final Map<TopicPartition, Long> numbers = new HashMap<>();
        private final AtomicLong acknowledged = new AtomicLong();

        Writing(String engine, Writer writer, long seed) {
            super("crash-" + writer.name());
            this.targets = plan.partitions(engine).toList();
            this.writer = writer;
            this.random = new Random(seed);
            this.producer = Java.producer(bootstrap, with(RECONNECT_FAST, settings()));
        }

        private Map<String, Object> settings() {
            return Map.of(
                    "acks",
                    "all",
                    "enable.idempotence",
                    writer.idempotent(),
                    "max.in.flight.requests.per.connection",
                    writer.idempotent() ? 5 : 1,
                    "compression.type",
                    writer.idempotent() ? "lz4" : "none",
                    "linger.ms",
                    5,
                    "delivery.timeout.ms",
                    (int) PATIENCE.multipliedBy(2).toMillis(),
                    "max.block.ms",
                    (int) PATIENCE.toMillis());
        }

        @Override
        public void run() {
            guarded(() -> {
                while (!ends) {
                    sending.readLock().lock();
                    try {
                        for (int i = random.nextInt(MOST_RECORDS_PER_ROUND); i >= 0 && !ends; i--) {
                            send(targets.get(random.nextInt(targets.size())));
                        }
                    } finally {
                        sending.readLock().unlock();
                    }
                    pause();
                }
            });
        }

        private void send(TopicPartition target) {
            long number = numbers.merge(target, 1L, Long::sum) - 1;
            Message message = topics.get(target.topic()).message(writer, number, random);
            checker.sending(target, message);
            producer.send(CrashTopic.record(target, message), (metadata, problem) -> {
                if (problem == null) {
                    checker.acknowledged(target, message, metadata.hasOffset() ? metadata.offset() : -1);
                    acknowledged.incrementAndGet();
                } else if (!ends) {
                    failed(new AssertionError(message + " was not written to " + target, problem));
                }
            });
        }
    }

    private final class Reading extends Thread {
        private final List<TopicPartition> sources;
        private final String group;
        private final AtomicLong commits = new AtomicLong();

        Reading(String engine) {
            super("crash-" + engine + "-reader");
            this.sources = plan.partitions(engine).toList();
            this.group = engine + "-readers";
        }

        String committed(TopicPartition partition) {
            return HistoryChecker.committedBy(group, partition);
        }

        boolean isAtTheEnd() {
            return sources.stream()
                    .allMatch(
                            source -> checker.floor(committed(source)) == checker.floor(HistoryChecker.endOf(source)));
        }

        @Override
        public void run() {
            guarded(() -> {
                try (KafkaConsumer<byte[], byte[]> consumer = Java.consumer(
                        bootstrap,
                        with(
                                RECONNECT_FAST,
                                Map.of(
                                        "group.id",
                                        group,
                                        "auto.offset.reset",
                                        "earliest",
                                        "enable.auto.commit",
                                        false)))) {
                    consumer.subscribe(sources.stream()
                            .map(TopicPartition::topic)
                            .distinct()
                            .toList());
                    read(consumer);
                    consumer.close(CloseOptions.timeout(ANSWER_WITHIN));
                }
            });
        }

        private void read(KafkaConsumer<byte[], byte[]> consumer) {
            long committedAt = System.nanoTime();
            while (!ends) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(50))) {
                    checker.read(new TopicPartition(record.topic(), record.partition()), CrashTopic.sighting(record));
                }
                if (!commitsAreHeld && System.nanoTime() - committedAt > BETWEEN_COMMITS.toNanos()) {
                    commit(consumer);
                    committedAt = System.nanoTime();
                }
            }
        }

        /** A commit that is not acknowledged promises nothing. The next one covers its offsets. */
        private void commit(KafkaConsumer<byte[], byte[]> consumer) {
            Map<TopicPartition, OffsetAndMetadata> positions = new HashMap<>();
            consumer.assignment()
                    .forEach(
                            partition -> positions.put(partition, new OffsetAndMetadata(consumer.position(partition))));
            try {
                consumer.commitSync(positions, ANSWER_WITHIN);
                positions.forEach((partition, position) -> checker.reached(committed(partition), position.offset()));
                commits.addAndGet(positions.isEmpty() ? 0 : 1);
            } catch (RetriableException | CommitFailedException notAcknowledged) {
                // See above.
            }
        }
    }

    @Override
    public void close() {
        ends = true;
        writing.forEach(writer -> writer.producer.close(Duration.ZERO));
        threads().forEach(thread -> {
            try {
                thread.join(PATIENCE.toMillis());
            } catch (InterruptedException interrupted) {
                throw new AssertionError(interrupted);
            }
        });
    }

    private Stream<Thread> threads() {
        return Stream.concat(writing.stream(), reading.stream());
    }

    private void guarded(Runnable work) {
        try {
            work.run();
        } catch (Throwable problem) {
            if (!ends) {
                failed(problem);
            }
        }
    }

    private void failed(Throwable problem) {
        failure.compareAndSet(null, problem);
    }

    private void mustNotHaveFailed() {
        if (failure.get() != null) {
            throw new AssertionError("a client failed", failure.get());
        }
    }

    private void await(String what, Supplier<Boolean> condition) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.get()) {
            mustNotHaveFailed();
            if (System.nanoTime() > deadline) {
                throw new AssertionError("still not: " + what);
            }
            pause();
        }
    }

    private static void pause() {
        try {
            Thread.sleep(ROUND_MS);
        } catch (InterruptedException interrupted) {
            throw new AssertionError(interrupted);
        }
    }

    private static Map<String, Object> with(Map<String, Object> some, Map<String, Object> others) {
        Map<String, Object> all = new HashMap<>(some);
        all.putAll(others);
        return all;
    }
}
