package io.felice.broker.partition;

/**
 * The high watermark of a log. A leader moves it to what its {@link InSyncReplicas} say ({@link #leadTo}), a follower to
 * what its leader says ({@link #toldByLeader}). It goes back only when the log is truncated below it ({@link
 * #truncatedTo}) or emptied ({@link #restartedAt}).
 *
 * <p>Any thread. The methods that return a boolean return true if the high watermark moved.
 */
final class HighWatermark {
    private static final int NOBODY = 0;

    private volatile long offset;

    // Guarded by this.
    private int terms;
    private int leader = NOBODY;

    /** @param offset the high watermark of the last checkpoint, or the log start offset */
    HighWatermark(long offset) {
        this.offset = offset;
    }

    long offset() {
        return offset;
    }

    /**
     * This replica leads from now on.
     *
     * @return the term, with which only this leadership moves the high watermark
     */
    synchronized int lead() {
        leader = ++terms;
        return leader;
    }

    /** This replica no longer leads. */
    synchronized void follow() {
        leader = NOBODY;
    }

    /** @param term of {@link #lead}; nothing happens if it is over */
    synchronized boolean leadTo(int term, long to) {
        return term == leader && raise(to);
    }

    /** A fetch response had the leader's high watermark; {@code logEnd} is the log end offset of this replica. */
    synchronized boolean toldByLeader(long leadersOffset, long logEnd) {
        return leader == NOBODY && raise(Math.min(leadersOffset, logEnd));
    }

    synchronized void truncatedTo(long end) {
        offset = Math.min(offset, end);
    }

    /** The log is empty, and begins at {@code start}: the leader has committed and removed all records below. */
    synchronized void restartedAt(long start) {
        offset = start;
    }

    private boolean raise(long to) {
        if (to <= offset) {
            return false;
        }
        offset = to;
        return true;
    }
}
