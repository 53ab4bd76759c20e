package io.felice.api.storage;

/**
 * The size limit of a segment and the density of its offset index.
 *
 * @param segmentBytes the largest size of a segment. A batch that would make the active segment larger goes into a new
 *     segment. A single batch may be larger; it then has a segment to itself
 * @param indexIntervalBytes the bytes of batches between two entries of the offset index
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
