package io.felice.storage.log;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** A log's segments in the order of their offsets; the last one, the active, grows. The log's monitor guards them. */
final class Segments {
    private final List<SegmentFile> all = new ArrayList<>();
    private SegmentFile active;

    /** The last segment; of a log that was retired, the one that was the last. */
    SegmentFile active() {
        return active;
    }

    /** True only once the log was retired. */
    boolean isEmpty() {
        return all.isEmpty();
    }

    /** True if there is none but the active one. */
    boolean isAlone() {
        return all.size() == 1;
    }

    SegmentFile first() {
        return all.get(0);
    }

    Stream<SegmentFile> stream() {
        return all.stream();
    }

    List<SegmentFile> snapshot() {
        return List.copyOf(all);
    }

    /** The segment that an offset is in or, if it is below all, the first. */
    SegmentFile holding(long offset) {
        return all.get(indexOf(offset));
    }

    private int indexOf(long offset) {
        int low = 0;
        int high = all.size();
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (all.get(middle).baseOffset <= offset) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return Math.max(0, low - 1);
    }

    /** Puts a segment at the end; it is the active one now. */
    void add(SegmentFile segment) {
        all.add(segment);
        active = segment;
    }

    void replace(SegmentFile old, SegmentFile fresh) {
        all.set(all.indexOf(old), fresh);
    }

    /** Takes out the segments before {@code kept}. */
    List<SegmentFile> dropBefore(SegmentFile kept) {
        return drop(all.subList(0, all.indexOf(kept)));
    }

    /** Takes out the segments after {@code kept}, which is the active one now. */
    List<SegmentFile> dropAfter(SegmentFile kept) {
        active = kept;
        return drop(all.subList(all.indexOf(kept) + 1, all.size()));
    }

    List<SegmentFile> dropAll() {
        return drop(all);
    }

    private static List<SegmentFile> drop(List<SegmentFile> part) {
        List<SegmentFile> dropped = List.copyOf(part);
        part.clear();
        return dropped;
    }
}
