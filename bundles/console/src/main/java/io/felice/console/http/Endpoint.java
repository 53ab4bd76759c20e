package io.felice.console.http;

/** Answers one operation of the API. Called on a thread of the server, which may wait some seconds. */
@FunctionalInterface
public interface Endpoint {
    /** Throws a {@link Problem} or a {@link io.felice.api.FeliceException} for what is expected to fail. */
    Answer answer(ApiRequest request) throws Exception;
}
