package io.felice.protocol;

import org.apache.kafka.common.protocol.ApiMessage;

/**
 * A parsed request. The byte buffers in its message are slices of the frame.
 *
 * @param correlationId the number that the client gave the request; the response has the same number
 * @param clientId the name that the client gives itself; {@code ""} if it gives none
 * @param message an object of the API's generated class, for example {@code ProduceRequestData}
 * @param sizeInBytes the size of the frame without its length field
 */
public record Request(
        short apiKey, short apiVersion, int correlationId, String clientId, ApiMessage message, int sizeInBytes) {}
