package io.felice.broker.partition;

import static io.felice.broker.partition.Bench.get;
import static io.felice.broker.partition.Bench.produce;
import static io.felice.testkit.TestBatches.batch;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.config.TopicConfig;
import io.felice.api.partition.Partition.ReadLimit;
import io.felice.api.storage.Records;
import io.felice.broker.partition.Damages.Damage;
import io.felice.records.Batches;
import io.felice.storage.mvstore.MvStorageEngine;
import io.felice.testkit.TestBatches;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Bytes that change in the store files of the engine mvstore. */
class ScrubOfStoreFilesTest {
    private static final int BATCHES = 60;
    private static final int CHUNK_BYTES = 1 << 20;

    @TempDir
    private Path directory;

    private Bench bench;
    private MvStorageEngine store;

    @BeforeEach
    void setUp() {
        store = new MvStorageEngine(config());
        bench = new Bench(directory.resolve("state"), store).with(TopicConfig.SEGMENT_BYTES, 5_000);
    }

    @AfterEach
    void tearDown() {
        bench.close();
        store.close();
    }

    private MvStorageEngine.Config config() {
        return (MvStorageEngine.Config) Proxy.newProxyInstance(
                MvStorageEngine.Config.class.getClassLoader(),
                new Class<?>[] {MvStorageEngine.Config.class},
                (proxy, setting, nothing) -> setting.getName().equals("directory")
                        ? directory.resolve("store").toString()
                        : setting.getDefaultValue());
    }

    @Test
    void aBatchWithAChangedByteIsFoundAndAllOthersAreReadAsTheyWere() throws IOException {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        LeaderPartition partition = filled(random);
        Map<Long, byte[]> written = readable(partition);
        assertThat(written.size()).isEqualTo(BATCHES);
        List<byte[]> batches = List.copyOf(written.values());

        for (int round = 0; round < 40; round++) {
            byte[] batch = batches.get(random.nextInt(BATCHES));
            int within = random.nextInt(batch.length);
            byte mask = (byte) (1 << random.nextInt(8));
            partition = changed(partition, batch, within, mask);

            pass(partition);

            String where = "byte " + within + " of a batch, mask " + mask + ", seed " + seed;
            assertThat(damages(partition)).as(where).hasSize(1);
            Map<Long, byte[]> left = readable(partition);
            assertThat(left.size()).as(where).isBetween(BATCHES - 2, BATCHES - 1);
            left.forEach((offset, bytes) -> assertThat(bytes).as(where).isEqualTo(written.get(offset)));

            byte[] damaged = batch.clone();
            damaged[within] ^= mask;
            partition = changed(partition, damaged, within, mask);
            pass(partition);
            assertThat(damages(partition)).as("mended, " + where).isEmpty();
        }
    }

    private LeaderPartition filled(Random random) {
        LeaderPartition partition = bench.open(0);
        for (int i = 0; i < BATCHES; i++) {
            get(produce(partition, batch(1 + random.nextInt(4)).valueBytes(50 + random.nextInt(200))));
        }
        get(partition.log().writer().executeAlone(() -> {
            partition.log().engineLog().roll();
            return null;
        }));
        return opened(closed(partition));
    }

    /** Changes all copies of the bytes in the files: a commit writes the batches of a page again. */
    private LeaderPartition changed(LeaderPartition partition, byte[] bytes, int within, byte mask) throws IOException {
        int epoch = closed(partition);
        int copies = 0;
        for (Path file : storeFiles()) {
            byte[] all = Files.readAllBytes(file);
            for (int at = 0; at + bytes.length <= all.length; at++) {
                if (Arrays.equals(all, at, at + bytes.length, bytes, 0, bytes.length)) {
                    all[at + within] ^= mask;
                    copies++;
                }
            }
            Files.write(file, all);
        }
        assertThat(copies).isPositive();
        return opened(epoch);
    }

    private int closed(LeaderPartition partition) {
        get(partition.log().close());
        bench.close();
        store.close();
        return partition.leaderEpoch();
    }

    private LeaderPartition opened(int epoch) {
        setUp();
        return bench.open(epoch);
    }

    private static void pass(LeaderPartition partition) {
        while (partition.log().scrub().step(CHUNK_BYTES).isPresent()) {}
    }

    private static List<Damage> damages(LeaderPartition partition) {
        return partition.log().scrub().damages().all();
    }

    private static Map<Long, byte[]> readable(LeaderPartition partition) {
        Map<Long, byte[]> batches = new TreeMap<>();
        long offset = partition.logStartOffset();
        while (offset < partition.logEndOffset()) {
            try (Records records = partition.readHere(offset, 10_000, ReadLimit.LOG_END, true)) {
                for (ByteBuffer bytes : LogScan.buffersOf(records)) {
                    Batches.split(bytes).forEach(batch -> batches.put(batch.baseOffset(), TestBatches.copyOf(batch)));
                }
                offset = records.nextOffset();
            } catch (FeliceException damaged) {
                assertThat(FeliceException.codeOf(damaged)).isEqualTo(ErrorCode.CORRUPT_MESSAGE);
                offset++;
            }
        }
        return batches;
    }

    private List<Path> storeFiles() throws IOException {
        try (Stream<Path> all = Files.walk(directory.resolve("store"))) {
            return all.filter(file -> file.toString().endsWith(".mv")).toList();
        }
    }
}
