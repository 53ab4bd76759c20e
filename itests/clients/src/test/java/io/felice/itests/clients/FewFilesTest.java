package io.felice.itests.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.itests.rig.DistributionNode;
import io.felice.itests.rig.Java;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A node whose process may open fewer files than it has partitions, and fewer sockets than clients open. */
@Timeout(300)
class FewFilesTest {
    private static final int OPEN_FILES = 300;
    private static final int PARTITIONS = 400;
    private static final int TOO_MANY_CONNECTIONS = 400;

    /** ApiVersions, version 0: length, key, version, correlation id, no client id. */
    private static final byte[] API_VERSIONS = {0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, -1, -1};

    @TempDir
    Path directory;

    @Test
    void withFewOpenFilesEveryPartitionIsUsableAndNewClientsAreServed() throws Exception {
        try (DistributionNode node = DistributionNode.withOpenFiles(OPEN_FILES, directory)) {
            node.start();
            Java.createTopic(node.bootstrap(), "many", PARTITIONS, Map.of());
            writeToEach(node.bootstrap());
            assertThat(readOfEach(node.bootstrap()))
                    .hasSize(PARTITIONS)
                    .containsValue(1)
                    .doesNotContainValue(0);

            connectTooOften(node.bootstrap());

            writeToEach(node.bootstrap());
            assertThat(readOfEach(node.bootstrap()))
                    .hasSize(PARTITIONS)
                    .containsValue(2)
                    .doesNotContainValue(1);
            try (Admin admin = Java.admin(node.bootstrap())) {
                assertThat(Java.get(admin.listTopics().names())).contains("many");
            }
            assertThat(warnings()).hasSize(1);
        }
    }

    private static void writeToEach(String bootstrap) throws Exception {
        try (KafkaProducer<String, String> producer = Java.textProducer(bootstrap, Map.of())) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (int partition = 0; partition < PARTITIONS; partition++) {
                sent.add(producer.send(new ProducerRecord<>("many", partition, null, "x")));
            }
            for (Future<RecordMetadata> one : sent) {
                one.get();
            }
        }
    }

    private static Map<Integer, Integer> readOfEach(String bootstrap) {
        Map<Integer, Integer> counts = new HashMap<>();
        List<TopicPartition> all = new ArrayList<>();
        for (int partition = 0; partition < PARTITIONS; partition++) {
            all.add(new TopicPartition("many", partition));
        }
        try (KafkaConsumer<String, String> consumer = Java.textConsumer(bootstrap, Map.of())) {
            consumer.assign(all);
            consumer.seekToBeginning(all);
            long expected = consumer.endOffsets(all).values().stream()
                    .mapToLong(Long::longValue)
                    .sum();
            Java.await(expected + " records", () -> {
                consumer.poll(java.time.Duration.ofMillis(100))
                        .forEach(record -> counts.merge(record.partition(), 1, Integer::sum));
                return counts.values().stream().mapToInt(Integer::intValue).sum() >= expected;
            });
        }
        return counts;
    }

    private static void connectTooOften(String bootstrap) throws IOException {
        int port = Integer.parseInt(bootstrap.substring(bootstrap.indexOf(':') + 1));
        List<Socket> sockets = new ArrayList<>();
        try {
            for (int i = 0; i < TOO_MANY_CONNECTIONS; i++) {
                sockets.add(new Socket(InetAddress.getLoopbackAddress(), port));
            }
            Socket last = sockets.get(TOO_MANY_CONNECTIONS - 1);
            last.getOutputStream().write(API_VERSIONS);
            last.setSoTimeout(1_000);
            assertThatThrownBy(() -> last.getInputStream().read())
                    .as("the last connection waits until others are closed")
                    .isInstanceOf(SocketTimeoutException.class);

            for (Socket socket : sockets.subList(0, TOO_MANY_CONNECTIONS - 1)) {
                socket.close();
            }

            last.setSoTimeout(60_000);
            assertThat(last.getInputStream().read())
                    .as("the answer's first byte")
                    .isZero();
        } finally {
            for (Socket socket : sockets) {
                socket.close();
            }
        }
    }

    /** The engine's warnings about the limit of open files. There must be exactly one. */
    private List<String> warnings() throws IOException {
        return Files.readAllLines(directory.resolve("data/log/felice.log")).stream()
                .filter(line -> line.contains("open.files = 8000"))
                .toList();
    }
}
