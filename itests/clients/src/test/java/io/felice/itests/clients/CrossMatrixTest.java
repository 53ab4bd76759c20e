package io.felice.itests.clients;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What any client wrote, in any codec, every client reads: byte for byte and in order. */
class CrossMatrixTest {
    private static final int RECORDS = 10_000;

    @TempDir
    static Path directory;

    private static Node node;
    private static final List<String> topics = new ArrayList<>();

    @BeforeAll
    static void everyClientWritesInEveryCodec() {
        node = Node.in(directory);
        for (Client writer : Client.values()) {
            for (String codec : Client.CODECS) {
                String topic = "matrix-" + writer.name().toLowerCase(Locale.ROOT) + "-" + codec;
                Java.createTopic(node.bootstrap(), topic, 1, Map.of());
                writer.produce(node.bootstrap(), topic, codec, Corpus.first(RECORDS));
                topics.add(topic);
            }
        }
    }

    @AfterAll
    static void stop() {
        node.close();
    }

    @ParameterizedTest
    @EnumSource(Client.class)
    void readsWhatEveryClientWrote(Client reader) throws IOException {
        Map<String, Path> outputs = new TreeMap<>();
        topics.forEach(topic -> outputs.put(topic, directory.resolve("read-" + reader + "-" + topic)));

        reader.consume(node.bootstrap(), RECORDS, outputs);

        for (Map.Entry<String, Path> read : outputs.entrySet()) {
            assertThat(Files.mismatch(read.getValue(), Corpus.first(RECORDS)))
                    .as("%s reads %s", reader, read.getKey())
                    .isEqualTo(-1);
        }
    }

    @Test
    void theMatrixIsWhole() {
        assertThat(topics).hasSize(Client.values().length * Client.CODECS.size());
    }
}
