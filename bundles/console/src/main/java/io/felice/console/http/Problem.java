package io.felice.console.http;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** An expected failure of a request: a status, a stable code, and a sentence (RFC 9457). Has no stack trace. */
public final class Problem extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private static final Set<ErrorCode> NOT_FOUND = Set.of(
            ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
            ErrorCode.UNKNOWN_TOPIC_ID,
            ErrorCode.GROUP_ID_NOT_FOUND,
            ErrorCode.RESOURCE_NOT_FOUND,
            ErrorCode.BROKER_ID_NOT_REGISTERED,
            ErrorCode.LOG_DIR_NOT_FOUND);
    private static final Set<ErrorCode> FORBIDDEN = Set.of(
            ErrorCode.TOPIC_AUTHORIZATION_FAILED,
            ErrorCode.GROUP_AUTHORIZATION_FAILED,
            ErrorCode.CLUSTER_AUTHORIZATION_FAILED);
    private static final Set<ErrorCode> CONFLICT = Set.of(
            ErrorCode.TOPIC_ALREADY_EXISTS,
            ErrorCode.NON_EMPTY_GROUP,
            ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC,
            ErrorCode.REASSIGNMENT_IN_PROGRESS,
            ErrorCode.POLICY_VIOLATION);
    private static final Set<ErrorCode> ELSEWHERE =
            Set.of(ErrorCode.NOT_LEADER_OR_FOLLOWER, ErrorCode.NOT_COORDINATOR, ErrorCode.REPLICA_NOT_AVAILABLE);
    private static final Set<ErrorCode> AWAY = Set.of(
            ErrorCode.LEADER_NOT_AVAILABLE,
            ErrorCode.COORDINATOR_NOT_AVAILABLE,
            ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
            ErrorCode.BROKER_NOT_AVAILABLE,
            ErrorCode.NOT_CONTROLLER,
            ErrorCode.KAFKA_STORAGE_ERROR,
            ErrorCode.NOT_ENOUGH_REPLICAS,
            ErrorCode.NETWORK_EXCEPTION);

    private final transient Body body;

    /** What is wrong with one field or item. */
    public record FieldError(String key, String sentence, String code) {}

    /** As it is in the answer. */
    public record Body(
            String type,
            String title,
            int status,
            String code,
            String detail,
            String remedy,
            String correlation,
            String needs,
            String bundle,
            List<FieldError> errors) {
        public Body correlatedBy(String id) {
            return new Body(type, title, status, code, detail, remedy, id, needs, bundle, errors);
        }
    }

    private Problem(
            int status,
            String code,
            String detail,
            String remedy,
            String needs,
            String bundle,
            List<FieldError> errors) {
        super(detail, null, false, false);
        String words = code.replace('-', ' ');
        body = new Body(
                "/api/v1/problems/" + code,
                Character.toUpperCase(words.charAt(0)) + words.substring(1),
                status,
                code,
                detail,
                remedy,
                null,
                needs,
                bundle,
                errors);
    }

    public Body body() {
        return body;
    }

    public int status() {
        return body.status();
    }

    public static Problem of(int status, String code, String sentence) {
        return new Problem(status, code, sentence, null, null, null, null);
    }

    public static Problem of(int status, String code, String sentence, String remedy) {
        return new Problem(status, code, sentence, remedy, null, null, null);
    }

    public static Problem invalid(String sentence) {
        return of(422, "invalid", sentence);
    }

    public static Problem invalid(String sentence, List<FieldError> errors) {
        return new Problem(422, "invalid", sentence, null, null, null, errors);
    }

    public static Problem notFound(String sentence) {
        return of(404, "not-found", sentence);
    }

    /** @param needs the role or right that is missing */
    public static Problem forbidden(String sentence, String needs) {
        return new Problem(403, "forbidden", sentence, null, needs, null, null);
    }

    /** A bundle that the request needs is stopped or is being updated. */
    public static Problem away(String bundle) {
        return new Problem(
                503,
                "bundle-away",
                "The bundle " + bundle + " is not running now, so this cannot be shown or done.",
                "It takes a moment if the bundle is being updated. Start it: felice exec bundle:start " + bundle,
                null,
                bundle,
                null);
    }

    /** The problem with Kafka's code of a failure; internal for an unexpected one. */
    public static Problem of(Throwable failure) {
        Throwable bare = FeliceException.unwrap(failure);
        if (bare instanceof Problem problem) {
            return problem;
        }
        return bare instanceof FeliceException expected
                ? of(expected.code(), expected.getMessage())
                : of(500, "internal", "Something went wrong that was not expected. The log of the node has it.");
    }

    public static Problem of(ErrorCode code, String sentence) {
        return of(statusOf(code), nameOf(code), sentence == null ? nameOf(code).replace('-', ' ') : sentence);
    }

    private static String nameOf(ErrorCode code) {
        return code.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private static int statusOf(ErrorCode code) {
        if (NOT_FOUND.contains(code)) {
            return 404;
        } else if (FORBIDDEN.contains(code)) {
            return 403;
        } else if (CONFLICT.contains(code)) {
            return 409;
        } else if (ELSEWHERE.contains(code) || AWAY.contains(code)) {
            return 503;
        }
        return switch (code) {
            case REQUEST_TIMED_OUT -> 504;
            case THROTTLING_QUOTA_EXCEEDED -> 429;
            case UNKNOWN_SERVER_ERROR -> 500;
            default -> 422;
        };
    }
}
