package io.felice.console.http;

import java.util.Map;

/**
 * The answer to a request.
 *
 * @param body null if there is none
 */
public record Answer(int status, String type, byte[] body, Map<String, String> headers) {
    /** The endpoint has answered itself, or will: with a stream. */
    public static final Answer STREAMED = new Answer(0, null, null, Map.of());

    private static final String JSON = "application/json";

    public static Answer of(Object value) {
        return of(200, value);
    }

    public static Answer of(int status, Object value) {
        return new Answer(status, JSON, Json.bytes(value), Map.of());
    }

    public static Answer empty() {
        return new Answer(204, null, null, Map.of());
    }

    public Answer tagged(String etag) {
        return new Answer(status, type, body, Map.of("ETag", etag));
    }
}
