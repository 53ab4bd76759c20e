package io.felice.protocol;

import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.protocol.ApiMessage;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Answers the requests of one Kafka API: authorises, translates the request, calls the component that does the work,
 * and translates the result. Register it as a service with {@link Serves}.
 *
 * @param <Q> the request's message class
 * @param <R> the response's message class
 */
@ConsumerType
public interface RequestHandler<Q extends ApiMessage, R extends ApiMessage> {
    /**
     * Answers one request. Called on the I/O thread of the connection, for several connections at once. Requests of one
     * connection come one after the other; the next may come before the stage of the last has completed. Must not
     * block: work that takes time completes the stage later.
     *
     * @param request its byte buffers are valid until the stage completes
     * @return completes on any thread with the response, or with null if there is no response (Produce with acks=0). If
     *     the stage fails, the client gets the error in the API's own form; if it fails with {@link CloseConnection},
     *     the connection is closed
     */
    CompletionStage<R> handle(Q request, RequestContext context);
}
