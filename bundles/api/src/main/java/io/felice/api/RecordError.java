package io.felice.api;

/**
 * The reason why one record of a batch was refused (KIP-467).
 *
 * @param batchIndex the index of the record in its batch; the first record has 0
 * @param message one sentence for people; null if the error of the partition says everything
 */
public record RecordError(int batchIndex, String message) {
    public RecordError {
        if (batchIndex < 0) {
            throw new IllegalArgumentException("batch index " + batchIndex + " is negative");
        }
    }
}
