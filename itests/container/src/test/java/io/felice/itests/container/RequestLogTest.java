package io.felice.itests.container;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.container.Launcher.Result;
import io.felice.itests.rig.Ports;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The request log is switched on and off in the configuration file of a running node. Clients stay connected. */
class RequestLogTest {
    private static final String FILE = "io.felice.network.cfg";
    private static final String SWITCH = "request.log";
    private static final int REQUESTS = 10;

    @TempDir
    Path directory;

    @Test
    void hasALineForEachRequestWhileItIsSwitchedOn() throws Exception {
        Path home = Archive.installation();
        Etc etc = Etc.of(home, directory.resolve("etc"));
        int port = Ports.free();
        Launcher node = Launcher.of(home, directory.resolve("data"))
                .listeningOn(port, Ports.free())
                .with("FELICE_ETC", etc.toString());
        Map<String, Object> settings = Map.of("bootstrap.servers", "127.0.0.1:" + port, "client.id", "counted");
        try {
            Result start = node.run("start");
            assertThat(start.exitCode()).as(start.output() + node.log()).isZero();
            try (KafkaProducer<String, String> producer =
                    new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
                write(producer);
                assertThat(node.log()).doesNotContain("client=");

                etc.set(FILE, SWITCH, "true");
                Eventually.await("switching it on", () -> writtenLines(node, producer) > 0);
                assertThat(writtenLines(node, producer)).isEqualTo(REQUESTS);
                assertThat(lines(node))
                        .last()
                        .asString()
                        .matches(
                                ".* INFO .*Produce v\\d+ client=counted"
                                        + " software=apache-kafka-java/\\S+ correlation=\\d+ from=\\S*127\\.0\\.0\\.1\\S*"
                                        + " principal=User:ANONYMOUS listener=PLAINTEXT in\\.bytes=\\d+ out\\.bytes=\\d+ time\\.us=\\d+");

                etc.set(FILE, SWITCH, "false");
                Eventually.await("switching it off", () -> writtenLines(node, producer) == 0);
                assertThat(writtenLines(node, producer)).isZero();
                assertThat(TrafficClient.closedConnections(producer.metrics())).isZero();
            }
            assertThat(node.log()).doesNotContain(" ERROR ");
        } finally {
            node.run("stop");
        }
    }

    /** Sends requests and returns the number of lines that the log has for them. */
    private static int writtenLines(Launcher node, KafkaProducer<String, String> producer) throws Exception {
        int before = lines(node).size();
        write(producer);
        // The node writes a line after it has sent the answer, so the last line may come later.
        Thread.sleep(500);
        return lines(node).size() - before;
    }

    private static void write(KafkaProducer<String, String> producer) throws Exception {
        for (int request = 0; request < REQUESTS; request++) {
            producer.send(new ProducerRecord<>("requests", 0, null, "one")).get();
        }
    }

    private static List<String> lines(Launcher node) throws Exception {
        return node.log()
                .lines()
                .filter(line -> line.contains(" Produce v") && line.contains("client=counted"))
                .toList();
    }
}
