package io.felice.protocol;

import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.protocol.ApiMessage;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Answers one Kafka API: authorises, translates, calls, translates back; nothing else. Register it as a service with
 * {@link Serves}.
 *
 * @param <Q> the request's message class
 * @param <R> the response's message class
 */
@ConsumerType
public interface RequestHandler<Q extends ApiMessage, R extends ApiMessage> {
    /**
     * Called on the connection's I/O thread, for one request at a time of a connection but for many connections at once.
     * Must not block: what takes time comes back as a stage.
     *
     * @return completes, on any thread, with the response; with null if nothing is to be sent (Produce with acks=0). If
     *     it fails, the client gets the error in the API's own form, or, for {@link CloseConnection}, the connection is
     *     closed. Byte buffers in the request are valid until the stage completes.
     */
    CompletionStage<R> handle(Q request, RequestContext context);
}
