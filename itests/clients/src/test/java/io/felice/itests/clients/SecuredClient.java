package io.felice.itests.clients;

import io.felice.itests.rig.Java;
import io.felice.itests.rig.Programs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;

/** An unchanged Kafka client that logs in. */
enum SecuredClient {
    JAVA {
        @Override
        List<String> roundTrip(Access access, String topic, List<String> values) {
            Map<String, Object> settings = new HashMap<>(access.ofJava());
            settings.put("group.id", topic);
            settings.put("auto.offset.reset", "earliest");
            List<String> read = new ArrayList<>();
            try (KafkaProducer<String, String> producer = Java.textProducer(access.word("bootstrap"), settings);
                    KafkaConsumer<String, String> consumer = Java.textConsumer(access.word("bootstrap"), settings)) {
                values.stream()
                        .map(value -> producer.send(new ProducerRecord<>(topic, value)))
                        .toList()
                        .forEach(Java::get);
                consumer.subscribe(List.of(topic));
                Java.await("all records are read", () -> {
                    consumer.poll(Duration.ofMillis(200)).forEach(record -> read.add(record.value()));
                    return read.size() >= values.size();
                });
                consumer.commitSync();
            }
            return read;
        }
    },

    KCAT {
        @Override
        List<String> roundTrip(Access access, String topic, List<String> values) {
            List<String> kcat = kcat(access, List.of());
            Programs.feed(file(values), together(kcat, List.of("-P", "-t", topic)));
            List<String> consume = List.of(
                    "-q", "-c", Integer.toString(values.size()), "-X", "auto.offset.reset=earliest", "-G", topic);
            Path output = Programs.temporary("read");
            Programs.drain(together(kcat, together(consume, List.of(topic))), output);
            return linesOf(output);
        }

        /** kcat gets tokens only from an issuer, or makes them itself without a signature. */
        @Override
        boolean can(Login login) {
            return login != Login.OAUTHBEARER;
        }
    },

    CONFLUENT {
        @Override
        List<String> roundTrip(Access access, String topic, List<String> values) {
            return read(PythonVenv.run("confluent.py", arguments(access, topic, values)));
        }
    },

    /** Sends its login without the frames of Kafka, as clients did before Kafka 1.0. */
    KAFKA_PYTHON {
        @Override
        List<String> roundTrip(Access access, String topic, List<String> values) {
            List<String> python = List.of("/usr/bin/python3", "src/test/python/kafka_python.py");
            return read(Programs.run(together(python, List.of(arguments(access, topic, values))), Path.of(".")));
        }
    },

    KAFKAJS {
        @Override
        List<String> roundTrip(Access access, String topic, List<String> values) {
            return read(Programs.run(NodeJs.script("kafkajs.mjs", arguments(access, topic, values)), Path.of(".")));
        }
    },

    PLATFORMATIC {
        @Override
        List<String> roundTrip(Access access, String topic, List<String> values) {
            return read(
                    Programs.run(NodeJs.script("platformatic.mjs", arguments(access, topic, values)), Path.of(".")));
        }

        /** It needs several seconds for each, so it does one of each kind. */
        @Override
        boolean can(Login login) {
            return login == Login.SCRAM_SHA_512 || login == Login.OAUTHBEARER || login == Login.CERTIFICATE;
        }
    };

    /** What the scripts print before each value that they read. */
    private static final String READ = "read ";

    /** Writes the values to a topic and reads them as a member of the group with the topic's name. */
    abstract List<String> roundTrip(Access access, String topic, List<String> values);

    boolean can(Login login) {
        return true;
    }

    static List<String> kcat(Access access, List<String> options) {
        return together(List.of("kcat"), together(access.ofKcat(), options));
    }

    private static String[] arguments(Access access, String topic, List<String> values) {
        Stream<String> command = Stream.of("roundtrip", access.word("bootstrap"), topic, String.join(",", values));
        return Stream.concat(command, access.arguments().stream()).toArray(String[]::new);
    }

    private static List<String> read(String output) {
        return output.lines()
                .filter(line -> line.startsWith(READ))
                .map(line -> line.substring(READ.length()))
                .toList();
    }

    private static List<String> together(List<String> first, List<String> second) {
        return Stream.concat(first.stream(), second.stream()).toList();
    }

    private static Path file(List<String> lines) {
        try {
            return Files.write(Programs.temporary("lines"), lines);
        } catch (IOException failure) {
            throw new AssertionError(failure);
        }
    }

    private static List<String> linesOf(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException failure) {
            throw new AssertionError(failure);
        }
    }
}
