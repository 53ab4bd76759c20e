package io.felice.broker.partition;

import static io.felice.broker.partition.Bench.get;
import static io.felice.broker.partition.Bench.produce;
import static io.felice.broker.partition.Bench.refused;
import static io.felice.testkit.TestBatches.batch;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.RecordBatch;
import io.felice.api.config.TopicConfig;
import io.felice.api.partition.Partition.ReadLimit;
import io.felice.api.storage.PartitionLog;
import io.felice.api.storage.Records;
import io.felice.api.storage.Replacement;
import io.felice.api.storage.Segment;
import io.felice.broker.partition.Damages.Damage;
import io.felice.records.Batches;
import io.felice.storage.log.LogSettings;
import io.felice.storage.log.LogStorageEngine;
import io.felice.testkit.TestBatches;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Bytes that change on the disk under a partition, and what its readers get. */
class ScrubTest {
    private static final int BATCHES = 60;
    private static final int SEGMENT_BYTES = 5_000;
    private static final int CHUNK_BYTES = 1 << 20;
    private static final long WEEK_MS = 604_800_000;

    @TempDir
    private Path directory;

    private Bench bench;
    private LogStorageEngine files;

    @BeforeEach
    void setUp() {
        files = new LogStorageEngine(directory.resolve("logs"), LogSettings.DEFAULT);
        bench = new Bench(directory.resolve("state"), files).with(TopicConfig.SEGMENT_BYTES, SEGMENT_BYTES);
    }

    @AfterEach
    void tearDown() {
        bench.close();
        files.close();
    }

    @Test
    void whicheverByteChangesItsBatchIsRefusedAndAllOthersAreReadAsTheyWere() throws IOException {
        long seed = new Random().nextLong();
        System.out.println("ScrubTest seed " + seed);
        Random random = new Random(seed);
        bench.with(TopicConfig.INDEX_INTERVAL_BYTES, 0);
        LeaderPartition partition = filled(random);
        Map<Long, byte[]> written = readable(partition);
        List<Path> sealed = sealedFiles();
        pass(partition);
        assertThat(damages(partition)).isEmpty();

        for (int round = 0; round < 300; round++) {
            Path file = sealed.get(random.nextInt(sealed.size()));
            long at = round < RecordBatch.HEADER_BYTES ? round : random.nextLong(Files.size(file));
            byte mask = (byte) (1 << random.nextInt(8));
            flip(file, at, mask);
            pass(partition);

            String where = "byte " + at + " of " + file.getFileName() + ", seed " + seed;
            assertThat(damages(partition)).as(where).hasSize(1);
            Map<Long, byte[]> left = readable(partition);
            assertThat(left.size()).as(where).isBetween(BATCHES - 2, BATCHES - 1);
            left.forEach((offset, bytes) -> assertThat(bytes).as(where).isEqualTo(written.get(offset)));

            flip(file, at, mask);
            pass(partition);
            assertThat(damages(partition)).as("mended, " + where).isEmpty();
        }
        assertThat(readable(partition)).hasSize(BATCHES);
    }

    @Test
    void aWholePageOfZerosIsOneDamage() throws IOException {
        LeaderPartition partition = filled(new Random(1));
        Path file = sealedFiles().get(1);
        overwrite(file, 1_000, new byte[2_000]);

        pass(partition);

        Damage damage = damages(partition).get(0);
        assertThat(damages(partition)).hasSize(1);
        refused(ErrorCode.CORRUPT_MESSAGE, () -> partition.readHere(damage.from(), 100, ReadLimit.LOG_END, true));
        refused(ErrorCode.CORRUPT_MESSAGE, () -> partition.readHere(damage.to() - 1, 100, ReadLimit.LOG_END, true));
        assertThat(nextOffset(partition, damage.from() - 1)).isEqualTo(damage.from());
        assertThat(nextOffset(partition, damage.to())).isGreaterThan(damage.to());
    }

    @Test
    void whatCannotBeReadForWantOfOpenFilesIsNoDamage() {
        LeaderPartition partition = filled(new Random(1));
        bench.engine.readFailure = ErrorCode.KAFKA_STORAGE_ERROR.because("Too many open files, said by a test");

        pass(partition);

        assertThat(damages(partition)).isEmpty();
        bench.engine.readFailure = null;
        assertThat(readable(partition)).hasSize(BATCHES);
    }

    @Test
    void aBatchWithTheLeaderEpochOfALaterOneIsFound() throws IOException {
        LeaderPartition first = bench.with(TopicConfig.SEGMENT_BYTES, 1_000_000).open(0);
        get(produce(first, batch(1)));
        get(produce(first, batch(2)));
        get(produce(first, batch(1)));
        get(first.log().close());
        LeaderPartition second = bench.open(1);
        get(produce(second, batch(1)));
        LeaderPartition partition = reopened(second);
        long sizeOfFirst = TestBatches.copyOf(batch(1).at(0)).length;
        flip(segmentFiles().get(0), sizeOfFirst + RecordBatch.LEADER_EPOCH_AT + 3, (byte) 1);

        pass(partition);
        pass(partition);

        assertThat(damages(partition)).extracting(Damage::from, Damage::to).containsExactly(tuple(1L, 3L));
    }

    @Test
    void theLastBatchOfASegmentWithAnOffsetOfTheNextOneIsFound() throws IOException {
        LeaderPartition partition = filled(new Random(1));
        Path file = sealedFiles().get(0);
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file));
        RecordBatch last = RecordBatch.at(bytes);
        while (last.sizeInBytes() < bytes.remaining()) {
            bytes.position(bytes.position() + last.sizeInBytes());
            last = RecordBatch.at(bytes);
        }
        long from = last.baseOffset();
        long to = last.nextOffset();
        byte toTheNext = (byte) (from ^ (to + 1));
        flip(file, bytes.position() + Long.BYTES - 1, toTheNext);

        pass(partition);

        assertThat(damages(partition)).extracting(Damage::from, Damage::to).containsExactly(tuple(from, to));
        assertThat(readable(partition)).hasSize(BATCHES - 1);
    }

    @Test
    void aDamageIsKnownAfterARestart() throws IOException {
        LeaderPartition before = filled(new Random(1));
        flip(sealedFiles().get(0), 100, (byte) 1);
        pass(before);
        List<Damage> found = damages(before);

        LeaderPartition after = reopened(before);

        assertThat(damages(after)).isEqualTo(found).isNotEmpty();
        refused(ErrorCode.CORRUPT_MESSAGE, () -> after.readHere(found.get(0).from(), 100, ReadLimit.LOG_END, true));
    }

    @Test
    void aDamageGoesWithItsRecords() throws IOException {
        LeaderPartition partition = filled(new Random(1));
        flip(sealedFiles().get(0), 100, (byte) 1);
        pass(partition);
        Damage damage = damages(partition).get(0);

        get(partition.deleteRecords(damage.to()));

        assertThat(damages(partition)).isEmpty();
        assertThat(partition.logStartOffset()).isEqualTo(damage.to());
    }

    @Test
    void anOffsetThatWasTruncatedAndWrittenAgainIsReadAgain() throws IOException {
        LeaderPartition partition = filled(new Random(1));
        flip(sealedFiles().get(1), 100, (byte) 1);
        pass(partition);
        Damage damage = damages(partition).get(0);

        partition = truncate(partition, damage.from());
        get(produce(partition, batch(1)));

        assertThat(nextOffset(partition, damage.from())).isEqualTo(damage.from() + 1);
    }

    @Test
    void aReadingThatATruncationOvertookNotesNothing() {
        Damages damages = new Damages(Bench.ORDERS);
        int before = damages.truncations();

        damages.truncatedTo(5);

        assertThat(damages.found(0, 10, List.of(new Damage(3, 4, "a test says so", 0)), before))
                .isFalse();
        assertThat(damages.all()).isEmpty();
    }

    @Test
    void theActiveSegmentIsReadOnceNobodyAppendsAnyMore() throws IOException {
        LeaderPartition before =
                bench.with(TopicConfig.SEGMENT_BYTES, 1_000_000).open(0);
        get(produce(before, batch(1)));
        get(produce(before, batch(1)));
        LeaderPartition after = reopened(before);
        flip(segmentFiles().get(0), 65, (byte) 1);

        pass(after);
        assertThat(damages(after)).as("somebody may append").isEmpty();
        pass(after);

        assertThat(damages(after)).extracting(Damage::from).containsExactly(0L);
    }

    @Test
    void aLogIsReadOnceInAnIntervalAlsoAcrossARestart() {
        LeaderPartition partition = filled(new Random(1));
        Scrub scrub = partition.log().scrub();
        assertThat(scrub.overdueMs(WEEK_MS)).isNegative();
        bench.pass(WEEK_MS);
        assertThat(scrub.overdueMs(WEEK_MS)).isNotNegative();
        pass(partition);
        assertThat(scrub.overdueMs(WEEK_MS)).isEqualTo(-WEEK_MS);
        get(partition.log().close());
        bench.pass(WEEK_MS / 2);

        Scrub after = bench.open(1).log().scrub();

        assertThat(after.overdueMs(WEEK_MS)).isEqualTo(-WEEK_MS / 2);
    }

    @Test
    void nothingIsFoundInASoundLogThatChangesMeanwhile() throws Exception {
        long seed = new Random().nextLong();
        System.out.println("ScrubTest seed " + seed);
        Random random = new Random(seed);
        LeaderPartition first = filled(random);
        LeaderPartition partition = first;
        AtomicBoolean ends = new AtomicBoolean();
        List<Throwable> failures = new ArrayList<>();
        Thread reader = new Thread(() -> {
            try {
                while (!ends.get()) {
                    pass(first);
                }
            } catch (RuntimeException | Error failure) {
                failures.add(failure);
            }
        });
        reader.start();

        for (int round = 0; round < 1_500; round++) {
            switch (random.nextInt(8)) {
                case 0 -> partition = truncate(partition, partition.logEndOffset() - random.nextInt(10));
                case 1 -> get(partition.deleteRecords(
                        Math.min(partition.highWatermark(), partition.logStartOffset() + random.nextInt(3))));
                case 2 -> rewrite(partition, random);
                default -> get(produce(partition, batch(1 + random.nextInt(4)).valueBytes(random.nextInt(300))));
            }
        }
        ends.set(true);
        reader.join();

        assertThat(failures).as("seed %s", seed).isEmpty();
        assertThat(damages(partition)).as("seed %s", seed).isEmpty();
        assertThat(partition.log().scrub().passes()).isPositive();
    }

    // ---- the partition

    /** Starts anew, so that nothing of the logs is in memory. */
    private LeaderPartition reopened(LeaderPartition partition) {
        get(partition.log().close());
        Map<String, String> config = bench.config;
        bench.close();
        files.close();
        setUp();
        bench.config.putAll(config);
        return bench.open(partition.leaderEpoch());
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
        return reopened(partition);
    }

    private static void pass(LeaderPartition partition) {
        while (partition.log().scrub().step(CHUNK_BYTES).isPresent()) {}
    }

    private static List<Damage> damages(LeaderPartition partition) {
        return partition.log().scrub().damages().all();
    }

    /** The log is truncated while the replica does not lead, and led again. */
    private static LeaderPartition truncate(LeaderPartition partition, long to) {
        OpenedLog log = partition.log();
        partition.resign();
        return get(log.become(() -> {
            log.truncateTo(Math.max(log.startOffset(), to));
            return log.lead(Bench.state(partition.leaderEpoch() + 1), new BatchAdmission(), new AloneHost());
        }));
    }

    /** Replaces a sealed segment by one without one of its batches, as compaction does. */
    private static void rewrite(LeaderPartition partition, Random random) {
        PartitionLog log = partition.log().engineLog();
        List<Segment> sealed = log.segments().stream().filter(Segment::sealed).toList();
        if (sealed.isEmpty()) {
            return;
        }
        Segment segment = sealed.get(random.nextInt(sealed.size()));
        List<RecordBatch> batches = new ArrayList<>();
        LogScan.walk(log, Math.max(segment.baseOffset(), log.startOffset()), segment.nextOffset(), batch -> {
            batches.add(new RecordBatch(ByteBuffer.wrap(TestBatches.copyOf(batch)), 0));
            return true;
        });
        if (batches.size() > 1) {
            batches.remove(random.nextInt(batches.size()));
        }
        try (Replacement replacement = log.replace(List.of(segment))) {
            batches.forEach(replacement::append);
            replacement.prepare();
            get(partition.log().writer().executeAlone(() -> {
                replacement.commit();
                return null;
            }));
        }
    }

    private static long nextOffset(LeaderPartition partition, long from) {
        try (Records records = partition.readHere(from, 1, ReadLimit.LOG_END, true)) {
            return records.nextOffset();
        }
    }

    /** The batches that a client can read, by their base offset. A client seeks over what it cannot read. */
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

    // ---- the files

    private List<Path> segmentFiles() throws IOException {
        try (Stream<Path> all = Files.walk(directory.resolve("logs"))) {
            return all.filter(file -> file.toString().endsWith(".log")).sorted().toList();
        }
    }

    private List<Path> sealedFiles() throws IOException {
        List<Path> all = segmentFiles();
        return all.stream().filter(file -> file.toFile().length() > 0).toList();
    }

    private static void flip(Path file, long at, byte mask) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            ByteBuffer one = ByteBuffer.allocate(1);
            channel.read(one, at);
            one.put(0, (byte) (one.get(0) ^ mask));
            channel.write(one.rewind(), at);
        }
    }

    private static void overwrite(Path file, long at, byte[] bytes) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(bytes), at);
        }
    }
}
