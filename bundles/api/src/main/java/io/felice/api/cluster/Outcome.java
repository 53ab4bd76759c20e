package io.felice.api.cluster;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;

/**
 * What came of one item of a request: a value, or an error with a sentence.
 *
 * @param value null if it failed, or if there is nothing to say
 * @param error NONE if it worked
 * @param message null if it worked
 */
public record Outcome<V>(V value, ErrorCode error, String message) {
    public static <V> Outcome<V> of(V value) {
        return new Outcome<>(value, ErrorCode.NONE, null);
    }

    public static <V> Outcome<V> failed(ErrorCode error, String message) {
        return new Outcome<>(null, error, message);
    }

    /** The outcome that a failure stands for. */
    public static <V> Outcome<V> failed(Throwable failure) {
        return failed(
                FeliceException.codeOf(failure), FeliceException.unwrap(failure).getMessage());
    }

    public boolean isFailed() {
        return error != ErrorCode.NONE;
    }
}
