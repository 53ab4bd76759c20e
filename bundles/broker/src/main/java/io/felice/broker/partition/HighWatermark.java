package io.felice.broker.partition;

import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Up to which offset the records of a partition are committed, and the state that decides it: who leads, which replicas
 * are in sync, and where the log of each of them ends. A state machine without I/O and without a clock.
 *
 * <p>The high watermark moves in this class alone. On a leader it is the smallest log end of the in-sync replicas; it
 * moves when
 * <ul>
 *   <li>the leader's own log became durable up to a higher offset ({@link #durableTo}),
 *   <li>a follower fetched from a higher offset, so that it has all records below ({@link #fetchedFrom}),
 *   <li>a replica that held it back left the in-sync set ({@link #inSync}).
 * </ul>
 * On a follower it moves when the leader tells a higher one ({@link #toldByLeader}). It never goes back, except when the
 * records themselves are truncated ({@link #truncatedTo}).
 *
 * <p>Any thread. Each call that can move it says whether it did.
 */
final class HighWatermark {
    private static final long UNKNOWN = -1;

    private final int self;
    private volatile long offset;

    // Guarded by this.
    private boolean leads;
    private List<Integer> inSync = List.of();
    private final Map<Integer, Long> ends = new HashMap<>();
    private long ownEnd = UNKNOWN;

    /** @param offset what is known from before: a checkpoint, or where the log starts */
    HighWatermark(int self, long offset) {
        this.self = self;
        this.offset = offset;
    }

    long offset() {
        return offset;
    }

    /**
     * This replica leads from now on. What followers acknowledged to an earlier leader, or to this one in an earlier
     * epoch, does not count.
     *
     * @param durableEnd up to where the own log is durable
     */
    synchronized boolean lead(Collection<Integer> newInSync, long durableEnd) {
        leads = true;
        ends.clear();
        inSync = List.copyOf(newInSync);
        ownEnd = durableEnd;
        return advance();
    }

    /** This replica no longer leads: only a leader's word moves the high watermark from now on. */
    synchronized void follow() {
        leads = false;
        ends.clear();
        inSync = List.of();
    }

    /** The in-sync set of the same leader epoch changed. */
    synchronized boolean inSync(Collection<Integer> newInSync) {
        inSync = List.copyOf(newInSync);
        return advance();
    }

    /** The own log is durable up to {@code end}. */
    synchronized boolean durableTo(long end) {
        ownEnd = Math.max(ownEnd, end);
        return advance();
    }

    /** A follower asked for records from {@code fetchOffset} on. */
    synchronized boolean fetchedFrom(int replica, long fetchOffset) {
        ends.merge(replica, fetchOffset, Math::max);
        return advance();
    }

    /** The leader's high watermark, as a fetch answer brought it; {@code logEnd} is where the own log ends. */
    synchronized boolean toldByLeader(long leadersOffset, long logEnd) {
        return !leads && raise(Math.min(leadersOffset, logEnd));
    }

    /** The log was truncated to {@code end}. */
    synchronized void truncatedTo(long end) {
        ownEnd = Math.min(ownEnd, end);
        offset = Math.min(offset, end);
    }

    private boolean advance() {
        if (!leads) {
            return false;
        }
        long smallest = Long.MAX_VALUE;
        for (int replica : inSync) {
            long end = replica == self ? ownEnd : ends.getOrDefault(replica, UNKNOWN);
            smallest = Math.min(smallest, end);
        }
        return smallest < Long.MAX_VALUE && raise(smallest);
    }

    private boolean raise(long to) {
        if (to <= offset) {
            return false;
        }
        offset = to;
        return true;
    }
}
