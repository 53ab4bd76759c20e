package io.felice.cli;

import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.protocol.Errors;

/** A command that fails: a stable code, a sentence, what to do about it, and the exit code. */
final class CliFailure extends RuntimeException {
    static final int FAILED = 1;
    static final int USAGE = 2;
    static final int NOT_FOUND = 3;
    static final int EXISTS = 4;
    static final int AUTH = 5;
    static final int TIMEOUT = 6;
    static final int UNHEALTHY = 10;

    private static final long serialVersionUID = 1;
    private static final Set<Errors> MISSING = Set.of(
            Errors.UNKNOWN_TOPIC_OR_PARTITION,
            Errors.UNKNOWN_TOPIC_ID,
            Errors.GROUP_ID_NOT_FOUND,
            Errors.RESOURCE_NOT_FOUND,
            Errors.UNKNOWN_MEMBER_ID);
    private static final Set<Errors> PRESENT = Set.of(Errors.TOPIC_ALREADY_EXISTS, Errors.DUPLICATE_RESOURCE);

    private final String code;
    private final String hint;
    private final int exitCode;

    CliFailure(int exitCode, String code, String message, String hint) {
        super(message);
        this.exitCode = exitCode;
        this.code = code;
        this.hint = hint;
    }

    static CliFailure usage(String message, String hint) {
        return new CliFailure(USAGE, "USAGE", message, hint);
    }

    static CliFailure notFound(String message, String hint) {
        return new CliFailure(NOT_FOUND, "NOT_FOUND", message, hint);
    }

    /** What a failure of a client or of this program means. */
    static CliFailure of(Throwable thrown) {
        Throwable cause = thrown;
        while ((cause instanceof ExecutionException || cause instanceof CompletionException || isWrapper(cause))
                && cause.getCause() != null) {
            cause = cause.getCause();
        }
        if (cause instanceof CliFailure failure) {
            return failure;
        } else if (cause instanceof AuthenticationException) {
            return new CliFailure(
                    AUTH,
                    "AUTHENTICATION_FAILED",
                    "The broker refused the login: " + sentence(cause),
                    "Check --user and the password, or the settings of --config FILE.");
        } else if (cause instanceof AuthorizationException) {
            return new CliFailure(
                    AUTH,
                    Errors.forException(cause).name(),
                    sentence(cause),
                    "felice acl list shows the rights; felice acl allow gives one.");
        } else if (cause instanceof org.apache.kafka.common.errors.TimeoutException
                || cause instanceof TimeoutException) {
            return new CliFailure(
                    TIMEOUT,
                    "TIMEOUT",
                    "The cluster did not answer in time: " + sentence(cause),
                    "Wait longer with --timeout; felice doctor --client HOST:PORT says which connection fails.");
        } else if (cause instanceof ApiException) {
            return ofError(Errors.forException(cause), sentence(cause));
        } else if (cause instanceof KafkaException && cause.getCause() != null) {
            return new CliFailure(FAILED, "CLIENT", sentence(cause) + ": " + sentence(cause.getCause()), null);
        } else if (cause instanceof IllegalArgumentException) {
            return usage(sentence(cause), null);
        }
        return new CliFailure(FAILED, "FAILED", sentence(cause), null);
    }

    private static boolean isWrapper(Throwable thrown) {
        return thrown.getClass() == KafkaException.class && thrown.getCause() instanceof ApiException;
    }

    private static CliFailure ofError(Errors error, String message) {
        int exit = MISSING.contains(error) ? NOT_FOUND : PRESENT.contains(error) ? EXISTS : FAILED;
        String hint = error == Errors.SECURITY_DISABLED
                ? "Everybody may do everything. A Felice node has rights with authorizer = acl in etc/io.felice.security.cfg."
                : null;
        return new CliFailure(exit, error.name(), message, hint);
    }

    private static String sentence(Throwable cause) {
        String text = cause.getMessage();
        return text == null || text.isBlank() ? cause.getClass().getSimpleName() : text;
    }

    /** The same failure, with what the caller knows about it. */
    CliFailure saying(String message, String withHint) {
        return new CliFailure(exitCode, code, message, withHint == null ? hint : withHint);
    }

    String code() {
        return code;
    }

    String hint() {
        return hint;
    }

    int exitCode() {
        return exitCode;
    }
}
