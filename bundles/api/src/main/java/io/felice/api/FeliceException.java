package io.felice.api;

import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;

/**
 * An expected failure: a code the client understands and a fact for people.
 *
 * <p>It is thrown for one partition, group or topic at a time and never fails its neighbours. It carries no stack trace
 * of its own (it is an answer, not an accident); a cause, where there is one, keeps its trace. Made by
 * {@link ErrorCode#because}.
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
     * What a failure means to a client: the code of a {@code FeliceException}, also behind the wrappers that futures
     * put around it, and {@link ErrorCode#UNKNOWN_SERVER_ERROR} for an accident.
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
