package io.felice.storage.mvstore;

import static io.felice.testkit.LogContents.batchesIn;
import static io.felice.testkit.LogContents.everythingIn;
import static io.felice.testkit.TestBatches.batch;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.felice.api.FeliceException;
import io.felice.api.RecordBatch;
import io.felice.api.storage.LogId;
import io.felice.api.storage.PartitionLog;
import io.felice.api.storage.Replacement;
import io.felice.api.storage.StoreMaintenance.Work;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Store files come and go: with retention, by compaction, into a backup. */
class StoreGenerationsTest {
    private static final int FILE_BYTES = 400_000;
    private static final StoreSettings SETTINGS = new StoreSettings(1, FILE_BYTES, 0, 8 << 20, 1 << 20, 1);

    private static final StoreSettings LARGE_FILES = new StoreSettings(1, 256 << 20, 0, 8 << 20, 1 << 20, 1);

    @TempDir
    Path temp;

    private Path directory;
    private MvStorageEngine engine;

    @BeforeEach
    void start() {
        directory = temp.resolve("store");
        engine = new MvStorageEngine(directory, SETTINGS);
    }

    @AfterEach
    void close() {
        engine.close();
    }

    private PartitionLog open(String topic) {
        return engine.open(id(topic), 1);
    }

    private static LogId id(String topic) {
        return new LogId(UUID.nameUUIDFromBytes(topic.getBytes()), 0, topic);
    }

    private static void append(PartitionLog log, int count, int valueBytes) {
        for (int i = 0; i < count; i++) {
            log.append(batch(1).valueBytes(valueBytes).at(log.endOffset()));
            if (i % 5 == 4) {
                settle(log);
            }
        }
        settle(log);
    }

    private static void settle(PartitionLog log) {
        log.settle(log.endOffset()).toCompletableFuture().join();
    }

    private static List<Long> offsets(PartitionLog log) {
        return batchesIn(everythingIn(log)).stream()
                .map(RecordBatch::baseOffset)
                .toList();
    }

    private List<Path> files() {
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.filter(file -> file.toString().endsWith(".mv"))
                    .sorted()
                    .toList();
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private static void eventually(Runnable assertion) {
        await().atMost(Duration.ofSeconds(30)).untilAsserted(assertion::run);
    }

    private String outcome(Work work) throws Exception {
        return work.outcome().toCompletableFuture().get(60, TimeUnit.SECONDS);
    }

    private Object cell(String column) {
        return engine.tables().get(0).cell(directory.toString(), column).orElseThrow();
    }

    @Test
    void aFileThatIsLargeGetsASuccessorAndRetentionDeletesIt() {
        PartitionLog log = open("orders");
        append(log, 100, 20_000);
        int before = files().size();
        assertThat(before).isGreaterThan(2);

        log.trimTo(50);
        eventually(() -> assertThat(files()).hasSizeLessThan(before));
        log.trimTo(100);
        eventually(() -> assertThat(files()).hasSize(1));

        assertThat(log.endOffset()).isEqualTo(100);
        append(log, 2, 10);
        assertThat(offsets(log)).containsExactly(100L, 101L);
        assertThat(cell("files")).isEqualTo(1L);
        assertThat((Long) cell("files.deleted")).isGreaterThanOrEqualTo(before - 1);
    }

    @Test
    void anOlderFileThatIsShorterThanWhenItWasFlushedIsNotTakenForDamaged() throws IOException {
        append(open("orders"), 100, 20_000);
        List<Path> older = files().subList(0, files().size() - 1);
        engine.close();
        for (Path file : older) {
            new SyncMark(Files.size(file) + 4096, 1).write(file);
        }

        engine = new MvStorageEngine(directory, SETTINGS);

        assertThat(older).isNotEmpty();
        assertThat(offsets(open("orders"))).hasSize(100);
    }

    /** MVStore counts it to the file until it cuts it off, which it does when the file is closed. */
    @Test
    void whatAKillHasLeftOfACommitDoesNotCountAsFlushed() throws IOException {
        append(open("orders"), 10, 20_000);
        Path killed = temp.resolve("killed");
        StoreCopies.copy(directory, killed);
        engine.close();
        directory = killed;
        Path file = files().get(files().size() - 1);
        long whole = Files.size(file);
        Files.write(file, new byte[10 * 4096], StandardOpenOption.APPEND);

        engine = new MvStorageEngine(directory, SETTINGS);
        PartitionLog log = open("orders");
        log.flush(log.endOffset()).toCompletableFuture().join();

        assertThat(SyncMark.of(file).length()).isEqualTo(whole);
    }

    @Test
    void aDeletedLogGivesItsFilesBack() {
        append(open("orders"), 100, 20_000);

        engine.delete(id("orders"));

        eventually(() -> assertThat(files()).hasSize(1));
    }

    @Test
    void everyLogIsReadAcrossItsFiles() {
        List<PartitionLog> logs = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            logs.add(open("topic-" + i));
        }
        for (int round = 0; round < 25; round++) {
            for (PartitionLog log : logs) {
                append(log, 2, 4_000);
            }
        }
        assertThat(files()).hasSizeGreaterThan(3);

        engine.close();
        engine = new MvStorageEngine(directory, SETTINGS);

        for (int i = 0; i < 8; i++) {
            assertThat(offsets(open("topic-" + i))).hasSize(50).isSorted();
        }
    }

    @Test
    void anOlderFileThatNobodyReadsIsClosedUntilSomebodyDoes() {
        PartitionLog log = open("orders");
        append(log, 100, 20_000);

        engine.restOlderFiles(-1);

        assertThat(cell("files.open")).isEqualTo(1L);
        assertThat(offsets(log)).hasSize(100).isSorted();
        assertThat(cell("files.open")).isEqualTo(cell("files"));
        engine.restOlderFiles(-1);
        log.trimTo(99);
        eventually(() -> assertThat(cell("files")).isIn(1L, 2L));
        append(log, 1, 10);
        assertThat(offsets(log)).containsExactly(99L, 100L);
    }

    @Test
    void aFileWithManyCommitsGetsASuccessorAndAStartOpensTheNewestOnly() {
        PartitionLog log = inOneFile(CommitThread.MOST_COMMITS + 1);
        eventually(() -> assertThat(cell("files")).isEqualTo(2L));
        append(log, 1, 10);
        long end = log.endOffset();

        engine.close();
        engine = new MvStorageEngine(directory, LARGE_FILES);

        PartitionLog again = open("orders");
        assertThat(cell("files.open")).isEqualTo(1L);
        assertThat(again.endOffset()).isEqualTo(end);
        assertThat(offsets(again)).hasSize((int) end).isSorted();
        assertThat(cell("files.open")).isEqualTo(2L);
    }

    @Test
    void aStopBeginsANewFileInThePlaceOfOneWithManyCommits() {
        PartitionLog log = inOneFile(CommitThread.MOST_COMMITS_AT_STOP + 1);
        assertThat(files()).hasSize(1);
        long end = log.endOffset();

        engine.close();
        assertThat(files()).hasSize(2);
        engine = new MvStorageEngine(directory, LARGE_FILES);

        PartitionLog again = open("orders");
        assertThat(cell("files.open")).isEqualTo(1L);
        append(again, 1, 10);
        assertThat(offsets(again)).hasSize((int) end + 1).isSorted();
        engine.close();
        assertThat(files()).hasSize(2);
    }

    private PartitionLog inOneFile(int commits) {
        engine.close();
        engine = new MvStorageEngine(directory, LARGE_FILES);
        PartitionLog log = open("orders");
        for (int i = 0; i < commits; i++) {
            log.append(batch(1).at(log.endOffset()));
            settle(log);
        }
        return log;
    }

    @Test
    void aLogThatNobodyAppendsToKeepsNoFileForItself() {
        PartitionLog idle = open("idle");
        append(idle, 10, 100);
        PartitionLog busy = open("busy");
        append(busy, 100, 20_000);
        busy.trimTo(95);

        eventually(() -> assertThat(files().get(0).getFileName().toString()).isNotEqualTo("00-000001.mv"));

        assertThat(offsets(idle)).hasSize(10);
        append(idle, 1, 10);
        engine.close();
        engine = new MvStorageEngine(directory, SETTINGS);
        assertThat(offsets(open("idle"))).hasSize(11).isSorted();
    }

    @Test
    void anOperatorGetsTheSpaceBackThatNoRecordUsesWhileLogsGoOn() throws Exception {
        PartitionLog orders = open("orders");
        PartitionLog other = open("other");
        for (int i = 0; i < 40; i++) {
            append(orders, 1, 20_000);
            append(other, 1, 20_000);
            if (i % 4 == 3) {
                orders.roll();
                other.roll();
            }
        }
        orders.trimTo(38);
        long before = (Long) cell("file.bytes");
        AtomicBoolean done = new AtomicBoolean();
        CompletableFuture<Void> reader = CompletableFuture.runAsync(() -> {
            for (int i = 0; i < 20 || !done.get(); i++) {
                assertThat(offsets(other)).hasSize(40);
                if (i < 20) {
                    append(orders, 1, 50);
                }
            }
        });

        Work work = engine.compact();

        assertThat(outcome(work)).contains("bytes were moved");
        done.set(true);
        reader.get(60, TimeUnit.SECONDS);
        assertThat(work.doneBytes()).isEqualTo(work.totalBytes());
        eventually(() -> assertThat((Long) cell("file.bytes")).isLessThan(before * 3 / 4));
        assertThat(offsets(other)).hasSize(40).isSorted();
        engine.close();
        engine = new MvStorageEngine(directory, SETTINGS);
        assertThat(offsets(open("other"))).hasSize(40).isSorted();
        assertThat(open("orders").startOffset()).isEqualTo(38);
    }

    @Test
    void aBackupThatIsMadeWhileLogsGoOnCanTakeThePlaceOfTheDirectory() throws Exception {
        PartitionLog log = open("orders");
        append(log, 60, 20_000);
        long before = log.endOffset();
        AtomicBoolean done = new AtomicBoolean();
        CompletableFuture<Void> writer = CompletableFuture.runAsync(() -> {
            while (!done.get()) {
                append(log, 1, 5_000);
            }
        });
        Path backup = temp.resolve("backup");

        Work work = engine.backUp(backup);

        assertThat(outcome(work)).contains(backup.toString());
        done.set(true);
        writer.get(60, TimeUnit.SECONDS);
        assertThat(work.doneBytes()).isEqualTo(work.totalBytes()).isPositive();
        try (MvStorageEngine restored = new MvStorageEngine(backup, SETTINGS)) {
            PartitionLog again = restored.open(id("orders"), 1);
            assertThat(again.endOffset()).isBetween(before, log.endOffset());
            assertThat(everythingIn(again)).isEqualTo(everythingUpTo(log, again.endOffset()));
            append(again, 1, 10);
        }
    }

    private static byte[] everythingUpTo(PartitionLog log, long end) {
        byte[] all = everythingIn(log);
        int size = batchesIn(all).stream()
                .filter(one -> one.baseOffset() < end)
                .mapToInt(RecordBatch::sizeInBytes)
                .sum();
        return java.util.Arrays.copyOf(all, size);
    }

    @Test
    void aBackupNeedsAnEmptyDirectoryAndOneWorkRunsAtATime() throws Exception {
        append(open("orders"), 2, 10);
        Path full = temp.resolve("full");
        Files.createDirectories(full);
        Files.writeString(full.resolve("something"), "else");

        assertThatThrownBy(() -> engine.backUp(full))
                .isInstanceOf(FeliceException.class)
                .hasMessageContaining("not empty");
        assertThatThrownBy(() -> engine.backUp(Path.of("relative")))
                .isInstanceOf(FeliceException.class)
                .hasMessageContaining("absolute");
        assertThat(files()).hasSize(1);
        assertThat(full.resolve(StoreDirectory.PROPERTIES)).doesNotExist();
    }

    @Test
    void twoEnginesDoNotUseOneDirectory() {
        open("orders");

        try (MvStorageEngine second = new MvStorageEngine(directory, SETTINGS)) {
            assertThatThrownBy(second::logs)
                    .isInstanceOf(FeliceException.class)
                    .hasMessageContaining("in use by another process");
        }
    }

    @Test
    void aReplacementThatIsNotClosedHoldsUpNeitherAStopNorTheNextEngine() throws Exception {
        PartitionLog log = open("orders");
        append(log, 5, 1_000);
        log.roll();
        append(log, 5, 1_000);
        Replacement forgotten = log.replace(List.of(log.segments().get(0)));
        CompletableFuture.runAsync(engine::close).get(30, TimeUnit.SECONDS);
        engine = new MvStorageEngine(directory, SETTINGS);
        assertThat(offsets(open("orders"))).hasSize(10);
        assertThatThrownBy(forgotten::prepare).isInstanceOf(FeliceException.class);
        forgotten.close();
        assertThat(offsets(open("orders"))).hasSize(10);
    }

    @Test
    void aDirectoryKeepsItsNumberOfShards() {
        StoreSettings five = new StoreSettings(5, FILE_BYTES, 0, 8 << 20, 1 << 20, 1);
        Path other = temp.resolve("five");
        try (MvStorageEngine first = new MvStorageEngine(other, five)) {
            for (int i = 0; i < 20; i++) {
                append(first.open(id("topic-" + i), 1), 1, 10);
            }
        }

        try (MvStorageEngine second = new MvStorageEngine(other, SETTINGS)) {
            for (int i = 0; i < 20; i++) {
                assertThat(offsets(second.open(id("topic-" + i), 1))).hasSize(1);
            }
            assertThat(second.tables().get(0).cell(other.toString(), "shards")).contains(5L);
        }
    }

    @Test
    void oneCommitCarriesWhatManyLogsHaveWaiting() {
        List<PartitionLog> logs = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            logs.add(open("topic-" + i));
        }
        for (int round = 0; round < 20; round++) {
            List<CompletableFuture<Void>> settles = new ArrayList<>();
            for (PartitionLog log : logs) {
                log.append(batch(1).at(log.endOffset()));
            }
            for (PartitionLog log : logs) {
                settles.add(log.settle(log.endOffset()).toCompletableFuture());
            }
            settles.forEach(CompletableFuture::join);
        }

        assertThat((Double) cell("logs.per.commit")).isGreaterThan(10);
        assertThat(cell("memory.uncommitted.bytes")).isEqualTo(0L);
    }
}
