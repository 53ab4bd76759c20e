package io.felice.api;

import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;

/**
 * An expected failure: an error code for the client and a sentence for people. Made by {@link ErrorCode#because}.
 *
 * <p>It is the failure of one partition, group or topic; the others of the request are answered as if it had not happened.
 * It has no stack trace, because nothing is broken; its cause, if it has one, keeps its stack trace.
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

    /** The records of a batch for which the batch was refused; empty if the failure is of no single record. */
    public List<RecordError> recordErrors() {
        return recordErrors;
    }

    /**
     * The error code of a failure: that of a {@code FeliceException}, also inside the wrappers that futures put around it,
     * else {@link ErrorCode#UNKNOWN_SERVER_ERROR}.
     */
    public static ErrorCode codeOf(Throwable failure) {
        Throwable bare = unwrap(failure);
        return bare instanceof FeliceException expected ? expected.code() : ErrorCode.UNKNOWN_SERVER_ERROR;
    }

    /** The failure itself, without the wrappers that futures put around it. */
    public static Throwable unwrap(Throwable failure) {
        Throwable bare = failure;
        while ((bare instanceof CompletionException || bare instanceof ExecutionException) && bare.getCause() != null) {
            bare = bare.getCause();
        }
        return bare;
    }
}
