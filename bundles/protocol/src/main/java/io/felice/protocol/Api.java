package io.felice.protocol;

import io.felice.api.ErrorCode;

/**
 * How this node serves one Kafka API: a row of {@link Apis}.
 *
 * @param key Kafka's number for the API
 * @param from the first version that is served
 * @param to the last version that is served
 * @param advertisedFrom the first version that ApiVersions names; lower than {@code from} only where clients misread the
 *     true one
 * @param expected true if every node has a handler for it: requests wait for the first handler, and ApiVersions is
 *     answered only when all expected handlers have come
 * @param whileAway the error that makes clients send the request again; they get it when the handler went away
 * @param keepsBytes true if the request's message refers to the bytes of its frame: the frame's memory is not used again
 *     before the request is answered
 * @param outlivesHandler true if a request that its handler had begun may still be answered by that handler's stage, for
 *     a short time after the handler went away; false if {@code whileAway} is the answer at once
 */
public record Api(
        short key,
        short from,
        short to,
        short advertisedFrom,
        boolean expected,
        ErrorCode whileAway,
        boolean keepsBytes,
        boolean outlivesHandler) {

    public Api {
        if (key < 0 || advertisedFrom < 0 || advertisedFrom > from || from > to) {
            throw new IllegalArgumentException("API " + key + " cannot be served from version " + from + " (advertised "
                    + advertisedFrom + ") to " + to);
        }
        if (whileAway == ErrorCode.NONE) {
            throw new IllegalArgumentException("API " + key + " needs an error for the time while its handler is away");
        }
    }

    /** An expected API that keeps no bytes, does not outlive its handler, and is advertised as it is served. */
    public static Api of(short key, int from, int to, ErrorCode whileAway) {
        return new Api(key, (short) from, (short) to, (short) from, true, whileAway, false, false);
    }

    public Api advertisedSince(int version) {
        return new Api(key, from, to, (short) version, expected, whileAway, keepsBytes, outlivesHandler);
    }

    public Api notExpected() {
        return new Api(key, from, to, advertisedFrom, false, whileAway, keepsBytes, outlivesHandler);
    }

    public Api keepingBytes() {
        return new Api(key, from, to, advertisedFrom, expected, whileAway, true, outlivesHandler);
    }

    public Api outlivingItsHandler() {
        return new Api(key, from, to, advertisedFrom, expected, whileAway, keepsBytes, true);
    }

    /** True if requests of this version are served. */
    public boolean serves(short version) {
        return version >= from && version <= to;
    }
}
