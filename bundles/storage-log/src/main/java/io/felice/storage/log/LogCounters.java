package io.felice.storage.log;

import java.util.concurrent.atomic.LongAdder;

/** The counters that the engine shows in its status table. */
final class LogCounters {
    final LongAdder settles = new LongAdder();
    final LongAdder bytesWritten = new LongAdder();
    final LongAdder fsyncs = new LongAdder();
    final LongAdder pinnedBytes = new LongAdder();
    final LongAdder recoveredLogs = new LongAdder();
    final LongAdder recoveryNanos = new LongAdder();
    final LongAdder scannedBytes = new LongAdder();
    final LongAdder failedLogs = new LongAdder();
}
