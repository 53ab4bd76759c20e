package io.felice.api.storage;

/**
 * When an engine starts a new segment by itself, and how densely it indexes.
 *
 * @param segmentBytes a batch that would make the active segment larger starts a new one
 * @param indexIntervalBytes bytes between two entries of the offset index
 */
public record SegmentSizes(int segmentBytes, int indexIntervalBytes) {
    /** Kafka's defaults: 1 GiB, 4 KiB. */
    public static final SegmentSizes DEFAULT = new SegmentSizes(1 << 30, 4096);

    public SegmentSizes {
        if (segmentBytes <= 0 || indexIntervalBytes < 0) {
            throw new IllegalArgumentException(
                    "segmentBytes " + segmentBytes + ", indexIntervalBytes " + indexIntervalBytes);
        }
    }
}
