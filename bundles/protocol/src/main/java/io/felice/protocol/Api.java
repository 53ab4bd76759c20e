package io.felice.protocol;

import io.felice.api.ErrorCode;

/**
 * A row of {@link Apis}: how this node serves one Kafka API.
 *
 * @param key Kafka's number of the API
 * @param from the first version that is served
 * @param to the last version that is served
 * @param advertisedFrom the first version in the ApiVersions response; lower than {@code from} only if clients
 *     misunderstand the true value
 * @param expected true if every node has a handler for the API. At the start requests wait for this handler, and
 *     ApiVersions waits until all expected handlers are registered
 * @param whileAway the error for requests while the handler is not registered, for example during an update of its
 *     bundle. The error must make clients send the request again. With NETWORK_EXCEPTION the connection is closed
 *     instead, for APIs whose clients take every error as final
 * @param keepsBytes true if the message of the request refers to the bytes of the frame. Then the frame's memory is not
 *     used again before the request is answered
 * @param outlivesHandler true if a handler that is no longer registered may still complete the requests that it has
 *     begun, for a short time; false if these requests are answered with {@code whileAway} at once
 * @param beforeLogin true if a client may send the request before it has logged in, on a listener with SASL
 * @param ofBrokers true if only brokers send the request: ApiVersions does not advertise it
 */
public record Api(
        short key,
        short from,
        short to,
        short advertisedFrom,
        boolean expected,
        ErrorCode whileAway,
        boolean keepsBytes,
        boolean outlivesHandler,
        boolean beforeLogin,
        boolean ofBrokers) {

    public Api {
        if (key < 0 || advertisedFrom < 0 || advertisedFrom > from || from > to) {
            throw new IllegalArgumentException("API " + key + " cannot be served from version " + from + " (advertised "
                    + advertisedFrom + ") to " + to);
        }
        if (whileAway == ErrorCode.NONE) {
            throw new IllegalArgumentException("API " + key + " needs an error for the time while its handler is away");
        }
    }

    /** An expected API that advertises the versions that it serves. The other flags are false. */
    public static Api of(short key, int from, int to, ErrorCode whileAway) {
        return new Api(key, (short) from, (short) to, (short) from, true, whileAway, false, false, false, false);
    }

    public Api advertisedSince(int version) {
        return new Api(
                key,
                from,
                to,
                (short) version,
                expected,
                whileAway,
                keepsBytes,
                outlivesHandler,
                beforeLogin,
                ofBrokers);
    }

    public Api notExpected() {
        return new Api(
                key, from, to, advertisedFrom, false, whileAway, keepsBytes, outlivesHandler, beforeLogin, ofBrokers);
    }

    public Api keepingBytes() {
        return new Api(
                key, from, to, advertisedFrom, expected, whileAway, true, outlivesHandler, beforeLogin, ofBrokers);
    }

    public Api outlivingItsHandler() {
        return new Api(key, from, to, advertisedFrom, expected, whileAway, keepsBytes, true, beforeLogin, ofBrokers);
    }

    public Api allowedBeforeLogin() {
        return new Api(
                key, from, to, advertisedFrom, expected, whileAway, keepsBytes, outlivesHandler, true, ofBrokers);
    }

    public Api ofBrokersOnly() {
        return new Api(
                key, from, to, advertisedFrom, expected, whileAway, keepsBytes, outlivesHandler, beforeLogin, true);
    }

    /** True if requests close their connection while the handler is not registered. */
    public boolean closesWhileAway() {
        return whileAway == ErrorCode.NETWORK_EXCEPTION;
    }

    public boolean serves(short version) {
        return version >= from && version <= to;
    }
}
