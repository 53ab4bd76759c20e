package io.felice.api.storage;

/**
 * A part of a log that can be dropped or replaced whole.
 *
 * @param baseOffset its first offset
 * @param nextOffset the first offset after it
 * @param sizeInBytes bytes of its batches
 * @param maxTimestamp largest max timestamp of its batches, milliseconds; -1 if it is empty
 * @param createdAt when it was started, milliseconds since the epoch
 * @param sealed false for the active segment, the last one
 */
public record Segment(
        long baseOffset, long nextOffset, long sizeInBytes, long maxTimestamp, long createdAt, boolean sealed) {}
