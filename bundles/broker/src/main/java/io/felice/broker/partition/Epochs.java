package io.felice.broker.partition;

import io.felice.api.partition.Partition.EpochEnd;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Where each leader epoch of a log begins. One writer, the partition's owner; readers see the newest list.
 *
 * <p>Entries ascend in epoch and in offset. An epoch without records is forgotten when the next one begins at the same
 * offset.
 */
public final class Epochs {
    /** An epoch and the offset of its first record. */
    public record Entry(int epoch, long startOffset) {}

    private volatile List<Entry> entries;

    Epochs(List<Entry> entries) {
        this.entries = List.copyOf(entries);
    }

    List<Entry> entries() {
        return entries;
    }

    /** The newest epoch; -1 if there is none. */
    int latest() {
        List<Entry> now = entries;
        return now.isEmpty() ? -1 : now.get(now.size() - 1).epoch();
    }

    /** The epoch begins at this offset, unless it is known already. */
    void begin(int epoch, long startOffset) {
        if (epoch <= latest()) {
            return;
        }
        List<Entry> changed = new ArrayList<>(entries);
        changed.removeIf(entry -> entry.startOffset() >= startOffset);
        changed.add(new Entry(epoch, startOffset));
        entries = List.copyOf(changed);
    }

    /** Forgets epochs that begin at {@code end} or later. */
    void truncateTo(long end) {
        List<Entry> changed = new ArrayList<>(entries);
        changed.removeIf(entry -> entry.startOffset() >= end);
        entries = List.copyOf(changed);
    }

    /** The log now begins at {@code start}: the epoch of that offset begins there, older ones are forgotten. */
    void trimTo(long start) {
        List<Entry> now = entries;
        List<Entry> changed = new ArrayList<>();
        for (int i = 0; i < now.size(); i++) {
            boolean last = i == now.size() - 1;
            if (last || now.get(i + 1).startOffset() > start) {
                Entry entry = now.get(i);
                changed.add(new Entry(entry.epoch(), Math.max(start, entry.startOffset())));
            }
        }
        entries = List.copyOf(changed);
    }

    /** The epoch of an offset; -1 if it lies before all that is known. */
    int of(long offset) {
        int found = -1;
        for (Entry entry : entries) {
            if (entry.startOffset() > offset) {
                break;
            }
            found = entry.epoch();
        }
        return found;
    }

    /** As Kafka's OffsetForLeaderEpoch answers it: the largest epoch not above {@code epoch}, and where it ends. */
    EpochEnd endOf(int epoch, long logEnd) {
        List<Entry> now = entries;
        if (epoch < 0 || now.isEmpty() || epoch > now.get(now.size() - 1).epoch()) {
            return EpochEnd.UNKNOWN;
        }
        int floor = -1;
        for (Entry entry : now) {
            if (entry.epoch() > epoch) {
                return new EpochEnd(floor < 0 ? epoch : floor, entry.startOffset());
            }
            floor = entry.epoch();
        }
        return new EpochEnd(floor, logEnd);
    }

    /**
     * Where the log of a reader and this one part, as the leader answers a fetch (KIP-595). The two agree up to the end of
     * the largest epoch that both have.
     *
     * @param lastFetchedEpoch the epoch of the reader's record before {@code fetchOffset}
     * @return empty if the reader may go on from {@code fetchOffset}; {@link EpochEnd#UNKNOWN} if this log does not know the
     *     epoch
     */
    Optional<EpochEnd> divergence(int lastFetchedEpoch, long fetchOffset, long logEnd) {
        EpochEnd end = endOf(lastFetchedEpoch, logEnd);
        boolean parts = end.endOffset() < 0 || end.epoch() < lastFetchedEpoch || end.endOffset() < fetchOffset;
        return parts ? Optional.of(end) : Optional.empty();
    }

    /**
     * To which offset a follower truncates its log after the leader told the end of an epoch (KIP-279): never beyond what
     * the leader has of that epoch, and never beyond what this log itself has of it.
     */
    long truncationPoint(EpochEnd leaders, long logEnd) {
        EpochEnd own = endOf(leaders.epoch(), logEnd);
        long ownEnd = own.endOffset() < 0 ? logEnd : own.endOffset();
        return Math.min(leaders.endOffset(), ownEnd);
    }
}
