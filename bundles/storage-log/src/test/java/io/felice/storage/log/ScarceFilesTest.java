package io.felice.storage.log;

import static io.felice.testkit.TestBatches.batch;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.FileDescriptors;
import io.felice.api.storage.LogId;
import io.felice.api.storage.PartitionLog;
import io.felice.api.storage.Records;
import java.io.IOException;
import java.nio.channels.Channel;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests an engine with more logs than its process may open files. */
class ScarceFilesTest {
    private static final int LOGS = 100;
    private static final int POSSIBLE = 60;
    private static final LogSettings SETTINGS = new LogSettings(512 << 10, 0, 8_000, 2);

    @TempDir
    Path temp;

    private final Scarce files = new Scarce();

    /** File operations of an operating system with a low limit of open files. */
    private static final class Scarce extends DiskFiles {
        private final List<FileChannel> channels = new ArrayList<>();
        private int others;
        private int most;
        private int refused;

        @Override
        synchronized FileChannel openNow(Path file, OpenOption... options) throws IOException {
            if (free() <= 0) {
                refused++;
                throw new FileSystemException(file.toString(), null, "Too many open files");
            }
            FileChannel channel = super.openNow(file, options);
            channels.add(channel);
            most = Math.max(most, channels.size());
            return channel;
        }

        synchronized long free() {
            channels.removeIf(channel -> !channel.isOpen());
            return POSSIBLE - others - channels.size();
        }

        synchronized void takenByOthers(int number) {
            others = number;
        }

        synchronized long open() {
            return channels.stream().filter(Channel::isOpen).count();
        }
    }

    @Test
    void allLogsAreWrittenAndReadAlthoughTheSystemRefusesToOpenMoreFiles() {
        OpenFiles unaware = new OpenFiles(8_000, FileDescriptors.PLENTY, () -> FileDescriptors.PLENTY);
        try (LogStorageEngine engine = new LogStorageEngine(temp, SETTINGS, files, Clock.systemUTC(), false, unaware)) {
            writeAndReadAll(engine);
        }
        assertThat(files.refused).isPositive();
    }

    @Test
    void anEngineThatKnowsTheLimitOfTheProcessStaysBelowIt() {
        OpenFiles aware = new OpenFiles(8_000, POSSIBLE, files::free);
        try (LogStorageEngine engine = new LogStorageEngine(temp, SETTINGS, files, Clock.systemUTC(), false, aware)) {
            writeAndReadAll(engine);
        }
        assertThat(files.refused).isZero();
        assertThat(files.most).isLessThan(POSSIBLE);
    }

    @Test
    void idleFilesAreClosedWhenConnectionsNeedThem() {
        OpenFiles aware = new OpenFiles(8_000, POSSIBLE, files::free);
        try (LogStorageEngine engine = new LogStorageEngine(temp, SETTINGS, files, Clock.systemUTC(), false, aware)) {
            writeAndReadAll(engine);
            long before = files.open();

            files.takenByOthers(30);
            engine.cutOffZeros();

            assertThat(files.open()).isLessThan(before);
            assertThat(files.free()).isPositive();
            writeAndReadAll(engine);
        }
    }

    private static void writeAndReadAll(LogStorageEngine engine) {
        for (int number = 0; number < LOGS; number++) {
            PartitionLog log = log(engine, number);
            log.append(batch(10).at(log.endOffset()));
            log.settle(log.endOffset());
        }
        for (int number = 0; number < LOGS; number++) {
            PartitionLog log = log(engine, number);
            try (Records last = log.read(log.endOffset() - 10, Long.MAX_VALUE, 1 << 20, true)) {
                assertThat(last.sizeInBytes()).isPositive();
            }
        }
    }

    private static PartitionLog log(LogStorageEngine engine, int number) {
        return engine.open(new LogId(new UUID(1, number), 0, "topic-" + number), 1);
    }
}
