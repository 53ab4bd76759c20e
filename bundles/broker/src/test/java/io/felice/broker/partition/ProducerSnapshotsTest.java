package io.felice.broker.partition;

import static io.felice.broker.partition.Bench.eventually;
import static io.felice.testkit.TestBatches.batch;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.api.config.TopicConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Snapshots that are written in the background, and the end of their log meanwhile. */
class ProducerSnapshotsTest {
    @TempDir
    Path directory;

    private Bench bench;
    private PartitionFiles files;
    private ProducerSnapshots snapshots;

    @BeforeEach
    void setUp() {
        bench = new Bench(directory);
        files = new PartitionFiles(directory.resolve("orders"));
        snapshots = new ProducerSnapshots(Bench.ORDERS, files, bench.environment, () -> true, -1);
    }

    @AfterEach
    void tearDown() {
        bench.close();
    }

    @Test
    void aSnapshotThatWaitsIsNotWrittenAfterTheLogHasEnded() {
        List<Runnable> waiting = new ArrayList<>();
        bench.background = waiting::add;
        snapshots.takeInBackground(40, new Producers().snapshot());

        snapshots.close();

        waiting.forEach(Runnable::run);
        assertThat(files.newestSnapshot(Long.MAX_VALUE)).isEmpty();
    }

    @Test
    void theEndOfTheLogWaitsForASnapshotThatIsBeingWritten() throws InterruptedException {
        LinkedBlockingQueue<Thread> writing = inThreads();
        Thread closing;
        synchronized (files) {
            snapshots.takeInBackground(40, new Producers().snapshot());
            Thread writer = writing.take();
            eventually(() -> assertThat(writer.getState()).isEqualTo(Thread.State.BLOCKED));

            closing = new Thread(snapshots::close);
            closing.start();

            eventually(() -> assertThat(closing.getState()).isEqualTo(Thread.State.BLOCKED));
        }
        closing.join();
        assertThat(files.newestSnapshot(Long.MAX_VALUE).orElseThrow().offset()).isEqualTo(40);
    }

    @Test
    void aLogIsNotClosedWhileASnapshotIsBeingWritten() throws InterruptedException {
        LeaderPartition partition = bench.with(TopicConfig.SEGMENT_BYTES, 1_000).open(0);
        Bench.get(Bench.produce(partition, batch(1)));
        LinkedBlockingQueue<Thread> writing = inThreads();
        CompletableFuture<Void> closed;
        synchronized (bench.files) {
            Bench.get(Bench.produce(partition, batch(1).valueBytes(920)));
            Thread writer = writing.take();
            eventually(() -> assertThat(writer.getState()).isEqualTo(Thread.State.BLOCKED));
            bench.engine.failing.add(Bench.ID);
            assertThatThrownBy(() -> Bench.get(Bench.produce(partition, batch(1))));

            closed = partition.log().close().toCompletableFuture();

            eventually(() -> assertThat(storageThreads()).contains(Thread.State.BLOCKED));
            assertThat(closed).isNotDone();
        }
        Bench.get(closed);
        assertThat(bench.files.newestSnapshot(Long.MAX_VALUE).orElseThrow().offset())
                .isEqualTo(2);
    }

    @Test
    void aSnapshotThatCannotBeWrittenDoesNotFailTheLog() throws IOException {
        LeaderPartition partition = bench.with(TopicConfig.SEGMENT_MS, 1_000).open(0);
        Bench.get(Bench.produce(partition, batch(1)));
        Path state = directory.resolve(Bench.TOPIC_ID + "-0");
        Files.move(state, directory.resolve("elsewhere"));
        Files.createFile(state);
        bench.pass(1_000);

        assertThat(Bench.get(Bench.produce(partition, batch(1))).baseOffset()).isEqualTo(1);

        assertThat(bench.dead).isEmpty();
    }

    private static List<Thread.State> storageThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("felice-storage-scripted"))
                .map(Thread::getState)
                .toList();
    }

    private LinkedBlockingQueue<Thread> inThreads() {
        LinkedBlockingQueue<Thread> writing = new LinkedBlockingQueue<>();
        bench.background = task -> {
            Thread thread = new Thread(task);
            thread.start();
            writing.add(thread);
        };
        return writing;
    }
}
