package io.felice.storage.log;

import static io.felice.testkit.TestBatches.batch;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.storage.LogId;
import io.felice.api.storage.PartitionLog;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How many fsyncs it takes when many wait for one. */
class FlushGroupTest {
    private static final int LOGS = 16;

    @TempDir
    private Path directory;

    private final GatedFiles files = new GatedFiles();
    private final List<PartitionLog> logs = new ArrayList<>();
    private LogStorageEngine engine;

    /** Fsyncs that begin, and wait until the test lets them through. */
    private static final class GatedFiles extends DiskFiles {
        private final AtomicInteger begun = new AtomicInteger();
        private final Semaphore begins = new Semaphore(0);
        private final Semaphore gate = new Semaphore(0);
        private volatile boolean isGated;

        @Override
        void force(FileChannel channel) throws IOException {
            if (isGated) {
                begun.incrementAndGet();
                begins.release();
                gate.acquireUninterruptibly();
            }
            super.force(channel);
        }

        void mustBegin(int fsyncs) throws InterruptedException {
            assertThat(begins.tryAcquire(fsyncs, 20, TimeUnit.SECONDS))
                    .as("%s fsyncs begin", fsyncs)
                    .isTrue();
        }
    }

    @BeforeEach
    void setUp() {
        engine = new LogStorageEngine(directory, LogSettings.DEFAULT, files, Clock.systemUTC(), false);
        for (int i = 0; i < LOGS; i++) {
            PartitionLog log = engine.open(new LogId(new UUID(1, 1), i, "orders"), 1);
            log.append(batch(1).at(0));
            log.flush(1).toCompletableFuture().join();
            logs.add(log);
        }
        files.isGated = true;
    }

    @AfterEach
    void tearDown() {
        files.isGated = false;
        files.gate.release(10_000);
        engine.close();
    }

    @Test
    void allWhoAskWhileAnFsyncRunsShareTheNextOne() throws InterruptedException {
        PartitionLog log = logs.get(0);
        List<CompletableFuture<Void>> flushes = new ArrayList<>();
        log.append(batch(1).at(1));
        CompletableFuture<Void> first = log.flush(2).toCompletableFuture();
        files.mustBegin(1);

        for (int i = 2; i < 102; i++) {
            log.append(batch(1).at(i));
            flushes.add(log.flush(i + 1).toCompletableFuture());
        }
        assertThat(flushes).noneMatch(CompletableFuture::isDone);
        files.gate.release();
        first.join();
        files.mustBegin(1);
        files.gate.release();
        flushes.forEach(CompletableFuture::join);

        assertThat(files.begun).hasValue(2);
        assertThat(log.flushedOffset()).isEqualTo(102);
    }

    @Test
    void theFsyncsOfManyLogsRunAtTheSameTime() throws InterruptedException {
        List<CompletableFuture<Void>> flushes = new ArrayList<>();
        for (PartitionLog log : logs) {
            log.append(batch(1).at(1));
            flushes.add(log.flush(2).toCompletableFuture());
        }

        files.mustBegin(LOGS);

        assertThat(flushes).noneMatch(CompletableFuture::isDone);
        files.gate.release(LOGS);
        flushes.forEach(CompletableFuture::join);
        assertThat(files.begun).hasValue(LOGS);
    }
}
