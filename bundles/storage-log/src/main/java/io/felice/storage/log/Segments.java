package io.felice.storage.log;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * The list of a log's segments in the order of their offsets; the last one is the active segment. The log's monitor
 * guards it.
 */
final class Segments {
    private final List<SegmentFile> all = new ArrayList<>();
    private SegmentFile active;

    /** The last segment, also after {@link #dropAll}. */
    SegmentFile active() {
        return active;
    }

    /** True only after {@link SegmentedLog#retire}. */
    boolean isEmpty() {
        return all.isEmpty();
    }

    /** True if the active segment is the only one. */
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

    /** The segment that holds an offset; the first segment if the offset is below all. */
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

    /** Adds a segment at the end; it becomes the active one. */
    void add(SegmentFile segment) {
        all.add(segment);
        active = segment;
    }

    /** True if these follow each other, and none of them is the active one. */
    boolean haveSealed(List<SegmentFile> neighbours) {
        int first = all.indexOf(neighbours.get(0));
        int next = first + neighbours.size();
        return first >= 0 && next < all.size() && all.subList(first, next).equals(neighbours);
    }

    void replace(List<SegmentFile> neighbours, SegmentFile fresh) {
        int first = all.indexOf(neighbours.get(0));
        all.subList(first, first + neighbours.size()).clear();
        all.add(first, fresh);
    }

    /** Removes and returns the segments before {@code kept}. */
    List<SegmentFile> dropBefore(SegmentFile kept) {
        return drop(all.subList(0, all.indexOf(kept)));
    }

    /** Removes and returns the segments after {@code kept}, which becomes the active one. */
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
