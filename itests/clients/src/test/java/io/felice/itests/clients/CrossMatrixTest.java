package io.felice.itests.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.rig.Java;
import io.felice.itests.rig.Wire;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchRequestData.FetchPartition;
import org.apache.kafka.common.message.FetchRequestData.FetchTopic;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.requests.FetchResponse;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A batch is stored in the codec in which a client wrote it, and every client reads it byte for byte and in order. */
class CrossMatrixTest {
    private static final int RECORDS = 10_000;
    /**
     * The most records that may be stored uncompressed. Clients do not compress a batch that compression does not make
     * smaller, such as a first batch of one or two records.
     */
    private static final int MAY_STAY_UNCOMPRESSED = RECORDS / 100;

    @TempDir
    static Path directory;

    private static Node node;
    private static final Map<String, String> codecs = new TreeMap<>();

    @BeforeAll
    static void everyClientWritesInEveryCodec() {
        node = Node.in(directory);
        for (Client writer : Client.values()) {
            for (String codec : Client.CODECS) {
                String topic = "matrix-" + writer.name().toLowerCase(Locale.ROOT) + "-" + codec;
                Java.createTopic(node.bootstrap(), topic, 1, Map.of());
                writer.produce(node.bootstrap(), topic, codec, Corpus.first(RECORDS));
                codecs.put(topic, codec);
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
        codecs.keySet().forEach(topic -> outputs.put(topic, directory.resolve("read-" + reader + "-" + topic)));

        reader.consume(node.bootstrap(), RECORDS, outputs);

        for (Map.Entry<String, Path> read : outputs.entrySet()) {
            assertThat(Files.mismatch(read.getValue(), Corpus.first(RECORDS)))
                    .as("%s reads %s", reader, read.getKey())
                    .isEqualTo(-1);
        }
    }

    @Test
    void everyPairOfClientAndCodecIsTested() {
        assertThat(codecs).hasSize(Client.values().length * Client.CODECS.size());
    }

    @Test
    void everyBatchHasTheCodecInTheNameOfItsTopic() throws IOException {
        Map<String, Set<String>> found = new TreeMap<>();
        Map<String, Set<String>> expected = new TreeMap<>();
        try (Wire wire = new Wire(node.bootstrap())) {
            for (String topic : codecs.keySet()) {
                found.put(topic, codecsOfBatches(wire, topic));
                expected.put(topic, Set.of(codecs.get(topic)));
            }
        }

        assertThat(found).isEqualTo(expected);
    }

    /** The codecs in the attributes of a topic's batches. Leaves out "none" if few records are uncompressed. */
    private static Set<String> codecsOfBatches(Wire wire, String topic) throws IOException {
        Map<String, Long> records = new TreeMap<>();
        long next = 0;
        while (next < RECORDS) {
            FetchRequestData request = new FetchRequestData()
                    .setMaxWaitMs(1000)
                    .setMinBytes(1)
                    .setMaxBytes(1 << 20)
                    .setTopics(List.of(new FetchTopic()
                            .setTopic(topic)
                            .setPartitions(List.of(new FetchPartition()
                                    .setFetchOffset(next)
                                    .setCurrentLeaderEpoch(-1)
                                    .setPartitionMaxBytes(1 << 20)))));
            FetchResponse response = (FetchResponse) wire.ask(ApiKeys.FETCH, 12, request);
            long before = next;
            for (RecordBatch batch : FetchResponse.recordsOrFail(
                            response.data().responses().get(0).partitions().get(0))
                    .batches()) {
                records.merge(batch.compressionType().name, (long) batch.countOrNull(), Long::sum);
                next = batch.nextOffset();
            }
            assertThat(next).as("the end of what was fetched of %s", topic).isGreaterThan(before);
        }
        records.computeIfPresent("none", (none, count) -> count > MAY_STAY_UNCOMPRESSED ? count : null);
        return records.keySet();
    }
}
