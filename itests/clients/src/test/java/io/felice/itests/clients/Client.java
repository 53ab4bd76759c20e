package io.felice.itests.clients;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.felice.itests.rig.Java;
import io.felice.itests.rig.Programs;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Scanner;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;

/** An unchanged Kafka client. It writes the lines of a file as records of partition 0 and reads them back. */
enum Client {
    JAVA {
        @Override
        void produce(String bootstrap, String topic, String codec, Path lines) {
            AtomicReference<Exception> failure = new AtomicReference<>();
            try (KafkaProducer<byte[], byte[]> producer =
                            Java.producer(bootstrap, Map.of("compression.type", codec, "linger.ms", "5"));
                    Scanner scanner = linesOf(lines)) {
                while (scanner.hasNext()) {
                    byte[] value = scanner.next().getBytes(ISO_8859_1);
                    producer.send(new ProducerRecord<>(topic, 0, null, value), (metadata, problem) -> {
                        if (problem != null) {
                            failure.set(problem);
                        }
                    });
                }
            }
            if (failure.get() != null) {
                throw new AssertionError(failure.get());
            }
        }

        @Override
        void consume(String bootstrap, long count, Map<String, Path> outputs) {
            Map<String, OutputStream> files = new HashMap<>();
            try (KafkaConsumer<byte[], byte[]> consumer = Java.consumer(bootstrap, Map.of())) {
                for (Map.Entry<String, Path> output : outputs.entrySet()) {
                    files.put(
                            output.getKey(),
                            new BufferedOutputStream(Files.newOutputStream(output.getValue()), 1 << 16));
                }
                List<TopicPartition> partitions = files.keySet().stream()
                        .map(topic -> new TopicPartition(topic, 0))
                        .toList();
                consumer.assign(partitions);
                consumer.seekToBeginning(partitions);
                long deadline = System.nanoTime() + PATIENCE.toNanos();
                for (long left = count * files.size(); left > 0; ) {
                    for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofSeconds(1))) {
                        OutputStream out = files.get(record.topic());
                        out.write(record.value());
                        out.write('\n');
                        left--;
                    }
                    if (System.nanoTime() > deadline) {
                        throw new AssertionError(left + " of " + count * files.size() + " records did not come");
                    }
                }
                for (OutputStream file : files.values()) {
                    file.close();
                }
            } catch (IOException failure) {
                throw new AssertionError(failure);
            }
        }
    },

    KCAT {
        @Override
        void produce(String bootstrap, String topic, String codec, Path lines) {
            List<String> command = new ArrayList<>(List.of("kcat", "-P", "-b", bootstrap, "-t", topic, "-p", "0"));
            command.addAll(List.of("-X", "linger.ms=100", "-z", codec, "-l", lines.toString()));
            Programs.feed(lines, command);
        }

        @Override
        void consume(String bootstrap, long count, Map<String, Path> outputs) {
            outputs.forEach((topic, output) -> Programs.drain(
                    List.of(
                            "kcat",
                            "-C",
                            "-b",
                            bootstrap,
                            "-t",
                            topic,
                            "-p",
                            "0",
                            "-o",
                            "beginning",
                            "-q",
                            "-c",
                            Long.toString(count)),
                    output));
        }
    },

    KAFKAJS {
        @Override
        void produce(String bootstrap, String topic, String codec, Path lines) {
            Programs.feed(lines, NodeJs.script("kafkajs.mjs", "produce", bootstrap, topic, codec));
        }

        @Override
        void consume(String bootstrap, long count, Map<String, Path> outputs) {
            Programs.run(NodeJs.script("kafkajs.mjs", consumption(bootstrap, count, outputs)), Path.of("."));
        }
    },

    PLATFORMATIC {
        @Override
        void produce(String bootstrap, String topic, String codec, Path lines) {
            Programs.feed(lines, NodeJs.script("platformatic.mjs", "produce", bootstrap, topic, codec));
        }

        @Override
        void consume(String bootstrap, long count, Map<String, Path> outputs) {
            Programs.run(NodeJs.script("platformatic.mjs", consumption(bootstrap, count, outputs)), Path.of("."));
        }
    },

    KAFKA_PYTHON {
        @Override
        void produce(String bootstrap, String topic, String codec, Path lines) {
            Programs.feed(lines, python("produce", bootstrap, topic, codec));
        }

        @Override
        void consume(String bootstrap, long count, Map<String, Path> outputs) {
            Programs.run(python(consumption(bootstrap, count, outputs)), Path.of("."));
        }

        private List<String> python(String... arguments) {
            List<String> command = new ArrayList<>(List.of("/usr/bin/python3", "src/test/python/kafka_python.py"));
            command.addAll(List.of(arguments));
            return command;
        }
    };

    private static final Duration PATIENCE = Duration.ofMinutes(5);

    /** All codecs, by the names that all clients use. */
    static final List<String> CODECS = List.of("none", "gzip", "snappy", "lz4", "zstd");

    /** Writes each line as the value of a record. Returns when all records are acknowledged. */
    abstract void produce(String bootstrap, String topic, String codec, Path lines);

    /** Reads the first {@code count} values of each topic and writes each value as a line of that topic's file. */
    abstract void consume(String bootstrap, long count, Map<String, Path> outputs);

    private static String[] consumption(String bootstrap, long count, Map<String, Path> outputs) {
        List<String> arguments = new ArrayList<>(List.of("consume", bootstrap, Long.toString(count)));
        outputs.forEach((topic, output) -> arguments.add(topic + "=" + output.toAbsolutePath()));
        return arguments.toArray(String[]::new);
    }

    private static Scanner linesOf(Path file) {
        try {
            return new Scanner(new BufferedInputStream(Files.newInputStream(file)), ISO_8859_1).useDelimiter("\n");
        } catch (IOException failure) {
            throw new AssertionError(failure);
        }
    }
}
