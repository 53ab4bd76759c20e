package io.felice.api.storage;

/**
 * The size limits of a segment and the density of its offset index.
 *
 * @param segmentBytes the largest size of a segment. A batch that would make the active segment larger goes into a new
 *     segment. A single batch may be larger; it then has a segment to itself
 * @param indexIntervalBytes the bytes of batches between two entries of the offset index
 * @param indexBytes the largest size of a segment's offset index, with 8 bytes for an entry. The next batch goes into a
 *     new segment. An engine without such an index ignores it
 */
public record SegmentSizes(int segmentBytes, int indexIntervalBytes, int indexBytes) {
    private static final int DEFAULT_INDEX_BYTES = 10 << 20;

    /** Kafka's defaults: 1 GiB, 4 KiB, 10 MiB. */
    public static final SegmentSizes DEFAULT = new SegmentSizes(1 << 30, 4096);

    public SegmentSizes {
        if (segmentBytes <= 0 || indexIntervalBytes < 0 || indexBytes <= 0) {
            throw new IllegalArgumentException("segmentBytes " + segmentBytes + ", indexIntervalBytes "
                    + indexIntervalBytes + ", indexBytes " + indexBytes);
        }
    }

    /** With an index of at most 10 MiB. */
    public SegmentSizes(int segmentBytes, int indexIntervalBytes) {
        this(segmentBytes, indexIntervalBytes, DEFAULT_INDEX_BYTES);
    }
}
