package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.FoldedErrors;
import io.felice.api.RecordError;
import io.felice.protocol.RequestContext;
import java.util.List;
import org.slf4j.LoggerFactory;

/** Translates failures to error codes. An unexpected failure is logged here, because the client gets only its number. */
final class Failures {
    private static final FoldedErrors errors = new FoldedErrors(LoggerFactory.getLogger(Failures.class));

    private Failures() {}

    /** The code of an expected failure. Any other failure is logged and becomes UNKNOWN_SERVER_ERROR. */
    static ErrorCode codeOf(Throwable failure, RequestContext context) {
        Throwable bare = FeliceException.unwrap(failure);
        if (bare instanceof FeliceException expected) {
            return expected.code();
        }
        errors.error(
                "A request of API " + context.apiKey() + " version " + context.apiVersion() + " from "
                        + context.clientId() + " (" + context.connection().remote()
                        + ") failed unexpectedly; the client gets UNKNOWN_SERVER_ERROR",
                bare);
        return ErrorCode.UNKNOWN_SERVER_ERROR;
    }

    /**
     * As {@link #codeOf}, for one partition of a request. A partition that this broker is about to lead answers
     * NOT_LEADER_OR_FOLLOWER, not LEADER_NOT_AVAILABLE: fetching clients know only the former as an error to retry after.
     */
    static ErrorCode ofPartition(Throwable failure, RequestContext context) {
        return ofPartition(codeOf(failure, context));
    }

    static ErrorCode ofPartition(ErrorCode error) {
        return error == ErrorCode.LEADER_NOT_AVAILABLE ? ErrorCode.NOT_LEADER_OR_FOLLOWER : error;
    }

    /**
     * The error for a topic that a Metadata request asked for and created. It is LEADER_NOT_AVAILABLE if the topic was
     * created, if it exists already, or if there was no decision. The client then asks again.
     */
    static ErrorCode ofCreation(ErrorCode error) {
        return switch (error) {
            case NONE, TOPIC_ALREADY_EXISTS, REQUEST_TIMED_OUT, NOT_CONTROLLER, COORDINATOR_NOT_AVAILABLE -> ErrorCode
                    .LEADER_NOT_AVAILABLE;
            default -> error;
        };
    }

    /**
     * As {@link #codeOf}, for changes of the cluster. The error is NOT_CONTROLLER if there is no controller: admin
     * clients then look for one and retry.
     */
    static ErrorCode ofController(Throwable failure, RequestContext context) {
        ErrorCode error = codeOf(failure, context);
        return error == ErrorCode.COORDINATOR_NOT_AVAILABLE ? ErrorCode.NOT_CONTROLLER : error;
    }

    /** The sentence of an expected failure. Null for any other failure, whose details clients must not see. */
    static String messageOf(Throwable failure) {
        return FeliceException.unwrap(failure) instanceof FeliceException expected ? expected.getMessage() : null;
    }

    /** The records that an expected failure names. Empty for any other failure. */
    static List<RecordError> recordErrorsOf(Throwable failure) {
        return FeliceException.unwrap(failure) instanceof FeliceException expected
                ? expected.recordErrors()
                : List.of();
    }
}
