package io.felice.api;

import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;

/**
 * An expected failure: an error code for the client and a sentence for people. {@link ErrorCode#because} creates it.
 *
 * <p>It is the failure of one partition, group or topic; the other items of the request are answered as usual. The
 * exception has no stack trace, because no invariant is broken. Its cause, if any, keeps its stack trace.
 */
public final class FeliceException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final ErrorCode code;
    private final transient List<RecordError> recordErrors;

    FeliceException(ErrorCode code, String fact, Throwable cause, List<RecordError> recordErrors) {
        super(fact, cause, false, false);
        this.code = Objects.requireNonNull(code, "code");
        this.recordErrors = List.copyOf(recordErrors);
    }

    public ErrorCode code() {
        return code;
    }

    /** The records because of which a batch was refused (KIP-467); empty if the failure is not about single records. */
    public List<RecordError> recordErrors() {
        return recordErrors;
    }

    /**
     * The error code of a {@code FeliceException}, also if a future has wrapped it in a {@link CompletionException} or
     * {@link ExecutionException}; {@link ErrorCode#UNKNOWN_SERVER_ERROR} for any other failure.
     */
    public static ErrorCode codeOf(Throwable failure) {
        Throwable bare = unwrap(failure);
        return bare instanceof FeliceException expected ? expected.code() : ErrorCode.UNKNOWN_SERVER_ERROR;
    }

    /** The failure without the {@link CompletionException}s and {@link ExecutionException}s around it. */
    public static Throwable unwrap(Throwable failure) {
        Throwable bare = failure;
        while ((bare instanceof CompletionException || bare instanceof ExecutionException) && bare.getCause() != null) {
            bare = bare.getCause();
        }
        return bare;
    }
}
