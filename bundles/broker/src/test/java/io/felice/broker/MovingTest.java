package io.felice.broker;

import static io.felice.broker.partition.Bench.eventually;
import static io.felice.broker.partition.Bench.get;
import static io.felice.testkit.TestBatches.batch;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.ErrorCode;
import io.felice.api.RecordBatch;
import io.felice.api.TopicPartition;
import io.felice.api.partition.Partition;
import io.felice.api.partition.Partition.ReadLimit;
import io.felice.api.storage.Records;
import io.felice.api.storage.StorageEngine;
import io.felice.records.Batches;
import io.felice.storage.log.LogSettings;
import io.felice.storage.log.LogStorageEngine;
import io.felice.storage.memory.MemoryStorageEngine;
import io.felice.storage.mvstore.MvStorageEngine;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Logs that are moved between the engines of a node while records are appended and read. */
class MovingTest {
    private static final String TOPIC = "log-orders";
    private static final TopicPartition ORDERS = new TopicPartition(TOPIC, 0);

    @TempDir
    Path temp;

    private LogStorageEngine files;
    private MvStorageEngine store;
    private SoloBroker solo;

    @BeforeEach
    void setUp() {
        files = new LogStorageEngine(temp.resolve("logs"), LogSettings.DEFAULT);
        store = new MvStorageEngine(storeConfig());
        Map<String, StorageEngine> engines = new LinkedHashMap<>();
        engines.put("log", files);
        engines.put("mvstore", store);
        engines.put("memory", new MemoryStorageEngine(64 << 20, java.time.Clock.systemUTC()));
        solo = new SoloBroker(temp.resolve("data"), engines);
    }

    @AfterEach
    void tearDown() {
        solo.close();
        files.close();
        store.close();
    }

    private MvStorageEngine.Config storeConfig() {
        return (MvStorageEngine.Config) Proxy.newProxyInstance(
                MvStorageEngine.Config.class.getClassLoader(),
                new Class<?>[] {MvStorageEngine.Config.class},
                (proxy, setting, nothing) -> setting.getName().equals("directory")
                        ? temp.resolve("store").toString()
                        : setting.getDefaultValue());
    }

    private ErrorCode move(String engine) {
        return get(solo.broker.partitions().move(Map.of(ORDERS, engine)))
                .get(ORDERS)
                .error();
    }

    private void moved(String engine) {
        assertThat(move(engine)).isEqualTo(ErrorCode.NONE);
        eventually(() -> assertThat(solo.broker.partitions().moves()).isEmpty());
        assertThat(solo.engineOf(ORDERS)).isEqualTo(engine);
    }

    /** The first offset and the number of the records of each batch. */
    private static List<String> contents(Partition partition) {
        List<String> contents = new ArrayList<>();
        long from = partition.logStartOffset();
        while (from < partition.highWatermark()) {
            try (Records records = get(partition.read(from, 1 << 20, ReadLimit.HIGH_WATERMARK))) {
                for (ByteBuffer bytes : io.felice.broker.partition.Contents.buffersOf(records)) {
                    for (RecordBatch batch : Batches.split(bytes)) {
                        contents.add(batch.baseOffset() + "+" + batch.recordCount() + "@" + batch.crc());
                        from = batch.nextOffset();
                    }
                }
            }
        }
        return contents;
    }

    @Test
    void aLogIsMovedThereAndBackWhileRecordsAreAppended() throws Exception {
        solo.create(TOPIC, Map.of());
        for (int i = 0; i < 200; i++) {
            get(solo.produce(TOPIC, batch(3).valueBytes(500)));
        }
        Partition orders = solo.led(TOPIC);
        List<String> before = contents(orders);
        AtomicBoolean stop = new AtomicBoolean();
        List<Long> offsets = new ArrayList<>();
        Thread producer = new Thread(() -> {
            int sequence = 0;
            while (!stop.get()) {
                CompletionStage<Partition.Appended> one =
                        solo.produce(TOPIC, batch(2).valueBytes(100).producer(9, 0, sequence));
                offsets.add(get(one).baseOffset());
                sequence += 2;
            }
        });
        producer.start();

        moved("mvstore");
        moved("log");
        stop.set(true);
        producer.join();

        assertThat(offsets).hasSizeGreaterThan(10);
        for (int i = 0; i < offsets.size(); i++) {
            assertThat(offsets.get(i)).isEqualTo(600 + 2L * i);
        }
        assertThat(solo.led(TOPIC)).isSameAs(orders);
        assertThat(contents(orders)).startsWith(before.toArray(String[]::new)).hasSize(200 + offsets.size());
        assertThat(store.logs()).isEmpty();
        assertThat(files.logs()).hasSize(1);
    }
}
