package io.felice.itests.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.rig.Java;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RetriableException;

/**
 * One idempotent producer that numbers its records per partition, and one consumer in a group that commits the offsets
 * of the records it has read. Both run until the load ends, also while the broker is away, and remember which records
 * and commits were acknowledged.
 */
final class SteadyLoad implements AutoCloseable {
    static final String TOPIC = "steady";
    private static final String GROUP = "steady-readers";
    static final int PARTITIONS = 4;
    private static final int RECORDS_PER_ROUND = 20;
    private static final long ROUND_MS = 10;
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Duration ANSWER_WITHIN = Duration.ofSeconds(5);

    private final String bootstrap;
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private final AtomicLong acknowledged = new AtomicLong();
    private final AtomicLong commits = new AtomicLong();
    private final long[] sent = new long[PARTITIONS];
    private final BitSet[] seen = new BitSet[PARTITIONS];
    private final AtomicLongArray committed = new AtomicLongArray(PARTITIONS);
    private final Thread producing = new Thread(() -> guarded(this::produce), "load-producer");
    private final Thread consuming = new Thread(() -> guarded(this::consume), "load-consumer");
    private volatile boolean producingEnds;
    private volatile boolean consumingEnds;
    private volatile boolean commitsAreHeld;

    private SteadyLoad(String bootstrap) {
        this.bootstrap = bootstrap;
        for (int partition = 0; partition < PARTITIONS; partition++) {
            seen[partition] = new BitSet();
        }
    }

    static SteadyLoad on(String bootstrap) {
        return on(bootstrap, Map.of());
    }

    /** @param configs the configs of the topic that the load writes to */
    static SteadyLoad on(String bootstrap, Map<String, String> configs) {
        Java.createTopic(bootstrap, TOPIC, PARTITIONS, configs);
        SteadyLoad load = new SteadyLoad(bootstrap);
        load.producing.start();
        load.consuming.start();
        return load;
    }

    long acknowledged() {
        return acknowledged.get();
    }

    long commits() {
        return commits.get();
    }

    void mustBeUnderWay() {
        mustGrow(acknowledged, "no record is acknowledged at the start");
        mustGrow(commits, "no commit is acknowledged at the start");
    }

    /**
     * Stops further commits, for a broker that was just killed. A new commit would hide the loss of an earlier one.
     */
    void holdCommits() {
        commitsAreHeld = true;
    }

    /**
     * Compares the committed offsets with the acknowledged commits, then waits until another record is acknowledged.
     */
    void mustGoOn(String when) {
        try (Admin admin = Java.admin(bootstrap)) {
            compare(admin, when);
        }
        commitsAreHeld = false;
        mustGrow(acknowledged, "nothing is acknowledged after " + when);
    }

    private void mustGrow(AtomicLong count, String otherwise) {
        long before = count.get();
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (count.get() == before) {
            assertThat(failure.get()).as(otherwise).isNull();
            assertThat(System.nanoTime()).as(otherwise).isLessThan(deadline);
            pause();
        }
    }

    /** Ends the load and checks all records that were written and read, and all commits. */
    void stopAndVerify() {
        producingEnds = true;
        join(producing);
        Java.await("the consumer has read everything", () -> failure.get() != null || everythingIsSeen());
        Java.await("it has committed everything", () -> failure.get() != null || everythingIsCommitted());
        consumingEnds = true;
        join(consuming);
        assertThat(failure.get()).isNull();
        for (int partition = 0; partition < PARTITIONS; partition++) {
            List<String> expected = new ArrayList<>();
            for (long number = 0; number < sent[partition]; number++) {
                expected.add(partition + ":" + number);
            }
            assertThat(Java.values(bootstrap, TOPIC, partition))
                    .as("each record of partition %d once and in order", partition)
                    .isEqualTo(expected);
        }
    }

    @Override
    public void close() {
        producingEnds = true;
        consumingEnds = true;
        join(producing);
        join(consuming);
    }

    private void produce() {
        Map<String, Object> settings = Map.of(
                "acks", "all",
                "enable.idempotence", true,
                "delivery.timeout.ms", 300_000,
                "request.timeout.ms", 10_000,
                "max.block.ms", 120_000,
                "reconnect.backoff.ms", 10,
                "reconnect.backoff.max.ms", 50,
                "retry.backoff.ms", 10,
                "retry.backoff.max.ms", 100);
        KafkaProducer<String, String> producer = Java.textProducer(bootstrap, settings);
        try {
            while (!producingEnds && failure.get() == null) {
                for (int i = 0; i < RECORDS_PER_ROUND; i++) {
                    int partition = i % PARTITIONS;
                    String value = partition + ":" + sent[partition]++;
                    producer.send(new ProducerRecord<>(TOPIC, partition, null, value), (metadata, problem) -> {
                        if (problem == null) {
                            acknowledged.incrementAndGet();
                        } else {
                            failure.compareAndSet(null, new AssertionError("not written: " + value, problem));
                        }
                    });
                }
                pause();
            }
            if (failure.get() == null) {
                producer.flush();
            }
        } finally {
            producer.close(Duration.ofSeconds(1));
        }
    }

    private void consume() {
        Map<String, Object> settings = Map.of(
                "group.id", GROUP,
                "auto.offset.reset", "earliest",
                "enable.auto.commit", false,
                "default.api.timeout.ms", 60_000,
                "request.timeout.ms", 10_000,
                "fetch.max.wait.ms", 100,
                "reconnect.backoff.ms", 10,
                "reconnect.backoff.max.ms", 50,
                "retry.backoff.ms", 10,
                "retry.backoff.max.ms", 100);
        KafkaConsumer<String, String> consumer = Java.textConsumer(bootstrap, settings);
        try (Admin admin = Java.admin(bootstrap)) {
            consumer.subscribe(List.of(TOPIC));
            boolean uncommitted = false;
            while (!consumingEnds && failure.get() == null) {
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(100))) {
                    see(record);
                    uncommitted = true;
                }
                if (uncommitted && !commitsAreHeld && isCommitted(consumer)) {
                    uncommitted = false;
                }
            }
            compare(admin, "the end");
        } finally {
            consumer.close(org.apache.kafka.clients.consumer.CloseOptions.timeout(Duration.ofSeconds(5)));
        }
    }

    private void see(ConsumerRecord<String, String> record) {
        long number = Long.parseLong(record.value().substring(record.value().indexOf(':') + 1));
        assertThat(record.offset()).as("the offset of %s", record.value()).isEqualTo(number);
        assertThat(record.offset())
                .as("a record before the committed offset comes again")
                .isGreaterThanOrEqualTo(committed.get(record.partition()));
        synchronized (seen) {
            seen[record.partition()].set((int) number);
        }
    }

    private boolean isCommitted(KafkaConsumer<String, String> consumer) {
        try {
            Map<TopicPartition, Long> positions = new HashMap<>();
            consumer.assignment().forEach(partition -> positions.put(partition, consumer.position(partition)));
            consumer.commitSync();
            positions.forEach((partition, position) -> committed.set(partition.partition(), position));
            commits.incrementAndGet();
            return true;
        } catch (RetriableException | CommitFailedException again) {
            // This commit was not acknowledged. The next commit covers its offsets.
            return false;
        }
    }

    /**
     * Retries until the broker answers. The committed offsets must be at least those that were acknowledged before the
     * request.
     */
    private void compare(Admin admin, String when) {
        long[] promised = new long[PARTITIONS];
        Arrays.setAll(promised, committed::get);
        Map<TopicPartition, OffsetAndMetadata> offsets = committedOffsets(admin, when);
        for (int partition = 0; partition < PARTITIONS; partition++) {
            OffsetAndMetadata offset = offsets.get(new TopicPartition(TOPIC, partition));
            assertThat(offset == null ? 0 : offset.offset())
                    .as("the committed offset of partition %d after %s", partition, when)
                    .isGreaterThanOrEqualTo(promised[partition]);
        }
    }

    private static Map<TopicPartition, OffsetAndMetadata> committedOffsets(Admin admin, String when) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            try {
                return admin.listConsumerGroupOffsets(GROUP)
                        .partitionsToOffsetAndMetadata()
                        .get(ANSWER_WITHIN.toSeconds(), TimeUnit.SECONDS);
            } catch (ExecutionException | TimeoutException again) {
                assertThat(System.nanoTime())
                        .as("the committed offsets cannot be read after %s: %s", when, again)
                        .isLessThan(deadline);
                pause();
            } catch (InterruptedException interrupted) {
                throw new AssertionError(interrupted);
            }
        }
    }

    private boolean everythingIsSeen() {
        synchronized (seen) {
            for (int partition = 0; partition < PARTITIONS; partition++) {
                if (seen[partition].cardinality() < sent[partition]) {
                    return false;
                }
            }
            return true;
        }
    }

    private boolean everythingIsCommitted() {
        return IntStream.range(0, PARTITIONS).allMatch(partition -> committed.get(partition) == sent[partition]);
    }

    private void guarded(Runnable work) {
        try {
            work.run();
        } catch (Throwable problem) {
            failure.compareAndSet(null, problem);
        }
    }

    private static void join(Thread thread) {
        try {
            thread.join(PATIENCE.toMillis());
            assertThat(thread.isAlive()).as(thread.getName() + " does not end").isFalse();
        } catch (InterruptedException interrupted) {
            throw new AssertionError(interrupted);
        }
    }

    private static void pause() {
        try {
            Thread.sleep(ROUND_MS);
        } catch (InterruptedException interrupted) {
            throw new AssertionError(interrupted);
        }
    }
}
