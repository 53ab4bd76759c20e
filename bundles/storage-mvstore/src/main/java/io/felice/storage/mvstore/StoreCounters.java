package io.felice.storage.mvstore;

import java.util.List;
import java.util.concurrent.atomic.LongAccumulator;
import java.util.concurrent.atomic.LongAdder;

/** What the engine counts for its status table. */
final class StoreCounters {
    final LongAdder commits = new LongAdder();
    final LongAdder committedLogs = new LongAdder();
    final LongAdder committedBytes = new LongAdder();
    final LongAdder fsyncs = new LongAdder();
    final LongAdder failedLogs = new LongAdder();
    final LongAdder deletedFiles = new LongAdder();
    /** In nanoseconds. */
    final LongAccumulator longestCommit = new LongAccumulator(Math::max, 0);

    void committed(List<StoredLog.Put> puts, long nanos) {
        commits.increment();
        committedLogs.add(puts.size());
        committedBytes.add(puts.stream().mapToLong(StoredLog.Put::bytes).sum());
        longestCommit.accumulate(nanos);
    }
}
