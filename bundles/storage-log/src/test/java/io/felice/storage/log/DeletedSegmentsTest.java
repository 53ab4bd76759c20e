package io.felice.storage.log;

import static io.felice.testkit.TestBatches.batch;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.storage.LogId;
import io.felice.api.storage.PartitionLog;
import io.felice.api.storage.Segment;
import io.felice.api.storage.SegmentSizes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What becomes of the files of dropped segments, and when a full index seals a segment. */
class DeletedSegmentsTest {
    private static final LogId ORDERS = new LogId(new UUID(1, 1), 0, "orders");
    private static final Duration HOUR = Duration.ofHours(1);

    @TempDir
    private Path directory;

    private final NearlyFullFiles files = new NearlyFullFiles();
    private LogStorageEngine engine;
    private PartitionLog log;

    private static final class NearlyFullFiles extends DiskFiles {
        private volatile boolean isNearlyFull;

        @Override
        long usableSpace(Path path) throws IOException {
            return isNearlyFull ? 0 : super.usableSpace(path);
        }
    }

    @BeforeEach
    void setUp() {
        engine = new LogStorageEngine(directory, LogSettings.DEFAULT, files, Clock.systemUTC(), false);
        log = engine.open(ORDERS, 1);
        log.configure(new SegmentSizes(1_000, 4096));
        for (int i = 0; i < 20; i++) {
            log.append(batch(1).valueBytes(300).at(i));
        }
        log.settle(log.endOffset());
    }

    @AfterEach
    void tearDown() {
        engine.close();
    }

    @Test
    void withoutADelayTheFilesGoAtOnce() throws IOException {
        log.trimTo(10);

        assertThat(deletedFiles()).isEmpty();
    }

    @Test
    void withADelayTheFilesStayUnderAnotherNameAndTheRecordsAreGone() throws IOException {
        log.deleteFilesAfter(HOUR);

        log.trimTo(10);
        engine.sweep();

        assertThat(deletedFiles()).hasSizeGreaterThan(3).allMatch(name -> name.endsWith(".log.deleted"));
        assertThatThrownBy(() -> log.read(0, 20, 1_000, true))
                .isInstanceOf(FeliceException.class)
                .extracting(FeliceException::codeOf)
                .isEqualTo(ErrorCode.OFFSET_OUT_OF_RANGE);
        assertThat(log.segments().get(0).baseOffset()).isGreaterThan(7);
    }

    @Test
    void theSweepAfterTheDelayDeletesThem() throws Exception {
        log.deleteFilesAfter(Duration.ofMillis(1));
        log.trimTo(10);
        Thread.sleep(2);

        engine.sweep();

        assertThat(deletedFiles()).isEmpty();
    }

    @Test
    void theNextStartDeletesThem() throws IOException {
        log.deleteFilesAfter(HOUR);
        log.trimTo(10);
        engine.close();
        assertThat(deletedFiles()).isNotEmpty();

        engine = new LogStorageEngine(directory, LogSettings.DEFAULT, files, Clock.systemUTC(), false);
        PartitionLog again = engine.open(ORDERS, 2);

        assertThat(deletedFiles()).isEmpty();
        assertThat(again.startOffset()).isEqualTo(10);
        assertThat(again.endOffset()).isEqualTo(20);
    }

    @Test
    void aFullDiskDoesNotWaitForTheDelay() throws IOException {
        log.deleteFilesAfter(HOUR);
        log.trimTo(5);
        assertThat(deletedFiles()).isNotEmpty();
        files.isNearlyFull = true;

        engine.sweep();
        log.trimTo(10);

        assertThat(deletedFiles()).isEmpty();
    }

    @Test
    void aFullIndexSealsTheSegment() {
        int end = (int) log.endOffset();
        log.configure(new SegmentSizes(1 << 20, 0, 80));
        log.roll();

        for (int i = 0; i < 40; i++) {
            log.append(batch(1).at(end + i));
        }

        List<Segment> segments = log.segments();
        List<Segment> added =
                segments.stream().filter(segment -> segment.baseOffset() >= end).toList();
        assertThat(added).hasSize(4);
        assertThat(added.get(0).nextOffset() - added.get(0).baseOffset()).isEqualTo(11);
    }

    private List<String> deletedFiles() throws IOException {
        try (Stream<Path> all = Files.list(directory.resolve("orders-0"))) {
            return all.map(file -> file.getFileName().toString())
                    .filter(name -> name.contains("deleted"))
                    .toList();
        }
    }
}
