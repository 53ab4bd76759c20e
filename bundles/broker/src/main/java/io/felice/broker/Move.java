package io.felice.broker;

import io.felice.api.TopicPartition;
import io.felice.api.partition.LogMove;
import io.felice.api.storage.LogId;
import io.felice.broker.partition.LogCopy;

/**
 * The move of one log to another engine. The phase is changed on the broker's thread, except from WAITING to COPYING; the
 * thread of the {@link Mover} changes the rest. Any thread may read.
 */
final class Move {
    /** After a restart without the topic's name, until the log is open. */
    volatile LogId id;

    final String to;
    volatile String from = "";
    volatile LogMove.Phase phase = LogMove.Phase.WAITING;
    /** Null unless it is open. */
    volatile LogCopy copy;

    volatile long copiedBytes;
    volatile String problem = "";
    /** The engine to which the log is to be moved when this move is cancelled; null if to none. */
    volatile String next;

    // Used by the mover's thread only.
    int failures;
    /** Since the copy had caught up. */
    int flushes;

    /** In nanoseconds of the monotonic clock. */
    long pausedAt;

    long pauseNanos;
    long unflushedBytes;

    Move(LogId id, String to) {
        this.id = id;
        this.to = to;
    }

    TopicPartition partition() {
        return new TopicPartition(id.topic(), id.partition());
    }

    boolean isCancelled() {
        return phase == LogMove.Phase.CANCELLING;
    }

    /** True until the copy has taken the log's place or is to be dropped. */
    boolean isUnderWay() {
        return switch (phase) {
            case WAITING, COPYING, SWITCHING -> true;
            case REMOVING, CANCELLING -> false;
        };
    }

    /** How many offsets the copy is behind; -1 if that is not known. */
    long lag() {
        LogCopy now = copy;
        if (now != null) {
            return now.lag();
        }
        return phase == LogMove.Phase.REMOVING ? 0 : -1;
    }
}
