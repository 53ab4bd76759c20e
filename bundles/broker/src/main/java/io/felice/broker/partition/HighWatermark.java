package io.felice.broker.partition;

import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The high watermark of a partition, and the state from which it follows: whether this replica leads, which replicas are
 * in sync, and the log end offset of each. A state machine without I/O and without a clock.
 *
 * <p>Only this class moves the high watermark. On a leader it is the smallest log end offset of the in-sync replicas. It
 * moves when
 * <ul>
 *   <li>the leader's own log becomes durable up to a higher offset ({@link #durableTo}),
 *   <li>a follower fetches from a higher offset, so that the follower has all records below ({@link #fetchedFrom}),
 *   <li>the replica with the smallest log end offset leaves the in-sync set ({@link #inSync}).
 * </ul>
 * On a follower it moves when a fetch response has a higher one ({@link #toldByLeader}). It goes back only when the log is
 * truncated below it ({@link #truncatedTo}) or emptied ({@link #restartedAt}).
 *
 * <p>Any thread. The methods that return a boolean return true if the high watermark moved.
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

    /** @param offset the high watermark of the last checkpoint, or the log start offset */
    HighWatermark(int self, long offset) {
        this.self = self;
        this.offset = offset;
    }

    long offset() {
        return offset;
    }

    /**
     * This replica leads from now on. The log end offsets of followers are unknown until each follower fetches in this
     * leader epoch.
     *
     * @param durableEnd the offset up to which this replica's log is durable
     */
    synchronized boolean lead(Collection<Integer> newInSync, long durableEnd) {
        leads = true;
        ends.clear();
        inSync = List.copyOf(newInSync);
        ownEnd = durableEnd;
        return advance();
    }

    /** This replica no longer leads: only {@link #toldByLeader} moves the high watermark from now on. */
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

    synchronized boolean durableTo(long end) {
        ownEnd = Math.max(ownEnd, end);
        return advance();
    }

    /** A follower asked for records from {@code fetchOffset} on. */
    synchronized boolean fetchedFrom(int replica, long fetchOffset) {
        ends.merge(replica, fetchOffset, Math::max);
        return advance();
    }

    /** A fetch response had the leader's high watermark; {@code logEnd} is the log end offset of this replica. */
    synchronized boolean toldByLeader(long leadersOffset, long logEnd) {
        return !leads && raise(Math.min(leadersOffset, logEnd));
    }

    synchronized void truncatedTo(long end) {
        ownEnd = Math.min(ownEnd, end);
        offset = Math.min(offset, end);
    }

    /** The log is empty, and begins at {@code start}: the leader has committed and removed all records below. */
    synchronized void restartedAt(long start) {
        ownEnd = start;
        offset = start;
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
