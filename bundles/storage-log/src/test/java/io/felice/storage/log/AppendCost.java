package io.felice.storage.log;

import io.felice.api.RecordBatch;
import io.felice.api.storage.LogId;
import io.felice.api.storage.PartitionLog;
import io.felice.testkit.TestBatches;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.UUID;

/**
 * Measures CPU time and garbage of appending a 1 KB batch, with 16 batches per settle. Run by hand; the argument is a
 * directory.
 */
final class AppendCost {
    private static final int ROUNDS = 10;
    private static final int APPENDS = 200_000;
    private static final int APPENDS_PER_SETTLE = 16;

    private AppendCost() {}

    public static void main(String[] args) {
        var thread = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        byte[] bytes = TestBatches.copyOf(TestBatches.batch(1).valueBytes(955).at(0));
        ByteBuffer frame = ByteBuffer.allocateDirect(bytes.length).put(0, bytes);
        RecordBatch batch = new RecordBatch(frame, 0);
        LogId id = new LogId(UUID.randomUUID(), 0, "cost");
        try (LogStorageEngine engine = new LogStorageEngine(Path.of(args[0]), LogSettings.DEFAULT)) {
            PartitionLog log = engine.open(id, 1);
            long offset = 0;
            for (int round = 0; round < ROUNDS; round++) {
                long cpu = thread.getCurrentThreadCpuTime();
                long garbage = thread.getCurrentThreadAllocatedBytes();
                for (int i = 1; i <= APPENDS; i++) {
                    batch.stamp(offset++, 0);
                    log.append(batch);
                    if (i % APPENDS_PER_SETTLE == 0) {
                        log.settle(log.endOffset());
                    }
                }
                System.out.printf(
                        "%d bytes: %.3f us CPU and %.1f bytes of garbage per append%n",
                        bytes.length,
                        (thread.getCurrentThreadCpuTime() - cpu) / 1_000.0 / APPENDS,
                        (thread.getCurrentThreadAllocatedBytes() - garbage) / (double) APPENDS);
                log.trimTo(log.segments().get(log.segments().size() - 1).baseOffset());
            }
        }
    }
}
