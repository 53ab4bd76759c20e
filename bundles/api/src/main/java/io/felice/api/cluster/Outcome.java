package io.felice.api.cluster;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;

/**
 * The result of one item of a request: a value, or an error with a sentence.
 *
 * @param value null if the item failed or has no value
 * @param error NONE if the item succeeded
 * @param message a sentence for people; null if the item succeeded
 */
public record Outcome<V>(V value, ErrorCode error, String message) {
    public static <V> Outcome<V> of(V value) {
        return new Outcome<>(value, ErrorCode.NONE, null);
    }

    public static <V> Outcome<V> failed(ErrorCode error, String message) {
        return new Outcome<>(null, error, message);
    }

    /** The error code and message of a failure. Wrappers of futures are removed. */
    public static <V> Outcome<V> failed(Throwable failure) {
        return failed(
                FeliceException.codeOf(failure), FeliceException.unwrap(failure).getMessage());
    }

    public boolean isFailed() {
        return error != ErrorCode.NONE;
    }
}
