package io.felice.itests.clients;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.Scanner;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** A Kafka client, unchanged: writes the lines of a file as records of partition 0, and reads them back. */
enum Client {
    JAVA {
        @Override
        void produce(String bootstrap, String topic, String codec, Path lines) {
            Properties settings = new Properties();
            settings.put("bootstrap.servers", bootstrap);
            settings.put("compression.type", codec);
            settings.put("linger.ms", "5");
            AtomicReference<Exception> failure = new AtomicReference<>();
            try (KafkaProducer<byte[], byte[]> producer =
                            new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
                    Scanner scanner = linesOf(lines)) {
                while (scanner.hasNext()) {
                    byte[] value = scanner.next().getBytes(java.nio.charset.StandardCharsets.ISO_8859_1);
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
        void consume(String bootstrap, String topic, long count, Path output) {
            Properties settings = new Properties();
            settings.put("bootstrap.servers", bootstrap);
            try (KafkaConsumer<byte[], byte[]> consumer =
                            new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
                    OutputStream out = new java.io.BufferedOutputStream(Files.newOutputStream(output))) {
                List<TopicPartition> partition = List.of(new TopicPartition(topic, 0));
                consumer.assign(partition);
                consumer.seekToBeginning(partition);
                long deadline = System.nanoTime() + PATIENCE.toNanos();
                for (long left = count; left > 0; ) {
                    for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofSeconds(1))) {
                        out.write(record.value());
                        out.write('\n');
                        left--;
                    }
                    if (System.nanoTime() > deadline) {
                        throw new AssertionError(left + " of " + count + " records did not come");
                    }
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
            command.addAll(List.of("-X", "linger.ms=5", "-z", codec, "-l", lines.toString()));
            Programs.feed(lines, command);
        }

        @Override
        void consume(String bootstrap, String topic, long count, Path output) {
            Programs.drain(
                    List.of("kcat", "-C", "-b", bootstrap, "-t", topic, "-p", "0", "-o", "beginning", "-q",
                            "-c", Long.toString(count)),
                    output);
        }
    },

    KAFKAJS {
        @Override
        void produce(String bootstrap, String topic, String codec, Path lines) {
            Programs.feed(lines, NodeJs.script("kafkajs.mjs", "produce", bootstrap, topic, codec));
        }

        @Override
        void consume(String bootstrap, String topic, long count, Path output) {
            Programs.drain(NodeJs.script("kafkajs.mjs", "consume", bootstrap, topic, Long.toString(count)), output);
        }
    },

    PLATFORMATIC {
        @Override
        void produce(String bootstrap, String topic, String codec, Path lines) {
            Programs.feed(lines, NodeJs.script("platformatic.mjs", "produce", bootstrap, topic, codec));
        }

        @Override
        void consume(String bootstrap, String topic, long count, Path output) {
            Programs.drain(NodeJs.script("platformatic.mjs", "consume", bootstrap, topic, Long.toString(count)), output);
        }
    },

    KAFKA_PYTHON {
        @Override
        void produce(String bootstrap, String topic, String codec, Path lines) {
            Programs.feed(lines, python("produce", bootstrap, topic, codec));
        }

        @Override
        void consume(String bootstrap, String topic, long count, Path output) {
            Programs.drain(python("consume", bootstrap, topic, Long.toString(count)), output);
        }

        private List<String> python(String... arguments) {
            List<String> command = new ArrayList<>(List.of("/usr/bin/python3", "src/test/python/kafka_python.py"));
            command.addAll(List.of(arguments));
            return command;
        }
    };

    private static final Duration PATIENCE = Duration.ofMinutes(5);

    /** Every codec there is, by the name all clients use. */
    static final List<String> CODECS = List.of("none", "gzip", "snappy", "lz4", "zstd");

    /** Writes every line, each as one value; done when all are acknowledged. */
    abstract void produce(String bootstrap, String topic, String codec, Path lines);

    /** Reads {@code count} values from the beginning and writes each as a line. */
    abstract void consume(String bootstrap, String topic, long count, Path output);

    private static Scanner linesOf(Path file) {
        try {
            InputStream in = new BufferedInputStream(Files.newInputStream(file));
            return new Scanner(in, java.nio.charset.StandardCharsets.ISO_8859_1).useDelimiter("\n");
        } catch (IOException failure) {
            throw new AssertionError(failure);
        }
    }
}
