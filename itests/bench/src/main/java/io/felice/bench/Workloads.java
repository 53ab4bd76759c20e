package io.felice.bench;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** The workloads, run with Kafka's own clients. Each method makes one measurement. */
final class Workloads {
    private static final double MEGABYTE = 1_000_000;
    private static final int BATCH_BYTES = 16_384;
    private static final String IN_MVSTORE = "-mvstore";
    private static final String OF_ONE_REPLICA = "-rf1";

    /**
     * Long enough that batches are sent when they are full. With a shorter linger, a broker that answers faster would
     * get smaller batches.
     */
    private static final int LINGER_MS = 1_000;

    private static final int WARM_UP_MS = 500;
    private static final int RECORDS_TO_READ_BYTES = 200_000_000;

    private final int seconds;
    private final FreeMemory memory;

    Workloads(int seconds, FreeMemory memory) {
        this.seconds = seconds;
        this.memory = memory;
    }

    /** Waits until the broker is idle and the operating system has written all data to the disk. */
    static void settle(BenchedBroker broker) throws IOException, InterruptedException {
        broker.awaitIdle();
        new ProcessBuilder("sync").inheritIO().start().waitFor();
    }

    /**
     * Sends as many records as possible. The value is MB/s of record values. The first half second is not counted,
     * because the broker's memory-mapped files may have to be read into memory again then.
     */
    Sample produce(BenchedBroker broker, String topic, int partitions, int size, String acks, String codec)
            throws Exception {
        return produce(broker, topic, partitions, size, acks, codec, WARM_UP_MS);
    }

    /** As {@link #produce}, but counts from the first record on. */
    Sample firstProduce(BenchedBroker broker, String topic, int partitions, int size, String acks, String codec)
            throws Exception {
        return produce(broker, topic, partitions, size, acks, codec, 0);
    }

    private Sample produce(
            BenchedBroker broker, String topic, int partitions, int size, String acks, String codec, int warmUpMs)
            throws Exception {
        createTopic(broker, topic, partitions);
        memory.warm();
        try (KafkaProducer<byte[], byte[]> producer = producer(
                broker,
                Map.of("acks", acks, "compression.type", codec, "batch.size", BATCH_BYTES, "linger.ms", LINGER_MS))) {
            producer.partitionsFor(topic);
            AtomicLong acked = new AtomicLong();
            AtomicReference<Exception> failure = new AtomicReference<>();
            byte[][] values = values(size);
            int sent = produceUntil(
                    System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(warmUpMs),
                    producer,
                    topic,
                    partitions,
                    values,
                    0,
                    acked,
                    failure);
            long ackedBefore = acked.get();
            BenchedBroker.Cpu before = broker.cpu();
            long began = System.nanoTime();
            produceUntil(
                    began + TimeUnit.SECONDS.toNanos(seconds),
                    producer,
                    topic,
                    partitions,
                    values,
                    sent,
                    acked,
                    failure);
            producer.flush();
            double took = (System.nanoTime() - began) / 1e9;
            fail(failure);
            long counted = acked.get() - ackedBefore;
            return Sample.of(counted * size / MEGABYTE / took, broker.cpu().since(before), counted)
                    .inBatchesOf(batchBytes(producer));
        }
    }

    /**
     * Sends sixteen records to each partition in turn, until {@code end}.
     *
     * @return the number of records sent so far, including {@code sentBefore}
     */
    private static int produceUntil(
            long end,
            KafkaProducer<byte[], byte[]> producer,
            String topic,
            int partitions,
            byte[][] values,
            int sentBefore,
            AtomicLong acked,
            AtomicReference<Exception> failure) {
        int sent = sentBefore;
        while (System.nanoTime() < end) {
            for (int i = 0; i < 100; i++) {
                int partition = (sent / 16) % partitions;
                producer.send(
                        new ProducerRecord<>(topic, partition, null, values[sent++ % values.length]),
                        (metadata, problem) -> {
                            if (problem == null) {
                                acked.incrementAndGet();
                            } else {
                                failure.set(problem);
                            }
                        });
            }
        }
        return sent;
    }

    /** Sends one record per request with five requests in flight. The value is requests/s. */
    Sample requests(BenchedBroker broker, String topic, int size, String acks) throws Exception {
        createTopic(broker, topic, 1);
        try (KafkaProducer<byte[], byte[]> producer =
                producer(broker, Map.of("acks", acks, "batch.size", 0, "linger.ms", 0))) {
            producer.partitionsFor(topic);
            AtomicLong acked = new AtomicLong();
            AtomicReference<Exception> failure = new AtomicReference<>();
            byte[] value = new byte[size];
            BenchedBroker.Cpu before = broker.cpu();
            long began = System.nanoTime();
            long end = began + TimeUnit.SECONDS.toNanos(seconds);
            long sent = 0;
            while (System.nanoTime() < end) {
                if (sent - acked.get() > 500) {
                    LockSupport.parkNanos(20_000);
                    continue;
                }
                sent++;
                producer.send(new ProducerRecord<>(topic, 0, null, value), (metadata, problem) -> {
                    if (problem != null) {
                        failure.set(problem);
                    }
                    acked.incrementAndGet();
                });
            }
            producer.flush();
            double took = (System.nanoTime() - began) / 1e9;
            fail(failure);
            return Sample.of(acked.get() / took, broker.cpu().since(before), acked.get());
        }
    }

    /**
     * Sends a record and waits for its acknowledgement before the next. The value is the median round trip in
     * milliseconds.
     */
    Sample roundTrip(BenchedBroker broker, String topic, int size, String acks) throws Exception {
        createTopic(broker, topic, 1);
        try (KafkaProducer<byte[], byte[]> producer =
                producer(broker, Map.of("acks", acks, "batch.size", 0, "linger.ms", 0))) {
            producer.partitionsFor(topic);
            List<Long> nanos = new ArrayList<>();
            byte[] value = new byte[size];
            BenchedBroker.Cpu before = broker.cpu();
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
            while (System.nanoTime() < end) {
                long sent = System.nanoTime();
                producer.send(new ProducerRecord<>(topic, 0, null, value)).get();
                nanos.add(System.nanoTime() - sent);
            }
            return Sample.of(percentile(nanos, 50) / 1e6, broker.cpu().since(before), nanos.size());
        }
    }

    /**
     * Writes records and reads them again and again. The value is MB/s of record values. The writing is not measured.
     * It is repeated for each sample, because the speed of reading depends on where the records are in memory. Whenever
     * the consumer starts over, it has sent one more fetch at the log end offset. {@code fetch.max.wait.ms} is
     * therefore small: with the default of half a second the broker would be idle for most of the sample.
     */
    Sample consume(BenchedBroker broker, String topic, int partitions, int size, String codec) throws Exception {
        createTopic(broker, topic, partitions);
        List<TopicPartition> assigned = partitionsOf(topic, partitions);
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(broker, Map.of("fetch.max.wait.ms", 10))) {
            Map<TopicPartition, Long> begins = consumer.endOffsets(assigned);
            int written = RECORDS_TO_READ_BYTES / size;
            memory.warm();
            fill(broker, topic, partitions, size, codec, written);
            settle(broker);
            consumer.assign(assigned);
            begins.forEach(consumer::seek);
            BenchedBroker.Cpu before = broker.cpu();
            long began = System.nanoTime();
            long end = began + TimeUnit.SECONDS.toNanos(seconds);
            long records = 0;
            while (System.nanoTime() < end) {
                int polled = consumer.poll(Duration.ofMillis(500)).count();
                records += polled;
                if (polled == 0 || records % written == 0) {
                    begins.forEach(consumer::seek);
                }
            }
            double took = (System.nanoTime() - began) / 1e9;
            return Sample.of(
                    records * (double) size / MEGABYTE / took, broker.cpu().since(before), records);
        }
    }

    /**
     * Sends records at a fixed rate. The value is a percentile of the time from when a record was due to when the
     * consumer has it, in milliseconds.
     */
    Sample endToEnd(BenchedBroker broker, String topic, int size, String acks, int perSecond, int percent)
            throws Exception {
        createTopic(broker, topic, 1);
        List<Long> nanos = Collections.synchronizedList(new ArrayList<>());
        AtomicLong received = new AtomicLong();
        int total = perSecond * seconds;
        TopicPartition partition = new TopicPartition(topic, 0);
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(broker, Map.of());
                KafkaProducer<byte[], byte[]> producer = producer(broker, Map.of("acks", acks, "linger.ms", 0))) {
            producer.partitionsFor(topic);
            consumer.assign(List.of(partition));
            consumer.seekToEnd(List.of(partition));
            consumer.position(partition);
            Thread reader = new Thread(() -> {
                long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds + 20);
                while (received.get() < total && System.nanoTime() < deadline) {
                    for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(100))) {
                        long due = java.nio.ByteBuffer.wrap(record.value()).getLong();
                        nanos.add(System.nanoTime() - due);
                        received.incrementAndGet();
                    }
                }
            });
            BenchedBroker.Cpu before = broker.cpu();
            reader.start();
            long began = System.nanoTime();
            for (int i = 0; i < total; i++) {
                long due = began + (long) (i * 1e9 / perSecond);
                while (System.nanoTime() < due) {
                    LockSupport.parkNanos(Math.min(200_000, due - System.nanoTime()));
                }
                byte[] value = new byte[size];
                java.nio.ByteBuffer.wrap(value).putLong(due);
                producer.send(new ProducerRecord<>(topic, 0, null, value));
            }
            producer.flush();
            reader.join();
            if (received.get() < total) {
                throw new IllegalStateException("only " + received + " of " + total + " records came through");
            }
            return Sample.of(percentile(nanos, percent) / 1e6, broker.cpu().since(before), total);
        }
    }

    /** Creates a topic and writes one record to each partition. The value is the time for both in seconds. */
    Sample firstWrites(BenchedBroker broker, String topic, int partitions) throws Exception {
        BenchedBroker.Cpu before = broker.cpu();
        long began = System.nanoTime();
        createTopic(broker, topic, partitions);
        try (KafkaProducer<byte[], byte[]> producer =
                producer(broker, Map.of("acks", "all", "max.block.ms", 120_000, "delivery.timeout.ms", 240_000))) {
            AtomicReference<Exception> failure = new AtomicReference<>();
            for (int partition = 0; partition < partitions; partition++) {
                producer.send(new ProducerRecord<>(topic, partition, null, new byte[100]), (metadata, problem) -> {
                    if (problem != null) {
                        failure.set(problem);
                    }
                });
            }
            producer.flush();
            fail(failure);
        }
        return Sample.of((System.nanoTime() - began) / 1e9, broker.cpu().since(before), partitions);
    }

    /** The memory that the broker uses for open connections, in megabytes. */
    double idleConnections(BenchedBroker broker, int connections) throws Exception {
        String[] address = broker.bootstrap().split(":");
        double before = broker.residentMegabytes();
        List<java.net.Socket> open = new ArrayList<>();
        try {
            for (int i = 0; i < connections; i++) {
                open.add(new java.net.Socket(address[0], Integer.parseInt(address[1])));
                if (i % 25 == 24) {
                    // Pauses so that the accept backlog of 50 never fills up: a refused connection attempt would be
                    // repeated only after a second.
                    Thread.sleep(5);
                }
            }
            Thread.sleep(1_000);
            return broker.residentMegabytes() - before;
        } finally {
            for (java.net.Socket socket : open) {
                socket.close();
            }
        }
    }

    void createTopic(BenchedBroker broker, String topic, int partitions) throws Exception {
        try (Admin admin = Admin.create(broker.clientSettings())) {
            NewTopic wanted =
                    new NewTopic(topic, partitions, topic.endsWith(OF_ONE_REPLICA) ? 1 : (short) broker.size());
            if (broker.isFelice() && topic.endsWith(IN_MVSTORE)) {
                wanted.configs(Map.of("storage.engine", "mvstore"));
            }
            admin.createTopics(List.of(wanted)).all().get();
        } catch (ExecutionException failed) {
            if (!(failed.getCause() instanceof TopicExistsException)) {
                throw failed;
            }
        }
    }

    void deleteTopics(BenchedBroker broker) throws Exception {
        try (Admin admin = Admin.create(broker.clientSettings())) {
            admin.deleteTopics(admin.listTopics().names().get()).all().get();
        }
    }

    private static void fill(BenchedBroker broker, String topic, int partitions, int size, String codec, int records) {
        try (KafkaProducer<byte[], byte[]> producer = producer(
                broker, Map.of("acks", "1", "compression.type", codec, "batch.size", 65_536, "linger.ms", LINGER_MS))) {
            byte[][] values = values(size);
            for (int i = 0; i < records; i++) {
                producer.send(new ProducerRecord<>(topic, (i / 64) % partitions, null, values[i % values.length]));
            }
        }
    }

    private static List<TopicPartition> partitionsOf(String topic, int partitions) {
        return IntStream.range(0, partitions)
                .mapToObj(p -> new TopicPartition(topic, p))
                .toList();
    }

    /** Values made of a few hundred words, so that they can be compressed. */
    private static byte[][] values(int size) {
        Random random = new Random(42);
        byte[][] words = new byte[300][];
        for (int i = 0; i < words.length; i++) {
            words[i] =
                    Long.toString(random.nextLong() & 0xFFFFFF, 36).concat(" ").getBytes();
        }
        byte[][] values = new byte[200][size];
        for (byte[] value : values) {
            int at = 0;
            while (at < size) {
                byte[] word = words[random.nextInt(words.length)];
                int length = Math.min(word.length, size - at);
                System.arraycopy(word, 0, value, at, length);
                at += length;
            }
        }
        return values;
    }

    private static double percentile(List<Long> nanos, int percent) {
        List<Long> sorted = new ArrayList<>(nanos);
        Collections.sort(sorted);
        return sorted.get((int) ((sorted.size() - 1) * (percent / 100.0)));
    }

    private static void fail(AtomicReference<Exception> failure) throws Exception {
        if (failure.get() != null) {
            throw failure.get();
        }
    }

    private static double batchBytes(KafkaProducer<byte[], byte[]> producer) {
        return producer.metrics().entrySet().stream()
                .filter(metric -> metric.getKey().group().equals("producer-metrics"))
                .filter(metric -> metric.getKey().name().equals("batch-size-avg"))
                .mapToDouble(metric -> (Double) metric.getValue().metricValue())
                .findFirst()
                .orElseThrow();
    }

    private static KafkaProducer<byte[], byte[]> producer(BenchedBroker broker, Map<String, Object> settings) {
        Properties properties = new Properties();
        properties.putAll(broker.clientSettings());
        properties.putAll(settings);
        return new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer());
    }

    private static KafkaConsumer<byte[], byte[]> consumer(BenchedBroker broker, Map<String, Object> settings) {
        Properties properties = new Properties();
        properties.putAll(broker.clientSettings());
        properties.put("enable.auto.commit", "false");
        properties.put("auto.offset.reset", "earliest");
        properties.putAll(settings);
        return new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }
}
