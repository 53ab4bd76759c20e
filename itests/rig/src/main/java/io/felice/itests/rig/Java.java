package io.felice.itests.rig;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Kafka's Java clients, with the settings and steps that many tests need. */
public final class Java {
    private static final Duration PATIENCE = Duration.ofSeconds(120);

    private Java() {}

    public static KafkaProducer<byte[], byte[]> producer(String bootstrap, Map<String, Object> settings) {
        return new KafkaProducer<>(with(bootstrap, settings), new ByteArraySerializer(), new ByteArraySerializer());
    }

    public static KafkaConsumer<byte[], byte[]> consumer(String bootstrap, Map<String, Object> settings) {
        return new KafkaConsumer<>(with(bootstrap, settings), new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    public static KafkaProducer<String, String> textProducer(String bootstrap, Map<String, Object> settings) {
        return new KafkaProducer<>(with(bootstrap, settings), new StringSerializer(), new StringSerializer());
    }

    public static KafkaConsumer<String, String> textConsumer(String bootstrap, Map<String, Object> settings) {
        return new KafkaConsumer<>(with(bootstrap, settings), new StringDeserializer(), new StringDeserializer());
    }

    public static Admin admin(String bootstrap) {
        return Admin.create(with(bootstrap, Map.of()));
    }

    public static void createTopic(String bootstrap, String topic, int partitions, Map<String, String> configs) {
        createTopic(bootstrap, topic, partitions, configs, Map.of());
    }

    /** @param settings of the client */
    public static void createTopic(
            String bootstrap, String topic, int partitions, Map<String, String> configs, Map<String, Object> settings) {
        try (Admin admin = Admin.create(with(bootstrap, settings))) {
            NewTopic wanted = new NewTopic(topic, partitions, (short) 1).configs(configs);
            get(admin.createTopics(List.of(wanted)).all());
        }
    }

    /** Writes the values to a partition and returns the metadata of the last record. */
    public static RecordMetadata write(String bootstrap, String topic, int partition, List<String> values) {
        RecordMetadata last = null;
        try (KafkaProducer<String, String> producer = textProducer(bootstrap, Map.of())) {
            for (String value : values) {
                last = get(producer.send(new ProducerRecord<>(topic, partition, null, value)));
            }
        }
        return last;
    }

    public static List<String> values(String bootstrap, String topic, int partition) {
        return records(bootstrap, topic, partition).stream()
                .map(ConsumerRecord::value)
                .toList();
    }

    /** All records that are in a partition now. */
    public static List<ConsumerRecord<String, String>> records(String bootstrap, String topic, int partition) {
        List<ConsumerRecord<String, String>> records = new ArrayList<>();
        TopicPartition source = new TopicPartition(topic, partition);
        try (KafkaConsumer<String, String> consumer = textConsumer(bootstrap, Map.of())) {
            consumer.assign(List.of(source));
            consumer.seekToBeginning(List.of(source));
            long end = consumer.endOffsets(List.of(source)).get(source);
            long deadline = System.nanoTime() + PATIENCE.toNanos();
            while (consumer.position(source) < end) {
                consumer.poll(Duration.ofMillis(500)).forEach(records::add);
                if (System.nanoTime() > deadline) {
                    throw new AssertionError(source + " is not read up to " + end + ": " + consumer.position(source));
                }
            }
        }
        return records;
    }

    /** The values {@code prefix 0} to {@code prefix count-1}. */
    public static List<String> numbered(String prefix, int count) {
        return IntStream.range(0, count).mapToObj(i -> prefix + " " + i).toList();
    }

    public static <T> T get(KafkaFuture<T> future) {
        return get(future.toCompletionStage().toCompletableFuture());
    }

    public static <T> T get(java.util.concurrent.Future<T> future) {
        try {
            return future.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException failure) {
            throw new AssertionError(failure);
        } catch (InterruptedException interrupted) {
            throw new AssertionError(interrupted);
        }
    }

    public static Throwable failureOf(KafkaFuture<?> future) {
        try {
            future.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            throw new AssertionError("it succeeded");
        } catch (ExecutionException failure) {
            return failure.getCause();
        } catch (TimeoutException | InterruptedException failure) {
            throw new AssertionError(failure);
        }
    }

    /** Waits until the condition is true, for a minute at most. */
    public static void await(String what, Supplier<Boolean> condition) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.get()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("still not: " + what);
            }
            try {
                Thread.sleep(20);
            } catch (InterruptedException interrupted) {
                throw new AssertionError(interrupted);
            }
        }
    }

    private static Map<String, Object> with(String bootstrap, Map<String, Object> settings) {
        Map<String, Object> all = new HashMap<>(settings);
        all.put("bootstrap.servers", bootstrap);
        return all;
    }
}
