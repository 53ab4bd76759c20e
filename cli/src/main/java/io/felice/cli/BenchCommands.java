package io.felice.cli;

import io.felice.shell.text.Listing;
import java.time.Clock;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.HdrHistogram.Histogram;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code felice bench}. */
@Command(name = "bench", description = "Measures a cluster: produce, consume.")
final class BenchCommands {
    private static final long LONGEST_MICROS = TimeUnit.MINUTES.toMicros(10);
    private static final Duration POLL = Duration.ofMillis(100);

    private final Terminal terminal;

    BenchCommands(Terminal terminal) {
        this.terminal = terminal;
    }

    @Command(
            name = "produce",
            description = "Writes random records into a topic; shows the rate and how long answers take.")
    int produce(
            @Mixin ClientOptions client,
            @Mixin OutputOptions output,
            @Option(
                            names = {"-n", "--count"},
                            paramLabel = "N",
                            defaultValue = "100000",
                            description = "How many records. Default: 100000.")
                    long count,
            @Option(
                            names = "--size",
                            paramLabel = "BYTES",
                            defaultValue = "100",
                            description = "Bytes of each record. Default: 100.")
                    int size,
            @Option(
                            names = "--rate",
                            paramLabel = "N",
                            description =
                                    "Records in a second. Default: as many as possible, so that latencies are those of"
                                            + " a full queue.")
                    Long rate,
            @Option(
                            names = "--acks",
                            paramLabel = "N",
                            defaultValue = "all",
                            description = "0, 1 or all. Default: all.")
                    String acks,
            @Parameters(paramLabel = "TOPIC", description = "The topic.") String topic) {
        Map<String, Object> settings = new HashMap<>();
        settings.put("acks", acks);
        settings.put("enable.idempotence", acks.equals("all"));
        settings.put("linger.ms", rate == null ? 5 : 0);
        settings.put("batch.size", 64 << 10);
        settings.put("max.request.size", Math.max(1 << 20, size + 1024));
        settings.put("max.block.ms", client.timeoutMs());
        Measured measured = new Measured();
        try (KafkaProducer<byte[], byte[]> producer = client.producer(settings);
                Progress progress = new Progress(terminal, "records", count)) {
            producer.partitionsFor(topic);
            byte[] value = new byte[size];
            new Random(1).nextBytes(value);
            measured.begin();
            for (long i = 0; i < count && measured.failure.get() == null; i++) {
                long due = rate == null ? System.nanoTime() : measured.began + i * 1_000_000_000L / rate;
                await(due);
                producer.send(new ProducerRecord<>(topic, value), (metadata, failure) -> measured.note(due, failure));
                progress.at(i);
            }
            producer.flush();
        } catch (org.apache.kafka.common.errors.TimeoutException missing) {
            throw CliFailure.notFound("There is no topic " + topic + ".", "felice topic create " + topic);
        }
        output.print(measured.sheet(topic, size));
        return 0;
    }

    private static void await(long due) {
        for (long left = due - System.nanoTime(); left > 0; left = due - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
    }

    /** What was measured. The times are those from when a record was due, so that a stall counts for all that waited. */
    private static final class Measured {
        private final Histogram micros = new Histogram(LONGEST_MICROS, 3);
        private final AtomicReference<Exception> failure = new AtomicReference<>();
        private final AtomicLong last = new AtomicLong();
        private long began;

        void begin() {
            began = System.nanoTime();
        }

        /** Called on the one thread of the producer. */
        void note(long due, Exception failed) {
            long now = System.nanoTime();
            if (failed != null) {
                failure.compareAndSet(null, failed);
            } else {
                micros.recordValue(Math.min(LONGEST_MICROS, (now - due) / 1000));
                last.set(now);
            }
        }

        Sheet sheet(String topic, int size) {
            if (failure.get() != null) {
                throw CliFailure.of(failure.get());
            }
            double seconds = (last.get() - began) / 1e9;
            long records = micros.getTotalCount();
            return new Sheet()
                    .with("topic", topic)
                    .with("records", records)
                    .with("seconds", rounded(seconds))
                    .with("records_per_second", Math.round(records / seconds))
                    .with("mib_per_second", rounded(records * (double) size / seconds / (1 << 20)))
                    .with(
                            "latency_ms",
                            new Listing("p50", "p95", "p99", "p99.9", "max")
                                    .row(at(50), at(95), at(99), at(99.9), rounded(micros.getMaxValue() / 1e3)));
        }

        private double at(double percentile) {
            return rounded(micros.getValueAtPercentile(percentile) / 1e3);
        }
    }

    private static double rounded(double number) {
        return Math.round(number * 100) / 100.0;
    }

    @Command(name = "consume", description = "Reads records of a topic; shows the rate.")
    int consume(
            @Mixin ClientOptions client,
            @Mixin OutputOptions output,
            @Option(
                            names = {"-n", "--count"},
                            paramLabel = "N",
                            description = "How many records. Default: all that are there.")
                    Long count,
            @Option(
                            names = {"-O", "--offset"},
                            paramLabel = "FROM",
                            defaultValue = "start",
                            description = "Where to begin. Default: start.")
                    String offset,
            @Parameters(paramLabel = "TOPIC", description = "The topic.") String topic) {
        OffsetWord from = OffsetWord.parse(offset, Clock.systemUTC());
        try (KafkaConsumer<byte[], byte[]> consumer = client.consumer(
                Map.of("enable.auto.commit", false, "max.poll.records", 10_000, "allow.auto.create.topics", false))) {
            Collection<TopicPartition> partitions = consumer.partitionsFor(topic).stream()
                    .map(each -> new TopicPartition(topic, each.partition()))
                    .collect(Collectors.toList());
            if (partitions.isEmpty()) {
                throw CliFailure.notFound("There is no topic " + topic + ".", "felice topic list shows the topics.");
            }
            LogOffsets offsets = ConsumeCommand.of(consumer);
            Map<TopicPartition, Long> start = from.in(partitions, offsets);
            Map<TopicPartition, Long> end = offsets.end(partitions);
            consumer.assign(partitions);
            start.forEach(consumer::seek);
            long there = partitions.stream()
                    .mapToLong(each -> end.get(each) - start.get(each))
                    .sum();
            output.print(read(consumer, end, count == null ? there : Math.min(count, there), topic));
        }
        return 0;
    }

    private Sheet read(
            KafkaConsumer<byte[], byte[]> consumer, Map<TopicPartition, Long> end, long wanted, String topic) {
        long began = System.nanoTime();
        long first = 0;
        long records = 0;
        long bytes = 0;
        try (Progress progress = new Progress(terminal, "records", wanted)) {
            while (records < wanted && !ConsumeCommand.isAt(consumer, end)) {
                ConsumerRecords<byte[], byte[]> batch = consumer.poll(POLL);
                first = first == 0 && !batch.isEmpty() ? System.nanoTime() : first;
                for (ConsumerRecord<byte[], byte[]> record : batch) {
                    records++;
                    bytes += Math.max(0, record.serializedKeySize()) + Math.max(0, record.serializedValueSize());
                }
                progress.at(records);
            }
        }
        double seconds = (System.nanoTime() - began) / 1e9;
        return new Sheet()
                .with("topic", topic)
                .with("records", records)
                .with("seconds", rounded(seconds))
                .with("records_per_second", Math.round(records / seconds))
                .with("mib_per_second", rounded(bytes / seconds / (1 << 20)))
                .with("first_record_ms", first == 0 ? null : rounded((first - began) / 1e6));
    }
}
