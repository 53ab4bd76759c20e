package io.felice.api;

/**
 * Why one record of a batch was refused (KIP-467).
 *
 * @param batchIndex the record's place in its batch, from 0
 * @param message one sentence for people; null if there is nothing to add to the error of the partition
 */
public record RecordError(int batchIndex, String message) {
    public RecordError {
        if (batchIndex < 0) {
            throw new IllegalArgumentException("batch index " + batchIndex + " is negative");
        }
    }
}
