package io.felice.itests.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.rig.Java;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The newest librdkafka, which sends surplus bytes after a Metadata request for all topics. */
class ConfluentTest {
    private static final int RECORDS = 1000;

    private static Node node;

    @BeforeAll
    static void start() {
        node = Node.inMemory();
    }

    @AfterAll
    static void stop() {
        node.close();
    }

    @Test
    void allTopicsAreListed() {
        Java.createTopic(node.bootstrap(), "listed", 1, Map.of());

        String topics = PythonVenv.run("confluent.py", "topics", node.bootstrap());

        assertThat(topics.lines()).contains("listed");
    }

    @Test
    void aSubscriptionByPatternReadsTheProducedRecords() {
        Java.createTopic(node.bootstrap(), "shop-orders", 1, Map.of());
        Java.createTopic(node.bootstrap(), "shop-returns", 1, Map.of());
        PythonVenv.run("confluent.py", "produce", node.bootstrap(), "shop-orders", Integer.toString(RECORDS));
        PythonVenv.run("confluent.py", "produce", node.bootstrap(), "shop-returns", Integer.toString(RECORDS));

        List<String> consumed = PythonVenv.run(
                        "confluent.py", "subscribe", node.bootstrap(), "^shop-.*", Integer.toString(2 * RECORDS))
                .lines()
                .toList();

        for (String topic : List.of("shop-orders", "shop-returns")) {
            assertThat(consumed.stream().filter(line -> line.startsWith(topic + " ")))
                    .containsExactlyElementsOf(IntStream.range(0, RECORDS)
                            .mapToObj(number -> topic + " " + number)
                            .toList());
        }
    }
}
