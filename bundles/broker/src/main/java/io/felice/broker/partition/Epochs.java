package io.felice.broker.partition;

import io.felice.api.partition.Partition.EpochEnd;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The offsets at which the leader epochs of a log begin. Only the log's writer changes them; any thread may read.
 *
 * <p>Entries ascend in epoch and in offset. An epoch without records is removed when records of another one follow at the
 * same offset.
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

    void takeOver(Epochs other) {
        entries = other.entries;
    }

    /** The newest epoch; -1 if there is none. */
    int latest() {
        List<Entry> now = entries;
        return now.isEmpty() ? -1 : now.get(now.size() - 1).epoch();
    }

    /** Where the epoch begins if it is the newest one; {@code logEnd} if it is not. */
    long startOfLatest(int epoch, long logEnd) {
        List<Entry> now = entries;
        return latest() == epoch ? now.get(now.size() - 1).startOffset() : logEnd;
    }

    /** Does nothing unless the epoch is newer than the latest. */
    void begin(int epoch, long startOffset) {
        if (epoch <= latest()) {
            return;
        }
        List<Entry> changed = new ArrayList<>(entries);
        changed.removeIf(entry -> entry.startOffset() >= startOffset);
        changed.add(new Entry(epoch, startOffset));
        entries = List.copyOf(changed);
    }

    /**
     * A batch of this epoch is appended at {@code startOffset} to a log that ends at {@code logEnd}. An epoch that began at
     * the end has no records and gets none, also if it is the newer one: this node led in it and has appended nothing.
     */
    void append(int epoch, long startOffset, long logEnd) {
        List<Entry> changed = new ArrayList<>(entries);
        changed.removeIf(entry -> entry.startOffset() >= logEnd);
        boolean isNew = changed.isEmpty() || changed.get(changed.size() - 1).epoch() < epoch;
        if (isNew) {
            changed.add(new Entry(epoch, startOffset));
        }
        entries = List.copyOf(changed);
    }

    void truncateTo(long end) {
        List<Entry> changed = new ArrayList<>(entries);
        changed.removeIf(entry -> entry.startOffset() >= end);
        entries = List.copyOf(changed);
    }

    /** The epoch of offset {@code start} begins there now; older epochs are removed. */
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

    /** The epoch of an offset; -1 if the offset lies before the first known epoch. */
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

    /** The answer to Kafka's OffsetForLeaderEpoch: the largest epoch not above {@code epoch}, and its end offset. */
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
     * Where the log of a reader and this one diverge, for a fetch response (KIP-595): at the end of the largest common
     * epoch.
     *
     * @param lastFetchedEpoch the epoch of the reader's last record before {@code fetchOffset}
     * @return empty if the reader may go on; {@link EpochEnd#UNKNOWN} if this log does not know the epoch
     */
    Optional<EpochEnd> divergence(int lastFetchedEpoch, long fetchOffset, long logEnd) {
        EpochEnd end = endOf(lastFetchedEpoch, logEnd);
        boolean parts = end.endOffset() < 0 || end.epoch() < lastFetchedEpoch || end.endOffset() < fetchOffset;
        return parts ? Optional.of(end) : Optional.empty();
    }

    /**
     * The offset to which a follower truncates its log (KIP-279): the smaller end offset of the epoch in the two logs.
     */
    long truncationPoint(EpochEnd leaders, long logEnd) {
        EpochEnd own = endOf(leaders.epoch(), logEnd);
        long ownEnd = own.endOffset() < 0 ? logEnd : own.endOffset();
        return Math.min(leaders.endOffset(), ownEnd);
    }
}
