package io.felice.api.storage;

/**
 * A contiguous part of a log. The engine deletes or replaces a segment as a whole.
 *
 * @param baseOffset the first offset that belongs to the segment
 * @param nextOffset the first offset after the segment
 * @param sizeInBytes the bytes of its batches
 * @param maxTimestamp the largest max timestamp of its batches, in milliseconds since the epoch; -1 if the segment is
 *     empty
 * @param createdAt when the segment was created, in milliseconds since the epoch
 * @param sealed false for the active segment, which is the last one and the only one that grows
 */
public record Segment(
        long baseOffset, long nextOffset, long sizeInBytes, long maxTimestamp, long createdAt, boolean sealed) {}
