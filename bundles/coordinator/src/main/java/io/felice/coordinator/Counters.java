package io.felice.coordinator;

import java.util.concurrent.atomic.LongAdder;

/** Counts what the coordinator has done since it started. From any thread. */
final class Counters {
    final LongAdder loads = new LongAdder();
    final LongAdder loadMs = new LongAdder();
    final LongAdder loadedRecords = new LongAdder();
    final LongAdder rebalances = new LongAdder();
    final LongAdder expiredMembers = new LongAdder();
    final LongAdder expiredOffsets = new LongAdder();
    final LongAdder commits = new LongAdder();
}
