package io.felice.itests.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.rig.DistributionNode;
import io.felice.itests.rig.Java;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** kcat writes more than a million lines of text to the distribution. They come back byte for byte and in order. */
class CorpusTest {
    private static final String TOPIC = "corpus";

    @TempDir
    static Path directory;

    private static DistributionNode node;
    private static long lines;

    @BeforeAll
    static void kcatWritesTheCorpus() throws IOException {
        lines = Corpus.lines(Corpus.file());
        node = DistributionNode.in(directory);
        node.start();
        Java.createTopic(node.bootstrap(), TOPIC, 1, Map.of());
        Client.KCAT.produce(node.bootstrap(), TOPIC, "lz4", Corpus.file());
    }

    @AfterAll
    static void stop() {
        node.close();
    }

    @ParameterizedTest
    @EnumSource(Client.class)
    void theCorpusIsReadByteForByte(Client reader) throws IOException {
        Path read = directory.resolve("read-by-" + reader);

        reader.consume(node.bootstrap(), lines, Map.of(TOPIC, read));

        assertThat(Files.mismatch(read, Corpus.file())).isEqualTo(-1);
        Files.delete(read);
    }
}
