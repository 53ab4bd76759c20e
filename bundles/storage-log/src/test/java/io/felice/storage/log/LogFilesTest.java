package io.felice.storage.log;

import static io.felice.testkit.LogContents.batchesIn;
import static io.felice.testkit.LogContents.bytesOf;
import static io.felice.testkit.LogContents.everythingIn;
import static io.felice.testkit.LogContents.offsetsOf;
import static io.felice.testkit.TestBatches.batch;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.as;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.RecordBatch;
import io.felice.api.storage.LogId;
import io.felice.api.storage.PartitionLog;
import io.felice.api.storage.Records;
import io.felice.api.storage.SegmentSizes;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.LongStream;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.record.internal.FileRecords;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tests the engine's directory as Kafka's tools, the next start and another engine see it, and the tails of its logs.
 */
class LogFilesTest {
    private static final LogSettings SMALL_TAILS = new LogSettings(64 << 10, 1 << 20, 100, 1);
    private static final LogId ID = new LogId(new UUID(0x1234_5678_9ABC_4DEFL, 0x8123_4567_89AB_CDEFL), 0, "orders");
    private static final int PLENTY = 1 << 20;

    @TempDir
    Path temp;

    private final List<LogStorageEngine> engines = new ArrayList<>();

    @AfterEach
    void close() {
        engines.forEach(LogStorageEngine::close);
    }

    private LogStorageEngine start(Path directory) {
        return start(directory, LogSettings.DEFAULT);
    }

    private LogStorageEngine start(Path directory, LogSettings settings) {
        LogStorageEngine engine = new LogStorageEngine(directory, settings);
        engines.add(engine);
        return engine;
    }

    private Path data() {
        return temp.resolve("data");
    }

    private Path partition() {
        return data().resolve("orders-0");
    }

    private static void appendTens(PartitionLog log, int count) {
        for (int i = 0; i < count; i++) {
            log.append(batch(10).at(log.endOffset()));
        }
    }

    @Test
    void nothingIsOnDiskUntilTheFirstBatchIsSettled() {
        LogStorageEngine engine = start(data());
        assertThat(data()).doesNotExist();
        PartitionLog log = engine.open(ID, 1);
        assertThat(partition()).doesNotExist();

        appendTens(log, 1);
        log.settle(log.endOffset());

        assertThat(partition().resolve("00000000000000000000.log"))
                .hasSize(batch(10).at(0).sizeInBytes());
        assertThat(partition().resolve("partition.metadata"))
                .hasContent("version: 0\ntopic_id: " + new Uuid(0x1234_5678_9ABC_4DEFL, 0x8123_4567_89AB_CDEFL));
    }

    @Test
    void segmentsOfAnUnknownTopicAreRenamedAndNotOverwritten() throws IOException {
        LogStorageEngine first = start(data());
        appendTens(first.open(ID, 1), 3);
        first.close();
        Files.delete(partition().resolve("partition.metadata"));
        byte[] before = Files.readAllBytes(partition().resolve("00000000000000000000.log"));

        LogStorageEngine second = start(data());
        PartitionLog log = second.open(ID, 1);
        appendTens(log, 1);
        log.settle(log.endOffset());
        second.close();

        assertThat(start(data()).open(ID, 2).endOffset()).isEqualTo(10);
        try (DirectoryStream<Path> aside = Files.newDirectoryStream(data(), "orders-0.*-stray")) {
            Path kept = aside.iterator().next();
            assertThat(kept.resolve("00000000000000000000.log")).hasBinaryContent(before);
        }
    }

    @Test
    void segmentsBehindADamagedBatchAreKeptAsDroppedFilesAndLoggedOnce() throws IOException {
        writeThreeSegments();
        Path second = partition().resolve("00000000000000000020.log");
        byte[] damaged = Files.readAllBytes(second);
        int first = batch(10).at(20).sizeInBytes();
        damaged[first - 1] ^= 1;
        Files.write(second, damaged);
        byte[] third = Files.readAllBytes(partition().resolve("00000000000000000040.log"));

        String logged =
                loggedBy(() -> assertThat(start(data()).open(ID, 2).endOffset()).isEqualTo(20));

        assertThat(partition().resolve("00000000000000000020.log.dropped")).hasBinaryContent(damaged);
        assertThat(partition().resolve("00000000000000000040.log.dropped")).hasBinaryContent(third);
        assertThat(logged.lines().filter(line -> line.contains("WARN")))
                .singleElement(as(InstanceOfAssertFactories.STRING))
                .contains(
                        "orders-0 has a damaged batch at offset 20",
                        "offsets 20 to 49, " + (damaged.length + third.length) + " bytes",
                        partition().toString(),
                        "00000000000000000020.log.dropped, 00000000000000000040.log.dropped");
    }

    @Test
    void droppedFilesOfAnEarlierRecoveryStayUntilTheLogIsDeleted() throws IOException {
        writeThreeSegments();
        Path second = partition().resolve("00000000000000000020.log");
        Path earlier = Files.writeString(partition().resolve("00000000000000000020.log.dropped"), "earlier");
        byte[] damaged = Files.readAllBytes(second);
        damaged[damaged.length - 1] ^= 1;
        Files.write(second, damaged);
        LogStorageEngine engine = start(data());

        assertThat(engine.open(ID, 2).endOffset()).isEqualTo(30);

        assertThat(earlier).hasContent("earlier");
        int kept = batch(10).at(20).sizeInBytes();
        assertThat(partition().resolve("00000000000000000020.log.dropped-2"))
                .hasBinaryContent(Arrays.copyOfRange(damaged, kept, damaged.length));
        engine.delete(ID);
        engine.close();
        assertThat(Directories.filesOf(data(), "-delete")).isEmpty();
    }

    @Test
    void wholeBatchesBehindADamagedBatchOfTheLastSegmentAreKeptInADroppedFile() throws IOException {
        LogStorageEngine first = start(data());
        appendTens(first.open(ID, 1), 3);
        first.close();
        Files.delete(data().resolve("recovery-point-offset-checkpoint"));
        Path segment = partition().resolve("00000000000000000000.log");
        byte[] bytes = Files.readAllBytes(segment);
        int one = batch(10).at(0).sizeInBytes();
        Arrays.fill(bytes, one, one + 40, (byte) 0);
        Files.write(segment, bytes);

        String logged =
                loggedBy(() -> assertThat(start(data()).open(ID, 2).endOffset()).isEqualTo(10));

        assertThat(partition().resolve("00000000000000000000.log.dropped"))
                .hasBinaryContent(Arrays.copyOfRange(bytes, one, bytes.length));
        assertThat(logged).contains("offsets 10 to 29, " + (bytes.length - one) + " bytes");
    }

    @Test
    void anIncompleteBatchAtTheEndIsCutOffWithoutADroppedFile() throws IOException {
        LogStorageEngine first = start(data());
        appendTens(first.open(ID, 1), 3);
        first.close();
        Files.delete(data().resolve("recovery-point-offset-checkpoint"));
        Path segment = partition().resolve("00000000000000000000.log");
        byte[] bytes = Files.readAllBytes(segment);
        Files.write(segment, Arrays.copyOf(bytes, bytes.length - 5));

        String logged =
                loggedBy(() -> assertThat(start(data()).open(ID, 2).endOffset()).isEqualTo(20));

        assertThat(Directories.filesOf(partition(), "dropped")).isEmpty();
        assertThat(logged).contains("orders-0 ends at offset 20: the last ");
    }

    private void writeThreeSegments() throws IOException {
        LogStorageEngine engine = start(data());
        PartitionLog log = engine.open(ID, 1);
        appendTens(log, 2);
        log.roll();
        appendTens(log, 2);
        log.roll();
        appendTens(log, 1);
        engine.close();
        Files.delete(data().resolve("recovery-point-offset-checkpoint"));
    }

    /** The log lines that the action writes to standard error. */
    private static String loggedBy(Runnable action) {
        PrintStream before = System.err;
        ByteArrayOutputStream output = new ByteArrayOutputStream();
        System.setErr(new PrintStream(output, true, StandardCharsets.UTF_8));
        try {
            action.run();
        } finally {
            System.setErr(before);
        }
        return output.toString(StandardCharsets.UTF_8);
    }

    @Test
    void aLogThatIsSetAsideHasAStrayDirectoryUntilItIsOpenedAgain() throws IOException {
        LogStorageEngine first = start(data());
        appendTens(first.open(ID, 1), 3);
        first.close();
        LogStorageEngine second = start(data());
        Path aside = data().resolve("orders-0." + ID.topicId().toString().replace("-", "") + "-stray");

        second.setAside(ID);
        assertThat(aside).isDirectory();
        assertThat(partition()).doesNotExist();

        assertThat(second.open(ID, 2).endOffset()).isEqualTo(30);
        assertThat(aside).doesNotExist();
        assertThat(partition()).isDirectory();
    }

    @Test
    void aLogWhoseNameIsTooLongForAStrayDirectoryIsNotRenamed() {
        LogId id = new LogId(ID.topicId(), 0, "t".repeat(249));
        LogStorageEngine first = start(data());
        appendTens(first.open(id, 1), 3);
        first.close();
        LogStorageEngine second = start(data());

        second.setAside(id);

        assertThat(data().resolve(id.toString())).isDirectory();
        assertThat(second.logs()).extracting(LogId::topic).containsExactly(id.topic());
    }

    @Test
    void aDirectoryOfAnotherClusterIsNotChangedUntilItsClusterIdIsDeletedFromTheOwnerFile() throws IOException {
        LogStorageEngine first = start(data());
        first.belongTo("cluster-one");
        appendTens(first.open(ID, 1), 3);
        first.close();
        Path leftover = Files.createDirectory(data().resolve("old-0.0123456789abcdef0123456789abcdef-delete"));
        LogStorageEngine second = start(data());

        assertThatThrownBy(() -> second.belongTo("cluster-two"))
                .hasMessageContaining("cluster-one")
                .hasMessageContaining("cluster-two")
                .hasMessageContaining(data().resolve("felice-log.properties").toString());

        second.close();
        assertThat(leftover).isDirectory();
        assertThat(data().resolve(".kafka_cleanshutdown")).exists();
        Path owner = data().resolve("felice-log.properties");
        Files.write(
                owner,
                Files.readAllLines(owner).stream()
                        .filter(line -> !line.startsWith("cluster.id"))
                        .toList());
        LogStorageEngine third = start(data());
        third.belongTo("cluster-two");
        assertThat(third.open(ID, 2).endOffset()).isEqualTo(30);
        assertThat(owner).content().contains("cluster.id=cluster-two", "store.id=");
    }

    @Test
    void aLogWhoseMetadataCannotBeReadIsNotOpenedAsAnEmptyLog() throws IOException {
        LogStorageEngine first = start(data());
        appendTens(first.open(ID, 1), 3);
        first.close();
        Path metadata = partition().resolve("partition.metadata");
        Path kept = Files.move(metadata, temp.resolve("kept"));
        Files.createSymbolicLink(metadata, metadata);
        LogStorageEngine second = start(data());

        assertThatThrownBy(() -> second.open(ID, 2))
                .isInstanceOfSatisfying(FeliceException.class, failure -> assertThat(failure.code())
                        .isEqualTo(ErrorCode.KAFKA_STORAGE_ERROR));

        Files.move(kept, metadata, StandardCopyOption.REPLACE_EXISTING);
        assertThat(second.open(ID, 2).endOffset()).isEqualTo(30);
        assertThat(second.logs()).containsExactly(ID);
    }

    @Test
    void aDamagedOldSegmentFailsOnlyItsReads() throws IOException {
        LogStorageEngine first = start(data());
        PartitionLog log = first.open(ID, 1);
        appendTens(log, 3);
        log.roll();
        appendTens(log, 1);
        first.close();
        Path sealed = partition().resolve("00000000000000000000.log");
        byte[] bytes = Files.readAllBytes(sealed);
        bytes[batch(10).at(0).sizeInBytes() + RecordBatch.MAGIC_AT] = 0x55;
        Files.write(sealed, bytes);
        PartitionLog again = start(data()).open(ID, 2);

        assertThatThrownBy(() -> again.read(15, 40, PLENTY, true))
                .isInstanceOfSatisfying(FeliceException.class, failure -> assertThat(failure.code())
                        .isEqualTo(ErrorCode.CORRUPT_MESSAGE));

        appendTens(again, 1);
        again.settle(again.endOffset());
        assertThat(offsetsOf(again.read(30, 50, PLENTY, true))).containsExactly(30L, 40L);
    }

    @Test
    void kafkaReadsTheSegments() throws IOException {
        PartitionLog log = start(data()).open(ID, 1);
        log.append(batch(10).values("first").timestamp(77).leaderEpoch(5).at(0));
        log.append(batch(2).producer(9, 1, 0).at(10));
        log.roll();
        log.append(batch(1).at(12));
        log.settle(log.endOffset());

        try (FileRecords first =
                FileRecords.open(partition().resolve("00000000000000000000.log").toFile(), false)) {
            var batches = first.batches().iterator();
            var one = batches.next();
            one.ensureValid();
            assertThat(one.baseOffset()).isZero();
            assertThat(one.lastOffset()).isEqualTo(9);
            assertThat(one.partitionLeaderEpoch()).isEqualTo(5);
            assertThat(one.maxTimestamp()).isEqualTo(77);
            var records = new ArrayList<String>();
            one.forEach(record -> records.add(UTF_8.decode(record.value()).toString()));
            assertThat(records).hasSize(10).containsOnly("first");
            var two = batches.next();
            two.ensureValid();
            assertThat(two.producerId()).isEqualTo(9);
            assertThat(batches.hasNext()).isFalse();
        }
        assertThat(partition().resolve("00000000000000000012.log")).exists();
    }

    @Test
    void aCleanStopWritesTheMarkerCheckpointsAndIndexesThatKafkaExpects() throws IOException {
        LogStorageEngine engine = start(data());
        PartitionLog log = engine.open(ID, 1);
        log.configure(new SegmentSizes(1 << 20, 100));
        appendTens(log, 3);
        log.roll();
        appendTens(log, 1);
        log.trimTo(35);

        engine.close();

        assertThat(data().resolve(".kafka_cleanshutdown")).hasContent("{\"version\":0,\"brokerEpoch\":-1}");
        assertThat(data().resolve("recovery-point-offset-checkpoint")).hasContent("0\n1\norders 0 40\n");
        assertThat(data().resolve("log-start-offset-checkpoint")).hasContent("0\n1\norders 0 35\n");
        assertThat(partition().resolve("00000000000000000030.index")).exists();
        ByteBuffer times = ByteBuffer.wrap(Files.readAllBytes(partition().resolve("00000000000000000030.timeindex")));
        assertThat(times.getLong()).isEqualTo(1_000);
        assertThat(times.getInt()).isEqualTo(9);
    }

    @Test
    void aSealedSegmentHasIndexFilesInKafkasFormat() throws IOException {
        PartitionLog log = start(data()).open(ID, 1);
        int size = batch(10).at(0).sizeInBytes();
        log.configure(new SegmentSizes(1 << 20, size));
        for (int i = 0; i < 5; i++) {
            log.append(batch(10).timestamp(100 * i).at(10L * i));
        }
        log.roll();
        log.flush(50).toCompletableFuture().join();

        ByteBuffer offsets = ByteBuffer.wrap(Files.readAllBytes(partition().resolve("00000000000000000000.index")));
        ByteBuffer times = ByteBuffer.wrap(Files.readAllBytes(partition().resolve("00000000000000000000.timeindex")));

        assertThat(offsets.remaining()).isEqualTo(2 * 8);
        assertThat(offsets.getInt()).isEqualTo(29);
        assertThat(offsets.getInt()).isEqualTo(2 * size);
        assertThat(offsets.getInt()).isEqualTo(49);
        assertThat(offsets.getInt()).isEqualTo(4 * size);
        assertThat(times.remaining()).isEqualTo(2 * 12);
        assertThat(times.getLong()).isEqualTo(200);
        assertThat(times.getInt()).isEqualTo(29);
        assertThat(times.getLong()).isEqualTo(400);
        assertThat(times.getInt()).isEqualTo(49);
    }

    @Test
    void aStartAfterACleanStopScansNoBatches() {
        LogStorageEngine first = start(data());
        appendTens(first.open(ID, 1), 100);
        first.close();

        LogStorageEngine second = start(data());

        assertThat(second.open(ID, 1).endOffset()).isEqualTo(1_000);
        assertThat(cell(second, "recovered.logs")).isEqualTo(0L);
        assertThat(cell(second, "recovery.scanned.bytes")).isEqualTo(0L);
        assertThat(data().resolve(".kafka_cleanshutdown")).doesNotExist();
    }

    @Test
    void aStartAfterAKillScansOnlyFromTheRecoveryPointOn() throws IOException {
        LogStorageEngine first = start(data());
        PartitionLog log = first.open(ID, 1);
        appendTens(log, 100);
        log.roll();
        log.flush(1_000).toCompletableFuture().join();
        first.checkpoint();
        appendTens(log, 2);
        log.settle(log.endOffset());
        Directories.copy(data(), temp.resolve("killed"));

        LogStorageEngine second = start(temp.resolve("killed"));

        assertThat(second.open(ID, 1).endOffset()).isEqualTo(1_020);
        assertThat(cellIn(second, temp.resolve("killed"), "recovered.logs")).isEqualTo(1L);
        assertThat(cellIn(second, temp.resolve("killed"), "recovery.scanned.bytes"))
                .isEqualTo(2L * batch(10).at(0).sizeInBytes());
    }

    @Test
    void batchesAppendedAfterATruncationAreScannedAtTheNextStart() throws IOException {
        LogStorageEngine first = start(data());
        PartitionLog log = first.open(ID, 1);
        appendTens(log, 5);
        log.flush(50).toCompletableFuture().join();
        first.checkpoint();
        log.truncateTo(10);
        appendTens(log, 4);
        log.settle(log.endOffset());
        Path killed = temp.resolve("killed");
        Directories.copy(data(), killed);
        Path segment = killed.resolve("orders-0/00000000000000000000.log");
        byte[] bytes = Files.readAllBytes(segment);
        bytes[bytes.length * 3 / 5 - 3] ^= 1;
        Files.write(segment, bytes);

        PartitionLog recovered = start(killed).open(ID, 1);

        assertThat(batchesIn(everythingIn(recovered)))
                .extracting(RecordBatch::baseOffset)
                .containsExactly(0L, 10L);
    }

    @Test
    void afterAKillTheIndexHasTheNewestTimestamp() throws IOException {
        LogStorageEngine first = start(data());
        first.open(ID, 1).append(batch(1).timestamp(100).at(0));
        first.close();
        LogStorageEngine second = start(data());
        PartitionLog log = second.open(ID, 2);
        log.append(batch(1).timestamp(900).at(1));
        log.flush(2).toCompletableFuture().join();
        second.checkpoint();
        Directories.copy(data(), temp.resolve("killed"));

        LogStorageEngine third = start(temp.resolve("killed"));
        PartitionLog recovered = third.open(ID, 3);
        recovered.roll();
        recovered.flush(2).toCompletableFuture().join();
        third.sweep();
        third.sweep();

        assertThat(recovered.scanStartFor(900)).isLessThan(2);
        assertThat(recovered.segments().get(0).maxTimestamp()).isEqualTo(900);
    }

    @Test
    void missingAndDamagedIndexesAreRebuilt() throws IOException {
        Random random = new Random(42);
        for (int damage = 0; damage < 4; damage++) {
            Path directory = temp.resolve("damage-" + damage);
            LogStorageEngine first = start(directory);
            PartitionLog log = first.open(ID, 1);
            log.configure(new SegmentSizes(10_000, 200));
            for (int i = 0; i < 400; i++) {
                log.append(batch(2).timestamp(random.nextInt(1_000)).at(2L * i));
            }
            byte[] before = everythingIn(log);
            first.close();
            for (Path index : Directories.filesOf(directory.resolve("orders-0"), "index")) {
                byte[] bytes = Files.readAllBytes(index);
                switch (damage) {
                    case 0 -> Files.delete(index);
                    case 1 -> Files.write(index, new byte[0]);
                    case 2 -> Files.write(index, java.util.Arrays.copyOf(bytes, bytes.length - 1));
                    default -> Files.write(index, new byte[bytes.length]);
                }
            }

            PartitionLog again = start(directory).open(ID, 1);

            assertThat(everythingIn(again)).isEqualTo(before);
            assertThat(again.endOffset()).isEqualTo(800);
            for (long offset = 0; offset < 800; offset += 13) {
                assertThat(offsetsOf(again.read(offset, Long.MAX_VALUE, 0, true)))
                        .containsExactly(offset / 2 * 2);
            }
            assertThat(again.segments())
                    .allSatisfy(segment -> assertThat(segment.maxTimestamp()).isBetween(500L, 999L));
        }
    }

    @Test
    void aSecondEngineCannotUseTheDirectoryUntilTheFirstIsClosed() {
        start(data()).open(ID, 1);
        LogStorageEngine second = start(data());

        assertThatThrownBy(() -> second.open(ID, 1))
                .isInstanceOf(FeliceException.class)
                .hasMessage("the directory " + data()
                        + " is in use by another process; stop it, or give each its own directory");

        engines.get(0).close();
        assertThat(second.open(ID, 1).endOffset()).isZero();
    }

    @Test
    void aDirectoryOfANewerFormatIsRefused() throws IOException {
        Files.createDirectories(data());
        Files.writeString(data().resolve("felice-log.properties"), "format=2\nstore.id=x\n");

        assertThatThrownBy(() -> start(data()).logs())
                .isInstanceOf(FeliceException.class)
                .hasMessageContaining("has format 2, this version reads format 1 only");
    }

    @Test
    void theStoreIdStaysTheSameAfterARestart() throws IOException {
        LogStorageEngine first = start(data());
        first.logs();
        String text = Files.readString(data().resolve("felice-log.properties"));
        first.close();

        start(data()).logs();

        assertThat(Files.readString(data().resolve("felice-log.properties"))).isEqualTo(text);
        assertThat(text).containsPattern("store.id=[0-9a-f-]{36}\n");
    }

    @Test
    void topicNamesThatKafkaDoesNotAllowAreRefused() {
        LogStorageEngine engine = start(data());

        for (String topic : List.of("", ".", "..", "a/b", "../../x", "a b", "a\0b", "x".repeat(250))) {
            assertThatThrownBy(() -> engine.open(new LogId(UUID.randomUUID(), 0, topic), 1))
                    .isInstanceOf(FeliceException.class);
        }
        PartitionLog longest = engine.open(new LogId(UUID.randomUUID(), 123_456, "x".repeat(240)), 1);
        appendTens(longest, 1);
        longest.settle(longest.endOffset());
    }

    @Test
    void aTopicWithTheLongestNameCanBeDeleted() throws IOException {
        LogStorageEngine engine = start(data());
        LogId id = new LogId(UUID.randomUUID(), 12, "x".repeat(249));
        PartitionLog log = engine.open(id, 1);
        appendTens(log, 1);
        log.settle(log.endOffset());

        engine.delete(id);

        engine.close();
        assertThat(engineDirectories()).isEmpty();
    }

    @Test
    void anIncompleteDeletionIsFinishedAtTheNextStart() throws IOException {
        Path leftover = data().resolve("orders-0.0123456789abcdef0123456789abcdef-delete");
        Files.createDirectories(leftover);
        Files.writeString(leftover.resolve("00000000000000000000.log"), "x");
        LogStorageEngine engine = start(data());

        assertThat(engine.logs()).isEmpty();

        engine.close();
        assertThat(leftover).doesNotExist();
    }

    private List<Path> engineDirectories() throws IOException {
        try (var all = Files.list(data())) {
            return all.filter(Files::isDirectory).toList();
        }
    }

    @Test
    void idleLogsReleaseTheirMemoryAndStayUsable() throws IOException {
        LogStorageEngine engine = start(data());
        PartitionLog log = engine.open(ID, 1);
        appendTens(log, 3);
        assertThat((long) cell(engine, "tail.bytes")).isPositive();
        assertThat(log.isHot(5)).isTrue();

        engine.sweep();
        engine.sweep();

        assertThat(cell(engine, "tail.bytes")).isEqualTo(0L);
        assertThat(log.settledOffset()).isEqualTo(30);
        assertThat(log.isHot(5)).isFalse();
        assertThat(log.isHot(30)).isTrue();
        try (Records read = log.read(5, Long.MAX_VALUE, PLENTY, true)) {
            assertThat(read).isInstanceOf(Records.InFile.class);
        }
        appendTens(log, 1);
        assertThat(log.isHot(30)).isTrue();
    }

    @Test
    void recentBatchesAreReadFromMemory() {
        PartitionLog log = start(data()).open(ID, 1);
        appendTens(log, 3);
        log.settle(log.endOffset());

        try (Records read = log.read(0, Long.MAX_VALUE, PLENTY, true)) {
            assertThat(read).isInstanceOf(Records.InMemory.class);
            assertThat(((Records.InMemory) read).buffers().get(0).isDirect()).isTrue();
        }
    }

    @Test
    void aSingleBatchOfALogWithoutReadersIsWrittenDirectlyToTheFile() throws IOException {
        LogStorageEngine engine = start(data(), SMALL_TAILS);
        PartitionLog log = engine.open(ID, 1);
        appendSettled(log, 0, 10);
        assertThat((long) cell(engine, "tail.bytes")).isGreaterThan(TailBuffers.SMALLEST);
        appendSettled(log, 10, 40);

        long writes = (long) cell(engine, "settles");
        log.append(batch(1).valueBytes(3_000).at(40));

        assertThat(log.settledOffset()).isEqualTo(41);
        assertThat((long) cell(engine, "settles") - writes).isEqualTo(1);
        assertThat(cell(engine, "tail.bytes")).isEqualTo(0L);
        log.settle(log.endOffset());
        assertThat((long) cell(engine, "settles") - writes).isEqualTo(1);
        assertThat(log.isHot(40)).isFalse();
        assertThat(batchesIn(everythingIn(log))).hasSize(41);
    }

    @Test
    void afterAReadBatchesGoToTheTailAgain() {
        PartitionLog log = start(data(), SMALL_TAILS).open(ID, 1);
        appendSettled(log, 0, 40);
        assertThat(batchesIn(everythingIn(log))).hasSize(40);

        log.append(batch(1).valueBytes(3_000).at(40));

        assertThat(log.settledOffset()).isEqualTo(40);
        appendSettled(log, 41, 50);
        assertThat(log.isHot(40)).isTrue();
        assertThat(batchesIn(everythingIn(log))).hasSize(50);
    }

    @Test
    void batchesSettledTogetherInALogWithoutReadersShareOneSmallBuffer() {
        LogStorageEngine engine = start(data(), SMALL_TAILS);
        PartitionLog log = engine.open(ID, 1);
        appendInTwos(log, 0, 40);

        assertThat(cell(engine, "tail.bytes")).isEqualTo((long) TailBuffers.SMALLEST);
        assertThat(log.isHot(37)).isFalse();
        assertThat(log.isHot(38)).isTrue();
        assertThat(batchesIn(everythingIn(log))).hasSize(40);
    }

    @Test
    void everySettleDecidesWhetherTheNextBatchIsWrittenDirectly() {
        PartitionLog log = start(data(), SMALL_TAILS).open(ID, 1);
        appendSettled(log, 0, 40);
        log.append(batch(1).valueBytes(3_000).at(40));
        assertThat(log.settledOffset())
                .as("after batches settled one at a time")
                .isEqualTo(41);
        log.append(batch(1).valueBytes(3_000).at(41));
        assertThat(log.settledOffset())
                .as("the second batch since the last settle")
                .isEqualTo(41);
        log.settle(log.endOffset());

        log.append(batch(1).valueBytes(3_000).at(42));
        assertThat(log.settledOffset()).as("after two batches settled together").isEqualTo(42);
        log.settle(log.endOffset());

        log.append(batch(1).valueBytes(3_000).at(43));
        assertThat(log.settledOffset()).as("after one batch settled alone").isEqualTo(44);
        assertThat(batchesIn(everythingIn(log))).hasSize(44);
    }

    @Test
    void batchesWrittenDirectlyRollSegmentsAndSurviveAKill() throws IOException {
        LogStorageEngine engine = start(data(), SMALL_TAILS);
        PartitionLog log = engine.open(ID, 1);
        log.configure(new SegmentSizes(20_000, 4096));
        for (int i = 0; i < 200; i++) {
            log.append(batch(1).valueBytes(3_000).at(i));
            if (i < 40 || i % 7 != 0) {
                log.settle(log.endOffset());
            }
        }
        assertThat(log.settledOffset()).isEqualTo(200);
        Path killed = temp.resolve("killed");
        Directories.copy(data(), killed);

        PartitionLog found = start(killed).open(ID, 2);

        assertThat(found.endOffset()).isEqualTo(200);
        assertThat(everythingIn(found)).isEqualTo(everythingIn(log));
        assertThat(batchesIn(everythingIn(found)))
                .extracting(RecordBatch::baseOffset)
                .isEqualTo(LongStream.range(0, 200).boxed().toList());
    }

    @Test
    void unsettledBatchesOfALogWithoutReadersStayInMemory() throws IOException {
        LogStorageEngine engine = start(data(), SMALL_TAILS);
        PartitionLog log = engine.open(ID, 1);
        appendInTwos(log, 0, 40);

        for (int i = 40; i < 70; i++) {
            log.append(batch(1).valueBytes(3_000).at(i));
        }

        assertThat(log.isHot(40)).isTrue();
        assertThat(batchesIn(everythingIn(log))).hasSize(70);
    }

    @Test
    void theBytesOfAReadStayTheSameWhileTheTailReplacesItsBuffers() throws IOException {
        PartitionLog log = start(data(), SMALL_TAILS).open(ID, 1);
        appendInTwos(log, 0, 40);
        try (Records held = log.read(39, Long.MAX_VALUE, PLENTY, true)) {
            assertThat(held).isInstanceOf(Records.InMemory.class);

            appendInTwos(log, 40, 100);

            assertThat(batchesIn(bytesOf(held))).singleElement().satisfies(batch -> assertThat(batch.baseOffset())
                    .isEqualTo(39));
        }
    }

    @Test
    void batchesSettledTogetherInALogWithoutReadersAreOneWrite() {
        LogStorageEngine engine = start(data(), SMALL_TAILS);
        PartitionLog log = engine.open(ID, 1);
        appendSettled(log, 0, 40);
        for (int round = 0; round < 10; round++) {
            for (int i = 0; i < 7; i++) {
                log.append(batch(1).valueBytes(3_000).at(40 + 7 * round + i));
            }
            long before = (long) cell(engine, "settles");
            log.settle(log.endOffset());
            if (round > 0) {
                assertThat((long) cell(engine, "settles") - before)
                        .as("writes in round " + round)
                        .isEqualTo(1);
            }
        }
        assertThat(batchesIn(everythingIn(log))).hasSize(110);
    }

    @Test
    void settlingOnAnotherThreadLosesNoBatchOfALogWithoutReaders() throws Exception {
        PartitionLog log = start(data(), SMALL_TAILS).open(ID, 1);
        AtomicBoolean done = new AtomicBoolean();
        Thread settler = new Thread(() -> {
            while (!done.get()) {
                log.settle(log.endOffset());
            }
        });
        settler.start();
        for (int i = 0; i < 5_000; i++) {
            log.append(batch(1).valueBytes(1_000).at(i));
        }
        done.set(true);
        settler.join();
        log.settle(log.endOffset());

        byte[] all = everythingIn(log);
        assertThat(batchesIn(all))
                .extracting(RecordBatch::baseOffset)
                .isEqualTo(LongStream.range(0, 5_000).boxed().toList());
        byte[] file = Files.readAllBytes(partition().resolve("00000000000000000000.log"));
        assertThat(Arrays.copyOf(file, all.length)).isEqualTo(all);
    }

    private static void appendInTwos(PartitionLog log, int from, int to) {
        for (int i = from; i < to; i += 2) {
            log.append(batch(1).valueBytes(3_000).at(i));
            log.append(batch(1).valueBytes(3_000).at(i + 1));
            log.settle(log.endOffset());
        }
    }

    private static void appendSettled(PartitionLog log, int from, int to) {
        for (int i = from; i < to; i++) {
            log.append(batch(1).valueBytes(3_000).at(i));
            log.settle(log.endOffset());
        }
    }

    @Test
    void theMemoryOfAllTailsStaysInItsBudget() {
        LogStorageEngine engine = start(data(), new LogSettings(64 << 10, 256 << 10, 100, 1));
        for (int partition = 0; partition < 100; partition++) {
            PartitionLog log = engine.open(new LogId(new UUID(5, 5), partition, "many"), 1);
            for (int i = 0; i < 30; i++) {
                log.append(batch(1).valueBytes(3_000).at(i));
            }
            assertThat((long) cell(engine, "tail.bytes")).isLessThanOrEqualTo(256 << 10);
        }
        PartitionLog last = engine.open(new LogId(new UUID(5, 5), 99, "many"), 2);
        assertThat(batchesIn(everythingIn(last))).hasSize(30);
    }

    @Test
    void pinnedBytesAreCountedUntilTheReadsAreClosed() {
        LogStorageEngine engine = start(data());
        PartitionLog log = engine.open(ID, 1);
        appendTens(log, 2);
        Records hot = log.read(0, Long.MAX_VALUE, PLENTY, true);
        log.close();
        Records cold = engine.open(ID, 2).read(0, Long.MAX_VALUE, PLENTY, true);

        assertThat(cold).isInstanceOf(Records.InFile.class);
        assertThat(cell(engine, "pinned.bytes")).isEqualTo((long) hot.sizeInBytes() + cold.sizeInBytes());
        hot.close();
        cold.close();
        cold.close();
        assertThat(cell(engine, "pinned.bytes")).isEqualTo(0L);
        assertThat(cell(engine, "tail.bytes")).isEqualTo(0L);
    }

    @Test
    void theNumberOfOpenFilesIsLimited() {
        LogStorageEngine engine = start(data(), new LogSettings(64 << 10, 1 << 20, 10, 1));
        List<PartitionLog> logs = new ArrayList<>();
        for (int partition = 0; partition < 50; partition++) {
            PartitionLog log = engine.open(new LogId(new UUID(5, 5), partition, "many"), 1);
            appendTens(log, 2);
            log.settle(log.endOffset());
            logs.add(log);
        }

        assertThat((long) cell(engine, "files.open")).isLessThanOrEqualTo(10);
        logs.forEach(PartitionLog::close);
        logs.forEach(log ->
                assertThat(offsetsOf(log.read(0, Long.MAX_VALUE, PLENTY, true))).containsExactly(0L, 10L));
        assertThat((long) cell(engine, "files.open")).isLessThanOrEqualTo(10);
    }

    @Test
    void concurrentTrimsShareCheckpointWrites() {
        AtomicInteger writes = new AtomicInteger();
        DiskFiles counting = new DiskFiles() {
            @Override
            void rename(Path from, Path to) throws IOException {
                if (to.getFileName().toString().equals("log-start-offset-checkpoint")) {
                    writes.incrementAndGet();
                    try {
                        Thread.sleep(5);
                    } catch (InterruptedException interrupted) {
                        throw new IOException(interrupted);
                    }
                }
                super.rename(from, to);
            }
        };
        LogStorageEngine engine = new LogStorageEngine(data(), LogSettings.DEFAULT, counting, Clock.systemUTC());
        engines.add(engine);
        List<CompletableFuture<Void>> trims = new ArrayList<>();
        var pool = java.util.concurrent.Executors.newFixedThreadPool(32);
        for (int partition = 0; partition < 200; partition++) {
            PartitionLog log = engine.open(new LogId(new UUID(5, 5), partition, "many"), 1);
            appendTens(log, 1);
            trims.add(CompletableFuture.runAsync(() -> log.trimTo(5), pool));
        }
        trims.forEach(CompletableFuture::join);
        pool.shutdown();
        Directories.copy(data(), temp.resolve("killed"));

        assertThat(writes.get()).isLessThan(150);
        LogStorageEngine second = start(temp.resolve("killed"));
        for (int partition = 0; partition < 200; partition++) {
            assertThat(second.open(new LogId(new UUID(5, 5), partition, "many"), 1)
                            .startOffset())
                    .isEqualTo(5);
        }
    }

    @Test
    void aTopicCreatedAgainDoesNotInheritCheckpoints() {
        LogStorageEngine first = start(data());
        PartitionLog log = first.open(ID, 1);
        appendTens(log, 5);
        log.trimTo(25);
        first.delete(ID);
        LogId again = new LogId(UUID.randomUUID(), 0, "orders");
        PartitionLog fresh = first.open(again, 1);
        appendTens(fresh, 5);
        fresh.settle(fresh.endOffset());
        Directories.copy(data(), temp.resolve("killed"));

        PartitionLog recovered = start(temp.resolve("killed")).open(again, 1);

        assertThat(recovered.startOffset()).isZero();
        assertThat(recovered.endOffset()).isEqualTo(50);
    }

    @Test
    void manyLogsCanBeOpenedInParallelAfterAKill() {
        LogStorageEngine first = start(data());
        for (int partition = 0; partition < 300; partition++) {
            PartitionLog log = first.open(new LogId(new UUID(5, 5), partition, "many"), 1);
            appendTens(log, 2);
            log.settle(log.endOffset());
        }
        Path killed = temp.resolve("killed");
        Directories.copy(data(), killed);
        LogStorageEngine second = start(killed);

        second.logs().parallelStream()
                .forEach(id -> assertThat(second.open(id, 1).endOffset()).isEqualTo(20));

        assertThat(cellIn(second, killed, "recovered.logs")).isEqualTo(300L);
        assertThat(cellIn(second, killed, "logs.open")).isEqualTo(300L);
    }

    @Test
    void aClosedEngineLeavesNoThread() throws InterruptedException {
        LogStorageEngine engine = start(data());
        PartitionLog log = engine.open(ID, 1);
        appendTens(log, 1);
        log.flush(10).toCompletableFuture().join();

        engine.close();

        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            if (thread.getName().startsWith("felice-storage-log")) {
                thread.join(10_000);
                assertThat(thread.isAlive()).as(thread.getName()).isFalse();
            }
        }
    }

    private Object cell(LogStorageEngine engine, String column) {
        return cellIn(engine, data(), column);
    }

    private static Object cellIn(LogStorageEngine engine, Path directory, String column) {
        return engine.tables().get(0).cell(directory.toString(), column).orElseThrow();
    }
}
